"""Whom a text is for, and who may read the site at all."""

from cms.errors import InvalidInput
from cms.handlers.admin.base import AdminHandler
from cms.handlers.admin.editing import EditorHandler
from cms.handlers.forms import Form
from cms.models import Post
from cms.models.post import Visibility
from cms.models.site import Access
from cms.policy import Capability
from cms.schemas.visibility import AccessInput, VisibilityInput
from cms.services import posts, site, visibility
from cms.wording import phrases

VISIBILITIES = phrases(
    (
        (Visibility.PUBLIC, "Everybody", "It stands on the home page, in lists and feeds, and search engines find it."),
        (Visibility.UNLISTED, "Whoever has its address", "It stands nowhere else, and search engines are asked to leave it alone."),
        (Visibility.PASSWORD, "Whoever knows its password", "It stands nowhere else; at its address a password is asked for."),
    )
)
ACCESSES = phrases(
    (
        (Access.OPEN, "Everybody", "The site is open."),
        (
            Access.COMING_SOON,
            "Nobody yet: coming soon",
            "Visitors read that something is being made. With the password they can look around.",
        ),
        (Access.PRIVATE, "Whoever knows its password", "The whole site with its pictures and feeds asks for a password."),
    )
)


class VisibilityHandler(EditorHandler):
    requires = Capability.POST_PUBLISH

    async def get(self, number: str) -> None:
        post = await self._changeable(number)
        self._show(post, Form(VisibilityInput, {"visibility": post.visibility.value}))

    async def post(self, number: str) -> None:
        post, form = await self._changeable(number), self.form(VisibilityInput)
        try:
            wanted = form.value()
            stored = await self.parts.passwords.hash(wanted.password) if wanted.password and wanted.visibility == "password" else None
            async with self.transaction() as work:
                await visibility.choose(work, self.actor, post.id, Visibility(wanted.visibility), stored)
        except InvalidInput as error:
            form.refuse(error)
            self._show(post, form, status=422)
            return
        self.flash("Changed. It holds from now on.")
        self.redirect_to(f"admin.{self.kind}", post.id)

    async def _changeable(self, number: str) -> Post:
        """Asked first: a password takes a while to hash, and nobody else is to keep us busy with it."""
        async with self.read() as session:
            post = self.of_kind(await posts.get_visible(session, self.actor, self.number(number)))
        visibility.require_changeable(self.actor, post)
        return post

    def _show(self, post: Post, form: Form[VisibilityInput], *, status: int = 200) -> None:
        self.set_status(status)
        self.render("admin/posts/visibility.html", post=post, form=form, choices=VISIBILITIES)


class AccessHandler(AdminHandler):
    requires = Capability.SITE_CONFIGURE

    async def get(self) -> None:
        async with self.read() as session:
            row = await site.get(session)
        self._show(Form(AccessInput, {"access": row.access.value}), has_password=row.access_hash is not None)

    async def post(self) -> None:
        form = self.form(AccessInput)
        try:
            wanted = form.value()
            stored = await self.parts.passwords.hash(wanted.password) if wanted.password and wanted.access != "open" else None
            async with self.transaction() as work:
                await site.choose_access(work, self.actor, Access(wanted.access), stored)
        except InvalidInput as error:
            form.refuse(error)
            self._show(form, has_password=False, status=422)
            return
        self.flash("Changed. It holds from now on.")
        self.redirect_to("admin.site.access")

    def _show(self, form: Form[AccessInput], *, has_password: bool, status: int = 200) -> None:
        self.set_status(status)
        self.render(
            "admin/site/access.html", section="site", form=form, choices=ACCESSES, has_password=has_password, flash=self.take_flash()
        )
