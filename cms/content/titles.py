"""Titles are one plain line in which only `code` and *emphasis* have a sign of their own."""

import html
import re
import unicodedata
from collections.abc import Callable

_TOKEN = re.compile(r"\\(?P<escaped>[\\`*_])|(?P<ticks>`+)(?P<code>[^`]+)(?P=ticks)(?!`)")
_EMPHASIS = re.compile(r"(?<![\w*])(?P<mark>\*{1,2}|_{1,2})(?=[^\s*_])(?P<words>[^*_]*[^\s*_])(?P=mark)(?![\w*])")
_STASHED = re.compile("\ue000(\\d+)\ue001")
_UNWELCOME = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ue000\ue001\u2028\u2029]+")
# They turn round what stands beside the title, too: in a list, in a feed, in a window's name (https://trojansource.codes).
_DIRECTIONS = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
# Letters, marks and a symbol that draw nothing (Unicode: Default_Ignorable_Code_Point, and the blank pattern of Braille).
_BLANK = re.compile(r"[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")


def render_title(title: str) -> str:
    """Safe HTML of a title: ``code`` and ``em`` survive, everything else is shown as it was typed."""
    return _render(title, html.escape, "<code>{}</code>", "<em>{}</em>") if plain_title(title) else ""


def plain_title(title: str) -> str:
    """A title without its marks, not escaped: for feeds, page titles, mail. What nobody can see is none."""
    words = _render(title, str, "{}", "{}")
    return words if any(unicodedata.category(sign) not in ("Cf", "Zs") for sign in _BLANK.sub("", words)) else ""


def _render(title: str, escape: Callable[[str], str], code: str, emphasis: str) -> str:
    """Code and escaped signs are set aside while emphasis is looked for, so that neither is read twice."""
    aside: list[str] = []

    def set_aside(found: re.Match[str]) -> str:
        words = found["code"]
        aside.append(escape(found["escaped"]) if words is None else code.format(escape(words.strip() or words)))
        return f"\ue000{len(aside) - 1}\ue001"

    line = " ".join(_UNWELCOME.sub(" ", _DIRECTIONS.sub("", title)).split())
    line = escape(_TOKEN.sub(set_aside, line))
    line = _EMPHASIS.sub(lambda found: emphasis.format(found["words"]), line)
    return _STASHED.sub(lambda found: aside[int(found[1])], line)
