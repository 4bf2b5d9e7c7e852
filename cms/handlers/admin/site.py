"""The settings of the site: one form."""

import asyncio
from typing import Any

from cms.content.context import CHECKS
from cms.errors import Conflict, InvalidInput, NotConfirmed, NotFound
from cms.handlers.admin.base import AdminHandler
from cms.handlers.forms import Form
from cms.mail import MailFailed
from cms.media import pictures
from cms.models import Site
from cms.policy import Capability
from cms.schemas.site import MAX_LINKS, SiteInput, time_zones
from cms.services import media, notices, profiles, site
from cms.services.media import Upload
from cms.ui.choices import languages

HOMES = (
    ("lead", "The newest post large, the others below it"),
    ("compact", "A compact list of titles"),
    ("page", "A page; the newest posts then begin at /page/1"),
)
FACTORS = (
    ("", "Whoever wants one"),
    ("administrator", "Owner and administrators"),
    ("editor", "Editors and above"),
    ("author", "Authors and above"),
    ("contributor", "Everybody with an account"),
)
FILE_AGAIN = "Choose the file of the logo again; browsers do not send it twice."


class SettingsHandler(AdminHandler):
    requires = Capability.SITE_CONFIGURE
    body_limit = 3 * 1024 * 1024  # a logo

    async def get(self) -> None:
        async with self.read() as session:
            row = await site.get(session)
        await self._show(_form_of(row), row)

    async def post(self) -> None:
        form = self.form(SiteInput)
        try:
            wanted = form.value()
            await self._be_sure(wanted)
            logo = await self._kept_logo()
            async with self.transaction() as work:
                await site.save(work, self.actor, wanted, logo)
        except (InvalidInput, Conflict) as error:
            await self._refuse(form, error)
            return
        self.flash("Saved. Readers see it now.", (self.reverse_url("home"), "View the site"))
        self.redirect_to("admin.site")

    async def _be_sure(self, wanted: SiteInput) -> None:
        """Raises ``NotConfirmed`` if who needs a second factor is to be changed, and the person has not proved to be who he is."""
        async with self.read() as session:
            needed = (await site.get(session)).second_factor_from
        if wanted.second_factor_from != needed and not self.is_confirmed:
            raise NotConfirmed

    async def _kept_logo(self) -> Upload | None:
        """The file that was sent, if one was, in the storage. Raises ``InvalidInput``."""
        content = next((file.body for file in self.request.files.get("logo", ())), b"")
        if not content:
            return None
        try:
            picture = await asyncio.to_thread(pictures.measure, content)
        except ValueError as error:
            raise InvalidInput({"logo": str(error)}) from None
        digest = media.digest_of(content)
        await self.parts.storage.put(media.storage_name(digest), content)
        return Upload(f"logo.{picture.extension}", digest, len(content), picture.dimensions)

    async def _refuse(self, form: Form[SiteInput], error: InvalidInput | Conflict) -> None:
        async with self.read() as session:
            row = await site.get(session)
        if isinstance(error, InvalidInput):
            form.refuse(error)
            await self._show(form, row, status=422)
            return
        theirs = _form_of(row)
        form.values["version"] = row.version  # whoever sends it again has seen what the other changed
        await self._show(form, row, status=409, theirs=_differing(theirs, form))

    async def _show(
        self,
        form: Form[SiteInput],
        row: Site,
        *,
        status: int = 200,
        theirs: list[tuple[str, str]] | None = None,
        mail_problem: MailFailed | None = None,
    ) -> None:
        async with self.read() as session:
            pages = await site.list_pages(session)
        self.set_status(status)
        self.render(
            "admin/site/settings.html", section="site", form=form, row=row, pages=[("", "None"), *pages], homes=HOMES, theirs=theirs,
            factors=FACTORS, languages=languages(str(form["language"])), zones=[(zone, zone) for zone in sorted(time_zones())],
            most_links=MAX_LINKS, checks=CHECKS,
            file_again=FILE_AGAIN if self.request.files and status != 200 else "", flash=self.take_flash() if status == 200 else None,
            can_mail=self.parts.mailer.can_reach_people, mail_from=self.parts.settings.mail_from, mail_problem=mail_problem,
        )  # fmt: skip


class MailTestHandler(SettingsHandler):
    """A letter to whoever asks for it, sent while he waits: what the server says is shown to him alone."""

    requires = Capability.SITE_CONFIGURE

    async def get(self) -> None:
        self.redirect_to("admin.site")

    async def post(self) -> None:
        if not self.parts.mailer.can_reach_people:
            raise NotFound
        async with self.read() as session:
            user, row = await profiles.get(session, self.actor), await site.get(session)
        try:
            await self.parts.mailer.send(notices.test_letter(user, self.public_url, row.name), row.name)
        except MailFailed as error:
            await self._show(_form_of(row), row, mail_problem=error)
            return
        self.flash("The test was sent. Look for it in your mail.")
        self.redirect_to("admin.site")


def _form_of(row: Site) -> Form[SiteInput]:
    values = {name: getattr(row, name) for name in SiteInput.model_fields if name != "remove_logo"}
    return Form(SiteInput, {**values, "compulsory_checks": ",".join(row.compulsory_checks)})


def _differing(theirs: Form[SiteInput], mine: Form[SiteInput]) -> list[tuple[str, str]]:
    """Each field that is not as it was typed, with what somebody else put there."""
    names = [name for name in SiteInput.model_fields if name not in ("version", "remove_logo")]
    return [(theirs.label(name), _written(theirs[name])) for name in names if _written(theirs[name]) != _written(mine[name])]


def _written(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(f"{row.get('label', '')} ({row.get('path', '')})" for row in value)
    return str(value).replace("\r\n", "\n")
