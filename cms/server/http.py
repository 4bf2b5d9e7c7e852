"""Connections that Tornado reads: refused in time where they are too many or too long, and counted until their last byte is taken."""

import re
import sys
from collections.abc import Awaitable
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPConnection, HTTPHeaders, HTTPMessageDelegate, HTTPServerRequest, RequestStartLine, ResponseStartLine
from tornado.ioloop import PeriodicCallback
from tornado.iostream import IOStream

from cms.app import Squall
from cms.handlers.base import security_headers
from cms.server.stream import Stream

IDLE = 60.0  # seconds after which a silent or slow connection is closed
MAX_HEADER = 16 * 1024  # bytes
_ABSOLUTE = re.compile(r"https?://(?P<host>[^/?]+)(?P<path>.*)", re.IGNORECASE)


class Server(HTTPServer):
    """Knows what its handlers cannot: requests that are still coming in, answers that a slow reader has not taken yet, and how many
    are connected. ``idle``: seconds after which a silent or slow connection is closed."""

    def initialize(self, application: Squall, idle: float = IDLE) -> None:  # type: ignore[override]
        super().initialize(application, max_header_size=MAX_HEADER, idle_connection_timeout=idle, body_timeout=idle)
        self._application = application
        self._most = application.parts.settings.connections
        self._headers = security_headers(application.parts.settings)
        self._streams: set[Stream] = set()
        self.arriving: set[object] = set()
        self._idle = idle
        self._watch = PeriodicCallback(self._drop_stuck, 250 * idle)

    @property
    def is_busy(self) -> bool:
        return bool(self.arriving) or any(stream.writing() for stream in self._streams)

    def handle_stream(self, stream: IOStream, address: tuple[Any, ...]) -> None:
        ours = Stream(stream.socket, self._headers, max_buffer_size=self.max_buffer_size, read_chunk_size=self.read_chunk_size)
        if len(self._streams) >= self._most:
            ours.turn_away()
            return
        self._streams.add(ours)
        if not self._watch.is_running():
            self._watch.start()
        super().handle_stream(ours, address)

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        stream: Stream = server_conn.stream  # type: ignore[attr-defined]  # an HTTP1ServerConnection, which Tornado does not say
        stream.has_head = False
        return _Arrival(super().start_request(server_conn, request_conn), request_conn, stream, self.arriving, self._application)

    def on_close(self, server_conn: object) -> None:
        self._streams.discard(server_conn.stream)  # type: ignore[attr-defined]
        super().on_close(server_conn)

    def stop(self) -> None:
        self._watch.stop()
        super().stop()

    def _drop_stuck(self) -> None:
        for stream in [stream for stream in self._streams if stream.is_stuck(self._idle)]:
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
