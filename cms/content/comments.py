"""A source without its comments: what was noted for the desk is not for readers."""

import re

_MAX_SPAN = 2000  # characters of code in a line; the search for an end must not go on for a whole text
# In the order in which they begin, as CommonMark reads them: fenced code, code in a line, a comment. Code in a line ends neither
# behind an empty line nor behind a line that begins a comment; an HTML block interrupts a paragraph.
_PLACES = re.compile(
    r"(?P<fence>^[ \t>]*(?P<mark>`{3,}(?=[^`\n]*$)|~{3,}))"
    rf"|(?P<span>(?<!`)(?P<ticks>`+)(?!`)(?:(?!\n[ \t]*\n|\n[ \t]*<!--).){{1,{_MAX_SPAN}}}?(?<!`)(?P=ticks)(?!`))"
    r"|(?P<escaped>\\[\\`<])"
    r"|(?P<comment><!--)",
    re.DOTALL | re.MULTILINE,
)


def without_comments(source: str) -> str:
    kept: list[str] = []
    at = 0
    while found := _PLACES.search(source, at):
        end = _end_of_fence(source, found) if found["fence"] else found.end()
        kept.append(source[at : found.start() if found["comment"] else end])
        at = _end_of_comment(source, end) if found["comment"] else end
    return "".join([*kept, source[at:]])


def _end_of_fence(source: str, found: re.Match[str]) -> int:
    mark = found["mark"]
    closing = re.compile(rf"^[ \t>]*{re.escape(mark[0])}{{{len(mark)},}}[ \t]*$", re.MULTILINE).search(source, found.end())
    return closing.end() if closing else len(source)


def _end_of_comment(source: str, begin: int) -> int:
    """Behind it; what is never ended goes on to the end."""
    end = source.find("-->", begin)
    return len(source) if end < 0 else end + len("-->")
