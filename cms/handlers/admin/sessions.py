"""Signing in and out."""

from cms.db.session import Work
from cms.errors import InvalidInput
from cms.handlers.admin.base import LOST_KEY, AdminHandler, safe_path
from cms.handlers.base import KNOWN_COOKIE_DAYS, known_cookie_name
from cms.handlers.forms import Form
from cms.models import User
from cms.schemas.account import LoginInput
from cms.services import accounts, sessions
from cms.ui.admin import Flash

NEEDS_COOKIES = "Please try once more; if this comes again, let your browser keep cookies of this site."
WRONG = "This e-mail and password do not go together."  # the same for unknown, disabled and wrong


class SignInHandler(AdminHandler, is_base=True):
    """What signing in and setting up share: the new session and its cookie."""

    async def admit(self, work: Work, user: User) -> str:
        """What the first factor, a password or what stands for it, is good for."""
        return await self.start_session(work, user)

    def let_in(self, token: str, wanted: str) -> None:
        self.keep_session(token)
        self.redirect(self.destination(wanted), status=303)

    def destination(self, wanted: str) -> str:
        path = safe_path(wanted)
        return path if path and not path.startswith(("/login", "/logout")) else self.reverse_url("admin")

    async def start_session(self, work: Work, user: User) -> str:
        """A new token for each sign-in; the session that this browser had before ends, so that nobody can plant one."""
        if before := self.session_token():
            await sessions.end(work, user.actor, before)
        return await sessions.start(work, user, self.request.headers.get("User-Agent", ""))

    def session_token(self) -> str:
        return (self.signed_cookie(self.session_cookie, days=sessions.LIFETIME.days) or b"").decode()

    def keep_session(self, token: str) -> None:
        self.set_signed_cookie(self.session_cookie, token, expires_days=sessions.LIFETIME.days, **self._cookie_flags)
        known = known_cookie_name(self.parts.settings)
        self.set_signed_cookie(known, "yes", expires_days=KNOWN_COOKIE_DAYS, **self._cookie_flags)


class DoorHandler(SignInHandler, is_base=True):
    """A form for those who are not signed in yet. When its key is lost it is shown again, as there is little in it to send again: the
    password was left out."""

    def write_error_page(self, status: int, message: str) -> None:
        if not (self.has_lost_its_key and self.is_open):
            super().write_error_page(status, message)
            return
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.show_again(InvalidInput({"": self.locale.translate(f"{LOST_KEY} {NEEDS_COOKIES}")}))

    @property
    def is_open(self) -> bool:
        """Whether this person may see the form at all."""
        return True

    def show_again(self, refused: InvalidInput) -> None:
        raise NotImplementedError


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
        token = await self._sign_in(form)
        if token is None:
            form.refuse(InvalidInput({"": WRONG}))
            self.set_status(422)
            self._show(form, wanted)
            return
        self.let_in(token, wanted)

    def show_again(self, refused: InvalidInput) -> None:
        form = self.form(LoginInput)
        form.refuse(refused)
        self._show(form, form["next"])

    def _show(self, form: Form[LoginInput], wanted: str, flash: Flash | None = None) -> None:
        self.render("admin/sessions/login.html", form=form, next=safe_path(wanted), flash=flash)

    async def _sign_in(self, form: Form[LoginInput]) -> str | None:
        """A session's token, if the password is right and the person may. Hashing is slow and stays outside the transaction."""
        try:
            wanted = form.value()
        except InvalidInput:
            return None
        async with self.read() as session:
            user = await accounts.find_by_email(session, wanted.email)
        stored = user.password_hash if user else None
        is_right = await self.parts.passwords.verify(stored, wanted.password)
        if user is None or stored is None or not is_right or user.is_disabled:
            return None
        renewed = await self.parts.passwords.hash(wanted.password) if self.parts.passwords.needs_rehash(stored) else None
        async with self.transaction() as work:
            present = await accounts.still_may_enter(work, user.id, stored)
            if present is None:
                return None
            if renewed:
                await accounts.renew_hash(work, user.id, stored, renewed)
            return await self.admit(work, present)

    async def _know_owner(self) -> None:
        """Before there is an owner, the page says how one is made; somebody may have become it in another process."""
        if not self.parts.has_owner:
            async with self.read() as session:
                self.parts.has_owner = await accounts.has_owner(session)


class LogoutHandler(SignInHandler):
    requires = None  # whoever has a session may end it

    async def post(self) -> None:
        if token := self.session_token():
            async with self.transaction() as work:
                await sessions.end(work, self.actor, token)
        self.clear_cookie(self.session_cookie, **self._cookie_flags)
        self.flash("You are signed out.")
        self.redirect_to("login")
