""" "Confirm it is you": asked for before what could do harm, unless the person has proved it a few minutes ago."""

from cms.errors import InvalidInput, TooManyRequests
from cms.handlers.admin.account import AccountHandler
from cms.handlers.base import safe_path
from cms.handlers.forms import Form
from cms.policy import Capability
from cms.schemas.account import ConfirmationInput
from cms.services import passkeys, second_factor, sessions, signing_in, throttling

WRONG = "This is not right. Please try again."
NEEDED = "Confirm it in one of these ways."


class ConfirmationHandler(AccountHandler):
    requires = Capability.ACCOUNT_KEEP
    is_open_before_factor = True

    async def get(self) -> None:
        await self._show(Form(ConfirmationInput), self.get_query_argument("next", ""))

    async def post(self) -> None:
        form, wanted = self.form(ConfirmationInput), self.get_body_argument("next", "")
        try:
            is_right = await self._is_right(form)
        except TooManyRequests as error:
            form.refuse(self.too_many(error))
            await self._show(form, wanted)
            return
        if not is_right:
            self.set_status(422)
            form.refuse(InvalidInput({"": WRONG}))
            await self._show(form, wanted)
            return
        async with self.transaction() as work:
            token = await sessions.confirm(work, self.actor, self.found.session.id)
        self.keep_token(token)
        if not safe_path(wanted):
            self.flash("Confirmed, for ten minutes. If you came from another tab, go back to it. Send from there now what was not done.")
        self.redirect(safe_path(wanted) or self.reverse_url("account.security"), status=303)

    async def _is_right(self, form: Form[ConfirmationInput]) -> bool:
        """Raises ``TooManyRequests``."""
        try:
            wanted = form.value()
        except InvalidInput:
            return False
        database, user = self.parts.database, self.user
        told = {"address": self.remote_address, "request_id": self.request_id}
        if wanted.password:
            return await signing_in.is_password(database, self.parts.passwords, user, wanted.password, **told)
        who = signing_in.counted_as(str(user.id), is_known=True)  # or there were no session here
        await signing_in.count_try(database, signing_in.CODES, who, user.id, **told)
        async with self.transaction() as work:
            if answer := str(form["credential"]):
                is_right = await passkeys.use(work, self.party, answer, user.id) is not None
            else:
                is_right = await second_factor.check(work, user, self.parts.sealer, wanted.code)
        if is_right:
            await throttling.give_back(database, signing_in.CODES, who)
        return is_right

    async def _show(self, form: Form[ConfirmationInput], wanted: str) -> None:
        async with self.read() as session:
            has_passkeys = bool(await passkeys.list_of(session, self.user.id))
        self.render("admin/account/confirmation.html", form=form, user=self.user, next=safe_path(wanted), has_passkeys=has_passkeys)


class ConfirmationChallengeHandler(AccountHandler):
    requires = Capability.ACCOUNT_KEEP
    is_open_before_factor = True

    async def post(self) -> None:
        async with self.transaction() as work:
            options = await passkeys.ask(work, self.party, self.user.id)
        self.finish(options)
