"""A block of code as the theme wants it: the language's name above, Pygments' classes inside, never a style.

What stands after a fence is read as writers know it from elsewhere: ``rust,linenos,hl_lines=3 5-6`` (Zola),
``go {linenos=true,hl_lines=[3,"5-6"],linenostart=10}`` (Hugo), ``python title="a.py" hl_lines="3 5-6"`` (MkDocs).
"""

import html
import re
from dataclasses import dataclass
from functools import lru_cache

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.lexers.special import TextLexer
from pygments.util import ClassNotFound

WIDE_FROM = 67  # characters in the longest line; 66 fit the text's measure
_MOST_LINES = 10_000  # that can be marked; and the highest first number
_CLASS_CHARACTERS = re.compile(r"[^A-Za-z0-9_\-]+")
_LANGUAGE = re.compile(r"[\w#.+\-]+")
_LINES = re.compile(r"\bhl_lines\s*=\s*[\"'\[]*([\d\s,\"'\-]+)")
_OPTION = re.compile(r"\b(title|name|filename|linenostart|linenos|linenums)\s*(?:=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s,}]+)))?")
_DIFF = re.compile(r"[\s,{.]diff\b")
_RANGE = re.compile(r"(\d{1,6})(?:-(\d{1,6}))?")
_NO = {"false", "0", "no"}


@dataclass(frozen=True, slots=True)
class Options:
    """``marked_lines`` counts from 1, whatever ``first_number`` is; that is None if lines have no numbers. ``is_diff``: each line
    begins with a sign that says whether it came or went."""

    language: str = ""
    title: str = ""
    marked_lines: frozenset[int] = frozenset()
    first_number: int | None = None
    is_diff: bool = False


def fenced_code(source: str, info: str) -> str:
    """HTML of a block with what stands after its fence."""
    return code_block(source, read_info(info))


def read_info(info: str) -> Options:
    """Options from the words after a fence. What is not understood is left aside."""
    word = _LANGUAGE.match(info)
    named = {found[1]: next((text for text in found.groups()[1:] if text is not None), "true") for found in _OPTION.finditer(info)}
    marked = _LINES.search(info)
    numbers = named.get("linenos", named.get("linenums", "false" if "linenostart" not in named else "true"))
    first = next((text for text in (named.get("linenostart", ""), named.get("linenums", "")) if text.isdecimal()), "1")
    return Options(
        language=word[0] if word else "",
        title=named.get("title") or named.get("name") or named.get("filename") or "",
        marked_lines=_numbers(marked[1]) if marked else frozenset(),
        first_number=min(int(first[:6]), _MOST_LINES) if numbers.lower() not in _NO else None,
        is_diff=_DIFF.search(info) is not None,
    )


def _numbers(text: str) -> frozenset[int]:
    """ "1 3-4" is 1, 3, 4."""
    numbers: set[int] = set()
    for found in _RANGE.finditer(text):
        first, last = int(found[1]), int(found[2] or found[1])
        numbers.update(range(first, min(last, first + _MOST_LINES) + 1))
        if len(numbers) > _MOST_LINES:
            break
    return frozenset(numbers)


def code_block(source: str, options: Options) -> str:
    """HTML of one block. An unknown language is shown plain under the name it was given; nothing is guessed."""
    lexer = _lexer(options.language.lower())
    is_plain = isinstance(lexer, TextLexer)
    label = options.title or (_plain_label(options.language) if is_plain else lexer.name)
    wide = " wide" if _longest_line(source) >= WIDE_FROM else ""
    name = "" if is_plain else _CLASS_CHARACTERS.sub("", options.language.lower())
    return (
        f'<div class="code{wide}"><div class="code-head"><span>{html.escape(label)}</span></div>'
        f'<div class="highlight"><pre tabindex="0"><code class="language-{name or "text"}">'
        f"{_highlighted(source, lexer, options)}</code></pre></div></div>"
    )


def _highlighted(source: str, lexer: Lexer, options: Options) -> str:
    signs: list[str] = []
    if options.is_diff:
        lines = source.splitlines(keepends=True)
        signs = [line[0] if line[:1] in {"+", "-", " "} else "" for line in lines]
        source = "".join(line[len(sign) :] for line, sign in zip(lines, signs, strict=True))
    markup = highlight(source, lexer, _formatter())
    if not options.marked_lines and not signs and options.first_number is None:
        return markup
    lines = markup.splitlines(keepends=True)
    signs += [""] * (len(lines) - len(signs))
    return "".join(_line(line, number, signs[number - 1], options) for number, line in enumerate(lines, start=1))


def _line(markup: str, number: int, sign: str, options: Options) -> str:
    """The number is an attribute that the theme draws, so that it is not copied with the code."""
    classes = ["code-line", *(["hll"] if number in options.marked_lines else []), *({"+": ["added"], "-": ["removed"]}.get(sign, []))]
    count = f' data-line="{options.first_number + number - 1}"' if options.first_number is not None else ""
    return f'<span class="{" ".join(classes)}"{count}>{sign}{markup}</span>'


@lru_cache(maxsize=1)
def _formatter() -> "HtmlFormatter[str]":
    return HtmlFormatter(nowrap=True)


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
