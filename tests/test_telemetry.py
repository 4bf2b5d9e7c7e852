"""What stands in the log of an address that anybody may have thought out."""

import time
from secrets import token_urlsafe

import pytest

from cms.telemetry import LONGEST_PATH, shown_path


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/low-tide", "/low-tide"),
        ("/" + "a-long-slug" * 8, "/" + "a-long-slug" * 8),
        ("/setup/" + "a" * 39 + "B" * 4 + "/x", "/setup/%E2%80%A6/x"),
        ("/setup/" + "a" * 38 + "B", "/setup/" + "a" * 38 + "B"),
        ("/\x1b[2J\n", "/%1B%5B2J%0A"),
        ("/é%20", "/%C3%A9%20"),
    ],
)
def test_secrets_and_what_moves_a_cursor_are_not_shown(path: str, shown: str) -> None:
    assert shown_path(path) == shown


def test_long_addresses_are_shown_in_part_and_no_secret_by_halves() -> None:
    secret = "aB" + token_urlsafe(32)
    for before in range(LONGEST_PATH - 60, LONGEST_PATH):
        path = shown_path("/x" * (before // 2) + "/" + secret + "/y")
        assert secret[:8] not in path
        assert len(path) < LONGEST_PATH + 20


@pytest.mark.parametrize("sign", ["x", "X", "-", "xX", "é", "/", "x/"])
def test_long_addresses_take_no_time(sign: str) -> None:
    began = time.process_time()
    for number in range(20):
        shown_path(f"/{number}/" + sign * 15_000)
        shown_path(f"/{number}/" + sign * 400)
    assert time.process_time() - began < 0.2
