"""The one guarded client: whoever calls another host calls it through this.

An address somebody else told us must not lead into our own network. What a name resolves to is looked at, and just that is connected to, so
that a name cannot say one thing when it is looked at and another when it is used. Nothing is followed, and nothing may be long or late.
"""

import ipaddress
import socket
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.httputil import HTTPInputError
from tornado.netutil import DefaultLoopResolver
from tornado.simple_httpclient import SimpleAsyncHTTPClient

from cms.errors import CMSError
from cms.settings import is_loopback
from cms.wording import say

LARGEST = 1024 * 1024  # bytes of an answer
CONNECTS_WITHIN = 5.0  # seconds
ANSWERS_WITHIN = 10.0

# Addresses of the new kind that stand for one of the old kind, whatever that is (RFC 6052, 3056, 4380).
_TRANSLATED = tuple(map(ipaddress.IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")))


class OutgoingFailed(CMSError):
    """There is no answer that could be used. ``message`` names the host and nothing behind it, as that may be secret."""


class _Refused(OSError):
    pass


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: bytes


class Outgoing:
    """``own``: hosts that the operator named himself; only these may be in our own network, or on this machine."""

    def __init__(self, own: Collection[str] = ()) -> None:
        self._own = frozenset(own)
        self._client = SimpleAsyncHTTPClient(
            force_instance=True, resolver=_Guarded(own=self._own), max_body_size=LARGEST, max_buffer_size=LARGEST, max_header_size=16 * 1024
        )

    async def get(self, url: str) -> Reply:
        return await self._fetch(url)

    async def post(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Reply:
        return await self._fetch(url, method="POST", body=urlencode(form), headers=dict(headers))

    def is_usable(self, url: str) -> bool:
        """HTTPS; or HTTP to this very machine, if the operator said so."""
        parts = urlsplit(url)
        is_ours = parts.hostname in self._own and is_loopback(parts.hostname or "")
        return bool(parts.hostname) and not parts.username and (parts.scheme == "https" or (parts.scheme == "http" and is_ours))

    async def _fetch(self, url: str, **options: Any) -> Reply:
        """Any status is an answer. Raises ``OutgoingFailed``."""
        host = urlsplit(url).hostname or ""
        if not self.is_usable(url):
            raise OutgoingFailed(say("An address at “{host}” cannot be used: it does not begin with https://.", host=host))
        limits: dict[str, Any] = {"connect_timeout": CONNECTS_WITHIN, "request_timeout": ANSWERS_WITHIN, "follow_redirects": False}
        try:
            answer = await self._client.fetch(HTTPRequest(url, **limits, **options, decompress_response=False), raise_error=False)
        except _Refused:
            raise OutgoingFailed(say("The host {host} is in this network, where others may not send us.", host=host)) from None
        except (HTTPClientError, HTTPInputError, OSError, ValueError) as error:
            raise OutgoingFailed(say("The host {host} does not answer ({reason}).", host=host, reason=type(error).__name__)) from None
        return Reply(answer.code, answer.body or b"")

    def close(self) -> None:
        self._client.close()


class _Guarded(DefaultLoopResolver):
    def initialize(self, own: frozenset[str]) -> None:
        self._own = own

    async def resolve(self, host: str, port: int, family: socket.AddressFamily = socket.AF_UNSPEC) -> list[tuple[int, Any]]:
        found = await super().resolve(host, port, family)
        allowed = found if host in self._own else [(kind, address) for kind, address in found if is_public(address[0])]
        if not allowed:
            raise _Refused
        return allowed


def is_public(address: str) -> bool:
    """Whether it is somewhere on the internet, and not in our own network or on this machine."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if ip.version == 6:
        if any(ip in network for network in _TRANSLATED):
            return False
        ip = ip.ipv4_mapped or ip
    return ip.is_global and not ip.is_multicast
