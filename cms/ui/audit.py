"""The record of acts as a table for spreadsheets, and as JSON."""

import csv
import io
import json
from typing import Any

from cms.services.audit import Line

COLUMNS = ("at", "user_id", "who", "action", "subject_kind", "subject_id", "subject", "details", "address", "request_id")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")  # https://owasp.org/www-community/attacks/CSV_Injection


def csv_row(line: Line) -> str:
    """One row; what a spreadsheet would take for a formula begins with an apostrophe."""
    return _csv([_cell(getattr(line, name)) for name in COLUMNS])


def csv_head() -> str:
    return _csv(list(COLUMNS))


def json_row(line: Line) -> str:
    """One object, on a line of its own."""
    values = {name: getattr(line, name) for name in COLUMNS} | {"at": line.at.isoformat()}
    return json.dumps({"id": line.id, **values}, ensure_ascii=False)


def _cell(value: Any) -> str:
    text = "" if value is None else json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _csv(cells: list[str]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow(cells)
    return written.getvalue()
