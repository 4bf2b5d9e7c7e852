"""Connections that Tornado reads: refused in time where they are too many or too long, and counted until their last byte is taken."""

import re
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPInputError,
    HTTPMessageDelegate,
    HTTPServerRequest,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.ioloop import PeriodicCallback
from tornado.iostream import IOStream

from cms.app import Squall
from cms.handlers.base import security_headers
from cms.server import door
from cms.server.accepting import Accepting
from cms.server.door import Answer, FastDoor
from cms.server.heads import LONGEST_HOST
from cms.server.stream import Stream

IDLE = 55.0  # seconds after which a silent or slow connection is closed: all of them are gone within a minute
TURNED_AWAY = 50  # connections that are told at one time that there is no room; more are closed without a word
LAST_CALL = 1.0  # seconds in which whoever kept a connection may send one more request before it ends
NEVER = 1e9  # seconds; Tornado would count those of a whole run of requests that the fast door answers
MAX_HEADER = 16 * 1024  # bytes
_ABSOLUTE = re.compile(r"https?://(?P<host>[^/?]+)(?P<path>.*)", re.IGNORECASE)


class Server(HTTPServer):
    """Knows what its handlers cannot: requests that are still coming in, answers that a slow reader has not taken yet, and how many
    are connected. ``idle``: seconds after which a silent or slow connection is closed. ``is_fast``: with the fast door before it."""

    def initialize(self, application: Squall, idle: float = IDLE, *, is_fast: bool = True) -> None:  # type: ignore[override]
        self._patience = idle * 59 / 60  # looked at sixty times in it
        super().initialize(application, max_header_size=MAX_HEADER, idle_connection_timeout=NEVER, body_timeout=self._patience)
        self._application = application
        self._most = application.parts.settings.connections
        self._headers = security_headers(application.parts.settings)
        self._streams: set[Stream] = set()
        self._leaving: set[Stream] = set()
        self.accepting: dict[socket.socket, Callable[[], None]] = {}
        self.arriving: set[object] = set()
        self.door = FastDoor(application.parts, application.access_log, application.hosts, application.asking(), self._take)
        self._is_fast = is_fast
        self._watch = PeriodicCallback(self._drop_silent, 1000 * idle / 60)

    @property
    def is_busy(self) -> bool:
        return bool(self.arriving) or any(stream.writing() for stream in self._streams)

    def add_sockets(self, sockets: Iterable[socket.socket]) -> None:
        for each in sockets:
            self.accepting[each] = Accepting(each, self._accept).stop

    def stop(self) -> None:
        """Take no more connections. What is asked on those that there are is answered for the last time."""
        while self.accepting:
            listening, stop_accepting = self.accepting.popitem()
            stop_accepting()
            listening.close()
        self._watch.stop()
        self.door.ends = self.conn_params.no_keep_alive = True
        self._stopped_at = time.monotonic()

    async def close_all_connections(self) -> None:
        self.door.close_silent(since=time.monotonic())
        await super().close_all_connections()

    def _accept(self, connection: socket.socket, address: Any) -> None:
        if not self._watch.is_running():
            self._watch.start()
        if len(self._streams) + len(self.door.held) >= self._most and not (self.door.make_room() or self._make_room()):
            self._turn_away(connection)
        elif self._is_fast:
            self.door.hold(connection, address)
        else:
            self._take(connection, address)

    def _make_room(self) -> bool:
        """Whoever takes longest over his head goes: else a few hundred who never end one would keep everybody out."""
        since = time.monotonic() - door.QUIET
        slow = (stream for stream in self._streams if stream.is_silent(since))
        longest = min(slow, key=lambda stream: stream.waits_since or 0, default=None)
        if longest is None:
            return False
        self._streams.discard(longest)
        longest.close()
        return True

    def _turn_away(self, connection: socket.socket) -> None:
        if len(self._leaving) >= TURNED_AWAY:
            connection.close()
            return
        stream = self._stream(connection)
        self._leaving.add(stream)
        stream.turn_away(lambda: self._leaving.discard(stream))

    def _take(self, connection: socket.socket, address: Any, received: bytes = b"", answer: Answer | None = None) -> None:
        self.handle_stream(self._stream(connection, received, answer), address)

    def _stream(self, connection: socket.socket, received: bytes = b"", answer: Answer | None = None) -> Stream:
        fast = self.door if self._is_fast else None
        sizes = {"max_buffer_size": self.max_buffer_size, "read_chunk_size": self.read_chunk_size}
        return Stream(connection, self._headers, fast, received, answer, **sizes)

    def handle_stream(self, stream: IOStream, address: tuple[Any, ...]) -> None:
        self._streams.add(stream)  # type: ignore[arg-type]  # ours make no others
        super().handle_stream(stream, address)

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        stream: Stream = server_conn.stream  # type: ignore[attr-defined]  # an HTTP1ServerConnection, which Tornado does not say
        stream.has_head = False
        return _Arrival(super().start_request(server_conn, request_conn), request_conn, stream, self.arriving, self._application)

    def on_close(self, server_conn: object) -> None:
        self._streams.discard(server_conn.stream)  # type: ignore[attr-defined]
        super().on_close(server_conn)

    def is_left(self) -> bool:
        """Whether everybody has gone, once it was stopped. Whoever is silent is not cut off at once: his next request may be on its way,
        and would be lost."""
        until = time.monotonic() - LAST_CALL
        if self._stopped_at < until:
            self.door.close_silent(since=until)
            for stream in [stream for stream in self._streams if stream.is_silent(since=until)]:
                stream.close()
        return not (self._streams or self.door.held or self.arriving)

    def _drop_silent(self) -> None:
        self.door.close_silent(since=time.monotonic() - self._patience)
        for stream in [stream for stream in self._streams if stream.is_stuck(self._patience)]:
            stream.close()


