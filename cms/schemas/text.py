"""Kinds of text that come from outside, cleaned in one place."""

import re
import unicodedata
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, StringConstraints

# Control characters mean nothing in a text, PostgreSQL refuses NUL, and XML refuses all of them. Tab and newline stay.
MAX_SOUGHT = 200  # characters

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_BREAKS = re.compile(r"\s+")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


def clean_text(value: Any) -> Any:
    return _CONTROL.sub("", value.replace("\r\n", "\n").replace("\r", "\n")) if isinstance(value, str) else value


def clean_line(value: Any) -> Any:
    return unicodedata.normalize("NFC", _BREAKS.sub(" ", clean_text(value)).strip()) if isinstance(value, str) else value


def cut(length: int) -> BeforeValidator:
    """A line of at most so many characters, whatever is sent."""
    return BeforeValidator(lambda value: clean_line(str(value)[: 4 * length])[:length].strip())


def _as_language(value: str) -> str:
    if value and not _LANGUAGE.fullmatch(value):
        raise ValueError("Choose a language of the list.")
    return value


Line = Annotated[str, BeforeValidator(clean_line)]  # one line, no space at its ends
Sought = Annotated[Line, cut(MAX_SOUGHT)]  # what somebody looks for: never wrong, what is beyond is not looked at
Paragraphs = Annotated[str, BeforeValidator(clean_text)]  # newlines as they are
Language = Annotated[Line, AfterValidator(_as_language)]  # a tag of BCP 47, as far as people use them; "" for none
Name = Annotated[Line, StringConstraints(min_length=1, max_length=80)]
