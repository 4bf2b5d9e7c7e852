"""Browsers by the names that people know them by."""

import pytest

from cms.services.user_agents import is_handheld, name_of

MOZILLA = "Mozilla/5.0"
KHTML = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("user_agent", "name", "handheld"),
    [
        (f"{MOZILLA} (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux", False),
        (f"{MOZILLA} (Windows NT 10.0; Win64; x64) {KHTML} Chrome/139.0 Safari/537.36", "Chrome on Windows", False),
        (f"{MOZILLA} (Windows NT 10.0; Win64; x64) {KHTML} Chrome/139.0 Safari/537.36 Edg/139.0", "Edge on Windows", False),
        (f"{MOZILLA} (Linux; Android 15) {KHTML} Chrome/139.0 Mobile Safari/537.36", "Chrome on Android", True),
        (
            f"{MOZILLA} (Linux; Android 15) {KHTML} SamsungBrowser/28.0 Chrome/130.0 Safari/537.36",
            "Samsung Internet on Android",
            True,
        ),
        (f"{MOZILLA} (iPhone; CPU iPhone OS 18_5 like Mac OS X) {KHTML} Version/18.5 Safari/604.1", "Safari on iPhone", True),
        (f"{MOZILLA} (iPad; CPU OS 18_5 like Mac OS X) {KHTML} CriOS/139.0 Safari/604.1", "Chrome on iPad", True),
        (f"{MOZILLA} (Macintosh; Intel Mac OS X 14_7) {KHTML} Version/18.5 Safari/605.1.15", "Safari on macOS", False),
        (f"{MOZILLA} (X11; CrOS x86_64 14541.0.0) {KHTML} Chrome/139.0 Safari/537.36", "Chrome on ChromeOS", False),
        ("curl/8.9", "A browser without a name", False),
        ("", "A browser without a name", False),
    ],
)
def test_browser_and_system_are_named(user_agent: str, name: str, handheld: bool) -> None:
    assert (name_of(user_agent), is_handheld(user_agent)) == (name, handheld)
