"""The one guarded client: whoever calls another host calls it through this.

An address somebody else told us must not lead into our own network. What a name resolves to is looked at, and just that is connected to, so
that a name cannot say one thing when it is looked at and another when it is used. Nothing may be long or late. Only a visitor is led on;
each address that he is led to is looked at like the first.
"""

import asyncio
import ipaddress
import re
import socket
from collections.abc import Collection, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urljoin, urlsplit, urlunsplit

from tornado.httpclient import HTTPClientError, HTTPRequest, HTTPResponse
from tornado.httputil import HTTPHeaders, HTTPInputError
from tornado.iostream import UnsatisfiableReadError
from tornado.netutil import DefaultLoopResolver
from tornado.simple_httpclient import SimpleAsyncHTTPClient

from cms.errors import CMSError
from cms.settings import is_loopback
from cms.wording import say

LARGEST = 1024 * 1024  # bytes of an answer
CONNECTS_WITHIN = 5.0  # seconds
ANSWERS_WITHIN = 10.0

LARGEST_PAGE = 2_000_000
LARGEST_PICTURE = 5_000_000
VISIT_WITHIN = 5.0  # seconds for all of it, however often it leads on
MOST_HOPS = 4
PAGES = frozenset({"text/html", "application/xhtml+xml", "application/json", "application/json+oembed"})
_LEADS_ON = frozenset({301, 302, 303, 307, 308})
_NAME = "Mozilla/5.0 (compatible; Squall)"  # many answer nobody else
_ASKS_FOR = {"Accept": "text/html, application/xhtml+xml, application/json, image/*;q=0.9", "Accept-Encoding": "identity"}
_STATUS = re.compile(r"HTTP/1\.[01] (\d{3}) ")
_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))  # of ASCII

# Addresses of the new kind that stand for one of the old kind, whatever that is (RFC 6052, 2765, 3056, 4291, 4380), or were for networks
# of one's own (3879), are for a network's inside (9602) or for examples (9637); and of the old kind those that lead to what a provider of
# machines tells them alone, or to whichever machine nearby passes on to the new kind (7526).
_NEW_KIND = ("64:ff9b::/96", "64:ff9b:1::/48", "::ffff:0:0:0/96", "2002::/16", "::/96", "2001::/32", "fec0::/10", "5f00::/16", "3fff::/20")
_NOT_OUTSIDE = tuple(map(ipaddress.ip_network, (*_NEW_KIND, "192.0.0.0/24", "168.63.129.16", "192.88.99.0/24")))


class OutgoingFailed(CMSError):
    """There is no answer that could be used. ``message`` names the host and nothing behind it, as that may be secret."""


class _Refused(OSError):
    pass


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: bytes


