"""What stands inside a line and Python-Markdown does not know: formulas, links by title, breaks by a backslash."""

import html
import re
from collections import deque
from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.extensions import Extension
from markdown.extensions.footnotes import FootnoteExtension
from markdown.inlinepatterns import (
    IMAGE_REFERENCE_RE,
    REFERENCE_RE,
    BacktickInlineProcessor,
    ImageReferenceInlineProcessor,
    InlineProcessor,
    ReferenceInlineProcessor,
    ShortImageReferenceInlineProcessor,
    ShortReferenceInlineProcessor,
    SubstituteTagInlineProcessor,
)
from markdown.treeprocessors import InlineProcessor as InlineTreeprocessor
from markdown.treeprocessors import Treeprocessor
from markdown.util import ETX, INLINE_PLACEHOLDER_PREFIX, STX, AtomicString

from cms.content.blocks.paragraphs import fold_label
from cms.content.folding import fold
from cms.content.maths import as_typed
from cms.content.title_links import TITLE_LINK

_CODE = r"(?:(?<!\\)((?:\\{2})+)(?=`+)|(?<![\\`])(`+)(?!`)(.+?)(?<!`)\2(?!`))"
_ESCAPED = set("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")  # CommonMark 0.31, 2.4
_SET_ASIDE = re.compile(INLINE_PLACEHOLDER_PREFIX + r"(\d+)" + ETX)
_ESCAPED_SIGN = re.compile(STX + r"(\d+)" + ETX)
_SIGNS = re.compile(r"[\\`*_\[\]!<&~^=:@$\x02\x03]|www|ftp|  \n", re.IGNORECASE)
_Found = tuple[Element | str | None, int | None, int | None]


class Inline(InlineTreeprocessor):
    """Looks only into texts that have a sign in them which some pattern begins with: most words have none, and there are forty
    patterns. And passes each element once: the library's walk looks for every child among its brothers, which thousands of blocks
    feel."""

    def __init__(self, md: Markdown, signs: re.Pattern[str]) -> None:
        super().__init__(md)
        self._signs = signs

    def run(self, tree: Element, ancestors: list[str] | None = None) -> Element:
        self.stashed_nodes = {}
        self.parent_map = {child: parent for parent in tree.iter() for child in parent}
        above = [] if ancestors is None else ancestors[:]
        self._InlineProcessor__build_ancestors(tree, above)  # type: ignore[attr-defined]
        self._waiting = deque([(tree, above)])
        while self._waiting:
            element, self.ancestors = self._waiting.popleft()
            if element is not tree:
                self.ancestors.append(element.tag.lower())
            self._pass(element)
        return tree

    def _pass(self, element: Element) -> None:
        coming, passed = deque(element), []
        while coming:
            child = coming.popleft()
            inside = self._from_text(child)
            coming.extendleft(reversed(self._from_tail(child, element)))
            if len(child):
                self.parent_map[child] = element
                self._waiting.append((child, self.ancestors[:]))
            child[:0] = inside
            passed.append(child)
        element[:] = passed

    def _from_text(self, child: Element) -> list[Element]:
        """What becomes of the child's text: new elements to stand before those it has."""
        if not child.text or isinstance(child.text, AtomicString):
            return []
        self.ancestors.append(child.tag.lower())
        text, child.text = child.text, None
        found = self._elements(self._InlineProcessor__handleInline(text), child, is_text=True)
        for new, _ in found:
            self.parent_map[new] = child
        self._waiting.extend(found)
        self.ancestors.pop()
        return [new for new, _ in found]

    def _from_tail(self, child: Element, parent: Element) -> list[Element]:
        """What becomes of the text after the child: new elements to stand after it."""
        if not child.tail:
            return []
        holder = Element("d")
        found = self._elements(self._InlineProcessor__handleInline(child.tail), holder, is_text=False)
        child.tail = holder.tail
        for new, _ in found:
            self.parent_map[new] = parent
        return [new for new, _ in found]

    def _elements(self, text: str, holder: Element, *, is_text: bool) -> list[tuple[Element, list[str]]]:
        found: list[tuple[Element, list[str]]] = self._InlineProcessor__processPlaceholders(text, holder, is_text)  # type: ignore[attr-defined]
        return found

    def _InlineProcessor__handleInline(self, data: str, patternIndex: int = 0) -> str:  # noqa: N802, N803 - the library's private name
        if patternIndex == 0 and not self._signs.search(data):
            return data
        handled: str = super()._InlineProcessor__handleInline(data, patternIndex)  # type: ignore[misc]
        return handled


