"""What one-time links lead to: a new password, an invitation, another e-mail address."""

from typing import ClassVar

from cms.errors import InvalidInput, TooManyRequests
from cms.handlers.admin.sessions import DoorHandler
from cms.handlers.forms import Form
from cms.models import User
from cms.schemas.account import MIN_PASSWORD, EmailInput, PasswordInput, WelcomeInput
from cms.services import invitations, new_addresses, resets, site, throttling
from cms.services.invitations import Invitation
from cms.services.new_addresses import Wish

ENDED = "This link was used already, or has ended. Ask for a new one."


class LinkHandler(DoorHandler, is_base=True):
    """The address is the right: it is in no log, and told to no other site that the page leads to."""

    path_is_secret = True
    asked_anew_at: ClassVar[str] = ""  # the route where there is another link, but for those that somebody else gives

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.set_header("Referrer-Policy", "no-referrer")

    def write_error_page(self, status: int, message: str) -> None:
        if status != 404:
            super().write_error_page(status, message)
            return
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.render("admin/links/ended.html", sentence=ENDED)


class InvitationHandler(LinkHandler):
    requires = None  # the link's right is what is asked for
    leads_to_provider = True
    sets_password = True

    async def get(self, carrier: str) -> None:
        invitation = await self._invitation(carrier)
        self._show(Form(WelcomeInput, {"name": invitation.name}), invitation)

    async def post(self, carrier: str) -> None:
        form, invitation = self.form(WelcomeInput), await self._invitation(carrier)
        try:
            about = (str(form["name"]), invitation.name, invitation.email, self.parts.last_frame.name)
            wanted, hashed = await self.chosen(form, *about)
            async with self.transaction() as work:
                user = await invitations.accept(work, carrier, wanted.name, hashed)
                entry = await self.admit(work, user)
        except InvalidInput as error:
            form.refuse(error)
            self._show(form, invitation, status=422)
            return
        self.flash("Welcome. Your account is made.")
        self.let_in(entry, "")

    def show_again(self, refused: InvalidInput) -> None:
        form = self.form(WelcomeInput)
        form.refuse(refused)
        self._show(form, None, status=403)

    async def _invitation(self, carrier: str) -> Invitation:
        async with self.read() as session:
            self.parts.use_frame(await site.get_frame(session))
            return await invitations.get(session, carrier, self.parts.database.clock())

    def _show(self, form: Form[WelcomeInput], invitation: Invitation | None, *, status: int = 200) -> None:
        self.set_status(status)
        flash = self.take_flash() if status == 200 else None
        self.render("admin/links/invitation.html", form=form, invitation=invitation, least=MIN_PASSWORD, flash=flash)


class ForgottenHandler(DoorHandler):
    """The answer is the same for every address, and takes the same time: whose it is, the worker finds out."""

    requires = None  # whoever forgot the password is not signed in

    def get(self) -> None:
        self._show(Form(EmailInput))

    async def post(self) -> None:
        form = self.form(EmailInput)
        try:
            email = form.value().email
            await throttling.take(self.parts.database, resets.BY_ADDRESS, self.remote_address)
            await throttling.take(self.parts.database, resets.BY_ACCOUNT, email)
        except InvalidInput as error:
            form.refuse(error)
            self._show(form, status=422)
            return
        except TooManyRequests as error:
            form.refuse(InvalidInput({"": error.message}))
            self.set_header("Retry-After", str(error.retry_after))
            self._show(form, status=429)
            return
        async with self.transaction() as work:
            await resets.ask(work, self.parts.sealer, email)
        self.render("admin/links/asked.html", can_mail=self.parts.mailer.can_reach_people)

    def show_again(self, refused: InvalidInput) -> None:
        form = self.form(EmailInput)
        form.refuse(refused)
        self._show(form, status=403)

    def _show(self, form: Form[EmailInput], *, status: int = 200) -> None:
        self.set_status(status)
        self.render("admin/links/forgotten.html", form=form)


class NewPasswordHandler(LinkHandler):
    """Signs nobody in: who has a second factor is asked for it at the door."""

    asked_anew_at = "password"
    requires = None  # the link's right is what is asked for
    sets_password = True

    async def get(self, carrier: str) -> None:
        await self._person(carrier)
        self._show(Form(PasswordInput))

    async def post(self, carrier: str) -> None:
        form, user = self.form(PasswordInput), await self._person(carrier)
        try:
            _, hashed = await self.chosen(form, user.name, user.email, self.parts.last_frame.name)
            async with self.transaction() as work:
                await resets.set_password(work, carrier, hashed)
        except InvalidInput as error:
            form.refuse(error)
            self._show(form, status=422)
            return
        self.clear_cookie(self.session_cookie, **self.cookie_flags)
        self.flash("Your new password is set. Sign in with it.")
        self.redirect_to("login")

    def show_again(self, refused: InvalidInput) -> None:
        form = self.form(PasswordInput)
        form.refuse(refused)
        self._show(form, status=403)

    async def _person(self, carrier: str) -> User:
        async with self.read() as session:
            self.parts.use_frame(await site.get_frame(session))
            return await resets.get(session, carrier, self.parts.database.clock())

    def _show(self, form: Form[PasswordInput], *, status: int = 200) -> None:
        self.set_status(status)
        self.render("admin/links/password.html", form=form, least=MIN_PASSWORD)


class NewAddressHandler(LinkHandler):
    """Followed by looking at it, a link would be used up by programs that look at mail; so it has a button."""

    requires = None  # the link's right is what is asked for

    async def get(self, carrier: str) -> None:
        async with self.read() as session:
            self.parts.use_frame(await site.get_frame(session))
            wish = await new_addresses.get(session, carrier, self.parts.database.clock())
        self._show(wish)

    async def post(self, carrier: str) -> None:
        try:
            async with self.transaction() as work:
                is_changed = await new_addresses.confirm(work, self.parts.sealer, carrier)
        except InvalidInput as error:
            self._show(problem=error.message, status=422)
            return
        self.render("admin/links/address-confirmed.html", is_changed=is_changed)

    def show_again(self, refused: InvalidInput) -> None:
        self._show(problem=refused.message, status=403)

    def _show(self, wish: Wish | None = None, problem: str = "", *, status: int = 200) -> None:
        self.set_status(status)
        self.render("admin/links/address.html", wish=wish, problem=problem, is_taken=status == 422)
