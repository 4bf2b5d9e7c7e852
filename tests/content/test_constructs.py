"""What a publication needs to say beyond CommonMark: each construct as it is written, and as it is shown."""

import re
from collections.abc import Mapping

import html5lib
import pytest

from cms.content.context import Card, Media, RenderContext
from cms.content.pipeline import Rendered, render
from cms.content.quotes import marks_of
from cms.content.responsive import CARD
from tests.content import hostile

_FLAT = re.compile(r"\n\s*")


def html(source: str, language: str = "en", links: Mapping[str, str] | None = None) -> str:
    """On one line: where a newline stands between elements is the serializer's affair."""
    return _FLAT.sub("", render(source, RenderContext(language=language, links=links or {})).html)


# --- code ------------------------------------------------------------------------------------------------------------------

_LINES = "\na\nb\nc\nd\n```"


@pytest.mark.parametrize(
    "info",
    [
        "rust,linenos,linenostart=9,hl_lines=2 4,name=a.rs",
        "rust,linenos,hl_lines=2 4,linenostart=9,name=a.rs",
        'rust {linenos=true,hl_lines=[2,"4-4"],linenostart=9,title="a.rs"}',
        'rust {linenos=table hl_lines="2 4" linenostart=9 name="a.rs"}',
        'rust title="a.rs" linenums="9" hl_lines="2 4"',
        "rust hl_lines='2 4' linenums='9' title='a.rs'",
    ],
    ids=["zola", "zola in another order", "hugo", "hugo by spaces", "mkdocs", "mkdocs with other quotes"],
)
def test_code_may_have_a_title_numbers_and_marked_lines_in_three_notations(info: str) -> None:
    markup = html("```" + info + _LINES)
    assert '<div class="code-head"><span>a.rs</span></div>' in markup
    assert '<code class="language-rust">' in markup
    assert re.findall(r'<span class="code-line( hll)?" data-line="(\d+)">', markup) == [
        ("", "9"),
        (" hll", "10"),
        ("", "11"),
        (" hll", "12"),
    ]


@pytest.mark.parametrize(
    ("info", "marked"),
    [
        ("py hl_lines=1-2", [1, 2]),
        ("py,hl_lines=1 3-4", [1, 3, 4]),
        ("py {hl_lines=[1,3]}", [1, 3]),
        ('py {hl_lines=["1-2",4]}', [1, 2, 4]),
        ('py hl_lines="4 2"', [2, 4]),
        ('py hl_lines="0 9 4-2"', []),
        ('py hl_lines="1-999999"', [1, 2, 3, 4]),
        ("py hl_lines=", []),
        ("py hl_lines=x", []),
    ],
)
def test_marked_lines_count_from_one_and_may_be_ranges(info: str, marked: list[int]) -> None:
    lines = re.findall(r'<span class="code-line( hll)?"', html("```" + info + _LINES))
    assert [number for number, mark in enumerate(lines, start=1) if mark] == marked


@pytest.mark.parametrize("info", ["py", "py,linenos=false", "py {linenos=false}", 'py linenums="false"', "py,ignore", "py {.numberLines}"])
def test_lines_have_no_numbers_unless_asked_for(info: str) -> None:
    assert "data-line" not in html("```" + info + _LINES)


@pytest.mark.parametrize("info", ["rust,diff", "rust diff", "rust {diff}", "rust {.diff}"])
def test_a_difference_keeps_the_colours_of_its_language(info: str) -> None:
    markup = render(f"```{info}\n+fn a()\n-fn b()\n fn c()\n```").html
    words = '<span class="k">fn</span>'
    assert f'<span class="code-line added">+{words}' in markup
    assert f'<span class="code-line removed">-{words}' in markup
    assert f'<span class="code-line"> {words}' in markup
    assert render(f"```{info}\n+fn a()\n-fn b()\n```").plain_text == "+fn a()\n-fn b()"


def test_a_difference_without_a_language_is_one_in_pygments_classes() -> None:
    assert '<span class="gi">+a</span>' in html("```diff\n+a\n-b\n```")


def test_every_line_of_code_that_lasts_over_lines_can_be_marked() -> None:
    markup = html('```py hl_lines="2"\n"""a\nb\nc"""\n```')
    html5lib.HTMLParser(strict=True).parseFragment(markup)
    assert re.sub(r"<[^>]*>", "", render('```py hl_lines="2"\n"""a\nb\nc"""\n```').html) == 'Python"""a\nb\nc"""\n'


