"""Tells what keeps pages in front of us, a CDN or a cache, which of them are over. One interface; three ways that others understand."""

import json
from collections.abc import Callable, Iterator, Sequence
from http import HTTPStatus
from typing import Protocol
from urllib.parse import urlsplit

from cms.outgoing import Outgoing, OutgoingFailed
from cms.settings import Settings
from cms.wording import say

MOST_NAMES = 30  # in one request; Cloudflare takes that many, Fastly 256
MOST_CHARACTERS = 4000  # in one header
_NOT_THERE = (HTTPStatus.NOT_FOUND, HTTPStatus.PRECONDITION_FAILED)  # as caches say of an address that they do not have


class Front(Protocol):
    """``by_address``: it knows pages by their addresses, and not by what they show."""

    by_address: bool

    async def forget(self, names: Sequence[str]) -> None:
        """What shows these, or stands at these addresses. Raises ``OutgoingFailed``; it can be asked again then."""

    def close(self) -> None: ...


def front_for(settings: Settings) -> Front | None:
    """What the settings name, if they do."""
    if not settings.purge_url:
        return None
    kinds: dict[str, Callable[[Settings], Front]] = {"header": _ByHeader, "json": _ByJson, "address": _ByAddress}
    return kinds[settings.purge_by](settings)


class _Front:
    by_address = False

    def __init__(self, settings: Settings) -> None:
        self._url = settings.purge_url
        self._host = urlsplit(self._url).hostname or ""
        self._outgoing = Outgoing({self._host}, may_be_plain=True)
        self._field = settings.purge_field
        token, name = settings.purge_token.get_secret_value(), settings.purge_token_header
        self._token = {name: f"Bearer {token}" if name == "Authorization" else token} if token else {}

    async def _send(self, method: str, url: str, headers: dict[str, str], body: bytes = b"") -> None:
        reply = await self._outgoing.send(method, url, {**self._token, **headers}, body or None)
        if not (200 <= reply.status < 300 or (method == "PURGE" and reply.status in _NOT_THERE)):
            raise OutgoingFailed(say("The host {host} did not forget pages: it answered {status}.", host=self._host, status=reply.status))

    def close(self) -> None:
        self._outgoing.close()


class _ByHeader(_Front):
    """``POST`` with ``Surrogate-Key: home post/7/page``."""

    async def forget(self, names: Sequence[str]) -> None:
        for batch in _batches(names):
            await self._send("POST", self._url, {self._field or "Surrogate-Key": " ".join(batch)})


class _ByJson(_Front):
    """``POST`` with ``{"tags": ["home", "post/7/page"]}``."""

    async def forget(self, names: Sequence[str]) -> None:
        for batch in _batches(names):
            body = json.dumps({self._field or "tags": batch}).encode()
            await self._send("POST", self._url, {"Content-Type": "application/json"}, body)


class _ByAddress(_Front):
    """``PURGE /tide`` for the host of the site; an asterisk at the end stands for all that begins so."""

    by_address = True

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._site = urlsplit(settings.public_url).netloc

    async def forget(self, names: Sequence[str]) -> None:
        for address in names:
            await self._send("PURGE", self._url + address, {"Host": self._site})


def _batches(names: Sequence[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    for name in names:
        if batch and (len(batch) == MOST_NAMES or sum(map(len, batch)) + len(batch) + len(name) > MOST_CHARACTERS):
            yield batch
            batch = []
        batch.append(name)
    if batch:
        yield batch
