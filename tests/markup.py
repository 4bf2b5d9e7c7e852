"""Pages of our own, read in a fifth of the time that html5lib takes.

Whoever writes each end tag, quotes each value and nests nothing that HTML would nest in another way has written a page that every parser
reads alike, and only such pages are read here. Everything else, what is wrong above all, is html5lib's: ``read`` says ``Unusual``.
"""

import html
import re
from html.entities import html5
from xml.etree.ElementTree import Element, TreeBuilder


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


VOID = _words("area base br col embed hr img input link meta source track wbr")
RAW = _words("script style title textarea iframe")
ESCAPABLE = _words("title textarea")  # raw, but for references
HEAD = _words("title meta link script style base")
SVG = "{http://www.w3.org/2000/svg}"
DRAWING = _words("svg g path use circle rect line title")

HEADINGS = _words("h1 h2 h3 h4 h5 h6")
FRAME = ("html", "head", "body")
PHRASING = _words(  # what goes on in a paragraph
    "a abbr area audio b bdi bdo br button canvas cite code data datalist del dfn em embed i iframe img input ins kbd label link map mark"
    " meta meter noscript option optgroup output picture progress q s samp script select small source span strong sub sup svg template"
    " textarea time track u var video wbr"
)
PARENTS: dict[str, frozenset[str]] = {  # of what may end one; where their end tags could be left out, or they would be moved, which
    **dict.fromkeys(
        _words(
            "address article aside blockquote details dialog div dl fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup "
            "hr main menu nav ol p pre search section summary table ul"
        ),
        frozenset(),
    ),
    **dict.fromkeys(_words("head body"), _words("html")),
    **dict.fromkeys(_words("title style base"), _words("head")),
    "html": frozenset([""]),
    "li": _words("ul ol menu template"),
    "dt": _words("dl div"),
    "dd": _words("dl div"),
    "legend": _words("fieldset"),
    **dict.fromkeys(_words("thead tbody tfoot caption colgroup"), _words("table")),
    "col": _words("colgroup"),
    "tr": _words("thead tbody tfoot"),
    **dict.fromkeys(_words("td th"), _words("tr")),
}
CHILDREN: dict[str, frozenset[str]] = {
    "": _words("html"),
    "html": _words("head body"),
    "head": HEAD,
    "table": _words("thead tbody tfoot caption colgroup"),
    **dict.fromkeys(_words("thead tbody tfoot"), _words("tr")),
    "tr": _words("td th"),
    "colgroup": _words("col"),
    "select": _words("option optgroup"),
    "optgroup": _words("option"),
    "option": frozenset(),
}
SPARSE = frozenset(CHILDREN) - {"select", "optgroup", "option"}  # with nothing but spaces between their children
ONCE = _words("a button form select")  # never in another of their kind
SPELT = re.compile(r"viewb|preserve|.*:")  # attributes that are written another way in drawings

TAG = re.compile(
    r"""<(?:(?P<end>/)?(?P<name>[a-z][a-z0-9-]*)(?P<attributes>(?:\s+[a-z][a-z0-9:_-]*(?:="[^"]*")?)*)\s*(?P<closed>/)?>)""", re.ASCII
)
ATTRIBUTE = re.compile(r"""\s+([a-z][a-z0-9:_-]*)(?:="([^"]*)")?""", re.ASCII)
START = re.compile(r"<!doctype html>\s*", re.IGNORECASE)
ODD = re.compile("[^\n\t -~\xa0-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd\U00010000-\U0001fffd]")
END = re.compile(r"(\s*)</html>(\s*)")
REFERENCE = re.compile(r"&(?:(#\d+|#x[0-9a-fA-F]+|[A-Za-z][A-Za-z0-9]*);)?")


class Unusual(Exception):
    """Not a page of this kind, whether it is right or wrong."""


def read(text: str) -> Element:
    """The tree that html5lib makes of the page, without namespaces; raises ``Unusual``."""
    if (start := START.match(text)) is None or ODD.search(text):
        raise Unusual("how it begins")
    return _Page(text, start.end()).tree


