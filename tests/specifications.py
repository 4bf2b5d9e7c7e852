"""What the specifications of the formats for programs ask for, written from them; each check raises with what is wrong.

Stricter than their readers: an element that is not known here is an error, too.
"""

import json
import re
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element, fromstring

ATOM = "{http://www.w3.org/2005/Atom}"
CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"
CREATOR = "{http://purl.org/dc/elements/1.1/}creator"
MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
SEARCH = "{http://a9.com/-/spec/opensearch/1.1/}"
FIELD = "{urn:uuid:0f5c9d52-6f0b-4d3e-9f57-3f2b6b1c8a41}field"  # RFC 4287, 6.4, and RSS 2.0, "Extending": a namespace of its own
LANG = "{http://www.w3.org/XML/1998/namespace}lang"

RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
RFC822 = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d (GMT|[+-]\d{4})")
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
URL = re.compile(r"https?://[!-~]+")  # absolute, and as it goes over the wire


def rss(body: bytes) -> Element:
    """https://www.rssboard.org/rss-specification, with the best practices of https://www.rssboard.org/rss-profile."""
    root = fromstring(body)
    assert (root.tag, root.get("version")) == ("rss", "2.0")
    (channel,) = root
    assert channel.tag == "channel"
    _has(
        channel,
        one=("title", "link", "description", "language", "generator", f"{ATOM}link"),
        at_most_one=("lastBuildDate",),
        any_number=("item",),
    )
    _url(channel.findtext("link"))
    assert LANGUAGE.fullmatch(channel.findtext("language", ""))
    link = channel.find(f"{ATOM}link")
    assert link is not None
    assert (link.get("rel"), link.get("type")) == ("self", "application/rss+xml")
    _url(link.get("href"))
    items = channel.findall("item")
    for item in items:
        _has(item, one=("title", "link", "guid", "pubDate", "description", CONTENT), any_number=("category", CREATOR, FIELD))
        assert item.find("guid").get("isPermaLink") == "false"  # type: ignore[union-attr]
        _url(item.findtext("link"))
        _absolute(item.findtext(CONTENT, ""))
    for date in [*channel.iter("pubDate"), *channel.iter("lastBuildDate")]:
        assert RFC822.fullmatch(date.text or "")
        assert parsedate_to_datetime(date.text or "").tzinfo
    _unique([item.findtext("guid", "") for item in items])
    return channel


def atom(body: bytes) -> Element:
    """RFC 4287."""
    feed = fromstring(body)
    assert feed.tag == f"{ATOM}feed"
    _has(feed, one=_atom("id title updated generator"), at_most_one=_atom("subtitle"), any_number=_atom("link author entry"))
    entries = feed.findall(f"{ATOM}entry")
    for entry in entries:
        _has(entry, one=_atom("id title updated published summary content"), any_number=(*_atom("link author category"), FIELD))
        assert entry.find(f"{ATOM}author") is not None or feed.find(f"{ATOM}author") is not None, "4.1.2: an author here or above"
        assert entry.find(f"{ATOM}content").get("type") == "html"  # type: ignore[union-attr]
        _absolute(entry.findtext(f"{ATOM}content", ""))
        assert (entry.findtext(f"{ATOM}published") or "") <= (entry.findtext(f"{ATOM}updated") or "")
    for holder in (feed, *entries):
        links = [(link.get("rel"), link.get("type"), link.get("hreflang")) for link in holder.findall(f"{ATOM}link")]
        _unique(links)  # 4.1.1: at most one alternate of a type and language
        for link in holder.findall(f"{ATOM}link"):
            _url(link.get("href"))
        for author in holder.findall(f"{ATOM}author"):
            _has(author, one=_atom("name"), at_most_one=_atom("uri email"))
            assert (author.findtext(f"{ATOM}name") or "").strip()
        for category in holder.findall(f"{ATOM}category"):
            assert category.get("term")
    assert any(link.get("rel") == "self" for link in feed.findall(f"{ATOM}link"))
    for date in [*feed.iter(f"{ATOM}updated"), *feed.iter(f"{ATOM}published")]:
        assert RFC3339.fullmatch(date.text or "")
    ids = [feed.findtext(f"{ATOM}id", ""), *(entry.findtext(f"{ATOM}id", "") for entry in entries)]
    assert all(urlsplit(each).scheme for each in ids), "4.2.6: an IRI"
    _unique(ids)
    return feed


