"""Other programs' words in braces: replaced where we know what they mean, else kept where editors see them."""

import re
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

_INDENTED = re.compile(r"(?:\A|\n[ \t]*\n)(?:[ ]{4}|[ ]{0,3}\t)")
_CODE_LINE = re.compile(r"[ ]{4}|[ ]{0,3}\t")
_HOLDS = re.compile(r"[ ]{0,3}(?:[*+-]|\d{1,9}[.)]|:)[ \t]|[ ]{0,3}\[\^|[ ]{0,3}(?:!!!|\?\?\?|===)")  # what follows it indented is its own
_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})", re.MULTILINE)
_BRACKET = re.compile(r"(?<!\\)\\(\\?)([()])")
_CODE_SPAN = re.compile(r"`(?<!``)(`*)(?!`).+?(?<!`)`\1(?!`)")  # begins with its sign, so that the search passes over words quickly


@dataclass(frozen=True, slots=True)
class Shortcode:
    name: str
    arguments: Mapping[str, str]
    body: str = ""


def replace_shortcodes(
    text: str,
    pattern: re.Pattern[str],
    read: Callable[[re.Match[str]], Shortcode],
    known: Callable[[Shortcode], str | None],
    unknown: Callable[[int, str], None],
) -> str:
    """``known`` answers Markdown, or None; then ``unknown`` is told the line of the text and the name. Code is left alone."""
    code = Code(text)

    def replace(found: re.Match[str]) -> str:
        if found.start() in code:
            return found[0]
        shortcode = read(found)
        drawn = known(shortcode)
        if drawn is None:
            unknown(text.count("\n", 0, found.start()) + 1, shortcode.name)
        return found[0] if drawn is None else drawn

    return pattern.sub(replace, text)


class Code:
    """The places of a text that are code: ``position in code``."""

    def __init__(self, text: str) -> None:
        ranges = sorted(code_ranges(text))
        self._begins = [begin for begin, _ in ranges]
        self._ends = [end for _, end in ranges]

    def __contains__(self, position: int) -> bool:
        before = bisect_right(self._begins, position) - 1
        return before >= 0 and position < self._ends[before]


def code_ranges(text: str) -> Iterator[tuple[int, int]]:
    """Where fenced code, indented code and code in a line stand, in order."""
    position = 0
    for begin, end in [*_blocks(text), (len(text), len(text))]:
        yield from ((found.start(), found.end()) for found in _CODE_SPAN.finditer(text, position, begin))
        if begin < end:
            yield begin, end
        position = end


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    """Code that stands by itself. Signs of a fence in indented code are none, and the reverse."""
    indented = deque(_indented(text) if _INDENTED.search(text) else ())
    position = 0
    while position < len(text):
        while indented and indented[0][0] < position:
            indented.popleft()
        fence = _FENCE.search(text, position)
        if indented and not (fence and fence.start() < indented[0][0]):
            begin, position = indented.popleft()
        elif fence:
            closing = re.compile(rf"^[ \t]*{re.escape(fence[1][0])}{{{len(fence[1])},}}[ \t]*$", re.MULTILINE).search(text, fence.end())
            begin, position = fence.start(), closing.end() if closing else len(text)
        else:
            return
        yield begin, position


def _indented(text: str) -> Iterator[tuple[int, int]]:
    """Lines that begin with four spaces or a tab, after a blank one and below nothing that they could belong to (CommonMark 4.4)."""
    position, is_after_blank, is_held = 0, True, False
    begin = end = -1
    for line in text.splitlines(keepends=True):
        is_blank = not line.strip()
        if not is_blank:
            is_code = bool(_CODE_LINE.match(line))
            if is_code and not is_held and (is_after_blank or begin >= 0):
                begin, end = (position if begin < 0 else begin), position + len(line)
            else:
                if begin >= 0:
                    yield begin, end
                begin = -1
                is_held = bool(_HOLDS.match(line)) or (is_held and (is_code or line[0] == " " or not is_after_blank))
        is_after_blank = is_blank
        position += len(line)
    if begin >= 0:
        yield begin, end


def without_formula_signs(text: str) -> str:
    """Brackets as other programs mean them: ``\\\\(`` is an escaped one there and begins a formula here, ``\\\\\\\\(`` the reverse."""
    code = Code(text)
    return _BRACKET.sub(lambda found: found[0] if found.start() in code else f"{found[1]}{found[2]}", text)
