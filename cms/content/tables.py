"""Tables that scroll in a named region, with headers that say what they head and alignment by class."""

import html
import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

WIDE_FROM = 5  # columns
_STYLE_ALIGN = re.compile(r"text-align:\s*(left|right|center|start|end)", re.IGNORECASE)
_NUMBER = re.compile(r"[\s\d.,'’ ±+−–\-%×x~≈<>≤≥=$€£¥:/()]*\d[\s\d.,'’ ±+−–\-%×x~≈<>≤≥=$€£¥:/()]*(?:\w{1,3}\.?)?\s*")
_SIDES = {"right": "right", "end": "right", "left": "left", "start": "left", "center": "center"}


def decorate_tables(root: Element) -> None:
    """Wrap every table in its region, numbered in the order of the text."""
    number = 0
    for parent in list(root.iter()):
        if parent.get("class") in {"table", "table wide"}:
            continue
        for index, child in enumerate(parent):
            if child.tag == "table":
                number += 1
                parent[index] = _region(child, number)


def _region(table: Element, number: int) -> Element:
    rows = [[cell for cell in row if cell.tag in {"td", "th"}] for row in _own_rows(table)]
    _scope_headers(table)
    _align(rows)
    columns = max((sum(_span(cell) for cell in row) for row in rows), default=0)
    region = Element(
        "div",
        {
            "class": "table wide" if columns >= WIDE_FROM else "table",
            "tabindex": "0",
            "role": "region",
            "aria-label": _label(table, number),
        },
    )
    region.tail, table.tail = table.tail, None
    region.append(table)
    return region


def _label(table: Element, number: int) -> str:
    """The caption's words; entities are kept as they are written in this tree."""
    caption = table.find("caption")
    return " ".join("".join(caption.itertext()).split()) if caption is not None else f"Table {number}"


def _own_rows(table: Element) -> Iterator[Element]:
    """Rows of this table, not of one inside a cell."""
    for child in table:
        if child.tag == "tr":
            yield child
        elif child.tag in {"thead", "tbody", "tfoot"}:
            yield from (row for row in child if row.tag == "tr")


def _scope_headers(table: Element) -> None:
    head = {id(row) for part in table.findall("thead") for row in part}
    for row in _own_rows(table):
        in_head = id(row) in head or all(cell.tag == "th" for cell in row)
        for cell in row:
            if cell.tag == "th" and not _has_content(cell):
                cell.tag = "td"  # the corner above row headings heads nothing, and is read out as a heading without words
            elif cell.tag == "th" and "scope" not in cell.attrib:
                cell.set("scope", "col" if in_head else "row")


def _has_content(cell: Element) -> bool:
    return bool("".join(cell.itertext()).strip()) or len(cell) > 0


def _align(rows: list[list[Element]]) -> None:
    """Alignment by class, because the content policy allows no style; right-aligned columns of figures are ``num``."""
    figures = _columns_of_figures(rows)
    for row in rows:
        for column, cell in enumerate(row):
            side = _side(cell)
            if side:
                name = "num" if side == "right" and column in figures else f"align-{side}"
                cell.set("class", " ".join([*cell.get("class", "").split(), name]))


def _columns_of_figures(rows: list[list[Element]]) -> set[int]:
    bodies: dict[int, list[str]] = {}
    for row in rows:
        for column, cell in enumerate(row):
            if cell.tag == "td" and (text := html.unescape("".join(cell.itertext())).strip()):
                bodies.setdefault(column, []).append(text)
    return {column for column, texts in bodies.items() if all(_NUMBER.fullmatch(text[:40]) for text in texts)}


def _side(cell: Element) -> str:
    style = _STYLE_ALIGN.search(cell.attrib.pop("style", ""))
    said = style[1] if style else cell.attrib.pop("align", "")
    cell.attrib.pop("align", None)
    return _SIDES.get(said.strip().lower(), "")


def _span(cell: Element) -> int:
    span = cell.get("colspan", "1")
    return min(int(span), 1000) if span.isascii() and span.isdigit() and len(span) < 5 else 1
