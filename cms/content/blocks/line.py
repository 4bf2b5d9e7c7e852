"""A line being read from left to right, in columns: a tab reaches to the next multiple of four (CommonMark 0.31, 2.2)."""

TAB = 4


class Line:
    """What is left of a line. ``column`` is where that stands in the whole of it, ``number`` counts from 1."""

    __slots__ = ("column", "number", "rest")

    def __init__(self, text: str, number: int) -> None:
        self.rest = text
        self.column = 0
        self.number = number

    @property
    def is_blank(self) -> bool:
        return not self.rest or self.rest.isspace()

    @property
    def indent(self) -> int:
        """Columns of white space at the front."""
        width = 0
        for character in self.rest:
            if character == " ":
                width += 1
            elif character == "\t":
                width += TAB - (self.column + width) % TAB
            else:
                break
        return width

    @property
    def words(self) -> str:
        """The rest without white space at the front."""
        return self.rest.lstrip(" \t")

    def skip_indent(self, most: int) -> None:
        """Pass over so many columns of white space; a tab that is passed in part leaves spaces."""
        skipped = at = 0
        while skipped < most and at < len(self.rest) and self.rest[at] in " \t":
            skipped += 1 if self.rest[at] == " " else TAB - (self.column + skipped) % TAB
            at += 1
        left_over = max(0, skipped - most)
        self.column += skipped - left_over
        self.rest = " " * left_over + self.rest[at:]

    def skip(self, characters: int) -> None:
        """Pass over signs that are not white space, after whatever stands before them."""
        self.skip_indent(self.indent)
        self.column += characters
        self.rest = self.rest[characters:]