@pytest.mark.parametrize("title", ["<b>", "&lt;", '\\"', "a'b", "é", "</span><script>"])
def test_titles_of_code_are_words(title: str) -> None:
    markup = html(f"```py title='{title}'\na\n```") if "'" not in title else html(f'```py title="{title}"\na\n```')
    assert "<b>" not in markup
    assert "<script" not in markup
    assert hostile.faults(markup) == []


# --- lists -----------------------------------------------------------------------------------------------------------------


def test_tick_boxes_belong_to_their_words() -> None:
    empty, ticked = (
        '<label><input type="checkbox" disabled=""' + rest for rest in ("><span>a</span></label>", ' checked=""><span>b</span></label>')
    )
    items = f'<li class="task-list-item">{empty}</li><li class="task-list-item">{ticked}</li><li>c</li>'
    assert html("- [ ] a\n- [x] b\n- c") == f'<ul class="task-list">{items}</ul>'
    assert html("- [X] b") == f'<ul class="task-list"><li class="task-list-item">{ticked}</li></ul>'


def test_tick_boxes_nest_and_stand_in_loose_lists() -> None:
    assert html("- [ ] a\n  - [x] b\n    - c").count("<input") == 2
    assert html("- [ ] a\n\n  b\n- [x] c").count("<p><label><input") == 2
    assert html("1. [ ] a").startswith('<ol class="task-list">')
    assert "<input" not in html("- [a] b\n- [x]b\n- `[x] c`\n\n[x] d")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a\n: b", "<dl><dt>a</dt><dd>b</dd></dl>"),
        ("a\n:   b", "<dl><dt>a</dt><dd>b</dd></dl>"),
        ("a\nb\n: c\n: d", "<dl><dt>a</dt><dt>b</dt><dd>c</dd><dd>d</dd></dl>"),
        ("a\n\n: b", "<dl><dt>a</dt><dd><p>b</p></dd></dl>"),
        ("a\n: b\n\nc\n: d", "<dl><dt>a</dt><dd>b</dd><dt>c</dt><dd>d</dd></dl>"),
        ("a\n: b\nc", "<dl><dt>a</dt><dd>bc</dd></dl>"),
        ("a\n: b\n\nc", "<dl><dt>a</dt><dd>b</dd></dl><p>c</p>"),
        ("a\n: - b\n  - c", "<dl><dt>a</dt><dd><ul><li>b</li><li>c</li></ul></dd></dl>"),
        ("a\n:   b\n\n    c", "<dl><dt>a</dt><dd><p>b</p><p>c</p></dd></dl>"),
        ("*a*\n: `b`", "<dl><dt><em>a</em></dt><dd><code>b</code></dd></dl>"),
        ("> a\n> : b", "<blockquote><dl><dt>a</dt><dd>b</dd></dl></blockquote>"),
        ("- a\n  : b", "<ul><li><dl><dt>a</dt><dd>b</dd></dl></li></ul>"),
        (": b", "<p>: b</p>"),
        ("a\n:b", "<p>a:b</p>"),
        ("# a\n: b", None),
    ],
)
def test_definitions_follow_their_terms(source: str, expected: str | None) -> None:
    if expected is None:
        assert "<dl>" not in html(source)
    else:
        assert html(source) == expected


# --- boxes -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "kind", "title", "content"),
    [
        ("!!! note\n    a", "note", "Note", "<p>a</p>"),
        ('!!! warning "A *b*"\n    c', "warning", "A <em>b</em>", "<p>c</p>"),
        ("!!! note\n    a\n\n    - b\n\n        c", "note", "Note", "<p>a</p><ul><li><p>b</p><p>c</p></li></ul>"),
        ("!!! note\n    ```\n    a\n    ```", "note", "Note", None),
        ('!!! tip big "A"\n    b', "tip big", "A", "<p>b</p>"),
        ("> [!NOTE]\n> a", "note", "Note", "<p>a</p>"),
        ("> [!warning] A *b*\n> c", "warning", "A <em>b</em>", "<p>c</p>"),
        ("> [!CAUTION]\n>\n> a\n>\n> - b", "caution", "Caution", "<p>a</p><ul><li>b</li></ul>"),
        (">[!Tip]\n>a\nb", "tip", "Tip", "<p>ab</p>"),
        ("> [!IMPORTANT]", "important", "Important", ""),
    ],
)
def test_callouts_in_both_notations(source: str, kind: str, title: str, content: str | None) -> None:
    markup = html(source)
    head = f'<div class="admonition {kind}"><p class="admonition-title">{title}</p>'
    assert markup.startswith(head)
    assert content is None or markup == f"{head}{content}</div>"


