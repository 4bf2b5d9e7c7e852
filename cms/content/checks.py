"""What deserves another look in a text before it goes out. Looks at what became of the text, then for where that stands in its source."""

import html
import re
from collections import deque
from collections.abc import Iterator
from itertools import islice

from cms.content.context import Flaw, Target
from cms.content.findings import Findings
from cms.wording import say

MOST = 100  # flaws of one text that are named: whoever has more begins with these
MOST_THINGS = 1000  # pictures, links or headings that are looked at: each has to be found in the source again
_NEAR = 50  # lines that look like headings, among which one is looked for

# Addresses in code are nobody's links. What stands between fences, and between backticks on one line.
_CODE = re.compile(r"^ {0,3}(`{3,}+|~{3,}+)[^\n]*+\n.*?(?:^ {0,3}\1|\Z)|(`{1,3}+)(?!`)[^`\n]{1,300}+\2(?!`)", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^[ \t>]*+#{1,6}(?=[ \t]|$).*|^(?=[^\n]*\S)[^\n]*+(?=\n {0,3}(?:=+|-+)[ \t]*$)|<h[1-6]\b.*", re.MULTILINE)
_NO_ADDRESS = re.compile(r"\]\(\s*+(?:<>\s*+)?\)|\bhref\s*+=\s*+(?:\"\s*+\"|'\s*+')")
_DECORATIVE = re.compile(r"\balt\s*(?:=\s*(?:\"\s*\"|'\s*'))?(?=[\s/>])", re.IGNORECASE)
_PAIR = re.compile("[\U00010000-\U0010ffff]")  # one character, two units
_SIGNS = re.compile(r"[\W_]+")
_PART_OF_ADDRESS = re.compile(r"[\w/.%#?&-]")


def look(source: str, found: Findings, site_host: str) -> tuple[tuple[Flaw, ...], tuple[Target, ...]]:
    """What is wrong with the text alone, in its order, and what it leads to within the site."""
    places = _Places(source)
    flaws = sorted(islice(_flaws(places, found), MOST), key=lambda flaw: flaw.offset)
    return tuple(flaws), tuple(_targets(places, found, site_host))


class _Places:
    """Where things stand in the source: each time the next one with the same address."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._has_pairs = _PAIR.search(source) is not None
        self._plain = _CODE.sub(lambda code: re.sub(r"[^\n]", " ", code[0]), source)
        self._first: dict[str, int | None] = {}
        self._after: dict[str, int] = {}
        self._last = 0  # where something was found: most stand in the order in which they are asked for
        self._headings = deque(islice(_HEADING.finditer(self._plain), 2 * MOST_THINGS))
        self._without_address = _NO_ADDRESS.finditer(self._plain)

    def rewind(self) -> None:
        """Other things are looked for, again from the beginning."""
        self._last = 0

    def first_of(self, address: str) -> int | None:
        return self._first[address] if address in self._first else self.of_address(address)

    def of_address(self, address: str) -> int | None:
        if not address:
            return next((found.start() for found in self._without_address), None)
        at = None
        for written in dict.fromkeys((address, html.escape(address))):
            after = self._after.get(written, 0)
            at = self._find(written, max(after, self._last))
            if at is None and after < self._last:
                at = self._find(written, after)
            self._after[written] = len(self._plain) if at is None else at + len(written)  # what is not there is not looked for again
            if at is not None:
                self._last = at
                break
        self._first.setdefault(address, at)
        return at

    def _find(self, written: str, begin: int) -> int | None:
        while (at := self._plain.find(written, begin)) >= 0:
            begin = at + len(written)
            around = self._plain[at - 1 : at] + self._plain[begin : begin + 1]
            if not _PART_OF_ADDRESS.search(around) or written.startswith("[["):
                return at
        return None

    def of_heading(self, text: str) -> int | None:
        letters = _SIGNS.sub("", text)
        for number, found in enumerate(islice(self._headings, _NEAR)):
            line = _SIGNS.sub("", found[0])
            if letters in line if letters else not line:
                for _ in range(number + 1):
                    self._headings.popleft()
                return found.start()
        return None

    def is_decorative(self, at: int) -> bool:
        """Whether the picture says by an empty text that it is there for its looks: ``<img src="…" alt="">``."""
        begin = self._source.rfind("<img", max(0, at - 1000), at)
        end = self._source.find(">", begin) if begin >= 0 else -1
        return end > at and _DECORATIVE.search(self._source, begin, end + 1) is not None

    def flaw(self, code: str, words: str, at: int | None) -> Flaw:
        return Flaw(code, words, self._line(at), self._offset(at or 0))

    def target(self, address: str, at: int | None) -> Target:
        return Target(address, self._line(at), self._offset(at or 0))

    def _line(self, at: int | None) -> int:
        return 0 if at is None else self._source.count("\n", 0, at) + 1

    def _offset(self, at: int) -> int:
        return len(self._source[:at].encode("utf-16-le", "surrogatepass")) // 2 if self._has_pairs else at


def _flaws(places: _Places, found: Findings) -> Iterator[Flaw]:
    for address, has_words in found.pictures[:MOST_THINGS]:
        at = places.of_address(address)
        if not has_words and not (at is not None and places.is_decorative(at)):
            yield places.flaw("alt", say("The picture {picture} has no text that says what it shows.", picture=_name(address)), at)
    level = 1
    for heading in found.headings[:MOST_THINGS]:
        at = places.of_heading(heading.text)
        if not heading.text:
            yield places.flaw("headings", say("A heading has no words."), at)
        elif heading.level > level + 1:
            yield places.flaw(
                "headings",
                say(
                    "“{heading}” jumps from level {level} to level {number}.",
                    heading=_short(heading.text),
                    level=level,
                    number=heading.level,
                ),
                at,
            )
        level = heading.level
    places.rewind()
    for address, words in found.anchors[:MOST_THINGS]:
        at = places.of_address(address)
        if not address:
            yield places.flaw("empty", say("The link “{words}” has no address.", words=_short(words)), at)
        elif not words:
            yield places.flaw("empty", say("The link to {address} has no words.", address=_short(address)), at)
        elif address.startswith("#") and address[1:] and address[1:] not in found.ids and address != "#top":
            yield places.flaw(
                "links", say("The link to {address} leads nowhere: nothing in the text has that name.", address=_short(address)), at
            )


def _targets(places: _Places, found: Findings, site_host: str) -> Iterator[Target]:
    """Each once, where it stands first."""
    own = re.compile(rf"(?:https?:)?//{re.escape(site_host)}(?::\d+)?(?=/|$)", re.IGNORECASE) if site_host else None
    for address in dict.fromkeys(address for address, _ in found.anchors[:MOST_THINGS]):
        inside = own.sub("", address) if own else address
        if inside.startswith("/") and not inside.startswith("//"):
            yield places.target(inside, places.first_of(address))
    for title in dict.fromkeys(found.nowhere[:MOST_THINGS]):
        yield places.target(f"[[{title}", places.first_of(f"[[{title}"))


def _name(address: str) -> str:
    return _short(address.rstrip("/").rpartition("/")[2] or address)


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:60].rstrip()}…"
