"""What a server does with those who send too much, too slowly, too often or nonsense."""

import asyncio
import contextlib
import errno
import socket
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from cms.rendering import Renderer
from cms.server import accepting, door
from cms.server.http import MAX_HEADER, TURNED_AWAY, Server
from cms.server.stream import IN_A_ROW
from tests.conftest import Templates
from tests.server.raw import LAST, exchange
from tests.web import Browser, Site, running_site

IDLE = 0.3  # seconds


@pytest.fixture
async def served(templates: Templates, tmp_path: Path, renderer: Renderer) -> AsyncIterator[tuple[Site, int, Server]]:
    """One database is enough: nothing here reaches it."""
    async with templates.on("sqlite", tmp_path) as url, running_site(url, tmp_path / "data", renderer=renderer, connections=10) as site:
        server = Server(site.application, IDLE)
        server.listen(0, "127.0.0.1")
        yield site, next(iter(server.accepting)).getsockname()[1], server
        server.stop()
        await server.close_all_connections()


async def talk(port: int, sent: bytes, *, wait: float = 5) -> bytes:
    """All that comes back until the other side closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    try:
        return await asyncio.wait_for(reader.read(), wait)
    finally:
        writer.close()


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def headers_of(answer: bytes) -> dict[str, str]:
    lines = answer.split(b"\r\n\r\n", 1)[0].decode().split("\r\n")[1:]
    return dict(line.split(": ", 1) for line in lines)


def get(path: str = "/healthz", **headers: str) -> bytes:
    lines = [f"GET {path} HTTP/1.1", "Host: localhost", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode()


def at(browser: Browser, port: int) -> Browser:
    browser.url = f"http://127.0.0.1:{port}"
    return browser


@pytest.mark.parametrize(
    "sent", [get(X="a" * MAX_HEADER), get("/" + "a" * MAX_HEADER), b"G" * (MAX_HEADER + 1), get() * 3 + get(X="a" * 4 * MAX_HEADER)]
)
async def test_too_long_a_head_is_answered_431(served: tuple[Site, int, Server], sent: bytes) -> None:
    answer = (await talk(served[1], sent)).split(b'{"status": "alive"}\n')[-1]
    assert status(answer) == 431
    assert b"16 kB" in answer
    assert headers_of(answer)["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost localhost\r\n\r\n",
        get("/?" + "&" * 1001),
        get().replace(b"localhost", b"localhost:" + b"1" * 5000),
        get("http://localhost:" + "1" * 5000 + "/"),
    ],
)
async def test_what_cannot_be_read_is_answered_400_with_our_headers(served: tuple[Site, int, Server], sent: bytes) -> None:
    answer = await talk(served[1], sent)
    assert status(answer) == 400
    assert {"X-Content-Type-Options", "Content-Security-Policy", "Referrer-Policy"} <= headers_of(answer).keys()
    assert b"no request that can be read" in answer


async def test_a_body_is_refused_before_it_is_sent(served: tuple[Site, int, Server]) -> None:
    head = b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % (64 * 1024 + 1)
    answer = await talk(served[1], head)
    assert status(answer) == 413
    assert b"more than may be sent here" in answer
    assert headers_of(answer)["Content-Type"] == "text/html; charset=utf-8"
    assert headers_of(answer)["Connection"] == "close", "a proxy sends nothing more on it"


async def test_whoever_may_not_send_files_hears_that_the_connection_ends(served: tuple[Site, int, Server]) -> None:
    answer = await talk(served[1], b"POST /admin/media HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\nabc")
    assert status(answer) == 403
    assert headers_of(answer)["Connection"] == "close"


async def test_a_body_that_does_not_say_how_long_it_is_is_refused_once_it_is_too_long(served: tuple[Site, int, Server]) -> None:
    head = b"POST /login HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"8000\r\n" + b"a" * 0x8000 + b"\r\n"
    assert status(await talk(served[1], head + 3 * chunk)) == 413


async def test_whoever_goes_on_sending_still_hears_the_answer(served: tuple[Site, int, Server]) -> None:
    answer = await at(served[0].browser(), served[1]).post("/login", {"email": "a" * 5_000_000})
    assert answer.status == 413


async def test_each_route_has_its_own_limit(served: tuple[Site, int, Server]) -> None:
    browser = at(await served[0].signed_in("owner"), served[1])
    text = {"title": "Long", "text": "a" * 500_000}
    assert (await browser.post("/admin/posts", text)).status == 303
    assert (await browser.post("/admin/menus/main", text)).status == 413
    assert (await browser.post("/admin/posts", {"text": "a" * 21_000_000})).status == 413
    assert (await browser.post("/", text)).status == 413
    await browser.post("/logout")
    back = await browser.post("/admin/posts", text)
    assert back.status == 401
    assert text["text"] in back.text
    browser.cookies = {}
    assert (await browser.post("/admin/posts", text)).status == 413, "whoever was never here sends little"


async def test_a_thousand_fields_are_the_most(served: tuple[Site, int, Server]) -> None:
    browser = at(await served[0].signed_in("owner"), served[1])
    assert (await browser.post("/admin/posts", {"title": "Few", **{f"f{n}": "" for n in range(990)}})).status == 303
    answer = await browser.post("/admin/posts", {f"f{n}": "" for n in range(1000)})
    assert answer.status == 400
    assert "1,000 fields" in answer.words


@pytest.mark.parametrize("sent", [b"", b"GET / HT", get(), b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nabc"])
async def test_whoever_falls_silent_is_left(served: tuple[Site, int, Server], sent: bytes) -> None:
    await talk(served[1], sent)  # it ends


async def test_whoever_does_not_take_his_answers_is_left(served: tuple[Site, int, Server]) -> None:
    _, port, server = served
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
    css = get("/static/css/admin.css")
    with contextlib.suppress(ConnectionError):
        while not server.is_busy:
            writer.write(css * 50)
            await asyncio.sleep(0.01)
        while server._streams:
            await asyncio.sleep(0.01)
    assert not server._streams
    writer.close()
    assert reader is not None


async def test_so_many_are_connected_and_no_more(served: tuple[Site, int, Server]) -> None:
    _, port, server = served
    ten = [await asyncio.open_connection("127.0.0.1", port) for _ in range(10)]
    for _, writer in ten:
        writer.write(get()[:-2])
    while len(server._streams) < 10:
        await asyncio.sleep(0.01)
    answer = await talk(port, get())
    assert status(answer) == 503
    assert headers_of(answer)["Retry-After"] == "5"
    for _, writer in ten:
        writer.close()
    while server._streams:
        await asyncio.sleep(0.01)
    assert status(await talk(port, get(Connection="close"))) == 200


async def test_whoever_is_silent_makes_room(served: tuple[Site, int, Server], monkeypatch: pytest.MonkeyPatch) -> None:
    _, port, server = served
    ten = [await asyncio.open_connection("127.0.0.1", port) for _ in range(10)]
    while len(server.door.held) < 10:
        await asyncio.sleep(0.01)
    assert status(await talk(port, get(Connection="close"))) == 503, "their first requests may be on their way"
    monkeypatch.setattr(door, "QUIET", 0.0)
    assert status(await talk(port, get(Connection="close"))) == 200
    assert await ten[0][0].read() == b""
    assert len(server.door.held) == 9
    for _, writer in ten:
        writer.close()


async def test_slow_heads_make_room(served: tuple[Site, int, Server], monkeypatch: pytest.MonkeyPatch) -> None:
    _, port, server = served
    ten = []
    for _ in range(10):
        ten.append(await asyncio.open_connection("127.0.0.1", port))
        ten[-1][1].write(get()[:-2])
        while len(server._streams) < len(ten):
            await asyncio.sleep(0.001)
    monkeypatch.setattr(door, "QUIET", 0.0)
    assert status(await talk(port, get(Connection="close"))) == 200
    assert await ten[0][0].read() == b""
    ten[9][1].write(b"\r\n")
    assert (await ten[9][0].readline()).startswith(b"HTTP/1.1 200 ")
    for _, writer in ten:
        writer.close()


async def test_those_who_are_turned_away_take_no_room_either(served: tuple[Site, int, Server]) -> None:
    _, port, server = served
    many = [await asyncio.open_connection("127.0.0.1", port) for _ in range(80)]
    while server.accepting and len(server._leaving) < TURNED_AWAY:
        await asyncio.sleep(0.01)
    told = [len(await asyncio.wait_for(reader.read(), 5)) > 0 for reader, _ in many[10:]]
    assert told.count(True) == TURNED_AWAY
    for _, writer in many:
        writer.close()
    while server._leaving:
        await asyncio.sleep(0.01)


async def test_no_more_open_files_is_no_reason_to_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(socket.socket):
        tried = 0

        def accept(self) -> tuple[socket.socket, object]:
            self.tried += 1
            if self.tried < 3:
                raise OSError(errno.EMFILE, "Too many open files")
            return super().accept()

    monkeypatch.setattr(accepting, "PAUSE", 0.05)
    taken = asyncio.get_running_loop().create_future()
    with Full() as listening, capture_logs() as lines:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        listening.setblocking(False)
        stop = accepting.Accepting(listening, lambda connection, _: taken.set_result(connection)).stop
        _, writer = await asyncio.open_connection(*listening.getsockname())
        (await asyncio.wait_for(taken, 5)).close()
        writer.close()
        stop()
    assert listening.tried in (3, 4)
    assert [(line["event"], line["reason"]) for line in lines] == [("no room for another connection", "Too many open files")] * 2


async def test_whoever_sends_many_requests_at_once_takes_turns_with_others(served: tuple[Site, int, Server]) -> None:
    site, port, _ = served
    address = site.application.parts.static.address("css/site.css")
    assert (await site.browser().get(address)).status == 200
    answers, seen = site.application.parts.metrics.answers, [0]

    async def watch() -> None:
        while True:
            await asyncio.sleep(0)
            seen.append(answers.at_the_door)

    watching = asyncio.create_task(watch())
    many = get() + get(address).replace(b"GET", b"HEAD") * 2000
    await asyncio.to_thread(exchange, port, [many, LAST])
    watching.cancel()
    assert seen[-1] >= 2000
    assert max(later - earlier for earlier, later in pairwise(seen)) <= max(IN_A_ROW, door.READ // len(get(address)))


async def test_whoever_asks_only_for_what_is_kept_is_at_the_door_again(served: tuple[Site, int, Server]) -> None:
    site, port, server = served
    address = site.application.parts.static.address("css/site.css")
    assert (await site.browser().get(address)).status == 200
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def hear(*paths: str) -> bool:
        """Whether the connection is at the door when all of them are answered."""
        writer.write(b"".join(map(get, paths)))
        for _ in paths:
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(headers_of(head)["Content-Length"]))
        return bool(server.door.held)

    for _ in range(2):
        assert not await hear("/healthz")
        assert [await hear(address) for _ in range(IN_A_ROW + 2)] == [False] * IN_A_ROW + [True] * 2
        assert not await hear(address, "/healthz", address)
    writer.close()


async def test_whoever_kept_a_connection_hears_that_its_next_answer_is_the_last(served: tuple[Site, int, Server]) -> None:
    _, port, server = served
    (asking, asks), (silent, kept) = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
    for reader, writer in ((asking, asks), (silent, kept)):
        writer.write(get())
        assert "Connection" not in headers_of(await reader.readuntil(b"}\n"))
    server.stop()
    assert not server.is_left(), "a request may be on its way"
    asks.write(get())
    assert headers_of(await asking.read())["Connection"] == "close"
    while not server.is_left():
        await asyncio.sleep(0.01)
    assert await silent.read() == b""
    for writer in (asks, kept):
        writer.close()
