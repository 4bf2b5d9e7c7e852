"""The structure that the theme dresses, made in the parsed tree before it is sanitised.

Working on the tree, not on Markdown, gives raw HTML in a text the same tables, headings, pictures and links. Text and
attributes in this tree hold HTML entities as they were written, so what is shown elsewhere is unescaped first.
"""

import html
import re
from collections.abc import Iterable, Iterator
from xml.etree.ElementTree import Element, SubElement

from cms.content.context import Heading, RenderContext
from cms.content.figures import complete_captions, decorate_paragraphs
from cms.content.findings import Findings
from cms.content.identifiers import TAKEN, as_id_part, safe_id
from cms.content.library import settle_links, settle_media
from cms.content.pictures import offer_sizes
from cms.content.sanitize import is_comment
from cms.content.slugs import slugify
from cms.content.tables import decorate_tables

MORE_ID = "more"
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_FOOTNOTE = re.compile(r"(#?)(fn|fnref\d*):(.*)", re.DOTALL)
_HOST = re.compile(r"(?:https?:)?//(?:[^/?#@]*@)?([^/?#:]*)", re.IGNORECASE)
_PORT = re.compile(r"^:\d+")
_FOOTNOTE_ROLES = {"footnote-ref": "doc-noteref", "footnote-backref": "doc-backlink"}
_OWN_LINKS = {*_FOOTNOTE_ROLES, "headerlink"}


def decorate(root: Element, context: RenderContext, found: Findings) -> None:
    """Change the tree in place, and note in ``found`` what is in it."""
    _mark_more(root, context.prefix)
    _settle_ids(root, context.prefix)
    _decorate_footnotes(root)
    found.headings += _decorate_headings(root)
    decorate_tables(root)
    _decorate_bare_code(root)
    _decorate_task_lists(root)
    shown = settle_media(root, context, found)
    found.cards += [_path_here(address, context.site_host) or address for address in decorate_paragraphs(root, shown, context)]
    complete_captions(root, shown, context.language)
    for link in root.iter("a"):
        _decorate_link(link, context.site_host, found)
        _note_anchor(link, found)
    settle_links(shown)
    offer_sizes(root, shown)
    found.ids.update(html.unescape(identifier) for element in root.iter() if (identifier := element.get("id")))
    found.nowhere += [html.unescape(span.get("title", "")) or plain(span) for span in root.iter("span") if span.get("class") == "nowhere"]


def plain(element: Element) -> str:
    """The words of an element on one line, entities resolved, without marks of notes."""
    return " ".join(html.unescape("".join(_words(element))).split())


def _words(element: Element) -> Iterator[str]:
    """Depth first without recursion: hostile texts nest deep."""
    stack: list[Element | str] = [element]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            yield item
        elif not is_comment(item) and not _is_mark(item):
            for child in reversed(item):
                stack += [child.tail or "", child]
            stack.append(item.text or "")


def _is_mark(element: Element) -> bool:
    return element.get("class") in {"footnote-ref", "headerlink"}


def _mark_more(root: Element, prefix: str) -> None:
    """The first ``<!--more-->`` becomes an element, which survives sanitising and can be linked to."""
    for element in root.iter():
        if is_comment(element) and (element.text or "").strip().lower() == "more":
            element.tag, element.text = "span", None
            element.set("id", f"{prefix}{MORE_ID}")
            return


def _settle_ids(root: Element, prefix: str) -> None:
    """Rename ids that belong to the browser or the page, put the prefix on notes, and take links along."""
    for element in root.iter():
        if identifier := element.get("id"):
            element.set("id", _settled(identifier, prefix))
        href = element.get("href", "")
        if href.startswith("#"):
            element.set("href", "#" + _settled(href[1:], prefix))


def _settled(identifier: str, prefix: str) -> str:
    note = _FOOTNOTE.fullmatch(identifier)
    if note:
        return f"{prefix}{note[2]}:{as_id_part(html.unescape(note[3]))}"
    return safe_id(identifier)


