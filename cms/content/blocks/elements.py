"""A tree of blocks to the element tree whose texts Python-Markdown's inline patterns go through.

What is HTML already (code, raw HTML, maths) is stashed, so that no pattern looks into it.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from cms.content.blocks.paragraphs import Definitions, read_table, take_definitions
from cms.content.blocks.tree import (
    Block,
    Callout,
    Code,
    Definition,
    Details,
    Fence,
    Heading,
    Html,
    List,
    Maths,
    Note,
    Paragraph,
    Quote,
    Rule,
    Tab,
    Table,
    Tabs,
    Term,
)
from cms.content.blocks.tree import Definitions as DefinitionList

_HEADING_ID = re.compile(r"(?:^|[ \t])\{:?[ \t]*#([\w:.-]{1,100})[ \t]*\}$")  # as Zola, Hugo and kramdown have it
_GITHUB_CALLOUT = re.compile(r"\[!(\w+)\]([+-]?)[ \t]*(.*)")
_TITLES = {"note": "Note", "tip": "Tip", "important": "Important", "warning": "Warning", "caution": "Caution", "danger": "Danger"}


@dataclass(slots=True)
class Drawing:
    """How the leaves are drawn, and what was said on the way. ``stash`` keeps HTML and answers a sign that stands for it."""

    stash: Callable[[str], str]
    code: Callable[[str, str], str]  # text and info string to HTML
    maths: Callable[[str], str]
    definitions: Definitions = field(default_factory=Definitions)
    notes: dict[str, Note] = field(default_factory=dict)

    def fill_note(self, parent: Element, note: Note) -> None:
        self.fill(parent, note.children)
        if not len(parent):
            SubElement(parent, "p").text = ""

    def fill(self, parent: Element, blocks: Sequence[Block], *, tight: bool = False) -> None:
        for block in blocks:
            self._draw(parent, block, tight=tight)

    def _draw(self, parent: Element, block: Block, *, tight: bool) -> None:
        if isinstance(block, Paragraph):
            self._paragraph(parent, block, tight=tight)
        else:
            _DRAWN[type(block)](self, parent, block)

    def _paragraph(self, parent: Element, block: Paragraph, *, tight: bool) -> None:
        text = take_definitions("\n".join(block.lines).strip(), self.definitions)
        if not text:
            return
        if tight:
            _append_text(parent, text)
        else:
            SubElement(parent, "p").text = text

    def _table(self, parent: Element, block: Table) -> None:
        rows = read_table(block.lines)
        table = SubElement(parent, "table")
        _row(SubElement(table, "thead"), "th", rows.header, rows.sides)
        if rows.body:
            body = SubElement(table, "tbody")
            for cells in rows.body:
                _row(body, "td", cells, rows.sides)

    def _heading(self, parent: Element, block: Heading) -> None:
        text = take_definitions(block.lines[0], self.definitions) if "\n" in block.lines[0] else block.lines[0]
        element = SubElement(parent, f"h{block.level}")
        if found := _HEADING_ID.search(text):
            element.set("id", found[1])
            text = text[: found.start()]
        element.text = text

    def _rule(self, parent: Element, block: Rule) -> None:
        SubElement(parent, "hr")

    def _quote(self, parent: Element, block: Quote) -> None:
        first = block.children[0] if block.children else None
        found = _GITHUB_CALLOUT.fullmatch(first.lines[0]) if isinstance(first, Paragraph) else None
        if found and isinstance(first, Paragraph):
            del first.lines[0]
            self._boxed(parent, found[1].lower(), found[3] or None, {"-": False, "+": True}.get(found[2]), block.children)
        else:
            self.fill(SubElement(parent, "blockquote"), block.children)

    def _callout(self, parent: Element, block: Callout) -> None:
        self._boxed(parent, block.kind, block.title, block.is_open if isinstance(block, Details) else None, block.children)

    def _boxed(self, parent: Element, kind: str, title: str | None, is_open: bool | None, children: Sequence[Block]) -> None:
        """``is_open``: None if there is nothing to unfold."""
        word = kind.split()[0] if kind else ""
        title = title if title is not None else _TITLES.get(word.lower(), word.capitalize() or "Details")
        if is_open is None:
            box = SubElement(parent, "div", {"class": f"admonition {kind}"})
            if title:
                SubElement(box, "p", {"class": "admonition-title"}).text = title
        else:
            box = SubElement(parent, "details", {"class": kind} if kind else {})
            if is_open:
                box.set("open", "open")
            SubElement(box, "summary").text = title or "Details"
        self.fill(box, children)

    def _list(self, parent: Element, block: List) -> None:
        element = SubElement(parent, "ul" if block.start is None else "ol")
        if block.start not in (None, 1):
            element.set("start", str(block.start))
        tight = not block.is_loose
        for item in block.children:
            self.fill(SubElement(element, "li"), item.children, tight=tight)

    def _definitions(self, parent: Element, block: DefinitionList) -> None:
        element = SubElement(parent, "dl")
        for child in block.children:
            if isinstance(child, Term):
                SubElement(element, "dt").text = child.text
            elif isinstance(child, Definition):
                self.fill(SubElement(element, "dd"), child.children, tight=not child.is_loose)

    def _note(self, parent: Element, block: Note) -> None:
        self.notes.setdefault(block.name, block)

    def _tabs(self, parent: Element, block: Tabs) -> None:
        """Without a script a set of tabs is the same thing as a set of details; the theme makes it more."""
        element = SubElement(parent, "div", {"class": "tabs"})
        for tab in block.children:
            if isinstance(tab, Tab):
                box = SubElement(element, "details", {"class": "tab"})
                SubElement(box, "summary").text = tab.title
                self.fill(box, tab.children)
        if len(element):
            element[0].set("open", "open")

    def _code(self, parent: Element, block: Code | Fence) -> None:
        self._raw(parent, self.code(block.text, block.info if isinstance(block, Fence) else ""))

    def _maths(self, parent: Element, block: Maths) -> None:
        if block.is_closed:
            self._raw(parent, self.maths(block.text))
        else:
            SubElement(parent, "p").text = block.as_typed  # nobody ended it: it was no formula

    def _html(self, parent: Element, block: Html) -> None:
        self._raw(parent, block.text)

    def _raw(self, parent: Element, markup: str) -> None:
        element: Any = SubElement(parent, "squall-raw")
        element.tag = None  # Python-Markdown's serializer then writes the text alone
        element.text = self.stash(markup)
        element.tail = "\n"


_DRAWN: dict[type[Block], Callable[[Drawing, Element, Any], None]] = {
    Callout: Drawing._callout,
    Code: Drawing._code,
    DefinitionList: Drawing._definitions,
    Details: Drawing._callout,
    Fence: Drawing._code,
    Heading: Drawing._heading,
    Html: Drawing._html,
    List: Drawing._list,
    Maths: Drawing._maths,
    Note: Drawing._note,
    Quote: Drawing._quote,
    Rule: Drawing._rule,
    Table: Drawing._table,
    Tabs: Drawing._tabs,
}


def _append_text(parent: Element, words: str) -> None:
    """Text of a tight item stands in the item itself."""
    if len(parent):
        last = parent[-1]
        last.tail = f"{last.tail or ''}\n{words}"
    else:
        parent.text = words if not parent.text else f"{parent.text}\n{words}"


def _row(parent: Element, tag: str, cells: Sequence[str], sides: Sequence[str]) -> None:
    row = SubElement(parent, "tr")
    for text, side in zip(cells, sides, strict=True):
        cell = SubElement(row, tag, {"align": side} if side else {})
        cell.text = text
