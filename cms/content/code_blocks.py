"""A block of code as the theme wants it: the language's name above, Pygments' classes inside, never a style."""

import html
import re
from collections.abc import Collection
from functools import lru_cache

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.lexers.special import TextLexer
from pygments.util import ClassNotFound

WIDE_FROM = 67  # characters in the longest line; 66 fit the text's measure
_CLASS_CHARACTERS = re.compile(r"[^A-Za-z0-9_\-]+")


def code_block(source: str, language: str = "", title: str = "", marked_lines: Collection[int] = ()) -> str:
    """HTML of one block. An unknown language is shown plain under the name it was given; nothing is guessed.

    ``marked_lines`` counts from 1.
    """
    lexer = _lexer(language.lower())
    label = title or (lexer.name if not isinstance(lexer, TextLexer) else _plain_label(language))
    wide = " wide" if _longest_line(source) >= WIDE_FROM else ""
    name = _CLASS_CHARACTERS.sub("", language.lower()) if not isinstance(lexer, TextLexer) else "text"
    return (
        f'<div class="code{wide}"><div class="code-head"><span>{html.escape(label)}</span></div>'
        f'<div class="highlight"><pre tabindex="0"><code class="language-{name or "text"}">'
        f"{_highlighted(source, lexer, marked_lines)}</code></pre></div></div>"
    )


def _highlighted(source: str, lexer: Lexer, marked_lines: Collection[int]) -> str:
    return highlight(source, lexer, _formatter(tuple(sorted(marked_lines))))


@lru_cache(maxsize=8)
def _formatter(marked_lines: tuple[int, ...]) -> "HtmlFormatter[str]":
    return HtmlFormatter(nowrap=True, hl_lines=marked_lines)


@lru_cache(maxsize=64)
def _lexer(language: str) -> Lexer:
    """Blank lines at the ends are the writer's, so they stay."""
    try:
        return get_lexer_by_name(language, stripnl=False)
    except (ClassNotFound, ImportError):
        return TextLexer(stripnl=False)


def _plain_label(language: str) -> str:
    return "Text" if language.lower() in {"", "text", "txt", "plain", "plaintext"} else language[:40]


def _longest_line(source: str) -> int:
    return max((len(line.expandtabs(4)) for line in source.splitlines()), default=0)
