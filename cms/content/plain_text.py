"""Rendered HTML back to words: for search, feeds, previews, counting. Expects what ``sanitize`` let through."""

import re
from dataclasses import dataclass
from html.parser import HTMLParser

from cms.content.allow_list import VOID

_BLOCKS = frozenset(
    {"aside", "audio", "blockquote", "caption", "dd", "details", "div", "dl", "dt", "figcaption", "figure", "h2", "h3", "h4"}
    | {"h5", "h6", "hr", "li", "ol", "p", "pre", "section", "summary", "table", "td", "th", "tr", "ul", "video"}
)
_SKIPPED_CLASSES = frozenset({"card-text", "code-head", "footnote-backref", "footnote-ref", "headerlink"})
_NO_EXCERPT = frozenset({"admonition", "card", "code", "footnote", "table"})
_NO_EXCERPT_TAGS = frozenset({"blockquote", "details", "figure", "h2", "h3", "h4", "h5", "h6", "table"})

_SENTENCE_END = re.compile(r"[.!?…](?:[\"'”’»)\]]*)(?=\s)|[。！？｡]")
# Written without spaces: each ideograph or kana is read about as long as half a word of English, yet counting it as
# one keeps the estimate on the generous side; Thai, Lao, Burmese and Khmer words are about five characters long.
_IDEOGRAPHS = re.compile(r"[\u3041-\u3096\u30a1-\u30fa\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]+")
_WORD = re.compile(r"\w+(?:['’.\-]\w+)*")
_UNSPACED_WORD_LENGTH = 5
_WORDS_A_MINUTE = 230

EXCERPT_LENGTH = 200  # characters
_EARLIEST_SENTENCE_END = 80


@dataclass(slots=True)
class _Block:
    """Words between two block boundaries. ``quotable``: a paragraph of the text itself, fit for an excerpt."""

    text: str
    quotable: bool
    verbatim: bool


class _Collector(HTMLParser):
    """Walks the HTML once; the counters say what the present words are inside of."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: list[_Block] = []
        self.more_at: int | None = None
        self._words: list[str] = []
        self._open: list[tuple[str, bool, bool]] = []  # tag, skipped, unfit for an excerpt
        self._skipped = self._unfit = self._verbatim = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BLOCKS:
            self.flush()
        if tag == "br":
            self._words.append("\n")
        attributes = dict(attrs)
        if (attributes.get("id") or "").endswith("more") and tag == "span" and self.more_at is None:
            self.flush()
            self.more_at = len(self.blocks)
        if tag not in VOID:
            self._enter(tag, set((attributes.get("class") or "").split()))

    def handle_endtag(self, tag: str) -> None:
        if tag in _BLOCKS:
            self.flush()
        while self._open:
            name, skipped, unfit = self._open.pop()
            self._skipped -= skipped
            self._unfit -= unfit
            self._verbatim -= name == "pre"
            if name == tag:
                break

    def handle_data(self, data: str) -> None:
        if not self._skipped:
            self._words.append(data)

    def flush(self) -> None:
        """End the present block."""
        text, self._words = "".join(self._words), []
        text = text.strip("\n") if self._verbatim else " ".join(text.split())
        if text.strip():
            self.blocks.append(_Block(text, not self._unfit and not self._verbatim, bool(self._verbatim)))

    def _enter(self, tag: str, classes: set[str]) -> None:
        skipped = bool(classes & _SKIPPED_CLASSES)
        unfit = tag in _NO_EXCERPT_TAGS or bool(classes & _NO_EXCERPT)
        self._open.append((tag, skipped, unfit))
        self._skipped += skipped
        self._unfit += unfit
        self._verbatim += tag == "pre"


@dataclass(frozen=True, slots=True)
class Words:
    """A text without its HTML: all of it, a paragraph to a line, and the beginning that invites to read it."""

    text: str
    excerpt: str


def read(markup: str) -> Words:
    """Both readings in one walk over the HTML."""
    collector = _Collector()
    collector.feed(markup)
    collector.close()
    collector.flush()
    return Words("\n".join(block.text for block in collector.blocks), _excerpt(collector.blocks, collector.more_at))


def plain_text(markup: str) -> str:
    """Words of rendered HTML, a block to a line; no marks of notes, no section signs, no labels of code."""
    return read(markup).text


def excerpt(markup: str) -> str:
    """What stands before ``<!--more-->``, else the first paragraphs to about 200 characters."""
    return read(markup).excerpt


def _excerpt(blocks: list[_Block], more_at: int | None) -> str:
    if more_at:
        before = blocks[:more_at]
        return " ".join(block.text for block in before if block.quotable) or " ".join(b.text for b in before)
    quotable = [block.text for block in blocks if block.quotable]
    return shorten(" ".join(quotable or [block.text for block in blocks if not block.verbatim]))


def shorten(text: str, length: int = EXCERPT_LENGTH) -> str:
    """Cut at the end of a sentence if one ends late enough, else of a word, with “…” after it."""
    text = " ".join(text[: 20 * length].split())
    if len(text) <= length:
        return text
    head = text[: length + 1]
    ends = [found.end() for found in _SENTENCE_END.finditer(head) if found.end() >= min(_EARLIEST_SENTENCE_END, length)]
    if ends:
        return head[: ends[-1]].rstrip()
    space = head.rfind(" ")
    return head[: space if space > length // 2 else length].rstrip(" ,;:–—-") + "…"


def count_words(text: str) -> int:
    """Words between spaces; each ideograph or kana is one, unspaced scripts count one for five characters."""
    ideographs = len(_IDEOGRAPHS.findall(text))
    text = _IDEOGRAPHS.sub(" ", text)
    unspaced = sum(-(-len(run) // _UNSPACED_WORD_LENGTH) for run in _UNSPACED.findall(text))
    return ideographs + unspaced + len(_WORD.findall(_UNSPACED.sub(" ", text)))


def reading_minutes(words: int) -> int:
    """At 230 words a minute, never less than one."""
    return max(1, round(words / _WORDS_A_MINUTE))
