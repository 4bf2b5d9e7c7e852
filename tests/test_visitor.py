"""What may be looked at for a card: on the internet alone, however an address is written or where it leads, and neither long nor late."""

import asyncio
import gzip
import socket
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream, StreamClosedError
from tornado.netutil import DefaultLoopResolver
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler

from cms import outgoing
from cms.outgoing import LARGEST_PAGE, LARGEST_PICTURE, OutgoingFailed, Visitor

HERE = Visitor({"127.0.0.1"})
HEAD = b"<title>Tides</title>"


class Other(RequestHandler):
    """Another site, as it is asked to be: ``kind`` of content, ``coding``, ``onward``, ``more`` bytes without end, ``slow``."""

    async def get(self) -> None:
        asked = self.get_query_argument
        self.application.settings["heard"].append(dict(self.request.headers))
        if onward := asked("onward", ""):
            self.set_status(int(asked("status", "302")))
            self.set_header("Location", onward)
            return
        self.set_header("Content-Type", asked("kind", "text/html; charset=utf-8"))
        if coding := asked("coding", ""):
            self.set_header("Content-Encoding", coding)
        self.write(gzip.compress(b"0" * 50_000_000) if asked("coding", "") == "gzip" else HEAD)
        try:
            while asked("more", ""):
                self.write(b"x" * 65536)
                await self.flush()
            if asked("slow", ""):
                await self.flush()
                await asyncio.Event().wait()
        except StreamClosedError:
            pass


class Site:
    def __init__(self, port: int) -> None:
        self.heard: list[dict[str, str]] = []
        self.url = f"http://127.0.0.1:{port}/"


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    listening, port = bind_unused_port()
    site = Site(port)
    server = HTTPServer(Application([("/", Other)], heard=site.heard, log_function=lambda handler: None))
    server.add_socket(listening)
    yield site
    server.stop()
    await server.close_all_connections()


