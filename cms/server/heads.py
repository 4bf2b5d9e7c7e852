"""What the head of a request says, if it is one of the plain kind that the fast door answers; anything odd is left to Tornado.

Stricter than HTTP: of two readers of one request the stricter never sees an end, a host or a header that the other does not.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from tornado.httputil import split_host_and_port

from cms.content_coding import preference

LONGEST_HOST = 300  # signs: a name has 255 of them, a port five
MOST = 512  # of each that are remembered: browsers and proxies send the same ones with each request

# GET or HEAD, a path, and perhaps a query with fewer fields than would be refused.
_FIRST = re.compile(rb"(GET|HEAD) (/[!->@-~]*)(\?[!-~]{0,900})? HTTP/1\.1")
_LINES = re.compile(rb"(?:\r\n[!#$%&'*+.^_`|~0-9A-Za-z-]++:[ -~]*+)+\r\n\r\n")  # no group with "++", which Python 3.11.2 never finds
_TELLING = re.compile(
    rb"\r\n(host|cookie|connection|accept-encoding|if-none-match"
    rb"|content-[^:]*|transfer-encoding|trailer|te|expect|upgrade|range|if-range):(?: *([!-~](?:[ -~]*[!-~])?))? *(?=\r)",
    re.IGNORECASE,
)
_KNOWN = {b"host", b"cookie", b"connection", b"accept-encoding", b"if-none-match"}
_PERSONAL = re.compile(rb"(?:^|;) *(?:__Host-)?(?:session|opened|flash) *=")  # a cookie with which there are other answers
_HOST = re.compile(rf"[A-Za-z0-9._:\[\]-]{{1,{LONGEST_HOST}}}")
_ENDS = {b"": False, b"keep-alive": False, b"close": True}


@dataclass(frozen=True, slots=True)
class Head:
    """``host``: without the port. ``preference``: of codings. ``known``: what If-None-Match names. ``ends``: no more requests follow."""

    host: str
    preference: str
    known: bytes | None
    ends: bool


@lru_cache(MOST)
def read_first(line: bytes) -> tuple[str, str, str] | None:
    """Method, path, and the query with its question mark, if there is one. None, here and below: not to be answered without a closer
    look."""
    found = _FIRST.fullmatch(line)
    return (found[1].decode(), found[2].decode(), (found[3] or b"").decode()) if found else None


@lru_cache(MOST)
def read(lines: bytes) -> Head | None:
    """``lines``: of the headers, from the end of the first line to the empty one, and nothing behind it."""
    if not _LINES.fullmatch(lines):
        return None
    found = _TELLING.findall(lines)
    told = {name.lower(): value for name, value in found}
    if len(told) != len(found) or not told.keys() <= _KNOWN:
        return None
    host, ends = told.get(b"host", b"").decode(), _ENDS.get(told.get(b"connection", b"").lower())
    if ends is None or not _HOST.fullmatch(host) or _PERSONAL.search(told.get(b"cookie", b"")):
        return None
    name = split_host_and_port(host.lower())[0]
    return Head(name, preference(told.get(b"accept-encoding", b"").decode()), told.get(b"if-none-match"), ends)
