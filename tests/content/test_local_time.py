"""Moments by the clock of a place."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from cms.content.local_time import moment_of

LISBON = ZoneInfo("Europe/Lisbon")


def test_local_time_is_read_in_its_zone() -> None:
    assert moment_of("2026-07-01T09:30", LISBON) == datetime(2026, 7, 1, 8, 30, tzinfo=UTC)
    assert moment_of("2026-01-01T09:30", LISBON) == datetime(2026, 1, 1, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("2026-03-29T01:30", "The clocks of Europe/Lisbon skip 01:30 on 29 March 2026"),
        ("2026-10-25T01:30", "The clocks of Europe/Lisbon show 01:30 on 25 October 2026 twice"),
        ("2026-02-30T01:30", "Write a day and a time"),
        ("yesterday", "Write a day and a time"),
        ("0001-01-01T00:00", "Write a day and a time"),
        ("9999-12-31T23:59", "That is too far off; choose a year before 9999"),
    ],
)
def test_time_that_never_was_or_was_twice_is_refused(written: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        moment_of(written, LISBON)
