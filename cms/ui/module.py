"""What all parts of pages have in common: how they are drawn, and how text is escaped.

Tornado's templates, with two things done once instead of each time that one is drawn: its code is run to find the function in it, and
its names are gathered. A page is drawn from fifteen of them, of which most are shorter than this took.
"""

import re
from collections.abc import Callable
from types import FunctionType
from typing import Any

from tornado import template
from tornado.escape import xhtml_escape
from tornado.util import ObjectDict
from tornado.web import RequestHandler, UIModule

_ESCAPED = re.compile(rb"[&<>\"']")


def escape(value: str | bytes) -> str | bytes:
    """Text for HTML: what templates do with each value, most of which have nothing to escape."""
    text = value.encode() if isinstance(value, str) else value
    return xhtml_escape(text) if _ESCAPED.search(text) else text


def _encoded(value: str | bytes) -> bytes:
    return value if value.__class__ is bytes else value.encode()  # type: ignore[union-attr]


class Template(template.Template):
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        names: dict[str, Any] = {
            "xhtml_escape": escape,
            "_tt_utf8": _encoded,
            "_tt_string_types": (str, bytes),
            "__name__": self.name.replace(".", "_"),
            "__loader__": ObjectDict(get_source=lambda _: self.code),  # for the lines of a traceback
        }
        exec(self.compiled, names)  # noqa: S102 - our own template, as Tornado does each time
        self._code = names.pop("_tt_execute").__code__
        self._names = names

    def generate(self, **values: Any) -> bytes:
        drawn: bytes = FunctionType(self._code, {**self._names, **values})()
        return drawn


class Loader(template.Loader):
    def _create_template(self, name: str) -> Template:
        with open(f"{self.root}/{name}", "rb") as file:  # noqa: PTH123 - Tornado keeps its root as text
            return Template(file.read(), name=name, loader=self)


class Module(UIModule):
    """A part of pages, drawn by a template that knows what the page's own template knows."""

    def render_string(self, path: str, **values: Any) -> bytes:
        drawn: bytes = self.handler.draw(path, values)  # type: ignore[attr-defined]  # handlers.base has it
        return drawn


class Modules:
    """The modules of one page by name, each made when it is first drawn."""

    def __init__(self, handler: RequestHandler) -> None:
        self._handler = handler

    def __getattr__(self, name: str) -> Callable[..., str | bytes]:
        render = self._handler.application.ui_modules[name](self._handler).render
        setattr(self, name, render)
        return render
