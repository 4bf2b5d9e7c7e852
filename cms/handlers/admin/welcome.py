"""The first run: three questions to whoever has just become the owner, all of which may be left for later."""

from cms.errors import InvalidInput
from cms.handlers.admin.base import AdminHandler
from cms.handlers.forms import Form
from cms.models import Site
from cms.models.site import UNNAMED
from cms.policy import Capability
from cms.schemas.site import WelcomeInput, time_zones
from cms.services import site
from cms.wording import phrases

BEGINNINGS = phrases(
    (
        ("fresh", "With a new post", "The editor opens on an empty page."),
        ("import", "With what I have written elsewhere", "Texts, pictures and their old addresses come along."),
    )
)
AFTER = {"fresh": "admin.posts.new", "import": "admin.transfers"}


class WelcomeHandler(AdminHandler):
    requires = Capability.SITE_CONFIGURE

    async def get(self) -> None:
        row = await self._site()
        if row.is_set_up:
            self.redirect_to("admin")
            return
        self._show(Form(WelcomeInput, {"name": row.name if row.name != UNNAMED else "", "time_zone": row.time_zone, "begin": "fresh"}))

    async def post(self) -> None:
        if (await self._site()).is_set_up:
            self.flash(site.ANSWERED, is_refusal=True)
            self.redirect_to("admin")
            return
        form = self.form(WelcomeInput)
        try:
            wanted = None if self.get_body_argument("later", "") else form.value()
            async with self.transaction() as work:
                await site.set_up(work, self.actor, wanted)
        except InvalidInput as error:
            form.refuse(error)
            self._show(form, status=422)
            return
        self.redirect_to(AFTER[wanted.begin] if wanted else "admin")

    async def _site(self) -> Site:
        async with self.read() as session:
            return await site.get(session)

    def _show(self, form: Form[WelcomeInput], *, status: int = 200) -> None:
        self.set_status(status)
        zones = [(zone, zone) for zone in sorted(time_zones())]
        self.render("admin/welcome.html", form=form, zones=zones, beginnings=BEGINNINGS, flash=self.take_flash() if status == 200 else None)
