"""The record of acts as a table for spreadsheets, and as JSON."""

import json
from typing import Any

from cms.services.audit import Line
from cms.ui.spreadsheet import csv_line

COLUMNS = ("at", "user_id", "who", "action", "subject_kind", "subject_id", "subject", "details", "address", "request_id")


def csv_row(line: Line) -> str:
    return csv_line(_cell(getattr(line, name)) for name in COLUMNS)


def csv_head() -> str:
    return csv_line(COLUMNS)


def json_row(line: Line) -> str:
    """One object, on a line of its own."""
    values = {name: getattr(line, name) for name in COLUMNS} | {"at": line.at.isoformat()}
    return json.dumps({"id": line.id, **values}, ensure_ascii=False)


def _cell(value: Any) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)
