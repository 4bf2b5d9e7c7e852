"""Two versions of a text beside each other: rows of lines, and inside changed lines which words changed.

``difflib`` finds good differences but its time can grow with the square of a text. So long texts are first divided at
lines that occur once in both (the idea of Bram Cohen's patience diff), and words are compared only while that stays cheap.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import accumulate, chain
from typing import Literal

Kind = Literal["same", "changed", "added", "removed", "skip"]
_Block = tuple[int, int, int, int]  # old start, old end, new start, new end
Edit = tuple[int, int, str]  # start and end of what goes, and what comes

CONTEXT = 3  # unchanged lines shown around a change
_LINE_BUDGET = 250_000  # pairs of lines that difflib may weigh at once
_WORD_BUDGET = 60_000  # pairs of words within one line
_TOTAL_WORD_BUDGET = 2_000_000  # pairs of words in the whole text; beyond, lines are compared as wholes
_EDIT_BUDGET = 8_000_000  # what all edits of a text may cost to find; a tenth of a second where difflib is at its worst
_MOST_EDITS = 2000  # beyond, neighbours are one
_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a line, and whether it differs from the other side."""

    text: str
    changed: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One line on each side. Numbers count from 1 and are None where a side has no line; ``skipped`` counts the
    unchanged lines that a "skip" row stands for."""

    kind: Kind
    left: tuple[Span, ...] = ()
    right: tuple[Span, ...] = ()
    left_number: int | None = None
    right_number: int | None = None
    skipped: int = 0

    @property
    def changed(self) -> bool:
        return self.kind not in {"same", "skip"}

    @property
    def both(self) -> Iterator[tuple[Literal["same", "removed", "added"], str]]:
        """The line once, what went before what came."""
        news = iter(self.right)
        for span in self.left:
            if span.changed:
                yield "removed", span.text
                continue
            for new in news:
                yield ("added", new.text) if new.changed else ("same", new.text)
                if not new.changed:
                    break
        for new in news:
            yield "added", new.text


def side_by_side(old: str, new: str) -> list[Row]:
    """Rows of both texts in order; long unchanged runs are folded into one "skip" row."""
    return _Comparison(old.splitlines(), new.splitlines()).rows()


def count_words(rows: Iterable[Row]) -> tuple[int, int]:
    """How many came, and how many went."""
    added = removed = 0
    for row in rows:
        for kind, text in row.both if row.changed else ():
            number = len(_WORD.findall(text)) if kind != "same" else 0
            added += number if kind == "added" else 0
            removed += number if kind == "removed" else 0
    return added, removed


def edits(old: str, new: str) -> list[Edit]:
    """What to replace in the old text to get the new one: (start, end, words) of stretches that differ, in order, as short as is cheap
    to find: lines first, then words, then what those have in common at their ends."""
    found, purse = list[Edit](), _Purse(_EDIT_BUDGET)
    for a, b, words in _replaced(0, old.splitlines(keepends=True), new.splitlines(keepends=True), purse):
        for start, end, part in _replaced(a, _TOKEN.findall(old[a:b]), _TOKEN.findall(words), purse):
            before = _common(old[start:end], part)
            after = _common(old[start + before : end][::-1], part[before:][::-1])
            found.append((start + before, end - after, part[before : len(part) - after]))
    step = -(-len(found) // _MOST_EDITS)
    return [_joined(old, found[at : at + step]) for at in range(0, len(found), step)] if step > 1 else found


def _joined(old: str, some: Sequence[Edit]) -> Edit:
    """Edits and what stands between them as one."""
    starts, ends, words = zip(*some, strict=True)
    between = (old[end:start] for end, start in zip(ends, (*starts[1:], ends[-1]), strict=True))
    return starts[0], ends[-1], "".join(chain.from_iterable(zip(words, between, strict=True)))


def _replaced(start: int, old: Sequence[str], new: Sequence[str], purse: "_Purse") -> Iterator[Edit]:
    """Blocks that differ, in characters; the old pieces begin at ``start``."""
    places = list(accumulate(map(len, old), initial=start))
    for a, b, c, d in changes(old, new, purse.pays):
        yield places[a], places[b], "".join(new[c:d])


class _Purse:
    """How long difflib may search in all. At worst it looks at all pairs again for each piece."""

    def __init__(self, left: int) -> None:
        self._left = left

    def pays(self, old: int, new: int) -> bool:
        cost = old * new * min(old, new)
        if can_pay := cost <= self._left:
            self._left -= cost
        return can_pay


class _Comparison:
    def __init__(self, old: list[str], new: list[str]) -> None:
        self._old, self._new = old, new
        self._budget = _TOTAL_WORD_BUDGET

    def rows(self) -> list[Row]:
        blocks = list(changes(self._old, self._new))
        rows: list[Row] = []
        old_at = new_at = 0
        for old_start, old_end, new_start, new_end in blocks:
            rows += self._unchanged(old_at, old_start, new_at, is_first=old_at == new_at == 0, is_last=False)
            rows += self._replaced(old_start, old_end, new_start, new_end)
            old_at, new_at = old_end, new_end
        rows += self._unchanged(old_at, len(self._old), new_at, is_first=not blocks, is_last=True)
        return rows

    def _unchanged(self, start: int, end: int, new_start: int, *, is_first: bool, is_last: bool) -> list[Row]:
        """Lines equal on both sides; of a long run only those next to a change."""
        before = 0 if is_first else CONTEXT
        after = 0 if is_last else CONTEXT
        skipped = end - start - before - after
        if skipped < 2:  # a fold that hides one line saves nothing
            return [self._same(i, i - start + new_start) for i in range(start, end)]
        return [
            *(self._same(i, i - start + new_start) for i in range(start, start + before)),
            Row("skip", skipped=skipped),
            *(self._same(i, i - start + new_start) for i in range(end - after, end)),
        ]

    def _same(self, old: int, new: int) -> Row:
        spans = (Span(self._old[old], False),)
        return Row("same", spans, spans, old + 1, new + 1)

    def _replaced(self, old_start: int, old_end: int, new_start: int, new_end: int) -> Iterator[Row]:
        """Lines that were replaced are shown beside each other in pairs; the rest came or went."""
        pairs = min(old_end - old_start, new_end - new_start)
        for i in range(pairs):
            left, right = self._words(self._old[old_start + i], self._new[new_start + i])
            yield Row("changed", left, right, old_start + i + 1, new_start + i + 1)
        for i in range(old_start + pairs, old_end):
            yield Row("removed", (Span(self._old[i], True),), (), i + 1, None)
        for i in range(new_start + pairs, new_end):
            yield Row("added", (), (Span(self._new[i], True),), None, i + 1)

    def _words(self, old: str, new: str) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
        lengths = len(old) * len(new)  # not worth dividing into words to learn that there are too many
        if lengths > 36 * _WORD_BUDGET or self._budget <= 0:
            return (Span(old, True),), (Span(new, True),)
        left, right = _TOKEN.findall(old), _TOKEN.findall(new)
        self._budget -= len(left) * len(right)
        if len(left) * len(right) > _WORD_BUDGET:
            return (Span(old, True),), (Span(new, True),)
        return _spans(left, right)


def _spans(left: list[str], right: list[str]) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    old: list[Span] = []
    new: list[Span] = []
    for operation, a, b, c, d in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        is_changed = operation != "equal"
        if a < b:
            old.append(Span("".join(left[a:b]), is_changed))
        if c < d:
            new.append(Span("".join(right[c:d]), is_changed))
    return tuple(old), tuple(new)


def _is_cheap(old: int, new: int) -> bool:
    return old * new <= _LINE_BUDGET


def changes(old: Sequence[str], new: Sequence[str], may_weigh: Callable[[int, int], bool] = _is_cheap) -> Iterator[_Block]:
    """Blocks that differ, in order; neighbours are joined. ``may_weigh``: whether difflib may compare so many pieces with so many."""
    pending: _Block | None = None
    for block in _differing(old, new, may_weigh):
        if pending and pending[1] == block[0] and pending[3] == block[2]:
            pending = (pending[0], block[1], pending[2], block[3])
            continue
        if pending:
            yield pending
        pending = block
    if pending:
        yield pending


def _differing(old: Sequence[str], new: Sequence[str], may_weigh: Callable[[int, int], bool]) -> Iterator[_Block]:
    for a, b, c, d in _gaps(old, new):
        start = _common(old[a:b], new[c:d])
        end = _common(old[a + start : b][::-1], new[c + start : d][::-1])
        block = a + start, b - end, c + start, d - end
        if may_weigh(block[1] - block[0], block[3] - block[2]):
            yield from _weighed(old, new, block)
        else:
            yield block


def _weighed(old: Sequence[str], new: Sequence[str], block: _Block) -> Iterator[_Block]:
    """difflib's answer."""
    a, b, c, d = block
    for operation, i, j, k, m in SequenceMatcher(None, old[a:b], new[c:d], autojunk=False).get_opcodes():
        if operation != "equal":
            yield a + i, a + j, c + k, c + m


