"""Sentences that keep their parts, so that whoever shows one can say it in the reader's language; pure, and English by itself.

What is said below the handlers is said to somebody whose language nobody knows there. ``messages.py`` takes every sentence that is
marked here, or stands in an error, into the catalogues; ``ui/languages.py`` translates at the edge.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

Table = TypeVar("Table")


class Said(str):
    """A sentence in English, and what it was made of. ``number`` decides between ``message`` and ``plural``."""

    message: str
    plural: str
    number: int
    values: dict[str, Any]

    def put(self, template: str, translated: Callable[[str], str], written: Callable[[int], str]) -> str:
        """The same in another language: ``template`` is its message there; values may be sentences themselves, or numbers."""
        return template.format(**{name: _shown(value, translated, written) for name, value in self.values.items()})


def say(message: str, plural: str = "", number: int = 0, /, **values: Any) -> Said:
    """``say("/{path} is taken.", path=path)``; with ``plural``, ``number`` chooses between the two and is ``{number}`` in both."""
    if plural:
        values["number"] = number
    parts = {name: _shown(value, str, "{:,}".format) for name, value in values.items()}
    template = plural if plural and number != 1 else message
    sentence = Said(template.format(**parts) if values else template)
    sentence.message, sentence.plural, sentence.number, sentence.values = message, plural, number, values
    return sentence


def said(text: str) -> Said:
    return text if isinstance(text, Said) else say(text)


def sentences(*parts: str) -> Said:
    """Several, one after another."""
    return _joined(" ", parts)


def listed(*parts: str) -> Said:
    return _joined(", ", parts)


def _joined(between: str, parts: Sequence[str]) -> Said:
    named = {f"part{number}": said(part) for number, part in enumerate(parts)}
    return say(between.join(f"{{{name}}}" for name in named), **named)


def phrases(table: Table) -> Table:
    """Marks a table: every text in it, but for the keys, is shown to people, through the translation."""
    return table


def _shown(value: Any, translated: Callable[[str], str], written: Callable[[int], str]) -> str:
    if isinstance(value, int):
        return written(value)
    return translated(value) if isinstance(value, Said) else str(value)
