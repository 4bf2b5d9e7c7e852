"""Pages by key, forgotten when something that they show changes; nothing here is forgotten by a clock.

A page is kept with its ``Marks``: what it shows. A committed event becomes marks, too (``marks.py``): what has changed. Where the two
meet, the page is forgotten.
"""

import asyncio
import hashlib
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from sys import getsizeof
from typing import Protocol

from cms.content_coding import CODINGS, IDENTITY, encode
from cms.page_cache.marks import NOTHING, Marks
from cms.page_cache.wire import Wire

PROTECTED = 0.8  # of all bytes are for pages that were asked for more than once
MANY = 200  # pages forgotten at once, whose copies are not taken away one by one
POPULAR = 3  # times that a page was asked for since it was made
COMPRESSED_FROM = 256  # bytes; less does not get shorter
OVERHEAD = 400  # bytes that an entry takes beside its bodies
MARK_BYTES = 150  # and for each of its marks, in two indexes, beside what is written in them
WIRES = 4  # times that its headers are kept beside: ready to be sent, in the two codings that are asked for, with and without the body


@dataclass(frozen=True, slots=True)
class Page:
    """A complete answer. ``bodies`` by content coding; "identity" is always there. ``is_noted``: its handler notes each answer with it, so
    nobody else may give one. ``wires``: ready to be sent, by what is preferred (``content_coding.preference``)."""

    status: int
    headers: tuple[tuple[str, str], ...]  # without those that depend on who asks: length, coding, date
    bodies: Mapping[str, bytes]
    marks: Marks = NOTHING
    digest: str = ""
    is_noted: bool = False
    wires: dict[str, Wire] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def make(
        cls,
        status: int,
        headers: Iterable[tuple[str, str]],
        body: bytes,
        marks: Marks = NOTHING,
        codings: Iterable[str] = CODINGS,
        *,
        is_noted: bool = False,
    ) -> "Page":
        """Compressing takes milliseconds: do it in a thread."""
        digest = hashlib.sha256(body).hexdigest()[:32]
        return cls(status, tuple(headers), _coded(body, codings), marks, digest, is_noted)

    def etag(self, coding: str = IDENTITY) -> str:
        """A strong one: every coding has its own (RFC 9110, 8.8.3.3)."""
        return f'"{self.digest}"' if coding == IDENTITY else f'"{self.digest}-{coding}"'

    def headers_in(self, coding: str) -> list[tuple[str, str]]:
        """Of an answer in this coding."""
        headers = [*self.headers, ("Etag", self.etag(coding)), ("Vary", "Accept-Encoding")]
        return headers if coding == IDENTITY else [*headers, ("Content-Encoding", coding)]

    @property
    def location(self) -> str:
        return dict(self.headers).get("Location", "")

    @property
    def is_for_all(self) -> bool:
        """Not if it gives somebody a cookie, or says itself that nobody may keep it."""
        return not any(name == "Set-Cookie" or (name == "Cache-Control" and "no-store" in value) for name, value in self.headers)

    @property
    def size(self) -> int:
        """Bytes that keeping it takes, about."""
        bodies = sum(map(len, self.bodies.values()))
        headers = sum(len(name) + len(value) for name, value in self.headers)
        marks = sum(MARK_BYTES + getsizeof(tag) for tag in self.marks.tags) + MARK_BYTES * len(self.marks.spans)
        return OVERHEAD + bodies + (1 + WIRES) * headers + marks


def _coded(body: bytes, codings: Iterable[str]) -> dict[str, bytes]:
    if len(body) < COMPRESSED_FROM:
        return {IDENTITY: body}
    return {IDENTITY: body, **{coding: encode(body, coding) for coding in codings}}


class Copies(Protocol):
    """Of pages, elsewhere, for as long as they are kept here: ``folder.py``."""

    def keep(self, key: str, page: Page) -> None:
        """Unless there is one."""

    def drop(self, key: str) -> None: ...

    def clear(self) -> None: ...


@dataclass(slots=True)
class _Kept:
    page: Page
    size: int
    hits: int = 0


@dataclass(frozen=True, slots=True)
class _Flight:
    """A page that is being made, and after how many changes it set out."""

    ticket: int
    making: "asyncio.Future[Page]"


