"""Letters without their dress: what is the same to somebody who searches, and plain letters for addresses.

Both databases get text folded here before they index it, because PostgreSQL does not fold accents and SQLite does.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

# Letters that Unicode does not take apart into a letter and a mark.
_PLAIN_LETTERS = {
    "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h", "ı": "i",
    "ŧ": "t", "ŋ": "n", "ĸ": "k", "ƒ": "f", "ɓ": "b", "ɗ": "d", "ə": "e", "ɛ": "e", "ɔ": "o", "ŀ": "l", "ſ": "s",
}  # fmt: skip
_NOT_PLAIN = re.compile(f"[{''.join(_PLAIN_LETTERS)}]")  # in a long text several times as fast as a table of letters
_LATIN_MARKS = re.compile(r"(?<=[a-z])[\u0300-\u036f]+")
_SEARCH_MARKS = re.compile(r"[\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670]+")

# Scripts without spaces are found sign by sign: each ideograph and kana is a word of its own.
_SINGLE = "\u3041-\u3096\u30a1-\u30fa\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_WORD = re.compile(rf"[{_SINGLE}]|[^\W_{_SINGLE}]+")
_WRITTEN_WORD = re.compile(rf"[{_SINGLE}]|[^\W_{_SINGLE}](?:[^\W_{_SINGLE}]|{_SEARCH_MARKS.pattern})*")
MAX_WORD = 64  # characters of a word that count


def fold(text: str) -> str:
    """Lower case without accents, for an index and for what is looked up in it; equal on every database."""
    if text.isascii():
        return text.lower()
    text = _plain(unicodedata.normalize("NFKC", text).casefold())
    bare = _SEARCH_MARKS.sub("", unicodedata.normalize("NFKD", text))
    return unicodedata.normalize("NFKC", bare)


def _plain(text: str) -> str:
    return _NOT_PLAIN.sub(lambda found: _PLAIN_LETTERS[found[0]], text)


class Span(NamedTuple):
    """Where a word stands in a text as it was written, and the word, folded."""

    start: int
    end: int
    word: str


def words(text: str) -> list[str]:
    """The words that an index has of a text. Both databases are given these, so that neither cuts a text its own way."""
    return [word[:MAX_WORD] for word in _WORD.findall(fold(text))]


def spans(text: str) -> Iterator[Span]:
    """The same words, and where they stand."""
    for found in _WRITTEN_WORD.finditer(text):
        written = found[0]
        for word in (written.lower()[:MAX_WORD],) if written.isascii() else words(written):
            yield Span(found.start(), found.end(), word)


def plain_latin(text: str) -> str:
    """Lower case; Latin letters lose their marks, every other script keeps its own."""
    text = _plain(unicodedata.normalize("NFKC", text).lower())
    return unicodedata.normalize("NFKC", _LATIN_MARKS.sub("", unicodedata.normalize("NFKD", text)))
