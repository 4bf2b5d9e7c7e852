"""One connection, where Tornado would close without a word: plain answers to what cannot be read or is too much, and time to hear them."""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from tornado.ioloop import IOLoop
from tornado.iostream import IOStream, StreamClosedError, UnsatisfiableReadError

from cms.server.door import READ, Answer, FastDoor

LEAST = 4096  # bytes that the other side takes of an answer, to be waited for longer
IN_A_ROW = 32  # answers of the fast door, before others have a turn
LINGER = 2.0  # seconds in which somebody who is still sending may read why that is of no use
_TORNADO_SAYS = b"HTTP/1.1 400 Bad Request\r\n\r\n"
_SENTENCES = {
    HTTPStatus.BAD_REQUEST: "This is no request that can be read.",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "The address and the headers of a request may have 16 kB together.",
    HTTPStatus.SERVICE_UNAVAILABLE: "Too many are connected just now. Please try again in a moment.",
}


def plain_answer(status: HTTPStatus, headers: Mapping[str, str]) -> bytes:
    """What needs no request to be answered, and ends the connection."""
    body = f"{status.value} {_SENTENCES[status]}\n".encode()
    own = {
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Length": str(len(body)),
        "Cache-Control": "no-store",
        "Connection": "close",
    }
    lines = [f"HTTP/1.1 {status.value} {status.phrase}", *(f"{name}: {value}" for name, value in {**headers, **own}.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


class Stream(IOStream):
    """``has_head``: the headers of the request under way were read. ``lingers``: whoever is refused while he sends hears of it before
    the connection ends; closed at once, it would be reset, and the answer lost (RFC 9112, 9.6). ``received``, ``answer``: what the fast
    door has read and not answered, and what of its last answer was not taken."""

    def __init__(
        self,
        connection: socket.socket,
        headers: Mapping[str, str],
        door: FastDoor | None = None,
        received: bytes = b"",
        answer: Answer | None = None,
        **options: Any,
    ) -> None:
        super().__init__(connection, **options)
        self._headers = headers
        self._door = door
        self._received = received
        self._answer = answer
        self.has_head = False
        self.lingers = False
        self.moved_at = time.monotonic()  # when the other side last took something
        self._moved = 0  # bytes since then
        self.waits_since: float | None = None  # for a head

    async def _read_head(self, regex: bytes, max_bytes: int | None) -> bytes:
        """What others ask on this connection, perhaps through a proxy, the fast door answers here, too; and takes it back when nothing
        else comes."""
        in_a_row = 0
        while True:
            if self._answer is not None:
                answer, self._answer = self._answer, None
                await self.write(answer.content)
                if answer.ends:
                    self.close()
                    raise StreamClosedError
            self.waits_since = time.monotonic()
            if in_a_row == IN_A_ROW:
                in_a_row = 0
                await asyncio.sleep(0)  # nothing else makes this wait while there is always a next one, and its answer is taken
                await self._go_back()
            head = await super().read_until_regex(regex, max_bytes)
            self.waits_since = None
            self._answer = self._door.answer(head) if self._door else None
            if self._answer is None:
                return head
            in_a_row += 1

    async def _go_back(self) -> None:
        """To the fast door, with the next request: it costs less there. But not with many at once, which would take long."""
        received = await super().read_bytes(self.max_buffer_size, partial=True)  # all of it: nothing stays in Tornado's buffer
        if self._door is None or self._received or len(received) > READ:
            self._received = received + self._received
            return
        connection = self.socket.dup()
        self.close()
        self._door.take_back(connection, received)
        raise StreamClosedError

    def read_until_regex(self, regex: bytes, max_bytes: int | None = None) -> Awaitable[bytes]:
        """Of a connection to a server that is only used for heads."""
        return self._read_head(regex, max_bytes)

    def read_from_fd(self, buf: bytearray | memoryview) -> int | None:
        try:
            if not self._received:
                return super().read_from_fd(buf)
            received, self._received = self._received[: len(buf)], self._received[len(buf) :]
            buf[: len(received)] = received
            return len(received)
        finally:
            del buf  # 64 kB, that would stay with the traceback of a reset connection

    def turn_away(self, then: Callable[[], None]) -> None:
        """Say that there is no room, and leave."""
        self.lingers = True
        answer = plain_answer(HTTPStatus.SERVICE_UNAVAILABLE, {**self._headers, "Retry-After": "5"})
        with suppress(StreamClosedError):
            self.write(answer)
            self.set_close_callback(then)  # it looks whether the other side has left
            self.close()

    def is_silent(self, since: float) -> bool:
        """Whether nothing was asked since then, and all before it was answered."""
        return self.waits_since is not None and self.waits_since < since and not self.writing()

    def is_stuck(self, seconds: float) -> bool:
        """Whether for so long a head is waited for, or the other side has taken next to nothing of what there is for it."""
        since = self.moved_at if self.writing() else self.waits_since
        return since is not None and time.monotonic() - since > seconds

    def write(self, data: bytes | memoryview) -> Any:
        if not self.writing():
            self._begin()
        return super().write(plain_answer(HTTPStatus.BAD_REQUEST, self._headers) if data == _TORNADO_SAYS else data)

    def write_to_fd(self, data: memoryview) -> int:
        written = super().write_to_fd(data)
        self._moved += written
        if self._moved >= LEAST:
            self._begin()
        return written

    def _begin(self) -> None:
        self.moved_at, self._moved = time.monotonic(), 0

    def close(self, exc_info: Any = False) -> None:
        if isinstance(exc_info, UnsatisfiableReadError) and not self.has_head and not self.closed() and not self.writing():
            with suppress(OSError):
                self.socket.send(plain_answer(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, self._headers))
                self.socket.shutdown(socket.SHUT_WR)
        elif self.lingers and not self.closed():
            self.lingers = False
            with suppress(OSError):
                self.socket.shutdown(socket.SHUT_WR)
            IOLoop.current().call_later(LINGER, self.close)
            return
        super().close(exc_info)
