"""Snippets: the list with its search, one of them, and what the editor's picker asks."""

from cms.errors import Conflict, InvalidInput, NotFound
from cms.handlers.admin.base import AdminHandler
from cms.handlers.admin.editing import compared
from cms.handlers.admin.trash import way_out
from cms.handlers.forms import Form
from cms.models import Snippet
from cms.policy import Capability
from cms.schemas.snippets import SnippetInput, SnippetsQuery
from cms.services import snippets

OFFERED = 20  # to the editor's picker


class SnippetsHandler(AdminHandler):
    requires = Capability.POST_CREATE

    async def get(self) -> None:
        try:
            query = Form.of_request(SnippetsQuery, self.request.query_arguments).value()
        except InvalidInput:
            raise NotFound from None
        async with self.read() as session:
            found = await snippets.list_snippets(session, query.q)
        self.render("admin/snippets/list.html", section="snippets", found=found, query=query, flash=self.take_flash())


class OneSnippetHandler(AdminHandler, is_base=True):
    def show(self, snippet: Snippet | None, form: Form[SnippetInput], *, status: int = 200, rows: object = None) -> None:
        self.set_status(status)
        self.render("admin/snippets/snippet.html", section="snippets", snippet=snippet, form=form, rows=rows, flash=None)


class NewSnippetHandler(OneSnippetHandler):
    requires = Capability.SNIPPET_MANAGE

    def get(self) -> None:
        self.show(None, Form(SnippetInput, {"version": 0}))

    async def post(self) -> None:
        form = self.form(SnippetInput)
        try:
            wanted = form.value()
            await self.in_transaction(lambda work: snippets.create(work, self.actor, wanted))
        except InvalidInput as error:
            form.refuse(error)
            self.show(None, form, status=422)
            return
        self.flash("Kept. It can be put into texts now.")
        self.redirect_to("admin.snippets")


class SnippetHandler(OneSnippetHandler):
    """Whoever may only use it finds it to be copied."""

    requires = Capability.POST_CREATE

    async def get(self, number: str) -> None:
        snippet = await self._load(number)
        self.show(snippet, Form(SnippetInput, {"name": snippet.name, "text": snippet.text, "version": snippet.version}))

    async def post(self, number: str) -> None:
        form, snippet_id = self.form(SnippetInput), self.number(number)
        try:
            wanted = form.value()
            await self.in_transaction(lambda work: snippets.change(work, self.actor, snippet_id, wanted))
        except InvalidInput as error:
            form.refuse(error)
            self.show(await self._load(number), form, status=422)
            return
        except Conflict:
            theirs = await self._load(number)
            self.show(theirs, form, status=409, rows=await compared(self, form, theirs.text, theirs.version))
            return
        self.flash("Saved. Texts in which it stands already stay as they are.")
        self.redirect_to("admin.snippets")

    async def delete(self, number: str) -> None:
        thing = await self.in_transaction(lambda work: snippets.delete(work, self.actor, self.number(number)))
        self.flash("It is in the trash. Texts in which it stands keep it.", undo=way_out(self, thing))
        self.redirect_to("admin.snippets")

    async def _load(self, number: str) -> Snippet:
        async with self.read() as session:
            return await snippets.get(session, self.number(number))


class SnippetChoicesHandler(AdminHandler):
    """For the editor: ``snippets``, each with ``name`` and ``text``."""

    requires = Capability.POST_CREATE

    async def get(self) -> None:
        async with self.read() as session:
            found = await snippets.list_snippets(session, self.get_query_argument("q", "")[:200])
        self.write({"snippets": [{"name": snippet.name, "text": snippet.text} for snippet in found[:OFFERED]]})
