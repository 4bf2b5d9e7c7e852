"""A megabyte of one sign: it is rendered or refused with a sentence, nobody else waits for it, and finding blocks takes time in
proportion to the text.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any
from xml.etree.ElementTree import Element

import pytest

from cms.content.blocks.elements import Drawing
from cms.content.blocks.parse import parse
from cms.content.markdown import to_html
from cms.content.maths import draw_maths
from cms.content.pipeline import Rendered, render
from cms.errors import InvalidInput
from cms.rendering import Renderer
from tests.content import hostile
from tests.waiting import MOST, Ticker, asks_the_kernel, longest_wait

_MEGABYTE = 1_000_000


def _of(unit: str) -> Callable[[int], str]:
    return lambda size: (unit * (size // len(unit) + 1))[:size]


def _numbered(unit: str, before: str = "", after: str = "") -> Callable[[int], str]:
    """``unit`` with a number in each."""
    return lambda size: before + "".join(unit.format(number) for number in range(size // (len(unit) + 4))) + after


def _steps(words: str, width: int, deepest: int) -> Callable[[int], str]:
    """Each line indented further, to the deepest, and again."""
    block = "".join(" " * (width * depth) + words + "\n" for depth in range(deepest))
    return _of(block)


# One construct repeated or nested. The first ones are those that must not take anything but time in proportion.
_BLOCKS: dict[str, Callable[[int], str]] = {
    "paragraphs": _of("a\n\n"),
    "lines": _of("a\n"),
    "quotations in quotations": lambda size: "> " * (size // 2) + "a",
    "lines of deep quotations": _of("> " * 60 + "a\n"),
    "lists in lists": lambda size: "- " * (size // 2) + "a",
    "lists step by step": _steps("- a", 2, 40),
    "a long list": _of("- a\n"),
    "a long list in a list": lambda size: "- a\n" + _of("  - b\n")(size),
    "a long loose list": _of("- a\n\n"),
    "a long list of tasks": _of("- [ ] a\n"),
    "blank lines below a deep list": lambda size: "".join("  " * depth + "- a\n" for depth in range(40)) + "\n" * size,
    "a long table": lambda size: "|a|b|\n|-|-|\n" + _of("|c|d|\n")(size),
    "a wide table": lambda size: "|a" * (size // 4) + "|\n" + "|-" * (size // 4) + "|\n",
    "headers without a table": _of("a|b\n"),
    "rows of dashes": _of("|-|-|\n"),
    "dashes that do not end well": lambda size: "a|b\n" + _of("- | ")(size) + "x",
    "ticks in a table": lambda size: _of("|`")(size // 2) + "|\n" + _of("|-")(size // 2) + "|\n",
    "fences": _of("```\na\n```\n"),
    "ticks": lambda size: "`" * size,
    "an open fence": lambda size: "```\n" + "a\n" * (size // 2),
    "formulas": _of("$$\na\n$$\n\n"),
    "an open formula": lambda size: "$$\n" + "a\n" * (size // 2),
    "dollars": lambda size: "$" * size,
    "definitions of notes": _numbered("[^{}]: a\n"),
    "one note again and again": _of("[^1]: a\n"),
    "abbreviations": _numbered("*[A{}]: a\n"),
    "definitions of links": _numbered("[a{}]: /b\n"),
    "one link again and again": _of("[a]: /b\n"),
    "an open title of a link": lambda size: "[a]: /b '" + "c\n" * (size // 2),
    "open titles of links": _of("[a]: /b '"),
    "definitions": _of("a\n: b\n"),
    "definitions of one term": lambda size: "a\n" + _of(": b\n")(size),
    "definitions in groups": _of("a\n\n: b\n\n"),
    "terms": lambda size: "a\n" * (size // 2) + ": b",
    "colons": _of(":::\n"),
    "callouts": _of("!!! note\n    a\n\n"),
    "callouts in callouts": lambda size: "".join("    " * depth + "!!! note\n" for depth in range(int((size / 2) ** 0.5))),
    "tabs": _of('=== "a"\n    b\n\n'),
    "tags": _of("<a "),
    "tags over lines": _of("<a b=c d\n"),
    "a tag with many attributes": lambda size: "<a" + _of(" b=c")(size) + " markdown=1",
    "comments": _of("<!--"),
    "dashes and spaces": lambda size: "- " * (size // 2) + "a",
    "dashes and many spaces": lambda size: "-" + " " * size + "a",
    "headings": _of("# a\n"),
    "underlined headings": _of("a\n---\n"),
    "hashes": lambda size: "# a " + "#" * size,
    "spaces": lambda size: " " * size,
    "code by indentation": _of("    a\n"),
}
_INLINE: dict[str, Callable[[int], str]] = {
    "brackets": lambda size: "[" * (size // 2) + "a" + "]" * (size // 2),
    "open brackets": _of("[a"),
    "links": _of("[a](b) "),
    "pictures": _of("![a]("),
    "emphasis": _of("*a _b "),
    "stars": lambda size: "*" * size,
    "titles": _of("[[a]] "),
    "open titles": _of("[[a"),
    "less-than signs": lambda size: "<" * size,
    "open tags": _of("<a"),
    "formulas in a line": _of("\\(a\\) "),
    "open formulas in a line": _of("\\("),
    "backslashes": lambda size: "\\" * size,
    "ticks of every length": lambda size: " ".join("`" * length for length in range(1, int((2 * size) ** 0.5))),
    "calls of one note": lambda size: _of("[^1]")(size) + "\n\n[^1]: a",
    "calls of many notes": lambda size: _numbered("[^{}] ")(size // 2) + "\n\n" + _numbered("[^{}]: a\n")(size // 2),
    "abbreviations in use": lambda size: _numbered("*[A{}]: a\n")(size // 2) + "\n" + _of("A1 A2 ")(size // 2),
    "quotation marks": _of("\"a' "),
    "tildes": _of("~a"),
    "carets": _of("^a"),
    "equals signs": _of("==a"),
    "addresses": _of("https://a.example "),
    "cards": _of("https://vimeo.com/1\n\n"),
    "divs": _of("<div>"),
}
_ALL = {**_BLOCKS, **_INLINE}
_MEGABYTES = [
    "quotations in quotations", "lists in lists", "a long table", "brackets", "emphasis", "ticks of every length",
    "definitions of notes", "definitions in groups",
]  # fmt: skip


@pytest.fixture
async def renderer() -> AsyncIterator[Renderer]:
    """Less time than the program gives, since the question is how a text ends and not when."""
    renderer = Renderer(cpu_seconds=0.3, cpu_seconds_per_megabyte=0.5)
    await renderer.start()
    yield renderer
    await renderer.close()


@asks_the_kernel
async def test_the_ticker_notices_a_loop_that_is_held_up() -> None:
    ticker = Ticker()
    await asyncio.sleep(0.02)
    time.sleep(0.1)
    await asyncio.sleep(0.02)
    assert 0.08 < await ticker.stop() < 1


@asks_the_kernel
@pytest.mark.timeout(600)
async def test_a_megabyte_of_anything_is_shown_or_refused_and_nobody_waits(renderer: Renderer) -> None:
    waits: dict[str, float] = {}
    for name in _MEGABYTES:
        waits[name] = await longest_wait(partial(_shown_or_refused, renderer, _ALL[name](_MEGABYTE)))
    assert {name: round(wait, 3) for name, wait in waits.items() if wait >= MOST} == {}
    assert (await renderer.render("next")).words == 1


async def _shown_or_refused(renderer: Renderer, source: str) -> None:
    outcome, *_ = await asyncio.gather(renderer.render(source), return_exceptions=True)
    assert isinstance(outcome, Rendered) or (isinstance(outcome, InvalidInput) and outcome.errors["text"].endswith("."))


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", _BLOCKS)
def test_finding_blocks_takes_steps_in_proportion_to_the_text(name: str) -> None:
    """Four times the text may take six times as many calls, not sixteen."""
    _blocks(_BLOCKS[name](4_000))  # whatever is only done once
    small, large = (_calls(_BLOCKS[name](size)) for size in (2_000, 8_000))
    assert large < 6 * small + 1000


_MANY: dict[str, Callable[[int], str]] = {
    "rules between paragraphs": _of("a\n\n---\n\n"),
    "items of a list": _of("- a *b*\n"),
    "notes": lambda size: _numbered("[^{}] ")(size // 2) + "\n\n" + _numbered("[^{}]: a\n")(size // 2),
    "fences": _of("```\na\n```\n\n"),
    "headings": _of("## a\n\n"),
    "formulas": _of("$$\na\n$$\n\n"),
    "whole divs": lambda size: "<div>a</div>\n\n" * (size // 14),
    "breaks": _of("a  \n"),
    "emphasis": _of("*a* "),
}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", _MANY)
def test_rendering_takes_steps_in_proportion_to_the_text(name: str) -> None:
    render(_MANY[name](4_000))
    small, large = (_calls(_MANY[name](size), render) for size in (2_000, 8_000))
    assert large < 5 * small + 1000


@pytest.mark.timeout(120)
def test_no_step_looks_at_everything_before_it() -> None:
    """Which counting calls would not notice: a list that is searched is one call. It took half a minute and takes some two seconds."""
    source = _MANY["breaks"](160_000)
    begin = time.process_time()
    to_html(source)
    assert time.process_time() - begin < 12


def _blocks(source: str) -> None:
    drawing = Drawing(stash=lambda markup: "x", code=lambda text, info: "", maths=lambda tex: "")
    drawing.fill(Element("div"), parse(source).children)


def _calls(source: str, act: Callable[[str], object] = _blocks) -> int:
    """How many functions are called for it, which is the same on every machine; without those that count lines, one for each."""
    number = 0

    def count(_frame: Any, event: str, called: Any) -> None:
        nonlocal number
        number += event == "call" or (event == "c_call" and called.__module__ != "slipcover.probe")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        act(source)
    except RecursionError:
        pytest.fail("nested deeper than the parser promises")
    finally:
        sys.setprofile(before)
    return number


def test_blocks_open_a_line_at_a_time_nest_no_deeper_than_others() -> None:
    """One shown as typed would be a text that asked for more than Python's stack."""
    assert "admonition" in render("".join("    " * depth + "!!! note\n" for depth in range(150))).html


@pytest.mark.parametrize("name", _ALL)
def test_a_little_of_anything_is_shown(name: str) -> None:
    rendered = render(_ALL[name](300))
    assert hostile.maths_faults(rendered.html) == []


@pytest.mark.parametrize("tex", ["a", "{", "}", "\\frac{", "\\left(", "^", "_", "&", "\\begin{matrix}", "a^", "\\sqrt[", "<b>", "\\text{"])
def test_a_formula_of_any_length_takes_little_time(tex: str) -> None:
    for length in (1_000, 4_900, 100_000):
        begin = time.process_time()
        markup = draw_maths(f'<div class="maths">{(tex * length)[:length].replace("<", "&lt;")}</div>')
        assert time.process_time() - begin < 2
        assert hostile.maths_faults(markup) == []
