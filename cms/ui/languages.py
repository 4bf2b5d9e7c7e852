"""The languages of the desk and of the site's own words: English, and whatever has a catalogue in ``cms/locale``."""

import gettext
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from babel import Locale
from babel.numbers import format_decimal
from tornado.locale import GettextLocale

from cms.content_coding import weighed
from cms.ui.words import locale_of
from cms.wording import Said

CATALOGUES = Path(__file__).parents[1] / "locale"
DOMAIN = "squall"
ENGLISH = "en"


class Language(GettextLocale):
    """Tornado's locale, which is ``_`` in templates, and knows sentences that were made where nobody knew the language."""

    def translate(self, message: str, plural_message: str | None = None, count: int | None = None) -> str:
        if isinstance(message, Said):
            return self._put(message)
        return super().translate(message, plural_message, count) if message else ""  # gettext has the catalogue's head under ""

    def _put(self, said: Said) -> str:
        template = super().translate(said.message, said.plural or None, said.number)
        return said.put(template, self.translate, self._number) if said.values else template

    def _number(self, number: int) -> str:
        return format_decimal(number, locale=locale_of(self.tag))

    @property
    def tag(self) -> str:
        """As HTML names it."""
        return self.code.replace("_", "-")

    @property
    def usage(self) -> str:
        """Whose dates and numbers are written; English ones as most of the world does."""
        return "en-GB" if self.code == ENGLISH else self.tag

    def all_of(self, value: Any) -> Any:
        """Data with all sentences in it in this language."""
        match value:
            case Said():
                return self.translate(value)
            case dict():
                return {key: self.all_of(each) for key, each in value.items()}
            case list() | tuple():
                return [self.all_of(each) for each in value]
        return value

    def encoded(self, value: str | bytes) -> bytes:
        """What templates do with each value: a sentence is said in this language, wherever it comes from."""
        if value.__class__ is bytes:
            return value
        return (self.translate(value) if isinstance(value, Said) else value).encode()  # type: ignore[union-attr]


@cache
def codes() -> dict[str, str]:
    """By their tags in small letters: folders of ``cms/locale``."""
    found = (ENGLISH, *sorted(path.name for path in CATALOGUES.iterdir() if path.is_dir()))
    return {code.replace("_", "-").lower(): code for code in found}


def language(wanted: Iterable[str]) -> Language:
    """The first of these tags (``de-AT``) that there is, or whose language there is; else English."""
    near = (tag for each in wanted for tag in (each.lower(), each.lower().partition("-")[0]))
    return _read(next((codes()[tag] for tag in near if tag in codes()), ENGLISH))


def asked_for(accept_language: str) -> list[str]:
    """Tags as a browser asks for them (RFC 9110, 12.5.4), the dearest first."""
    members = [member for member in map(weighed, accept_language.split(",")) if member and member[1] > 0]
    return [tag for tag, _ in sorted(members, key=lambda member: -member[1])]


@cache
def names() -> list[tuple[str, str]]:
    """Each language as those call it who speak it."""
    return [(tag, str(Locale.parse(code).get_display_name()).capitalize()) for tag, code in codes().items()]


@cache  # read once, when somebody first wants it
def _read(code: str) -> Language:
    return Language(code, gettext.translation(DOMAIN, CATALOGUES, [code], fallback=code == ENGLISH))