def _decorate_footnotes(root: Element) -> None:
    for link in root.iter("a"):
        if role := _FOOTNOTE_ROLES.get(link.get("class", "")):
            link.set("role", role)
    for div in root.iter("div"):
        if div.get("class") == "footnote":
            div.set("role", "doc-endnotes")


def _decorate_headings(root: Element) -> Iterator[Heading]:
    """Ids from the words, unique in the text; the page has one h1 and it is not in the text."""
    ids = _Ids(identifier for element in root.iter() if (identifier := element.get("id")))
    for element in list(root.iter()):
        if element.tag not in _HEADINGS:
            continue
        if element.tag == "h1":
            element.tag = "h2"
        text = plain(element)
        identifier = element.get("id") or ids.unique(slugify(text) or "section")
        element.set("id", identifier)
        link = SubElement(element, "a", {"class": "headerlink", "href": f"#{identifier}", "title": "Link to this section"})
        link.text = "§"
        yield Heading(int(element.tag[1]), html.unescape(identifier), text)


class _Ids:
    """Ids taken so far, and how often each was wanted, so that a thousand equal headings stay cheap."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = {*taken, *TAKEN}
        self._next: dict[str, int] = {}

    def unique(self, wanted: str) -> str:
        identifier, number = wanted, self._next.get(wanted, 1)
        while identifier in self._taken:
            identifier, number = f"{wanted}-{number}", number + 1
        self._next[wanted] = number
        self._taken.add(identifier)
        return identifier


def _decorate_bare_code(root: Element) -> None:
    """``<pre>`` that came as HTML: the same frame, so that it scrolls and not the page."""
    for parent in list(root.iter()):
        for index, child in enumerate(parent):
            if child.tag == "pre" and parent.get("class") != "highlight":
                child.set("tabindex", "0")
                outer = Element("div", {"class": "code"})
                SubElement(outer, "div", {"class": "highlight"}).append(child)
                outer.tail, child.tail = child.tail, None
                parent[index] = outer


def _decorate_task_lists(root: Element) -> None:
    """A tick box and its words in one label; only where the item is a line, since a label holds no blocks."""
    for item in root.iter("li"):
        line = item[0] if len(item) and item[0].tag == "p" else item
        if item.get("class") == "task-list-item" and len(line) and line[0].tag == "input":
            _label(line)


def _label(line: Element) -> None:
    box = line[0]
    inline = list(line[1:])
    blocks = next((i for i, child in enumerate(inline) if child.tag in {"ul", "ol", "p", "div", "pre", "dl"}), len(inline))
    words = Element("span")
    words.text, box.tail = (box.tail or "").lstrip(), None
    words.extend(inline[:blocks])
    label = Element("label")
    label.extend([box, words])
    line[:] = [label, *inline[blocks:]]


def _decorate_link(link: Element, site_host: str, found: Findings) -> None:
    address = html.unescape(link.get("href", "")).strip()
    host = _HOST.match(address)
    if host and host[1].lower() != site_host.lower():
        link.set("rel", " ".join(dict.fromkeys([*link.get("rel", "").split(), "noopener"])))
    elif host or address.startswith("/"):
        path = address[host.end() :] if host else address
        found.links.append(_PORT.sub("", re.split(r"[?#]", path, maxsplit=1)[0]) or "/")


def _path_here(address: str, host: str) -> str:
    """Of an address of this site; "" for others."""
    return f"/{address.partition('://')[2].partition('/')[2]}".partition("?")[0].partition("#")[0] if _is_here(address, host) else ""


def _is_here(address: str, site_host: str) -> bool:
    host = _HOST.match(address)
    return host is not None and host[1].lower() == site_host.lower()


def _note_anchor(link: Element, found: Findings) -> None:
    """A link that somebody wrote: not those of notes and headings. One around a picture has words: the picture's."""
    if "href" in link.attrib and link.get("class") not in _OWN_LINKS:
        is_around_something = any(element.tag in {"audio", "img", "svg", "video"} for element in link.iter())
        words = plain(link) or ("…" if is_around_something else "")
        found.anchors.append((html.unescape(link.get("href", "")).strip(), words))
