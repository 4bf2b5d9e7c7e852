"""Python-Markdown, configured once: which dialect writers have. Its output is not safe yet; ``sanitize`` is the gate.

Blocks are found by ``cms.content.blocks``, as CommonMark finds them, since that is what writers and other generators mean;
Python-Markdown and its extensions read what stands inside them. Left out on purpose: ``attr_list`` (attributes belong to the
theme), anything that guesses. Headings, tables, links and pictures get their final shape in ``decorate``, where raw HTML gets it too.
"""

import threading
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Self
from xml.etree.ElementTree import Element, ElementTree

from markdown import Markdown
from markdown.blockparser import BlockParser
from markdown.extensions.abbr import AbbrExtension
from markdown.extensions.footnotes import FootnoteExtension
from markdown.util import AtomicString
from pymdownx.caret import InsertSupExtension
from pymdownx.magiclink import MagiclinkExtension
from pymdownx.mark import MarkExtension
from pymdownx.tasklist import TasklistExtension
from pymdownx.tilde import DeleteSubExtension

from cms.content.blocks.elements import Drawing
from cms.content.blocks.parse import parse
from cms.content.blocks.tree import Note
from cms.content.characters import without_control_characters
from cms.content.code_blocks import fenced_code
from cms.content.inline import InlineExtension, UnusedNotes
from cms.content.maths import as_typed
from cms.content.quotes import Quotes, marks_of

_NOWHERE: Mapping[str, str] = MappingProxyType({})
_local = threading.local()


def to_html(source: str, language: str = "en", links: Mapping[str, str] = _NOWHERE) -> str:
    """Markdown to HTML, not yet safe. ``links``: folded title → address, for ``[[Title]]``."""
    markdown = _markdown(language)
    markdown.reset()
    markdown.inline.links = links
    try:
        return markdown.convert(without_control_characters(source))
    except BaseException:
        _local.by_language.clear()  # a conversion that broke half-way may have left its state behind
        raise


def _markdown(language: str) -> "_Markdown":
    """An instance is not thread-safe, so each thread keeps its own; they differ in their quotation marks."""
    if not hasattr(_local, "by_language"):
        _local.by_language = {}
    known: dict[tuple[str, ...], _Markdown] = _local.by_language
    marks = marks_of(language)
    if marks not in known:
        known[marks] = _Markdown(language)
    return known[marks]


class _Markdown(Markdown):
    def __init__(self, language: str) -> None:
        self.notes = FootnoteExtension(BACKLINK_TEXT="↩", BACKLINK_TITLE="Back to note {} in the text", USE_DEFINITION_ORDER=False)
        self.abbreviations = AbbrExtension()
        self.inline = InlineExtension()
        super().__init__(
            output_format="html",
            extensions=[
                self.notes,
                self.abbreviations,
                self.inline,
                DeleteSubExtension(),
                InsertSupExtension(),
                MarkExtension(),
                MagiclinkExtension(),
                Quotes(language),
                TasklistExtension(),
            ],
        )
        self.preprocessors = type(self.preprocessors)()  # they would take apart what our parser reads
        self.treeprocessors.register(UnusedNotes(self, self.notes), "unused_notes", 18)

    def build_parser(self) -> Self:
        super().build_parser()
        self.parser = _BlockParser(self)
        return self


class _BlockParser(BlockParser):
    """Our blocks where Python-Markdown's were."""

    def __init__(self, md: _Markdown) -> None:
        super().__init__(md)
        self._md = md

    def parseDocument(self, lines: Iterable[str]) -> "ElementTree[Element | None]":  # noqa: N802
        root = Element(self._md.doc_tag)
        self._drawing = Drawing(stash=self._stash, code=fenced_code, maths=lambda tex: as_typed(tex, display=True))
        self._drawing.fill(root, parse("\n".join(lines)).children)
        self._md.references.update(self._drawing.definitions.links)
        self._md.abbreviations.abbrs.update(self._drawing.definitions.abbreviations)  # type: ignore[attr-defined]
        self._md.notes.footnotes.update(self._drawing.notes)  # type: ignore[arg-type]  # handed on to parseChunk unread
        return ElementTree(root)

    def _stash(self, markup: str) -> AtomicString:
        """Atomic: the inline patterns leave it alone."""
        return AtomicString(self._md.htmlStash.store(markup))

    def parseChunk(self, parent: Element, text: Any) -> None:  # noqa: N802
        """Python-Markdown asks for this with what a footnote says."""
        note: Note = text
        self._drawing.fill_note(parent, note)
