"""What a text shows of the library: addresses as they are now, the library's own words where the text has none, the right element."""

import html
from xml.etree.ElementTree import Element

from cms.content.allow_list import permits
from cms.content.context import Media, RenderContext
from cms.content.findings import Findings
from cms.content.players import PLAYERS, complete, link_inside, make_player

Shown = dict[Element, Media]  # what stands in a text → what it is


def settle_media(root: Element, context: RenderContext, found: Findings) -> Shown:
    shown: dict[Element, Media] = {}
    for element in list(root.iter()):
        if element.tag not in {"a", "img", "source", *PLAYERS}:
            continue
        address = _address(element, "href" if element.tag == "a" else "src")
        media = context.media.get(address) or (_source_of(element, context) if element.tag in PLAYERS else None)
        if media:
            shown[element] = media
        if element.tag == "img" and media and media.kind != "picture":
            _become(element, media)
        if element.tag == "img":
            _settle_picture(element, address, media, found)
        elif element.tag in PLAYERS and media:
            complete(element, media)
        if element.tag != "a":
            _settle_addresses(element, context, found)
    return shown


def settle_links(shown: Shown) -> None:
    """After it was noted where those lead that somebody wrote."""
    for element, media in shown.items():
        if element.tag == "a":
            _, mark, part = element.get("href", "").partition("#")
            element.set("href", html.escape(media.path) + mark + part)
        elif element.tag in PLAYERS:
            link_inside(element, media)


def _address(element: Element, name: str) -> str:
    return html.unescape(element.get(name, "")).strip()


def _become(element: Element, media: Media) -> None:
    """``![words](film.mp4)`` is a player, ``![words](file.pdf)`` a link, of which a card may be made."""
    if media.kind in PLAYERS:
        make_player(element, media.kind)
        return
    words = element.get("alt", "").strip() or html.escape(media.path.rpartition("/")[2])
    address = element.get("src", "")
    element.tag, element.text = "a", words
    element.attrib.clear()
    element.set("href", address)


def _settle_picture(picture: Element, address: str, media: Media | None, found: Findings) -> None:
    """It comes when it is needed, and in its own size, so that nothing moves when it does. The first is likely to be seen at once."""
    if found.pictures:
        picture.set("loading", "lazy")
        picture.set("decoding", "async")
    found.pictures.append((address, _settle_words(picture, media)))
    if media and media.width and media.height:
        _settle_size(picture, media.width, media.height)


def _settle_words(element: Element, media: Media | None) -> bool:
    """Whether something is said instead of the picture, or nothing has to be."""
    if html.unescape(element.get("alt", "")).strip():
        return True
    if media is None:
        return False
    element.set("alt", "" if media.is_decorative else html.escape(media.alt))
    return media.is_decorative or bool(media.alt)


def _settle_addresses(element: Element, context: RenderContext, found: Findings) -> None:
    for name in ("src", "poster"):
        if address := _address(element, name):
            media = context.media.get(address)
            if media:
                element.set(name, html.escape(media.path))
            found.media.append(media.path if media else address)


def _settle_size(element: Element, width: int, height: int) -> None:
    """Both sizes; one that is given scales the other. What is given in percent stays alone."""
    given = {name: said for name in ("width", "height") if permits("img", name, said := element.get(name, ""))}
    if not given:
        element.set("width", str(width))
        element.set("height", str(height))
    elif len(given) == 1 and (said := next(iter(given.values()))).isdigit() and int(said):
        wanted = {"width": width, "height": height}
        (name,) = given
        for other in wanted.keys() - given.keys():
            element.set(other, str(max(1, round(wanted[other] * int(said) / wanted[name]))))


def _source_of(player: Element, context: RenderContext) -> Media | None:
    """Of a player whose film is in an element of its own; that may have been settled by now, or not."""
    source = player.find("source")
    return context.media.get(_address(source, "src")) if source is not None else None
