"""Categories, tags and series: their lists, one of them, merging and deleting, and the order of a series' parts."""

from typing import Any, ClassVar
from urllib.parse import urlencode

from cms.db.session import Work
from cms.errors import InvalidInput, NotFound
from cms.handlers.admin.base import AdminHandler
from cms.handlers.admin.ordering import moved
from cms.handlers.admin.trash import way_out
from cms.handlers.admin.undoing import Way
from cms.handlers.forms import Form
from cms.models import TrashedThing
from cms.models.address import TargetKind
from cms.policy import Capability
from cms.schemas.terms import HeirInput, MergeInput, OrderInput, TagsQuery, TermInput
from cms.services import catalogue, trashed_terms
from cms.wording import say, sentences

LISTS = {TargetKind.CATEGORY: "admin.categories", TargetKind.TAG: "admin.tags", TargetKind.SERIES: "admin.series"}
LATER = "Many posts are concerned, so they follow one after another; this may take some minutes."


class TermsHandler(AdminHandler, is_base=True):
    """One of the three kinds. ``kind`` stands in ``initialize``'s arguments where a handler answers for all of them."""

    kind: TargetKind

    def initialize(self, kind: str) -> None:
        self.kind = TargetKind(kind)

    def get_template_namespace(self) -> dict[str, Any]:
        own = {"section": self.kind.value, "kind": self.kind.value, "all": self.reverse_url(LISTS[self.kind])}
        return {**super().get_template_namespace(), **own, "one": self.address_of, "posts_of": self.posts_of}

    def posts_of(self, term: catalogue.Thing) -> str:
        """The list of its posts."""
        value = term.name if self.kind is TargetKind.TAG else term.id
        return f"{self.reverse_url('admin.posts')}?{urlencode({self.kind.value: value})}"

    def address_of(self, term_id: int, what: str = "") -> str:
        name = "one-series" if self.kind is TargetKind.SERIES else self.kind.value
        return self.reverse_url(f"admin.{name}{what}", term_id)

    def go_back(self, words: str, *, is_done: bool = True, undo: Way | None = None) -> None:
        self.flash(words if is_done else sentences(words, LATER), undo=undo)
        self.redirect(self.reverse_url(LISTS[self.kind]), status=303)


class ListHandler(TermsHandler, is_base=True):
    """A list, with a form for a new one."""

    requires = Capability.TAXONOMY_MANAGE

    async def get(self) -> None:
        await self.show(Form(TermInput, {}))

    async def post(self) -> None:
        form = self.form(TermInput)
        try:
            wanted = form.value()
            await self.in_transaction(lambda work: catalogue.create(work, self.actor, self.kind, wanted))
        except InvalidInput as error:
            form.refuse(error)
            await self.show(form, status=422)
            return
        self.go_back(say("Made."))

    async def show(self, form: Form[TermInput], *, status: int = 200) -> None:
        raise NotImplementedError


class CategoriesHandler(ListHandler):
    requires = Capability.TAXONOMY_MANAGE

    async def show(self, form: Form[TermInput], *, status: int = 200) -> None:
        async with self.read() as session:
            rows, above = await catalogue.list_tree(session, self.actor), await catalogue.choices(session)
        self.set_status(status)
        self.render("admin/terms/categories.html", rows=rows, above=above, form=form, flash=self.take_flash())


class SeriesHandler(ListHandler):
    requires = Capability.TAXONOMY_MANAGE

    async def show(self, form: Form[TermInput], *, status: int = 200) -> None:
        async with self.read() as session:
            rows = await catalogue.list_series(session, self.actor)
        self.set_status(status)
        self.render("admin/terms/series.html", rows=rows, form=form, flash=self.take_flash())


class TagsHandler(ListHandler):
    requires = Capability.TAXONOMY_MANAGE

    async def show(self, form: Form[TermInput], *, status: int = 200) -> None:
        try:
            query = Form.of_request(TagsQuery, self.request.query_arguments).value()
        except InvalidInput:
            raise NotFound from None
        async with self.read() as session:
            found = await catalogue.list_tags(session, self.actor, words=query.q, unused=query.unused, page=query.page)
        self.set_status(status)
        self.render("admin/terms/tags.html", found=found, query=query, address=self._address, form=form, flash=self.take_flash())

    def _address(self, q: str = "", unused: bool = False, page: int = 1) -> str:
        chosen = {"q": q, "unused": "on" if unused else "", "page": page if page > 1 else ""}
        query = urlencode({name: value for name, value in chosen.items() if value})
        return self.reverse_url("admin.tags") + (f"?{query}" if query else "")


class UnusedTagsHandler(TermsHandler):
    """Asks first, with their names."""

    requires = Capability.TAXONOMY_MANAGE

    async def get(self) -> None:
        async with self.read() as session:
            found = await catalogue.list_tags(session, self.actor, unused=True)
        self.render("admin/terms/unused.html", found=found)

    async def post(self) -> None:
        number = await self.in_turns(lambda work: trashed_terms.delete_unused_tags(work, self.actor), trashed_terms.AT_ONCE)
        self.go_back(say("One unused tag is in the trash.", "{number} unused tags are in the trash.", number))


