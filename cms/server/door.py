"""The fast door: plain requests for pages that are kept are answered below the HTTP parser; all others go on to Tornado.

A connection is held here, as a socket and three words, for as long as each of its requests is of that kind (``heads.py`` says which).
What cannot be answered at first sight, whatever the reason, is handed on with the bytes that were read. Nobody sees a difference: what is
sent is what a ``SiteHandler`` would send (``tests/server/test_same_answers.py``).
"""

import asyncio
import re
import socket
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from email.utils import formatdate
from operator import attrgetter
from os import urandom
from typing import Any

from cms.handlers.base import Parts
from cms.handlers.site.base import SiteHandler
from cms.page_cache.cache import Page
from cms.page_cache.wire import Wire
from cms.server.heads import read, read_first
from cms.telemetry import AccessLog

READ = 8192  # bytes that are looked at; a longer head is not of the plain kind
IDS = 256  # made at once
QUIET = 1.0  # seconds, after which it is unlikely that a next request is on its way just now
_EMPTY_LINE = b"\r\n\r\n"
_GOES_ON, _ENDS = b"\r\n", b"Connection: close\r\n\r\n"


@dataclass(slots=True)
class Answer:
    """``used``: bytes of the request that it answers. ``ends``: the connection ends with it."""

    content: bytes
    used: int
    ends: bool


@dataclass(slots=True, eq=False)
class Held:
    """A connection that never left the door. ``heard_at``: when it last sent something."""

    socket: socket.socket
    address: Any
    heard_at: float


# Takes a connection, its address, what was read and not answered, and the answer of which something was not taken.
HandOn = Callable[[socket.socket, Any, bytes, Answer | None], None]


