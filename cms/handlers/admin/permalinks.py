"""The addresses of posts: their pattern, what another would change, and how far that has come."""

from cms.errors import InvalidInput
from cms.handlers.admin.base import AdminHandler
from cms.handlers.forms import Form
from cms.policy import Capability
from cms.schemas.site import OWN_PATTERN, PermalinkInput
from cms.services import permalinks
from cms.services.permalinks import Preview
from cms.wording import phrases

OFFERED = phrases(
    (
        ("/{slug}", "Title alone"),
        ("/{year}/{month}/{slug}", "Year, month and title"),
        ("/{year}/{month}/{day}/{slug}", "Date and title"),
        ("/{category}/{slug}", "Category and title"),
    )
)


class PermalinksHandler(AdminHandler):
    requires = Capability.SITE_CONFIGURE

    async def get(self) -> None:
        pattern = self.parts.last_frame.permalink
        is_offered = pattern in dict(OFFERED)
        await self._show(Form(PermalinkInput, {"choice": pattern if is_offered else OWN_PATTERN, "own": pattern}))

    async def post(self) -> None:
        form = self.form(PermalinkInput)
        try:
            pattern = form.value().pattern
            if self.get_body_argument("look", ""):
                async with self.read() as session:
                    await self._show(form, await permalinks.preview(session, self.actor, pattern))
                return
            async with self.transaction() as work:
                await permalinks.change(work, self.actor, pattern)
        except InvalidInput as error:
            form.refuse(error)
            await self._show(form, status=422)
            return
        self.flash("Changed. The new addresses are being written; all old ones lead to them.")
        self.redirect_to("admin.site.permalinks")

    async def _show(self, form: Form[PermalinkInput], preview: Preview | None = None, *, status: int = 200) -> None:
        async with self.read() as session:
            under_way = await permalinks.under_way(session)
        self.set_status(status)
        self.render(
            "admin/site/permalinks.html", section="site", form=form, preview=preview, under_way=under_way, offered=OFFERED, own=OWN_PATTERN,
            flash=self.take_flash() if status == 200 and preview is None else None,
        )  # fmt: skip
