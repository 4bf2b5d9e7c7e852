"""Publishing a post or page, taking it back, and taking it out of the trash."""

from cms.errors import Conflict, InvalidInput
from cms.handlers.admin.editing import EditorHandler
from cms.policy import Capability
from cms.schemas.post import PostInput, PublicationInput
from cms.services import desk, posts, publishing
from cms.services.posts import Draft
from cms.services.publishing import Version
from cms.ui.acts import ASPECTS

MEANWHILE = "Somebody saved a newer version meanwhile. This is what would go out now; nothing has been published yet."


class PublicationHandler(EditorHandler):
    requires = Capability.POST_PUBLISH

    async def get(self, number: str) -> None:
        await self._show(await self.load(self.number(number)))

    async def post(self, number: str) -> None:
        post_id = self.number(number)
        draft = await self.load(post_id)
        try:
            wanted = self.form(PublicationInput).value()
            if wanted.version != draft.version:
                raise Conflict
            rendered = await self.rendered(post_id, draft.content, draft.fields.language)
            version = Version(wanted.version, rendered)
            published = await self.in_transaction(
                lambda work: publishing.publish(work, self.actor, post_id, version, without_review=wanted.without_review)
            )
        except InvalidInput as error:
            await self._show(draft, status=422, error=error)
            return
        except Conflict as error:
            if draft.post.is_trashed:
                raise
            await self._show(await self.load(post_id), status=409, notice=MEANWHILE if error.message == Conflict.message else error.message)
            return
        self.flash("Readers can see it now.", (f"/{published.path}", "View it"))
        self.redirect_to(f"admin.{self.kind}", post_id)

    async def delete(self, number: str) -> None:
        """Withdraw it; what was typed is kept."""
        form, post_id = self.form(PostInput), self.number(number)
        try:
            async with self.transaction() as work:
                await self.save_typed(work, post_id, form)
                await publishing.withdraw(work, self.actor, post_id)
        except (InvalidInput, Conflict) as error:
            await self.refuse(form, post_id, error)
            return
        self.flash("Withdrawn. Its address now says that it is gone; publish it again and it is back.")
        self.redirect_to(f"admin.{self.kind}", post_id)

    async def _show(self, draft: Draft, *, status: int = 200, error: InvalidInput | None = None, notice: str = "") -> None:
        """What will happen. If it cannot go out, why, instead of a button."""
        plan = None
        try:
            rendered = await self.rendered(draft.post.id, draft.content, draft.fields.language)
            async with self.read() as session:
                plan = await desk.plan(session, self.actor, draft.post.id, rendered, self.parts.database.clock())
        except InvalidInput as refused:
            error = error or refused
        draft = plan.draft if plan else draft
        problems = dict(error.errors) if error else {}
        if not draft.post.title:
            problems.setdefault("title", "Readers need a title.")
        self.set_status(status)
        aspects = list(dict.fromkeys(ASPECTS[aspect] for aspect in plan.aspects if aspect in ASPECTS)) if plan else []
        self.render(
            "admin/posts/publication.html", draft=draft, post=draft.post, plan=plan, aspects=aspects, problems=problems, notice=notice
        )


class RestorationHandler(EditorHandler):
    requires = Capability.POST_TRASH

    async def post(self, number: str) -> None:
        async with self.transaction() as work:
            post = self.of_kind(await posts.restore(work, self.actor, self.number(number)))
        self.flash("Taken out of the trash. Readers do not see it until you publish it.")
        self.redirect_to(f"admin.{post.kind}", post.id)
