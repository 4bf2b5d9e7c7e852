"""What a feed needs: a text whose addresses lead back here from anywhere, and XML that any parser takes."""

import html
import re
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import urljoin, urlsplit

from tornado.escape import to_unicode, xhtml_escape

from cms.content.allow_list import ADDRESSES

# Characters that XML 1.0 (section 2.2) does not know, not even escaped.
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# The one form in which the sanitiser writes tags (content/sanitize.py).
_TAG = re.compile(r'<[a-z][a-z0-9]*(?: [a-z\-]+="[^"]*")+>')
_ATTRIBUTE = re.compile(r' ([a-z\-]+)="([^"]*)"')
_PAGE_ONLY = re.compile(r'<a class="headerlink"[^>]*>[^<]*</a>')


def xml_text(value: str | bytes | None) -> str:
    return xhtml_escape(_NO_XML.sub("", to_unicode(value) or ""))


def absolute_html(stored: str, base: str) -> str:
    """Stored HTML with every address made whole, as it is read elsewhere; ``base`` is where it stands here."""
    return _TAG.sub(lambda tag: _ATTRIBUTE.sub(lambda found: _absolute(found, base), tag[0]), _PAGE_ONLY.sub("", stored))


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


def entry_id(public_url: str, post_id: int, published_at: datetime) -> str:
    """Stays the same when the post moves (RFC 4151: a tag URI)."""
    return f"tag:{urlsplit(public_url).hostname},{published_at.astimezone(UTC):%Y-%m-%d}:post-{post_id}"


def rss_date(moment: datetime) -> str:
    return format_datetime(moment.astimezone(UTC), usegmt=True)


def iso_date(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
