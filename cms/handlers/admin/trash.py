"""The trash of all that is neither text nor file: its list, one of it, taking it out, and emptying. Posts, pages and files have theirs in
their own lists, to which this one leads."""

from collections.abc import Mapping
from urllib.parse import urlencode

from cms.errors import Conflict, InvalidInput, NotFound
from cms.handlers.admin.base import AdminHandler
from cms.handlers.admin.undoing import Way
from cms.handlers.forms import Form
from cms.models import TrashedThing
from cms.models.desk import TrashKind
from cms.models.post import Kind
from cms.policy import Capability
from cms.schemas.desk import TrashQuery
from cms.services import library, restoring, site, trash, trashed_things
from cms.ui import trash as words

LISTS: Mapping[TrashKind, str] = {
    TrashKind.CATEGORY: "admin.categories",
    TrashKind.TAG: "admin.tags",
    TrashKind.SERIES: "admin.series",
    TrashKind.SNIPPET: "admin.snippets",
    TrashKind.TEMPLATE: "admin.templates",
    TrashKind.FIELD: "admin.fields",
    TrashKind.REDIRECT: "admin.redirects",
    TrashKind.FOLDER: "admin.media",
}


def way_out(handler: AdminHandler, thing: TrashedThing) -> Way:
    """Out of the trash again, back to its list: what undoes its deletion."""
    return handler.reverse_url("admin.trash.restoration", thing.id), {"back": "list"}


class TrashHandler(AdminHandler, is_base=True):
    """What stands under the list's address, in the parts that are shown."""

    def asked(self) -> tuple[TrashKind | None, int]:
        """A kind, None for all of them, and a page."""
        try:
            query = Form.of_request(TrashQuery, self.request.query_arguments).value()
        except InvalidInput:
            raise NotFound from None
        return query.kind and TrashKind(query.kind), query.page

    def address(self, kind: str = "", page: int = 1, name: str = "admin.trash") -> str:
        chosen = {name: value for name, value in (("kind", kind), ("page", page if page > 1 else "")) if value}
        return self.reverse_url(name) + (f"?{urlencode(chosen)}" if chosen else "")


class ThingsHandler(TrashHandler):
    requires = Capability.POST_TRASH

    async def get(self) -> None:
        kind, page = self.asked()
        async with self.read() as session:
            found = await trashed_things.list_of(session, self.actor, kind, page)
            others = [
                ("post", self.reverse_url("admin.posts"), "status=trashed", await trash.count(session, self.actor, Kind.POST)),
                ("page", self.reverse_url("admin.pages"), "status=trashed", await trash.count(session, self.actor, Kind.PAGE)),
                ("media", self.reverse_url("admin.media"), "trash=on", await library.count_trash(session, self.actor)),
            ]
            days = (await site.get_limits(session)).trash_days
        self.render(
            "admin/trash/list.html", section="trash", found=found, kind=kind, others=others, days=days, kinds=words.KINDS,
            address=self.address, flash=self.take_flash(),
        )  # fmt: skip


class ThingHandler(AdminHandler):
    requires = Capability.POST_TRASH

    async def get(self, number: str) -> None:
        async with self.read() as session:
            row = await trashed_things.get(session, self.actor, self.number(number))
            texts = await trashed_things.count_texts(session, row.thing)
            days = (await site.get_limits(session)).trash_days
        self.render(
            "admin/trash/thing.html", section="trash", row=row, thing=row.thing, kinds=words.KINDS, text=words.text_of(row.thing),
            facts=words.facts(row.thing, texts, self.locale.translate, self.dates), goes_at=trashed_things.goes_at(row.thing, days),
            flash=self.take_flash(),
        )  # fmt: skip

    async def delete(self, number: str) -> None:
        thing = await self.in_transaction(lambda work: trashed_things.forget(work, self.actor, self.number(number)))
        self.flash(self.locale.translate("“%s” is deleted for good.") % thing.name)
        self.redirect_to("admin.trash")


class ThingRestorationHandler(AdminHandler):
    """Refused, it says why, and all is as it was."""

    requires = Capability.POST_TRASH

    async def post(self, number: str) -> None:
        thing_id, is_undone = self.number(number), self.get_body_argument("back", "") == "list"
        try:
            thing, is_done = await self.in_transaction(lambda work: restoring.restore(work, self.actor, thing_id))
        except Conflict as error:
            self.flash(error.message, is_refusal=True)
            self.redirect_to("admin.trash.thing", thing_id)
            return
        there = self.reverse_url(LISTS[thing.kind])
        said = self.locale.translate("“%s” is out of the trash again.") % thing.name
        if not is_done:
            said += " " + self.locale.translate("Its posts follow one after another; this may take some minutes.")
        self.flash(said, ("", "") if is_undone else (there, "Show it in its list"))
        self.redirect(there if is_undone else self.reverse_url("admin.trash"), status=303)


class ThingsEmptyingHandler(TrashHandler):
    """Asks first."""

    requires = Capability.POST_TRASH

    async def get(self) -> None:
        kind, _ = self.asked()
        async with self.read() as session:
            found = await trashed_things.list_of(session, self.actor, kind)
        self.render("admin/trash/emptying.html", section="trash", found=found, kind=kind, kinds=words.KINDS, address=self.address)

    async def post(self) -> None:
        kind, _ = self.asked()
        number = await self.in_turns(lambda work: trashed_things.empty(work, self.actor, kind), trashed_things.AT_ONCE)
        self.flash(self.locale.translate("%d thing is deleted for good.", "%d things are deleted for good.", number) % number)
        self.redirect_to("admin.trash")