class FastDoor:
    """``hosts``: that are answered. ``asking``: paths at which a query asks for another page."""

    def __init__(self, parts: Parts, lines: AccessLog, hosts: frozenset[str], asking: Iterable[re.Pattern[str]], hand_on: HandOn) -> None:
        self.held: set[Held] = set()
        self.ends = False  # each answer is the last of its connection
        self._site, self._pages, self._files = parts.door, parts.pages, parts.files
        self._answers, self._lines = parts.metrics.answers, lines
        self._hosts, self._asking, self._hand_on = hosts, tuple(asking), hand_on
        self._ids: list[bytes] = []
        self._second, self._date = 0, b""

    # --- answers ---

    def answer(self, received: bytes) -> Answer | None:
        """The answer to the first request of what was received; None if it is not for us, or not yet complete."""
        began = time.time()
        end, used = received.find(b"\r\n"), len(received)
        asked, head = read_first(received[:end]), read(received[end:])
        if head is None:  # as there is more behind it, perhaps
            used = received.find(_EMPTY_LINE) + len(_EMPTY_LINE)
            head = read(received[end:used])
        if asked is None or head is None or head.host not in self._hosts:
            return None
        method, path, query = asked
        page = self._find(path, query)
        if page is None:
            return None
        wire = page.wires.get(head.preference) or self._wire(page, head.preference)
        status, start, headers, body = page.status, wire.start, wire.head, wire.body
        if head.known is not None and status == 200 and (head.known == b"*" or wire.etag in head.known):
            status, start, headers, body = 304, wire.known_start, wire.known_head, b""
        elif method == "HEAD":
            body = b""
        if int(began) != self._second:
            self._look_at_the_clock(int(began))
        number, ends = self._ids.pop() if self._ids else self._new_id(), head.ends or self.ends
        content = b"".join((start, number, self._date, headers, _ENDS if ends else _GOES_ON, body))
        seconds = time.time() - began
        self._answers.note(SiteHandler.face, method, status, seconds)
        self._answers.at_the_door += 1
        if self._lines.wants(status):
            self._lines.note(method, path, status, seconds, number.decode())
        return Answer(content, used, ends)

    def _find(self, path: str, query: str) -> Page | None:
        """The page that is the answer for everybody, if that is known without asking."""
        if not query:
            page = self._pages.find(path) if self._site.is_open else None
        else:
            page = self._files.get(path + query) or (self._find_queried(path, query) if self._site.is_open else None)
        return None if page is None or page.is_noted else page

    def _find_queried(self, path: str, query: str) -> Page | None:
        """By the whole address where the query counts, in the spelling in which it is kept; else by the path, but for redirects, which
        take the query along."""
        if any(pattern.match(path) for pattern in self._asking):
            return self._pages.find(path + query)
        page = self._pages.find(path)
        return None if page is None or page.status == 301 else page

    def _wire(self, page: Page, preference: str) -> Wire:
        coding = next(coding for coding in preference.split() if coding in page.bodies)
        same = (wire for wire in page.wires.values() if wire.coding == coding)
        wire = next(same, None) or Wire.of(page.status, coding, page.headers_in(coding), page.bodies[coding])
        page.wires[preference] = wire
        return wire

    def _new_id(self) -> bytes:
        """As random as a handler's, for a fraction of what one costs that is made by itself."""
        made = urandom(16 * IDS).hex().encode()
        self._ids = [made[start : start + 32] for start in range(0, len(made), 32)]
        return self._ids.pop()

    def _look_at_the_clock(self, second: int) -> None:
        self._second = second
        self._date = f"\r\nDate: {formatdate(second, usegmt=True)}".encode()

    # --- connections ---

    def hold(self, connection: socket.socket, address: Any) -> Held:
        connection.setblocking(False)
        with suppress(OSError):  # it has left already, or is no TCP
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        held = Held(connection, address, time.monotonic())
        self.held.add(held)
        asyncio.get_running_loop().add_reader(connection, self._read, held)
        return held

    def take_back(self, connection: socket.socket, received: bytes) -> None:
        """One that was handed on, and asks for nothing now but what is answered here."""
        try:
            address = connection.getpeername()
        except OSError:  # it has left already
            connection.close()
        else:
            self._hear(self.hold(connection, address), received)

    def close_silent(self, since: float) -> None:
        """Those of which nothing was heard since then."""
        for held in [held for held in self.held if held.heard_at < since]:
            self._close(held)

    def make_room(self) -> bool:
        """Whoever was silent longest goes: nothing is lost but the way here."""
        longest = min(self.held, key=attrgetter("heard_at"), default=None)
        if longest is None or longest.heard_at > time.monotonic() - QUIET:
            return False
        self._close(longest)
        return True

    def _read(self, held: Held) -> None:
        try:
            received = held.socket.recv(READ)
        except BlockingIOError:
            return
        except OSError:  # reset
            received = b""
        self._hear(held, received)

    def _hear(self, held: Held, received: bytes) -> None:
        """Nothing: the other side has left."""
        try:
            if received:
                held.heard_at = time.monotonic()
                self._answer_all(held, received)
            else:
                self._close(held)
        except OSError:  # reset
            self._close(held)
        except Exception:  # nobody waits for an answer that does not come; the loop writes down why
            self._close(held)
            raise

    def _answer_all(self, held: Held, received: bytes) -> None:
        """In the order in which they came."""
        while received:
            answer = self.answer(received)
            if answer is None:
                self._let_go(held)
                self._hand_on(held.socket, held.address, received, None)
                return
            received = received[answer.used :]
            sent = self._send(held.socket, answer.content)
            if sent < len(answer.content):
                self._let_go(held)
                self._hand_on(held.socket, held.address, received, Answer(answer.content[sent:], 0, answer.ends))
                return
            if answer.ends:
                self._close(held)
                return

    def _send(self, connection: socket.socket, content: bytes) -> int:
        try:
            return connection.send(content)
        except BlockingIOError:
            return 0

    def _close(self, held: Held) -> None:
        self._let_go(held)
        held.socket.close()

    def _let_go(self, held: Held) -> None:
        asyncio.get_running_loop().remove_reader(held.socket)
        self.held.discard(held)
