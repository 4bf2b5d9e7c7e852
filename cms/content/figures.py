"""Paragraphs that are not words: pictures become figures and galleries, the address of a video or a post becomes a card."""

import html
import re
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element, SubElement

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


def decorate_paragraphs(root: Element) -> None:
    for paragraph in list(root.iter("p")):
        if pictures := _only_pictures(paragraph):
            _make_figures(paragraph, pictures)
        elif (link := _only_link(paragraph)) is not None:
            _make_card(paragraph, link)


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


def _make_card(paragraph: Element, link: Element) -> None:
    address = html.unescape(link.get("href", ""))
    provider = provider_of(address)
    if not provider:
        return
    paragraph.set("class", "card")
    link.text = None
    name = SubElement(link, "span", {"class": "card-provider"})
    name.text, name.tail = provider, " "  # for those who read the words alone
    SubElement(link, "span", {"class": "card-address"}).text = html.escape(re.sub(r"^https?://(?:www\.)?", "", address))


def provider_of(address: str) -> str:
    """Who shows what is at an address; "" if it is no video or post that we know."""
    try:
        parts = urlsplit(address)
        host = (parts.hostname or "").removeprefix("www.").removeprefix("m.")
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or not host:
        return ""
    name, path = _PROVIDERS.get(host, ("", ""))
    if name:
        return name if re.fullmatch(path, parts.path) else ""
    return next((name for pattern, name in _ANYWHERE if pattern.fullmatch(parts.path)), "")