def test_a_callout_with_an_empty_title_has_none() -> None:
    assert html('!!! note ""\n    a') == '<div class="admonition note"><p>a</p></div>'


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("??? note\n    a", '<details class="note"><summary>Note</summary><p>a</p></details>'),
        ('??? note "B *c*"\n    a', '<details class="note"><summary>B <em>c</em></summary><p>a</p></details>'),
        ('???+ "B"\n    a', '<details open=""><summary>B</summary><p>a</p></details>'),
        ('??? "B"\n    a\n\nc', "<details><summary>B</summary><p>a</p></details><p>c</p>"),
        ("> [!tip]-\n> a", '<details class="tip"><summary>Tip</summary><p>a</p></details>'),
        ("> [!tip]+ B\n> a", '<details class="tip" open=""><summary>B</summary><p>a</p></details>'),
        (
            '??? "A"\n    ??? "B"\n        c',
            "<details><summary>A</summary><details><summary>B</summary><p>c</p></details></details>",
        ),
    ],
)
def test_details_are_folded_or_open(source: str, expected: str) -> None:
    assert html(source) == expected


@pytest.mark.parametrize(
    "source", ["!!!", "!!! ", "???", "a\n[!NOTE]", "> a [!NOTE]", "> \\[!NOTE]", "!!!! note", "> [NOTE]", "`!!! note`"]
)
def test_what_only_looks_like_a_box_is_none(source: str) -> None:
    assert not re.search("admonition|details", html(source))


def test_tabs_are_details_of_which_the_first_is_open() -> None:
    one = '<details class="tab" open=""><summary>A</summary><p>a</p></details>'
    two = '<details class="tab"><summary>B</summary><ul><li>b</li></ul></details>'
    assert html('=== "A"\n\n    a\n\n=== "B"\n\n    - b\n\nc') == f'<div class="tabs">{one}{two}</div><p>c</p>'


def test_tabs_hold_code_and_stand_in_lists() -> None:
    markup = html('- a\n\n    === "A"\n\n        ```py\n        a\n        ```\n\n    === "B"\n\n        b\n- c')
    assert markup.count('<div class="tabs">') == 1
    assert markup.count('<details class="tab"') == 2
    assert '<code class="language-py">' in markup
    assert markup.endswith("<li><p>c</p></li></ul>")


# --- notes, abbreviations, words ---------------------------------------------------------------------------------------------


def test_notes_carry_the_prefix_of_their_text() -> None:
    markup = render("a[^x]\n\n[^x]: b", RenderContext(prefix="p7-")).html
    assert 'id="p7-fnref:x"' in markup
    assert 'href="#p7-fn:x"' in markup
    assert '<li id="p7-fn:x">' in markup
    assert 'href="#p7-fnref:x"' in markup


def test_notes_stand_in_the_order_in_which_they_are_called() -> None:
    markup = html("a[^b] c[^a]\n\n[^a]: A\n[^b]: B\n[^unused]: C")
    assert re.findall(r'<li id="fn:(\w+)"', markup) == ["b", "a"]
    assert re.findall(r'class="footnote-ref" href="#fn:(\w)" role="doc-noteref">(\d)<', markup) == [("b", "1"), ("a", "2")]


def test_notes_hold_blocks_and_may_be_told_anywhere() -> None:
    markup = html("> a[^1]\n\n[^1]: b\n\n    - c\n\n    ```py\n    d\n    ```\n\ne")
    note = markup[markup.index('<div class="footnote"') :]
    assert "<li>c</li>" in note
    assert '<code class="language-py">' in note
    assert markup.index("<p>e</p>") < markup.index('<div class="footnote"')
    assert 'id="fn:1"' in html("- a[^1]\n\n    [^1]: b")


