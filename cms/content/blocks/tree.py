"""Kinds of blocks. Each knows whether a line goes on with it; how one begins is in ``starts``."""

import re
from collections.abc import Iterable

from cms.content.blocks.line import Line

CODE_INDENT = 4


class Block:
    """``begin`` and ``end`` are numbers of lines; blank ones at the end do not count."""

    is_container = True  # other blocks may stand in it
    is_closed = False  # by its own last line

    def __init__(self, line: Line) -> None:
        self.begin = line.number
        self.children: list[Block] = []

    @property
    def end(self) -> int:
        return self.children[-1].end if self.children else self.begin

    def goes_on(self, line: Line) -> bool:
        """Whether the line belongs to this block; if so, its own marks are passed over."""
        raise NotImplementedError

    def holds(self, child: "Block") -> bool:
        return not isinstance(child, (Item, Definition, Tab))


class Document(Block):
    def goes_on(self, line: Line) -> bool:
        return True


class Quote(Block):
    def goes_on(self, line: Line) -> bool:
        if line.indent >= CODE_INDENT or not line.words.startswith(">"):
            return False
        line.skip(1)
        line.skip_indent(1)
        return True


class _Indented(Block):
    """Holds blank lines and those that are indented far enough."""

    def __init__(self, line: Line, width: int) -> None:
        super().__init__(line)
        self.width = width

    def goes_on(self, line: Line) -> bool:
        if line.is_blank:
            return self._outlasts_blank_line()
        if line.indent < self.width:
            return False
        line.skip_indent(self.width)
        return True

    def _outlasts_blank_line(self) -> bool:
        return True


class _Group(Block):
    """Holds members of one kind and nothing else; every line goes on with it until something else begins."""

    def goes_on(self, line: Line) -> bool:
        return True


class List(_Group):
    """``mark`` is the bullet, or the sign after the number; items with another one are another list."""

    def __init__(self, line: Line, mark: str, start: int | None) -> None:
        super().__init__(line)
        self.mark = mark
        self.start = start  # None: bullets

    def holds(self, child: Block) -> bool:
        return isinstance(child, Item)

    @property
    def is_loose(self) -> bool:
        return _has_gaps(self.children) or any(_has_gaps(item.children) for item in self.children)


class Item(_Indented):
    def _outlasts_blank_line(self) -> bool:
        return bool(self.children)  # an item begins with at most one blank line


class Definitions(_Group):
    """Terms, each followed by its definitions."""

    def holds(self, child: Block) -> bool:
        return isinstance(child, (Term, Definition))


class Term(Block):
    is_container = False

    def __init__(self, line: Line, text: str, number: int) -> None:
        super().__init__(line)
        self.text = text
        self.begin = number

    def goes_on(self, line: Line) -> bool:
        return False


class Definition(_Indented):
    after_blank_line = False

    @property
    def is_loose(self) -> bool:
        return self.after_blank_line or _has_gaps(self.children)


class Note(_Indented):
    """What a footnote says."""

    def __init__(self, line: Line, name: str) -> None:
        super().__init__(line, CODE_INDENT)
        self.name = name


class Callout(_Indented):
    def __init__(self, line: Line, kind: str, title: str | None) -> None:
        super().__init__(line, CODE_INDENT)
        self.kind = kind
        self.title = title


class Details(Callout):
    """A callout to unfold."""

    is_open = False


class Tabs(_Group):
    def holds(self, child: Block) -> bool:
        return isinstance(child, Tab)


class Tab(_Indented):
    def __init__(self, line: Line, title: str) -> None:
        super().__init__(line, CODE_INDENT)
        self.title = title


class Leaf(Block):
    """Holds lines of text."""

    is_container = False

    def __init__(self, line: Line) -> None:
        super().__init__(line)
        self.lines: list[str] = []
        self._end = line.number

    @property
    def end(self) -> int:
        return self._end

    def add(self, line: Line) -> None:
        self.lines.append(line.rest)
        if not line.is_blank:
            self._end = line.number

    def holds(self, child: Block) -> bool:
        return False


class Paragraph(Leaf):
    def goes_on(self, line: Line) -> bool:
        return not line.is_blank

    def add(self, line: Line) -> None:
        super().add(line)
        self.lines[-1] = line.words


class Heading(Leaf):
    def __init__(self, line: Line, level: int, text: str) -> None:
        super().__init__(line)
        self.level = level
        self.lines = [text]

    def goes_on(self, line: Line) -> bool:
        return False


class Rule(Leaf):
    def goes_on(self, line: Line) -> bool:
        return False


class Code(Leaf):
    """By indentation."""

    def goes_on(self, line: Line) -> bool:
        if line.indent < CODE_INDENT and not line.is_blank:
            return False
        line.skip_indent(CODE_INDENT)
        return True

    @property
    def text(self) -> str:
        lines = list(self.lines)
        while lines and not lines[-1].strip():
            lines.pop()
        return "\n".join(lines) + "\n"


class Fence(Leaf):
    """Code between fences. ``info`` is what stands after the first one."""

    def __init__(self, line: Line, fence: str, info: str) -> None:
        super().__init__(line)
        self.indent = line.indent
        self.info = info
        self._last = re.compile(rf" {{0,3}}{re.escape(fence[0])}{{{len(fence)},}}[ \t]*")

    def goes_on(self, line: Line) -> bool:
        self._end = line.number
        if self._last.fullmatch(line.rest):
            self.is_closed = True
        else:
            line.skip_indent(self.indent)
        return True

    @property
    def text(self) -> str:
        return "".join(f"{line}\n" for line in self.lines)


class Maths(Leaf):
    """A formula between two ``$$``, or between brackets with backslashes."""

    def __init__(self, line: Line, first: str, last: str) -> None:
        super().__init__(line)
        self._first = first
        self._last = last

    def goes_on(self, line: Line) -> bool:
        return not line.is_blank

    def add(self, line: Line) -> None:
        super().add(line)
        words = line.rest.rstrip()
        if words.endswith(self._last):
            self.lines[-1] = words.removesuffix(self._last)
            self.is_closed = True

    @property
    def text(self) -> str:
        return "\n".join(self.lines).strip()

    @property
    def as_typed(self) -> str:
        return self._first + "\n".join(line.strip() for line in self.lines)


class Html(Leaf):
    """HTML as it was typed. Without ``last`` it goes on to the next blank line."""

    def __init__(self, line: Line, last: re.Pattern[str] | None) -> None:
        super().__init__(line)
        self._last = last

    def goes_on(self, line: Line) -> bool:
        return self._last is not None or not line.is_blank

    def add(self, line: Line) -> None:
        super().add(line)
        self.is_closed = self._last is not None and self._last.search(line.rest) is not None

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


class Table(Leaf):
    """Header, row of dashes, rows; made of the last lines of a paragraph when the dashes come."""

    def goes_on(self, line: Line) -> bool:
        return not line.is_blank


def _has_gaps(blocks: Iterable[Block]) -> bool:
    end = None
    for block in blocks:
        if end is not None and block.begin > end + 1:
            return True
        end = block.end
    return False
