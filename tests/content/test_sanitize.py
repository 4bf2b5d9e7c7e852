import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cms.content.allow_list import DROPPED, EVERYWHERE, TAGS
from cms.content.pipeline import render
from cms.content.safe_url import is_safe_link, is_safe_source, is_safe_source_set
from cms.content.sanitize import sanitize
from tests.content import hostile

_PIECES = st.sampled_from(
    [
        *(f"<{tag}>" for tag in [*sorted(TAGS), *sorted(DROPPED), "form", "select", "option", "h1", "button", "noscript", "textarea"]),
        *(f"</{tag}>" for tag in [*sorted(TAGS), "svg", "math", "style", "script", "form", "select"]),
        '<a href="javascript:1" id="location">', "<p id=a class='x y' title='<b>\">'>", "<img src=x onerror=y>", "<!--", "-->",
        "&lt;", "&#106;", "&amp;", "&", "<", ">", '"', "'", "=", "\n", " ", "text", "\x00", "é", "\U0001f600", "]]>", "<![CDATA[",
    ]
)  # fmt: skip


def test_the_corpus_is_large_enough_to_mean_something() -> None:
    assert len(hostile.cases()) >= 300


@pytest.mark.parametrize("case", hostile.cases())
def test_nothing_of_a_hostile_text_survives_the_gate(case: str) -> None:
    once = sanitize(case)
    assert hostile.faults(once) == []
    assert sanitize(once) == once


@pytest.mark.parametrize("case", hostile.cases())
def test_nothing_of_a_hostile_text_survives_rendering(case: str) -> None:
    rendered = render(case)
    gated = hostile.without_maths(rendered.html)
    assert hostile.maths_faults(rendered.html) == []
    assert hostile.faults(gated) == []
    assert sanitize(gated) == gated
    assert "<script" not in rendered.html


def test_the_walk_itself_finds_what_is_harmful() -> None:
    for bad in ['<a href="java\tscript:1">', "<script>", "<p onclick=x>", '<img srcset="a 1x,data:x 2x">', "<p id=location>", "<input>"]:
        assert hostile.faults(bad)
        assert hostile.maths_faults(bad)
    for bad in ["<mi href=x>", "<mi style=x>", "<mi onclick=x>", "<maction>", "<mtext><p>", "<annotation-xml>", "<mi mathvariant='a(b'>"]:
        assert hostile.maths_faults(f"<math>{bad}</math>")
    assert not hostile.maths_faults('<math display="inline" alttext="(a)"><mrow><mi mathvariant="bold">a</mi></mrow></math>')


@given(st.lists(_PIECES, max_size=25).map("".join))
def test_sanitising_twice_changes_nothing(markup: str) -> None:
    once = sanitize(markup)
    assert sanitize(once) == once
    assert hostile.faults(once) == []


@given(st.text())
def test_any_text_can_be_sanitised(text: str) -> None:
    assert hostile.faults(sanitize(text)) == []


def test_the_text_of_scripts_and_styles_goes_with_them() -> None:
    assert sanitize("a<script>alert(1)</script>b<style>p{}</style>c<svg><text>x</text></svg>d") == "abcd"


def test_words_inside_forbidden_tags_stay() -> None:
    assert sanitize("<form><p>Your <font color=red>name</font></p><input name=x></form>") == "<p>Your name</p>"


def test_what_writers_need_passes_unchanged() -> None:
    markup = (
        '<h2 id="größe-1">a</h2><p class="x y" lang="de" dir="ltr"><a href="/a?b=1&amp;c=2#d" rel="nofollow">b</a><kbd>c</kbd></p>'
        '<img src="a.png" srcset="a.png 1x, b.png 2x" alt="&quot;" width="10" height="5" loading="lazy">'
        '<table><tbody><tr><td colspan="2" class="num">1</td></tr></tbody></table>'
        '<video src="/v.mp4" controls="" poster="/p.jpg"></video><details open=""><summary>s</summary>t</details>'
    )
    assert sanitize(markup) == markup


def test_the_allow_list_holds_nothing_that_runs_or_names() -> None:
    names = {name for attributes in TAGS.values() for name in attributes} | set(EVERYWHERE)
    assert not names & {"style", "name", "target", "srcdoc", "action", "formaction"}
    assert not [name for name in names if re.match("on", name)]
    assert not set(TAGS) & {"form", "script", "style", "iframe", "object", "embed", "svg", "math", "base", "meta", "link"}


@pytest.mark.parametrize(
    "address",
    ["", "x", "/x", "./x:y", "#a:b", "?a:b", "//host/x", "http://a", "HTTPS://a", "mailto:a@b.c", "tel:+1", "a b", "é", "https://a/?x=javascript:1"],
)  # fmt: skip
def test_harmless_addresses_are_let_through(address: str) -> None:
    assert is_safe_link(address)


@pytest.mark.parametrize(
    "address",
    ["javascript:1", " javascript:1", "\x01javascript:1", "java\tscript:1", "java\nscript:1", "&#106;avascript:1", "&amp;#106;avascript:1",
     "javascript&colon;1", "data:,", "blob:x", "x:y", ":x", "java\u200bscript:1", "https\u202e://x"],
)  # fmt: skip
def test_doubtful_addresses_are_refused(address: str) -> None:
    assert not is_safe_link(address)
    assert not is_safe_source(address)


def test_a_page_loads_nothing_by_mail() -> None:
    assert not is_safe_source("mailto:a@b.c")
    assert is_safe_source_set("a.png 1x, https://b/c.png 2.5x, d 100w")
    assert not is_safe_source_set("a.png 1x, data:x 2x")
    assert not is_safe_source_set("a.png huge")
