"""Films and sound: the browser's own player, with what the library knows of them."""

import html
from xml.etree.ElementTree import Element, SubElement

from cms.content.context import Media

PLAYERS = ("audio", "video")  # the elements, and the kinds of media


def make_player(picture: Element, kind: str) -> None:
    """Of what was written as a picture."""
    words, address, title = (picture.get(name, "").strip() for name in ("alt", "src", "title"))
    picture.tag = kind
    picture.attrib.clear()
    said = {"src": address, "controls": "", "preload": "metadata", "aria-label": words, "title": title}
    picture.attrib.update({name: value for name, value in said.items() if value or name == "controls"})


def complete(player: Element, media: Media) -> None:
    """What whoever wrote the element did not say. Inside is a link, for feed readers that know no players."""
    if player.tag == "video":
        if media.poster:
            player.attrib.setdefault("poster", html.escape(media.poster))
        if media.width and media.height and not {"width", "height"} & player.attrib.keys():
            player.attrib.update(width=str(media.width), height=str(media.height))
    if player.find("track") is None:
        for track in media.tracks:
            said = {"kind": "captions", "src": html.escape(track.path), "srclang": track.language, "label": html.escape(track.label)}
            SubElement(player, "track", said)


def link_inside(player: Element, media: Media) -> None:
    """For feed readers that know no players."""
    said = (player.text, *((each.tail if each.tag in {"source", "track"} else each.tag) for each in player))
    if not any((words or "").strip() for words in said):
        link = SubElement(player, "a", {"href": html.escape(media.path)})
        link.text = player.get("aria-label") or html.escape(media.path.rpartition("/")[2])
