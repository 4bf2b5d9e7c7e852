"""The client that calls other hosts: where it does not go, and what it does not take."""

import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from tornado.httpserver import HTTPServer
from tornado.netutil import DefaultLoopResolver
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler

from cms.outgoing import LARGEST, Outgoing, OutgoingFailed, is_public


class Echo(RequestHandler):
    """Says as many bytes as it is asked for, or leads on."""

    def get(self) -> None:
        if onward := self.get_query_argument("onward", ""):
            self.redirect(onward)
        else:
            self.set_header("X-Head", "x" * int(self.get_query_argument("head", "3")))
            self.finish(b"x" * int(self.get_query_argument("size", "3")))


@pytest.fixture
async def server() -> AsyncIterator[int]:
    """Its port on loopback."""
    listening, port = bind_unused_port()
    server = HTTPServer(Application([("/", Echo)], log_function=lambda handler: None))
    server.add_socket(listening)
    yield port
    server.stop()
    await server.close_all_connections()


@pytest.fixture
def own() -> Iterator[Outgoing]:
    outgoing = Outgoing({"127.0.0.1"})
    yield outgoing
    outgoing.close()


async def refusal(outgoing: Outgoing, url: str) -> str:
    with pytest.raises(OutgoingFailed) as refused:
        await outgoing.get(url)
    return refused.value.message


async def test_host_that_the_operator_named_may_be_here(own: Outgoing, server: int) -> None:
    reply = await own.get(f"http://127.0.0.1:{server}/")
    assert (reply.status, reply.body) == (200, b"xxx")
    assert (await own.get(f"http://127.0.0.1:{server}/nothing")).status == 404


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/",
        "http://localhost/",
        "http://127.0.0.2/",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "https://name:secret@127.0.0.1/",
        "https:///",
        "//127.0.0.1/",
        "",
    ],
)
async def test_only_https_or_this_machine_by_its_name(own: Outgoing, url: str) -> None:
    message = await refusal(own, url)
    assert "does not begin with https://" in message
    assert "secret" not in message


async def test_http_to_a_host_of_our_network_is_only_for_what_the_operator_wrote_so(server: int) -> None:
    plain = Outgoing({"127.0.0.1", "cache.internal"}, may_be_plain=True)
    assert plain.is_usable("http://cache.internal:6081/")
    assert not plain.is_usable("http://other.internal/")
    assert not Outgoing({"cache.internal"}).is_usable("http://cache.internal:6081/")
    assert (await plain.send("PURGE", f"http://127.0.0.1:{server}/", {"X-Token": "x"})).status == 405
    plain.close()


@pytest.mark.parametrize(
    "host", ["127.0.0.2", "10.0.0.1", "169.254.169.254", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "localhost", "2130706433"]
)
async def test_our_network_is_closed_whatever_it_is_called(own: Outgoing, host: str) -> None:
    assert "in this network" in await refusal(own, f"https://{host}/")


async def test_name_that_resolves_into_our_network_is_refused(own: Outgoing, monkeypatch: pytest.MonkeyPatch) -> None:
    async def resolve(self: Any, host: str, port: int, family: Any = socket.AF_UNSPEC) -> list[tuple[int, Any]]:
        return [(socket.AF_INET, ("192.168.0.7", port)), (socket.AF_INET6, ("fd00::1", port, 0, 0))]

    monkeypatch.setattr(DefaultLoopResolver, "resolve", resolve)
    assert "The host evil.example is in this network" in await refusal(own, "https://evil.example/secret")


async def test_nothing_is_followed(own: Outgoing, server: int) -> None:
    reply = await own.get(f"http://127.0.0.1:{server}/?onward=http://127.0.0.1:{server}/")
    assert (reply.status, reply.body) == (302, b"")


async def test_nothing_long_is_taken(own: Outgoing, server: int) -> None:
    for asked in (f"size={LARGEST + 1}", "head=20000"):
        message = await refusal(own, f"http://127.0.0.1:{server}/?{asked}")
        assert "The host 127.0.0.1 does not answer" in message
        assert "size" not in message


async def test_nobody_there_is_a_sentence(own: Outgoing) -> None:
    _, port = bind_unused_port()
    _.close()
    assert "does not answer (ConnectionRefusedError)" in await refusal(own, f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize(
    ("address", "wanted"),
    [
        ("93.184.215.14", True),
        ("2606:4700::1111", True),
        ("::ffff:93.184.215.14", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("100.64.0.1", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("0.0.0.0", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("ff02::1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::a00:1", False),
        ("2002:a00:1::", False),
        ("::ffff:0:127.0.0.1", False),
        ("::127.0.0.1", False),
        ("fec0::1", False),
        ("5f00::1", False),
        ("3fff::1", False),
        ("192.88.99.1", False),
        ("fd00:ec2::254", False),
        ("100.100.100.200", False),
        ("192.0.0.192", False),
        ("168.63.129.16", False),
        ("::ffff:168.63.129.16", False),
        ("168.63.129.17", True),
    ],
)
def test_addresses_of_the_internet_are_told_from_others(address: str, wanted: bool) -> None:
    assert is_public(address) is wanted
