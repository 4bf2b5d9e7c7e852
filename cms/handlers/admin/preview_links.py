"""Links with which somebody outside looks at a text: making, listing and revoking them."""

from cms.errors import InvalidInput
from cms.handlers.admin.editing import EditorHandler
from cms.handlers.forms import Form
from cms.policy import Capability
from cms.schemas.links import PreviewLinkInput
from cms.services import posts, preview_links


class LinksHandler(EditorHandler):
    requires = Capability.POST_EDIT

    async def get(self, number: str) -> None:
        await self._show(self.number(number), Form(PreviewLinkInput, {"lifetime": "24h"}))

    async def post(self, number: str) -> None:
        form, post_id = self.form(PreviewLinkInput), self.number(number)
        try:
            wanted = form.value()
            async with self.transaction() as work:
                self.of_kind(await posts.get_visible(work.session, self.actor, post_id))
                link = await preview_links.make(work, self.parts.sealer, self.actor, post_id, wanted)
        except InvalidInput as error:
            form.refuse(error)
            await self._show(post_id, form, status=422)
            return
        self.flash("The link is made. Whoever has it sees the text, without an account.")
        self.redirect(f"{self.reverse_url(f'admin.{self.kind}.links', post_id)}#link-{link.id}", status=303)

    async def _show(self, post_id: int, form: Form[PreviewLinkInput], *, status: int = 200) -> None:
        async with self.read() as session:
            post = self.of_kind(await posts.get_visible(session, self.actor, post_id))
            links = await preview_links.list_of(session, self.parts.sealer, self.actor, post_id)
            revisions = await preview_links.revisions(session, self.actor, post_id)
        now = self.parts.database.clock()
        open_links = [each for each in links if each.row.is_open_at(now)]
        self.set_status(status)
        self.render(
            "admin/posts/links.html",
            post=post,
            form=form,
            open_links=open_links,
            ended=[each for each in links if each not in open_links],
            revisions=revisions,
            flash=self.take_flash(),
        )


class LinkHandler(EditorHandler):
    requires = Capability.POST_EDIT

    async def delete(self, number: str, link: str) -> None:
        post_id = self.number(number)
        async with self.transaction() as work:
            self.of_kind(await posts.get_visible(work.session, self.actor, post_id))
            await preview_links.revoke(work, self.actor, post_id, self.number(link))
        self.flash("The link is revoked; it shows nothing any more.")
        self.redirect_to(f"admin.{self.kind}.links", post_id)
