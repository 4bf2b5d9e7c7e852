"""Quotation marks as a language writes them, for straight ones in the text (CLDR, delimiters).

Which one a straight mark means depends on what stands before it and behind it, also across the borders of elements: in
``"*a*"`` the second one is alone in its text. Dashes and dots stay as they were typed.
"""

import html
import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.extensions import Extension
from markdown.treeprocessors import Treeprocessor
from markdown.util import ETX, STX, AtomicString

# “outer” and ‘inner’, opening and closing. Languages that are not here keep the English ones.
_MARKS: dict[str, tuple[str, str, str, str]] = {
    "bg": ("„", "“", "‘", "’"),
    "cs": ("„", "“", "‚", "‘"),
    "da": ("“", "”", "‘", "’"),
    "de": ("„", "“", "‚", "‘"),
    "de-ch": ("«", "»", "‹", "›"),
    "el": ("«", "»", "“", "”"),
    "es": ("«", "»", "“", "”"),
    "et": ("„", "“", "«", "»"),
    "fi": ("”", "”", "’", "’"),
    "fr": ("«\N{NARROW NO-BREAK SPACE}", "\N{NARROW NO-BREAK SPACE}»", "“", "”"),
    "hr": ("„", "”", "‘", "’"),
    "hu": ("„", "”", "»", "«"),
    "is": ("„", "“", "‚", "‘"),
    "it": ("«", "»", "“", "”"),
    "lt": ("„", "“", "‚", "‘"),
    "nb": ("«", "»", "‘", "’"),
    "nn": ("«", "»", "‘", "’"),
    "no": ("«", "»", "‘", "’"),
    "pl": ("„", "”", "«", "»"),
    "pt": ("“", "”", "‘", "’"),
    "pt-pt": ("«", "»", "“", "”"),
    "ro": ("„", "”", "«", "»"),
    "ru": ("«", "»", "„", "“"),
    "sk": ("„", "“", "‚", "‘"),
    "sl": ("„", "“", "‚", "‘"),
    "sr": ("„", "“", "‘", "‘"),
    "sv": ("”", "”", "’", "’"),
    "uk": ("«", "»", "„", "“"),
}
_ENGLISH = ("“", "”", "‘", "’")
_APOSTROPHE = "’"
_SIGN = re.compile(f"{STX}([^{ETX}]*){ETX}|[\"']")
_TAG = re.compile("<[^>]*>")
_DECADE = re.compile(r"\d\ds\b")
_OPENERS = frozenset("([{<¡¿“„«‹‘‚/=")
_DASHES = frozenset("-–—")
_STOPS = frozenset(",;:")
_INLINE = frozenset({"a", "abbr", "code", "del", "em", "img", "ins", "mark", "span", "strong", "sub", "sup"})


def marks_of(language: str) -> tuple[str, str, str, str]:
    tag = language.lower()
    return _MARKS.get(tag) or _MARKS.get(tag.partition("-")[0]) or _ENGLISH


class Quotes(Extension):
    def __init__(self, language: str) -> None:
        super().__init__()
        self._language = language

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802
        # Before "prettify" (10) puts newlines between blocks, each of which would be looked through.
        md.treeprocessors.register(_Walk(md, marks_of(self._language)), "quotes", 11)


class _Walk(Treeprocessor):
    """In the order of the text. ``_before`` is the last sign: "" at the beginning of a block, a straight mark right behind one that
    opened."""

    def __init__(self, md: Markdown, marks: tuple[str, str, str, str]) -> None:
        super().__init__(md)
        self._opening = {'"': marks[0], "'": marks[2]}
        self._closing = {'"': marks[1], "'": marks[3]}

    def run(self, root: Element) -> None:
        self._before = ""
        stack: list[tuple[Element, bool, bool]] = [(root, False, False)]  # element, whether it was entered, whether a sibling follows
        while stack:
            element, is_entered, has_more = stack.pop()
            if is_entered:
                self._leave(element, has_more=has_more)
            else:
                self._enter(element)
                stack.append((element, True, has_more))
                stack += reversed(list(_children(element)))

    def _enter(self, element: Element) -> None:
        if element.tag not in _INLINE:
            self._before = ""
        if isinstance(element.text, AtomicString) or element.tag == "img":
            self._before = "x"  # code, or what has its own ways
        elif element.text:
            element.text = self._dressed(element.text, has_more=len(element) > 0)

    def _leave(self, element: Element, *, has_more: bool) -> None:
        if element.tag not in _INLINE:
            self._before = ""
        if element.tail:
            element.tail = self._dressed(element.tail, has_more=has_more)

    def _dressed(self, text: str, *, has_more: bool) -> str:
        """``has_more``: an element follows."""
        end = 0

        def dress(found: re.Match[str]) -> str:
            nonlocal end
            if found.start() > end:
                self._before = text[found.start() - 1]
            end = found.end()
            if found[1] is not None:
                self._before = self._last_shown(found[1]) or self._before
                return found[0]
            behind = text[end : end + 4].lstrip("\"'") or ("x" if has_more else "")
            return self._mark(found[0], behind, is_joined=text[end : end + 1].isalnum())

        text_dressed = _SIGN.sub(dress, text)
        if end < len(text):
            self._before = text[-1]
        return text_dressed

    def _mark(self, straight: str, behind: str, *, is_joined: bool) -> str:
        if straight == "'" and ((is_joined and self._before.isalnum()) or (_DECADE.match(behind) and not self._before.isalnum())):
            self._before = _APOSTROPHE
            return _APOSTROPHE
        opens = self._opens(straight, behind)
        self._before = straight if opens else ")"
        return (self._opening if opens else self._closing)[straight]

    def _opens(self, straight: str, behind: str) -> bool:
        before = self._before
        if before in self._opening:
            return before != straight or behind[:1].isalnum()
        if before in _DASHES:
            return behind != "" and not behind[0].isspace()
        if before in _STOPS:
            return behind[:1].isalnum()
        return not before or before.isspace() or before in _OPENERS

    def _last_shown(self, name: str) -> str:
        """Of what was set aside: a tag shows nothing, an entity its sign, an escaped sign is itself."""
        if name.isdecimal():
            return chr(int(name))
        number = name.rpartition(":")[2]
        if not number.isdecimal() or int(number) >= len(self.md.htmlStash.rawHtmlBlocks):
            return ""
        markup = str(self.md.htmlStash.rawHtmlBlocks[int(number)])
        words = html.unescape(_TAG.sub("", markup))
        return "x" if words and words != markup and "<" in markup else words[-1:]


def _children(element: Element) -> Iterator[tuple[Element, bool, bool]]:
    last = len(element) - 1
    for number, child in enumerate(element):
        yield child, False, number < last
