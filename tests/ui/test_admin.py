"""Times at the desk: near ones as people say them, in the language of whoever reads, others as a date."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from cms.ui.admin import desk_locale, exact, in_full, relative

NOW = datetime(2026, 11, 29, 9, 30, tzinfo=UTC)
ROME = ZoneInfo("Europe/Rome")


@dataclass
class Spoken:
    code: str = "en_US"

    def translate(self, message: str) -> str:
        return {"yesterday at %s": "gestern um %s"}.get(message, message) if self.code == "de" else message


@pytest.mark.parametrize(
    ("away", "words"),
    [
        (timedelta(), "just now"),
        (timedelta(seconds=-59), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(minutes=-1), "1 minute ago"),
        (timedelta(minutes=-59, seconds=-59), "59 minutes ago"),
        (timedelta(hours=-2, minutes=-59), "2 hours ago"),
        (timedelta(hours=2), "in 2 hours"),
        (timedelta(minutes=3, seconds=1), "in 3 minutes"),
        (timedelta(hours=-11), "yesterday at 23:30"),
        (timedelta(days=-1), "yesterday at 10:30"),
        (timedelta(hours=14), "tomorrow at 00:30"),
        (timedelta(days=-2), "27 Nov"),
        (timedelta(days=3), "2 Dec 2026, 10:30"),
        (timedelta(days=-400), "25 Oct 2025"),
    ],
)
def test_near_times_are_told_as_people_do(away: timedelta, words: str) -> None:
    assert relative(NOW + away, NOW, ROME, Spoken()) == words


def test_yesterday_is_that_of_the_site() -> None:
    at = NOW - timedelta(hours=11)  # 22:30 of the day before in UTC, 07:30 of this day in Tokyo
    assert relative(at, NOW, ZoneInfo("UTC"), Spoken()) == "yesterday at 22:30"
    assert relative(at, NOW, ZoneInfo("Asia/Tokyo"), Spoken()) == "11 hours ago"


def test_times_are_written_in_the_language_of_whoever_reads() -> None:
    german, locale = Spoken("de"), desk_locale(Spoken("de"))
    assert relative(NOW - timedelta(minutes=3), NOW, ROME, german) == "vor 3 Minuten"
    assert relative(NOW + timedelta(hours=2), NOW, ROME, german) == "in 2 Stunden"
    assert relative(NOW - timedelta(days=1), NOW, ROME, german) == "gestern um 10:30"
    assert exact(NOW, ROME, locale) == "29. Nov. 2026, 10:30"
    assert in_full(NOW, ROME, locale) == "Sonntag, 29. November 2026, 10:30"
