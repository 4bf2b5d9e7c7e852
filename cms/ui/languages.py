"""The languages of the desk and of the site's own words: English, and whatever has a catalogue in ``cms/locale``."""

import gettext
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from babel.numbers import format_decimal
from tornado.locale import GettextLocale

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
        return format_decimal(number, locale=locale_of(self.code))


@cache
def codes() -> tuple[str, ...]:
    return (ENGLISH, *sorted(path.name for path in CATALOGUES.iterdir() if path.is_dir()))


def language(wanted: Iterable[str]) -> Language:
    """The first of these tags (``de-AT``) that there is, or whose language there is; else English."""
    near = (tag for each in wanted for tag in (each, each.partition("-")[0]))
    return _read(next((tag for tag in near if tag in codes()), ENGLISH))


@cache  # read once, when somebody first wants it
def _read(code: str) -> Language:
    return Language(code, gettext.translation(DOMAIN, CATALOGUES, [code], fallback=code == ENGLISH))
