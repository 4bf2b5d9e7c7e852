"""Requests byte by byte, and the answers as they come, over a socket that waits: for threads beside the program's loop."""

import re
import socket
import time
from collections.abc import Iterable
from contextlib import suppress

PAUSE = 0.003  # seconds between packets, so that each is read by itself
LAST = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

_DATE = re.compile(rb"(?<=\r\nDate: )[^\r]+")
_NUMBER = re.compile(rb"\r\nX-Request-Id: ([^\r]+)")
_TOKEN = re.compile(rb"2\|[0-9a-f]{8}\|[0-9a-f]+\|[0-9]+|expires=[^;]+|\"[0-9a-f]{40}\"")  # in forms, and what is made of their pages


def request(target: str = "/", *lines: str, method: str = "GET", version: str = "HTTP/1.1", host: str = "localhost") -> bytes:
    head = [f"{method} {target} {version}", *([f"Host: {host}"] if host else []), *lines, "", ""]
    return "\r\n".join(head).encode("latin-1")


def exchange(port: int, packets: Iterable[bytes], patience: float = 10) -> bytes:
    """All that comes back until the other side closes, which it does after the last request, if not before."""
    received = bytearray()
    with socket.create_connection(("127.0.0.1", port), timeout=patience) as connection, suppress(ConnectionError):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with suppress(ConnectionError):
            for number, packet in enumerate(packets):
                if number:
                    time.sleep(PAUSE)
                connection.sendall(packet)
        while piece := connection.recv(1 << 16):
            received += piece
    return bytes(received)


def comparable(answers: bytes) -> bytes:
    """Without what is each answer's own: its time, its number, which error pages name in the text, too, and the token of a form."""
    for number in set(_NUMBER.findall(answers)):
        answers = answers.replace(number, b"number")
    return _TOKEN.sub(b"token", _DATE.sub(b"date", answers))
