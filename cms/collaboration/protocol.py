"""What goes over the socket: y-protocols (https://github.com/yjs/y-protocols/blob/master/PROTOCOL.md) and three messages of our own.

Numbers are lib0's variable ones: seven bits in a byte, the lowest first; texts and bytes have their length before them.
"""

import json
import math
from typing import Any

SYNC, AWARENESS, STORED, TOLD, IS = 0, 1, 100, 101, 102
STEP_1, STEP_2, UPDATE = 0, 1, 2  # of SYNC

GOING_AWAY, BROKEN, TRY_AGAIN = 1001, 1011, 1013
UNREADABLE, SIGNED_OUT, NOT_ALLOWED, GONE, OTHER_LINEAGE, TOO_MUCH, TOO_MANY = 4400, 4401, 4403, 4404, 4408, 4413, 4429
MAX_NUMBER = 2**53
MAX_CLOCK = 2**31  # of one client


class Refusal(Exception):
    """Ends a socket. ``code``: as above; the message is one sentence for the person."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


class Reader:
    """Reads one message. Raises ``Refusal`` where it cannot be read."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at, self.end = data, 0, len(data)

    @property
    def is_over(self) -> bool:
        return self.at >= self.end

    def byte(self) -> int:
        if self.at >= self.end:
            raise unreadable()
        self.at += 1
        return self.data[self.at - 1]

    def number(self) -> int:
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 127) << shift
            if byte < 128:
                break
            shift += 7
            if shift > 56:
                raise unreadable()
        if value >= MAX_NUMBER:
            raise unreadable()
        return value

    def skip(self, length: int) -> None:
        self.at += length
        if self.at > self.end:
            raise unreadable()

    def bytes(self) -> bytes:
        length = self.number()
        start = self.at
        self.skip(length)
        return self.data[start : self.at]

    def text(self) -> str:
        try:
            return self.bytes().decode()
        except UnicodeDecodeError:
            raise unreadable() from None


def unreadable() -> Refusal:
    return Refusal(UNREADABLE, "A message could not be read.")


def too_much() -> Refusal:
    return Refusal(TOO_MUCH, "This is more than may be sent at once.")


def number(value: int) -> bytes:
    found = bytearray()
    while value > 127:
        found.append(128 | value & 127)
        value >>= 7
    found.append(value)
    return bytes(found)


def framed(data: bytes) -> bytes:
    return number(len(data)) + data


def sync(step: int, data: bytes) -> bytes:
    return bytes((SYNC, step)) + framed(data)


def stored(count: int) -> bytes:
    return bytes((STORED,)) + number(count)


def told(kind: str, **words: Any) -> bytes:
    return bytes((TOLD,)) + framed(_json({"kind": kind, **words}))


def awareness(states: dict[int, tuple[int, Any]]) -> bytes:
    """``states``: Yjs client → its clock and state; None for one that has left."""
    entries = b"".join(number(client) + number(clock) + framed(_json(state)) for client, (clock, state) in states.items())
    return bytes((AWARENESS,)) + framed(number(len(states)) + entries)


def read_awareness(data: bytes) -> dict[int, tuple[int, Any]]:
    """As ``awareness`` takes it."""
    reader, states = Reader(data), dict[int, tuple[int, Any]]()
    for _ in range(reader.number()):
        client, clock = reader.number(), reader.number()
        try:
            states[client] = (clock, json.loads(reader.text(), parse_float=_finite, parse_constant=_finite))
        except (ValueError, RecursionError):
            raise unreadable() from None
        if clock >= MAX_CLOCK:
            raise unreadable()
    return states


def _finite(words: str) -> float:
    """JSON has no other numbers, though Python reads and writes them."""
    if not math.isfinite(value := float(words)):
        raise ValueError(words)
    return value


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
