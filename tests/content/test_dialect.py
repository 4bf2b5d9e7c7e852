"""Blocks are found where CommonMark finds them: in 384 real texts, in small ones made for each rule, and in random ones."""

import itertools
import re
import tarfile
from pathlib import Path

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from cms.content.markdown import to_html
from tests.content import dialect

_ARCHIVE = Path(__file__).parents[1] / "data" / "rust-blog.tar.xz"

# Real texts whose blocks differ from markdown-it's, and why.
EXCEPTIONS: dict[str, str] = {}

# Real texts in which other words come out, and why.
OTHER_WORDS = {
    "Increasing-Rusts-Reach/index.md": "an address that is broken by a newline is put together again",
    "Procedural-Macros-in-Rust-2018.md": r"brackets with backslashes, \(…\), are a formula in our dialect",
}

# One rule each. What stands here reads the same for us and for markdown-it.
SAME = [
    # paragraphs and lists
    "a\n- b\n- c",
    "a\n* b\n\nc",
    "a\n1. b\n2. c",
    "a\n2. b",
    "a\n14. b\n15) c",
    "a\n-\nb",
    "a\n1.\nb",
    "a\n1.b",
    "- a\n- b",
    "- a\n\n- b",
    "- a\n\n\n- b",
    "- a\n  b",
    "- a\nb",
    "- a\n\n  b\n- c",
    "- a\n\nb",
    "- a\n+ b\n* c",
    "1. a\n2) b",
    "- a\n1. b",
    "0. a\n1. b",
    "7. a\n9. b",
    "003) a",
    "1234567890. a",
    "123456789. a",
    "-1. a",
    "-a\n+b\n*c\n1.d",
    "- a\n - b\n  - c\n   - d\n    - e",
    "-   a\n    b\n\n    c",
    "-    a\n\n     b",
    "-     a\n\n      b",
    "- a\n\n b",
    # nesting
    "- a\n  - b\n    - c\n      - d",
    "- a\n  - b\n- c",
    "- a\n    - b\n        - c",
    "1. a\n  - b",
    "1. a\n   - b\n   - c\n2. d",
    "10. a\n    - b\n11. c",
    "- a\n  1. b\n  2. c\n- d",
    "- - a\n  - b",
    "- 1. - a",
    "- a\n  - b\n\n  c",
    "- a\n  - b\n\n    c\n- d",
    "- a\n\n  - b",
    "* a\n\n\t* b\n\n\t\t* c",
    # tight and loose
    "- a\n- b\n\n- c",
    "- a\n  - b\n\n  - c\n- d",
    "- a\n-\n- c",
    "- a\n-\n\n- c",
    "-\n  a",
    "-\n\n  a",
    "- \n- a\n-",
    "1.\n2. a",
    "- a\n  > b\n- c",
    "- a\n  > b\n\n- c",
    "- a\n  ```\n\n\n  ```\n- b",
    "- a\n\n  [b]: /c\n- d",
    "- a\n- b\n\nc\n\n- d",
    "- a\n\n<!-- -->\n\n- b",
    # quotations
    "> a\n> b",
    ">a\nb\n> c",
    "> a\n\n> b",
    "> a\n>\n> b",
    ">",
    "> > a\n> b\nc",
    ">>> a\n> b",
    "> - a\n> - b\nc",
    "> a\n- b",
    "> - a\nb\n- c",
    "> a\n===",
    "> a\n---",
    "> ```\na",
    "> ```\n> a\n> ```\nb",
    ">     a\n>     b",
    ">\ta",
    ">\t\ta",
    "> # a\n> b\n# c",
    "- > a\n  > b\n- > c",
    "> 1. > a\nb",
    "a\n> b",
    "> a\n    b",
    "> a\n\tb",
    "> a\n    - b",
    "- a\n      b\n    c",
    "> a\n<b>\nc",
    "1. > a\n      b",
    "> a\n\n    b",
    # code by indentation
    "    a\n      b\n\n\n    c",
    "a\n    b",
    "    a\nb",
    "    a  \n    b",
    "\ta\n \tb\n  \tc",
    "- a\n\n      b",
    "- a\n\n\t\tb",
    "1. a\n\n       b\n\n   c",
    "-\ta\n\n\tb",
    "- \tb\n\n\t  c",
    "# a\n    b\nc\n---\n    d",
    "\n\n    a\n    \n    b\n\n",
    # fences
    "```\na\n```",
    "~~~\na\n```\n~~~",
    "````\n```\n````",
    "```\na",
    "~~~ a`b\nc\n~~~",
    "a\n```\nb\n```\nc",
    "  ```\n  a\n    b\n c\n  ```",
    "```\na\n    ```",
    "```\na\n``` b",
    "```\n\n  \n```",
    "- ```\n  a\n  ```\n- b",
    "- a\n  ```\n  b\n  ```\n  c",
    "1. a\n   ```\n   b\n\n   c\n   ```\n2. d",
    "- ```\na\n```",
    "- a\n\n    ```\n    b\n    ```",
    "> - ```\n>   a\n>   ```",
    "```rust,ignore\na\n```",
    "`````\n\n```\naaa\n",
    # headings and rules
    "# a\n## b ##\n### c #d\n#### e \\#\n##### f#",
    "#a\n#\n## ",
    "####### a",
    "    # a",
    "a\n# b\nc",
    "a\n===\nb\n---",
    "a\nb\n==",
    "a\n\n===",
    "a\n= =",
    "a\n--- -",
    "- a\n---\n- b",
    "- a\n  ---",
    "- a\n===",
    "***\n---\n___",
    "* * *\n- - -\n_ _ _ _",
    "+++\n**\n--\n__",
    "-     -      -      -",
    "a\n***\nb",
    "- a\n* * *\n- b",
    "- * * *",
    "a\n    ---",
    "`a\n---\n`",
    "[a]: /b\n===",
    "[a]: /b\nc\n===",
    # HTML
    "<script>\n\na\n\n</script>\nb",
    "<pre>\n\na\n</pre>\nb",
    "<textarea>\n\n*a*\n</textarea>",
    "<style>\n\np{}\n</style>\n*a*",
    "<!-- a\n\nb -->\n*c*",
    "<!-->\n\na",
    "<? a\n\n?>\nb",
    "<!X a\n>\nb",
    "<![CDATA[\n\na\n]]>\nb",
    "<div>\n*a*\n\n*b*\n</div>",
    "<div>\n\n- a\n\n</div>",
    "<p>a\nb</p>\nc",
    "<table>\n\n<tr>\n\n<td>\na\n</td>\n\n</tr>\n\n</table>",
    "</div>\na",
    "<del>\n*a*\n</del>",
    "<del>\n\n*a*\n\n</del>",
    "<del>*a*</del>",
    "a\n<div>\nb\n</div>",
    "a\n<del>\nb",
    "a\n<!-- b -->\nc",
    "- <div>\n- a",
    "> <div>\n> a\n\nb",
    "    <div>",
    "<div\nid=a>\n\nb\n\n</div>",
    "<details>\n<summary>a</summary>\n\n- b\n\n</details>",
    "<hr>\na\n\n<hr/>",
    "- a\n  <!-- b\n\n  c -->\n- d",
    # tables
    "| a | b |\n|---|---|\n| c | d |",
    "a | b\n-|-\nc | d",
    "| a |\n|---|\n| b |",
    "a\nb | c\n--|--\nd | e",
    "| a | b |\n|---|",
    "| a | b |\n|---|---|",
    "| a | b |\n|---|---|\n| c |\n| d | e | f |",
    "| a | b |\n|---|---|\n| c \\| d | e |",
    "| a | b |\n|---|---|\n| `c \\| d` | e |",
    "| a | b |\n|:-:|--:|\nc\n\nd",
    "| a | b |\n|---|---|\n| c | d |\n> e",
    "| a | b |\n|---|---|\n| c | d |\n# e",
    "| a | b |\n|---|---|\n| c | d |\n- e",
    "| a | b |\n|---|---|\n| c | d |\n```\ne\n```",
    "| a | b |\n|---|---|\n| c | d |\n---",
    "| a | b |\n|---|---|\n| c | d |\n===",
    "| a | b |\n|---|---|\n| c | d |\n3. e",
    "| a | b |\n|---|---|\n| c | d |\n    e",
    "| a | b |\n|---|---|\n<div>\nc\n</div>",
    "| a | b |\n|---|---|\n| c | d |\n<b>",
    "- | a | b |\n  |---|---|\n  | c | d |\n- e",
    "> | a | b |\n> |---|---|\n> | c | d |\ne",
    "| | b |\n|-|-|\n| | |",
    "|a|b|\n|-|-|\n|||\n",
    "| a | b |\n| --- | -x- |",
    # definitions of links
    "[a]: /b\n\n[a]",
    "[a]: /b 'c\nd'\n\n[a]",
    "[a]:\n/b\n'c'\n\n[a]",
    "[a]: /b 'c\n\nd'",
    "[a]: /b 'c' d",
    "[a]: /b\n'c' d",
    "[a]: <b c>\n\n[a]",
    "[a]: <b\n\n[a]",
    "[a]:\n\n[a]",
    "[a]: <>\n\n[a]",
    "a\n[b]: /c",
    "# a\n[b]: /c\nd",
    "[a]: /b\n[c]: /d\ne",
    "[\na\n]: /b\n\n[a]",
    "[a]\n\n> [a]: /b",
    "- [a]: /b\n- [a]",
    "[]: /b",
    "[a] : /b",
    "   [a]: /b\n\n    [c]: /d",
    # breaks and the rest
    "a  \nb\\\nc",
    "a\\\n\nb  ",
    "# a\\\n# b  ",
    "a\r\nb\r\n\r\nc\rd",
    "\ta\tb\n\n-\t-\ta",
    "a\n\n\n\n\nb",
    "  a\n b\n     c",
    "\\# a\n\n\\- b\n\n1\\. c",
    "&#35; a",
    "",
    "\n\n",
    # notes
    "a[^1]\n\n[^1]: b",
    "a[^1]\n\n[^1]: b\n    c\n\n    d\n\ne",
    "a[^1][^2]\n\n[^2]: b\n[^1]: c",
    "a[^1]\n\n[^1]: b\n[^2]: c",
    "a[^1]\n\n[^1]:\n    - b\n    - c",
    "a[^1]\n\n[^1]: b\n\n        c",
    "- a[^1]\n\n  [^1]: b\n- c",
    "a[^1]",
    "a[^1]\n\n[^1]: b\nc\n\nd",
]  # fmt: skip

