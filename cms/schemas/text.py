"""Kinds of text that come from outside, cleaned in one place."""

import re
import unicodedata
from typing import Annotated, Any

from pydantic import BeforeValidator, StringConstraints

# Control characters mean nothing in a text, PostgreSQL refuses NUL, and XML refuses all of them. Tab and newline stay.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_BREAKS = re.compile(r"\s+")


def clean_text(value: Any) -> Any:
    return _CONTROL.sub("", value.replace("\r\n", "\n").replace("\r", "\n")) if isinstance(value, str) else value


def clean_line(value: Any) -> Any:
    return unicodedata.normalize("NFC", _BREAKS.sub(" ", clean_text(value)).strip()) if isinstance(value, str) else value


Line = Annotated[str, BeforeValidator(clean_line)]  # one line, no space at its ends
Paragraphs = Annotated[str, BeforeValidator(clean_text)]  # newlines as they are
Name = Annotated[Line, StringConstraints(min_length=1, max_length=80)]
