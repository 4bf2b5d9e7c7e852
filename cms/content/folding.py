"""Letters without their dress: what is the same to somebody who searches, and plain letters for addresses.

Both databases get text folded here before they index it, because PostgreSQL does not fold accents and SQLite does.
"""

import re
import unicodedata

# Letters that Unicode does not take apart into a letter and a mark.
_PLAIN_LETTERS = str.maketrans(
    {
        "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h", "ı": "i",
        "ŧ": "t", "ŋ": "n", "ĸ": "k", "ƒ": "f", "ɓ": "b", "ɗ": "d", "ə": "e", "ɛ": "e", "ɔ": "o", "ŀ": "l", "ſ": "s",
    }
)  # fmt: skip
_LATIN_MARKS = re.compile(r"(?<=[a-z])[\u0300-\u036f]+")
_SEARCH_MARKS = re.compile(r"[\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670]+")


def fold(text: str) -> str:
    """Lower case without accents, for an index and for what is looked up in it; equal on every database."""
    text = unicodedata.normalize("NFKC", text).casefold().translate(_PLAIN_LETTERS)
    bare = _SEARCH_MARKS.sub("", unicodedata.normalize("NFKD", text))
    return unicodedata.normalize("NFKC", bare)


def plain_latin(text: str) -> str:
    """Lower case; Latin letters lose their marks, every other script keeps its own."""
    text = unicodedata.normalize("NFKC", text).lower().translate(_PLAIN_LETTERS)
    return unicodedata.normalize("NFKC", _LATIN_MARKS.sub("", unicodedata.normalize("NFKD", text)))
