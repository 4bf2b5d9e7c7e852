"""Rules by which what is not there any more leads elsewhere: one of the form, and many of a table."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator

from cms.errors import InvalidInput
from cms.schemas.seen import SeenInput
from cms.schemas.site import Place
from cms.schemas.text import Line, Paragraphs, Sought
from cms.wording import phrases, say

COLUMNS = ("path", "target", "match")
MAX_LINES = 100_000
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")  # what a spreadsheet would compute begins so
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
Match = Literal["exact", "prefix"]


def _from(value: str) -> str:
    """A path as people copy it: with or without its host, encoded or not."""
    if re.match(r"https?://", value, re.IGNORECASE):
        try:
            value = urlsplit(value).path
        except ValueError:
            raise ValueError("Write a path of this site, like /old-address.") from None
    if "?" in value or "#" in value:
        raise ValueError("Leave out the “?” or “#” and what follows; the query goes along by itself.")
    path = unquote(value).strip("/")
    if _CONTROL.search(path):
        raise ValueError("Write a path of this site, like /old-address.")
    if not path:
        raise ValueError("Write a path of this site, like /old-address; the home page is always there.")
    return as_written(path)


def as_written(path: str) -> str:
    """A path so that whoever reads it as an address has the same: what means something there is encoded, all else is as people read it."""
    return "/" + path.replace("%", "%25").replace("?", "%3F").replace("#", "%23")


class RedirectInput(SeenInput):
    """``match``: this path alone, or all below it, too."""

    path: Annotated[Line, AfterValidator(_from)] = Field(title="From", min_length=1, max_length=401)
    target: Place = Field(title="To", min_length=1, max_length=500)
    match: Match = Field("exact", title="Leads on")

    @field_validator("match", mode="before")
    @classmethod
    def _in_small_letters(cls, value: Any) -> Any:
        return value.strip().lower() if isinstance(value, str) else value


class RedirectsQuery(BaseModel):
    """Which rules the list shows, and in which order."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    q: Sought = ""
    sort: Literal["", "hits", "last"] = ""
    page: int = Field(1, ge=1, le=100_000)


class TableInput(BaseModel):
    """Lines that were written into the form; a file is no field of it."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    lines: Paragraphs = Field("", title="Lines")


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table that says what a rule says. ``cells``: as they were written."""

    line: int
    cells: Sequence[str]
    wanted: RedirectInput


@dataclass(frozen=True, slots=True)
class Problem:
    """A line that is not taken, and why; the reason is a sentence that is still to be translated."""

    line: int
    cells: Sequence[str]
    reason: str


def read_table(content: bytes) -> Iterator[Row | Problem]:
    """The lines of a table, with commas or semicolons between its cells. A first line of names says which column is which.

    Each line stands for itself: a quotation mark that nobody closed spoils no other. Raises ``InvalidInput`` if it is no text, or too long.
    """
    lines = _text_of(content).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if len(lines) > MAX_LINES + 2:
        raise InvalidInput(
            {"file": say("At most {most} lines at once, please; this table has {number}.", most=MAX_LINES, number=len(lines))}
        )
    first = next((line for line in lines if line.strip()), "")
    between = ";" if first.count(";") > first.count(",") else ","
    names = [name.strip().lower() for name in _cells(first, between)]
    order = [names.index(name) if name in names else -1 for name in COLUMNS] if "path" in names else [0, 1, 2]
    for number, line in enumerate(lines, 1):
        if line.strip() and not (line is first and "path" in names):
            yield _row(number, _cells(line, between), order)


def _text_of(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput({"file": "This is not a text in UTF-8; save the table as “CSV UTF-8”."}) from None


def _cells(line: str, between: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=between), [])
    except csv.Error:
        return [line]


def _row(number: int, cells: Sequence[str], order: Sequence[int]) -> Row | Problem:
    named = [_unescaped(cells[at].strip()) if 0 <= at < len(cells) else "" for at in order]
    given = {name: value for name, value in zip(COLUMNS, named, strict=True) if value}
    try:
        return Row(number, named, RedirectInput.model_validate(given))
    except ValidationError as error:
        return Problem(number, named, _reason(error))


def _unescaped(cell: str) -> str:
    """Without the apostrophe that keeps spreadsheets from computing it."""
    return cell[1:] if cell[:1] == "'" and cell[1:].startswith(FORMULA) else cell


_REASONS = phrases(
    {
        "missing": {"path": "The path is missing.", "target": "The target is missing."},
        "string_too_long": {"path": "The path is too long.", "target": "The target is too long."},
        "literal_error": {"match": "“match” is neither “exact” nor “prefix”."},
    }
)


def _reason(error: ValidationError) -> str:
    problem = error.errors()[0]
    name = str(problem["loc"][0])
    if problem["type"] == "value_error":
        return problem["ctx"]["error"].args[0]  # type: ignore[no-any-return]
    return _REASONS.get(problem["type"], {}).get(name) or say("This line cannot be read.")