def test_a_call_for_a_note_that_is_not_there_stays_as_it_was_typed() -> None:
    assert html("a[^1] b") == "<p>a[^1] b</p>"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("*[HTML]: Hyper\n\nHTML", '<p><abbr title="Hyper">HTML</abbr></p>'),
        ("HTML XHTML HTML5 HTML\n\n*[HTML]: Hyper", '<p><abbr title="Hyper">HTML</abbr> XHTML HTML5 <abbr title="Hyper">HTML</abbr></p>'),
        ('*[A]: "b" <c> & d\n\nA', '<p><abbr title="&quot;b&quot; &lt;c&gt; &amp; d">A</abbr></p>'),
        ("*[A]: b\n*[C]: d\n\nA `A` C", '<p><abbr title="b">A</abbr> <code>A</code> <abbr title="d">C</abbr></p>'),
        ("*[A B]: c\n\n**A B**", '<p><strong><abbr title="c">A B</abbr></strong></p>'),
        ("*[A]:\n\nA", "<p>*[A]:</p><p>A</p>"),
    ],
)
def test_abbreviations_are_explained_where_they_stand(source: str, expected: str) -> None:
    assert html(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("~~a~~", "<del>a</del>"),
        ("==a==", "<mark>a</mark>"),
        ("H~2~O", "H<sub>2</sub>O"),
        ("x^2^", "x<sup>2</sup>"),
        ("~~*a*~~ **==b==**", "<del><em>a</em></del> <strong><mark>b</mark></strong>"),
        ("`~~a~~ ==b== c~d~ e^f^`", "<code>~~a~~ ==b== c~d~ e^f^</code>"),
        (r"\~\~a\~\~ \=\=b\=\=", "~~a~~ ==b=="),
        ("a == b, c == d", "a == b, c == d"),
        ("~ 5 and ~ 6, 2^3", "~ 5 and ~ 6, 2^3"),
        (r"\<b> \@a", "&lt;b&gt; @a"),
        (r"\! \" \# \$ \% \& \' \* \+ \, \- \. \/ \: \; \< \= \> \? \@", "! \" # $ % &amp; ' * + , - . / : ; &lt; = &gt; ? @"),
        ("a\\\nb  \nc", "a<br>b<br>c"),
        ("snake_case_word", "snake_case_word"),
        ("a https://a.example/b_c_d", 'a <a href="https://a.example/b_c_d" rel="noopener">https://a.example/b_c_d</a>'),
        ("`` a`b ``", "<code>a`b</code>"),
        ("``a`", "``a`"),
    ],
)
def test_signs_inside_of_a_line(source: str, expected: str) -> None:
    assert html(source) == f"<p>{expected}</p>"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("[a]\n\n[a]: /b", '<a href="/b">a</a>'),
        ("[a][]\n\n[A]: /b", '<a href="/b">a</a>'),
        ("[c][a]\n\n[a]: /b 'd'", '<a href="/b" title="d">c</a>'),
        ("[`a`]\n\n[`a`]: /b", '<a href="/b"><code>a</code></a>'),
        ("[`a`][]\n\n[`a`]: /b", '<a href="/b"><code>a</code></a>'),
        ("[c][`a`]\n\n[`a`]: /b", '<a href="/b">c</a>'),
        ("[a `b` c]\n\n[a `b` c]: /d", '<a href="/d">a <code>b</code> c</a>'),
        ("[*a*]\n\n[*a*]: /b", '<a href="/b"><em>a</em></a>'),
        ("[a] [b]\n\n[a]: /c\n[b]: /d", '<a href="/c">a</a> <a href="/d">b</a>'),
        ("[a] [b] [c]\n\n[a]: /d\n[b]: /e\n[c]: /f", '<a href="/d">a</a> <a href="/e">b</a> <a href="/f">c</a>'),
        ("[x y] [b]\n\n[b]: /d", '[x y] <a href="/d">b</a>'),
        ("[a\nb]\n\n[a b]: /c", '<a href="/c">ab</a>'),
        ("[a\\]b]\n\n[a\\]b]: /c", '<a href="/c">a]b</a>'),
        ("[Größe]\n\n[GRÖSSE]: /c", '<a href="/c">Größe</a>'),
        ("[a]", "[a]"),
        ("![a]\n\n[a]: /b.png", None),
    ],
)
def test_links_by_reference(source: str, expected: str | None) -> None:
    if expected is None:
        assert '<img alt="a" src="/b.png"' in html(source)
    else:
        assert html(source) == f"<p>{expected}</p>"


_NARROW = "\N{NARROW NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", "“a ‘b’ c” ‘d’"),
        ("en-GB", "“a ‘b’ c” ‘d’"),
        ("de", "„a ‚b‘ c“ ‚d‘"),
        ("de-AT", "„a ‚b‘ c“ ‚d‘"),
        ("de-CH", "«a ‹b› c» ‹d›"),
        ("fr", f"«{_NARROW}a “b” c{_NARROW}» “d”"),
        ("FR-ca", f"«{_NARROW}a “b” c{_NARROW}» “d”"),
        ("sv", "”a ’b’ c” ’d’"),
        ("ru", "«a „b“ c» „d“"),
        ("pl", "„a «b» c” «d»"),
        ("xx", "“a ‘b’ c” ‘d’"),
        ("", "“a ‘b’ c” ‘d’"),
    ],
)
def test_quotation_marks_are_those_of_the_language(language: str, expected: str) -> None:
    assert html("\"a 'b' c\" 'd'", language) == f"<p>{expected}</p>"


