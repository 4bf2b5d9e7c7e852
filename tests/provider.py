"""An OpenID provider on loopback, which can be told to do wrong.

async with running_provider() as provider:
    provider.claims = {"aud": "somebody else"}
"""

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import unquote, urlencode

from joserfc import jwt
from joserfc.jwk import RSAKey
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, HTTPError, RequestHandler, url

CLIENT_ID = "squall"
CLIENT_SECRET = "a secret with: signs"
KEYS = [RSAKey.generate_key(2048, {"kid": kid, "use": "sig", "alg": "RS256"}) for kid in ("first", "second")]


class Provider:
    """``subject``: who is signed in there. ``metadata``, ``claims`` and ``header`` replace what would be said."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.subject = "ana-1"
        self.key, self.published = KEYS[0], [KEYS[0]]
        self.metadata: dict[str, Any] = {}
        self.claims: dict[str, Any] = {}
        self.algorithm = "RS256"
        self.error = ""
        self.answers_as = issuer
        self.codes: dict[str, dict[str, str]] = {}
        self.redeemed: list[str] = []  # how each code was asked for
        self.asked: list[str] = []

    def id_token(self, nonce: str) -> str:
        now = int(time.time())
        said = {"iss": self.issuer, "sub": self.subject, "aud": CLIENT_ID, "exp": now + 300, "iat": now, "nonce": nonce, **self.claims}
        said = {name: value for name, value in said.items() if value is not None}
        if self.algorithm == "RS256":
            return jwt.encode({"alg": "RS256", "kid": self.key.kid}, said, self.key)
        head = _part({"alg": self.algorithm, "kid": self.key.kid, "typ": "JWT"})
        message = f"{head}.{_part(said)}"
        if self.algorithm == "none":
            return f"{message}."
        known_to_all = self.key.as_pem(private=False)  # which a careless client takes for the secret of an HMAC
        return f"{message}.{_text(hmac.digest(known_to_all, message.encode(), hashlib.sha256))}"


@asynccontextmanager
async def running_provider() -> AsyncIterator[Provider]:
    socket, port = bind_unused_port()
    provider = Provider(f"http://127.0.0.1:{port}")
    given = {"provider": provider}
    server = HTTPServer(
        Application(
            [
                url(r"/\.well-known/openid-configuration", Discovery, given),
                url(r"/authorize", Authorize, given),
                url(r"/token", Token, given),
                url(r"/jwks", Keys, given),
            ],
            log_function=lambda handler: None,
        )
    )
    server.add_socket(socket)
    try:
        yield provider
    finally:
        server.stop()
        await server.close_all_connections()


class Handler(RequestHandler):
    def initialize(self, provider: Provider) -> None:
        self.provider = provider

    def prepare(self) -> None:
        self.provider.asked.append(self.request.path)


class Discovery(Handler):
    def get(self) -> None:
        at = self.provider.issuer
        doors = {"authorization_endpoint": f"{at}/authorize", "token_endpoint": f"{at}/token", "jwks_uri": f"{at}/jwks"}
        self.finish({"issuer": at, **doors, **self.provider.metadata})


class Authorize(Handler):
    def get(self) -> None:
        wanted = {name: self.get_query_argument(name) for name in self.request.query_arguments}
        assert wanted["response_type"] == "code"
        assert (wanted["client_id"], wanted["code_challenge_method"], wanted["scope"]) == (CLIENT_ID, "S256", "openid")
        said = {"state": wanted["state"], "iss": self.provider.answers_as}
        if self.provider.error:
            said["error"] = self.provider.error
        else:
            said["code"] = secrets.token_urlsafe(8)
            self.provider.codes[said["code"]] = wanted
        self.redirect(f"{wanted['redirect_uri']}?{urlencode(said)}")


class Token(Handler):
    def check_xsrf_cookie(self) -> None:
        pass

    def post(self) -> None:
        wanted = self.provider.codes.pop(self.get_body_argument("code"), None)
        challenge = _text(hashlib.sha256(self.get_body_argument("code_verifier").encode()).digest())
        if wanted is None or wanted["code_challenge"] != challenge or wanted["redirect_uri"] != self.get_body_argument("redirect_uri"):
            raise HTTPError(400)
        self.provider.redeemed.append(self._proof())
        self.finish({"access_token": "x", "token_type": "Bearer", "id_token": self.provider.id_token(wanted["nonce"])})

    def _proof(self) -> str:
        scheme, _, given = self.request.headers.get("Authorization", "").partition(" ")
        if scheme != "Basic":
            return "post" if self.get_body_argument("client_secret", "") == CLIENT_SECRET else "none"
        name, _, secret = base64.b64decode(given).decode().partition(":")
        assert (unquote(name), unquote(secret)) == (CLIENT_ID, CLIENT_SECRET)
        return "basic"


class Keys(Handler):
    def get(self) -> None:
        self.finish({"keys": [key.as_dict(private=False) for key in self.provider.published]})


def _part(value: dict[str, Any]) -> str:
    return _text(json.dumps(value).encode())


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")