def json_feed(body: bytes) -> dict[str, Any]:
    """https://www.jsonfeed.org/version/1.1/"""
    feed: dict[str, Any] = json.loads(body)
    _keys(feed, needed={"version", "title", "items"}, allowed={"home_page_url", "feed_url", "description", "language", "authors"})
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    for item in feed["items"]:
        _keys(
            item,
            needed={"id", "content_html"},
            allowed={"url", "title", "summary", "image", "date_published", "date_modified", "authors", "tags", "language", "_squall"},
        )
        assert isinstance(item["id"], str)
        for name in ("date_published", "date_modified"):
            assert RFC3339.fullmatch(item[name])
        _absolute(item["content_html"])
        assert all(isinstance(tag, str) for tag in item.get("tags", []))
    for holder in (feed, *feed["items"]):
        for name in ("home_page_url", "feed_url", "url", "image"):
            if name in holder:
                _url(holder[name])
        assert LANGUAGE.fullmatch(holder["language"])
        for author in holder.get("authors", []):
            assert set(author) & {"name", "url", "avatar"}
    _unique([item["id"] for item in feed["items"]])
    return feed


def sitemap(body: bytes) -> dict[str, str | None]:
    """Address → lastmod. https://www.sitemaps.org/protocol.html"""
    return _sitemap(body, "urlset", "url", 50_000)


def sitemap_index(body: bytes) -> dict[str, str | None]:
    return _sitemap(body, "sitemapindex", "sitemap", 50_000)


def _sitemap(body: bytes, root: str, line: str, limit: int) -> dict[str, str | None]:
    assert len(body) <= 52_428_800
    found = fromstring(body)
    assert found.tag == MAP + root
    assert 0 < len(found) <= limit
    addresses = []
    for each in found:
        assert each.tag == MAP + line
        _has(each, one=(f"{MAP}loc",), at_most_one=(f"{MAP}lastmod",))
        addresses.append(each.findtext(f"{MAP}loc", ""))
        _url(addresses[-1])
        assert len(addresses[-1]) < 2048
        assert RFC3339.fullmatch(each.findtext(f"{MAP}lastmod") or "2026-01-01T00:00:00Z")
    _unique(addresses)
    return {each.findtext(f"{MAP}loc", ""): each.findtext(f"{MAP}lastmod") for each in found}


def open_search(body: bytes) -> Element:
    """https://github.com/dewitt/opensearch/blob/master/opensearch-1-1-draft-6.md"""
    root = fromstring(body)
    assert root.tag == f"{SEARCH}OpenSearchDescription"
    names = {
        name: f"{SEARCH}{name}"
        for name in ("ShortName", "Description", "LongName", "Url", "Image", "Language", "InputEncoding", "OutputEncoding")
    }
    _has(root, one=tuple(names[name] for name in ("ShortName", "Description")), any_number=tuple(names.values()))
    for name, limit in (("ShortName", 16), ("LongName", 48), ("Description", 1024)):
        text = root.findtext(names[name], "")
        assert 0 < len(text) <= limit
    for url in root.findall(names["Url"]):
        _url((url.get("template") or "").replace("{searchTerms}", "x"))
        assert url.get("type")
    return root


def security(body: bytes, now: datetime) -> dict[str, str]:
    """RFC 9116."""
    lines = body.decode("utf-8").splitlines()
    fields = dict(line.split(": ", 1) for line in lines)
    assert len(fields) == len(lines), "nothing said twice"
    assert set(fields) <= {"Contact", "Expires", "Canonical", "Preferred-Languages", "Encryption", "Acknowledgments", "Policy", "Hiring"}
    assert re.fullmatch(r"(mailto:[!-~]+@[!-~]+|https://[!-~]+|tel:[!-~]+)", fields["Contact"])
    assert RFC3339.fullmatch(fields["Expires"])
    expires = datetime.fromisoformat(fields["Expires"])
    assert 0 < (expires - now).days < 366
    return fields


def may_fetch(robots: str, agent: str, path: str) -> bool:
    """RFC 9309: the groups that name the crawler, else those for all; the longest rule that matches, and allow in a draw."""
    groups: list[tuple[set[str], list[tuple[bool, str]]]] = []
    in_agents = False
    for line in filter(None, map(str.strip, robots.splitlines())):
        name, value = (part.strip() for part in line.split(":", 1))
        if name.lower() == "user-agent":
            if not in_agents:
                groups.append((set(), []))
            groups[-1][0].add(value.lower())
        elif name.lower() in ("allow", "disallow"):
            groups[-1][1].append((name.lower() == "allow", value))
        in_agents = name.lower() == "user-agent"
    named = [rules for agents, rules in groups if agent.lower() in agents] or [rules for agents, rules in groups if "*" in agents]
    matching = [(len(rule), allow) for rules in named for allow, rule in rules if rule and _matches(rule, path)]
    return max(matching)[1] if matching else True