@pytest.mark.parametrize("language", ["en", "de", "de-CH", "fr", "it", "sv", "ru", "pl"])
def test_an_apostrophe_is_one_in_every_language(language: str) -> None:
    source = "l'homme geht's rock'n'roll dell'arte d'Artagnan's"
    assert html(source, language) == f"<p>{source.replace(chr(39), '’')}</p>"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('"*a*"', "“<em>a</em>”"),
        ('"[a](b)"', '“<a href="b">a</a>”'),
        ('"`x`"', "“<code>x</code>”"),
        ('"<b>a</b>"', "“<b>a</b>”"),
        ('"q **b**"', "“q <strong>b</strong>”"),
        ('("*a*")', "(“<em>a</em>”)"),
        ('"*a*".', "“<em>a</em>”."),
        ('"*a*"—b', "“<em>a</em>”—b"),
        ('"*a*"<br>b', "“<em>a</em>”<br>b"),
        ('*"a"*', "<em>“a”</em>"),
        ('"*"a"*"', "“<em>“a”</em>”"),
        ("'*a*'", "‘<em>a</em>’"),
        ("\"'*a*'\"", "“‘<em>a</em>’”"),
        ("'\"*a*\"'", "‘“<em>a</em>”’"),
        ('—"*a*"', "—“<em>a</em>”"),
        ('"a" and "*b*"', "“a” and “<em>b</em>”"),
        ('"a"*b*', "“a”<em>b</em>"),
        ('&nbsp;"a"', "&nbsp;“a”"),
        ('say "" or \\"a\\"', 'say “” or "a"'),
        ("'`a`','b'", "‘<code>a</code>’,‘b’"),
        ("`cfg`'d", "<code>cfg</code>'d"),
        ("the `x`'s", "the <code>x</code>'s"),
        ("the '90s", "the '90s"),
    ],
)
@pytest.mark.parametrize("language", ["en", "de", "fr", "sv"])
def test_marks_know_their_side_at_the_borders_of_elements(source: str, expected: str, language: str) -> None:
    """``'`` in what is expected stands for an apostrophe, which is one in every language."""
    marks = dict(zip("“”‘’'", (*marks_of(language), "’"), strict=True))
    for around in ("{}", "> {}", "- {}\n- b", "a\n: {}", "## {}", "|{}|\n|-|", "a[^1]\n\n[^1]: {}"):
        assert expected.translate(str.maketrans(marks)) in html(around.format(source), language)


def test_marks_in_code_maths_and_addresses_stay_straight() -> None:
    markup = html('`"a"` <https://a.example/?"b"> [c](/d "e \\"f\\"")\n\n```\n"g" \'h\'\n```\n\n    "i"')
    assert '<code>"a"</code>' in markup
    assert '"g"' in re.sub("<[^>]*>", "", markup).replace("&quot;", '"')
    assert "“" not in re.sub(r'title="[^"]*"', "", markup)
    assert 'alttext="a&quot;b&quot;"' in html(r'\(a"b"\)')


# --- pictures, cards, titles -------------------------------------------------------------------------------------------------

_LAZY = 'loading="lazy" decoding="async"'


def test_a_picture_alone_in_its_paragraph_is_a_figure_and_its_title_the_caption() -> None:
    assert html("![a](b.png)") == '<figure><img alt="a" src="b.png"></figure>'
    assert html('![a](b.png "C & d")') == '<figure><img alt="a" src="b.png"><figcaption>C &amp; d</figcaption></figure>'
    linked = '<figure><a href="/c"><img alt="a" src="b.png"></a><figcaption>T</figcaption></figure>'
    assert html('[![a](b.png "T")](/c)') == linked
    assert "<figure>" in html("- ![a](b.png)\n\n  b")
    assert "<figure" not in html("a ![b](c.png)")


def test_several_pictures_are_a_gallery() -> None:
    one, two = (f'<figure><img alt="{name}" src="{name}.png"{lazy}></figure>' for name, lazy in (("a", ""), ("b", f" {_LAZY}")))
    assert html("![a](a.png)\n![b](b.png)") == f'<div class="gallery">{one}{two}</div>'
    assert html("![a](a.png) ![b](b.png)") == f'<div class="gallery">{one}{two}</div>'
    assert html("![a](a.png)\n\n![b](b.png)") == one + two
    assert html("![a](a.png)  \n![b](b.png)") == f'<div class="gallery">{one}{two}</div>'


