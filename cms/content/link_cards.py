"""What a page of somebody else says of itself: oEmbed, Open Graph, Twitter's cards, or its bare title.

Anybody may have written it. Only the head is read, and what is found are plain words, cut to what a card shows.
"""

import json
import re
from contextlib import suppress
from dataclasses import replace
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

from cms.content.characters import without_control_characters
from cms.content.context import PageCard

LONGEST_ADDRESS = 2000  # of a picture, or of what oEmbed says; characters, like all of these
LONGEST_TITLE = 200
LONGEST_NAME = 80
LONGEST_DESCRIPTION = 300
_PIECE = 65536  # characters that are read at once
_MOST_WORDS = 5000  # characters that are looked at of what may be long
_KINDS = {"photo": "photo", "image": "photo", "video": "video", "article": "article"}
_CHARSET = re.compile(rb"""charset\s*=\s*["']?([\w-]{2,20})""", re.IGNORECASE)
_KNOWN_CHARSETS = re.compile(  # Python knows many more, not all of which are text
    r"us-ascii|iso-8859-(?:1[03-6]?|[2-9])|windows-125[0-8]|koi8-[ru]|shift_jis|euc-(?:jp|kr)|gb2312|gbk|gb18030|big5", re.IGNORECASE
)
_TURNING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")  # marks that turn what stands after them the other way round


def read_page(body: bytes, content_type: str, url: str) -> PageCard:
    head = _Head()
    text = _decoded(body, content_type)
    with suppress(AssertionError):  # the parser's, of declarations that it does not know
        for at in range(0, len(text), _PIECE):
            if not head.is_over:
                head.feed(text[at : at + _PIECE])
    said = head.said
    return PageCard(
        kind=_kind(said.get("og:type", "")),
        title=_first(said, LONGEST_TITLE, "og:title", "twitter:title", "title"),
        description=_first(said, LONGEST_DESCRIPTION, "og:description", "twitter:description", "description"),
        site_name=_first(said, LONGEST_NAME, "og:site_name", "application-name"),
        author=_first(said, LONGEST_NAME, "author"),
        picture=_address(url, said.get("og:image:secure_url") or said.get("og:image") or said.get("twitter:image") or ""),
        more=_address(url, said.get("oembed", "")),
    )


def read_oembed(body: bytes, page: PageCard, url: str) -> PageCard:
    """The card with what oEmbed says in place of what the page does; the page's if that is no oEmbed."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return page
    if not isinstance(said, dict):
        return page
    words = {name: value for name, value in said.items() if isinstance(value, str)}
    picture = words.get("thumbnail_url") or (words.get("url", "") if words.get("type") == "photo" else "")
    found = {
        "kind": _KINDS.get(words.get("type", "")),
        "title": _line(words.get("title", ""), LONGEST_TITLE),
        "site_name": _line(words.get("provider_name", ""), LONGEST_NAME),
        "author": _line(words.get("author_name", ""), LONGEST_NAME),
        "picture": _address(url, picture),
    }
    return replace(page, **{name: value for name, value in found.items() if value})


class _Head(HTMLParser):
    """What is said first counts: what comes in later may be of somebody else."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.said: dict[str, str] = {}
        self.is_over = False
        self._title: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.is_over = self.is_over or tag == "body"
        if self.is_over:
            return
        given = {name: value or "" for name, value in attrs}
        if tag == "meta":
            self._say((given.get("property") or given.get("name", "")).strip().lower(), given.get("content", ""))
        elif tag == "link" and given.get("type", "").strip().lower() == "application/json+oembed":
            self._say("oembed", given.get("href", ""))
        elif tag == "title" and "title" not in self.said:
            self._title = []

    def handle_endtag(self, tag: str) -> None:
        self.is_over = self.is_over or tag == "head"
        if tag == "title" and self._title is not None:
            self._say("title", "".join(self._title))
            self._title = None

    def handle_data(self, data: str) -> None:
        if self._title is not None:
            self._title.append(data[:_MOST_WORDS])

    def _say(self, name: str, value: str) -> None:
        if value.strip():
            self.said.setdefault(name, value[:_MOST_WORDS])


def _decoded(body: bytes, content_type: str) -> str:
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return body.decode("utf-16", "replace")
    named = _CHARSET.search(content_type.encode()) or _CHARSET.search(body[:2048])
    charset = named[1].decode() if named else ""
    return body.decode(charset if _KNOWN_CHARSETS.fullmatch(charset) else "utf-8", "replace")


def _first(said: dict[str, str], longest: int, *names: str) -> str:
    return next((line for name in names if (line := _line(said.get(name, ""), longest))), "")


def _line(text: str, longest: int) -> str:
    line = " ".join(_TURNING.sub("", without_control_characters(text[:_MOST_WORDS])).split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def _kind(said: str) -> str:
    return _KINDS.get(said.strip().lower().partition(".")[0], "link")


def _address(base: str, said: str) -> str:
    """Where to fetch it; "" if that is nowhere."""
    try:
        found = urljoin(base, said.strip())
        parts = urlsplit(found)
    except ValueError:
        return ""
    return found if said.strip() and parts.scheme in {"http", "https"} and parts.hostname and len(found) <= LONGEST_ADDRESS else ""
