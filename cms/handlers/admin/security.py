"""How the person signs in: password, authenticator app, recovery codes; and the browsers that are signed in."""

from cms.errors import InvalidInput, OperatorError
from cms.handlers.admin.account import AccountHandler
from cms.handlers.forms import Form
from cms.policy import Capability
from cms.schemas.account import MIN_PASSWORD, AuthenticatorInput, PasswordInput
from cms.services import accounts, passkeys, second_factor, sessions
from cms.services.user_agents import is_handheld, name_of


class SecurityHandler(AccountHandler):
    requires = Capability.ACCOUNT_KEEP

    async def get(self) -> None:
        user, now, this_id = self.user, self.parts.database.clock(), self.found.session.id
        async with self.read() as session:
            keys = await passkeys.list_of(session, user.id)
            codes = await second_factor.count_codes(session, user.id)
            signed_in = sorted(await sessions.list_of(session, user.id, now), key=lambda each: each.id != this_id)  # this one first
        self.render(
            "admin/account/security.html", user=user, keys=keys, codes=codes, most_codes=second_factor.CODES,
            signed_in=signed_in, this_id=this_id, name_of=name_of, is_handheld=is_handheld, flash=self.take_flash(),
        )  # fmt: skip


class FactorHandler(AccountHandler):
    """Where those are led whose role needs a second factor, and who have none yet."""

    requires = Capability.ACCOUNT_KEEP
    is_open_before_factor = True

    async def get(self) -> None:
        if self.found.lacks_factor:
            self.render("admin/account/factor.html")
        else:
            self.redirect_to("account.security")


class PasswordHandler(AccountHandler):
    requires = Capability.ACCOUNT_KEEP
    is_dangerous = True
    sets_password = True

    async def get(self) -> None:
        self._show(Form(PasswordInput))

    async def post(self) -> None:
        form = self.form(PasswordInput)
        try:
            _, hashed = await self.chosen(form, self.user.name, self.user.email, self.parts.last_frame.name)
        except InvalidInput as error:
            form.refuse(error)
            self.set_status(422)
            self._show(form)
            return
        async with self.transaction() as work:
            token = await accounts.change_password(work, self.actor, self.found.session.id, hashed)
        self.keep_token(token)
        self.flash("Your password is changed. You are signed out everywhere else.")
        self.redirect_to("account.security")

    def _show(self, form: Form[PasswordInput]) -> None:
        self.render("admin/account/password.html", form=form, user=self.user, least=MIN_PASSWORD)


class AuthenticatorHandler(AccountHandler):
    requires = Capability.ACCOUNT_KEEP
    is_dangerous = True
    is_open_before_factor = True

    async def get(self) -> None:
        self._show(Form(AuthenticatorInput), second_factor.propose())

    async def post(self) -> None:
        form = self.form(AuthenticatorInput)
        secret = self._opened(str(form["secret"]))
        try:
            step = second_factor.step_of(secret, form.value().code, self.parts.database.clock())
            if step is None:
                raise InvalidInput({"code": "This is not the code that your app shows now. Is the clock of your device right?"})
            async with self.transaction() as work:
                codes = await second_factor.turn_on(work, self.user, self.parts.sealer.seal(secret), step)
                token = await self.renewed(work)
        except InvalidInput as error:
            form.refuse(error)
            self.set_status(422)
            self._show(form, secret)
            return
        self.keep_token(token)
        if codes:
            self.show_codes(codes)
            return
        self.flash("Your authenticator app is asked for from now on.")
        self.redirect_to("account.security")

    async def delete(self) -> None:
        async with self.transaction() as work:
            await second_factor.turn_off(work, self.user)
            token = await self.renewed(work)
        self.keep_token(token)
        self.flash("The authenticator app is off.")
        self.redirect_to("account.security")

    def _show(self, form: Form[AuthenticatorInput], secret: str) -> None:
        """The secret travels with the form, sealed for this person: nothing is kept before it is known that the app has it."""
        import segno

        address = second_factor.address(secret, self.user, self.parts.last_frame.name)
        form.values["secret"] = self.parts.sealer.seal(f"{self.user.id}:{secret}")
        self.render(
            "admin/account/authenticator.html", form=form, user=self.user, address=address,
            picture=segno.make(address, micro=False).svg_data_uri(scale=4, light="#fff", border=3),
            secret=" ".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
        )  # fmt: skip

    def _opened(self, sealed: str) -> str:
        """The secret that was proposed to this person; a new one if it is not."""
        try:
            owner, _, secret = self.parts.sealer.open(sealed).partition(":")
        except OperatorError:
            return second_factor.propose()
        return secret if owner == str(self.user.id) else second_factor.propose()


class CodesHandler(AccountHandler):
    requires = Capability.ACCOUNT_KEEP
    is_dangerous = True

    async def get(self) -> None:
        self.show_codes(())

    async def post(self) -> None:
        async with self.transaction() as work:
            codes = await second_factor.make_codes(work, self.user)
        self.show_codes(codes)


class SessionsHandler(AccountHandler):
    requires = Capability.ACCOUNT_KEEP

    async def delete(self) -> None:
        async with self.transaction() as work:
            number = await sessions.revoke_others(work, self.actor, self.found.session.id)
        self.flash("All others are signed out." if number else "There was no other.")
        self.redirect_to("account.security")


class SessionHandler(AccountHandler):
    requires = Capability.ACCOUNT_KEEP

    async def delete(self, session_id: str) -> None:
        async with self.transaction() as work:
            await sessions.revoke(work, self.actor, self.number(session_id))
        self.flash("That browser is signed out.")
        self.redirect_to("account.security")
