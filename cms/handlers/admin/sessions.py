"""Signing in with a password, and out."""

import asyncio
from dataclasses import dataclass
from urllib.parse import urlencode

from cms.db.session import Work
from cms.errors import InvalidInput, TooManyRequests
from cms.handlers.admin.base import LOST_KEY, AdminHandler
from cms.handlers.base import KNOWN_COOKIE_DAYS, known_cookie_name, safe_path
from cms.handlers.forms import Form, Schema
from cms.models import User
from cms.models.user import Purpose
from cms.schemas.account import LoginInput
from cms.services import accounts, devices, notices, second_factor, sessions, signing_in, tokens, user_agents
from cms.services.passkeys import Party
from cms.ui.admin import Flash
from cms.wording import sentences

NEEDS_COOKIES = "Please try once more; if this comes again, let your browser keep cookies of this site."
WRONG = "This e-mail and password do not go together."  # the same for unknown, disabled and wrong
PENDING_DAYS = tokens.LIFETIME[Purpose.SECOND_FACTOR].total_seconds() / 86_400
CARRIER_LENGTH = 43  # characters of a device's mark; cookies of former versions only said that there was one


@dataclass(frozen=True, slots=True)
class Entry:
    """What the browser is to keep of a sign-in: its session, or the right to show a second factor."""

    token: str = ""
    device: str = ""
    pending: str = ""


class SignInHandler(AdminHandler, is_base=True):
    """What all ways to sign in share: the new session and its cookie."""

    async def admit(self, work: Work, user: User) -> Entry:
        """What the first factor, a password or what stands for it, is good for: a session, or being asked for the second."""
        if await second_factor.is_asked_of(work.session, user):
            return Entry(pending=await tokens.issue(work, Purpose.SECOND_FACTOR, user.id))
        return await self.start_session(work, user)

    async def start_session(self, work: Work, user: User) -> Entry:
        """A new token for each sign-in; the session that this browser had before ends, so that nobody can plant one."""
        if before := self.session_token():
            await sessions.end(work, user.actor, before)
        device, browser = await devices.recognise(work, user, self.device), self.request.headers.get("User-Agent", "")
        token = await sessions.start(work, user, browser)
        if device.is_new:
            await notices.new_device(work, user.id, user_agents.name_of(browser))
        return Entry(token, device.carrier)

    def let_in(self, entry: Entry, wanted: str) -> None:
        """To where the person wanted to go, or to the page that asks for the second factor."""
        if entry.pending:
            self.set_signed_cookie(self.pending_cookie, entry.pending, expires_days=PENDING_DAYS, **self.cookie_flags)
            path = safe_path(wanted)
            self.redirect(self.reverse_url("login.factor") + (f"?{urlencode({'next': path})}" if path else ""), status=303)
            return
        self.keep_session(entry)
        self.redirect(self.destination(wanted), status=303)

    def destination(self, wanted: str) -> str:
        path = safe_path(wanted)
        return path if path and not path.startswith(("/login", "/logout")) else self.reverse_url("admin")

    # --- cookies ---

    def session_token(self) -> str:
        return self._carried(self.session_cookie, sessions.LIFETIME.days)

    def keep_session(self, entry: Entry) -> None:
        self.keep_token(entry.token)
        known = known_cookie_name(self.parts.settings)
        self.set_signed_cookie(known, entry.device, expires_days=KNOWN_COOKIE_DAYS, **self.cookie_flags)
        if self.pending:
            self.clear_cookie(self.pending_cookie, **self.cookie_flags)

    def keep_token(self, token: str) -> None:
        self.set_signed_cookie(self.session_cookie, token, expires_days=sessions.LIFETIME.days, **self.cookie_flags)

    @property
    def device(self) -> str:
        """The mark of this browser, if somebody signed in with it before."""
        carrier = self._carried(known_cookie_name(self.parts.settings), KNOWN_COOKIE_DAYS)
        return carrier if len(carrier) == CARRIER_LENGTH else ""

    @property
    def pending_cookie(self) -> str:
        return "__Host-second-factor" if self.parts.settings.is_https else "second-factor"

    @property
    def pending(self) -> str:
        return self._carried(self.pending_cookie, PENDING_DAYS)

    def _carried(self, cookie: str, days: float) -> str:
        return (self.signed_cookie(cookie, days=days) or b"").decode()

    @property
    def party(self) -> Party:
        return Party(self.parts.last_frame.name, self.public_url)

    # --- answers ---

    async def chosen(self, form: Form[Schema], *about: str) -> tuple[Schema, str]:
        """What a form says, and the hash of the new password in it. ``about``: as for ``Passwords.choose``.

        Raises ``InvalidInput``; with the advice for the password beside what else is wrong, as it has to be typed again anyhow.
        """
        try:
            wanted = form.value()
        except InvalidInput as error:
            advice = "" if "password" in error.errors else await self.parts.passwords.advise(str(form["password"]), *about)
            raise InvalidInput({**error.errors, **({"password": advice} if advice else {})}) from None
        return wanted, await self.parts.passwords.choose(str(form["password"]), *about)

    def too_many(self, error: TooManyRequests) -> InvalidInput:
        """For a form that is shown again, as 429."""
        self.set_status(429)
        self.set_header("Retry-After", str(error.retry_after))
        words = self.locale.translate(
            "Too many tries. Please wait %d second.", "Too many tries. Please wait %d seconds.", error.retry_after
        )
        return InvalidInput({"": words % error.retry_after})


