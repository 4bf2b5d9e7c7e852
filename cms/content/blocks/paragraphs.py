"""What a paragraph may turn out to be: definitions of links and abbreviations, and tables."""

import re
from dataclasses import dataclass, field

_LABEL = re.compile(r"\[(?!\^)((?:[^\[\]\\]|\\.){1,999})\]:[ \t]*\n?[ \t]*")
_TARGET = re.compile(r"<([^<>\n]*)>|([^\s<]\S*)")
_TITLE = re.compile(
    r"""[ \t]*(?:\n[ \t]*)?(?<=\s)(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|\(((?:[^()\\]|\\.)*)\))[ \t]*(?=\n|$)""", re.DOTALL
)
_END_OF_LINE = re.compile(r"[ \t]*(?:\n|$)")
_ABBREVIATION = re.compile(r"\*\[([^\]\\]+)\][ ]?:[ \t]*(.*)")
_BACKSLASH = re.compile(r"\\([!-/:-@\[-`{-~])")
_DELIMITER = re.compile(r"\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*")
_TICKS = re.compile(r"\\.|`+|\|")


@dataclass(slots=True)
class Definitions:
    """Said anywhere in the text, used anywhere. ``links``: folded label → target and title."""

    links: dict[str, tuple[str, str]] = field(default_factory=dict)
    abbreviations: dict[str, str] = field(default_factory=dict)


def fold_label(label: str) -> str:
    return " ".join(label.split()).casefold()


def take_definitions(text: str, into: Definitions) -> str:
    """What is left of a paragraph without the definitions at its beginning. The first definition of a label counts."""
    while text.startswith(("[", "*[")):
        rest = _abbreviation(text, into) if text.startswith("*[") else _link(text, into)
        if rest is None:
            break
        text = rest
    return text


def _abbreviation(text: str, into: Definitions) -> str | None:
    line, _, rest = text.partition("\n")
    found = _ABBREVIATION.fullmatch(line)
    if not found or not found[2].strip():
        return None
    into.abbreviations[found[1].strip()] = found[2].strip()
    return rest.lstrip()


def _link(text: str, into: Definitions) -> str | None:
    label = _LABEL.match(text)
    target = _TARGET.match(text, label.end()) if label else None
    if label is None or target is None or not label[1].strip():
        return None
    title = _TITLE.match(text, target.end())
    end = _END_OF_LINE.match(text, title.end() if title else target.end())
    if end is None:
        return None
    words = next((group for group in title.groups() if group is not None), "") if title else ""
    address = (target[1] if target[1] is not None else target[2]).replace(" ", "%20")
    into.links.setdefault(fold_label(label[1]), (_BACKSLASH.sub(r"\1", address), _BACKSLASH.sub(r"\1", words)))
    return text[end.end() :].lstrip()


# --- tables ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rows:
    """A table as it was typed. ``sides``: "left", "center", "right" or "" for each column."""

    header: list[str]
    sides: list[str]
    body: list[list[str]]


def begins_table(header: str, delimiter: str) -> bool:
    """Whether two lines are the beginning of a table, as GitHub's dialect has them."""
    if "-" not in delimiter or "|" not in header + delimiter or not _DELIMITER.fullmatch(delimiter.strip()):
        return False
    return len(_cells(header)) == len(_cells(delimiter))


def read_table(lines: list[str]) -> Rows:
    """Header, delimiters and rows. A bar inside of code does not part cells."""
    header = _cells(lines[0])
    body = [_fitted(_cells(line), len(header)) for line in lines[2:]]
    return Rows(header, [_side(cell) for cell in _cells(lines[1])], body)


def _cells(line: str) -> list[str]:
    line = line.strip()
    cells, begin, ticks = [], 1 if line.startswith("|") else 0, ""
    for sign in _TICKS.finditer(line, begin):
        if sign[0] == "|" and not ticks:
            cells.append(line[begin : sign.start()])
            begin = sign.end()
        elif sign[0].startswith("`") and (not ticks or sign[0] == ticks):
            ticks = sign[0] if not ticks and _closes(line, sign) else ""
    if begin < len(line):
        cells.append(line[begin:])
    return [cell.strip().replace("\\|", "|") for cell in cells]


def _closes(line: str, ticks: re.Match[str]) -> bool:
    """Whether code that begins here ends in this line."""
    return re.search(rf"(?<!`){ticks[0]}(?!`)", line[ticks.end() :]) is not None


def _fitted(cells: list[str], columns: int) -> list[str]:
    return (cells + [""] * (columns - len(cells)))[:columns]


def _side(cell: str) -> str:
    if cell.endswith(":"):
        return "center" if cell.startswith(":") else "right"
    return "left" if cell.startswith(":") else ""
