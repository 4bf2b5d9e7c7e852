"""Other programs' words in braces: replaced where we know what they mean, else kept where editors see them."""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

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
    """Where fenced code and code in a line stand, in order."""
    position = 0
    while position < len(text):
        fence = _FENCE.search(text, position)
        until = fence.start() if fence else len(text)
        yield from ((found.start(), found.end()) for found in _CODE_SPAN.finditer(text, position, until))
        if not fence:
            return
        closing = re.compile(rf"^[ \t]*{re.escape(fence[1][0])}{{{len(fence[1])},}}[ \t]*$", re.MULTILINE).search(text, fence.end())
        position = closing.end() if closing else len(text)
        yield fence.start(), position


def without_formula_signs(text: str) -> str:
    """Brackets as other programs mean them: ``\\\\(`` is an escaped one there and begins a formula here, ``\\\\\\\\(`` the reverse."""
    code = Code(text)
    return _BRACKET.sub(lambda found: found[0] if found.start() in code else f"{found[1]}{found[2]}", text)