# Sources that we read in another way on purpose.
KNOWN = {
    "|a\n--": "one column: dashes without a bar are an underline, as on GitHub",
    "a\n|-": "one column: the bar may stand in the row of dashes alone",
    "- a | b\n--|--": "a line that begins an item begins it, whatever comes after, as on GitHub",
    "> a | b\n--|--": "a line that begins a quotation begins it, whatever comes after, as on GitHub",
    "| a | b |\n|---|---|\n| `c | d` | e |": "a bar inside of code does not part cells",
    "a\n    b | c\n--|--": "a line of a paragraph may be indented, and be a header still",
    "   > a\n    > b": "four columns are no mark of a quotation, and the line goes on with the paragraph (CommonMark, 5.1)",
    ">\n\t>": "markdown-it loses this block of code, which CommonMark has",
    "> a\nb | c\n--|--": "what goes on with a paragraph of a quotation without its sign may be a table there",
    "-\n\n\n-": "markdown-it makes two lists, CommonMark one",
    "```\n ": "markdown-it loses the spaces of a last line without an end, which are part of the code (CommonMark, 4.5)",
    ">>\t   a": "markdown-it counts one column less for a tab in a quotation of a quotation",
}


@pytest.fixture(scope="session")
def readings() -> dict[str, tuple[list[str], list[str]]]:
    """Real texts by path: ours, and markdown-it's. Read where they are: Python 3.11.2 knows no filter for unpacking."""
    with tarfile.open(_ARCHIVE) as archive:
        files = {member.name: archive.extractfile(member) for member in archive if member.name.endswith(".md")}
        sources = {name.partition("/")[2]: _body(file.read().decode()) for name, file in sorted(files.items()) if file}
    return {
        name: (dialect.blocks_with_words(to_html(source)), dialect.blocks_with_words(dialect.commonmark(source)))
        for name, source in sources.items()
    }


