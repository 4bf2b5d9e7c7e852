"""The one gate to HTML that we call safe: bleach, then nh3 with the same allow-list, then a look at every address.

Two parsers of different make (html5lib, html5ever) must agree, so a text would have to deceive both in the same way.
``bleach`` is no longer maintained and knows gaps (``srcset``, clobbering ids), ``nh3`` is; the allow-list closes the
gaps for both. What one pass of mending does not settle is passed again, so sanitising twice changes nothing.
"""

import html
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any
from xml.etree.ElementTree import Element

import nh3
from bleach.sanitizer import BleachSanitizerFilter, Cleaner

from cms.content.allow_list import ADDRESSES, DROPPED, EVERYWHERE, TAGS, VOID, permits
from cms.content.safe_url import LINK_SCHEMES

Edit = Callable[[Element], None]

_UNWELCOME = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_TAG = re.compile(r'<[a-z][a-z0-9]*(?: [a-z\-]+="[^"]*")+>')
_ATTRIBUTE = re.compile(r' ([a-z\-]+)="([^"]*)"')
_PRE_NEWLINE = re.compile(r'<pre(?: [a-z\-]+="[^"]*")*>\n')
_MAX_PASSES = 8
_local = threading.local()


def sanitize(markup: str, edit: Edit | None = None) -> str:
    """Safe HTML for any string. ``edit`` may change the parsed tree first; what it makes is sanitised like the rest."""
    cleaned = _clean(_UNWELCOME.sub("", markup), edit)
    for _ in range(_MAX_PASSES):
        again = _clean(cleaned) if _may_be_unsettled(cleaned) else cleaned
        if again == cleaned:
            return cleaned
        cleaned = again
    return html.escape(cleaned, quote=False)  # a text that keeps turning into something else is shown, not run


def _may_be_unsettled(cleaned: str) -> bool:
    """The cheap signs that another pass is needed: the last one had to mend something, or nh3 would write it otherwise."""
    return bool(_first_pass().parser.errors) or _clean_again(cleaned) != cleaned


def _clean(markup: str, edit: Edit | None = None) -> str:
    return _TAG.sub(_check_addresses, _clean_again(_first_pass().clean(markup, edit)))


def _clean_again(markup: str) -> str:
    """nh3, and two things it leaves: control characters that stood there as entities, and a first newline inside
    ``<pre>``, which readers swallow unless it is written twice."""
    return _PRE_NEWLINE.sub(r"\g<0>\n", _UNWELCOME.sub("", _second_pass().clean(markup)))


def _first_pass() -> "_TreeCleaner":
    """One for each thread, because html5lib's parser has state."""
    if not hasattr(_local, "first_pass"):
        _local.first_pass = _TreeCleaner()
    cleaner: _TreeCleaner = _local.first_pass
    return cleaner


def _second_pass() -> nh3.Cleaner:
    if not hasattr(_local, "second_pass"):
        _local.second_pass = nh3.Cleaner(
            tags=set(TAGS),
            clean_content_tags=set(DROPPED),
            attributes={tag: {*attributes, *EVERYWHERE} for tag, attributes in TAGS.items()},
            attribute_filter=lambda tag, name, value: value if permits(tag, name, value) else None,
            set_tag_attribute_values={"input": {"type": "checkbox", "disabled": ""}},
            url_schemes=set(LINK_SCHEMES),
            link_rel=None,
        )
    cleaner: nh3.Cleaner = _local.second_pass
    return cleaner


def _check_addresses(tag: re.Match[str]) -> str:
    """The last look, at the very text that leaves: html5ever writes every attribute in this one form."""
    name = tag[0][1:].split(" ", 1)[0]
    return _ATTRIBUTE.sub(lambda found: found[0] if _is_fine(name, found[1], found[2]) else "", tag[0])


def _is_fine(tag: str, name: str, value: str) -> bool:
    return name not in ADDRESSES or permits(tag, name, html.unescape(value))


class _TreeCleaner(Cleaner):
    """bleach's cleaner with a stop between parsing and filtering, where the tree can still be changed.

    ``Cleaner.clean`` drops forbidden tags but keeps a script's text as words; here the whole element goes.
    """

    def __init__(self) -> None:
        super().__init__(tags=frozenset(TAGS), attributes=permits, protocols=LINK_SCHEMES, strip=True)
        self.parser.tags = frozenset({*TAGS, *DROPPED, "h1"})  # type: ignore[assignment] # h1: edits may turn it into something allowed

    def clean(self, text: str, edit: Edit | None = None) -> str:
        root = self.parser.parseFragment(text)
        _prune(root)
        if edit:
            edit(root)
        _keep_first_newlines(root)
        allowed = BleachSanitizerFilter(
            source=_tokens(root),  # type: ignore[arg-type]
            allowed_tags=self.tags,
            attributes=self.attributes,
            strip_disallowed_tags=True,
            allowed_protocols=self.protocols,
        )
        return str(self.serializer.render(allowed))


def _tokens(root: Element) -> Iterator[dict[str, Any]]:
    """The tree as html5lib's token stream. Its own walker looks for every element among all its siblings again, which
    makes a text of ten thousand paragraphs take a minute."""
    stack: list[Element | dict[str, Any]] = [root]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            yield item
        elif not is_comment(item):
            is_void = item.tag in VOID
            if item is not root:
                attributes = {(None, name): value for name, value in item.attrib.items()}
                kind = "EmptyTag" if is_void else "StartTag"
                yield {"type": kind, "name": item.tag, "namespace": None, "data": attributes}
            if item is not root and not is_void:
                stack.append({"type": "EndTag", "name": item.tag, "namespace": None})
            for child in reversed(item):
                stack += [_characters(child.tail), child]
            stack.append(_characters(item.text))


def _characters(text: str | None) -> dict[str, Any]:
    return {"type": "Characters", "data": text or ""}


def _prune(root: Element) -> None:
    """Take out, with all inside, what is never shown; and every input that is not a tick box."""
    for parent in list(root.iter()):
        kept: list[Element] = []
        for child in list(parent):
            if _is_dropped(child):
                _hand_tail_on(parent, kept, child.tail)
            else:
                kept.append(child)
        if len(kept) != len(parent):
            parent[:] = kept


def _is_dropped(element: Element) -> bool:
    if is_comment(element):
        return False  # bleach drops it later
    name = element.tag.rpartition("}")[2].lower()
    return name in DROPPED or (name == "input" and element.get("type", "").lower() != "checkbox")


def is_comment(element: Element) -> bool:
    """html5lib's trees mark a comment by a function where a tag's name would be."""
    return callable(element.tag)


def _hand_tail_on(parent: Element, kept: list[Element], tail: str | None) -> None:
    """The words after a removed element belong to its parent, not to it."""
    if kept:
        kept[-1].tail = (kept[-1].tail or "") + (tail or "")
    else:
        parent.text = (parent.text or "") + (tail or "")


def _keep_first_newlines(root: Element) -> None:
    """Parsers swallow a newline right after ``<pre>``: doubled, the one that was meant survives being read again."""
    for pre in root.iter("pre"):
        if pre.text and pre.text.startswith("\n"):
            pre.text = "\n" + pre.text
