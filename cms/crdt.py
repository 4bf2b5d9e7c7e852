"""The Yjs document of a text: ``content``, a text, and ``fields``, a map. The only module that knows pycrdt.

pycrdt counts in bytes of UTF-8, Yjs in halves of UTF-16, Python in characters. What is edited here begins and ends at whole characters:
half a surrogate pair would divide the two for good. Numbers are floats in Yjs; whole ones are read as ``int``. It comes with the first who
writes: readers need not wait for it.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import accumulate, chain, pairwise
from typing import TYPE_CHECKING, Any

from cms.content import diff

if TYPE_CHECKING:
    from pycrdt import Subscription

CONTENT, FIELDS = "content", "fields"
AT_ONCE = 32  # updates
NOTHING = b"\0\0"  # an update that says nothing


class Document:
    """One document in memory, for one thread. Made of all its updates at once: pycrdt loses some that come before what they stand on."""

    _watches: "tuple[Subscription, ...]" = ()

    def __init__(self, *updates: bytes) -> None:
        from pycrdt import Doc, Map, Text

        self._doc: Doc[Any] = Doc()
        self._content = self._doc.get(CONTENT, type=Text)
        self._fields = self._doc.get(FIELDS, type=Map)
        if updates:
            self._doc.apply_update(merged(*updates))
        made, keys = self._made, self._keys = list[bytes](), set[str]()
        self._watches = (
            self._doc.observe(lambda event: made.append(event.update)),
            self._fields.observe(lambda event: keys.update(event.keys)),
        )

    def __del__(self) -> None:
        """pycrdt holds what is watched in memory for as long as somebody watches it."""
        if self._watches:
            self._doc.unobserve(self._watches[0])
            self._fields.unobserve(self._watches[1])

    @classmethod
    def of(cls, content: str, fields: Mapping[str, Any]) -> "Document":
        """A new one. It must never be merged with another that was made of the same: all would stand there twice."""
        document = cls()
        document.edit(content, fields)
        return document

    @property
    def content(self) -> str:
        return str(self._content)

    @property
    def fields(self) -> dict[str, Any]:
        """As JSON; what JSON cannot say is None."""
        return {key: _plain(value) for key, value in (self._fields.to_py() or {}).items()}

    @property
    def size(self) -> int:
        """Bytes of the text; never less than it has characters."""
        return len(self._content)

    @property
    def is_plain(self) -> bool:
        """Whether the text is text and nothing else. What is not shown in it has a length all the same."""
        shown = self._content.diff()
        return all(isinstance(words, str) and not look for words, look in shown) and len(self.content.encode()) == len(self._content)

    def edit(self, content: str | None = None, fields: Mapping[str, Any] | None = None) -> bytes:
        """The smallest update that makes it say this, applied; ``NOTHING`` if it does already. Keys that are not named stay.

        Raises ``ValueError`` if the document is not one of ours.
        """
        with _panics_are_errors(), self._doc.transaction():
            if content is not None:
                before = self.content
                self._change(before, diff.edits(before, content))
            known = self.fields if fields else {}
            for key, value in (fields or {}).items():
                if key not in known or known[key] != value:
                    self._fields[key] = value
        return self._taken()

    def _change(self, before: str, edits: Sequence[diff.Edit]) -> None:
        """The one in the middle first, as pycrdt copies what stands behind each in one piece with it."""
        ends = (0, *chain.from_iterable((start, end) for start, end, _ in edits))
        places = list(accumulate(len(before[a:b].encode()) for a, b in pairwise(ends)))  # the same in bytes
        waiting = [(0, len(edits), 0)]
        with _panics_are_errors(), self._doc.transaction():
            while waiting:
                first, last, moved = waiting.pop()
                if first == last:
                    continue
                middle = (first + last) // 2
                start, end, words = places[2 * middle] + moved, places[2 * middle + 1] + moved, edits[middle][2]
                del self._content[start:end]
                if words:
                    self._content.insert(start, words)
                waiting += [(first, middle, moved), (middle + 1, last, moved + len(words.encode()) - (end - start))]

    def apply(self, update: bytes) -> bytes:
        """What of it was new. Raises ``ValueError`` if it cannot be read; the document may be half of it then."""
        with _panics_are_errors():
            self._doc.apply_update(update)
        return self._taken()

    def changed_keys(self) -> set[str]:
        """Fields that were set or deleted since this was asked, by whatever means."""
        changed = set(self._keys)
        self._keys.clear()
        return changed

    def _taken(self) -> bytes:
        made, self._made[:] = list(self._made), []
        return merged(*made) if made else NOTHING

    def state(self) -> bytes:
        """What it knows of, for another to say what is missing here."""
        return self._doc.get_state()

    def since(self, state: bytes) -> bytes:
        """What whoever has this state lacks."""
        return self._doc.get_update(state)

    def data(self) -> bytes:
        """All of it, as one update; deleted text is forgotten."""
        return self._doc.get_update()


@contextmanager
def _panics_are_errors() -> Iterator[None]:
    """A panic of Rust's is no ``Exception``, and would end whatever task it meets."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:
        raise ValueError("pycrdt") from error


