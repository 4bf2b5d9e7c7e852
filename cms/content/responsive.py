"""A picture in the sizes in which browsers may take it: how wide it is where it stands, and which renditions it is offered in there.

The one place that knows the widths of static/css/site.css, for texts (``pictures``) and for the site's own pages (``ui/site.py``).
"""

from dataclasses import dataclass

from cms.content.context import Media
from cms.content.renditions import FALLBACKS, SHAPES, TYPES, Spec, formats, path, widths

LARGE = 1920  # pixels: as wide as whoever looks at one picture alone gets it


@dataclass(frozen=True, slots=True)
class Place:
    """``sizes``: how wide a picture is drawn there, in CSS; ``most``: pixels, more than which no screen shows of it there."""

    sizes: str
    most: int


# --column is 35rem, with --gap and --side 51rem; an eighth more from 110rem on, where letters grow. On less, 91 of 100 are between gutters.
COLUMN = Place("(min-width: 110rem) 39.4rem, (min-width: 74rem) 35rem, (min-width: 38rem) 34rem, 91vw", 1280)
WIDE = Place("(min-width: 110rem) 57.4rem, (min-width: 56rem) 51rem, 91vw", 1920)
FULL = Place("100vw", 2560)
PART = Place("(min-width: 38rem) 17.5rem, 46vw", 960)  # of the column: in a gallery, in a table
WIDE_PART = Place("(min-width: 56rem) 26rem, 46vw", 960)
FULL_PART = Place("50vw", 1280)
COVER = Place("(min-width: 110rem) 57.4rem, (min-width: 74rem) 51rem, (min-width: 38rem) 34rem, 91vw", 1920)
LEAD = Place("(min-width: 110rem) 57.4rem, (min-width: 74rem) 51rem, 91vw", 1920)
THUMB = Place("(min-width: 110rem) 14.7rem, 13rem", 640)
PORTRAIT = Place("6rem", 320)
FACT = Place("16rem", 640)
CARD = Place("(min-width: 38rem) 11rem, 28vw", 640)  # of another site's page, in the column


@dataclass(frozen=True, slots=True)
class Offer:
    """``sources``: type and ``srcset`` of what not every browser knows, best first; ``src`` and perhaps ``srcset`` are for all."""

    sources: tuple[tuple[str, str], ...]
    src: str
    srcset: str
    width: int
    height: int


def offer(picture: Media, place: Place, shape: str = "") -> Offer | None:
    """None for what is shown as it is: drawings, what is small anyway, what nobody knows the size of."""
    offered = formats(picture.content_type, picture.frames) if picture.width and picture.height else ()
    fitting = [each for each in widths(picture.width, picture.height, shape) if each <= place.most] if offered else []
    if not fitting:
        return None

    def srcset(format: str) -> str:
        candidates = [(_rendition(picture, each, format, shape), each) for each in fitting]
        if TYPES[format] == picture.content_type and not shape:
            candidates.append((picture.path, picture.width))
        return ", ".join(f"{address} {width}w" for address, width in candidates)

    last = FALLBACKS[picture.content_type]
    is_whole = not shape and (last not in offered or TYPES[last] == picture.content_type)
    width, height = (fitting[-1], _height(fitting[-1], shape)) if shape else (picture.width, picture.height)
    return Offer(
        sources=tuple((TYPES[format], srcset(format)) for format in offered if format != last),
        src=picture.path if is_whole else _rendition(picture, fitting[-1], last if last in offered else offered[-1], shape),
        srcset=srcset(last) if last in offered else "",
        width=width,
        height=height,
    )


def large(picture: Media, most: int = LARGE) -> str:
    """The address of the whole picture, no larger than screens are. ``most``: one of the widths."""
    own = FALLBACKS.get(picture.content_type)
    is_larger = own in formats(picture.content_type, picture.frames) and most in widths(picture.width, picture.height)
    return _rendition(picture, most, str(own)) if is_larger else picture.path


def _rendition(picture: Media, width: int, format: str, shape: str = "") -> str:
    return path(picture.path, Spec(width, format, shape, picture.focus if shape else (50, 50)))


def _height(width: int, shape: str) -> int:
    across, down = SHAPES[shape]
    return round(width * down / across)