class Outgoing:
    """``own``: hosts that the operator named himself; only these may be in our own network, or on this machine. ``may_be_plain``: he named
    them with http:// where he wants no encryption."""

    def __init__(self, own: Collection[str] = (), *, may_be_plain: bool = False) -> None:
        self._own = frozenset(own)
        self._may_be_plain = may_be_plain
        self._client = _client(self._own, LARGEST)

    async def get(self, url: str) -> Reply:
        return await self._fetch(url)

    async def post(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Reply:
        return await self._fetch(url, method="POST", body=urlencode(form), headers=dict(headers))

    async def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> Reply:
        """By any method, known or not."""
        return await self._fetch(url, method=method, headers=dict(headers), body=body, allow_nonstandard_methods=True)

    def is_usable(self, url: str) -> bool:
        """HTTPS; or HTTP to this very machine, if the operator said so."""
        parts = urlsplit(url)
        is_ours = parts.hostname in self._own and (self._may_be_plain or is_loopback(parts.hostname or ""))
        return bool(parts.hostname) and not parts.username and (parts.scheme == "https" or (parts.scheme == "http" and is_ours))

    async def _fetch(self, url: str, **options: Any) -> Reply:
        """Any status is an answer. Raises ``OutgoingFailed``."""
        host = urlsplit(url).hostname or ""
        if not self.is_usable(url):
            raise OutgoingFailed(say("An address at “{host}” cannot be used: it does not begin with https://.", host=host))
        answer = await _answer(self._client, host, url, connect_timeout=CONNECTS_WITHIN, request_timeout=ANSWERS_WITHIN, **options)
        return Reply(answer.code, answer.body or b"")

    def close(self) -> None:
        self._client.close()


@dataclass(frozen=True, slots=True)
class Page:
    """``url``: where it was found in the end."""

    url: str
    content_type: str
    body: bytes


class Visitor:
    """Looks at what others show, at addresses that anybody may have written into a text.

    ``own``: hosts that may be on this machine and listen anywhere, for tests. Everybody else is on the internet, at the usual port.
    """

    def __init__(self, own: Collection[str] = ()) -> None:
        self._own = frozenset(own)

    async def page(self, url: str) -> Page:
        """A page, or what is said of one in JSON. Of one that is too long or too slow what has come is enough: its head stands first.

        Raises ``OutgoingFailed``.
        """
        url, answer = await self._visit(url, LARGEST_PAGE)
        kind = answer.headers.get("Content-Type", "")
        if _plain(kind) not in PAGES or not (answer.is_whole or answer.body):
            raise OutgoingFailed(say("There is no page at {host} that could be read.", host=urlsplit(url).hostname or ""))
        return Page(url, kind, bytes(answer.body))

    async def picture(self, url: str) -> bytes:
        """Raises ``OutgoingFailed``."""
        url, answer = await self._visit(url, LARGEST_PICTURE)
        if not _plain(answer.headers.get("Content-Type", "")).startswith("image/") or not answer.is_whole:
            raise OutgoingFailed(say("There is no picture at {host} that could be shown.", host=urlsplit(url).hostname or ""))
        return bytes(answer.body)

    async def _visit(self, url: str, largest: int) -> tuple[str, "_Answer"]:
        now, before = asyncio.get_running_loop().time, ""
        until = now() + VISIT_WITHIN
        with closing(_client(self._own, largest)) as client:
            for _ in range(1 + MOST_HOPS):
                host, url = self._usable(url, before)
                answer, left = _Answer(), max(until - now(), 0.01)
                try:
                    await _answer(
                        client, host, url, connect_timeout=left, request_timeout=left, user_agent=_NAME, headers=_ASKS_FOR,
                        header_callback=answer.hear, streaming_callback=answer.body.extend,
                    )  # fmt: skip
                    answer.is_whole = True
                except OutgoingFailed:
                    if not answer.body:
                        raise
                if answer.status == 200 and answer.headers.get("Content-Encoding", "identity").lower() == "identity":
                    return url, answer
                if answer.status not in _LEADS_ON:
                    raise OutgoingFailed(say("The host {host} shows nothing there.", host=host))
                before, url = url, answer.headers.get("Location", "")
        raise OutgoingFailed(say("The host {host} leads on and on.", host=host))

    def _usable(self, url: str, before: str) -> tuple[str, str]:
        """The host of an address that may be visited, and the address as it is sent: people write them in their own letters."""
        try:
            parts = urlsplit(urljoin(before, url))
            name, port = parts.hostname or "", parts.port
            host = name if name.isascii() else name.encode("idna").decode()
            usual = {"http": 80, "https": 443}[parts.scheme]
        except (KeyError, ValueError):
            host, port, usual = "", 0, 0
        if not host or parts.username is not None or (port not in {None, usual} and host not in self._own):
            raise OutgoingFailed(say("An address at “{host}” cannot be visited.", host=host or urlsplit(before).hostname or ""))
        place = f"[{host}]" if ":" in host else host
        netloc = f"{place}:{port}" if port else place
        return host, urlunsplit((parts.scheme, netloc, quote(parts.path, _PRINTABLE), quote(parts.query, _PRINTABLE), ""))


@dataclass(slots=True)
class _Answer:
    """What has come of one so far."""

    status: int = 0
    headers: HTTPHeaders = field(default_factory=HTTPHeaders)
    body: bytearray = field(default_factory=bytearray)
    is_whole: bool = False

    def hear(self, line: str) -> None:
        if found := _STATUS.match(line):
            self.status, self.headers = int(found[1]), HTTPHeaders()
        elif line.strip():
            self.headers.parse_line(line)


def _plain(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _client(own: frozenset[str], largest: int) -> SimpleAsyncHTTPClient:
    guarded = _Guarded(own=own)
    return SimpleAsyncHTTPClient(
        force_instance=True, resolver=guarded, max_body_size=largest, max_buffer_size=largest, max_header_size=16 * 1024
    )


async def _answer(client: SimpleAsyncHTTPClient, host: str, url: str, **options: Any) -> HTTPResponse:
    try:
        return await client.fetch(HTTPRequest(url, **options, follow_redirects=False, decompress_response=False), raise_error=False)
    except _Refused:
        raise OutgoingFailed(say("The host {host} is in this network, where others may not send us.", host=host)) from None
    except (HTTPClientError, HTTPInputError, UnsatisfiableReadError, OSError, ValueError) as error:
        raise OutgoingFailed(say("The host {host} does not answer ({reason}).", host=host, reason=type(error).__name__)) from None


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
        ip = ip.ipv4_mapped or ip
    return ip.is_global and not ip.is_multicast and not any(ip in network for network in _NOT_OUTSIDE)