class DoorHandler(SignInHandler, is_base=True):
    """A form for those who are not signed in yet. When its key is lost it is shown again, as there is little in it to send again: the
    password was left out."""

    def write_error_page(self, status: int, message: str) -> None:
        if not (self.has_lost_its_key and self.is_open):
            super().write_error_page(status, message)
            return
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.show_again(InvalidInput({"": sentences(LOST_KEY, NEEDS_COOKIES)}))

    @property
    def is_open(self) -> bool:
        """Whether this person may see the form at all."""
        return True

    def show_again(self, refused: InvalidInput) -> None:
        """Where a button is all that there is, a page says it."""
        super().write_error_page(self.get_status(), "")


class LoginHandler(DoorHandler):
    requires = None  # here people sign in
    leads_to_provider = True

    async def get(self) -> None:
        wanted = self.get_query_argument("next", "")
        if self.actor.is_signed_in:
            self.redirect(self.destination(wanted), status=303)
            return
        await self._know_owner()
        self._show(Form(LoginInput), wanted, flash=self.take_flash())

    async def post(self) -> None:
        form, wanted = self.form(LoginInput), self.get_body_argument("next", "")
        began = self.request.request_time()
        try:
            entry = await self._sign_in(form)
        except TooManyRequests as error:
            self._refuse(form, self.too_many(error))
            return
        if entry is None:
            await asyncio.sleep(signing_in.FLOOR - (self.request.request_time() - began))
            self.set_status(422)
            self._refuse(form, InvalidInput({"": WRONG}))
            return
        self.let_in(entry, wanted)

    def show_again(self, refused: InvalidInput) -> None:
        self._refuse(self.form(LoginInput), refused)

    def _refuse(self, form: Form[LoginInput], refused: InvalidInput) -> None:
        form.refuse(refused)
        self._show(form, form["next"])

    def _show(self, form: Form[LoginInput], wanted: str, flash: Flash | None = None) -> None:
        self.render("admin/sessions/login.html", form=form, next=safe_path(wanted), flash=flash)

    async def _sign_in(self, form: Form[LoginInput]) -> Entry | None:
        """What comes of the password, if it is right and the person may."""
        try:
            wanted = form.value()
        except InvalidInput:
            return None
        async with self.parts.passwords.turn():
            proof = await signing_in.prove(
                self.parts.database, self.parts.passwords, wanted,
                device=self.device, address=self.remote_address, request_id=self.request_id,
            )  # fmt: skip
            if proof is None:
                return None
            async with self.transaction() as work:
                person = await signing_in.person_of(work, proof)
                return await self.admit(work, person) if person else None

    async def _know_owner(self) -> None:
        """Before there is an owner, the page says how one is made; somebody may have become it in another process."""
        if not self.parts.has_owner:
            async with self.read() as session:
                self.parts.has_owner = await accounts.has_owner(session)


class LogoutHandler(SignInHandler):
    requires = None  # whoever has a session may end it
    is_open_before_factor = True

    async def post(self) -> None:
        if token := self.session_token():
            async with self.transaction() as work:
                await sessions.end(work, self.standing.user.actor if self.standing else self.actor, token)
        self.clear_cookie(self.session_cookie, **self.cookie_flags)
        self.flash("You are signed out.")
        self.redirect_to("login")
