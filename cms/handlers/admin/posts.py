"""The lists of posts and pages, and the editor."""

from cms.db.session import Work
from cms.errors import Conflict, InvalidInput
from cms.handlers.admin.editing import EditorHandler, begun_with, form_of
from cms.handlers.admin.listing import COLUMNS, COLUMNS_KEPT, ListingHandler
from cms.handlers.admin.undoing import UndoableHandler
from cms.handlers.forms import Form
from cms.models.post import Post
from cms.policy import Capability
from cms.schemas.post import PostInput
from cms.services import desk, posts, publishing
from cms.wording import sentences


class ListHandler(ListingHandler):
    requires = Capability.POST_EDIT

    async def get(self) -> None:
        form, query = self.asked(self.request.query_arguments)
        if query.columns:
            self.set_cookie(COLUMNS, ".".join(query.columns), path="/admin", max_age=COLUMNS_KEPT, samesite="Lax")
        await self.show_list(form, query)

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
        await go_on(self, post)


class NewHandler(EditorHandler):
    requires = Capability.POST_CREATE

    async def get(self) -> None:
        start = await self.start()
        begun = begun_with(start) if start else {}
        await self.show_editor(Form(PostInput, {"version": 0, "authors": str(self.actor.user_id), **begun}), None, start=start)


class EditHandler(UndoableHandler, EditorHandler):
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
        await go_on(self, post)

    async def delete(self, number: str) -> None:
        """Into the trash, with what was typed."""
        form, post_id = self.form(PostInput), self.number(number)

        async def act(work: Work) -> None:
            await self.save_typed(work, post_id, form)
            await publishing.trash(work, self.actor, post_id)

        try:
            _, undo = await self.undoably(post_id, act)
        except (InvalidInput, Conflict) as error:
            await self.refuse(form, post_id, error)
            return
        self.flash("Moved to the trash.", (self.reverse_url(f"admin.{self.kind}", post_id), "Open it"), undo=undo)
        self.redirect_to(f"admin.{self.kind}s")


async def go_on(handler: EditorHandler, post: Post) -> None:
    """After saving: back to the editor, or on to the page from which it is published or submitted; both say if its address is taken."""
    place = {"publish": "publication", "review": "review"}.get(handler.get_body_argument("then", ""))
    if place:
        handler.redirect_to(f"admin.{post.kind}.{place}", post.id)
        return
    draft = await handler.load(post.id)
    async with handler.read() as session:
        taken = await desk.taken_address(session, draft, handler.parts.database.clock())
    handler.flash(sentences("Saved.", taken) if taken else "Saved.", is_refusal=bool(taken))
    handler.redirect_to(f"admin.{post.kind}", post.id)
