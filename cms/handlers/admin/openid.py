"""Signing in at an OpenID provider, and linking an account there with one's own."""

import json
import secrets
from dataclasses import asdict, dataclass
from hmac import compare_digest

from cms.errors import Conflict, Forbidden, InvalidInput, NotFound
from cms.handlers.admin.base import AdminHandler
from cms.handlers.admin.links import ENDED
from cms.handlers.admin.sessions import SignInHandler
from cms.handlers.base import safe_path
from cms.models.user import Purpose
from cms.openid import Away, OpenID, Refused, Secrets
from cms.policy import Capability
from cms.schemas.account import NameInput
from cms.services import identities, invitations, throttling, tokens
from cms.services.throttling import Limit

BY_ADDRESS = Limit("ways to the provider", 30, 60)
COOKIE_DAYS = tokens.LIFETIME[Purpose.OIDC].total_seconds() / 86_400

NOT_OURS = "This way in was not opened in this browser, or has ended. Please try again."
UNKNOWN = "Nobody here is linked with this account. Sign in another way and link it under “Your account”, or ask for an invitation."
NAMELESS = "Say first by what name readers shall know you."
SOMEBODY_ELSE = "Meanwhile somebody else is signed in here, so nothing was linked."


@dataclass(frozen=True, slots=True)
class Journey:
    """What the browser keeps while it is away: ``state`` comes back with the answer, ``secret`` does not leave it."""

    state: str
    secret: str
    next: str = ""
    invitation: str = ""
    name: str = ""  # that whoever was invited has chosen


class ProviderHandler(SignInHandler, is_base=True):
    """What the way there and the way back share. There is nothing here while no provider is set."""

    leads_to_provider = True

    @property
    def openid(self) -> OpenID:
        if self.parts.openid is None:
            raise NotFound
        return self.parts.openid

    @property
    def journey_cookie(self) -> str:
        return "__Host-openid" if self.parts.settings.is_https else "openid"

    async def depart(self, *, user_id: int | None = None, **kept: str) -> None:
        """Send the browser to the provider. ``user_id``: who wants to link what comes back. ``kept``: the rest of the journey."""
        openid = self.openid
        await throttling.take(self.parts.database, BY_ADDRESS, self.remote_address)
        async with self.transaction() as work:
            state = await tokens.issue(work, Purpose.OIDC, user_id)
        journey = Journey(state, secrets.token_urlsafe(32), **kept)
        door = await openid.door(state, Secrets.of(journey.secret))
        self.set_signed_cookie(self.journey_cookie, json.dumps(asdict(journey)), expires_days=COOKIE_DAYS, **self.cookie_flags)
        self.redirect(door, status=303)

    def take_journey(self) -> Journey:
        """Once. Raises ``Refused`` for an answer that this browser did not ask for: somebody may want it signed in as another."""
        kept = self.signed_cookie(self.journey_cookie, days=COOKIE_DAYS)
        self.clear_cookie(self.journey_cookie, **self.cookie_flags)
        journey = Journey(**json.loads(kept)) if kept else None
        if journey is None or not compare_digest(journey.state.encode(), self.get_query_argument("state", "").encode()):
            raise Refused(NOT_OURS)
        return journey


class DepartureHandler(ProviderHandler):
    requires = None  # here people sign in

    async def post(self) -> None:
        try:
            await self.depart(next=safe_path(self.get_body_argument("next", "")))
        except (Away, Refused) as error:
            self.flash(error.message, is_refusal=True)
            self.redirect_to("login")


class AcceptanceHandler(ProviderHandler):
    """An invitation that is accepted without a password: the account there stands for it."""

    path_is_secret = True
    requires = None  # the link's right is what is asked for

    async def post(self, carrier: str) -> None:
        try:
            name = self.form(NameInput).value().name
            async with self.read() as session:
                await invitations.get(session, carrier, self.parts.database.clock())
            await self.depart(invitation=carrier, name=name)
        except InvalidInput:
            self._back(carrier, NAMELESS)
        except (Away, Refused) as error:
            self._back(carrier, error.message)

    def _back(self, carrier: str, words: str) -> None:
        self.flash(words, is_refusal=True)
        self.redirect_to("invitation", carrier)


class ReturnHandler(ProviderHandler):
    requires = None  # what the browser kept, and what the provider says, is asked for

    async def get(self) -> None:
        back = "account.identities" if self.actor.is_signed_in else "login"
        try:
            await self._arrive()
        except (Away, Refused, Conflict, Forbidden, InvalidInput) as error:
            self.flash(error.message, is_refusal=True)
            self.redirect_to(back)

    async def _arrive(self) -> None:
        openid, journey = self.openid, self.take_journey()
        try:
            async with self.transaction() as work:
                wanted_by = (await tokens.use(work, Purpose.OIDC, journey.state)).user_id
        except NotFound:
            raise Refused(NOT_OURS) from None
        if self.get_query_argument("error", ""):
            raise Refused(self.locale.translate("%s let nobody in.") % openid.name)
        code, issuer = (self.get_query_argument(name, "") for name in ("code", "iss"))
        subject = await openid.subject(code, issuer, Secrets.of(journey.secret))
        if wanted_by is not None:
            await self._link(subject, wanted_by)
        elif journey.invitation:
            await self._accept(subject, journey)
        else:
            await self._sign_in(subject, journey.next)

    async def _sign_in(self, subject: str, wanted: str) -> None:
        """What the provider says stands for the password, so what comes after that comes here, too."""
        async with self.transaction() as work:
            person = await identities.person_of(work, self.openid.issuer, subject)
            if person is None:
                raise Refused(UNKNOWN)
            entry = await self.admit(work, person)
        self.let_in(entry, wanted)

    async def _accept(self, subject: str, journey: Journey) -> None:
        """The new person and the link at one moment: whoever has no password has this from the beginning."""
        try:
            async with self.transaction() as work:
                person = await invitations.accept(work, journey.invitation, journey.name, None)
                await identities.link(work, person, self.openid.issuer, subject)
                entry = await self.admit(work, person)
        except NotFound:
            raise Refused(ENDED) from None
        self.flash("Welcome. Your account is made.")
        self.let_in(entry, "")

    async def _link(self, subject: str, wanted_by: int) -> None:
        if self.actor.user_id != wanted_by:
            raise Refused(SOMEBODY_ELSE)
        async with self.transaction() as work:
            await identities.link_own(work, self.actor, self.openid.issuer, subject)
        self.flash("Linked. You can sign in with it from now on.")
        self.redirect_to("account.identities")


class IdentitiesHandler(ProviderHandler):
    """Accounts elsewhere that may sign in as this person: seen, and one more linked."""

    requires = Capability.ACCOUNT_KEEP
    is_dangerous = True

    async def get(self) -> None:
        async with self.read() as session:
            linked = await identities.list_of(session, self.actor)
        self.render("admin/account/identities.html", linked=linked, provider=self.openid, flash=self.take_flash())

    async def post(self) -> None:
        try:
            await self.depart(user_id=self.actor.user_id)
        except (Away, Refused) as error:
            self.flash(error.message, is_refusal=True)
            self.redirect_to("account.identities")


class IdentityHandler(AdminHandler):
    requires = Capability.ACCOUNT_KEEP
    is_dangerous = True

    async def delete(self, identity_id: str) -> None:
        try:
            async with self.transaction() as work:
                await identities.unlink(work, self.actor, self.number(identity_id))
        except Forbidden as error:
            self.flash(error.message, is_refusal=True)
        else:
            self.flash("No longer linked.")
        self.redirect_to("account.identities")
