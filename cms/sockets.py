"""A WebSocket for many short messages: what has come is read at once and sent at once, where Tornado makes futures for four parts of a
frame and turns the loop twice. What a frame is, and which ones end the socket, is Tornado's to say all the same.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from types import coroutine

from tornado.ioloop import IOLoop
from tornado.iostream import StreamBufferFullError, StreamClosedError
from tornado.websocket import WebSocketProtocol13

from cms.telemetry import log

SLICE = 0.001  # seconds of messages until the loop looks what else there is
TOO_BIG = 1009  # Tornado's code for a message that is longer than it may be
CHUNK = 64 * 1024  # bytes that are taken from a connection at once; so many that wait, and it is not listened to
_came = bytearray(CHUNK)  # of whichever connection is just read


class _Turns:
    """Connections with something to read. Each in turn gets one message read; after a ``SLICE`` everybody else has his turn: whoever
    asks for a page does not wait until all that was typed is read."""

    def __init__(self) -> None:
        self._waiting: deque[Wire] = deque()

    def want(self, wire: "Wire") -> None:
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._run)
        self._waiting.append(wire)

    def _run(self) -> None:
        until = time.perf_counter() + SLICE
        while self._waiting:
            wire = self._waiting.popleft()
            if wire.read():
                self._waiting.append(wire)
            if self._waiting and time.perf_counter() >= until:
                asyncio.get_running_loop().call_soon(self._run)
                return


_turns = _Turns()


class Wire(asyncio.BufferedProtocol):
    """The connection, as Tornado wants it of a stream. ``most``: bytes that wait for somebody who does not read."""

    def __init__(self, most: int) -> None:
        self.io_loop = IOLoop.current()
        self.ended = asyncio.get_running_loop().create_future()
        self._most = most
        self._unread, self._at = bytearray(), 0
        self._frames: Coroutine[bool, None, None] | None = None
        self._is_over = self._is_waiting = False
        self._written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._written.set_result(None)

    # --- what asyncio calls ---

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport
        transport.pause_reading()
        transport.set_write_buffer_limits(high=0)

    def get_buffer(self, _: int) -> bytearray:
        return _came

    def buffer_updated(self, count: int) -> None:
        if self._is_over:
            return  # what is not taken would have the reason for that lost on the way
        self._unread += memoryview(_came)[:count]
        if self._frames and not self._is_waiting:
            self._want()
        elif len(self._unread) > CHUNK:
            self._transport.pause_reading()

    def pause_writing(self) -> None:
        self._written = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        self._written.set_result(None)

    def connection_lost(self, _: Exception | None) -> None:
        if self._frames:
            self._frames.close()
        self._written.cancel()
        if not self.ended.done():  # cancelled, when the program ends
            self.ended.set_result(None)

    # --- what the frames call ---

    def follow(self, frames: Coroutine[bool, None, None]) -> None:
        """Have them read by ``frames`` from now on."""
        self._frames = frames
        self._transport.resume_reading()
        if self._unread:  # which Python 3.11.2 brings although it was asked to wait
            self._want()

    def _want(self) -> None:
        self._is_waiting = True
        _turns.want(self)

    def read(self) -> bool:
        """One message, or as much of it as is there. Whether there is more to read."""
        try:
            has_more = self._frames is not None and not self._is_over and self._frames.send(None)
        except StopIteration:
            has_more, self._is_over = False, True
        except Exception as error:
            if not isinstance(error, StreamClosedError | StreamBufferFullError):
                log.exception("a socket was not read")
            self.close()
            has_more, self._is_over = False, True
        if not has_more:
            self._is_waiting = False
            self._transport.resume_reading()
        return has_more

    @property
    def is_read(self) -> bool:
        return self._at == len(self._unread)

    async def read_bytes(self, count: int) -> bytes:
        while len(self._unread) - self._at < count:
            del self._unread[: self._at]
            self._at = 0
            await _turn(False)
        start, self._at = self._at, self._at + count
        return bytes(memoryview(self._unread)[start : self._at])

    # --- what Tornado calls ---

    def write(self, data: bytes) -> asyncio.Future[None]:
        if self._transport.is_closing():
            raise StreamClosedError
        if self._transport.get_write_buffer_size() + len(data) > self._most:
            raise StreamBufferFullError
        self._transport.write(data)
        return self._written

    def closed(self) -> bool:
        return self._transport.is_closing()

    def close(self) -> None:
        self._transport.abort()


@coroutine
def _turn(has_more: bool) -> Generator[bool, None, None]:
    """Let the others have theirs."""
    yield has_more


class _TooLong(Exception):
    """A message, of which no more is read."""


class Frames(WebSocketProtocol13):
    """To be given the connection by ``begin`` before anything is sent."""

    _wire: Wire | None = None

    async def begin(self, most: int, refuse: Callable[[], None]) -> None:
        """``refuse``: called to close it when a message comes that is too long to be read."""
        self._refuse = refuse
        stream, wire = self.stream, Wire(most)
        try:
            await stream.write(b"")  # until all that was written is sent
        except StreamClosedError:
            self._abort()
            return
        stream.io_loop.remove_handler(stream.socket)
        await asyncio.get_running_loop().connect_accepted_socket(lambda: wire, stream.socket)
        self._wire = self.stream = wire  # type: ignore[assignment]  # it can what Tornado wants of it here

    async def _receive_frame_loop(self) -> None:
        try:
            if self._wire:
                self._wire.follow(self._read_all(self._wire))
                await self._wire.ended
        finally:
            self.handler.on_ws_connection_close(self.close_code, self.close_reason)

    async def _read_all(self, wire: Wire) -> None:
        try:
            while not self.client_terminated:
                await self._receive_frame()
                await _turn(not wire.is_read)
        except _TooLong:
            self._refuse()

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        if code == TOO_BIG:  # Tornado would cut the connection, and nobody be told why
            raise _TooLong
        super().close(code, reason)

    async def _read_bytes(self, n: int) -> bytes:
        return await self.stream.read_bytes(n)

    def send(self, message: bytes) -> None:
        """Raises ``StreamClosedError`` and ``StreamBufferFullError``."""
        self._write_frame(True, 2, message)
