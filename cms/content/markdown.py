"""Python-Markdown, configured once: which dialect writers have. Its output is not safe yet; ``sanitize`` is the gate.

Left out on purpose: ``attr_list`` (attributes belong to the theme), ``smarty`` (writers' signs stay theirs), anything
that guesses. Headings, tables, links and pictures get their final shape in ``decorate``, where raw HTML gets it too.
"""

import re
import threading
from typing import Any
from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.extensions.abbr import AbbrExtension
from markdown.extensions.admonition import AdmonitionExtension
from markdown.extensions.def_list import DefListExtension
from markdown.extensions.footnotes import FootnoteExtension
from markdown.extensions.md_in_html import MarkdownInHtmlExtension
from markdown.extensions.sane_lists import SaneListExtension
from markdown.extensions.tables import TableExtension
from markdown.treeprocessors import Treeprocessor
from pymdownx.details import DetailsExtension
from pymdownx.superfences import SuperFencesBlockPreprocessor, SuperFencesCodeExtension
from pymdownx.tasklist import TasklistExtension
from pymdownx.tilde import DeleteSubExtension

from cms.content.code_blocks import code_block

_UNWELCOME = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")
_LANGUAGE = re.compile(r"[\w#.+\-]+")
_MAX_MARKED_LINES = 10_000
_local = threading.local()


def to_html(source: str) -> str:
    """Markdown to HTML, not yet safe. An instance is not thread-safe, so each thread keeps its own."""
    if not hasattr(_local, "markdown"):
        _local.markdown = _make_markdown()
    markdown: Markdown = _local.markdown
    markdown.reset()
    try:
        return markdown.convert(without_control_characters(source))
    except BaseException:
        del _local.markdown  # a conversion that broke half-way may have left its state behind
        raise


def without_control_characters(text: str) -> str:
    """Invisible characters that no writer means: the parsers use some as marks, and lone surrogates are not text."""
    return _UNWELCOME.sub("", text)


def _make_markdown() -> Markdown:
    return Markdown(
        output_format="html",
        extensions=[
            AbbrExtension(),
            AdmonitionExtension(),
            DefListExtension(),
            DeleteSubExtension(subscript=False),
            DetailsExtension(),
            FootnoteExtension(BACKLINK_TEXT="↩", BACKLINK_TITLE="Back to note {} in the text"),
            MarkdownInHtmlExtension(),
            SaneListExtension(),
            TableExtension(use_align_attribute=True),
            TasklistExtension(),
            _CodeExtension(),
        ],
    )


def _fenced(src: str, language: str | None, options: dict[str, str], md: Markdown, **_: object) -> str:
    """Called by superfences for each fence; parameter names are its own."""
    marked = md.preprocessors["fenced_code_block"].parse_hl_lines(options.get("hl_lines"))  # type: ignore[attr-defined]
    return code_block(src, language or "", options.get("title", ""), marked[:_MAX_MARKED_LINES])


class _CodeExtension(SuperFencesCodeExtension):  # type: ignore[misc]
    """Superfences (fences in lists and quotes) with our own block, for fenced and indented code alike."""

    def __init__(self) -> None:
        super().__init__(relaxed_headers=True)

    def patch_fenced_rule(self) -> None:
        super().patch_fenced_rule()
        fences = _Fences(self.md)
        fences.config, fences.extension = self.getConfigs(), self
        self.superfences[0]["formatter"] = _fenced
        self.md.preprocessors.register(fences, "fenced_code_block", 25)
        self.md.treeprocessors.register(_IndentedCode(self.md), "indented_code", 30)


class _Fences(SuperFencesBlockPreprocessor):  # type: ignore[misc]
    def handle_unrecognized(self, m: re.Match[str]) -> Any:
        """```` ```rust,ignore ```` is how other tools mark a fence: the first word is the language."""
        handled = super().handle_unrecognized(m)
        word = _LANGUAGE.match((m.group("unrecognized") or "").strip())
        if word:
            self.lang: str | None = self.lang or word[0]
        return handled


class _IndentedCode(Treeprocessor):
    """Code by indentation gets the same block; stashed before inline patterns can look into it."""

    def run(self, root: Element) -> None:
        for pre in list(root.iter("pre")):
            if len(pre) != 1 or pre[0].tag != "code" or len(pre[0]):
                continue
            block, tail = code_block(_unescape(pre[0].text or "")), pre.tail
            pre.clear()
            pre.tag, pre.tail, pre.text = "p", tail, self.md.htmlStash.store(block)


def _unescape(code: str) -> str:
    return code.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
