"""The library: its page, which is the picker's too; what is done to what was chosen in it; and the room it takes."""

from collections.abc import Mapping
from typing import Any

from cms.errors import InvalidInput
from cms.handlers.admin.asking import AskingHandler
from cms.handlers.admin.trash import way_out
from cms.handlers.admin.uploads import FormUploadHandler
from cms.handlers.forms import Form
from cms.policy import Capability
from cms.schemas.library import MAX_ALT, DescriptionInput, FolderInput, LibraryBulk, LibraryQuery
from cms.services import folders, library, library_acts, site, uploads
from cms.services.library import Choices
from cms.services.library_acts import Report
from cms.ui.library import ASKED, DONE, KINDS, file_size, is_whole, markdown, thumbnail


class LibraryHandler(AskingHandler[LibraryQuery], is_base=True):
    query_schema = LibraryQuery

    def get_template_namespace(self) -> dict[str, Any]:
        own = {
            "section": "media",
            "file_size": self.file_size,
            "thumbnail": thumbnail,
            "is_whole": is_whole,
            "kinds": KINDS,
            "markdown": markdown,
            "max_alt": MAX_ALT,
        }
        return {**super().get_template_namespace(), **own}

    def file_size(self, number: int) -> str:
        return file_size(number, self.dates)

    def list_address(self, query: LibraryQuery, **changes: Any) -> str:
        return "?".join(filter(None, (self.reverse_url("admin.media"), query.address(**changes))))

    async def show_list(self, form: Form[LibraryQuery], query: LibraryQuery, *, acts: Form[LibraryBulk] | None = None) -> None:
        async with self.read() as session:
            found = await library.list_assets(session, self.actor, query)
            choices = await library.choices(session)
            limits = await site.get_limits(session)
        if query.page > found.page:  # it has become shorter while somebody looked
            self.redirect(self.list_address(query, page=found.page), status=303)
            return
        acts = acts or Form(LibraryBulk)
        errors = form.errors | acts.errors
        self.set_status(422 if errors else 200)
        here = next((branch for branch in found.branches if branch.folder.id == query.folder), None)
        self.render(
            "admin/media/list.html", form=form, query=query, found=found, choices=choices, acts=acts, errors=errors,
            chips=self._chips(query, choices), here=here, folders=folders.choices(found.branches), days=limits.trash_days,
            flash=self.take_flash(), present=query.address(), address=lambda **changes: self.list_address(query, **changes),
        )  # fmt: skip

    def _chips(self, query: LibraryQuery, choices: Choices) -> list[tuple[str, str]]:
        """Each filter in words, and the address of the list without it."""
        _ = self.locale.translate
        named: dict[str, dict[Any, str]] = {"by": dict(choices.people), "kind": {key: _(word) for key, (word, _icon) in KINDS.items()}}

        def words(name: str, value: Any) -> str:
            label = _(LibraryQuery.model_fields[name].title or name)
            if value is True:
                return label
            return f"{label}: {named[name].get(value, _('something that is gone')) if name in named else value}"

        usual = LibraryQuery.model_validate({})
        return [(words(name, value), self.list_address(query, **{name: getattr(usual, name)})) for name, value in query.filters.items()]

    async def tell(self, act: str, report: Report, *, page: int = 1, undo: tuple[str, Mapping[str, str]] | None = None) -> None:
        """What was done to several, on the list from which it was sent; or on a page of its own, if some were refused."""
        number = len(report.done)
        said = self.locale.translate(*DONE[act], number) % number if number else self.locale.translate("Nothing was changed.")
        back = self.list_address(self.came_from()[1], page=page)
        if report.refused:
            async with self.read() as session:
                known = await library.some(session, self.actor, list(report.refused))
            names = {number: asset.name for number, asset in known.items()}
            self.render("admin/posts/report.html", said=said, report=report, titles=names, back=back, undo=undo)
            return
        self.flash(said, undo=undo)
        self.redirect(back, status=303)


class MediaHandler(FormUploadHandler, LibraryHandler):
    """The page, and where its form sends files."""

    requires = Capability.MEDIA_SEE

    async def get(self) -> None:
        await self.show_list(*self.asked(self.request.query_arguments))


class MediaBulkHandler(LibraryHandler):
    """One report at the end: how many are done, and which were refused and why. What texts show is asked about, with the texts."""

    requires = Capability.MEDIA_EDIT

    async def post(self) -> None:
        acts = self.form(LibraryBulk)
        try:
            wanted = acts.value()
            if await self._asks(wanted):
                return
            report = await library_acts.apply(self.in_transaction, self.actor, wanted)
        except InvalidInput as error:
            acts.refuse(error)
            await self.show_list(*self.came_from(), acts=acts)
            return
        undoing = wanted.act in _UNDOING and report.done
        undo = (self.reverse_url("admin.media.bulk"), self._undoing(wanted, report)) if undoing else None
        await self.tell(wanted.act, report, page=wanted.page, undo=undo)

    async def _asks(self, wanted: LibraryBulk) -> bool:
        """Before something goes to the trash that is shown somewhere, and before something is deleted for good."""
        async with self.read() as session:
            used = await library_acts.in_use(session, self.actor, wanted) if wanted.act == "trash" else []
            chosen = await library.some(session, self.actor, wanted.id)
        if not (used if wanted.act == "trash" else wanted.act == "delete" and not wanted.is_confirmed and chosen):
            return False
        knowing = {place.post_id for _, uses in used for place in uses.places if place.is_live}
        back = self.list_address(self.came_from()[1])
        self.render(
            "admin/media/deletion.html", wanted=wanted, used=used, chosen=list(chosen.values()), asked=ASKED[wanted.act],
            knowing=",".join(map(str, sorted(knowing))), back=back, present=self.get_body_argument("list", ""),
        )  # fmt: skip
        return True

    def _undoing(self, wanted: LibraryBulk, report: Report) -> dict[str, str]:
        """The form that takes it back, and leads into this list again."""
        return {"act": _UNDOING[wanted.act], "id": ",".join(map(str, report.done)), "list": self.get_body_argument("list", "")}