class _Arrival(HTTPMessageDelegate):
    """A request from its headers to its last byte; from there on its handler counts it. Refused as soon as it is known to be too long
    for its route: what it sends after that is passed over."""

    def __init__(
        self, delegate: HTTPMessageDelegate, connection: HTTPConnection, stream: Stream, arriving: set[object], application: Squall
    ) -> None:
        self._delegate = delegate
        self._connection = connection
        self._stream = stream
        self._arriving = arriving
        self._application = application

    def headers_received(self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders) -> Awaitable[None] | None:
        self._stream.has_head = True
        self._arriving.add(self)
        if not isinstance(start_line, RequestStartLine):
            raise TypeError  # it is a server's
        start_line = _in_origin_form(start_line, headers)
        if len(headers.get("Host", "")) > LONGEST_HOST:  # its port may have more digits than Python makes a number of
            raise HTTPInputError("too long a host")
        if "Content-Length" in headers or "Transfer-Encoding" in headers:
            self._start_line, self._headers = start_line, headers
            self._room = self._application.body_limit(start_line.path, headers)
            self._connection.set_max_body_size(sys.maxsize)  # type: ignore[attr-defined]  # HTTP1Connection has it; here it is counted
            if _announced(headers) > self._room:
                self._refuse()
                return None
        return self._delegate.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        if not self._is_refused:
            self._room -= len(chunk)
            if self._room >= 0:
                return self._delegate.data_received(chunk)
            self._delegate.on_connection_close()
            self._refuse()
        return None

    def finish(self) -> None:
        if not self._is_refused:
            self._delegate.finish()
            self._arriving.discard(self)

    def on_connection_close(self) -> None:
        if not self._is_refused:
            self._arriving.discard(self)
            self._delegate.on_connection_close()

    _is_refused = False

    def _refuse(self) -> None:
        self._is_refused = self._stream.lingers = True
        self._arriving.discard(self)
        request = HTTPServerRequest(connection=self._connection, start_line=self._start_line, headers=self._headers)
        self._application.refuse(request, 413)


def _announced(headers: HTTPHeaders) -> int:
    """Bytes of the body, as far as it says; Tornado refuses what is no number."""
    length = headers.get("Content-Length", "").partition(",")[0]
    return int(length) if length.isascii() and length.isdigit() and len(length) < 20 else 0


def _in_origin_form(start_line: RequestStartLine, headers: HTTPHeaders) -> RequestStartLine:
    """``GET http://HOST/PATH`` made ``GET /PATH`` of that host, whatever the Host header says (RFC 9112, 3.2.2)."""
    found = _ABSOLUTE.fullmatch(start_line.path)
    if found is None:
        return start_line
    headers["Host"] = found["host"]
    return start_line._replace(path=found["path"] if found["path"].startswith("/") else f"/{found['path']}")
