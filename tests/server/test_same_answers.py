"""The fast door and the way through Tornado give the same bytes for the same bytes, whatever is sent and in whatever pieces."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from cms.models.post import Visibility
from cms.rendering import Renderer
from cms.server.http import Server
from cms.services import visibility
from tests import factories
from tests.conftest import Templates
from tests.server import requests
from tests.server.raw import LAST, comparable, exchange, request
from tests.services.test_redirects import lead
from tests.web import Site, running_site

IDLE = 3.0  # seconds


@dataclass
class Twins:
    """One program behind two servers."""

    site: Site
    fast: int  # ports
    plain: int

    @property
    def answered(self) -> int:
        """How many the door has."""
        return self.site.application.parts.metrics.answers.at_the_door

    async def ask(self, port: int, *packets: bytes) -> bytes:
        return comparable(await asyncio.to_thread(exchange, port, packets))

    async def compare(self, *packets: bytes) -> int:
        """How many the door answered, after both ways were found to be the same: in bytes, in lines of the log, in numbers."""
        before = self.answered
        plain, plain_lines, plain_numbers = await self._watch(self.plain, *packets)
        assert self.answered == before
        fast, fast_lines, fast_numbers = await self._watch(self.fast, *packets)
        assert fast == plain, packets
        assert (fast_lines, fast_numbers) == (plain_lines, plain_numbers), packets
        return self.answered - before

    async def _watch(self, port: int, *packets: bytes) -> tuple[bytes, list[dict[str, Any]], Counter[tuple[str, str, int]]]:
        numbers = self.site.application.parts.metrics.answers.numbers
        before = Counter(numbers)
        with capture_logs() as lines:
            answers = await self.ask(port, *packets)
        counted = Counter({kind: number for kind, number in (Counter(numbers) - before).items() if kind[0] == "site"})
        return answers, [bare(line) for line in lines if line["event"] == "answered" and line["path"] != "/healthz"], counted


def bare(line: MutableMapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in line.items() if name not in ("ms", "request_id")}


@pytest.fixture
async def twins(templates: Templates, tmp_path: Path, renderer: Renderer) -> AsyncIterator[Twins]:
    """With a site in which there is something of each kind, and all of it was asked for before. Where it is kept changes no answer."""
    async with (
        templates.on("sqlite", tmp_path) as url,
        running_site(url, tmp_path / "data", renderer=renderer, surrogate_keys=True, access_log="full") as site,
    ):
        await fill(site)
        servers = [Server(site.application, IDLE, is_fast=is_fast) for is_fast in (True, False)]
        ports = []
        for server in servers:
            server.listen(0, "127.0.0.1")
            ports.append(next(iter(server.accepting)).getsockname()[1])
        twins = Twins(site, *ports)
        for target in requests.TARGETS:
            await twins.ask(twins.plain, request(target) + LAST)
        yield twins
        for server in servers:
            server.stop()
            await server.close_all_connections()


async def fill(site: Site) -> None:
    editor, owner = await factories.person(site.database, "editor"), await factories.person(site.database, "owner")
    await site.person("owner")
    await factories.published(site.database, editor, title="Low tide", text="Mud.\n\n" * 200, tags=("Sea",))
    await factories.published(site.database, editor, title="High tide", tags=("Sea",))
    await factories.published_page(site.database, editor, title="About", text="Us.")
    gone = await factories.published(site.database, editor, title="Gone", slug="gone")
    await factories.withdraw(site.database, editor, gone.post_id)
    moved = await factories.published(site.database, editor, title="Moved", slug="moved")
    await factories.edited(site.database, editor, moved.post_id, slug="here")
    await factories.publish(site.database, editor, moved.post_id)
    locked = await factories.published(site.database, editor, title="Locked", slug="locked")
    async with site.database.transaction() as work:
        await visibility.choose(work, editor, locked.post_id, Visibility.PASSWORD, "hash")
    await lead(site.database, owner, "/led", "/low-tide")


async def test_one_request_of_every_kind(twins: Twins) -> None:
    static = twins.site.application.parts.static.address("css/site.css")
    wanted = {
        **{request(target): number for target, number in requests.TARGETS.items()},
        **{request(requests.POST, *lines): number for lines, number in requests.HEADERS.items()},
        **{request(requests.POST, host=host): number for host, number in requests.HOSTS.items()},
        **requests.WITH_BODIES,
        **requests.VERSIONS,
        **{request(static, *lines): number for lines, number in list(requests.HEADERS.items())[:30]},
        request(static, method="HEAD"): 1,
        request(f"{static}&x=y"): 0,
        request("/static/css/site.css"): 0,
    }
    await twins.ask(twins.plain, request(static) + LAST)
    answered = {sent: await twins.compare(sent, LAST) for sent in wanted}
    assert answered == wanted
    assert len(wanted) > 200


async def test_what_is_there_already(twins: Twins) -> None:
    for target in (requests.POST, "/nothing", "/moved", twins.site.application.parts.static.address("js/site.js")):
        await twins.ask(twins.plain, request(target) + LAST)
        for coding in ("br", "zstd", "gzip", "identity"):
            answer = await twins.ask(twins.plain, request(target, f"Accept-Encoding: {coding}") + LAST)
            (etag, *_) = re.findall(rb'\r\nEtag: ("[^"]+")', answer)
            for known in (etag.decode(), f'W/{etag.decode()}, "y"', f'"x",{etag.decode()}', etag.decode()[:-2] + '"', etag.decode()[:-1]):
                for method in ("GET", "HEAD"):
                    lines = (f"Accept-Encoding: {coding}", f"If-None-Match: {known}")
                    assert await twins.compare(request(target, *lines, method=method), LAST) == 1


async def test_several_requests_in_any_pieces(twins: Twins) -> None:
    await twins.ask(twins.plain, requests.ONE + requests.TWO + requests.HEAD + LAST)
    for packets, number in requests.RUNS.items():
        assert await twins.compare(*packets, LAST) == number, packets
        assert await twins.compare(*packets[:-1], packets[-1] + LAST) == number, packets


async def test_nothing_is_answered_after_the_end(twins: Twins) -> None:
    for packets in requests.ENDED:
        plain = await twins.ask(twins.plain, *packets)
        assert plain.endswith(b"</html>\n")
        assert await twins.ask(twins.fast, *packets) == plain


LINE_ENDS = st.sampled_from(["\r\n"] * 6 + ["\n", "\r", "\r\n ", "\r\n\t", "\n\r", ""])
SPACES = st.sampled_from([" "] * 6 + ["", "  ", "\t", "\x0b"])
NAMES = ["Host", "Connection", "Cookie", "Accept-Encoding", "If-None-Match", "Content-Length", "Transfer-Encoding", "Range", "X"]
VALUES = [
    "localhost",
    "elsewhere.example",
    "close",
    "keep-alive",
    "a=b",
    "session=x",
    "gzip",
    "br;q=0.5",
    "*",
    "0",
    "5",
    "chunked",
    "é",
    "",
]


@st.composite
def heads(draw: st.DrawFn) -> bytes:
    """Two of three are as they should be, with headers that may be strange."""
    space, end = (SPACES, LINE_ENDS) if draw(st.integers(0, 2)) == 0 else (st.just(" "), st.just("\r\n"))
    method = draw(st.sampled_from(["GET"] * 8 + ["HEAD", "HEAD", "POST", "get"]))
    version = draw(st.sampled_from(["HTTP/1.1"] * 8 + ["HTTP/1.0"]))
    lines = [f"{method}{draw(space)}{draw(st.sampled_from([*requests.TARGETS][:50]))}{draw(space)}{version}"]
    lines += ["Host: localhost"] if draw(st.integers(0, 9)) else []
    for _ in range(draw(st.sampled_from([0, 0, 1, 1, 2, 3]))):
        name, value = draw(st.sampled_from(NAMES)), draw(st.sampled_from(VALUES))
        lines.append(f"{name.lower() if draw(st.booleans()) else name}:{draw(space)}{value}")
    return "".join(f"{line}{draw(end)}" for line in [*lines, ""]).encode("latin-1")


@st.composite
def packets(draw: st.DrawFn) -> list[bytes]:
    """A few requests, of which some are no longer any, in pieces."""
    sent = bytearray(b"".join(draw(st.lists(heads(), min_size=1, max_size=3))))
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        place, byte = draw(st.integers(0, len(sent) - 1)), draw(st.integers(0, 255))
        sent[place : place + draw(st.integers(0, 1))] = bytes([byte])
    ends = sorted({*draw(st.lists(st.integers(1, len(sent)), max_size=2)), len(sent)})
    return [bytes(sent[start:end]) for start, end in zip([0, *ends], ends, strict=False)]


async def test_whatever_is_sent(twins: Twins) -> None:
    before = twins.answered

    def agree(sent: list[bytes]) -> bool:
        fast, plain = (comparable(exchange(port, [*sent, LAST])) for port in (twins.fast, twins.plain))
        return fast == plain

    @settings(max_examples=150, deadline=None)
    @given(packets())
    @example([request()])  # the door answers this one, whatever the others are
    def same(sent: list[bytes]) -> None:
        """Tried again, as what was said last is lost now and then if somebody sends on to a connection that was ended for nonsense."""
        assert any(agree(sent) for _ in range(3))

    await asyncio.to_thread(same)
    assert twins.answered > before
