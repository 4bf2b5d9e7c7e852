"""Titles are one plain line in which only `code` and *emphasis* have a sign of their own."""

import html
import re
from collections.abc import Callable

_TOKEN = re.compile(r"\\(?P<escaped>[\\`*_])|(?P<ticks>`+)(?P<code>[^`]+)(?P=ticks)(?!`)")
_EMPHASIS = re.compile(r"(?<![\w*])(?P<mark>\*{1,2}|_{1,2})(?=[^\s*_])(?P<words>[^*_]*[^\s*_])(?P=mark)(?![\w*])")
_STASHED = re.compile("\ue000(\\d+)\ue001")
_UNWELCOME = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ue000\ue001\u2028\u2029]+")


def render_title(title: str) -> str:
    """Safe HTML of a title: ``code`` and ``em`` survive, everything else is shown as it was typed."""
    return _render(title, html.escape, "<code>{}</code>", "<em>{}</em>")


def plain_title(title: str) -> str:
    """A title without its marks, not escaped: for feeds, page titles, mail."""
    return _render(title, str, "{}", "{}")


def _render(title: str, escape: Callable[[str], str], code: str, emphasis: str) -> str:
    """Code and escaped signs are set aside while emphasis is looked for, so that neither is read twice."""
    aside: list[str] = []

    def set_aside(found: re.Match[str]) -> str:
        words = found["code"]
        aside.append(escape(found["escaped"]) if words is None else code.format(escape(words.strip() or words)))
        return f"\ue000{len(aside) - 1}\ue001"

    line = " ".join(_UNWELCOME.sub(" ", title).split())
    line = escape(_TOKEN.sub(set_aside, line))
    line = _EMPHASIS.sub(lambda found: emphasis.format(found["words"]), line)
    return _STASHED.sub(lambda found: aside[int(found[1])], line)
