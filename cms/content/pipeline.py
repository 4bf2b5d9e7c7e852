"""A text from source to everything that is stored of it. Runs in a worker process (``cms.rendering``)."""

import html
import re
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from cms.content.decorate import Heading, decorate
from cms.content.markdown import to_html, without_control_characters
from cms.content.plain_text import count_words, read, reading_minutes
from cms.content.sanitize import sanitize
from cms.content.titles import plain_title, render_title

__all__ = ["Heading", "RenderContext", "Rendered", "plain_title", "render", "render_title"]

_BLANK_LINES = re.compile(r"\n\s*\n")


@dataclass(frozen=True, slots=True)
class RenderContext:
    """Where a text will stand. ``prefix`` keeps notes of several texts on one page apart; links that leave
    ``site_host`` are external."""

    prefix: str = ""
    language: str = "en"
    site_host: str = ""


@dataclass(frozen=True, slots=True)
class Rendered:
    """What is stored of a text: safe HTML, and what is known of its words."""

    html: str
    excerpt: str
    toc: tuple[Heading, ...]
    plain_text: str
    words: int
    reading_minutes: int


_ANYWHERE = RenderContext()


def render(source: str, context: RenderContext = _ANYWHERE) -> Rendered:
    """Markdown to safe HTML and its words. Never raises for what a text says, only MemoryError for its size."""
    headings: list[Heading] = []

    def edit(root: Element) -> None:
        headings.extend(decorate(root, context.prefix, context.site_host))

    try:
        safe = sanitize(to_html(source), edit)
    except RecursionError:  # nested deeper than anybody reads: shown as it was typed
        headings.clear()
        safe = sanitize(_as_typed(source))
    words = read(safe)
    number = count_words(words.text)
    return Rendered(safe, words.excerpt, tuple(headings), words.text, number, reading_minutes(number))


def _as_typed(source: str) -> str:
    paragraphs = _BLANK_LINES.split(html.escape(without_control_characters(source)))
    return "\n".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
