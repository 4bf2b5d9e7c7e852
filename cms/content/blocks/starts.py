"""How each kind of block begins. A start looks at a line and at where it stands, and answers the blocks that begin there.

In the order of CommonMark 0.31; footnotes, definition lists and admonitions as in PHP Markdown Extra and Python-Markdown.
"""

import re
from collections.abc import Callable, Sequence

from cms.content.blocks.html_blocks import html_start
from cms.content.blocks.line import Line
from cms.content.blocks.tree import (
    CODE_INDENT,
    Block,
    Callout,
    Code,
    Definition,
    Definitions,
    Details,
    Fence,
    Heading,
    Html,
    Item,
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

Start = Callable[[Line, Block], Sequence[Block]]

_SPECIAL = re.compile(r"[#`~*+_=<>:!?$\\\[\d-]")
_HEADING = re.compile(r"(#{1,6})(?=[ \t]|$)")
_FENCE = re.compile(r"(`{3,})([^`]*)|(~{3,})(.*)")
_UNDERLINE = re.compile(r"(?:=+|-+)[ \t]*")
_RULE = re.compile(r"(?:(?:\*[ \t]*){3,}|(?:_[ \t]*){3,}|(?:-[ \t]*){3,})")
_BULLET = re.compile(r"[*+-](?=[ \t]|$)")
_NUMBER = re.compile(r"(\d{1,9})([.)])(?=[ \t]|$)")
_NOTE = re.compile(r"\[\^([^\]]+)\]:")
_CALLOUT = re.compile(r'(!!!|\?\?\?\+?)[ ]?([\w-]+(?: +[\w-]+)*)?(?: +"(.*?)")?[ \t]*')
_TAB = re.compile(r'===[!+]* +"(.*?)"[ \t]*')


def blocks_beginning(line: Line, parent: Block, tip: Block) -> Sequence[Block]:
    """What begins on this line inside ``parent``, from the outside in; nothing if the line is ordinary text.

    ``tip``: the innermost open block. If it is a paragraph, indentation or a tag alone only continue it.
    """
    if line.indent >= CODE_INDENT:
        return _code(line, tip)
    if not _SPECIAL.match(line.words):
        return ()
    for start in _STARTS:
        if found := start(line, tip if start is _html else parent):
            return found
    return ()


def _code(line: Line, tip: Block) -> Sequence[Block]:
    if isinstance(tip, Paragraph) or line.is_blank:
        return ()
    line.skip_indent(CODE_INDENT)
    return (Code(line),)


def _quote(line: Line, _parent: Block) -> Sequence[Block]:
    if not line.words.startswith(">"):
        return ()
    line.skip(1)
    line.skip_indent(1)
    return (Quote(line),)


def _heading(line: Line, _parent: Block) -> Sequence[Block]:
    found = _HEADING.match(line.words)
    if not found:
        return ()
    text = line.words[found.end() :].strip()
    without_closing = text.rstrip("#")
    if not without_closing or without_closing[-1] in " \t":
        text = without_closing.rstrip()
    return (Heading(line, len(found[1]), text),)


def _fence(line: Line, _parent: Block) -> Sequence[Block]:
    found = _FENCE.fullmatch(line.words)
    if not found:
        return ()
    return (Fence(line, found[1] or found[3], (found[2] or found[4] or "").strip()),)


def _html(line: Line, tip: Block) -> Sequence[Block]:
    begins, last = html_start(line.words, may_interrupt=not isinstance(tip, (Paragraph, Table)))
    return (Html(line, last),) if begins else ()


def _rule(line: Line, _parent: Block) -> Sequence[Block]:
    return (Rule(line),) if _RULE.fullmatch(line.words) else ()


def underline_level(line: Line) -> int:
    """1 or 2 if the line makes a heading of the paragraph above it, else 0."""
    if line.indent >= CODE_INDENT or not _UNDERLINE.fullmatch(line.words):
        return 0
    return 1 if line.words.startswith("=") else 2


def _item(line: Line, parent: Block) -> Sequence[Block]:
    words = line.words
    found = _BULLET.match(words) or _NUMBER.match(words)
    if not found:
        return ()
    start = int(found[1]) if found.re is _NUMBER else None
    is_empty = not words[found.end() :].strip()
    if isinstance(parent, Paragraph) and (is_empty or start not in (None, 1)):
        return ()  # a year at the beginning of a line is no list
    width = line.indent + found.end()
    line.skip(found.end())
    width += _skip_padding(line, is_empty=is_empty)
    mark = found[0] if start is None else found[2]
    item = Item(line, width)
    if isinstance(parent, List) and parent.mark == mark and (parent.start is None) == (start is None):
        return (item,)
    return (List(line, mark, start), item)


def _skip_padding(line: Line, *, is_empty: bool) -> int:
    """Columns between a mark and its text; more than four belong to code that stands in the item."""
    padding = line.indent
    if is_empty or padding > CODE_INDENT:
        padding = 1
    line.skip_indent(padding)
    return padding


def _note(line: Line, _parent: Block) -> Sequence[Block]:
    found = _NOTE.match(line.words)
    if not found:
        return ()
    line.skip(found.end())
    return (Note(line, found[1]),)


def _definition(line: Line, parent: Block) -> Sequence[Block]:
    """``:   what it means``, below a paragraph whose lines are the terms, or below another definition."""
    words = line.words
    if not words.startswith((": ", ":\t")) or not words[1:].strip():
        return ()
    width = line.indent + 1
    is_group = isinstance(parent, Definitions)
    above = parent if isinstance(parent, Paragraph) or is_group else parent.children[-1] if parent.children else None
    if not isinstance(above, (Paragraph, Definitions)) or line.number - above.end > 2:
        return ()
    line.skip(1)
    definition = Definition(line, width + _skip_padding(line, is_empty=False))
    definition.after_blank_line = line.number - above.end > 1
    if is_group:
        return (definition,)
    group = Definitions(line)
    if isinstance(above, Paragraph):
        group.begin = above.begin
        group.children += [Term(line, text.strip(), above.begin + number) for number, text in enumerate(above.lines)]
    return (group, definition)


def _callout(line: Line, _parent: Block) -> Sequence[Block]:
    found = _CALLOUT.fullmatch(line.words)
    if not found or not (found[2] or found[3]):
        return ()
    mark, kind, title = found.groups()
    line.skip(len(line.words))
    if mark == "!!!":
        return (Callout(line, kind or "note", title),)
    details = Details(line, kind or "", title)
    details.is_open = mark.endswith("+")
    return (details,)


def _tab(line: Line, parent: Block) -> Sequence[Block]:
    found = _TAB.fullmatch(line.words)
    if not found:
        return ()
    line.skip(len(line.words))
    tab = Tab(line, found[1])
    return (tab,) if isinstance(parent, Tabs) else (Tabs(line), tab)


def _maths(line: Line, parent: Block) -> Sequence[Block]:
    for first, last in (("$$", "$$"), ("\\[", "\\]")):
        words = line.words.rstrip()
        if words.startswith(first) and not isinstance(parent, Paragraph) and last not in words[2:].removesuffix(last):
            line.skip(len(first))
            return (Maths(line, first, last),)
    return ()


_STARTS: tuple[Start, ...] = (
    _quote, _heading, _fence, _callout, _tab, _html, _rule, _item, _note, _definition, _maths
)  # fmt: skip
USES_UP_ITS_FIRST_LINE = (Heading, Rule, Fence)
