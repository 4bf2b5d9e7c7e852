"""Which lines begin a block of HTML, and which end it (CommonMark 0.31, 4.6)."""

import re

# What begins one → what ends it. None: the next blank line.
_CONDITIONS: tuple[tuple[re.Pattern[str], re.Pattern[str] | None], ...] = tuple(
    (re.compile(first, re.IGNORECASE), re.compile(last, re.IGNORECASE) if last else None)
    for first, last in (
        (r"<(?:script|pre|textarea|style)(?=[\s>]|$)", r"</(?:script|pre|textarea|style)>"),
        (r"<!--", r"-->"),
        (r"<\?", r"\?>"),
        (r"<![a-z]", r">"),
        (r"<!\[CDATA\[", r"\]\]>"),
        (
            r"</?(?:address|article|aside|base|basefont|blockquote|body|caption|center|col|colgroup|dd|details|dialog|dir|div|dl|dt"
            r"|fieldset|figcaption|figure|footer|form|frame|frameset|h[1-6]|head|header|hr|html|iframe|legend|li|link|main|menu|menuitem"
            r"|nav|noframes|ol|optgroup|option|p|param|search|section|summary|table|tbody|td|tfoot|th|thead|title|tr|track|ul)"
            r"(?=\s|/?>|$)",
            "",
        ),
    )
)

_NAME = r"[a-z][a-z0-9-]*"
_ATTRIBUTE = r"\s+[a-z_:][a-z0-9:._-]*(?:\s*=\s*(?:[^\s\"'=<>`]+|'[^']*'|\"[^\"]*\"))?"
_ALONE = re.compile(rf"(?:<{_NAME}(?:{_ATTRIBUTE})*\s*/?>|</{_NAME}\s*>)\s*", re.IGNORECASE)
_WITH_MARKDOWN = re.compile(rf"<{_NAME}(?:{_ATTRIBUTE})*?\s+markdown\s*=\s*[\"']?(?:1|block)[\"']?(?:{_ATTRIBUTE})*\s*>\s*", re.IGNORECASE)

_THIS_LINE = re.compile("")


def html_start(words: str, *, may_interrupt: bool) -> tuple[bool, re.Pattern[str] | None]:
    """Whether a line begins a block of HTML, and the pattern that ends it. Any tag alone on its line does, unless it would break
    a paragraph in two; ``markdown="1"`` ends the block after its tag, so that what stands inside is Markdown."""
    if not words.startswith("<"):
        return False, None
    if _WITH_MARKDOWN.fullmatch(words):
        return True, _THIS_LINE
    for first, last in _CONDITIONS:
        if first.match(words):
            return True, last
    return may_interrupt and _ALONE.fullmatch(words) is not None, None
