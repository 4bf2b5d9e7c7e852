"""One connection, where Tornado would close without a word: plain answers to what cannot be read or is too much, and time to hear them."""

import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from tornado.ioloop import IOLoop
from tornado.iostream import IOStream, StreamClosedError, UnsatisfiableReadError

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
    the connection ends; closed at once, it would be reset, and the answer lost (RFC 9112, 9.6)."""

    def __init__(self, connection: socket.socket, headers: Mapping[str, str], **options: Any) -> None:
        super().__init__(connection, **options)
        self._headers = headers
        self.has_head = False
        self.lingers = False
        self.moved_at = time.monotonic()  # when the other side last took something

    def turn_away(self) -> None:
        """Say that there is no room, and leave."""
        self.lingers = True
        answer = plain_answer(HTTPStatus.SERVICE_UNAVAILABLE, {**self._headers, "Retry-After": "5"})
        with suppress(StreamClosedError):
            self.write(answer)
            self.set_close_callback(lambda: None)  # it looks whether the other side has left
            self.close()

    def is_stuck(self, seconds: float) -> bool:
        """Whether there is something that the other side has not taken for so long."""
        return self.writing() and time.monotonic() - self.moved_at > seconds

    def write(self, data: bytes | memoryview) -> Any:
        return super().write(plain_answer(HTTPStatus.BAD_REQUEST, self._headers) if data == _TORNADO_SAYS else data)

    def write_to_fd(self, data: memoryview) -> int:
        written = super().write_to_fd(data)
        if written:
            self.moved_at = time.monotonic()
        return written

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
