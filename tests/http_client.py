"""HTTP/1.1 and nothing else: no redirects, no look-ups of names, no rules about what may be sent.

Tests send tens of thousands of requests; Tornado's own client takes several times as long for each as the program takes to answer.
"""

import asyncio
import gzip
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from tornado.httputil import HTTPHeaders, HTTPInputError, parse_response_start_line

AGENT = "tests"
_WITHOUT_BODY = (204, 304)
_LAST_CHUNK = b"0\r\n\r\n"

Answer = tuple[int, HTTPHeaders, bytes]


async def fetch(method: str, url: str, headers: dict[str, str], body: bytes | None = None) -> Answer:
    """Status, headers and body; unpacked if ``headers`` did not ask for a coding."""
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    address, unpacks = (parts.hostname or "", parts.port or 80), "Accept-Encoding" not in headers
    sent = {
        "Host": parts.netloc,
        "Connection": "" if address in _idle else "close",
        "User-Agent": AGENT,
        **({"Accept-Encoding": "gzip"} if unpacks else {}),
        **headers,
    }
    if body is not None:
        sent = {"Content-Type": "application/x-www-form-urlencoded", **sent, "Content-Length": str(len(body))}
    head = "".join([f"{method} {target} HTTP/1.1\r\n", *(f"{name}: {value}\r\n" for name, value in sent.items() if value), "\r\n"])
    status, got, content = await _exchange(address, method, head.encode() + (body or b""))
    if unpacks and got.get("Content-Encoding") == "gzip":
        del got["Content-Encoding"]
        content = gzip.decompress(content) if content else b""
    return status, got, content


# --- connections -----------------------------------------------------------------------------------------------------------

_idle: dict[tuple[str, int], list["_Connection"]] = {}  # of the addresses to which one is kept


@contextmanager
def keeping(host: str, port: int) -> Iterator[None]:
    """One connection to this address is used again until the block ends: to open and to close one for each request costs both sides as
    much as many an answer."""
    idle: list[_Connection] = []
    _idle[host, port] = idle
    try:
        yield
    finally:
        del _idle[host, port]
        for each in idle:
            each.close()


async def _exchange(address: tuple[str, int], method: str, request: bytes) -> Answer:
    idle = _idle.get(address, [])
    connection = idle.pop() if idle else None
    if connection is not None and not connection.is_usable:
        await connection.leave()
        connection = None
    if connection is None:
        connection = await _Connection.to(address, ends=address not in _idle)
    try:
        return await connection.ask(method, request)
    finally:
        if connection.is_usable and not idle and idle is _idle.get(address):
            idle.append(connection)
        else:
            await connection.leave()


class _Connection(asyncio.Protocol):
    """``ends``: after one answer, and the other side is waited for to do that."""

    def __init__(self, connected: socket.socket, *, ends: bool) -> None:
        self._socket = connected
        self._ends = self._is_last = ends
        self._received = bytearray()
        self._asked = ""  # the method, until it is answered
        self._head: tuple[int, HTTPHeaders] | None = None  # of the answer
        self._end = asyncio.get_running_loop().create_future()

    @classmethod
    async def to(cls, address: tuple[str, int], *, ends: bool) -> "_Connection":
        loop, connected = asyncio.get_running_loop(), socket.socket()
        try:
            connected.setblocking(False)
            await loop.sock_connect(connected, address)
            _, made = await loop.create_connection(lambda: cls(connected, ends=ends), sock=connected)
        except BaseException:
            connected.close()
            raise
        return made

    async def ask(self, method: str, request: bytes) -> Answer:
        self._asked, self._answer = method, asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    @property
    def is_usable(self) -> bool:
        """All that was asked is answered, and the other side has neither closed it nor sent more."""
        if self._asked or self._is_last or self._transport.is_closing():
            return False
        try:
            self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            pass
        return False

    def close(self) -> None:
        self._transport.close()

    async def leave(self) -> None:
        self.close()
        await self._end

    # --- what the loop tells ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        self._look(is_all=False)

    def connection_lost(self, error: Exception | None) -> None:
        """The other side may close before it has heard everything: what it said before counts."""
        self._look(is_all=True)
        self._end.set_result(None)

    def _look(self, *, is_all: bool) -> None:
        if not self._asked or self._answer.done():  # by whoever does not wait for it any more
            return
        try:
            body = self._read(is_all=is_all)
        except (ConnectionError, ValueError, HTTPInputError) as error:
            self._answer.set_exception(error)
        else:
            if body is not None and self._head is not None:
                self._answer.set_result((*self._head, body))
                self._asked, self._head = "", None
                self._received.clear()

    def _read(self, *, is_all: bool) -> bytes | None:
        """The body; None while something is to come: more of it, or the end of the connection, if we asked for that."""
        if self._head is None:
            head, end, rest = self._received.partition(b"\r\n\r\n")
            if end:
                start, _, lines = head.decode("latin-1").partition("\r\n")
                self._head, self._received = (parse_response_start_line(start).code, HTTPHeaders.parse(lines)), rest
            elif is_all:
                raise ConnectionError(f"no answer to {self._asked}: {bytes(head[:100])!r}")
            else:
                return None
        status, headers = self._head
        if headers.get("Connection") == "close":
            self._is_last = True
        if self._ends and not is_all:
            return None
        if self._asked == "HEAD" or status in _WITHOUT_BODY:
            return b""
        if headers.get("Transfer-Encoding") == "chunked":
            body = _unchunked(bytes(self._received)) if self._received.endswith(_LAST_CHUNK) else None
            if body is None and is_all:
                raise ConnectionError("the last chunk is missing")
            return body
        length, whole = len(self._received), int(headers.get("Content-Length", len(self._received) if is_all else sys.maxsize))
        if length > whole or (is_all and length < whole):
            raise ConnectionError(f"{length} bytes of {whole}")
        return bytes(self._received) if length == whole else None


def _unchunked(rest: bytes) -> bytes | None:
    """None if there is more: one in the middle may end as the last one does."""
    whole = bytearray()
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size, 16)
        if not length:
            return bytes(whole)
        whole += rest[:length]
        rest = rest[length + 2 :]
    return None
