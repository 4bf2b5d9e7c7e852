"""Paragraphs that are not words: pictures, films and sound become figures and galleries; files, and the addresses of pages, cards."""

import html
import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element, SubElement

from cms.content.context import Card, Media, RenderContext, rights
from cms.content.library import Shown
from cms.content.players import PLAYERS
from cms.content.quantities import duration, size

ALIGNMENTS = ("wide", "full")  # beyond the column, and to the edges of the window
_ALIGNED = re.compile(r"\{\s*\.(wide|full)\s*\}")

# Host (without "www.") → name, and what the path of one video or post looks like. Mastodon and PeerTube are anybody's hosts.
_PROVIDERS: dict[str, tuple[str, str]] = {
    "bsky.app": ("Bluesky", r"/profile/[^/]+/post/\w+"),
    "dailymotion.com": ("Dailymotion", r"/video/\w+"),
    "instagram.com": ("Instagram", r"/(?:p|reel)/[\w-]+/?"),
    "open.spotify.com": ("Spotify", r"/(?:episode|show|track|album)/\w+"),
    "soundcloud.com": ("SoundCloud", r"/[\w-]+/[\w-]+"),
    "threads.net": ("Threads", r"/@[\w.]+/post/[\w-]+"),
    "tiktok.com": ("TikTok", r"/@[\w.]+/video/\d+"),
    "twitter.com": ("X", r"/\w+/status/\d+"),
    "vimeo.com": ("Vimeo", r"/(?:\w+/)*\d+"),
    "x.com": ("X", r"/\w+/status/\d+"),
    "youtu.be": ("YouTube", r"/[\w-]+"),
    "youtube.com": ("YouTube", r"/(?:watch|shorts/[\w-]+|live/[\w-]+|playlist)"),
    "youtube-nocookie.com": ("YouTube", r"/embed/[\w-]+"),
}
_ANYWHERE = (
    (re.compile(r"/@[\w.-]+(?:@[\w.-]+)?/\d{10,}"), "Mastodon"),
    (re.compile(r"/(?:w/\w{10,}|videos/watch/[\w-]{20,})"), "PeerTube"),
)


def decorate_paragraphs(root: Element, shown: Shown, context: RenderContext) -> Iterator[str]:
    """The addresses that became cards."""
    for paragraph in list(root.iter("p")):
        if media := _only_media(paragraph):
            _make_figures(paragraph, media)
        elif (link := _only_link(paragraph)) is None:
            continue
        elif (file := shown.get(link)) and file.kind == "file":
            _make_file_card(paragraph, link, file, context.language)
        elif _is_bare(link) and (host := _host(address := html.unescape(link.get("href", "")))):
            _make_card(paragraph, link, context.cards.get(address) or _bare(address, host), shown)
            yield address


def complete_captions(root: Element, shown: Shown, language: str) -> None:
    for figure in list(root.iter("figure")):
        _complete_caption(figure, shown, language)


def _only_media(paragraph: Element) -> list[Element]:
    """The pictures and players of a paragraph in which nothing else is but perhaps how wide they are; each picture perhaps in a link."""
    if (paragraph.text or "").strip():
        return []
    media = [child for child in paragraph if child.tag != "br"]
    if not media or not all(_medium_in(child) is not None for child in media):
        return []
    words = "".join(child.tail or "" for child in paragraph).strip()
    return media if not words or (_ALIGNED.fullmatch(words) and (paragraph[-1].tail or "").strip() == words) else []


def _medium_in(element: Element) -> Element | None:
    if element.tag == "img" or element.tag in PLAYERS:
        return element
    if element.tag in {"a", "picture"} and not "".join(element.itertext()).strip():
        return next(element.iter("img"), None)
    return None


def _make_figures(paragraph: Element, media: list[Element]) -> None:
    """Several are a gallery. Classes of a picture that say how wide it is are those of what it stands in."""
    aligned = _ALIGNED.fullmatch((paragraph[-1].tail or "").strip())
    classes = [aligned[1]] if aligned else [name for element in media for name in _take_alignment(element)][:1]
    paragraph[:] = []
    paragraph.text = None
    if len(media) == 1:
        _fill_figure(paragraph, media[0])
    else:
        paragraph.tag = "div"
        classes.insert(0, "gallery")
        for element in media:
            _fill_figure(SubElement(paragraph, "figure"), element)
    if classes:
        paragraph.set("class", " ".join(classes))


