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


def reasons(*parts: str) -> Said:
    return _joined("; ", parts)


def listed(*parts: str) -> Said:
    return _joined(", ", parts)


def named(*names: str) -> Said:
    """A list of what is called so in every language, unless it is a sentence."""
    return _put_together(", ", names)


def parts(text: Any) -> Any:
    """For JSON: of a sentence, its parts, so that it can be said later in the language of whoever reads it then."""
    if not isinstance(text, Said):
        return str(text)
    values = {name: value if isinstance(value, int) else parts(value) for name, value in text.values.items()}
    return [text.message, text.plural, text.number, values]


def whole(kept: Any) -> Any:
    """What ``parts`` made of a text."""
    return say(*kept[:3], **{name: whole(value) for name, value in kept[3].items()}) if isinstance(kept, list) else kept


def _joined(between: str, parts: Sequence[str]) -> Said:
    return _put_together(between, [said(part) for part in parts])


def _put_together(between: str, parts: Sequence[str]) -> Said:
    values = {f"part{number}": part for number, part in enumerate(parts)}
    return say(between.join(f"{{{name}}}" for name in values), **values)


def phrases(table: Table) -> Table:
    """Marks a table: every text in it, but for the keys, is shown to people, through the translation."""
    return table


def _shown(value: Any, translated: Callable[[str], str], written: Callable[[int], str]) -> str:
    if isinstance(value, int):
        return written(value)
    return translated(value) if isinstance(value, Said) else str(value)
