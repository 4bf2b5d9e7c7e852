"""Texts about the site, and texts of it, in forms that programs know."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from cms.content.comments import without_comments
from cms.content.plain_text import shorten
from cms.models.site import Frame
from cms.services.feeds import Overview
from cms.services.reading import Article, Card
from cms.ui.feeds import iso_date
from cms.ui.words import PLAIN_IN_PATHS, direction, href

SOURCE = ".md"
SHORT_NAME = 12  # characters that fit below an icon
LINE = 200  # characters said about a text in a list
GROUND = "#ffffff"  # as in css/tokens.css

_MARKDOWN_SIGNS = re.compile(r"([\\\[\]*_`<>])")


def manifest(frame: Frame, icon: str) -> dict[str, Any]:
    """https://www.w3.org/TR/appmanifest/"""
    return {
        "id": "/",
        "name": frame.name,
        "short_name": shorten(frame.name, SHORT_NAME),
        **({"description": frame.description} if frame.description else {}),
        "lang": frame.language,
        "dir": direction(frame.language),
        "start_url": "/",
        "scope": "/",
        "display": "minimal-ui",
        "theme_color": f"oklch(0.47 0.13 {frame.accent_hue})",  # --accent-strong in css/tokens.css
        "background_color": GROUND,
        "icons": [_icon(frame, icon)],
    }


def _icon(frame: Frame, usual: str) -> dict[str, str]:
    if frame.icon:
        return {"src": href(frame.icon), "sizes": "512x512", "type": "image/png"}
    return {"src": usual, "sizes": "any", "type": "image/svg+xml"}


def security(frame: Frame, canonical: str, now: datetime) -> str:
    """RFC 9116."""
    fields = {
        "Contact": _contact(frame.security_contact),
        "Expires": iso_date(_expiry(now)),
        "Preferred-Languages": frame.language,
        "Canonical": canonical,
    }
    return "".join(f"{name}: {value}\n" for name, value in fields.items())


def _contact(address: str) -> str:
    """A URI, as the format wants it; somebody may have written only an address of mail."""
    scheme = "" if re.match("(mailto|https|tel):", address) else "mailto:"
    return scheme + quote(address.strip(), safe=PLAIN_IN_PATHS + "?#[]%")


def _expiry(now: datetime) -> datetime:
    """The end of the half-year after this one: 6 to 12 months ahead, and the same for half a year, so that the file can be kept."""
    next_half = (now.year + 1, 1) if now.month <= 6 else (now.year + 1, 7)
    return datetime(*next_half, 1, tzinfo=UTC) - timedelta(seconds=1)


def llms(overview: Overview, public_url: str) -> str:
    """https://llmstxt.org"""
    frame = overview.frame
    parts = [f"# {_line(frame.name)}\n"]
    if frame.description:
        parts.append(f"> {_line(frame.description)}\n")
    parts += [_section(name, cards, public_url) for name, cards in (("Posts", overview.posts), ("Pages", overview.pages)) if cards]
    return "\n".join(parts)


def _section(name: str, cards: Sequence[Card], public_url: str) -> str:
    return f"## {name}\n\n" + "".join(_link(card, public_url) for card in cards)


def _link(card: Card, public_url: str) -> str:
    about = f": {_line(shorten(card.excerpt, LINE))}" if card.excerpt else ""
    return f"- [{_line(card.title)}]({public_url}{_bracketless(href(card.path + SOURCE))}){about}\n"


def _line(text: str) -> str:
    """Plain words on one line of Markdown."""
    return _MARKDOWN_SIGNS.sub(r"\\\1", " ".join(text.split()))


def _bracketless(address: str) -> str:
    return address.replace("(", "%28").replace(")", "%29")


def markdown(article: Article, source: str, url: str) -> str:
    """The source with a head that says what it is. What its author noted in comments is not public: readers' pages have none."""
    import yaml  # few readers want it

    head = {
        "title": article.title,
        "date": iso_date(article.published_at),
        "updated": iso_date(article.updated_at),
        "authors": [author["name"] for author in article.authors],
        "tags": [tag["name"] for tag in article.tags],
        "language": article.language,
        "canonical": url,
    }
    written = yaml.safe_dump({name: value for name, value in head.items() if value}, allow_unicode=True, sort_keys=False, width=1000)
    return f"---\n{written}---\n\n{without_comments(source).strip()}\n"