def _take_alignment(element: Element) -> list[str]:
    medium = _medium_in(element)
    names = medium.get("class", "").split() if medium is not None else []
    taken = [name for name in names if name in ALIGNMENTS]
    if medium is not None and taken:
        medium.attrib.pop("class")
        if rest := [name for name in names if name not in taken]:
            medium.set("class", " ".join(rest))
    return taken


def _fill_figure(figure: Element, content: Element) -> None:
    figure.tag = "figure"
    content.tail = None
    figure.append(content)


def _complete_caption(figure: Element, shown: Shown, language: str) -> None:
    """The words over a picture that browsers show when it is pointed at are its caption: there everybody reads them. Else the library's,
    and small whose picture it is and how long a film is. A caption that somebody wrote as HTML stays."""
    media = [element for child in figure for element in (child, *child) if element.tag == "img" or element.tag in PLAYERS]
    if len(media) != 1 or figure.find("figcaption") is not None:
        return
    known = shown.get(media[0])
    caption = media[0].attrib.pop("title", "").strip() or (html.escape(known.caption.strip()) if known else "")
    details = _details(known, language) if known else ""
    if caption or details:
        element = SubElement(figure, "figcaption")
        element.text = caption
        if details:
            element.text += " " if caption else ""
            SubElement(element, "small").text = html.escape(details)


def _details(media: Media, language: str) -> str:
    lasts = duration(media.duration, language) if media.kind in PLAYERS and media.duration else ""
    return " · ".join(filter(None, (rights(media.credit, media.licence), lasts)))


def _only_link(paragraph: Element) -> Element | None:
    """The link of a paragraph in which nothing else is."""
    if len(paragraph) != 1 or paragraph[0].tag != "a" or len(paragraph[0]) or (paragraph.text or "").strip():
        return None
    return paragraph[0] if not (paragraph[0].tail or "").strip() else None


def _is_bare(link: Element) -> bool:
    """Whether it is nothing but an address."""
    return (link.text or "").strip() == link.get("href", "")


def _bare(address: str, host: str) -> Card:
    """Nothing is known of it but where it is."""
    plain = re.sub(r"^https?://(?:www\.)?", "", address, flags=re.IGNORECASE).rstrip("/")
    return Card("", site_name=_provider_of(address) or host, description="" if plain == host else plain)


def _make_card(paragraph: Element, link: Element, card: Card, shown: Shown) -> None:
    """Of our own storage alone: whoever shows the page is asked when a reader follows the link, not before."""
    paragraph.set("class", "card card-video" if card.kind == "video" else "card")
    link.text = None
    if card.picture:
        size = {"width": str(card.picture.width), "height": str(card.picture.height)}
        lazy = {"loading": "lazy", "decoding": "async"}
        picture = SubElement(link, "img", {"class": "card-picture", "src": html.escape(card.picture.path), "alt": "", **size, **lazy})
        shown[picture] = card.picture
    by = " · ".join(dict.fromkeys(name for name in (card.site_name, card.author) if name))
    words = {"title": card.title, "provider": by, "text": card.description} if card.title else {"provider": by, "address": card.description}
    _put_words(link, {name: html.escape(value) for name, value in words.items()})


def _make_file_card(paragraph: Element, link: Element, file: Media, language: str) -> None:
    words, name = (link.text or "").strip(), html.escape(file.path.rpartition("/")[2])
    kind = name.rpartition(".")[2].upper() if "." in name else ""
    details = ", ".join(filter(None, (kind, size(file.size, language) if file.size else "")))
    title = name if _is_bare(link) or not words else words
    paragraph.set("class", "card card-file")
    link.text = None
    _put_words(link, {"title": title, "provider": details})


def _put_words(link: Element, words: Mapping[str, str]) -> None:
    for name, value in words.items():
        if value:
            part = SubElement(link, "span", {"class": f"card-{name}"})
            part.text, part.tail = value, " "  # for those who read the words alone
    link[-1].tail = None


def _host(address: str) -> str:
    """Who shows what is at an address of the web, without "www."; "" if it is none."""
    try:
        parts = urlsplit(address)
        return (parts.hostname or "").removeprefix("www.") if parts.scheme in {"http", "https"} else ""
    except ValueError:
        return ""


def _provider_of(address: str) -> str:
    """Who shows the video or the post at an address; "" if it is none that we know."""
    host, path = _host(address).removeprefix("m."), urlsplit(address).path
    name, shape = _PROVIDERS.get(host, ("", ""))
    if name:
        return name if re.fullmatch(shape, path) else ""
    return next((name for pattern, name in _ANYWHERE if pattern.fullmatch(path)), "")
