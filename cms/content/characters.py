"""Signs that no text has."""

import re

_UNWELCOME = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")


def without_control_characters(text: str) -> str:
    """Invisible characters that no writer means: the parsers use some as marks, and lone surrogates are not text."""
    return _UNWELCOME.sub("", text)