def _body(text: str) -> str:
    return text.split("+++", 2)[2] if text.startswith("+++") else text


def test_real_texts_have_the_blocks_that_commonmark_finds(readings: dict[str, tuple[list[str], list[str]]]) -> None:
    different = {name for name, (ours, theirs) in readings.items() if dialect.without_words(ours) != dialect.without_words(theirs)}
    assert len(readings) == 384
    assert different == set(EXCEPTIONS)
    assert len(different) <= 6


def test_real_texts_say_in_each_block_what_commonmark_reads_there(readings: dict[str, tuple[list[str], list[str]]]) -> None:
    different = {name for name, (ours, theirs) in readings.items() if ours != theirs}
    assert sorted(different - set(OTHER_WORDS)) == []


@pytest.mark.parametrize("source", SAME)
def test_small_texts_have_the_blocks_that_commonmark_finds(source: str) -> None:
    assert dialect.blocks_with_words(to_html(source)) == dialect.blocks_with_words(dialect.commonmark(source))


@pytest.mark.parametrize("source", KNOWN)
def test_what_is_read_in_another_way_is_known(source: str) -> None:
    assert dialect.blocks_with_words(to_html(source)) != dialect.blocks_with_words(dialect.commonmark(source))


_SIGNS = st.lists(st.sampled_from([*"-*+>`~#=|:_ \n\t0123.)ab<!", "\n", "\n\n", "    ", "- ", "> ", "1. ", "```\n", "<div>", "|-|-|\n"]))
_OURS = re.compile(r"!!!|\?\?\?|===|\$\$|\[\^|\*\[|^[ \t>*+\-\d.)]*:[ \t]", re.MULTILINE)
# A tag that does not end on its line swallows what comes after it, differently with each newline that a serializer adds.
_TORN_TAG = re.compile(r"<[a-z/?][^>\n]*(?:\n|$)|<![a-z]", re.IGNORECASE)
# Ticks that are no pair matter to words, and to blocks only if there is a tag between them.
_ODD_TICKS = re.compile(r"(?<!`)(`+)(?!`).*<.*(?<!`)(?!\1(?!`))`+", re.DOTALL)
_EMPTY_ITEMS = re.compile(r"(?:[-+*]|\d[.)])[ \t]*\n[ \t>]*\n[ \t>]*\n")
_BLANK_END = re.compile(r"\n[ \t>]*[ \t]\Z")
_DASHES = re.compile(r"[ \t>]*\|?[ \t]*:?-+:?[ \t]*(\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*")
_NO_HEADER = re.compile(r"[ \t]*(?:[>*+\-#`~<]|\d+[.)])|(?: {4}| {0,3}\t)")


