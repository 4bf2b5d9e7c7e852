"""Answers as they are sent: the bytes that are the same each time a page goes out in one coding, put together once."""

from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus

_OF_WHAT_IS_SENT = ("Content-Type", "Content-Encoding", "Content-Language")  # not in a 304 (RFC 9110, 15.4.5)


@dataclass(frozen=True, slots=True)
class Wire:
    """``start`` ends before the request's id, and ``head`` begins behind the value of Date: what stands between is each answer's own.
    ``known_start`` and ``known_head``: of the answer to somebody who has it already."""

    coding: str
    etag: bytes
    start: bytes
    head: bytes
    body: bytes
    known_start: bytes
    known_head: bytes

    @classmethod
    def of(cls, status: int, coding: str, headers: Iterable[tuple[str, str]], body: bytes) -> "Wire":
        headers = list(headers)
        others = [(name, value) for name, value in headers if name not in _OF_WHAT_IS_SENT]
        return cls(
            coding,
            dict(headers)["Etag"].encode("latin-1"),
            _start(status),
            _head([*headers, ("Content-Length", str(len(body)))]),
            body,
            _start(304),
            _head(others),
        )


def _start(status: int) -> bytes:
    return f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nX-Request-Id: ".encode()


def _head(headers: Iterable[tuple[str, str]]) -> bytes:
    return "".join(["\r\n", *(f"{name}: {value}\r\n" for name, value in headers)]).encode("latin-1")