def _gaps(old: Sequence[str], new: Sequence[str]) -> Iterator[_Block]:
    """What lies between lines that stand once in both texts and in the same order."""
    start = _common(old, new)
    old_at, new_at = start, start
    for i, j in [*_anchors(old, new, start), (len(old), len(new))]:
        if i > old_at or j > new_at:
            yield old_at, i, new_at, j
        old_at, new_at = i + 1, j + 1


def _anchors(old: Sequence[str], new: Sequence[str], start: int) -> list[tuple[int, int]]:
    """The longest rising sequence of lines unique on both sides (patience sorting)."""
    counts_old, counts_new = Counter(old[start:]), Counter(new[start:])
    places = {line: j for j, line in enumerate(new[start:], start) if counts_new[line] == 1}
    pairs = [(i, places[line]) for i, line in enumerate(old[start:], start) if counts_old[line] == 1 and line in places]
    tails: list[int] = []
    ends: list[int] = []
    previous: list[int] = []
    for index, (_, j) in enumerate(pairs):
        at = bisect_left(tails, j)
        previous.append(ends[at - 1] if at else -1)
        tails[at : at + 1], ends[at : at + 1] = [j], [index]
    return _followed_back(pairs, previous, ends[-1] if ends else -1)


def _followed_back(pairs: list[tuple[int, int]], previous: list[int], index: int) -> list[tuple[int, int]]:
    chain = []
    while index >= 0:
        chain.append(pairs[index])
        index = previous[index]
    return chain[::-1]


def _common(old: Sequence[str], new: Sequence[str]) -> int:
    """How many lines are equal from the start. Compared in halves, which costs Python less than one by one."""
    count, most = 0, min(len(old), len(new))
    while count < most:
        middle = (count + most + 1) // 2
        if old[count:middle] == new[count:middle]:
            count = middle
        else:
            most = middle - 1
    return count