_UNDOING = {"trash": "restore"}


class AlternativeTextsHandler(LibraryHandler):
    """Those that were written into the list of files without one; what is empty is left for later."""

    requires = Capability.MEDIA_EDIT

    async def post(self) -> None:
        wanted: dict[int, DescriptionInput] = {}
        refused: dict[int, str] = {}
        for number in [self.number(name[4:]) for name in self.request.body_arguments if name.startswith("alt-")]:
            sent = {field: self.get_body_argument(f"{field}-{number}", "") for field in DescriptionInput.model_fields}
            try:
                words = Form(DescriptionInput, sent).value()
            except InvalidInput as error:
                refused[number] = error.message
            else:
                wanted |= {number: words} if words.alt or words.is_decorative else {}
        report = await library_acts.describe(self.in_transaction, self.actor, wanted)
        report.refused |= refused
        await self.tell("describe", report)


class MediaRoomHandler(LibraryHandler):
    requires = Capability.MEDIA_SEE

    async def get(self) -> None:
        async with self.read() as session:
            found = await library.room(session, self.actor)
            unfinished = await uploads.list_unfinished(session, self.actor)
        self.render("admin/media/room.html", rooms=found, unfinished=unfinished, flash=self.take_flash())


class UnfinishedHandler(LibraryHandler):
    """An upload that nobody will go on with."""

    requires = Capability.MEDIA_UPLOAD

    async def delete(self, upload_id: str) -> None:
        await uploads.abandon(self.parts.intake, self.actor, upload_id)
        self.flash("Removed.")
        self.redirect_to("admin.media.room")


class FoldersHandler(LibraryHandler):
    """A new one."""

    requires = Capability.MEDIA_EDIT

    async def get(self) -> None:
        await self._show(Form(FolderInput, {"parent": self.get_query_argument("parent", "")}))

    async def post(self) -> None:
        form = self.form(FolderInput)
        try:
            wanted = form.value()
            folder = await self.in_transaction(lambda work: folders.create(work, self.actor, wanted))
        except InvalidInput as error:
            form.refuse(error)
            await self._show(form, status=422)
            return
        self.flash("Made. It is empty so far.")
        self.redirect(self.reverse_url("admin.media") + f"?folder={folder.id}", status=303)

    async def _show(self, form: Form[FolderInput], *, status: int = 200) -> None:
        async with self.read() as session:
            branches = await folders.tree(session)
        self.set_status(status)
        self.render(
            "admin/media/folder.html", folder=None, form=form, parents=folders.choices(branches), back=self._back(str(form["parent"]))
        )

    def _back(self, parent: str) -> str:
        return self.reverse_url("admin.media") + (f"?folder={parent}" if parent.isascii() and parent.isdigit() else "")


class FolderHandler(LibraryHandler):
    """Its name, its place, its end; a script sends its place only."""

    requires = Capability.MEDIA_EDIT

    async def get(self, number: str) -> None:
        async with self.read() as session:
            folder = await folders.get(session, self.number(number))
        await self._show(self.number(number), Form(FolderInput, {"name": folder.name, "parent": folder.parent_id or ""}))

    async def post(self, number: str) -> None:
        folder_id, form = self.number(number), self.form(FolderInput)
        try:
            wanted = form.value()
            await self.in_transaction(lambda work: folders.save(work, self.actor, folder_id, wanted))
        except InvalidInput as error:
            form.refuse(error)
            await self._show(folder_id, form, status=422)
            return
        self.flash("Saved.")
        self.redirect(self.reverse_url("admin.media") + f"?folder={folder_id}", status=303)

    async def delete(self, number: str) -> None:
        folder_id = self.number(number)
        try:
            thing = await self.in_transaction(lambda work: folders.delete(work, self.actor, folder_id))
        except InvalidInput as error:
            form = self.form(FolderInput)
            form.refuse(error)
            await self._show(folder_id, form, status=422)
            return
        self.flash("The folder is in the trash. What was in it has moved up.", undo=way_out(self, thing))
        above = thing.was["parent"]
        self.redirect(self.reverse_url("admin.media") + (f"?folder={above}" if above else ""), status=303)

    async def _show(self, folder_id: int, form: Form[FolderInput], *, status: int = 200) -> None:
        async with self.read() as session:
            folder, branches = await folders.get(session, folder_id), await folders.tree(session)
        self.set_status(status)
        back = f"{self.reverse_url('admin.media')}?folder={folder_id}"
        self.render("admin/media/folder.html", folder=folder, form=form, parents=folders.choices(branches, folder_id), back=back)