@pytest.mark.parametrize(
    ("address", "provider"),
    [
        ("https://www.youtube.com/watch?v=abc&t=1", "YouTube"),
        ("https://youtu.be/abc", "YouTube"),
        ("https://m.youtube.com/shorts/abc", "YouTube"),
        ("https://vimeo.com/12345", "Vimeo"),
        ("https://x.com/a/status/1", "X"),
        ("https://twitter.com/a/status/1", "X"),
        ("https://bsky.app/profile/a.example/post/3k", "Bluesky"),
        ("https://social.example/@a/123456789012", "Mastodon"),
        ("https://tube.example/w/abcdefghij12", "PeerTube"),
        ("https://open.spotify.com/episode/ab12", "Spotify"),
    ],
)
def test_an_address_alone_on_its_line_is_a_card_that_loads_nothing(address: str, provider: str) -> None:
    rendered = render(f"a\n\n{address}\n\nb")
    assert '<p class="card"><a href="' in rendered.html
    assert f'<span class="card-provider">{provider}</span>' in rendered.html
    assert not re.search(r"<(?:img|iframe|script|video|link)|\bsrc=", rendered.html)
    assert '<p class="card">' in render(f"<{address}>").html
    assert rendered.plain_text == f"a\n{provider} {re.sub('https://(www[.])?', '', address)}\nb"
    for other in (f"a {address}", f"[a]({address})", f"`{address}`", f"- {address} b"):
        assert "card" not in render(other).html


@pytest.mark.parametrize(
    ("address", "host", "shown"),
    [
        ("https://youtube.com/@a", "youtube.com", "youtube.com/@a"),
        ("https://evil.example/watch?v=1", "evil.example", "evil.example/watch?v=1"),
        ("https://youtube.com.evil.example/watch", "youtube.com.evil.example", "youtube.com.evil.example/watch"),
        ("http://www.evil.example/", "evil.example", ""),
        ("https://x.com/a", "x.com", "x.com/a"),
    ],
)
def test_others_are_cards_of_their_host(address: str, host: str, shown: str) -> None:
    rest = f' <span class="card-address">{shown}</span>' if shown else ""
    assert f'<span class="card-provider">{host}</span>{rest}</a></p>' in html(address)
    assert render(address).cards == (address,)


@pytest.mark.parametrize("address", ["http://[/", "mailto:a@b.example", "/a", "//b.example/", "<a@b.example>", "ftp://b.example/a"])
def test_what_is_no_page_is_no_card(address: str) -> None:
    assert "card" not in html(address)
    assert render(f"[{address}]({address})").cards == ()


def test_a_card_shows_what_is_known_and_loads_nothing_from_elsewhere() -> None:
    known = Card('Low <tide> & "mud"', "Mud.", "Tides", "Ana", "video", Media("/media/1/a/p.webp", width=640, height=360))
    rendered = render("One.\n\nhttps://b.example/?a=1&b=2", RenderContext(cards={"https://b.example/?a=1&b=2": known}))
    assert rendered.html.endswith(
        '<p class="card card-video"><a href="https://b.example/?a=1&amp;b=2" rel="noopener">'
        f'<img class="card-picture" src="/media/1/a/p.webp" alt="" width="640" height="360" {_LAZY}>'
        '<span class="card-title">Low &lt;tide&gt; &amp; "mud"</span> <span class="card-provider">Tides · Ana</span> '
        '<span class="card-text">Mud.</span></a></p>'
    )
    assert rendered.plain_text == 'One.\nLow <tide> & "mud" Tides · Ana'
    assert rendered.excerpt == "One."
    assert rendered.flaws == ()
    assert (rendered.cards, rendered.media) == (("https://b.example/?a=1&b=2",), ())


def test_the_picture_of_a_card_is_offered_in_the_sizes_of_cards() -> None:
    known = Card("Low tide", picture=Media("/media/1/a/p.webp", content_type="image/webp", width=1200, height=900))
    made = render("https://b.example/", RenderContext(cards={"https://b.example/": known})).html
    assert '<picture class="card-picture"><source type="image/avif" srcset="/media/1/a/wide-320-50-50/p.avif 320w, ' in made
    assert f'sizes="{CARD.sizes}"><img src="/media/1/a/wide-640-50-50/p.webp" alt="" width="640" height="360"' in made


