"""The socket that readers come to, bound before anything else is touched."""

import errno
import socket
from dataclasses import dataclass

from tornado.netutil import bind_sockets

from cms.errors import OperatorError
from cms.settings import Settings

BACKLOG = 1024  # connections that wait to be accepted, while many come at once; the system may take fewer


@dataclass(frozen=True, slots=True)
class Listening:
    """Raises ``OperatorError`` if one of the sockets, which somebody else has bound, is of another kind."""

    sockets: list[socket.socket]

    def __post_init__(self) -> None:
        for each in self.sockets:
            if each.family not in (socket.AF_INET, socket.AF_INET6) or each.type != socket.SOCK_STREAM:
                raise OperatorError("A socket was handed over that takes no TCP connections; its unit has to say ListenStream= and a port.")
            each.setblocking(False)

    @property
    def port(self) -> int:
        port: int = self.sockets[0].getsockname()[1]
        return port


def listen(settings: Settings) -> Listening:
    """Bind before anything else is touched. Raises ``OperatorError`` if the port is taken or the address is not this machine's."""
    try:
        return Listening(bind_sockets(settings.port, settings.host, backlog=BACKLOG))
    except OSError as error:
        raise OperatorError(_why_not(error, settings)) from None


def _why_not(error: OSError, settings: Settings) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {settings.port} is taken by another program; stop that one or choose another with --port."
    if error.errno == errno.EACCES:
        return f"Port {settings.port} may not be opened by this user; choose one above 1023 with --port."
    return f"Squall cannot listen on {settings.host}: {error.strerror or error}; choose another with --host."
