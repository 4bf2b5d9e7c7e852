"""Whom the fast door answers, with what, and for how long. That its answers are the same as others: test_same_answers.py."""

import asyncio
import contextlib
import json
import logging
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from cms.app import Squall
from cms.rendering import Renderer
from cms.server.http import Server
from cms.telemetry import SAMPLE, AccessLog, configure_logging, log
from tests import factories
from tests.page_cache.test_nothing_private import MARKER, addresses, fill, previewed, said
from tests.server.raw import LAST, exchange, request
from tests.web import Site, running_site

IDLE = 0.5  # seconds
PATIENCE = 10  # seconds; only a hang takes so long
PATH = "/low-tide"


@pytest.fixture
async def site(database_url: str, tmp_path: Path, renderer: Renderer) -> AsyncIterator[Site]:
    async with running_site(database_url, tmp_path / "data", renderer=renderer, connections=10) as site:
        await site.person("owner")
        yield site


@pytest.fixture
async def server(site: Site) -> AsyncIterator[Server]:
    """Another before the same program, soon tired of waiting."""
    server = Server(site.application, IDLE)
    server.listen(0, "127.0.0.1")
    yield server
    server.stop()
    await server.close_all_connections()


def port_of(server: Server) -> int:
    return int(next(iter(server.accepting)).getsockname()[1])


def answered(application: Squall) -> int:
    return application.parts.metrics.answers.at_the_door


async def ask(site: Site, *packets: bytes) -> bytes:
    return await asyncio.to_thread(exchange, int(site.url.rpartition(":")[2]), packets)


async def post(site: Site) -> None:
    """One, of which the page is kept."""
    await factories.published(site.database, await factories.person(site.database, "editor"), title="Low tide", text="Mud.")
    assert (await site.browser().get(PATH)).status == 200


async def until(is_so: object) -> None:
    async with asyncio.timeout(PATIENCE):
        while not is_so():  # type: ignore[operator]
            await asyncio.sleep(0.005)


async def test_nothing_of_anybody_comes_out_of_the_door(site: Site) -> None:
    """Whatever those who are signed in have looked at before: no token, no name, no draft, no word that was not public."""
    await fill(site)
    await previewed(site)
    owner = await site.signed_in("owner")
    paths = [path for path in await addresses(site) if not path.startswith(("/admin", "/live", "/login", "/account", "/search"))]
    for browser in (owner, site.browser(), owner):
        for path in paths:
            await browser.get(path, Cookie="; ".join(f"{name}={value}" for name, value in {**owner.cookies, "flash": MARKER}.items()))
    given = 0
    for path in [*paths, *paths]:
        before = answered(site.application)
        answer = await site.browser().get(path)
        if answered(site.application) > before:
            given += 1
            text = said(answer, path)
            for word in (MARKER, *owner.cookies.values(), "owner@example.org", "_xsrf", "Set-Cookie"):
                assert word.casefold() not in text, (path, word)
    assert given > 60


async def test_whoever_is_somebody_is_not_answered_at_the_door(site: Site) -> None:
    await post(site)
    owner = await site.signed_in("owner")
    before = answered(site.application)
    assert (await owner.get(PATH)).status == 200
    for name in ("session", "opened", "flash", "__Host-session"):
        await site.browser().get(PATH, Cookie=f"scheme=dark; {name}=x")
    assert answered(site.application) == before
    await site.browser().get(PATH, Cookie="scheme=dark; _pk_id=x")
    assert answered(site.application) == before + 1


async def test_a_site_that_closes_is_closed_at_the_door_and_in_every_process(
    site: Site, database_url: str, tmp_path: Path, renderer: Renderer
) -> None:
    await post(site)
    async with running_site(database_url, tmp_path / "data", renderer=renderer) as other:
        for each in (site, other, site, other):
            assert b"Mud." in await ask(each, request(PATH) + LAST)
        assert answered(other.application) == 1
        owner, page = await site.signed_in("owner"), site.application.parts.pages.find(PATH)
        assert (await owner.post("/admin/site/access", {"access": "private", "password": "spring tide"})).status == 303
        assert page is not None
        for each in (site, other):
            await until(lambda each=each: not each.application.parts.door.is_open)
            each.application.parts.pages.store(PATH, 0, replace(page))  # by one that set out before, and came too late
            for sent in (request(PATH), request(f"{PATH}?a=b"), request(PATH, "Connection: close")):
                answer = await ask(each, sent + LAST)
                assert answer.startswith(b"HTTP/1.1 403")
                assert b"Mud." not in answer
        count = answered(site.application)
        await owner.post("/admin/site/access", {"access": "open"})
        await site.browser().get(PATH)
        assert b"Mud." in await ask(site, request(PATH) + LAST)
        assert answered(site.application) == count + 1


async def test_what_is_noted_of_each_answer_goes_on_being_noted(site: Site) -> None:
    for _ in range(3):
        await site.browser().get("/search?q=mussels")
    assert site.application.parts.misses.take() == {"mussels": 3}


