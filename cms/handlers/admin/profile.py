"""What everybody keeps of his own account: the profile that readers see, notices, the e-mail address."""

from typing import Any

from cms.errors import InvalidInput
from cms.handlers.admin.base import AdminHandler
from cms.handlers.forms import Form
from cms.models import Asset
from cms.policy import Capability
from cms.schemas.account import MAX_LINKS, EmailInput, ProfileInput
from cms.services import new_addresses, portraits, profiles, throttling
from cms.services.notices import REFUSABLE
from cms.services.portraits import PORTRAIT
from cms.ui.languages import names
from cms.wording import phrases

FILE_AGAIN = "Choose the picture again; browsers do not send it twice."
LETTERS_GO = "Two letters are on their way: one to your present address and one to the new one. Follow the link in both."
LINKS_ARE_SHOWN = "Two links are shown where Squall runs, for your present address and the new one. Ask for them, and follow both."
NOTICES = phrases(
    {
        "new_device": "Somebody signed in with a browser that was not seen before",
        "role": "Your role was changed",
        "accepted": "Somebody accepted your invitation",
        "mention": "Somebody mentions you in a thread, or answers in one of yours",
        "miss": "What was scheduled could not be done on time",
        "submitted": "Somebody asks for a review that you can do",
        "approved": "Somebody approves a text of yours",
        "changes_asked": "Somebody asks for changes to a text of yours",
    }
)
ALWAYS = phrases(
    (
        "Your password was changed",
        "Your second factor was changed",
        "Your e-mail address was changed",
    )
)


class ProfileHandler(AdminHandler):
    requires = Capability.ACCOUNT_KEEP
    body_limit = 9 * 1024 * 1024  # a picture as a phone takes it

    async def get(self) -> None:
        async with self.read() as session:
            user = await profiles.get(session, self.actor)
        await self._show(Form(ProfileInput, {name: getattr(user, name) for name in ("name", "bio", "links", "locale")}))

    async def post(self) -> None:
        form = self.form(ProfileInput)
        try:
            wanted = form.value()
            if wanted.locale and wanted.locale not in dict(names()):
                raise InvalidInput({"locale": "Choose one of the list."})
            picture = await self._kept_picture()
            async with self.transaction() as work:
                await profiles.save(work, self.actor, wanted, picture)
        except InvalidInput as error:
            form.refuse(error)
            await self._show(form, status=422)
            return
        self.flash("Saved. Readers see it now.")
        self.redirect_to("account")

    async def _kept_picture(self) -> Asset | None:
        """Made anew from what was sent, if something was. Raises ``InvalidInput``."""
        content = next((file.body for file in self.request.files.get("picture", ())), b"")
        if not content:
            return None
        try:
            portrait = await self.parts.imaging.portrait(content)
        except InvalidInput as error:
            raise InvalidInput({"picture": error.message}) from None
        return (await self.parts.intake.take_bytes(self.actor, portrait, PORTRAIT, self.in_transaction)).asset

    async def _show(self, form: Form[ProfileInput], *, status: int = 200) -> None:
        async with self.read() as session:
            user = await profiles.get(session, self.actor)
            picture = await portraits.find(session, user.id)
        self.set_status(status)
        self.render(
            "admin/account/profile.html", section="account", part="profile", form=form, user=user, picture=picture, most_links=MAX_LINKS,
            names=names(),
            file_again=FILE_AGAIN if self.request.files and status != 200 else "",
            flash=self.take_flash() if status == 200 else None,
        )  # fmt: skip


class NoticesHandler(AdminHandler):
    requires = Capability.ACCOUNT_KEEP

    async def get(self) -> None:
        async with self.read() as session:
            user = await profiles.get(session, self.actor)
        self.render(
            "admin/account/notifications.html", section="account", part="notifications", user=user, notices=NOTICES, always=ALWAYS,
            can_mail=self.parts.mailer.can_reach_people, flash=self.take_flash(),
        )  # fmt: skip

    async def post(self) -> None:
        wanted = set(self.get_body_arguments("wanted"))
        async with self.transaction() as work:
            await profiles.refuse(work, self.actor, set(REFUSABLE) - wanted)
        self.flash("Saved.")
        self.redirect_to("account.notifications")


class OwnAddressHandler(AdminHandler):
    requires = Capability.ACCOUNT_KEEP
    is_dangerous = True

    async def get(self) -> None:
        await self._show(Form(EmailInput))

    async def post(self) -> None:
        form = self.form(EmailInput)
        try:
            wanted = form.value()
            await throttling.take(self.parts.database, new_addresses.BY_PERSON, str(self.actor.user_id))
            async with self.transaction() as work:
                await new_addresses.ask(work, self.parts.sealer, self.actor, wanted.email)
        except InvalidInput as error:
            form.refuse(error)
            await self._show(form, status=422)
            return
        self.flash(LETTERS_GO if self.parts.mailer.can_reach_people else LINKS_ARE_SHOWN)
        self.redirect_to("account")

    async def _show(self, form: Form[EmailInput], *, status: int = 200) -> None:
        async with self.read() as session:
            user = await profiles.get(session, self.actor)
        self.set_status(status)
        values: dict[str, Any] = {"form": form, "user": user, "can_mail": self.parts.mailer.can_reach_people}
        self.render("admin/account/email.html", section="account", part="profile", **values)
