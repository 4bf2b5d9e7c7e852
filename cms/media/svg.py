"""Drawings (SVG): refused if they do something, cleaned of what is not drawing, and measured."""

import math
import re
from typing import Any
from xml.parsers import expat

from py_svg_hush import filter_svg

from cms.media.kinds import Refused
from cms.wording import say

MAX_BYTES = 5_000_000
USUAL = (300, 150)  # pixels: what browsers take for one that says nothing (CSS Images, 4.1, "default object size")
LONGEST_SIDE = 10_000  # pixels: what says more is taken for a smaller one of the same shape

_BEGINS = re.compile(rb"\s*(<\?xml\b|<!--|<!DOCTYPE\s+svg\b|<svg\b|<\w+:svg\b)")
_HEAD = 100_000  # bytes in which its first element stands
_LENGTH = re.compile(r"\s*+(\d++(?:\.\d*+)?|\.\d++)(px|pt|pc|mm|cm|in)?\s*+")  # gives nothing back, however long it is
_UNITS = {"px": 1.0, "pt": 4 / 3, "pc": 16.0, "mm": 96 / 25.4, "cm": 96 / 2.54, "in": 96.0}  # CSS Values and Units, 6.2
_PICTURES = {"image": ["png", "jpeg", "gif", "webp"]}  # that may stand in it, whole

_BROKEN = "This SVG is broken: it is no well-formed XML."
_ENTITIES = "This SVG declares entities, which could make it grow without end. Save it as plain SVG, without a DOCTYPE, and send it again."
_ACTS = "This SVG has a script in it. Save it as plain SVG, without scripts and without links that run them, and send it again."

_RUNS = ("javascript:", "vbscript:", "data:text/html")


def is_svg(head: bytes) -> bool:
    """By its first element, which is also looked for behind comments."""
    head = head.removeprefix(b"\xef\xbb\xbf")[:_HEAD]
    return bool(_BEGINS.match(head) and re.search(rb"<(\w+:)?svg[\s>/]", head)) and not re.search(rb"<html\b", head, re.IGNORECASE)


def cleaned(content: bytes) -> bytes:
    """Only what draws, and nothing from elsewhere."""
    _examined(content)
    try:
        return filter_svg(content, _PICTURES)
    except ValueError:
        raise Refused(_BROKEN) from None


def dimensions(content: bytes) -> tuple[int, int]:
    """In pixels of CSS, from its own size or else from its box; as browsers have it where neither says anything."""
    attributes = _examined(content)
    width, height = (_pixels(attributes.get(name, "")) for name in ("width", "height"))
    box = [float(number) for number in re.findall(r"-?\d*\.?\d+", attributes.get("viewBox", ""))]
    if len(box) == 4 and min(box[2:]) > 0:
        width, height = _completed(width, height, box[2] / box[3], box[2])
    width, height = width or USUAL[0], height or USUAL[1]
    if not math.isfinite(max(width, height)):
        return USUAL
    shrunk = min(1, LONGEST_SIDE / max(width, height))
    return max(1, round(width * shrunk)), max(1, round(height * shrunk))


def _completed(width: float, height: float, ratio: float, wide: float) -> tuple[float, float]:
    if not width and not height:
        width = wide
    return width or height * ratio, height or width / ratio


def _pixels(length: str) -> float:
    found = _LENGTH.fullmatch(length)
    return float(found[1]) * _UNITS[found[2] or "px"] if found else 0.0


def _examined(content: bytes) -> dict[str, str]:
    """The attributes of its first element. Raises ``Refused``."""
    if len(content) > MAX_BYTES:
        raise Refused(say("This is too large: {size} MB at most, please.", size=MAX_BYTES // 1_000_000))
    seen: list[dict[str, str]] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if not seen:
            seen.append(attributes)
        if name.rpartition(":")[2].lower() == "script" or any(_acts(*attribute) for attribute in attributes.items()):
            raise Refused(_ACTS)

    def doctype(_name: str, _system: str | None, _public: str | None, has_internal_subset: int) -> None:
        if has_internal_subset:
            raise Refused(_ENTITIES)

    def entity(*_declared: Any) -> None:
        raise Refused(_ENTITIES)

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.StartDoctypeDeclHandler, parser.EntityDeclHandler = start, doctype, entity
    try:
        parser.Parse(content, True)
    except Refused:
        raise
    except (expat.ExpatError, ValueError, LookupError):  # also for letters of an encoding that it does not know
        raise Refused(_BROKEN) from None
    return seen[0]


def _acts(name: str, value: str) -> bool:
    return name.lower().startswith("on") or re.sub(r"[\s\x00-\x1f]", "", value).lower().startswith(_RUNS)
