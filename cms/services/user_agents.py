"""What a browser calls itself, in words that people know it by."""

from cms.wording import say

# The first that stands in it counts: each names those before it, too (https://www.rfc-editor.org/rfc/rfc9110#name-user-agent).
_BROWSERS = (
    ("Edg", "Edge"), ("OPR/", "Opera"), ("Vivaldi/", "Vivaldi"), ("SamsungBrowser/", "Samsung Internet"), ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"), ("CriOS/", "Chrome"), ("Chrome/", "Chrome"), ("Safari/", "Safari"),
)  # fmt: skip
_SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("CrOS", "ChromeOS"), ("Windows", "Windows"), ("Macintosh", "macOS"),
    ("Linux", "Linux"),
)  # fmt: skip
_HANDHELD = ("iPhone", "iPad", "Android")


def name_of(user_agent: str) -> str:
    """Browser and system: "Firefox on macOS"."""
    browser, system = _first(_BROWSERS, user_agent), _first(_SYSTEMS, user_agent)
    if browser and system:
        return say("{browser} on {system}", browser=browser, system=system)
    return browser or system or say("A browser without a name")


def is_handheld(user_agent: str) -> bool:
    return _first(_SYSTEMS, user_agent) in _HANDHELD


def _first(known: tuple[tuple[str, str], ...], user_agent: str) -> str:
    return next((name for sign, name in known if sign in user_agent), "")
