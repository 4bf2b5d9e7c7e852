"""Quotation marks as a language writes them, for straight ones in the text (CLDR, delimiters)."""

import re

from markdown import Markdown
from markdown.extensions.smarty import SmartyExtension

from cms.content.inline import Inline

# “outer” and ‘inner’, opening and closing. Languages that are not here keep the English ones.
_MARKS: dict[str, tuple[str, str, str, str]] = {
    "bg": ("„", "“", "‘", "’"),
    "cs": ("„", "“", "‚", "‘"),
    "da": ("“", "”", "‘", "’"),
    "de": ("„", "“", "‚", "‘"),
    "de-ch": ("«", "»", "‹", "›"),
    "el": ("«", "»", "“", "”"),
    "es": ("«", "»", "“", "”"),
    "et": ("„", "“", "«", "»"),
    "fi": ("”", "”", "’", "’"),
    "fr": ("«\N{NARROW NO-BREAK SPACE}", "\N{NARROW NO-BREAK SPACE}»", "“", "”"),
    "hr": ("„", "”", "‘", "’"),
    "hu": ("„", "”", "»", "«"),
    "is": ("„", "“", "‚", "‘"),
    "it": ("«", "»", "“", "”"),
    "lt": ("„", "“", "‚", "‘"),
    "nb": ("«", "»", "‘", "’"),
    "nn": ("«", "»", "‘", "’"),
    "no": ("«", "»", "‘", "’"),
    "pl": ("„", "”", "«", "»"),
    "pt": ("“", "”", "‘", "’"),
    "pt-pt": ("«", "»", "“", "”"),
    "ro": ("„", "”", "«", "»"),
    "ru": ("«", "»", "„", "“"),
    "sk": ("„", "“", "‚", "‘"),
    "sl": ("„", "“", "‚", "‘"),
    "sr": ("„", "“", "‘", "‘"),
    "sv": ("”", "”", "’", "’"),
    "uk": ("«", "»", "„", "“"),
}
_STRAIGHT = re.compile("[\"']")
_ENGLISH = ("“", "”", "‘", "’")


def marks_of(language: str) -> tuple[str, str, str, str]:
    tag = language.lower()
    return _MARKS.get(tag) or _MARKS.get(tag.partition("-")[0]) or _ENGLISH


class Quotes(SmartyExtension):
    """Quotation marks only: dashes and dots stay as they were typed."""

    def __init__(self, language: str) -> None:
        outer_open, outer_close, inner_open, inner_close = marks_of(language)
        super().__init__(
            smart_dashes=False,
            smart_ellipses=False,
            substitutions={
                "left-double-quote": outer_open,
                "right-double-quote": outer_close,
                "left-single-quote": inner_open,
                "right-single-quote": inner_close,
            },
        )

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802
        super().extendMarkdown(md)
        inline = Inline(md, _STRAIGHT)
        inline.inlinePatterns = md.treeprocessors["smarty"].inlinePatterns  # type: ignore[attr-defined]
        # Before "prettify" (10) puts newlines between blocks, each of which would be looked through.
        md.treeprocessors.register(inline, "smarty", 11)

    def educateQuotes(self, md: Markdown) -> None:  # noqa: N802
        """A sign between two letters is an apostrophe in every language."""
        self._addPatterns(md, ((r"(?<=\w)'(?=\w)", ("’",)),), "apostrophes", 60)  # type: ignore[attr-defined]
        super().educateQuotes(md)
