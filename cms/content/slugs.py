"""Words of a title as a part of an address: readable in any script, the same whenever it is asked again."""

import re
import unicodedata

from cms.content.folding import plain_latin

_APOSTROPHES = re.compile(r"(?<=\w)['’ʼ`´](?=\w)")
_HYPHENS = re.compile(r"-+")


def slugify(text: str, max_length: int = 80) -> str:
    """Lower-case words with single hyphens, cut between words at ``max_length`` characters; "" if there is no word."""
    slug = text
    for _ in range(4):  # lowering and normalising can each give the other something to do
        before, slug = slug, _hyphenated(plain_latin(_APOSTROPHES.sub("", slug)))
        if before == slug:
            break
    return _cut(slug, max_length)


def _hyphenated(text: str) -> str:
    letters = "".join(_part(c) for c in text)
    words = (word.lstrip("".join(_leading_marks(word))) for word in _HYPHENS.split(letters))
    return "-".join(word for word in words if word)


def _part(character: str) -> str:
    """The character itself (letters, digits, marks that belong to one), nothing for invisible ones, else a break."""
    category = unicodedata.category(character)
    if character.isalnum() or category.startswith("M"):
        return character
    return "" if category == "Cf" else "-"


def _leading_marks(word: str) -> list[str]:
    """A mark needs a letter before it."""
    marks = []
    for character in word:
        if character.isalnum():
            break
        marks.append(character)
    return marks


def _cut(slug: str, max_length: int) -> str:
    if len(slug) <= max_length:
        return slug
    end = slug.rfind("-", 0, max_length + 1)
    return slug[: end if end > 0 else max_length].strip("-")
