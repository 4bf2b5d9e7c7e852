"""Pictures of the library in a text become ``<picture>``: in the formats and sizes that fit where they stand; cut alike in galleries."""

import html
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement

from cms.content.context import Media
from cms.content.figures import ALIGNMENTS
from cms.content.library import Shown
from cms.content.responsive import CARD, COLUMN, FULL, FULL_PART, PART, WIDE, WIDE_PART, Place, large, offer

_ALIKE = 1.05  # so far apart may two proportions be that look the same
_LANDSCAPE = 1.2  # width to height
_WHOLE = {"": COLUMN, "wide": WIDE, "full": FULL}
_PARTS = {"": PART, "wide": WIDE_PART, "full": FULL_PART}
_CUTS = {"square": "squares", "wide": "landscapes"}  # shape of the crops → class of the gallery


@dataclass(frozen=True, slots=True)
class _Standing:
    """Where an element stands: how wide a picture is there, in which shape, and whether it has a size of its own."""

    place: Place = COLUMN
    shape: str = ""
    is_free: bool = True


def offer_sizes(root: Element, shown: Shown) -> None:
    for picture, standing in list(_placed(root, shown)):
        _offer(picture, shown[picture], standing)


def _placed(root: Element, shown: Shown) -> Iterator[tuple[Element, _Standing]]:
    """The pictures of the library, depth first without recursion: hostile texts nest deep."""
    stack = [(root, _Standing())]
    while stack:
        element, standing = stack.pop()
        if element.tag == "img" and element in shown:
            aligned = _aligned(element)
            yield element, _Standing(_WHOLE[aligned], is_free=False) if aligned else standing
        elif element.tag != "picture":  # whoever wrote one has offered sizes already
            stack += reversed(list(_inside(element, standing, shown)))


def _inside(element: Element, standing: _Standing, shown: Shown) -> Iterator[tuple[Element, _Standing]]:
    classes = element.get("class", "").split()
    aligned = _aligned(element)
    if element.tag == "div" and "gallery" in classes:
        yield from _gallery(element, aligned, shown)
        return
    if element.tag == "figure" and standing.place is COLUMN:
        standing = _Standing(_WHOLE[aligned], is_free=not aligned)
    elif element.tag == "table":
        standing = _Standing(PART)
    elif element.tag == "p" and "card" in classes:
        standing = _Standing(CARD, "wide", is_free=False)
    for child in element:
        yield child, standing


def _aligned(element: Element) -> str:
    return next((name for name in element.get("class", "").split() if name in ALIGNMENTS), "")


def _gallery(gallery: Element, aligned: str, shown: Shown) -> Iterator[tuple[Element, _Standing]]:
    """Pictures of one proportion are whole; others are cut alike around what matters in them, and lead to the whole."""
    shape = _shape([shown.get(picture) for picture in _pictures(gallery)])
    if shape:
        gallery.set("class", f"{gallery.get('class')} {_CUTS[shape]}")
    for number, figure in enumerate(gallery):
        _lead_to_whole(figure, shown)
        is_alone = number == 0 and len(gallery) % 2  # in its row, on a narrow screen
        yield figure, _Standing(_WHOLE[aligned] if is_alone else _PARTS[aligned], shape, is_free=False)


def _pictures(gallery: Element) -> Iterator[Element]:
    """Each by itself, in its figure, or there in a link."""
    for cell in gallery:
        for part in (cell, *cell):
            yield from (picture for picture in (part, *part) if picture.tag == "img" and (part is not cell or picture is cell))


def _shape(media: list[Media | None]) -> str:
    ratios = sorted(each.width / each.height for each in media if each and each.width and each.height)
    if len(ratios) < len(media) or not ratios or ratios[-1] <= ratios[0] * _ALIKE:
        return ""
    return "wide" if ratios[0] >= _LANDSCAPE else "square"


def _lead_to_whole(figure: Element, shown: Shown) -> None:
    picture = figure[0] if len(figure) and figure[0].tag == "img" else None
    media = shown.get(picture) if picture is not None else None
    if picture is None or media is None:
        return
    link = Element("a", {"href": html.escape(large(media))})
    if not picture.get("alt", "").strip():  # a link has a name
        caption = "".join(figure[1].itertext()).strip() if len(figure) > 1 else ""
        link.set("aria-label", caption or html.escape(media.path.rpartition("/")[2]))
    link.append(picture)
    figure[0] = link


def _offer(picture: Element, media: Media, standing: _Standing) -> None:
    offered = offer(media, standing.place, standing.shape)
    if offered is None:
        return
    sizes = _own_size(picture) if standing.is_free else ""
    picture.set("src", html.escape(offered.src))
    if standing.shape:
        picture.attrib.update(width=str(offered.width), height=str(offered.height))
    if offered.srcset:
        picture.attrib.update(srcset=html.escape(offered.srcset), sizes=sizes or standing.place.sizes)
    if offered.sources:
        _wrap(picture, offered.sources, sizes or standing.place.sizes)


def _own_size(picture: Element) -> str:
    """Of one that was written with a width smaller than the column's."""
    width = picture.get("width", "")
    return f"{width}px" if width.isdigit() and int(width) < 560 else ""


def _wrap(picture: Element, sources: tuple[tuple[str, str], ...], sizes: str) -> None:
    """In place, since it does not know what it stands in. The class is that of what stands in the text."""
    attributes = dict(picture.attrib)
    picture.tag = "picture"
    picture.attrib.clear()
    if classes := attributes.pop("class", ""):
        picture.set("class", classes)
    for content_type, srcset in sources:
        SubElement(picture, "source", {"type": content_type, "srcset": html.escape(srcset), "sizes": sizes})
    SubElement(picture, "img", attributes)