def passage(data: bytes, start: Mapping[str, int], end: Mapping[str, int]) -> tuple[int, int] | None:
    """From where to where in the text a passage reaches that begins with one sign and ends with another, each {client, clock} of Yjs.
    None if one of them is not there any more. ``data``: the document, as one update.

    The signs are looked for by deleting each in a document of its own: pycrdt's sticky indexes count halves of UTF-16 within a piece of
    text and bytes before it (0.14), and end the thread where there is no such sign.
    """
    content, first, last = Document(data)._content, _reach(data, start, 0), _reach(data, end, 0)
    before = _reach(data, end, -1) if end["clock"] else None
    if before and before[1] - before[0] == 4:  # the end is the second half of a surrogate pair
        last = before
    if first is None or last is None or first[0] >= last[1]:
        return None
    text = str(content).encode()
    return len(text[: first[0]].decode()), len(text[: last[1]].decode())


def _reach(data: bytes, sign: Mapping[str, int], step: int) -> tuple[int, int] | None:
    """Bytes, from where to where; None if it is deleted, or never was."""
    document = Document(data)
    changes: list[dict[str, int]] = []
    watch = document._content.observe(lambda event: changes.extend(event.delta))
    document.apply(b"\0\1" + _varuint(sign["client"]) + b"\1" + _varuint(sign["clock"] + step) + b"\1")  # deletes one, inserts none
    document._content.unobserve(watch)
    at = changes[0].get("retain", 0) if changes else 0
    return next(((at, at + each["delete"]) for each in changes if "delete" in each), None)


def _varuint(number: int) -> bytes:
    """As Yjs writes numbers: seven bits a byte, the lowest first."""
    parts = bytearray()
    while number > 0x7F:
        parts.append(0x80 | number & 0x7F)
        number >>= 7
    return bytes([*parts, number])


def merged(*updates: bytes) -> bytes:
    """One update that says what these say. Merged by few at once: pycrdt's time grows with the square of their number."""
    from pycrdt import merge_updates

    while len(updates) > 1:
        updates = tuple(merge_updates(*updates[at : at + AT_ONCE]) for at in range(0, len(updates), AT_ONCE))
    return updates[0]


def folded(*updates: bytes) -> bytes:
    """The same without what was deleted meanwhile; needs no document of the caller's thread."""
    return Document(*updates).data()


def is_whole(document: bytes, content: str, fields: Mapping[str, Any]) -> bool:
    """Whether whoever reads the document anew, as one update, reads what is here."""
    anew = Document(document)
    return anew.content == content and anew.fields == fields


def merge_texts(seen: str, mine: str, theirs: str) -> str:
    """Theirs with what I changed since we both saw the same. What both changed alike is changed once."""
    if theirs == seen:
        return mine
    one = Document.of(seen, {})
    other, done = Document(one.data()), diff.edits(seen, theirs)
    other._change(seen, done)
    alike = set(done)
    one._change(seen, [each for each in diff.edits(seen, mine) if each not in alike])
    other.apply(one.data())
    return other.content


def _plain(value: Any) -> Any:
    match value:
        case bool() | None:
            return value
        case int() | float():
            return int(value) if math.isfinite(value) and value == int(value) else value if math.isfinite(value) else None
        case str():
            return value.replace("\0", "")  # which PostgreSQL keeps in no text
        case list():
            return [_plain(each) for each in value]
        case dict():
            return {key.replace("\0", ""): _plain(each) for key, each in value.items()}
        case _:
            return None
