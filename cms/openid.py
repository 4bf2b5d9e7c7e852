"""Signing in at an OpenID provider: where to send somebody, and who comes back.

OpenID Connect Core and Discovery 1.0; the code flow with PKCE (RFC 7636), and the issuer in the answer (RFC 9207).
"""

import base64
import hashlib
import json
import time
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

from pydantic import BaseModel, ValidationError
from tornado.httputil import url_concat

from cms.errors import CMSError, OperatorError
from cms.outgoing import Outgoing, OutgoingFailed, Reply
from cms.settings import Settings
from cms.telemetry import log
from cms.wording import say

KNOWN_FOR = 3600.0  # seconds after which the provider is asked again where its doors are
SCOPE = "openid"  # who it is, and nothing else about the person


class Away(CMSError):
    """The provider cannot be asked."""


class Refused(CMSError):
    """The provider let nobody in, or what came from there was not what it has to be."""


class Provider(BaseModel):
    """What it publishes about itself."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False


class Keys(BaseModel):
    keys: list[dict[str, Any]]


class Tokens(BaseModel):
    id_token: str


Told = TypeVar("Told", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Secrets:
    """What ties the answer to the browser that asked, both made of one random text that only this browser has."""

    verifier: str
    nonce: str

    @classmethod
    def of(cls, secret: str) -> "Secrets":
        return cls(*(_digest(f"{use}:{secret}") for use in ("verifier", "nonce")))

    @property
    def challenge(self) -> str:
        return _digest(self.verifier)


class OpenID:
    """One provider, as the settings name it. ``callback``: the address that it sends people back to."""

    def __init__(self, settings: Settings) -> None:
        try:
            from cms import id_tokens
        except ImportError:
            raise OperatorError(
                "SQUALL_OIDC_ISSUER is set, and what it needs is not installed: run `pip install 'squall[oidc]'`, or leave it out."
            ) from None
        self._id_tokens = id_tokens
        self.issuer = settings.oidc_issuer
        self.name = settings.oidc_name
        self.callback = f"{settings.public_url}/login/openid/callback"
        self._client_id = settings.oidc_client_id
        self._client_secret = settings.oidc_client_secret.get_secret_value()
        self._outgoing = Outgoing({urlsplit(self.issuer).hostname or ""})
        self._known: Provider | None = None
        self._known_at = 0.0
        self._keys: Keys | None = None

    @property
    def origins(self) -> tuple[str, ...]:
        """Where a form may lead that sends people there: some providers have their door at another host."""
        doors = [self.issuer, *([self._known.authorization_endpoint] if self._known else [])]
        return tuple(dict.fromkeys("{0.scheme}://{0.netloc}".format(urlsplit(door)) for door in doors))

    async def get_to_know(self) -> None:
        """Before somebody needs it; that the provider is away says nothing yet."""
        try:
            await self._provider()
        except (Away, Refused) as error:
            log.warning("the OpenID provider cannot be used now", reason=error.message)

    async def door(self, state: str, secrets: Secrets) -> str:
        """Where to send the browser. Raises ``Away`` or ``Refused``."""
        provider = await self._provider()
        return url_concat(
            provider.authorization_endpoint,
            {
                "response_type": "code",
                "client_id": self._client_id,
                "redirect_uri": self.callback,
                "scope": SCOPE,
                "state": state,
                "nonce": secrets.nonce,
                "code_challenge": secrets.challenge,
                "code_challenge_method": "S256",
            },
        )

    async def subject(self, code: str, issuer: str, secrets: Secrets) -> str:
        """Who has come back, as the provider calls him. ``issuer``: as the answer names it, "" if not. Raises ``Away`` or ``Refused``."""
        provider = await self._provider()
        if issuer != self.issuer and (issuer or provider.authorization_response_iss_parameter_supported):
            raise Refused(self._strange("iss"))
        token = (await self._redeem(provider, code, secrets)).id_token
        check = {"issuer": self.issuer, "client_id": self._client_id, "nonce": secrets.nonce}
        try:
            try:
                return self._id_tokens.subject(token, (await self._provider_keys(provider)).model_dump(), **check)
            except self._id_tokens.UnknownKey:  # providers change them
                return self._id_tokens.subject(token, (await self._provider_keys(provider, anew=True)).model_dump(), **check)
        except (self._id_tokens.UnknownKey, self._id_tokens.Forged) as error:
            raise Refused(self._strange(str(error) or "unknown key")) from error

    def close(self) -> None:
        self._outgoing.close()

    # --- asking ---

    async def _provider(self) -> Provider:
        if self._known is None or time.monotonic() - self._known_at > KNOWN_FOR:
            url = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
            provider = self._read(Provider, await self._ask(self._outgoing.get(url)))
            doors = (provider.authorization_endpoint, provider.token_endpoint, provider.jwks_uri)
            if provider.issuer != self.issuer or not all(map(self._outgoing.is_usable, doors)):
                raise Refused(self._strange("discovery"))
            self._known, self._known_at, self._keys = provider, time.monotonic(), None
        return self._known

    async def _provider_keys(self, provider: Provider, *, anew: bool = False) -> Keys:
        if self._keys is None or anew:
            self._keys = self._read(Keys, await self._ask(self._outgoing.get(provider.jwks_uri)))
        return self._keys

    async def _redeem(self, provider: Provider, code: str, secrets: Secrets) -> Tokens:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.callback,
            "client_id": self._client_id,
            "code_verifier": secrets.verifier,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        if self._client_secret and "client_secret_basic" in provider.token_endpoint_auth_methods_supported:
            pair = f"{quote(self._client_id, safe='')}:{quote(self._client_secret, safe='')}"  # encoded first (RFC 6749, 2.3.1)
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        elif self._client_secret:
            form["client_secret"] = self._client_secret
        return self._read(Tokens, await self._ask(self._outgoing.post(provider.token_endpoint, form, headers)))

    async def _ask(self, question: Any) -> Reply:
        try:
            reply: Reply = await question
        except OutgoingFailed as error:
            log.warning("the OpenID provider was asked in vain", reason=error.message)
            raise Away(
                say("{name} does not answer at the moment. Please try again later, or sign in another way.", name=self.name)
            ) from error
        if reply.status >= 500:
            raise Away(say("{name} does not answer at the moment. Please try again later, or sign in another way.", name=self.name))
        return reply

    def _read(self, schema: type[Told], reply: Reply) -> Told:
        if reply.status != 200:
            raise Refused(self._strange(f"status {reply.status}"))
        try:
            return schema.model_validate(json.loads(reply.body))
        except (ValidationError, ValueError):
            raise Refused(self._strange(schema.__name__)) from None

    def _strange(self, what: str) -> str:
        """What was wrong is for the operator; the person cannot mend it."""
        log.warning("an answer of the OpenID provider was refused", reason=what)
        return say("{name} gave an answer that cannot be trusted, so you were not signed in. Please try again.", name=self.name)


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
