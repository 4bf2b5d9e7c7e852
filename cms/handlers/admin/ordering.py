"""Moving a row of a list by a button: what the button said, and what comes of it."""

import re
from collections.abc import Mapping
from typing import Any, TypeVar

Row = TypeVar("Row")

_MOVE = re.compile(r"(up|down)-([0-9]{1,4})")
_MOVE_IN_TREE = re.compile(r"(up|down|in|out|remove)-([0-9]{1,4})")

Item = dict[str, Any]  # a row of a form, with its ``level``


def moved(rows: list[Row], said: str) -> tuple[list[Row], str]:
    """The rows in their new order after "up-2" or "down-0", and the button that has the focus now; "" if nothing was moved."""
    wanted = _MOVE.fullmatch(said)
    if wanted is None or int(wanted[2]) >= len(rows):
        return rows, ""
    number, step = int(wanted[2]), 1 if wanted[1] == "down" else -1
    place = min(max(number + step, 0), len(rows) - 1)
    rows.insert(place, rows.pop(number))
    return rows, f"{wanted[1]}-{place}"


def moved_in_tree(rows: list[Item], said: str, deepest: int) -> tuple[list[Item], str]:
    """The same for rows that stand below each other: what is below one goes along, but stays when it is removed."""
    wanted = _MOVE_IN_TREE.fullmatch(said)
    if wanted is None or int(wanted[2]) >= len(rows):
        return rows, ""
    way, number = wanted[1], int(wanted[2])
    end = next((n for n in range(number + 1, len(rows)) if level(rows[n]) <= level(rows[number])), len(rows))
    block, rest = rows[number:end], rows[:number] + rows[end:]
    place = number
    if way == "remove":
        return _settled(rows[:number] + rows[number + 1 :], deepest), ""
    if way in ("in", "out"):
        block = [{**row, "level": level(row) + (1 if way == "in" else -1)} for row in block]
    else:
        place = max(number - 1, 0) if way == "up" else min(number + 1, len(rest))
    return _settled(rest[:place] + block + rest[place:], deepest), f"{way}-{place}"


def level(row: Mapping[str, Any]) -> int:
    said = str(row.get("level") or 0)
    return int(said) if said.isascii() and said.isdigit() and len(said) < 3 else 0


def _settled(rows: list[Item], deepest: int) -> list[Item]:
    """No row is deeper than one below the row before it."""
    before = -1
    settled = []
    for row in rows:
        before = max(0, min(level(row), before + 1, deepest))
        settled.append({**row, "level": before})
    return settled