class PageCache:
    """Pages by key, in at most ``capacity`` bytes; 0 keeps nothing.

    A page that is asked for a second time is protected from those that are asked for once: a crawler that walks through all of
    the archive pushes out what other crawlers left (segmented LRU; Karedla, Love and Wherry, 1994).
    """

    def __init__(self, capacity: int, copies: Copies | None = None) -> None:
        self.capacity = capacity
        self._copies = copies
        self.counts = dict.fromkeys(("hits", "misses", "stored", "refused", "evicted", "purged"), 0)
        self.bytes = 0
        self._protected_bytes = 0
        self._once: OrderedDict[str, _Kept] = OrderedDict()
        self._protected: OrderedDict[str, _Kept] = OrderedDict()
        self._by_tag: defaultdict[str, set[str]] = defaultdict(set)
        self._by_list: defaultdict[str, set[str]] = defaultdict(set)
        self._flights: dict[str, _Flight] = {}
        self._tickets: Counter[int] = Counter()  # of the flights under way
        self._changes = 0
        self._recent: deque[tuple[int, Marks | None]] = deque()  # changes that a flight under way may have missed; None: of everything

    def __len__(self) -> int:
        return len(self._once) + len(self._protected)

    def __contains__(self, key: str) -> bool:
        return key in self._once or key in self._protected

    # --- reading ---

    def find(self, key: str) -> Page | None:
        """The page that is kept, asked for once more. That there is none is counted where it is made."""
        kept = self._protected.get(key)
        if kept is not None:
            self._protected.move_to_end(key)
        elif (kept := self._once.pop(key, None)) is not None:
            self._protect(key, kept)
        else:
            return None
        kept.hits += 1
        self.counts["hits"] += 1
        if self._copies is not None:
            self._copies.keep(key, kept.page)  # another process may have taken it away, with all others
        return kept.page

    async def get(self, key: str, make: Callable[[], Awaitable[Page]]) -> Page:
        """The page that is kept, or the one that ``make`` makes: once for all who ask meanwhile. What it raises, all of them get."""
        page = self.find(key)
        if page is not None:
            return page
        self.counts["misses"] += 1
        flight = self._flights.get(key)
        if flight is None or flight.ticket != self._changes:  # it may show what has changed since it set out
            flight = self._flights[key] = self._set_out(key, make)
        return await asyncio.shield(flight.making)

    def _set_out(self, key: str, make: Callable[[], Awaitable[Page]]) -> _Flight:
        flight = _Flight(self._changes, asyncio.ensure_future(make()))
        self._tickets[flight.ticket] += 1
        flight.making.add_done_callback(lambda _: self._land(key, flight))
        return flight

    def _land(self, key: str, flight: _Flight) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]
        if not flight.making.cancelled() and flight.making.exception() is None:
            self.store(key, flight.ticket, flight.making.result())
        self._tickets[flight.ticket] -= 1
        self._tickets += Counter()  # without those that are 0
        oldest = min(self._tickets, default=self._changes)
        while self._recent and self._recent[0][0] <= oldest:
            self._recent.popleft()

    # --- writing ---

    def store(self, key: str, ticket: int, page: Page) -> bool:
        """Keep a page that set out after ``ticket`` changes. Refused if one of the changes since then meets what it shows."""
        size = page.size + getsizeof(key)  # readers choose how long the address is of which they hear that nothing is there
        if size > self.capacity // 4 or not page.is_for_all:
            return False
        if any(number > ticket and (changed is None or changed.meet(page.marks)) for number, changed in self._recent):
            self.counts["refused"] += 1
            return False
        self._forget(key)
        self._once[key] = _Kept(page, size)
        self.bytes += size
        for tag in page.marks.tags:
            self._by_tag[tag].add(key)
        for span in page.marks.spans:
            self._by_list[span.of].add(key)
        self.counts["stored"] += 1
        if self._copies is not None:
            self._copies.keep(key, page)
        self._make_room()
        return True

    def purge(self, changed: Marks) -> list[str]:
        """Forget every page that shows what has changed. Returns the keys of those that were popular, the most asked for first."""
        self._note_change(changed)
        met = {key for tag in changed.tags for key in self._by_tag.get(tag, ())}
        for span in changed.spans:
            met.update(key for key in self._by_list.get(span.of, ()) if changed.meet(self._kept(key).page.marks))
        hits = {key: self._kept(key).hits for key in met}
        if self._copies is not None and len(met) >= MANY:
            self._copies.clear()
        for key in met:
            self._forget(key)
        self.counts["purged"] += len(met)
        return sorted((key for key in met if hits[key] >= POPULAR), key=lambda key: (-hits[key], key))

    def clear(self) -> None:
        """Forget everything: we may have missed a change."""
        self._note_change(None)
        self.counts["purged"] += len(self)
        if self._copies is not None:
            self._copies.clear()
        for index in (self._once, self._protected, self._by_tag, self._by_list):
            index.clear()
        self.bytes = self._protected_bytes = 0

    def _note_change(self, changed: Marks | None) -> None:
        self._changes += 1
        if self._tickets:
            self._recent.append((self._changes, changed))

    def _kept(self, key: str) -> _Kept:
        return self._protected.get(key) or self._once[key]

    def _protect(self, key: str, kept: _Kept) -> None:
        self._protected[key] = kept
        self._protected_bytes += kept.size
        while self._protected_bytes > PROTECTED * self.capacity:
            other, demoted = self._protected.popitem(last=False)
            self._protected_bytes -= demoted.size
            self._once[other] = demoted

    def _make_room(self) -> None:
        while self.bytes > self.capacity:
            self._forget(next(iter(self._once or self._protected)))
            self.counts["evicted"] += 1

    def _forget(self, key: str) -> None:
        kept = self._once.pop(key, None)
        if kept is None:
            kept = self._protected.pop(key, None)
            if kept is None:
                return
            self._protected_bytes -= kept.size
        self.bytes -= kept.size
        if self._copies is not None:
            self._copies.drop(key)
        for tag in kept.page.marks.tags:
            _discard(self._by_tag, tag, key)
        for of in {span.of for span in kept.page.marks.spans}:
            _discard(self._by_list, of, key)


def _discard(index: dict[str, set[str]], name: str, key: str) -> None:
    keys = index[name]
    keys.discard(key)
    if not keys:
        del index[name]
