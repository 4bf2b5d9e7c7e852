"""What an update of Yjs says, looked at before pycrdt takes it in (format 1, yjs/src/utils/encoding.js and structs/).

pycrdt keeps what comes out of order in a drawer and does not always take it out again; ends with the process where values are nested
deeply; and makes another text than Yjs of half a surrogate pair. So such updates are refused, as is everything that is neither text in
``content`` nor a plain value in ``fields``.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from cms.collaboration.protocol import MAX_CLOCK, UNREADABLE, Reader, Refusal, too_much, unreadable
from cms.crdt import CONTENT, FIELDS

_COLLECTED, _DELETED, _STRING, _ANY = 0, 1, 4, 8  # kinds of structs that may come
MAX_DEPTH = 20  # of a value in the map
MAX_KEY = 100  # characters

Place = tuple[int, int]  # a client, and one of its clocks


@dataclass(slots=True)
class Shape:
    """``begins``, ``ends``: of each client the first clock in the update, and the one after the last. ``after``, ``before``: what is
    inserted stands after or before these. ``deleted``: where stretches begin and where the next character is. ``halves``: places that
    lie within a surrogate pair; nothing may begin or end there."""

    begins: dict[int, int] = field(default_factory=dict)
    ends: dict[int, int] = field(default_factory=dict)
    after: list[Place] = field(default_factory=list)
    before: list[Place] = field(default_factory=list)
    deleted: list[tuple[Place, Place]] = field(default_factory=list)
    halves: set[Place] = field(default_factory=set)
    characters: int = 0  # of text that comes in
    parts: int = 0  # that were read, which is what reading costs
    has_values: bool = False  # for the map


@dataclass(slots=True)
class Known:
    """What is in a document, as far as the next update is measured by it."""

    clocks: dict[int, int] = field(default_factory=dict)
    halves: set[Place] = field(default_factory=set)

    def brings_news(self, shape: Shape) -> bool:
        return any(end > self.clocks.get(client, 0) for client, end in shape.ends.items())

    def check(self, shape: Shape) -> None:
        """Raise ``Refusal`` unless everything that the update stands on is there, and whole."""
        clocks = self.clocks
        if any(start > clocks.get(client, 0) for client, start in shape.begins.items()):
            raise _gap()
        for client, clock in (*shape.after, *shape.before, *((client, end - 1) for _, (client, end) in shape.deleted)):
            if clock >= max(clocks.get(client, 0), shape.ends.get(client, 0)):
                raise _gap()
        halves = self.halves | shape.halves if shape.halves else self.halves
        if halves and not halves.isdisjoint(_cuts(shape)):
            raise Refusal(UNREADABLE, "A character was cut in half.")

    def take(self, shape: Shape) -> None:
        for client, end in shape.ends.items():
            if end > self.clocks.get(client, 0):
                self.clocks[client] = end
        self.halves |= shape.halves


def _cuts(shape: Shape) -> Iterable[Place]:
    yield from ((client, clock + 1) for client, clock in shape.after)
    yield from shape.before
    for start, end in shape.deleted:
        yield start
        yield end


def _gap() -> Refusal:
    return Refusal(UNREADABLE, "Something came that stands on what is not here.")


def known_by(state: bytes, data: bytes | None = None) -> Known:
    """From a state (client → clock); and from all of the document, if there may be surrogate pairs in it."""
    reader, clocks = Reader(state), dict[int, int]()
    for _ in range(reader.number()):
        client = reader.number()
        clocks[client] = reader.number()
    return Known(clocks, read(data).halves if data is not None else set())


def read(update: bytes, most: int | None = None) -> Shape:
    """Raises ``Refusal`` if it cannot be read, has more than so many parts, or holds what no document of ours does."""
    reader, shape = _Reader(update, most), Shape()
    for _ in range(reader.count()):
        structs, client, clock = reader.count(), reader.number(), reader.number()
        if client in shape.begins or not structs:
            raise unreadable()
        shape.begins[client] = clock
        for _ in range(structs):
            clock += _struct(reader, shape, client, clock)
            if clock >= MAX_CLOCK:
                raise unreadable()
        shape.ends[client] = clock
    for _ in range(reader.count()):
        client = reader.number()
        for _ in range(reader.count()):
            start, length = reader.number(), reader.number()
            if not length or start + length >= MAX_CLOCK:
                raise unreadable()
            shape.deleted.append(((client, start), (client, start + length)))
    if not reader.is_over:
        raise unreadable()
    shape.parts = reader.parts
    return shape


class _Reader(Reader):
    def __init__(self, data: bytes, most: int | None) -> None:
        super().__init__(data)
        self.parts, self._most = 0, most

    def count(self) -> int:
        """How many parts come now."""
        found = self.number()
        self.parts += found
        if self._most is not None and self.parts > self._most:
            raise too_much()
        return found


def _struct(reader: _Reader, shape: Shape, client: int, clock: int) -> int:
    """How many clocks it takes."""
    info = reader.byte()
    kind = info & 31
    if kind == _COLLECTED:
        return reader.number() or _nothing()
    for bit, places in ((128, shape.after), (64, shape.before)):
        if info & bit:
            place = (reader.number(), reader.number())
            if place[0] == client and place[1] >= clock:
                raise _gap()  # it would stand on itself
            places.append(place)
    if not info & 192:
        _check_parent(reader, kind, has_key=bool(info & 32))
    if kind == _DELETED:
        return reader.number() or _nothing()
    if kind == _STRING:
        return _string(reader, shape, client, clock) or _nothing()
    if kind == _ANY:
        shape.has_values = True
        count = reader.count()
        for _ in range(count):
            _skip_value(reader, 0)
        return count or _nothing()
    raise Refusal(UNREADABLE, "A text has no formats, pictures or parts.")


def _nothing() -> int:
    raise unreadable()


def _check_parent(reader: Reader, kind: int, *, has_key: bool) -> None:
    if reader.number() != 1:
        raise Refusal(UNREADABLE, "A document has no parts.")
    root = reader.text()
    if has_key and len(reader.text()) > MAX_KEY:
        raise unreadable()
    is_right = (root == CONTENT and not has_key and kind != _ANY) or (root == FIELDS and has_key and kind != _STRING)
    if not is_right:
        raise Refusal(UNREADABLE, "A document has a text and its fields, nothing else.")


def _string(reader: Reader, shape: Shape, client: int, clock: int) -> int:
    """Its length in halves of UTF-16, as Yjs counts."""
    words = reader.text()
    shape.characters += len(words)
    if words.isascii() or max(words) <= "\uffff":
        return len(words)
    at = clock
    for character in words:
        at += 1
        if character > "\uffff":
            shape.halves.add((client, at))
            at += 1
    return at - clock


def _skip_value(reader: _Reader, depth: int) -> None:
    """lib0's ``any`` (lib0/decoding.js, readAny)."""
    if depth > MAX_DEPTH:
        raise unreadable()
    match reader.byte():
        case 127 | 126 | 121 | 120:
            return
        case 125:
            while reader.byte() > 127:
                pass
        case 124:
            reader.skip(4)
        case 123 | 122:
            reader.skip(8)
        case 119:
            reader.text()
        case 118:
            for _ in range(reader.count()):
                reader.text()
                _skip_value(reader, depth + 1)
        case 117:
            for _ in range(reader.count()):
                _skip_value(reader, depth + 1)
        case 116:
            reader.bytes()
        case _:
            raise unreadable()
