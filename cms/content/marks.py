"""Two rendered texts in one: safe HTML in which it is marked what came and what went, word by word.

Blocks are compared first, then the words of blocks that were replaced, as long as that is cheap (as in ``diff``). The tags of what is
shown stand as they did, and marks are put around words between them, so that the result has no tag out of place.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from itertools import groupby
from typing import Literal

from cms.content.allow_list import VOID
from cms.content.diff import changes

Show = Literal["old", "new", "both"]

_PAIR_BUDGET = 250_000  # pairs of words within two blocks
_TOTAL_BUDGET = 3_000_000  # in the whole text; beyond, blocks are marked as wholes
_TAG = r'<(?:[^>"]|"[^"]*")*>'
_PIECE = re.compile(
    rf'<(?:span|div) class="maths">[^<]*</(?:span|div)>|<picture{_TAG[1:]}(?:{_TAG})*?</picture>|{_TAG}|&#?\w+;|\w+|\s+|[^\w\s]'
)
_WORDLESS = re.compile(r"</?(?!img\b|picture\b)[a-z]")  # a tag that shows nothing by itself
_FORMULA = "maths"
_ID = re.compile(r' id="[^"]*"')


def mark(old: str, new: str, show: Show) -> str:
    """Both are what ``sanitize`` answered. ``show``: the old text with what went, the new one with what came, or the new one with both."""
    return "".join(_Marking(show).blocks(_blocks(old), _blocks(new)))


class _Marking:
    def __init__(self, show: Show) -> None:
        self._show = show
        self._budget = _TOTAL_BUDGET

    def blocks(self, old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
        at = 0
        for a, b, c, d in changes(old, new):
            yield from new[at:c]
            paired = min(b - a, d - c)
            for left, right in zip(old[a:b], new[c:d], strict=False):
                yield from self._replaced(left, right)
            yield from map(self._gone, old[a + paired : b])
            yield from map(self._come, new[c + paired : d])
            at = d
        yield from new[at:]

    def _replaced(self, old: str, new: str) -> Iterator[str]:
        left, right = _PIECE.findall(old), _PIECE.findall(new)
        cost = len(left) * len(right)
        self._budget -= cost
        if cost > _PAIR_BUDGET or self._budget < 0 or _outermost(old) != _outermost(new):
            yield self._gone(old)
            yield self._come(new)
            return
        for kind, a, b, c, d in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
            if kind == "equal":
                yield from right[c:d]
                continue
            if self._show == "old":
                yield from _around("del", left[a:b])
            elif self._show == "both":
                yield from _around("del", (piece for piece in left[a:b] if not _is_tag(piece)))
            if self._show != "old":
                yield from _around("ins", right[c:d])

    def _gone(self, block: str) -> str:
        """Without its ids, which the new text may have as well."""
        return "" if self._show == "new" else "".join(_around("del", _PIECE.findall(_ID.sub("", block))))

    def _come(self, block: str) -> str:
        return "" if self._show == "old" else "".join(_around("ins", _PIECE.findall(block)))


def _around(mark_as: str, pieces: Iterable[str]) -> Iterator[str]:
    """Each run of words between tags in this mark."""
    for is_tag, run in groupby(pieces, _is_tag):
        text = "".join(run)
        yield text if is_tag or not text.strip() else f'<{mark_as} class="marked">{text}</{mark_as}>'


def _is_tag(piece: str) -> bool:
    return _WORDLESS.match(piece) is not None and f'class="{_FORMULA}"' not in piece


def _outermost(block: str) -> str:
    first = re.match(r"\s*<([a-z0-9]+)", block)
    return first[1] if first else ""


def _blocks(markup: str) -> list[str]:
    """The outermost elements, each with the space before it, and what stands between them."""
    blocks, depth, start = list[str](), 0, 0
    for tag in re.finditer(_TAG, markup):
        name = re.match(r"</?([a-z0-9]+)", tag[0])
        if name is None or name[1] in VOID:
            continue
        if depth == 0 and markup[start : tag.start()].strip():
            blocks.append(markup[start : tag.start()])
            start = tag.start()
        depth += -1 if tag[0].startswith("</") else 1
        if depth == 0:
            blocks.append(markup[start : tag.end()])
            start = tag.end()
    return [*blocks, markup[start:]] if markup[start:].strip() else blocks