def connections(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is tried to connect to; nothing answers."""
    tried: list[str] = []

    def connect(self: IOStream, address: tuple[str, int], *arguments: Any, **options: Any) -> Any:
        tried.append(address[0])
        self.close()
        raise OSError

    monkeypatch.setattr(IOStream, "connect", connect)
    return tried


async def refusal(url: str, visitor: Visitor = HERE) -> str:
    with pytest.raises(OutgoingFailed) as refused:
        await visitor.page(url)
    return refused.value.message


async def test_a_page_is_read_where_it_leads(site: Site) -> None:
    page = await HERE.page(f"{site.url}?onward=/%3Fkind=application/json%252Boembed%23part")
    assert (page.url, page.content_type, page.body) == (f"{site.url}?kind=application/json%2Boembed", "application/json+oembed", HEAD)
    assert site.heard[-1]["Accept-Encoding"] == "identity"
    assert not {"Cookie", "Authorization", "Referer"} & site.heard[-1].keys()
    assert (await HERE.page(f"{site.url}?größe=ü")).body == HEAD


LOCAL = [
    "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.0.0.1.", "0.0.0.0", "0", "localhost", "LOCALHOST", "10.0.0.1",
    "172.16.0.1", "192.168.0.1", "100.64.0.1", "169.254.169.254", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:a9fe:a9fe]", "[fd00::1]",
    "[fe80::1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "①②⑦.⓪.⓪.①", "224.0.0.1", "255.255.255.255",
]  # fmt: skip


@pytest.mark.parametrize("host", LOCAL)
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_no_spelling_of_an_address_of_ours_gets_through(scheme: str, host: str) -> None:
    message = await refusal(f"{scheme}://{host}/latest/meta-data", Visitor())
    assert "in this network" in message or "does not answer (gaierror)" in message
    assert "meta-data" not in message


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "onward", ["http://127.0.0.2/", "https://localhost/", "http://[::ffff:127.0.0.1]/", "//169.254.169.254/latest", "http://2130706434/"]
)
async def test_nobody_is_led_into_our_network(site: Site, onward: str, status: int) -> None:
    assert "in this network" in await refusal(f"{site.url}?status={status}&onward={onward}")


@pytest.mark.parametrize("onward", ["file:///etc/passwd", "ftp://127.0.0.1/", "http://[", "http://a@127.0.0.1/", "https://example.org:22/"])
async def test_nobody_is_led_to_what_is_no_page(site: Site, onward: str) -> None:
    assert "cannot be visited" in await refusal(f"{site.url}?onward={onward}")


@pytest.mark.parametrize(
    "url",
    ["http://example.org:8080/", "https://example.org:80/", "http://example.org:99999/", "https://name:secret@example.org/", "ftp://example.org/",
     "javascript:alert(1)", "//example.org/", "https:///", "https://[", "https://ex\u0000ample.org:x/", ""],
)  # fmt: skip
async def test_only_pages_at_the_usual_place(url: str) -> None:
    message = await refusal(url, Visitor())
    assert "cannot be visited" in message
    assert "secret" not in message


async def test_leading_on_ends(site: Site) -> None:
    here = f"{site.url}?onward=/"
    for _ in range(6):
        here = f"{site.url}?onward=" + here.replace("%", "%25").replace("?", "%3F").replace("&", "%26")
    assert "leads on and on" in await refusal(here)
    assert len(site.heard) == 1 + outgoing.MOST_HOPS


async def test_what_was_looked_at_is_what_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that says another thing each time it is asked is asked once for each address, and the one it said is used."""
    answers = iter(["93.184.215.14", "127.0.0.1", "93.184.215.15", "::1"])
    tried = connections(monkeypatch)

    async def resolve(self: Any, host: str, port: int, family: Any = socket.AF_UNSPEC) -> list[tuple[int, Any]]:
        return [(socket.AF_INET, (next(answers), port))]

    monkeypatch.setattr(DefaultLoopResolver, "resolve", resolve)
    for wanted in ("does not answer (OSError)", "in this network") * 2:
        assert wanted in await refusal("http://rebinding.example/", Visitor())
    assert tried == ["93.184.215.14", "93.184.215.15"]


async def test_of_several_addresses_only_those_outside_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = connections(monkeypatch)

    async def resolve(self: Any, host: str, port: int, family: Any = socket.AF_UNSPEC) -> list[tuple[int, Any]]:
        return [(socket.AF_INET, (each, port)) for each in ("127.0.0.1", "93.184.215.14", "169.254.169.254")]

    monkeypatch.setattr(DefaultLoopResolver, "resolve", resolve)
    await refusal("https://half.example/", Visitor())
    assert tried == ["93.184.215.14"]


async def test_of_what_is_long_the_beginning_is_read(site: Site) -> None:
    page = await HERE.page(f"{site.url}?more=1")
    assert page.body.startswith(HEAD)
    assert len(page.body) <= LARGEST_PAGE
    with pytest.raises(OutgoingFailed):
        await HERE.picture(f"{site.url}?more=1&kind=image/png")
    assert LARGEST_PICTURE > LARGEST_PAGE


async def test_who_is_slow_is_left(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "VISIT_WITHIN", 0.2)
    began = time.monotonic()
    assert (await HERE.page(f"{site.url}?slow=1")).body == HEAD
    with pytest.raises(OutgoingFailed):
        await HERE.picture(f"{site.url}?slow=1&kind=image/png")
    assert time.monotonic() - began < 2
    listening, port = bind_unused_port()  # takes the call, and says nothing
    assert "HTTPTimeoutError" in await refusal(f"http://127.0.0.1:{port}/")
    listening.close()


@pytest.mark.parametrize("asked", ["kind=application/pdf", "kind=video/mp4", "kind=image/png", "coding=gzip", "coding=br", "kind="])
async def test_no_page_is_no_page(site: Site, asked: str) -> None:
    assert "127.0.0.1" in await refusal(f"{site.url}?{asked}")


async def test_a_picture_says_that_it_is_one(site: Site) -> None:
    assert await HERE.picture(f"{site.url}?kind=image/png") == HEAD
    with pytest.raises(OutgoingFailed):
        await HERE.picture(site.url)
    with pytest.raises(OutgoingFailed):
        await HERE.picture(f"{site.url}nothing")
