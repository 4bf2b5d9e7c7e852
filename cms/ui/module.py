"""What all parts of pages have in common: how they are drawn, and how text is escaped."""

import re
from typing import Any

from tornado.escape import xhtml_escape
from tornado.web import UIModule

_ESCAPED = re.compile(rb"[&<>\"']")


class Module(UIModule):
    """A part of pages, drawn by a template that knows what the page's own template knows."""

    def render_string(self, path: str, **values: Any) -> bytes:
        drawn: bytes = self.handler.draw(path, values)  # type: ignore[attr-defined]  # handlers.base has it
        return drawn


def escape(value: str | bytes) -> str | bytes:
    """Text for HTML: what templates do with each value, most of which have nothing to escape."""
    text = value.encode() if isinstance(value, str) else value
    return xhtml_escape(text) if _ESCAPED.search(text) else text
