"""The measure of the dialect: the sequence of blocks that markdown-it-py makes of the same source. It knows no code of ours."""

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

import html5lib
from markdown_it import MarkdownIt
from mdit_py_plugins.footnote import footnote_plugin

_COMMONMARK = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).use(footnote_plugin)
_BLOCKS = frozenset(
    {"aside", "blockquote", "dd", "details", "div", "dl", "dt", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre"}
    | {"section", "summary", "table", "tbody", "td", "th", "thead", "tr", "ul"}
)
_NEWLINE = "\n"  # markdown-it leaves the last one out where a text ends without it
# What stands around a block without being one: the frame of code, and the box that notes are kept in, with the line above it.
_FRAMES = frozenset({"code", "code-head", "footnote", "footnotes", "highlight"})
_LEFT_OUT = frozenset({"code-head", "footnote-backref", "footnote-ref", "footnotes-sep"})


def commonmark(source: str) -> str:
    """HTML by CommonMark with tables, strikethrough and footnotes."""
    return str(_COMMONMARK.render(source))


def blocks(markup: str) -> list[str]:
    """Each block as it opens and closes, in order; code with its text, since there every space counts."""
    return without_words(blocks_with_words(markup))


def without_words(walked: list[str]) -> list[str]:
    return [word for word in walked if word[0] != "="]


def blocks_with_words(markup: str) -> list[str]:
    """The same with the words between, as far as both write them alike: without spaces, and with straight quotation marks."""
    found: list[str] = []
    for word in _walk(html5lib.parseFragment(markup, treebuilder="etree", namespaceHTMLElements=False)):
        if word[0] != "=":
            found.append(word)
        elif found and found[-1][0] == "=":
            found[-1] += word[1:]
        else:
            found.append(word)
    return found


def _walk(parent: Element) -> Iterator[str]:
    """``<p`` and ``>p`` for blocks, ``=words`` for what stands in them. Recursion is fine: sources here do not nest deep."""
    yield from _words(parent.text)
    for child in parent:
        if isinstance(child.tag, str):
            yield from _element(child, set((child.get("class") or "").split()))
        yield from _words(child.tail)


def _element(element: Element, classes: set[str]) -> Iterator[str]:
    if classes & _LEFT_OUT:
        return
    if element.tag == "input":
        yield f"=[{'x' if 'checked' in element.attrib else ''}]"
    if element.tag == "pre":
        yield f"<pre {''.join(element.itertext()).removesuffix(_NEWLINE)!r}"
    elif element.tag in {"div", "section"} and classes & _FRAMES:
        for child in element:
            if not (child.tag == "hr" and "footnote" in classes):
                yield from _element(child, set((child.get("class") or "").split()))
    elif element.tag in _BLOCKS and not _leads_back_only(element):
        yield f"<{element.tag}"
        yield from _walk(element)
        yield f">{element.tag}"
    else:
        yield from _walk(element)


def _leads_back_only(element: Element) -> bool:
    """A note that ends with something else than a paragraph gets one for its link back to the text."""
    return (
        element.tag == "p" and len(element) > 0 and all(child.get("class") == "footnote-backref" for child in element) and not element.text
    )


def _words(text: str | None) -> Iterator[str]:
    if words := re.sub(r"\s+", "", (text or "").translate(_STRAIGHT)):
        yield "=" + words


_STRAIGHT = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'"})
