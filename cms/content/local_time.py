"""Moments as people write them: by the clock of a place, which skips an hour in spring and has one twice in autumn."""

import re
from datetime import MAXYEAR, UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from cms.wording import say

# As ``<input type="datetime-local">`` sends it (HTML, 2.3.5.5).
_WRITTEN = re.compile(r"[1-9]\d{3}-\d\d-\d\dT\d\d:\d\d")


def moment_of(written: str, zone: ZoneInfo, *, takes_first: bool = False) -> datetime:
    """In UTC. Raises ``ValueError`` with a sentence for what is no time there, or two; of two, it may take the first."""
    try:
        local = datetime.fromisoformat(written) if _WRITTEN.fullmatch(written) else None
    except ValueError:
        local = None
    if local is None:
        raise ValueError("Write a day and a time, like 2026-11-28T09:30.")
    if local.year == MAXYEAR:  # it ends in some zones after all that Python can count
        raise ValueError("That is too far off; choose a year before 9999.")
    earlier, later = (local.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if earlier.utcoffset() != later.utcoffset():
        clock = f"{local:%H:%M} on {local.day} {local:%B %Y}"
        if earlier.astimezone(UTC).astimezone(zone).replace(tzinfo=None, fold=0) == local:
            if takes_first:
                return earlier.astimezone(UTC)
            raise ValueError(
                say(
                    "The clocks of {zone} show {clock} twice, as they are put back; choose a time that comes once.",
                    zone=zone.key,
                    clock=clock,
                )
            )
        raise ValueError(
            say("The clocks of {zone} skip {clock}, as they are put forward; choose another time.", zone=zone.key, clock=clock)
        )
    return earlier.astimezone(UTC)


def comes_twice(moment: datetime, zone: ZoneInfo) -> bool:
    """Whether the clocks there show this time a second time, or show it again."""
    local = moment.astimezone(zone)
    offsets = [local.replace(fold=fold).utcoffset() for fold in (0, 1)]
    return offsets[0] != offsets[1]


def midnight(day: date, zone: ZoneInfo, days: int = 0) -> datetime:
    """The beginning of the day, or of one so many days later; years that no database knows are held to the nearest that it does."""
    day = min(max(day, date(1970, 1, 1)), date(9000, 1, 1))
    return datetime.combine(day + timedelta(days=days), time(), zone)
