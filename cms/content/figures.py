"""Paragraphs that are not words: pictures become figures and galleries, the address of a page becomes a card."""

import html
import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element, SubElement

from cms.content.context import Card

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


def decorate_paragraphs(root: Element, cards: Mapping[str, Card]) -> Iterator[str]:
    """The addresses that became cards."""
    for paragraph in list(root.iter("p")):
        if pictures := _only_pictures(paragraph):
            _make_figures(paragraph, pictures)
        elif (link := _only_link(paragraph)) is not None and (host := _host(address := html.unescape(link.get("href", "")))):
            _make_card(paragraph, link, cards.get(address) or _bare(address, host))
            yield address


def _only_pictures(paragraph: Element) -> list[Element]:
    """The pictures of a paragraph in which nothing else is, each perhaps in a link."""
    if (paragraph.text or "").strip():
        return []
    pictures = [child for child in paragraph if child.tag != "br"]
    if any((child.tail or "").strip() for child in paragraph) or not all(_picture_in(child) is not None for child in pictures):
        return []
    return pictures


def _picture_in(element: Element) -> Element | None:
    if element.tag == "img":
        return element
    if element.tag in {"a", "picture"} and not "".join(element.itertext()).strip():
        return next(element.iter("img"), None)
    return None


def _make_figures(paragraph: Element, pictures: list[Element]) -> None:
    """The words over a picture that browsers show when it is pointed at are its caption: there everybody reads them."""
    paragraph[:] = []
    paragraph.text = None
    if len(pictures) == 1:
        _fill_figure(paragraph, pictures[0])
        return
    paragraph.tag = "div"
    paragraph.set("class", "gallery")
    for picture in pictures:
        _fill_figure(SubElement(paragraph, "figure"), picture)


def _fill_figure(figure: Element, content: Element) -> None:
    figure.tag = "figure"
    content.tail = None
    figure.append(content)
    picture = _picture_in(content)
    caption = picture.attrib.pop("title", "").strip() if picture is not None else ""
    if caption:
        SubElement(figure, "figcaption").text = caption


def _only_link(paragraph: Element) -> Element | None:
    """The link of a paragraph that is nothing but an address."""
    if len(paragraph) != 1 or paragraph[0].tag != "a" or len(paragraph[0]) or (paragraph.text or "").strip():
        return None
    link = paragraph[0]
    return link if not (link.tail or "").strip() and (link.text or "").strip() == link.get("href", "") else None


def _bare(address: str, host: str) -> Card:
    """Nothing is known of it but where it is."""
    plain = re.sub(r"^https?://(?:www\.)?", "", address, flags=re.IGNORECASE).rstrip("/")
    return Card("", site_name=_provider_of(address) or host, description="" if plain == host else plain)


def _make_card(paragraph: Element, link: Element, card: Card) -> None:
    """Of our own storage alone: whoever shows the page is asked when a reader follows the link, not before."""
    paragraph.set("class", "card card-video" if card.kind == "video" else "card")
    link.text = None
    if card.picture:
        size = {"width": str(card.picture.width), "height": str(card.picture.height)}
        lazy = {"loading": "lazy", "decoding": "async"}
        SubElement(link, "img", {"class": "card-picture", "src": html.escape(card.picture.path), "alt": "", **size, **lazy})
    by = " · ".join(dict.fromkeys(name for name in (card.site_name, card.author) if name))
    words = {"title": card.title, "provider": by, "text": card.description} if card.title else {"provider": by, "address": card.description}
    for name, value in words.items():
        if value:
            part = SubElement(link, "span", {"class": f"card-{name}"})
            part.text, part.tail = html.escape(value), " "  # for those who read the words alone
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