async def test_silent_connections_cost_a_place_and_are_left(site: Site, server: Server) -> None:
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(socket.create_connection(("127.0.0.1", port_of(server)))) for _ in range(10)]
        await until(lambda: len(server.door.held) == 10)
        assert b" 503 " in await asyncio.to_thread(exchange, port_of(server), [request()])
        await until(lambda: not server.door.held)
        assert await asyncio.to_thread(held[0].recv, 1) == b""
    assert b" 200 " in await asyncio.to_thread(exchange, port_of(server), [request("/healthz") + LAST])


async def test_who_goes_on_asking_is_not_silent(site: Site, server: Server) -> None:
    """At the door, and on a connection that was handed on: its requests take longer than one may be silent."""
    await post(site)
    for first in (request(PATH), request("/healthz")):
        sent = [first, *[request(PATH)] * 300, LAST]
        assert (await asyncio.to_thread(exchange, port_of(server), sent)).count(b"HTTP/1.1 200") == 302


async def test_who_does_not_read_waits_for_the_rest_and_gets_all_in_order(site: Site, server: Server) -> None:
    static = site.application.parts.static
    name = max((name for name in static._files), key=lambda name: len(static.find(name).content))
    length, sent = len(static.find(name).content), request(static.address(name))
    await ask(site, sent + LAST)
    number = 2 + 8_000_000 // length  # more than the system takes for somebody who does not read
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(server), limit=1024)
    before = answered(site.application)
    writer.write(sent * number + LAST)
    await until(lambda: server.is_busy)
    assert not server.door.held
    answers = await reader.read(-1)
    writer.close()
    assert answers.count(b"HTTP/1.1 200 OK") == number + 1
    assert len(answers) > number * length
    assert answered(site.application) == before + number


@pytest.mark.parametrize("last", [b"", request(PATH, "Connection: close")])
async def test_who_does_not_read_at_all_is_left(site: Site, server: Server, last: bytes) -> None:
    await post(site)
    static = site.application.parts.static.address("css/admin.css")
    await ask(site, request(static) + LAST)
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", port_of(server)))
        connection.sendall(request(static) * 90 + last)
        await until(lambda: server.is_busy)
        await until(lambda: not server._streams and not server.door.held)


async def test_an_answer_that_fails_ends_its_connection(site: Site, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: bytes) -> None:
        raise LookupError

    monkeypatch.setattr(server.door, "answer", fail)
    assert await asyncio.to_thread(exchange, port_of(server), [request()]) == b""
    assert not server.door.held


async def test_the_last_answers_say_so(site: Site, server: Server) -> None:
    await post(site)
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(server))
    writer.write(request(PATH))
    assert b"Connection: close" not in await reader.readuntil(b"\r\n\r\n")
    server.stop()
    writer.write(request(PATH))
    answer = await reader.read(-1)
    assert b"\r\nConnection: close\r\n\r\n<!doctype html>" in answer
    writer.close()


async def test_numbers_of_answers_are_random_and_no_two_are_the_same(site: Site) -> None:
    await post(site)
    answers = await ask(site, request(PATH) * 600 + LAST)
    numbers = [line.split(b": ")[1] for line in answers.split(b"\r\n") if line.startswith(b"X-Request-Id")]
    assert len(set(numbers)) == 601
    assert all(len(number) == 32 for number in numbers)


async def test_metrics_count_the_answers(site: Site) -> None:
    await post(site)
    await ask(site, request(PATH) * 5 + request(PATH, method="HEAD") + LAST)
    said = site.application.parts.metrics.exposition().decode()
    assert 'squall_requests_total{face="site",method="GET",status="200"} 6.0' in said
    assert 'squall_requests_total{face="site",method="HEAD",status="200"} 1.0' in said
    assert "squall_door_answers_total 6.0" in said
    assert 'squall_request_seconds_bucket{face="site",le="+Inf"} 7.0' in said
    assert 'squall_request_seconds_count{face="site"} 7.0' in said


async def test_lines_are_those_of_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", "json")
    said = {"method": "GET", "path": "/a%20b", "status": 200, "ms": 1.2, "request_id": "0" * 32}
    log.info("answered", **said)
    AccessLog("full").note("GET", "/a b", 200, 0.00123, "0" * 32)
    await asyncio.sleep(0)
    theirs, ours = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert list(ours) == list(theirs)
    assert {**ours, "timestamp": ""} == {**theirs, "timestamp": ""}
    assert len(ours["timestamp"]) == len(theirs["timestamp"])
    AccessLog("full").note("GET", "/" + "aB" * 30, 200, 0, "")
    await asyncio.sleep(0)
    assert "aB" not in capsys.readouterr().err


def test_of_many_answers_some_have_a_line_and_errors_have_each() -> None:
    sampled, off = AccessLog("sampled"), AccessLog("off")
    assert sum(sampled.wants(200) for _ in range(5 * SAMPLE)) == 5
    assert all(sampled.wants(404) for _ in range(SAMPLE))
    assert not any(off.wants(status) for status in (200, 404, 500))
    configure_logging("warning", "json")
    assert AccessLog("full").is_off
    logging.root.setLevel(logging.WARNING)
