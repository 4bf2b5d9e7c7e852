"""The process: sockets, start, signals, draining."""

import asyncio
import contextlib
import errno
import re
import signal
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPConnection, HTTPHeaders, HTTPMessageDelegate, RequestStartLine, ResponseStartLine
from tornado.iostream import IOStream
from tornado.netutil import bind_sockets

from cms.app import Squall
from cms.errors import OperatorError
from cms.settings import Settings
from cms.telemetry import log

DRAIN = 10.0  # seconds that requests under way are given to finish
IDLE = 60.0  # seconds after which a silent or slow connection is closed
MAX_HEADER = 16 * 1024  # bytes
MAX_ANONYMOUS_BODY = 64 * 1024  # bytes; sign-in and set-up are all that somebody without a session sends
MAX_BODY = 25 * 1000 * 1000  # bytes; the largest form is the editor's, with a text that may be percent-encoded
_ABSOLUTE = re.compile(r"https?://(?P<host>[^/?]+)(?P<path>.*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Listening:
    sockets: list[socket.socket]
    port: int


def listen(settings: Settings) -> Listening:
    """Bind before anything else is touched. Raises ``OperatorError`` if the port is taken or the address is not this machine's."""
    try:
        sockets = bind_sockets(settings.port, settings.host)
    except OSError as error:
        raise OperatorError(_why_not(error, settings)) from None
    return Listening(sockets, sockets[0].getsockname()[1])


def _why_not(error: OSError, settings: Settings) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {settings.port} is taken by another program; stop that one or choose another with --port."
    if error.errno == errno.EACCES:
        return f"Port {settings.port} may not be opened by this user; choose one above 1023 with --port."
    return f"Squall cannot listen on {settings.host}: {error.strerror or error}; choose another with --host."


async def serve(application: Squall, listening: Listening, ready: Callable[[], Awaitable[None]], background: Awaitable[None]) -> None:
    """Answer until SIGTERM or SIGINT; then finish what is under way and leave. ``background`` runs meanwhile and is cancelled."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = Server(application, max_body_size=MAX_BODY, max_header_size=MAX_HEADER, idle_connection_timeout=IDLE, body_timeout=IDLE)
    work = asyncio.ensure_future(background)
    try:
        await application.start()
        server.add_sockets(listening.sockets)
        await ready()
        await stop.wait()
    finally:
        await _drain(server, application)
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work
        await application.close()


async def _drain(server: "Server", application: Squall) -> None:
    server.stop()
    log.info("stopping", under_way=application.parts.under_way)
    deadline = asyncio.get_running_loop().time() + DRAIN
    while (application.parts.under_way > 0 or server.is_busy) and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110 - of three kinds
        await asyncio.sleep(0.02)
    await server.close_all_connections()


class Server(HTTPServer):
    """Knows what its handlers cannot: requests that are still coming in, and answers that a slow reader has not taken yet."""

    def initialize(self, application: Squall, **options: Any) -> None:  # type: ignore[override]
        super().initialize(application, **options)
        self._application = application
        self.arriving: set[object] = set()
        self._streams: dict[object, IOStream] = {}

    @property
    def is_busy(self) -> bool:
        return bool(self.arriving) or any(stream.writing() for stream in self._streams.values())

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        self._streams[server_conn] = server_conn.stream  # type: ignore[attr-defined]  # an HTTP1ServerConnection, which Tornado does not say
        return _Arrival(super().start_request(server_conn, request_conn), request_conn, self.arriving, self._application.has_session)

    def on_close(self, server_conn: object) -> None:
        self._streams.pop(server_conn, None)
        super().on_close(server_conn)


class _Arrival(HTTPMessageDelegate):
    """Counts a request from its headers to its last byte. From there on its handler counts it."""

    def __init__(
        self, delegate: HTTPMessageDelegate, connection: HTTPConnection, arriving: set[object], has_session: Callable[[HTTPHeaders], bool]
    ) -> None:
        self._delegate = delegate
        self._connection = connection
        self._arriving = arriving
        self._has_session = has_session

    def headers_received(self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders) -> Awaitable[None] | None:
        self._arriving.add(self)
        if isinstance(start_line, RequestStartLine):
            start_line = _in_origin_form(start_line, headers)
        if not self._has_session(headers):
            self._connection.set_max_body_size(MAX_ANONYMOUS_BODY)  # type: ignore[attr-defined]  # HTTP1Connection has it
        return self._delegate.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        return self._delegate.data_received(chunk)

    def finish(self) -> None:
        self._delegate.finish()
        self._arriving.discard(self)

    def on_connection_close(self) -> None:
        self._arriving.discard(self)
        self._delegate.on_connection_close()


def _in_origin_form(start_line: RequestStartLine, headers: HTTPHeaders) -> RequestStartLine:
    """``GET http://HOST/PATH`` made ``GET /PATH`` of that host, whatever the Host header says (RFC 9112, 3.2.2)."""
    found = _ABSOLUTE.fullmatch(start_line.path)
    if found is None:
        return start_line
    headers["Host"] = found["host"]
    return start_line._replace(path=found["path"] if found["path"].startswith("/") else f"/{found['path']}")
