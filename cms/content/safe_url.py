"""Which addresses a text may point to. Browsers forgive much in a URL, so what is not plainly harmless is refused."""

import html
import re
import unicodedata

LINK_SCHEMES = frozenset({"http", "https", "mailto", "tel"})
MEDIA_SCHEMES = frozenset({"http", "https"})

_BEFORE_COLON = re.compile(r"([^/?#:]*):")
_MAX_DECODINGS = 4


def is_safe_link(value: str) -> bool:
    """For what somebody may follow: http, https, mailto, tel, or an address on this site."""
    return _is_safe(value, LINK_SCHEMES)


def is_safe_source(value: str) -> bool:
    """For what a page loads by itself: http, https, or an address on this site."""
    return _is_safe(value, MEDIA_SCHEMES)


def is_safe_source_set(value: str) -> bool:
    """``srcset``: every candidate's address is safe and its descriptor is a width or a density."""
    candidates = [candidate.split() for candidate in value.split(",")]
    return all(1 <= len(c) <= 2 and is_safe_source(c[0]) and _is_descriptor(c[1:]) for c in candidates)


def _is_safe(value: str, schemes: frozenset[str]) -> bool:
    """Judge every reading of the value: as it stands, and with its entities resolved once and again."""
    for _ in range(_MAX_DECODINGS):
        if not _reading_is_safe(value, schemes):
            return False
        decoded = html.unescape(value)
        if decoded == value:
            return True
        value = decoded
    return False


def _reading_is_safe(value: str, schemes: frozenset[str]) -> bool:
    value = value.strip(" \t\r\n")
    if any(unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for c in value):
        return False  # browsers drop tabs and newlines inside a scheme; others hide what an address really says
    scheme = _BEFORE_COLON.match(value)
    return scheme is None or scheme[1].lower() in schemes


def _is_descriptor(words: list[str]) -> bool:
    return all(re.fullmatch(r"\d+(\.\d+)?[wx]", word) for word in words)
