"""A text from source to everything that is stored of it. Runs in a worker process (``cms.rendering``)."""

import html
import re

from cms.content.characters import without_control_characters
from cms.content.checks import look
from cms.content.context import Heading, RenderContext, Rendered
from cms.content.decorate import Findings, decorate
from cms.content.markdown import to_html
from cms.content.maths import draw_maths
from cms.content.plain_text import count_words, read, reading_minutes
from cms.content.sanitize import sanitize
from cms.content.titles import plain_title, render_title

__all__ = ["Heading", "RenderContext", "Rendered", "plain_title", "render", "render_title"]

_BLANK_LINES = re.compile(r"\n\s*\n")


_ANYWHERE = RenderContext()


def render(source: str, context: RenderContext = _ANYWHERE) -> Rendered:
    """Markdown to safe HTML and its words. Never raises for what a text says, only MemoryError for its size."""
    found = Findings()
    try:
        safe = sanitize(to_html(source, context.language, context.links), lambda root: decorate(root, context, found))
    except RecursionError:  # nested deeper than anybody reads: shown as it was typed
        found = Findings()
        safe = sanitize(_as_typed(source))
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
        nowhere=tuple(dict.fromkeys(found.nowhere)),
        flaws=flaws,
        targets=targets,
    )


def _as_typed(source: str) -> str:
    paragraphs = _BLANK_LINES.split(html.escape(without_control_characters(source)))
    return "\n".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