def test_a_card_of_this_site_is_nobodys_else() -> None:
    here = RenderContext(site_host="tides.example", cards={"https://tides.example/low": Card("Low", site_name="Tides")})
    rendered = render("https://tides.example/low", here)
    assert (rendered.cards, rendered.links) == (("/low",), ("/low",))
    assert '<span class="card-title">Low</span>' in rendered.html


def test_titles_in_brackets_lead_to_their_posts() -> None:
    links = {"zweite größe": "/zweite", "a": "/a"}
    assert html("[[A]]", links=links) == '<p><a href="/a">A</a></p>'
    assert html("[[a|b *c*]]", links=links).startswith('<p><a href="/a">b ')
    assert html("`[[a]]` and\n\n    [[a]]", links=links).count("[[a]]") == 2
    missing = render("[[Nope]] [[Nope|x]] [[a]]", RenderContext(links=links))
    assert "Nope" in missing.nowhere
    assert '<span class="nowhere" title="Nope">Nope</span>' in missing.html
    assert missing.links == ("/a",)


@pytest.mark.parametrize("source", ["[[]]", "[[a", "[[a]", "[ [a]]", "[[a\nb]]", "[[[[a]]", "[[a|]]", "[[|a]]", r"x \[[a]]"])
def test_brackets_that_hold_no_title_are_harmless(source: str) -> None:
    rendered = render(source, RenderContext(links={"a": "/a"}))
    assert hostile.faults(rendered.html) == []
    assert "a" in rendered.plain_text or "a" not in source


def test_what_a_text_leads_to_and_shows_is_known() -> None:
    source = (
        "[a](/b?c#d) [e](https://our.example/f) [g](//our.example:80/h) [i](https://x.example/y) [j](#k) [l](m) [again](/b)\n\n"
        '![n](o.png)\n\n![p](q.png) <video src="/r.mp4" poster="s.jpg"></video> <audio src="t.ogg"></audio> [[U]] [[U]]'
    )
    media = {"o.png": Media("/media/o.png", width=640, height=480), "q.png": Media("/media/q.png")}
    rendered = render(source, RenderContext(site_host="our.example", media=media))
    assert rendered.links == ("/b", "/f", "/h")
    assert rendered.media == ("/media/o.png", "/media/q.png", "/r.mp4", "s.jpg", "t.ogg")
    assert rendered.nowhere == ("U",)
    assert 'src="/media/o.png" width="640" height="480"' in rendered.html
    assert 'src="/media/q.png"' in rendered.html
    assert isinstance(rendered, Rendered)


@pytest.mark.parametrize(
    ("given", "sizes"),
    [
        ("", ("1200", "800")),
        ("height=600", ("900", "600")),
        ("width=300", ("300", "200")),
        ("width=1 height=2", ("1", "2")),
        ('height="100%"', (None, "100%")),
        ("width=0", ("0", None)),
        ("width=99999999", ("1200", "800")),
        ('height="a"', ("1200", "800")),
    ],
)
def test_pictures_have_both_sizes_if_theirs_is_known(given: str, sizes: tuple[str | None, str | None]) -> None:
    """Else the page jumps when they come; one that is given scales the other."""
    media = {"a.svg": Media("/media/a.svg", width=1200, height=800)}
    markup = render(f'<img {given} src="a.svg">', RenderContext(media=media)).html
    found = html5lib.parseFragment(markup, namespaceHTMLElements=False).find(".//img")
    assert found is not None
    assert (found.get("width"), found.get("height")) == sizes


def test_cells_are_aligned_by_class_and_bars_may_stand_in_code() -> None:
    markup = html("| a | b | c | d |\n|:--|:-:|--:|---|\n| 1 | `x | y` \\| z | 3.5 |  |")
    assert '<td class="align-left">1</td><td class="align-center"><code>x | y</code> | z</td><td class="num">3.5</td><td></td>' in markup
    assert "style" not in markup


@pytest.mark.parametrize(
    "source",
    [
        "|a|b|\n|:-|-:|\n|c|d|",
        '<p style="color:red">a</p>',
        "```py linenos\na\n```",
        "```diff\n+a\n```",
        '<td style="text-align:right">a',
        "- [x] a",
        "![a](b.png){style=x}",
        "a {: style='x' }",
        "<table><tr><td align=right style=x>1</table>",
        r"\(\color{red}{a}\)",
        "$$\n\\bbox[5px,border:2px]{a}\n$$",
        r"\(\style{color:red}{a}\)",
        "a[^1]\n\n[^1]: b",
        "<svg style=x></svg>",
        "??? a\n    b",
        '=== "a"\n    b',
        r"\(\mathstrut\phantom{a}\rule{1em}{2em}\)",
    ],
)
def test_no_style_is_written_into_the_page(source: str) -> None:
    assert " style=" not in re.sub(">[^<]*<", "><", html(source))


