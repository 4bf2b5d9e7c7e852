"""The second step of signing in, and signing in with a passkey, which is both steps at once."""

from cms.errors import InvalidInput, TooManyRequests
from cms.handlers.admin.sessions import DoorHandler, Entry, SignInHandler
from cms.handlers.base import safe_path
from cms.handlers.forms import Form
from cms.models import User
from cms.models.user import Purpose
from cms.schemas.account import CodeInput
from cms.services import accounts, devices, passkeys, second_factor, signing_in, throttling, tokens

WRONG_CODE = "This code is not right, or was used already."
WRONG_KEY = "This passkey was not accepted. Please try again, or sign in with your password."
TOO_LATE = "That took too long. Please sign in again."


class PendingHandler(DoorHandler, is_base=True):
    """For whoever has shown the right password a moment ago."""

    async def find_person(self) -> User | None:
        async with self.read() as session:
            token = await tokens.find(session, Purpose.SECOND_FACTOR, self.pending, self.parts.database.clock())
            user = await accounts.find(session, token.user_id) if token and token.user_id else None
        return user if user and not user.is_disabled else None


class SecondFactorHandler(PendingHandler):
    requires = None  # the token in the cookie says that the password was right

    async def get(self) -> None:
        user = await self.find_person()
        if user is None:
            self._send_back()
            return
        await self._show(Form(CodeInput), user, self.get_query_argument("next", ""))

    async def post(self) -> None:
        user = await self.find_person()
        if user is None:
            self._send_back()
            return
        form, wanted = self.form(CodeInput), self.get_body_argument("next", "")
        try:
            entry = await self._enter(form, user)
        except TooManyRequests as error:
            form.refuse(self.too_many(error))
        except InvalidInput as error:
            self.set_status(422)
            form.refuse(error)
        else:
            self.let_in(entry, wanted)
            return
        await self._show(form, user, wanted)

    async def _enter(self, form: Form[CodeInput], user: User) -> Entry:
        """Raises ``InvalidInput`` and ``TooManyRequests``."""
        answer = str(form["credential"])
        code = "" if answer else form.value().code
        async with self.read() as session:
            who = signing_in.counted_as(str(user.id), is_known=await devices.knows(session, self.device, user.email))
        await signing_in.count_try(
            self.parts.database, signing_in.CODES, who, user.id, address=self.remote_address, request_id=self.request_id
        )
        entry = None
        async with self.transaction() as work:
            person = await accounts.hold(work, user.id)
            if answer:
                is_right = await passkeys.use(work, self.party, answer, user.id) is not None
            else:
                is_right = await second_factor.check(work, person, self.parts.sealer, code)
            if is_right and not person.is_disabled:
                await tokens.use(work, Purpose.SECOND_FACTOR, self.pending)
                entry = await self.start_session(work, person)
        if entry is None:
            raise InvalidInput({"": WRONG_KEY} if answer else {"code": WRONG_CODE})
        await throttling.give_back(self.parts.database, signing_in.CODES, who)
        return entry

    def _send_back(self) -> None:
        self.flash(TOO_LATE, is_refusal=True)
        self.redirect(self.login_url(self.get_argument("next", "")), status=303)

    async def _show(self, form: Form[CodeInput], user: User, wanted: str) -> None:
        async with self.read() as session:
            has_passkeys = bool(await passkeys.list_of(session, user.id))
        self.render("admin/sessions/second-factor.html", form=form, user=user, next=safe_path(wanted), has_passkeys=has_passkeys)

    def show_again(self, refused: InvalidInput) -> None:
        """When the form's key is lost: without asking the database, so with the field that everybody has."""
        form = self.form(CodeInput)
        form.refuse(refused)
        self.render("admin/sessions/second-factor.html", form=form, user=None, next=safe_path(form["next"]), has_passkeys=False)


class SecondFactorChallengeHandler(PendingHandler):
    requires = None  # likewise

    async def post(self) -> None:
        user = await self.find_person()
        if user is None:
            raise InvalidInput({"": TOO_LATE})
        async with self.transaction() as work:
            options = await passkeys.ask(work, self.party, user.id)
        self.finish(options)


class PasskeyDoorHandler(SignInHandler):
    requires = None  # the passkey is what is asked for

    async def post(self) -> None:
        await throttling.take(self.parts.database, signing_in.BY_ADDRESS, self.remote_address)
        async with self.transaction() as work:
            person = await passkeys.use(work, self.party, self.get_body_argument("credential", ""))
            entry = await self.start_session(work, person) if person else None
        wanted = self.get_body_argument("next", "")
        if entry is None:
            self.flash(WRONG_KEY, is_refusal=True)
            self.redirect(self.login_url(wanted), status=303)
            return
        self.let_in(entry, wanted)


class PasskeyDoorChallengeHandler(SignInHandler):
    requires = None  # a challenge is nobody's secret

    async def post(self) -> None:
        await throttling.take(self.parts.database, signing_in.CHALLENGES, self.remote_address)
        async with self.transaction() as work:
            options = await passkeys.ask(work, self.party)
        self.finish(options)