def _matches(rule: str, path: str) -> bool:
    pattern = re.escape(rule.removesuffix("$")).replace(r"\*", ".*")
    return re.match(pattern + ("$" if rule.endswith("$") else ""), path) is not None


# What Google and schema.org ask for; "?" for what may be missing.
# https://developers.google.com/search/docs/appearance/structured-data/search-gallery
NODES: dict[str, dict[str, Any]] = {
    "BlogPosting": {
        "@id": str, "url": "url", "mainEntityOfPage": "WebPage", "headline": str, "datePublished": "date", "dateModified": "date",
        "inLanguage": str, "wordCount": int, "author": ["Person", "Organization"], "publisher": "Organization",
        "description?": str, "image?": "ImageObject", "keywords?": [str], "articleSection?": str,
    },
    "WebPage": {"@id": "url"},
    "Person": {"@id": str, "name": str, "url": "url", "description?": str},
    "Organization": {"@id": str, "name": str, "url": "url"},
    "ImageObject": {"url": "url", "width?": int, "height?": int, "caption?": str},
    "ProfilePage": {"url": "url", "mainEntity": "Person"},
    "WebSite": {
        "@id": str, "url": "url", "name": str, "description?": str, "inLanguage": str, "publisher": "@id",
        "potentialAction": "SearchAction",
    },
    "SearchAction": {"target": "EntryPoint", "query-input": str},
    "EntryPoint": {"urlTemplate": str},
    "BreadcrumbList": {"itemListElement": ["ListItem"]},
    "ListItem": {"position": int, "name": str, "item": "url"},
}  # fmt: skip


def structured_data(text: str) -> dict[str, dict[str, Any]]:
    """Type → node, of the text of a script element."""
    document = json.loads(text)
    assert set(document) == {"@context", "@graph"}
    assert document["@context"] == "https://schema.org"
    for node in document["@graph"]:
        _node(node, [node["@type"]])
        if node["@type"] == "BreadcrumbList":
            assert [item["position"] for item in node["itemListElement"]] == list(range(1, len(node["itemListElement"]) + 1))
            assert len(node["itemListElement"]) >= 2
    _unique([node["@type"] for node in document["@graph"]])
    return {node["@type"]: node for node in document["@graph"]}


def _node(node: dict[str, Any], kinds: list[str]) -> None:
    assert node["@type"] in kinds, node
    wanted = NODES[node["@type"]]
    needed, known = {name for name in wanted if name[-1] != "?"}, {name.rstrip("?"): kind for name, kind in wanted.items()}
    assert needed <= set(node) - {"@type"} <= set(known), set(node) ^ set(known)
    for name, kind in known.items():
        if name in node:
            _property(node[name], kind)


def _property(value: Any, kind: Any) -> None:
    if isinstance(kind, list):
        assert isinstance(value, list)
        assert value
        for each in value:
            _property(each, kind[0]) if kind == [str] else _node(each, kind)
    elif isinstance(kind, type):
        assert isinstance(value, kind)
        assert value or kind is int
    elif kind == "url":
        _url(value)
    elif kind == "date":
        assert RFC3339.fullmatch(value)
    elif kind == "@id":
        assert set(value) == {"@id"}
    else:
        _node(value, [kind])


def _has(element: Element, *, one: tuple[str, ...], at_most_one: tuple[str, ...] = (), any_number: tuple[str, ...] = ()) -> None:
    names = [child.tag for child in element]
    for name in one:
        assert names.count(name) == 1, (element.tag, name)
    for name in at_most_one:
        assert names.count(name) <= 1, (element.tag, name)
    assert set(names) <= {*one, *at_most_one, *any_number}, (element.tag, names)
    for child in element:
        if child.tag != FIELD:  # whose attributes are ours
            assert set(child.attrib) - {LANG} <= {
                "rel",
                "type",
                "href",
                "isPermaLink",
                "term",
                "template",
                "width",
                "height",
            }
        assert LANGUAGE.fullmatch(child.get(LANG, "en"))


def _atom(names: str) -> tuple[str, ...]:
    return tuple(ATOM + name for name in names.split())


def _keys(found: dict[str, Any], *, needed: set[str], allowed: set[str]) -> None:
    assert needed <= set(found) <= needed | allowed, set(found)


def _unique(values: list[Any]) -> None:
    assert len(values) == len(set(values)), values


def _url(text: str | None) -> None:
    assert URL.fullmatch(text or ""), text


def _absolute(markup: str) -> None:
    for address in re.findall(r'\s(?:href|src|poster)="([^"]*)"', markup):
        assert urlsplit(address).scheme, address
