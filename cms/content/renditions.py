"""Smaller pictures that are made of one in the library: which there may be, and what they are called in addresses."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

WIDTHS = (320, 480, 640, 960, 1280, 1920, 2560)  # pixels
SHAPES = {"wide": (16, 9), "square": (1, 1), "card": (1200, 630)}  # crops around the focus, width to height
MODERN = ("avif", "webp")  # formats, best first; the last resort is the original's own
FALLBACKS = {  # type of the picture shown → format of what is made of it for old browsers
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "image/avif": "jpg",
    "image/gif": "gif",
}
TYPES = {"avif": "image/avif", "webp": "image/webp", "jpg": "image/jpeg", "png": "image/png", "gif": "image/gif"}
_NAME = re.compile(r"(?:([a-z]+)-)?([0-9]{3,4})(?:-([0-9]{1,3})-([0-9]{1,3}))?")


@dataclass(frozen=True, slots=True)
class Spec:
    """``width`` in pixels; ``shape`` "" for the whole picture; ``focus`` in percent from the left and the top."""

    width: int
    format: str
    shape: str = ""
    focus: tuple[int, int] = (50, 50)

    @property
    def name(self) -> str:
        """As in the address; all that the picture depends on, but for the format."""
        return f"{self.shape}-{self.width}-{self.focus[0]}-{self.focus[1]}" if self.shape else str(self.width)

    @property
    def file_name(self) -> str:
        return f"{self.name}.{self.format}"


def parse(name: str, extension: str) -> Spec | None:
    """None for what is never made."""
    found = _NAME.fullmatch(name)
    if found is None or extension not in TYPES:
        return None
    shape, width = found[1] or "", int(found[2])
    focus = (int(found[3]), int(found[4])) if found[3] else (50, 50)
    spec = Spec(width, extension, shape, focus)
    is_known = width in WIDTHS and (not shape or shape in SHAPES) and max(focus) <= 100
    return spec if is_known and spec.name == name else None


def formats(content_type: str, frames: int = 1) -> tuple[str, ...]:
    """In which it is offered, best first; none for what has no renditions. What moves goes on moving."""
    fallback = FALLBACKS.get(content_type)
    if fallback is None:
        return ()
    if frames > 1:
        return ("webp",)
    return tuple(dict.fromkeys((*MODERN, fallback)))


def widths(width: int, height: int, shape: str = "") -> tuple[int, ...]:
    """Those that are smaller than the picture, so that nothing is enlarged."""
    if shape:
        across, down = SHAPES[shape]
        width = min(width, height * across // down)
    return tuple(each for each in WIDTHS if each < width)


def specs(content_type: str, width: int, height: int, frames: int = 1) -> Iterator[Spec]:
    """All that are made beforehand: of the whole picture; crops are made when somebody asks."""
    for format in formats(content_type, frames):
        for each in widths(width, height):
            yield Spec(each, format)


def path(shown: str, spec: Spec) -> str:
    """The address of a rendition; ``shown``: that of the picture it is made of."""
    place, _, name = shown.rpartition("/")
    stem = name.rpartition(".")[0] or name
    return f"{place}/{spec.name}/{stem}.{spec.format}"
