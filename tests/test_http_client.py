"""What tests ask with: where an answer ends, and when a connection is used again."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.http_client import fetch, keeping

HEAD = b"HTTP/1.1 200 OK\r\n"


class Peer:
    """Answers each request with the next of ``answers``, in pieces; "" closes. ``connections``: how many there were, and are."""

    def __init__(self) -> None:
        self.answers: list[list[bytes]] = []
        self.connections = [0, 0]
        self.asked: list[bytes] = []

    async def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections = [number + 1 for number in self.connections]
        try:
            while head := await reader.read(65536):
                self.asked.append(head)
                for piece in self.answers.pop(0):
                    if not piece:
                        return
                    writer.write(piece)
                    await asyncio.sleep(0.001)
        finally:
            self.connections[1] -= 1
            writer.close()


@pytest.fixture
async def peer() -> AsyncIterator[tuple[Peer, int]]:
    peer = Peer()
    server = await asyncio.start_server(peer.meet, "127.0.0.1", 0)
    yield peer, server.sockets[0].getsockname()[1]
    server.close()


async def test_a_connection_that_is_kept_is_used_again(peer: tuple[Peer, int]) -> None:
    other, port = peer
    url = f"http://127.0.0.1:{port}/"
    other.answers = [
        [HEAD + b"Content-Le", b"ngth: 3\r\n\r\na", b"bc"],
        [HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\n0\r\n\r\n", b"2\r\nde\r\n0\r\n\r\n"],
        [HEAD + b"Content-Length: 9\r\n\r\n"],
        [b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"],
    ]
    with keeping("127.0.0.1", port):
        bodies = [(await fetch(method, url, {}))[2] for method in ("GET", "GET", "HEAD", "GET")]
        assert other.connections == [1, 1]
        assert not any(b"Connection:" in each for each in other.asked)
    assert bodies == [b"abc", b"0\r\nde", b"", b""]
    while other.connections[1]:
        await asyncio.sleep(0.001)


@pytest.mark.parametrize(
    "first", [[HEAD + b"Content-Length: 1\r\n\r\na", b""], [HEAD + b"Connection: close\r\nContent-Length: 1\r\n\r\na"]]
)
async def test_one_that_ends_is_not(peer: tuple[Peer, int], first: list[bytes]) -> None:
    other, port = peer
    other.answers = [first, [HEAD + b"Content-Length: 1\r\n\r\nb"]]
    with keeping("127.0.0.1", port):
        assert (await fetch("GET", f"http://127.0.0.1:{port}/", {}))[2] == b"a"
        await asyncio.sleep(0.01)
        assert (await fetch("GET", f"http://127.0.0.1:{port}/", {}))[2] == b"b"
    assert other.connections[0] == 2


@pytest.mark.parametrize(
    "half", [b"", b"HTTP/1.1 200 OK\r\n", HEAD + b"Content-Length: 2\r\n\r\na", HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nab"]
)
@pytest.mark.parametrize("is_kept", [True, False])
async def test_half_an_answer_is_none(peer: tuple[Peer, int], half: bytes, is_kept: bool) -> None:
    other, port = peer
    other.answers = [[half, b""]]
    with keeping("127.0.0.1", port if is_kept else 1), pytest.raises(ConnectionError):
        await fetch("GET", f"http://127.0.0.1:{port}/", {})
    assert other.connections[0] == 1


async def test_what_is_not_kept_is_read_to_its_end(peer: tuple[Peer, int]) -> None:
    other, port = peer
    other.answers = [[HEAD + b"\r\nab", b"c", b""]]
    assert (await fetch("GET", f"http://127.0.0.1:{port}/", {}))[2] == b"abc"
    assert b"\r\nConnection: close\r\n" in other.asked[0]