class MergeHandler(TermsHandler):
    """Several tags at once: the address names them, the form says which stays."""

    requires = Capability.TAXONOMY_MANAGE

    async def get(self) -> None:
        await self._show(Form.of_request(MergeInput, self.request.query_arguments))

    async def post(self) -> None:
        form = self.form(MergeInput)
        try:
            wanted = form.value()
            ids = [term_id for term_id in wanted.ids if term_id != wanted.target]
            is_done = await self.in_transaction(lambda work: catalogue.merge(work, self.actor, self.kind, ids, wanted.target or 0))
        except (InvalidInput, NotFound) as error:
            form.refuse(error if isinstance(error, InvalidInput) else InvalidInput({"target": "One of these is not there any more."}))
            await self._show(form, status=422)
            return
        self.go_back(say("Merged. The old addresses lead to the one that stays."), is_done=is_done)

    async def _show(self, form: Form[MergeInput], *, status: int = 200) -> None:
        ids = [int(part) for part in str(form["ids"]).split(",") if part.isascii() and part.isdigit() and len(part) < 19]
        async with self.read() as session:
            rows = await catalogue.list_some(session, self.actor, self.kind, ids)
        self.set_status(status)
        self.render("admin/terms/merge.html", rows=rows, form=form)


class OneHandler(TermsHandler, is_base=True):
    """The one that the address names."""

    page: ClassVar[str]

    async def show(self, number: str, form: Form[Any], *, status: int = 200, **values: Any) -> None:
        async with self.read() as session:
            row = await catalogue.get(session, self.actor, self.kind, self.number(number))
            above = await catalogue.choices(session, [row.term.id]) if self.kind is TargetKind.CATEGORY else []
            parts = await catalogue.parts(session, row.term.id) if self.kind is TargetKind.SERIES else []
            merging = await catalogue.way(session, self.kind, row.term.id) if row.is_leaving else None
        self.set_status(status)
        known = {"row": row, "above": above, "parts": parts, "merging": merging, "flash": self.take_flash() if status == 200 else None}
        self.render(f"admin/terms/{self.page}.html", form=form, **{**known, **values})


class TermHandler(OneHandler):
    requires = Capability.TAXONOMY_MANAGE
    page = "one"

    async def get(self, number: str) -> None:
        async with self.read() as session:
            row = await catalogue.get(session, self.actor, self.kind, self.number(number))
        await self.show(number, Form.showing(TermInput, catalogue.shown(row.term)))

    async def post(self, number: str) -> None:
        form = self.form(TermInput)
        try:
            wanted = form.value()
            is_done = await self.in_transaction(lambda work: catalogue.save(work, self.actor, self.kind, self.number(number), wanted))
        except InvalidInput as error:
            form.refuse(error)
            await self.show(number, form, status=422)
            return
        self.go_back(say("Saved. Readers see it now.") if is_done else say("Saved."), is_done=is_done)


class DeletionHandler(OneHandler):
    """Deleting it, or merging it into another: the form says whose its posts are from now on."""

    requires = Capability.TAXONOMY_MANAGE
    page = "deletion"

    async def get(self, number: str) -> None:
        await self.show(number, Form(HeirInput, {}))

    async def post(self, number: str) -> None:
        form = self.form(HeirInput)
        try:
            heir = form.value().agreed()
            thing, is_done = await self.in_transaction(lambda work: self._go(work, self.number(number), heir))
        except InvalidInput as error:
            form.refuse(error)
            await self.show(number, form, status=422)
            return
        if not thing:
            self.go_back(say("Merged. The old address leads to the other."), is_done=is_done)
            return
        undo = way_out(self, thing) if is_done else None
        self.go_back(say("It is in the trash. Its posts stay, without it."), is_done=is_done, undo=undo)

    async def _go(self, work: Work, term_id: int, heir: int | None) -> tuple[TrashedThing | None, bool]:
        if not heir:
            return await trashed_terms.delete(work, self.actor, self.kind, term_id)
        return None, await catalogue.merge(work, self.actor, self.kind, [term_id], heir)


class PartsHandler(OneHandler):
    """The parts of a series in another order. A button moves one and sends the form: it is saved at once."""

    requires = Capability.TAXONOMY_MANAGE
    page = "one"

    async def post(self, number: str) -> None:
        form, series_id = self.form(OrderInput), self.number(number)
        try:
            wanted = form.value()
        except InvalidInput:
            raise NotFound from None
        order, focus = moved(list(wanted.order), wanted.move)
        await self.in_transaction(lambda work: catalogue.sort_series(work, self.actor, series_id, order))
        self.flash(say("The parts stand in this order, for readers, too."))
        self.redirect(self.address_of(series_id) + (f"#{focus}" if focus else "#parts"), status=303)
