"""A source without what readers' pages do not show of it: what was noted for the desk is not for readers."""

import re

_MAX_SPAN = 2000  # characters of code in a line; the search for an end must not go on for a whole text
_TITLE = r"""(?:"[^"]*"|'[^']*'|\([^()]*\))"""
# In the order in which they begin, as CommonMark reads them: fenced code, code in a line, HTML that is not shown, what a reference leads
# to. Code in a line ends neither behind an empty line nor behind a line that begins a comment; an HTML block interrupts a paragraph.
_PLACES = re.compile(
    r"(?P<fence>^[ \t>]*(?P<mark>`{3,}(?=[^`\n]*$)|~{3,}))"
    rf"|(?P<span>(?<!`)(?P<ticks>`+)(?!`)(?:(?!\n[ \t]*\n|\n[ \t]*<!--).){{1,{_MAX_SPAN}}}?(?<!`)(?P=ticks)(?!`))"
    r"|(?P<escaped>\\[\\`<\[])"
    r"|(?P<hidden><!--|<\?|<!\[CDATA\[|<![a-z]|<script\b|<style\b)"
    rf"|(?P<reference>^[ ]{{0,3}}\[(?!\^)(?P<label>[^\]\n]+)\]:[ \t]*\n?[ \t]*\S+(?:[ \t]*\n?[ \t]*{_TITLE})?[ \t]*$)",
    re.DOTALL | re.MULTILINE | re.IGNORECASE,
)
_ENDS = {
    begin: re.compile(re.escape(end), re.IGNORECASE)
    for begin, end in {"<!--": "-->", "<?": "?>", "<![cdata[": "]]>", "<script": "</script>", "<style": "</style>", "<!": ">"}.items()
}
_HIDE_THE_REST = ("<!--", "<script", "<style")  # where they are never ended
_USED = re.compile(r"\[([^\[\]\n]+)\](?!:)")


def without_comments(source: str) -> str:
    """Without comments, instructions, scripts and styles, and without references that nothing in the text uses: notes are hidden in those,
    too (``[//]: # (a note)``)."""
    hidden = _Hidden(source)
    kept: list[str] = []
    at = 0
    while found := _PLACES.search(source, at):
        end = hidden.end(found)
        if end is None:
            end = _end_of_fence(source, found) if found["fence"] else found.end()
            kept.append(source[at:end])
        else:
            kept.append(source[at : found.start()])
        at = end
    return "".join([*kept, source[at:]])


class _Hidden:
    """What readers' pages do not show of a source, which is gone through once."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._used = {label.casefold() for label in _USED.findall(source)}
        self._endless: set[str] = set()  # beginnings whose end was looked for in vain

    def end(self, found: re.Match[str]) -> int | None:
        """Where that ends which begins here and is not shown; None if it is shown."""
        if found["label"]:
            return None if found["label"].casefold() in self._used else found.end()
        if not found["hidden"]:
            return None
        begin = found["hidden"].lower() if found["hidden"].lower() in _ENDS else "<!"
        if begin not in self._endless and (closing := _ENDS[begin].search(self._source, found.end())):
            return closing.end()
        self._endless.add(begin)
        return len(self._source) if begin in _HIDE_THE_REST else None


def _end_of_fence(source: str, found: re.Match[str]) -> int:
    mark = found["mark"]
    closing = re.compile(rf"^[ \t>]*{re.escape(mark[0])}{{{len(mark)},}}[ \t]*$", re.MULTILINE).search(source, found.end())
    return closing.end() if closing else len(source)
