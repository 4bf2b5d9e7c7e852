"""The record of acts in words, and as a table for spreadsheets."""

import csv
import io
import json
from collections.abc import Mapping
from typing import Any

from cms.services.audit import Line

COLUMNS = ("at", "user_id", "who", "action", "subject_kind", "subject_id", "subject", "details", "address", "request_id")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")  # https://owasp.org/www-community/attacks/CSV_Injection


def in_words(details: Mapping[str, Any]) -> str:
    """What was before and is after, then the rest by its names."""
    rest = {name: value for name, value in details.items() if name not in ("before", "after")}
    parts = [f"{name.replace('_', ' ')}: {_word(value)}" for name, value in rest.items()]
    if "before" in details or "after" in details:
        parts.insert(0, _change(details.get("before"), details.get("after")))
    return "; ".join(parts)


def csv_row(line: Line) -> str:
    """One row; what a spreadsheet would take for a formula begins with an apostrophe."""
    return _csv([_cell(getattr(line, name)) for name in COLUMNS])


def csv_head() -> str:
    return _csv(list(COLUMNS))


def json_row(line: Line) -> str:
    """One object, on a line of its own."""
    values = {name: getattr(line, name) for name in COLUMNS} | {"at": line.at.isoformat()}
    return json.dumps({"id": line.id, **values}, ensure_ascii=False)


def _change(before: Any, after: Any) -> str:
    if isinstance(before, dict) and isinstance(after, dict):
        return "; ".join(f"{name.replace('_', ' ')}: {_word(before.get(name))} → {_word(value)}" for name, value in after.items())
    return f"{_word(before)} → {_word(after)}"


def _word(value: Any) -> str:
    match value:
        case None | "" | [] | {}:
            return "–"
        case bool():
            return "yes" if value else "no"
        case list() | tuple():
            return ", ".join(map(_word, value))
        case dict():
            return ", ".join(f"{name}: {_word(each)}" for name, each in value.items())
        case _:
            return str(value)


def _cell(value: Any) -> str:
    text = "" if value is None else json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _csv(cells: list[str]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow(cells)
    return written.getvalue()