def _is_known(source: str) -> bool:
    """Whether it may be one of ``KNOWN``: a table of one column, or one whose header could begin another block."""
    lines = source.split("\n")
    return any(
        "|" in above + below
        and _DASHES.fullmatch(below) is not None
        and ("|" not in below.strip(" \t>|") or any(_NO_HEADER.match(line) for line in _paragraph_above(lines, number)))
        for number, (above, below) in enumerate(itertools.pairwise(lines), start=1)
    )


def _paragraph_above(lines: list[str], number: int) -> list[str]:
    return [*itertools.takewhile(str.strip, reversed(lines[:number])), lines[number]]


@settings(max_examples=600)
@given(_SIGNS.map("".join))
@example("> a\n\tb")
@example(">a\n    b")
@example(">a\n<b>")
@example("1. a\n<b>\n-")
@example("a|b\n-|-\n---")
@example("a|b\n-|-\n2) c")
def test_random_texts_have_the_blocks_that_commonmark_finds(source: str) -> None:
    assume(not _OURS.search(source) and not _TORN_TAG.search(source) and not _is_known(source))
    assume(not _BLANK_END.search(source))
    assume(not _ODD_TICKS.search(source) and not _EMPTY_ITEMS.search(source) and not (">" in source and "\t" in source))
    assert dialect.blocks(to_html(source)) == dialect.blocks(dialect.commonmark(source))
