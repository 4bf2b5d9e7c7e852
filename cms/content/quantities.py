"""How large and how long something is, in words of a text's language."""

from typing import Literal

from babel import Locale, UnknownLocaleError
from babel.units import format_unit

_SIZES = (("digital-gigabyte", 1_000_000_000), ("digital-megabyte", 1_000_000), ("digital-kilobyte", 1000))
_TIMES = (("duration-hour", 3600), ("duration-minute", 60), ("duration-second", 1))


def size(number: int, language: str) -> str:
    """Of a file: "1.2 MB"."""
    unit, length = next((each for each in _SIZES if number >= each[1]), _SIZES[-1])
    amount = max(1, number / length)
    return _in_words(round(amount, 1) if amount < 10 else round(amount), unit, "short", _locale(language))


def duration(seconds: float, language: str) -> str:
    """Of a film or sound: "2 minutes 5 seconds"; of a long one without the seconds."""
    locale, left = _locale(language), max(1, round(seconds))
    if left >= 3600:
        left = round(left / 60) * 60
    parts: list[str] = []
    for unit, length in _TIMES:
        number, left = divmod(left, length)
        if number:
            parts.append(_in_words(number, unit, "long", locale))
    return " ".join(parts)


def _in_words(number: float, unit: str, length: Literal["short", "long"], locale: Locale) -> str:
    words = format_unit(number, unit, length=length, locale=locale)
    return words if unit not in words else format_unit(number, unit, length="short", locale=locale)  # no language has all long ones


def _locale(language: str) -> Locale:
    """The nearest that is known; English if none is."""
    for tag in (language, language.partition("-")[0]):
        try:
            return Locale.parse(tag, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    return Locale("en")
