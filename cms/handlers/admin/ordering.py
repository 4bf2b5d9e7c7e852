"""Moving a row of a list by a button: what the button said, and what comes of it."""

import re
from typing import TypeVar

Row = TypeVar("Row")

_MOVE = re.compile(r"(up|down)-([0-9]{1,4})")


def moved(rows: list[Row], said: str) -> tuple[list[Row], str]:
    """The rows in their new order after "up-2" or "down-0", and the button that has the focus now; "" if nothing was moved."""
    wanted = _MOVE.fullmatch(said)
    if wanted is None or int(wanted[2]) >= len(rows):
        return rows, ""
    number, step = int(wanted[2]), 1 if wanted[1] == "down" else -1
    place = min(max(number + step, 0), len(rows) - 1)
    rows.insert(place, rows.pop(number))
    return rows, f"{wanted[1]}-{place}"
