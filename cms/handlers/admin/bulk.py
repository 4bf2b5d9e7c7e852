"""What is done to several posts or pages at once, or to one from its row; the trash, emptied; and copies."""

from cms.errors import InvalidInput
from cms.handlers.admin.editing import EditorHandler
from cms.handlers.admin.listing import ListingHandler
from cms.handlers.admin.undoing import UndoableHandler, Way
from cms.policy import Capability
from cms.schemas.desk import BulkInput
from cms.services import bulk, desk_lists, posts, site, trash
from cms.services.bulk import Report
from cms.ui.lists import DONE, FIELDS, WAITING


class BulkHandler(UndoableHandler, ListingHandler):
    """One report at the end: how many are done, and which were refused and why."""

    requires = Capability.POST_EDIT

    async def post(self) -> None:
        acts = self.form(BulkInput)
        try:
            wanted = acts.value()
            if wanted.act == "delete" and not wanted.is_confirmed and wanted.id:
                await self._ask(wanted)
                return
            report = await bulk.apply(self, self.actor, self.kind, wanted)
        except InvalidInput as error:
            acts.refuse(error)
            await self.show_list(*self.came_from(), acts=acts)
            return
        await self._tell(wanted, report)

    async def _ask(self, wanted: BulkInput) -> None:
        """What cannot be undone is asked about."""
        async with self.read() as session:
            rows = await desk_lists.rows_of(session, self.actor, self.kind, wanted.id)
        back = self.list_address(self.came_from()[1])
        self.render("admin/posts/deletion.html", rows=rows, wanted=wanted, back=back, present=self.get_body_argument("list", ""))

    async def _tell(self, wanted: BulkInput, report: Report) -> None:
        _, query = self.came_from()
        words, number = DONE[wanted.act], len(report.done)
        said = [self.locale.translate(*words, number) % number if number else self.locale.translate("Nothing was changed.")]
        if number and wanted.act in FIELDS:
            said.append(self.locale.translate(WAITING))
        if number and wanted.act == "restore":
            said.append(
                self.locale.translate(
                    "Readers do not see it until it is published.", "Readers do not see them until they are published.", number
                )
            )
        back = self.list_address(query, page=wanted.page)
        undo = await self._undo(report)
        if report.refused:
            await self.tell_of_refused(" ".join(said), report, back, undo)
            return
        self.flash(" ".join(said), undo=undo)
        self.redirect(back, status=303)

    async def _undo(self, report: Report) -> Way | None:
        """What takes all of it back, and leads into this list again."""
        if not report.acts:
            return None
        address, form = await self.in_transaction(lambda work: self.way_to_undo(work, report.acts.values()))
        return address, {**form, "list": self.get_body_argument("list", "")}


class TrashHandler(EditorHandler):
    requires = Capability.POST_TRASH

    async def get(self) -> None:
        async with self.read() as session:
            number = await trash.count(session, self.actor, self.kind)
            limits = await site.get_limits(session)
        self.render("admin/posts/trash.html", number=number, days=limits.trash_days)

    async def post(self) -> None:
        number = await self.in_turns(lambda work: trash.empty(work, self.actor, self.kind), trash.AT_ONCE)
        self.flash(self.locale.translate(*DONE["delete"], number) % number)
        self.redirect(self.reverse_url(f"admin.{self.kind}s") + "?status=trashed", status=303)


class CopyHandler(EditorHandler):
    requires = Capability.POST_EDIT

    async def post(self, number: str) -> None:
        title, post_id = self.locale.translate("%s (copy)"), self.number(number)
        async with self.transaction() as work:
            self.of_kind(await posts.get_visible(work.session, self.actor, post_id))
            made = await posts.duplicate(work, self.actor, post_id, title=title)
        self.flash("This is the copy: a draft of yours, without an address so far.")
        self.redirect_to(f"admin.{self.kind}", made.id)
