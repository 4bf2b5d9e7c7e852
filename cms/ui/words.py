"""Dates, numbers and lists as the site's readers write them: in its language and its zone."""

import re
from collections.abc import Iterable
from datetime import date, datetime
from functools import lru_cache
from urllib.parse import quote
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.core import get_global
from babel.dates import format_date, format_skeleton, format_time, get_datetime_format
from babel.lists import format_list
from babel.numbers import format_decimal

from cms.models.site import Frame

Day = date  # where a method has that name

RIGHT_TO_LEFT = frozenset(("Adlm", "Arab", "Hebr", "Mand", "Nkoo", "Rohg", "Samr", "Syrc", "Thaa"))  # scripts
PLAIN_IN_PATHS = "/:@!$&'()*+,;=~-._"  # signs that need no encoding there (RFC 3986, 3.3)

_PLAIN = re.compile(r"[\w/:@!$&'()*+,;=~.-]*", re.ASCII)  # what needs no encoding, in nearly every path


class Words:
    """Formats for one language and zone. English without a country is written as most of the world does: 30 March 2024."""

    def __init__(self, language: str, zone: ZoneInfo) -> None:
        self.language = language
        self._zone = zone
        self._locale = locale_of(language)

    def local(self, moment: datetime) -> datetime:
        return moment.astimezone(self._zone)

    def iso(self, moment: datetime) -> str:
        return _iso(moment, self._zone)

    def date(self, moment: datetime) -> str:
        return _date(self.local(moment).date(), self.language)

    def moment(self, moment: datetime) -> str:
        """To the minute."""
        return self._joined(self.date(moment), moment)

    def exact(self, moment: datetime) -> str:
        """29 Nov 2026, 14:03"""
        return self._joined(self._skeleton("yMMMd", moment), moment)

    def time(self, moment: datetime) -> str:
        return format_time(self.local(moment), "short", locale=self._locale)

    def _joined(self, day: str, moment: datetime) -> str:
        pattern = str(get_datetime_format("medium", locale=self._locale))  # "{1}, {0}"
        return pattern.format(self.time(moment), day)

    def day(self, moment: datetime) -> str:
        """For a line under its year: 30 Mar."""
        return self._skeleton("MMMd", moment)

    def month(self, period: str) -> str:
        """``period`` is "2026-11"."""
        return self._skeleton("yMMMM", datetime.strptime(period, "%Y-%m"))  # noqa: DTZ007 - a month, not a moment

    def month_name(self, period: str) -> str:
        return format_date(datetime.strptime(period, "%Y-%m"), "LLLL", self._locale)  # noqa: DTZ007

    def weekday(self, day: Day, *, is_short: bool = False) -> str:
        return format_date(day, "ccc" if is_short else "cccc", self._locale)

    def number(self, number: float) -> str:
        return format_decimal(number, locale=self._locale)

    def list(self, words: Iterable[str]) -> str:
        named = list(words)
        first, *joints = self.joints(len(named))
        return first + "".join(word + joint for word, joint in zip(named, joints, strict=True))

    def joints(self, number: int) -> tuple[str, ...]:
        """What stands before, between and after so many words of a list, where each is more than a word."""
        return _joints(number, self.language)

    def is_updated(self, published_at: datetime, updated_at: datetime) -> bool:
        """Changed on a later day than it was published; the first hours' corrections are nobody's news."""
        return self.local(updated_at).date() > self.local(published_at).date()

    def _skeleton(self, skeleton: str, moment: datetime) -> str:
        local = self.local(moment) if moment.tzinfo else moment
        return _in_skeleton(skeleton, local.date(), self.language)


@lru_cache(maxsize=4096)  # most pages show dates that others have shown
def _iso(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).isoformat(timespec="seconds")


@lru_cache(maxsize=4096)
def _date(day: date, language: str) -> str:
    return format_date(day, "long", locale_of(language))


@lru_cache(maxsize=4096)
def _in_skeleton(skeleton: str, day: date, language: str) -> str:
    return format_skeleton(skeleton, day, locale=locale_of(language))


@lru_cache(maxsize=256)
def _joints(number: int, language: str) -> tuple[str, ...]:
    return tuple(format_list(["\0"] * number, locale=locale_of(language)).split("\0"))


@lru_cache(maxsize=64)
def written(language: str, time_zone: str) -> Words:
    return Words(language, ZoneInfo(time_zone))


def words_of(frame: Frame) -> Words:
    return written(frame.language, frame.time_zone)


@lru_cache(maxsize=256)
def locale_of(language: str) -> Locale:
    """The nearest language that is known; English if none is."""
    for tag in ("en_001" if language == "en" else language, language.split("-", 1)[0]):
        try:
            return Locale.parse(tag.replace("-", "_"))
        except (UnknownLocaleError, ValueError):
            continue
    return Locale.parse("en_001")


@lru_cache(maxsize=256)
def og_locale(language: str) -> str:
    """As Open Graph writes it, with a country: the one that is named, or where most who speak it live ("en" → "en_US")."""
    known = get_global("likely_subtags")
    parts = language.replace("-", "_").split("_")
    named = [part.upper() for part in parts[1:] if len(part) == 2]
    likely = known.get("_".join(parts), known.get(parts[0], "")).split("_")[2:]
    return "_".join([parts[0], *(named or likely)[:1]])


@lru_cache(maxsize=256)
def direction(language: str) -> str:
    """ "ltr" or "rtl". By the script: to ask the locale is to read all that is known of the language, and the editor lists them all."""
    locale = locale_of(language)
    usual = get_global("likely_subtags")
    whole = usual.get(f"{locale.language}_{locale.territory}") or usual.get(locale.language, "")
    script = locale.script or next((part for part in whole.split("_") if len(part) == 4), "")
    return "rtl" if script in RIGHT_TO_LEFT else "ltr"


def href(path: str) -> str:
    """A stored path, which is decoded text, as an address; what leads elsewhere is one already."""
    return quote(path, safe=PLAIN_IN_PATHS) if path.startswith("/") and not _PLAIN.fullmatch(path) else path