def test_a_title_that_leads_nowhere_is_known_by_its_title() -> None:
    assert render("[[Nope|words]]").nowhere == ("Nope",)


# --- maths -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "tag", "display"),
    [
        (r"\(a^2\)", "span", "inline"),
        ("$$a^2$$", "div", "block"),
        ("$$\na^2\n$$", "div", "block"),
        ("\\[\na^2\n\\]", "div", "block"),
        (r"\[a^2\]", "div", "block"),
        ("> $$\n> a^2\n> $$", "div", "block"),
        ("- b\n\n  $$a^2$$", "div", "block"),
    ],
)
def test_formulas_are_drawn_in_mathml(source: str, tag: str, display: str) -> None:
    drawing = f'<math display="{display}" alttext="a^2"><mrow><msup><mi>a</mi><mn>2</mn></msup></mrow></math>'
    assert f'<{tag} class="maths">{drawing}</{tag}>' in html(source)


@pytest.mark.parametrize(
    ("tex", "sign"),
    [
        (r"\pm", "±"),
        (r"\mp", "∓"),
        (r"\cdot", "·"),
        (r"\cdotp", "·"),
        (r"\times", "×"),
        (r"\bullet", "•"),
        (r"\dagger", "†"),
        (r"\perp", "⟂"),
        (r"\leqslant", "⩽"),
        (r"\longrightarrow", "⟶"),
        (r"\Longleftrightarrow", "⟺"),
        (r"\longmapsto", "⟼"),
        (r"\bigtriangleup", "△"),
        (r"\setminus", "⧵"),
        (r"\bigoplus", "⨁"),
    ],
)
def test_what_stands_between_two_terms_is_an_operator(tex: str, sign: str) -> None:
    """Browsers give operators their space, and letters none."""
    drawing = re.sub(r"&#x([0-9a-fA-F]+);", lambda found: chr(int(found[1], 16)), html(rf"\(a {tex} b\)"))
    assert re.search(f"<mo[^>]*>{sign}</mo>", drawing)


@pytest.mark.parametrize("name", ["aligned", "align*", "split", "gathered", "cases", "pmatrix", "bmatrix*", "smallmatrix", "matrix"])
def test_rows_and_cells_of_a_formula(name: str) -> None:
    markup = html(f"$$\n\\begin{{{name}}} a & b \\\\ c & d \\end{{{name}}}\n$$")
    assert markup.count("<mtr>") == 2
    assert "&amp;</" not in markup
    assert f'alttext="\\begin{{{name}}} a &amp; b' in markup


def test_a_formula_in_surroundings_that_nobody_knows_stays_what_was_typed() -> None:
    for name in ("tikzcd", "eqnarray", "foo*"):
        assert "<math" not in html(f"$$\n\\begin{{{name}}} a & b \\end{{{name}}}\n$$")


def test_signs_that_name_something_are_no_operators() -> None:
    assert "<mi>∞</mi>" in html(r"\(\infty\)")
    assert "<mi>⦵</mi>" in html(r"\(\circlehbar\)")


@pytest.mark.parametrize(
    "source",
    [
        r"`\(a\)`",
        "`$$a$$`",
        "```\n$$\na\n$$\n```",
        r"    \(a\)",
        r"\\(a\\)",
        "$5 and $6",
        "a $x$ b",
        r"\[1] is a note",
        "$$ is much",
        "<pre>\\(a\\)</pre>",
    ],
)
def test_what_only_looks_like_a_formula_is_none(source: str) -> None:
    assert "<math" not in html(source)


def test_a_formula_keeps_its_signs() -> None:
    assert 'alttext="a_1*b*c &lt; d &amp; e"' in html(r"\(a_1*b*c < d & e\) f_1*g")
    assert "&lt;" in html(r"\(a < b\)")
    assert "<em>" not in html("$$\na_i * b * c_i\n$$")
    assert render(r"a \(x^2\) b").plain_text == "a x^2 b"


def test_a_formula_that_cannot_be_read_or_is_too_long_stays_what_was_typed() -> None:
    for tex in (r"\frac{a", "{{{{", r"\begin{matrix}", "}" * 10, r"\left(", "a" * 100_000, r"\frac{" * 20_000):
        markup = html(f"$$\n{tex}\n$$")
        assert hostile.maths_faults(markup) == [], tex[:20]
    assert "<math" not in html("\\(" + "a" * 100_000 + "\\)")
