"""Drawings (SVG): whether something in them runs, and how large they say they are. Read as a browser reads them, by an XML parser."""

import re
from dataclasses import dataclass, field
from xml.parsers import expat

from cms.wording import say

MOST = 100_000  # pixels of one side; what says more is no size
_RUNS = {"embed", "foreignobject", "handler", "iframe", "listener", "object", "script"}
_XHTML = "http://www.w3.org/1999/xhtml"
_ENCODINGS = {"utf-8", "us-ascii", "iso-8859-1", "windows-1252"}  # whose signs of markup are those of UTF-8
_BLANK = re.compile(r"[\x00-\x20]+")
_LENGTH = re.compile(r"\s*(\d+(?:\.\d+)?|\.\d+)\s*(?:px)?\s*")


class RefusedError(Exception):
    """It may not be shown; the message says why."""


def look(content: bytes) -> tuple[int, int] | None:
    """Width and height, if it has any. Raises ``RefusedError``."""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        raise RefusedError("is a drawing that is not UTF-8") from None
    drawing = _Drawing()
    parser = expat.ParserCreate("utf-8", " ")
    parser.XmlDeclHandler = drawing.declaration
    parser.EntityDeclHandler = drawing.entity
    parser.ProcessingInstructionHandler = drawing.instruction
    parser.StartElementHandler = drawing.element
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise RefusedError(say("is a drawing that cannot be read: {reason}", reason=error)) from None
    return drawing.size()


@dataclass
class _Drawing:
    root: dict[str, str] | None = field(default=None)

    def declaration(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding and encoding.lower() not in _ENCODINGS:
            raise RefusedError("is a drawing that is not UTF-8")

    def entity(self, *_: object) -> None:
        raise RefusedError("is a drawing with words of its own (<!ENTITY), which can hide anything")

    def instruction(self, target: str, _words: str) -> None:
        if target.lower() == "xml-stylesheet":
            _refuse_what_runs()

    def element(self, name: str, attributes: dict[str, str]) -> None:
        space, _, local = name.rpartition(" ")
        if self.root is None:
            if local.lower() != "svg":
                raise RefusedError("is no drawing, whatever its name says")
            self.root = attributes
        if local.lower() in _RUNS or space == _XHTML:
            _refuse_what_runs()
        for attribute, value in attributes.items():
            if attribute.rpartition(" ")[2].lower().startswith("on") or _runs(value):
                _refuse_what_runs()

    def size(self) -> tuple[int, int] | None:
        """What the root says, else the shape of what is seen through it."""
        root = self.root or {}
        said = [_LENGTH.fullmatch(root.get(name, "")) for name in ("width", "height")]
        if said[0] and said[1] and (size := _as_size(said[0][1], said[1][1])):
            return size
        box = root.get("viewBox", "").replace(",", " ").split()
        return _as_size(box[2], box[3]) if len(box) == 4 else None


def _refuse_what_runs() -> None:
    raise RefusedError("is a drawing with a script or something else that runs in it")


def _runs(value: str) -> bool:
    """An address that runs, wherever it stands: animations put them into links."""
    if ":" not in value:
        return False
    plain = _BLANK.sub("", value).lower()
    return "javascript:" in plain or "vbscript:" in plain or "data:text/" in plain


def _as_size(width: str, height: str) -> tuple[int, int] | None:
    try:
        sides = float(width), float(height)
    except ValueError:
        return None
    return (round(sides[0]), round(sides[1])) if all(1 <= side <= MOST for side in sides) else None
