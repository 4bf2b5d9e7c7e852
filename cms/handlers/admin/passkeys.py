"""The person's passkeys: adding, naming and removing them."""

from cms.errors import InvalidInput
from cms.handlers.admin.account import AccountHandler
from cms.handlers.forms import Form
from cms.models import Passkey
from cms.policy import Capability
from cms.schemas.account import NameInput, PasskeyInput
from cms.services import passkeys
from cms.services.user_agents import name_of

REFUSED = "The passkey was not accepted. Please try again."


class PasskeysHandler(AccountHandler):
    requires = Capability.ACCOUNT_KEEP
    is_dangerous = True
    is_open_before_factor = True

    async def get(self) -> None:
        self._show(Form(PasskeyInput, {"name": name_of(self.request.headers.get("User-Agent", ""))}))

    async def post(self) -> None:
        form = self.form(PasskeyInput)
        try:
            wanted = form.value()
            async with self.transaction() as work:
                codes = await passkeys.register(work, self.party, self.user, wanted.name, wanted.credential)
                token = await self.renewed(work) if codes is not None else ""
            if codes is None:  # only now, as the challenge stays used up
                raise InvalidInput({"": REFUSED})
        except InvalidInput as error:
            form.refuse(error)
            self.set_status(422)
            self._show(form)
            return
        self.keep_token(token)
        if codes:
            self.show_codes(codes)
            return
        self.flash("The passkey is added.")
        self.redirect_to("account.security")

    def _show(self, form: Form[PasskeyInput]) -> None:
        self.render("admin/account/passkeys.html", form=form)


class RegistrationChallengeHandler(AccountHandler):
    requires = Capability.ACCOUNT_KEEP
    is_dangerous = True
    is_open_before_factor = True

    async def post(self) -> None:
        async with self.transaction() as work:
            options = await passkeys.ask_to_register(work, self.party, self.user.id)
        self.finish(options)


class PasskeyHandler(AccountHandler):
    requires = Capability.ACCOUNT_KEEP
    is_dangerous = True

    async def get(self, passkey_id: str) -> None:
        passkey = await self._get(passkey_id)
        self._show(Form(NameInput, {"name": passkey.name}), passkey)

    async def post(self, passkey_id: str) -> None:
        form, passkey = self.form(NameInput), await self._get(passkey_id)
        try:
            name = form.value().name
        except InvalidInput as error:
            form.refuse(error)
            self.set_status(422)
            self._show(form, passkey)
            return
        async with self.transaction() as work:
            await passkeys.rename(work, self.user, passkey.id, name)
        self.flash("Renamed.")
        self.redirect_to("account.security")

    async def delete(self, passkey_id: str) -> None:
        async with self.transaction() as work:
            await passkeys.remove(work, self.user, self.number(passkey_id))
            token = await self.renewed(work)
        self.keep_token(token)
        self.flash("The passkey is removed. Your device may still offer it; forget it there, too.")
        self.redirect_to("account.security")

    async def _get(self, passkey_id: str) -> Passkey:
        async with self.read() as session:
            return await passkeys.get(session, self.user, self.number(passkey_id))

    def _show(self, form: Form[NameInput], passkey: Passkey) -> None:
        self.render("admin/account/passkey.html", form=form, passkey=passkey)
