"""A revision in words: who left the text so and why, and on which day."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from babel.dates import format_skeleton

from cms.models.post import Reason
from cms.services.revisions import Entry, Version
from cms.ui.admin import Spoken, desk_locale, exact
from cms.wording import phrases, say

REASONS = phrases(
    {
        Reason.SAVED: "Saved by %s",
        Reason.PUBLISHED: "Published by %s",
        Reason.SUBMITTED: "Sent for review by %s",
        Reason.RESTORED: "Restored by %s",
        Reason.TAKEOVER: "As %s left it, before somebody else wrote",
        Reason.IDLE: "As %s left it",
        Reason.IMPORTED: "Brought in by %s",
    }
)


def sentence(entry: Entry, translate: Callable[[str], str]) -> str:
    return translate(REASONS[entry.reason]) % (entry.who or translate("somebody"))


def in_short(version: Version, zone: ZoneInfo, spoken: Spoken) -> str:
    """What stands above one side of a comparison."""
    if version.entry is None:
        return spoken.translate("As it is being written")
    name = spoken.translate("“%s”") % version.entry.name + ", " if version.entry.name else ""
    return f"{name}{sentence(version.entry, spoken.translate)}, {exact(version.at, zone, desk_locale(spoken))}"


def by_day(entries: Iterable[Entry], now: datetime, zone: ZoneInfo, spoken: Spoken) -> list[tuple[str, Sequence[Entry]]]:
    today = now.astimezone(zone).date()

    def day(entry: Entry) -> str:
        local = entry.created_at.astimezone(zone).date()
        if local == today:
            return say("Today")
        if local == today - timedelta(days=1):
            return say("Yesterday")
        return format_skeleton("MMMMd" if local.year == today.year else "yMMMMd", local, locale=desk_locale(spoken))

    return [(words, list(rows)) for words, rows in groupby(entries, day)]
