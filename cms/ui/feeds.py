"""What a feed needs: a text whose addresses lead back here from anywhere, and XML or JSON that any parser takes."""

import html
import re
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import urljoin, urlsplit
from uuid import UUID, uuid5

from tornado.escape import to_unicode, xhtml_escape
from tornado.web import UIModule

from cms.content.allow_list import ADDRESSES
from cms.models.site import Frame
from cms.services.feeds import Feed
from cms.services.reading import Article
from cms.ui.pictures import shared
from cms.ui.site import SiteModule
from cms.ui.words import href

# Characters that XML 1.0 (section 2.2) does not know, not even escaped.
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# The one form in which the sanitiser writes tags (content/sanitize.py).
_TAG = re.compile(r'<[a-z][a-z0-9]*(?: [a-z\-]+="[^"]*")+>')
_ATTRIBUTE = re.compile(r' ([a-z\-]+)="([^"]*)"')
_PAGE_ONLY = re.compile(r'<a class="headerlink"[^>]*>[^<]*</a>')
# As content/pictures.py makes them.
_PICTURE = re.compile(
    r'<picture(?: class="[^"]*")?>(?:<source type="[^"]*" srcset="/media/[^"]*" sizes="[^"]*">)+(<img(?: [a-z\-]+="[^"]*")+>)</picture>'
)
_SIZES = re.compile(r' src="[^"]*"((?: [a-z\-]+="[^"]*")*) srcset="(/media/[^"]* [0-9]+w)" sizes="[^"]*"')
_WIDTH = 1280  # pixels of a picture in a feed: readers that know no other sizes get no more


NAMESPACE = "urn:uuid:0f5c9d52-6f0b-4d3e-9f57-3f2b6b1c8a41"  # of custom fields in feeds: docs/guide/custom-fields.md


class FeedLinks(SiteModule):
    """Where the feeds of a page are, for programs that look at it. ``path``: "/" or that of a list."""

    def render(self, path: str, title: str) -> str:
        return self.draw("feed_links", at=path.rstrip("/"), title=title)


def json_feed(feed: Feed, public_url: str, feed_url: str) -> dict[str, Any]:
    """https://www.jsonfeed.org/version/1.1/"""
    return {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed_title(feed),
        "home_page_url": public_url + href(feed.path),
        "feed_url": feed_url,
        **_said(description=plain(feed_description(feed))),
        "language": feed.frame.language,
        "authors": [{"name": plain(feed.frame.name), "url": f"{public_url}/"}],
        "items": [_json_item(feed.frame, article, public_url) for article in feed.articles],
    }


def _json_item(frame: Frame, article: Article, public_url: str) -> dict[str, Any]:
    url = public_url + href(article.path)
    return {
        "id": entry_id(frame, article.post_id),
        "url": url,
        "title": plain(article.title),
        "content_html": plain(absolute_html(article.html, url)),
        "date_published": iso_date(article.published_at),
        "date_modified": iso_date(article.updated_at),
        "language": article.language,
        **_said(
            summary=plain(article.excerpt),
            image=article.picture and public_url + shared(article.picture)["address"],
            authors=[{"name": plain(author["name"]), "url": public_url + href(author["path"])} for author in article.authors],
            tags=[plain(term["name"]) for term in ([article.category] if article.category else []) + list(article.tags)],
            _squall=article.custom and {"custom": [_json_field(each, public_url) for each in article.custom]},
        ),
    }


def _json_field(field: dict[str, Any], public_url: str) -> dict[str, Any]:
    is_number = field["type"] == "number"
    return {
        "key": field["key"],
        "label": plain(field["label"]),
        "type": field["type"],
        "value": field["value"] if is_number else plain(field_value(field, public_url)),
    }


def has_fields(feed: Feed) -> bool:
    return any(article.custom for article in feed.articles)


def field_value(field: dict[str, Any], public_url: str) -> str:
    """Of a custom field, as text; what stands on this site by its whole address."""
    value = field["value"]["path"] if field["type"] == "picture" else str(field["value"])
    is_here = field["type"] == "picture" or (field["type"] == "link" and value.startswith("/"))
    return f"{public_url}{href(value)}" if is_here else value


def _said(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value}


def feed_title(feed: Feed) -> str:
    return plain(f"{feed.title} · {feed.frame.name}" if feed.title else feed.frame.name)


def feed_description(feed: Feed) -> str:
    return feed.description if feed.title else feed.frame.description


def feed_id(feed: Feed) -> str:
    """Stays the same when a tag or a person is renamed, as their addresses do not."""
    return _stable_id(feed.frame, feed.name)


def entry_id(frame: Frame, post_id: int) -> str:
    return _stable_id(frame, f"post:{post_id}")


def _stable_id(frame: Frame, name: str) -> str:
    """The same wherever and whenever the thing stands (RFC 4287, 4.2.6): a UUID by the site and the name (RFC 9562, 5.5)."""
    return uuid5(UUID(frame.uuid), name).urn


def plain(value: str | bytes | None) -> str:
    """Without the control characters that no parser of XML takes and nobody means."""
    return _NO_XML.sub("", to_unicode(value) or "")


def xml_text(value: str | bytes | None) -> str:
    return xhtml_escape(plain(value))


def absolute_html(stored: str, base: str) -> str:
    """Stored HTML with every address made whole, as it is read elsewhere; ``base`` is where it stands here."""
    simple = _SIZES.sub(_with_one_size, _PICTURE.sub(r"\1", _PAGE_ONLY.sub("", stored)))
    return _TAG.sub(lambda tag: _ATTRIBUTE.sub(lambda found: _absolute(found, base), tag[0]), simple)


def _with_one_size(picture: re.Match[str]) -> str:
    """The largest that is not too large; programs that read feeds seldom know more than one."""
    candidates = [(address, int(width.removesuffix("w"))) for address, width in _candidates(picture[2])]
    address = next((address for address, width in reversed(candidates) if width <= _WIDTH), candidates[0][0])
    return f' src="{address}"{picture[1]}'


def _absolute(found: re.Match[str], base: str) -> str:
    name, value = found[1], html.unescape(found[2])
    if name not in ADDRESSES:
        return found[0]
    if name == "srcset":
        whole = ", ".join(" ".join([_join(base, address), *rest]) for address, *rest in _candidates(value))
    else:
        whole = _join(base, value)
    return f' {name}="{html.escape(whole)}"'


def _candidates(value: str) -> list[list[str]]:
    return [parts for candidate in value.split(",") if (parts := candidate.split())]


def _join(base: str, address: str) -> str:
    """Addresses that cannot be taken apart stay as they are: the sanitiser has found them harmless."""
    try:
        return address if urlsplit(address).scheme else urljoin(base, address)
    except ValueError:
        return address


def rss_date(moment: datetime) -> str:
    return format_datetime(moment.astimezone(UTC), usegmt=True)


def iso_date(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


MODULES: dict[str, type[UIModule]] = {"FeedLinks": FeedLinks}