class _Page:
    def __init__(self, text: str, at: int) -> None:
        self._text = text
        self._builder = TreeBuilder()
        self._open: list[str] = []
        self._seen: list[str] = []  # in the order in which a page has them
        self._drawing = 0  # how many elements are open where a drawing begins
        while at < len(text):
            tag = TAG.match(text, at)
            if tag is None:
                at = self._data(at)
            elif tag["end"]:
                at = self._end(tag)
            else:
                at = self._start(tag)
        if self._seen != ["html", "head", "body"] or self._open:
            raise Unusual("its frame")
        self.tree = self._builder.close()

    def _start(self, tag: re.Match[str]) -> int:
        """Returns where it goes on."""
        name = tag["name"]
        attributes = _attributes(tag["attributes"]) if tag["attributes"] else {}
        if self._drawing or name == "svg":
            return self._draw(name, attributes, tag)
        self._place(name)
        self._builder.start(name, attributes)
        if name in VOID:
            self._builder.end(name)
            return tag.end()
        if tag["closed"] or (name == "pre" and self._text.startswith("\n", tag.end())):
            raise Unusual("a slash, or a line that is not shown")
        if name in RAW:
            return self._raw(name, tag.end())
        self._open.append(name)
        return tag.end()

    def _place(self, name: str) -> None:
        """Raises if it could be anywhere but in its parent, or end something that is open."""
        parent = self._open[-1] if self._open else ""
        if parent in CHILDREN and name not in CHILDREN[parent]:
            raise Unusual(f"{name} in {parent}")
        if name not in PHRASING and "-" not in name:
            if name not in PARENTS or (PARENTS[name] and parent not in PARENTS[name]):
                raise Unusual(f"{name} in {parent}")
            if "p" in self._open or (name in HEADINGS and parent in HEADINGS):
                raise Unusual(f"{name} in a paragraph, or a heading in one")
            if name in FRAME:
                self._seen.append(name)
        if name in ONCE and name in self._open:
            raise Unusual(f"{name} in another")

    def _draw(self, name: str, attributes: dict[str, str], tag: re.Match[str]) -> int:
        if self._drawing == 0:
            self._place(name)
        if name not in DRAWING or (name == "svg") is (self._drawing > 0) or any(map(SPELT.match, attributes)):
            raise Unusual(f"{name} in a drawing")
        self._builder.start(SVG + name, attributes)
        if tag["closed"]:
            self._builder.end(SVG + name)
            return tag.end()
        self._open.append(name)
        self._drawing = self._drawing or len(self._open)
        return tag.end()

    def _end(self, tag: re.Match[str]) -> int:
        name = tag["name"]
        if not self._open or self._open[-1] != name or tag["attributes"] or tag["closed"]:
            raise Unusual(f"the end of {name}")
        if name == "body":  # what follows is still in it
            if (rest := END.fullmatch(self._text, tag.end())) is None:
                raise Unusual("after the end")
            self._builder.data(rest[1] + rest[2])
            self._builder.end("body")
            self._open = []
            return rest.end()
        self._builder.end(SVG + name if self._drawing else name)
        self._open.pop()
        if len(self._open) < self._drawing:
            self._drawing = 0
        return tag.end()

    def _raw(self, name: str, at: int) -> int:
        end = self._text.find("</", at)
        if not self._text.startswith(f"</{name}>", end) or "<!--" in (text := self._text[at:end]):
            raise Unusual("raw text")
        if name in ESCAPABLE:
            text = _referred(text.removeprefix("\n") if name == "textarea" else text)
        if text:
            self._builder.data(text)
        self._builder.end(name)
        return end + len(name) + 3

    def _data(self, at: int) -> int:
        end = self._text.find("<", at)
        text = self._text[at : end if end >= 0 else None]
        parent = self._open[-1] if self._open else ""
        if not text or (parent in SPARSE and text.strip(" \n\t")):
            raise Unusual("text")
        if self._open and self._seen != ["html"]:
            self._builder.data(_referred(text) if "&" in text else text)
        return at + len(text)


def _attributes(text: str) -> dict[str, str]:
    found = ATTRIBUTE.findall(text)
    attributes = {name: _referred(value) for name, value in found}
    if len(attributes) < len(found):
        raise Unusual("an attribute twice")
    return attributes


def _referred(text: str) -> str:
    if "&" not in text:
        return text
    for name in REFERENCE.findall(text):
        if name.startswith("#"):
            number = int(name[2:], 16) if name[1] == "x" else int(name[1:])
            if not (32 <= number < 127 or 160 <= number < 0xD800):
                raise Unusual("a number of a character")
        elif f"{name};" not in html5:
            raise Unusual("a reference")
    return html.unescape(text)