class InlineExtension(Extension):
    """``links``: folded title or address → address; may be changed between conversions."""

    def __init__(self) -> None:
        super().__init__()
        self.links: Mapping[str, str] = {}

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802
        md.treeprocessors.register(Inline(md, _SIGNS), "inline", 20)
        md.inlinePatterns.register(BacktickInlineProcessor(_CODE), "backtick", 190)
        md.inlinePatterns.register(_Maths(r"(?<!\\)\\\((.+?)(?<!\\)\\\)", md), "maths", 186)
        md.inlinePatterns.register(_Maths(r"(?<![\\$])\$\$(?![$\s])([^$]+?)(?<![\\\s])\$\$(?!\$)", md), "maths_dollars", 187)
        md.inlinePatterns.register(_Reference(REFERENCE_RE, md), "reference", 170)
        md.inlinePatterns.register(_ImageReference(IMAGE_REFERENCE_RE, md), "image_reference", 140)
        md.inlinePatterns.register(_ShortReference(REFERENCE_RE, md), "short_reference", 130)
        md.inlinePatterns.register(_ShortImageReference(IMAGE_REFERENCE_RE, md), "short_image_ref", 125)
        md.ESCAPED_CHARS = sorted(_ESCAPED)
        md.inlinePatterns.register(SubstituteTagInlineProcessor(r"\\\n", "br"), "backslash_break", 185)
        md.inlinePatterns.register(_TitleLink(TITLE_LINK.pattern, md, self), "title_link", 172)


class _Maths(InlineProcessor):
    """``\\(a^2\\)``"""

    def handleMatch(self, m: re.Match[str], data: str) -> _Found:  # type: ignore[override]  # noqa: N802
        return self.md.htmlStash.store(as_typed(m[1], display=False)), m.start(0), m.end(0)


class _TitleLink(InlineProcessor):
    """``[[Title]]`` or ``[[Title|words]]``. One that leads nowhere keeps its words, and a mark for those who edit."""

    def __init__(self, pattern: str, md: Markdown, extension: InlineExtension) -> None:
        super().__init__(pattern, md)
        self._extension = extension

    def handleMatch(self, m: re.Match[str], data: str) -> _Found:  # type: ignore[override]  # noqa: N802
        address = self._extension.links.get(fold(m[1]))
        element = Element("a", {"href": address}) if address else Element("span", {"class": "nowhere", "title": m[1].strip()})
        element.text = (m[2] or m[1]).strip()
        return element, m.start(0), m.end(0)


class _Label:
    """Labels of links as they were typed: code and escaped signs in them were set aside before. No space before a second label."""

    RE_LINK = re.compile(r"\[([^\]]*)\]", re.DOTALL)
    md: Markdown

    def evalId(self, data: str, index: int, text: str) -> tuple[str | None, int, bool]:  # noqa: N802
        label, end, is_found = super().evalId(data, index, text)  # type: ignore[misc]
        return (fold_label(self._as_typed(label)) if label is not None else None), end, is_found

    def _as_typed(self, label: str) -> str:
        inline: Any = self.md.treeprocessors["inline"]

        def restore(found: re.Match[str]) -> str:
            node = inline.stashed_nodes.get(found[1])
            return f"`{html.unescape(node.text or '')}`" if isinstance(node, Element) and node.tag == "code" else str(node or "")

        return _ESCAPED_SIGN.sub(lambda found: f"\\{chr(int(found[1]))}", _SET_ASIDE.sub(restore, label))


class _Reference(_Label, ReferenceInlineProcessor): ...


class _ImageReference(_Label, ImageReferenceInlineProcessor): ...


class _ShortReference(_Label, ShortReferenceInlineProcessor): ...


class _ShortImageReference(_Label, ShortImageReferenceInlineProcessor): ...


class UnusedNotes(Treeprocessor):
    """A note that nothing refers to has no place to lead back to."""

    def __init__(self, md: Markdown, notes: FootnoteExtension) -> None:
        super().__init__(md)
        self._notes = notes

    def run(self, root: Element) -> Any:
        used = {self._notes.makeFootnoteId(name) for name in self._notes.footnote_order}
        for parent in [root, *root]:
            for div in [child for child in parent if child.tag == "div" and child.get("class") == "footnote"]:
                notes = div.find("ol")
                if notes is not None:
                    notes[:] = [note for note in notes if note.get("id") in used]
                    if not len(notes):
                        parent.remove(div)
