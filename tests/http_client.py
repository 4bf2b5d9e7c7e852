"""One request over one connection, and nothing else: no redirects, no look-ups of names, no rules about what may be sent.

Tests send tens of thousands; Tornado's own client takes several times as long for each as the program takes to answer.
"""

import asyncio
import gzip
from contextlib import suppress
from urllib.parse import urlsplit

from tornado.httputil import HTTPHeaders, parse_response_start_line

AGENT = "tests"
_WITHOUT_BODY = (204, 304)


async def fetch(method: str, url: str, headers: dict[str, str], body: bytes | None = None) -> tuple[int, HTTPHeaders, bytes]:
    """Status, headers and body; unpacked if ``headers`` did not ask for a coding."""
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    unpacks = "Accept-Encoding" not in headers
    sent = {
        "Host": parts.netloc,
        "Connection": "close",
        "User-Agent": AGENT,
        **({"Accept-Encoding": "gzip"} if unpacks else {}),
        **headers,
    }
    if body is not None:
        sent = {"Content-Type": "application/x-www-form-urlencoded", **sent, "Content-Length": str(len(body))}
    head = "".join([f"{method} {target} HTTP/1.1\r\n", *(f"{name}: {value}\r\n" for name, value in sent.items() if value), "\r\n"])
    received = await _exchange(parts.hostname or "", parts.port or 80, head.encode() + (body or b""))
    status, got, content = _read(method, received)
    if unpacks and got.get("Content-Encoding") == "gzip":
        del got["Content-Encoding"]
        content = gzip.decompress(content) if content else b""
    return status, got, content


async def _exchange(host: str, port: int, request: bytes) -> bytes:
    """All that comes back until the other side closes, which it may do before it has heard everything."""
    reader, writer = await asyncio.open_connection(host, port)
    received = bytearray()
    try:
        with suppress(ConnectionError):
            writer.write(request)
            while piece := await reader.read(65536):
                received += piece
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
    return bytes(received)


def _read(method: str, received: bytes) -> tuple[int, HTTPHeaders, bytes]:
    head, end, rest = received.partition(b"\r\n\r\n")
    if not end:
        raise ConnectionError(f"no answer to {method}: {received[:100]!r}")
    start, _, lines = head.decode("latin-1").partition("\r\n")
    status, headers = parse_response_start_line(start).code, HTTPHeaders.parse(lines)
    if method == "HEAD" or status in _WITHOUT_BODY:
        return status, headers, b""
    if headers.get("Transfer-Encoding") == "chunked":
        return status, headers, _unchunked(rest)
    if len(rest) != int(headers.get("Content-Length", len(rest))):
        raise ConnectionError(f"{len(rest)} bytes of {headers['Content-Length']}")
    return status, headers, rest


def _unchunked(rest: bytes) -> bytes:
    whole = bytearray()
    while True:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size, 16)
        if not length:
            return bytes(whole)
        whole += rest[:length]
        rest = rest[length + 2 :]
