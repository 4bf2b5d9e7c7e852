"""The place in a text where what was looked for stands, as it was written, in pieces of which some are to be marked."""

import re
from collections.abc import Sequence
from itertools import islice

from cms.content.folding import Span, spans
from cms.schemas.search import Term

BEFORE = 8  # words
LENGTH = 36  # words
MOST_BEFORE, MOST = 120, 360  # characters, where words are long
REACH = 400  # words after the first match that are looked through for a better place

_SPACE = re.compile(r"\s+")

Piece = tuple[str, bool]  # text, and whether it is what was looked for


def snippet(text: str, terms: Sequence[Term]) -> list[Piece]:
    """The part of the text with most of the terms; its beginning if none is there."""
    read = _as_far_as_needed(text, terms)
    matches = _matches(read, terms)
    best = _best(matches)
    start = next((at for at in range(max(0, best - BEFORE), best) if read[best].start - read[at].start <= MOST_BEFORE), best)
    shown = [span for span in read[start : start + LENGTH] if span.end - read[start].start <= MOST] or read[start : start + 1]
    if not shown:
        return []
    # A cut stands between words; signs before the first word of a text and after the last one belong to it.
    first = 0 if start == 0 else shown[0].start
    is_end = start + len(shown) >= len(read)
    last = len(text) if is_end and len(text) - shown[-1].end < 200 else shown[-1].end
    pieces = _pieces(text, first, last, [read[i] for i in range(start, start + len(shown)) if i in matches])
    return [*([("… ", False)] if first else []), *pieces, *([(" …", False)] if last < len(text) else [])]


def _as_far_as_needed(text: str, terms: Sequence[Term]) -> list[Span]:
    """Words to a good way behind the first match."""
    coming = spans(text)
    read: list[Span] = []
    if not terms:
        return list(islice(coming, LENGTH + 1))
    firsts = tuple(term.words[0] for term in terms)
    for span in coming:
        read.append(span)
        if span.word.startswith(firsts):
            return [*read, *islice(coming, REACH)]
    return read


def _matches(read: Sequence[Span], terms: Sequence[Term]) -> dict[int, int]:
    """Position of each word that matches → number of its term."""
    found: dict[int, int] = {}
    for number, term in enumerate(terms):
        for at, span in enumerate(read):
            if span.word.startswith(term.words[0]) and _stands_at(read, at, term):
                found.update(dict.fromkeys(range(at, at + len(term.words)), number))
    return found


def _stands_at(read: Sequence[Span], at: int, term: Term) -> bool:
    here = [span.word for span in read[at : at + len(term.words)]]
    if len(here) < len(term.words) or here[:-1] != list(term.words[:-1]):
        return False
    return here[-1].startswith(term.words[-1]) if term.is_prefix else here[-1] == term.words[-1]


def _best(matches: dict[int, int]) -> int:
    """The match behind which most of the different terms, then most matches, stand close together; the first of equals."""
    positions = sorted(matches)
    best, most = 0, (0, 0)
    for index, at in enumerate(positions):
        near = [position for position in positions[index : index + LENGTH] if position < at + LENGTH - BEFORE]
        worth = (len({matches[position] for position in near}), len(near))
        if worth > most:
            best, most = at, worth
    return best


def _pieces(text: str, start: int, end: int, marked: Sequence[Span]) -> list[Piece]:
    pieces: list[Piece] = []
    for span in marked:
        if span.start < start:  # one sign of the text that is several words
            continue
        pieces += [(_in_one_line(text[start : span.start]), False), (text[span.start : span.end], True)]
        start = span.end
    pieces.append((_in_one_line(text[start:end]), False))
    return [piece for piece in pieces if piece[0]]


def _in_one_line(text: str) -> str:
    """Breaks of lines as spaces, keeping those at the ends."""
    return _SPACE.sub(" ", text)
