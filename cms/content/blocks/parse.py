"""Lines to a tree of blocks: the two phases of CommonMark 0.31, appendix, of which this is the first.

For each line: which of the open blocks go on, what begins, and where the rest of the line belongs.
"""

import re

from cms.content.blocks.line import Line
from cms.content.blocks.paragraphs import Definitions as References
from cms.content.blocks.paragraphs import begins_table, take_definitions
from cms.content.blocks.starts import USES_UP_ITS_FIRST_LINE, blocks_beginning, underline_level
from cms.content.blocks.tree import Block, Definitions, Document, Heading, Leaf, Paragraph, Table

MAX_DEPTH = 100  # open blocks; what would nest deeper is text
_NEWLINE = re.compile(r"\r\n|\n|\r")


def parse(source: str) -> Document:
    """Never raises. Takes time in proportion to the text, times its depth."""
    parser = _Parser()
    lines = _NEWLINE.split(source)
    for number, text in enumerate(lines if lines[-1] else lines[:-1], start=1):
        parser.read(Line(text, number))
    return parser.document


class _Parser:
    def __init__(self) -> None:
        self.document = Document(Line("", 1))
        self._open: list[Block] = [self.document]  # from the outside in

    def read(self, line: Line) -> None:
        going_on = self._going_on(line)
        if self._open[-1].is_closed:
            self._open.pop()
            return
        matched = len(self._open) == going_on
        parent = self._open[going_on - 1]
        if isinstance(parent, Paragraph) and (level := underline_level(line)) and self._underline(parent, line, level):
            return
        begun = self._begin(line, going_on)
        if begun:
            if isinstance(self._open[-1], USES_UP_ITS_FIRST_LINE):
                return
        elif not matched and not line.is_blank and isinstance(self._open[-1], Paragraph):
            pass  # a lazy continuation: marks of quotations and lists may be left out
        else:
            del self._open[going_on:]
        self._add(line)

    def _going_on(self, line: Line) -> int:
        """How many of the open blocks the line belongs to."""
        for number, block in enumerate(self._open):
            if not block.goes_on(line):
                return number
        return len(self._open)

    def _begin(self, line: Line, going_on: int) -> bool:
        """Open what begins on the line, one in another."""
        begun = False
        while (len(self._open) if begun else going_on) < MAX_DEPTH:
            parent = self._open[-1] if begun else self._open[going_on - 1]
            if isinstance(parent, Leaf) and not isinstance(parent, (Paragraph, Table)):
                break
            blocks = blocks_beginning(line, parent, self._open[-1])
            if not blocks:
                break
            if not begun:
                del self._open[going_on:]
                begun = True
            for block in (self._with_terms(blocks[0]), *blocks[1:]):
                self._put(block)
            if isinstance(self._open[-1], Leaf):
                break
        return begun

    def _with_terms(self, block: Block) -> Block:
        """The lines of a paragraph become terms when a definition follows; the group above it goes on with them."""
        if not isinstance(block, Definitions) or not block.children:
            return block
        if isinstance(self._open[-1], Paragraph):
            self._open.pop()
        siblings = self._open[-1].children
        siblings.pop()
        if not siblings or not isinstance(siblings[-1], Definitions):
            return block
        group = siblings.pop()
        group.children += block.children
        return group

    def _put(self, block: Block) -> None:
        while not self._open[-1].holds(block):
            self._open.pop()
        self._open[-1].children.append(block)
        self._open.append(block)

    def _add(self, line: Line) -> None:
        """The rest of the line is text."""
        tip = self._open[-1]
        if not isinstance(tip, Leaf):
            if line.is_blank:
                return
            tip = Paragraph(line)
            self._put(tip)
        tip.add(line)
        if tip.is_closed:
            self._open.pop()
        elif isinstance(tip, Paragraph) and len(tip.lines) > 1 and begins_table(*tip.lines[-2:]):
            self._make_table(tip, line)

    def _make_table(self, paragraph: Paragraph, line: Line) -> None:
        """Of its last two lines."""
        table = Table(line)
        table.begin = line.number - 1
        table.lines = paragraph.lines[-2:]
        del paragraph.lines[-2:]
        self._open.pop()
        if not paragraph.lines:
            self._open[-1].children.pop()
        self._put(table)

    def _underline(self, paragraph: Paragraph, line: Line, level: int) -> bool:
        """False if there are only definitions above the line."""
        text = "\n".join(paragraph.lines).strip()
        if not take_definitions(text, References()):
            return False
        heading = Heading(line, level, text)
        heading.begin = paragraph.begin
        self._open.pop()
        self._open[-1].children[-1] = heading
        return True
