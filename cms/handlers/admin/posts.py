"""The lists of posts and pages, and the editor."""

from urllib.parse import urlencode

from cms.errors import Conflict, InvalidInput, NotFound
from cms.handlers.admin.base import AdminHandler
from cms.handlers.admin.editing import EditorHandler, begun_with, form_of
from cms.handlers.forms import Form
from cms.models.post import Post
from cms.policy import Capability
from cms.schemas.desk import ListQuery
from cms.schemas.post import PostInput
from cms.services import posts, publishing


class DeskHandler(AdminHandler):
    requires = Capability.POST_EDIT

    def get(self) -> None:
        self.redirect_to("admin.posts")


class ListHandler(EditorHandler):
    requires = Capability.POST_EDIT

    async def get(self) -> None:
        asked = Form.of_request(ListQuery, self.request.query_arguments)
        try:
            query = asked.value()
        except InvalidInput:
            raise NotFound from None
        async with self.read() as session:
            found = await posts.list_for_desk(session, self.actor, self.kind, status=query.status, title=query.q, page=query.page)
        if query.page > found.pages:
            raise NotFound
        self.render("admin/posts/list.html", found=found, query=query, address=self._address, flash=self.take_flash())

    def _address(self, status: str = "all", q: str = "", page: int = 1) -> str:
        """Of the list with these choices; what is not chosen is not in it."""
        chosen = {"status": status if status != "all" else "", "q": q, "page": page if page > 1 else ""}
        query = urlencode({name: value for name, value in chosen.items() if value})
        return self.reverse_url(f"admin.{self.kind}s") + (f"?{query}" if query else "")

    async def post(self) -> None:
        form = self.form(PostInput)
        try:
            wanted = form.value()
            begins = self.fields_of(await self.start())
            post = await self.in_transaction(lambda work: posts.create(work, self.actor, self.kind, wanted, fields=begins))
        except InvalidInput as error:
            form.refuse(error)
            await self.show_editor(form, None, status=422)
            return
        go_on(self, post)


class NewHandler(EditorHandler):
    requires = Capability.POST_CREATE

    async def get(self) -> None:
        start = await self.start()
        begun = begun_with(start) if start else {}
        await self.show_editor(Form(PostInput, {"version": 0, "authors": str(self.actor.user_id), **begun}), None, start=start)


class EditHandler(EditorHandler):
    requires = Capability.POST_EDIT

    async def get(self, number: str) -> None:
        draft = await self.load(self.number(number))
        await self.show_editor(form_of(draft), draft)

    async def post(self, number: str) -> None:
        form, post_id = self.form(PostInput), self.number(number)
        try:
            post = await self.in_transaction(lambda work: self.save_typed(work, post_id, form))
        except (InvalidInput, Conflict) as error:
            await self.refuse(form, post_id, error)
            return
        go_on(self, post)

    async def delete(self, number: str) -> None:
        """Into the trash, with what was typed."""
        form, post_id = self.form(PostInput), self.number(number)
        try:
            async with self.transaction() as work:
                await self.save_typed(work, post_id, form)
                await publishing.trash(work, self.actor, post_id)
        except (InvalidInput, Conflict) as error:
            await self.refuse(form, post_id, error)
            return
        self.flash("Moved to the trash.", (self.reverse_url(f"admin.{self.kind}", post_id), "Open it"))
        self.redirect_to(f"admin.{self.kind}s")


def go_on(handler: EditorHandler, post: Post) -> None:
    """After saving: back to the editor, or on to the page from which it is published."""
    if handler.get_body_argument("then", "") == "publish":
        handler.redirect_to(f"admin.{post.kind}.publication", post.id)
        return
    handler.flash("Saved.")
    handler.redirect_to(f"admin.{post.kind}", post.id)
