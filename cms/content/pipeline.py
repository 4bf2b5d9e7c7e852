"""A text from source to everything that is stored of it. Runs in a worker process (``cms.rendering``)."""

import html
import re

from cms.content.characters import without_control_characters
from cms.content.checks import look
from cms.content.context import Heading, RenderContext, Rendered
from cms.content.decorate import decorate
from cms.content.findings import Findings
from cms.content.markdown import to_html
from cms.content.marks import Show, mark
from cms.content.maths import draw_maths
from cms.content.plain_text import count_words, read, reading_minutes
from cms.content.sanitize import sanitize
from cms.content.titles import plain_title, render_title

__all__ = ["Heading", "RenderContext", "Rendered", "compare", "plain_title", "render", "render_title"]

_BLANK_LINES = re.compile(r"\n\s*\n")


_ANYWHERE = RenderContext()


def render(source: str, context: RenderContext = _ANYWHERE) -> Rendered:
    """Markdown to safe HTML and its words. Never raises for what a text says, only MemoryError for its size."""
    return _rendered(source, context, *_safe(source, context))


def compare(old: str, new: str, context: RenderContext, show: Show) -> Rendered:
    """The same of two texts, with marks where they differ (``marks``)."""
    before, (now, found) = _safe(old, context)[0], _safe(new, context)
    return _rendered(new, context, sanitize(mark(before, now, show)), found)


def _safe(source: str, context: RenderContext) -> tuple[str, Findings]:
    """Without the drawings of formulas, which come after the gate."""
    found = Findings()
    try:
        return sanitize(to_html(source, context.language, context.links), lambda root: decorate(root, context, found)), found
    except RecursionError:  # nested deeper than anybody reads: shown as it was typed
        return sanitize(_as_typed(source)), Findings()


def _rendered(source: str, context: RenderContext, safe: str, found: Findings) -> Rendered:
    words = read(safe)
    number = count_words(words.text)
    flaws, targets = look(source, found, context.site_host)
    return Rendered(
        html=draw_maths(safe),
        excerpt=words.excerpt,
        toc=tuple(found.headings),
        plain_text=words.text,
        words=number,
        reading_minutes=reading_minutes(number),
        links=tuple(dict.fromkeys(found.links)),
        media=tuple(dict.fromkeys(found.media)),
        cards=tuple(dict.fromkeys(found.cards)),
        nowhere=tuple(dict.fromkeys(found.nowhere)),
        flaws=flaws,
        targets=targets,
    )


def _as_typed(source: str) -> str:
    paragraphs = _BLANK_LINES.split(html.escape(without_control_characters(source)))
    return "\n".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
