import pickle
import re
from pathlib import Path

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cms.content.identifiers import OF_THE_PAGE
from cms.content.pipeline import Heading, RenderContext, plain_title, render, render_title
from cms.content.sanitize import sanitize
from tests.content import hostile

_ROOT = Path(__file__).parents[2]
_POSTS = sorted((_ROOT / "e2e" / "data" / "rust-blog").glob("*.md"))
_MARKS = st.sampled_from(
    [
        *"#*_`[](){}<>!|-+:~^=\"'\\ \n\t&;1ax", "\n\n", "    ", "```", "[^1]", "[^1]: ", "| a | b |\n|--|--|", "<div>", "</div>",
        "<div markdown=1>", "!!! note\n", "- [x] ", "<!--more-->", "<!--", "&#", "$$", "\\(", "\\)", "\\[", "\\]", "[[a]]", "[[",
        "==", "~~", "=== \"a\"\n", "??? b\n", "> [!tip]-\n", "*[a]: b\n", "\n: ", "```py hl_lines=1 linenos\n", "```diff\n",
        "![a](b)", "https://youtu.be/a", "\\frac{", "\\href{javascript:1}{a}", "\\text{</math>}", "[a]: /b \"c\"\n", "\r\n", "\u2028",
    ]
)  # fmt: skip


def html(source: str, prefix: str = "", site_host: str = "") -> str:
    return render(source, RenderContext(prefix, site_host=site_host)).html


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("*a* **b** `c`", "<p><em>a</em> <strong>b</strong> <code>c</code></p>"),
        ("~~a~~ 1~2~3", "<p><del>a</del> 1<sub>2</sub>3</p>"),
        ("<https://a.example>.", '<p><a href="https://a.example" rel="noopener">https://a.example</a>.</p>'),
        ("[a](/b)", '<p><a href="/b">a</a></p>'),
        ("[a](javascript:1)", "<p><a>a</a></p>"),
        ("![a](b.png)", '<figure><img alt="a" src="b.png"></figure>'),
        ("a{: .b}", "<p>a{: .b}</p>"),
        ("*[HTML]: Hyper\n\nHTML", '<p><abbr title="Hyper">HTML</abbr></p>'),
        ("Term\n: Words", "<dl>\n<dt>Term</dt>\n<dd>Words</dd>\n</dl>"),
        ("1. a\n\n* b", "<ol>\n<li>a</li>\n</ol>\n<ul>\n<li>b</li>\n</ul>"),
        ("\x00a\x07b\ud800", "<p>ab</p>"),
        ("", ""),
    ],
)  # fmt: skip
def test_markdown(source: str, expected: str) -> None:
    assert html(source) == expected


def test_a_tick_box_and_its_words_are_one_label() -> None:
    label = '<label><input type="checkbox" disabled="" checked=""><span>a <em>b</em></span></label>'
    item = f'<li class="task-list-item">{label}</li>'
    assert html("- [x] a *b*") == f'<ul class="task-list">\n{item}\n</ul>'


def test_headings_begin_at_two_and_carry_a_link_to_themselves() -> None:
    rendered = render("# Ölçü `x`[^1]\n\n### Tief & mehr\n\n# Ölçü x\n\n[^1]: note")
    assert rendered.toc == (Heading(2, "olcu-x", "Ölçü x"), Heading(3, "tief-mehr", "Tief & mehr"), Heading(2, "olcu-x-1", "Ölçü x"))
    assert '<a class="headerlink" href="#olcu-x" title="Link to this section">§</a></h2>' in rendered.html
    assert "<h1" not in rendered.html + html("<h1>raw</h1>")


def test_heading_ids_keep_out_of_the_browsers_way_and_links_follow() -> None:
    assert html("## Location\n\n[up](#location)").count("location-1") == 3
    assert render("## \U0001f600").toc[0].id == "section"
    assert [heading.id for heading in render("# Привет мир").toc] == ["привет-мир"]


def test_ids_of_the_page_itself_are_not_taken_by_its_text() -> None:
    """Those in the templates that readers get: one that is new there has to be named in ``cms.content.identifiers``."""
    modules = re.findall(r'\.draw\(\s*"(\w+)"', (_ROOT / "cms" / "ui" / "site.py").read_text(encoding="utf-8"))
    assert modules
    templates = [*(_ROOT / "templates" / "site").rglob("*.html"), *(_ROOT / "templates" / "modules" / f"{name}.html" for name in modules)]
    found = {identifier for path in templates for identifier in re.findall(r'\bid="([\w-]+)"', path.read_text(encoding="utf-8"))}
    assert {"main"} <= found <= OF_THE_PAGE
    for identifier in OF_THE_PAGE:
        assert f'<h2 id="{identifier}-1">' in html(f"## {identifier.title()}")
        assert f'<h2 id="{identifier}-1">' in html(f"## A {{#{identifier}}}")
        assert f'href="#{identifier}-1"' in html(f'<p id="{identifier}">a</p>\n\n[a](#{identifier})')


def test_notes_of_several_texts_on_one_page_do_not_clash() -> None:
    one, two = (html("a[^n] b[^n]\n\n[^n]: Note", prefix=prefix) for prefix in ("p1-", "p2-"))
    ids = [set(re.findall(r'\bid="([^"]+)"', markup)) for markup in (one, two)]
    assert ids[0] == {"p1-fnref:n", "p1-fnref2:n", "p1-fn:n"}
    assert not ids[0] & ids[1]
    for markup, own in zip((one, two), ids, strict=True):
        assert set(re.findall(r'href="#([^"]+)"', markup)) == own
    assert html("a[^n]\n\n[^n]: Note") == html("a[^n]\n\n[^n]: Note")
    assert re.search(r'<div class="footnote"[^>]*>\n<hr>\n<ol>\n<li id="fn:n">', html("a[^n]\n\n[^n]: Note"))


def test_labels_of_notes_may_be_words() -> None:
    markup = html("a[^my note] b[^my_note]\n\n[^my note]: A\n[^my_note]: B")
    ids = re.findall(r'<li id="([^"]+)"', markup)
    assert len(set(ids)) == 2
    assert all(f'href="#{identifier}"' in markup for identifier in ids)


@pytest.mark.parametrize(
    ("source", "label", "name"),
    [
        ("```rust\nfn a() {}\n```", "Rust", "rust"),
        ("```rust,ignore\nfn a() {}\n```", "Rust", "rust"),
        ("```C++\nint a;\n```", "C++", "c"),
        ("~~~~\nplain\n~~~~", "Text", "text"),
        ("    indented", "Text", "text"),
        ("```nosuchlanguage\na\n```", "nosuchlanguage", "text"),
        ('```python title="a.py"\na\n```', "a.py", "python"),
        ("> ```js\n> a\n> ```", "JavaScript", "js"),
        ("- a\n\n    ```js\n    a\n    ```", "JavaScript", "js"),
    ],
)
def test_code_stands_in_a_frame_with_its_language(source: str, label: str, name: str) -> None:
    head = f'<div class="code"><div class="code-head"><span>{label}</span></div>'
    frame = f'{head}<div class="highlight"><pre tabindex="0"><code class="language-{name}">'
    assert frame in html(source)


def test_code_wears_pygments_classes_and_keeps_its_text() -> None:
    rendered = render("```rust\n\n<script> & fn\n```")
    assert '<span class="k">fn</span>' in rendered.html
    assert rendered.plain_text == "<script> & fn"
    assert '<code class="language-rust">\n' in rendered.html
    assert '<span class="code-line hll">' in html('```py hl_lines="1"\na\nb\n```')


def test_code_with_long_lines_is_wide() -> None:
    assert '<div class="code wide">' in html("    " + "x" * 67)
    assert '<div class="code">' in html("    " + "x" * 66)
    assert html("<pre>raw</pre>") == '<div class="code"><div class="highlight"><pre tabindex="0">raw</pre></div></div>'


def test_tables_scroll_in_a_named_region_and_align_by_class() -> None:
    markup = html("| a | b | c | d |\n|---|--:|:-:|--:|\n| 1 | 2.5 | x | no |")
    assert markup.startswith('<div class="table" tabindex="0" role="region" aria-label="Table 1"><table>')
    assert '<th scope="col">a</th>\n<th scope="col" class="num">b</th>\n<th scope="col" class="align-center">c</th>' in markup
    assert '<td class="num">2.5</td>' in markup
    assert '<td class="align-right">no</td>' in markup
    wide = html("<table><caption>A &amp; B</caption><tr><td colspan=5 style='text-align:right'>1</td></tr></table>")
    assert wide.startswith('<div class="table wide" tabindex="0" role="region" aria-label="A &amp; B">')
    assert 'class="num"' in wide
    assert "style" not in wide


def test_an_empty_corner_of_a_table_is_no_heading() -> None:
    markup = render("|   | b |\n|---|---|\n| c | 1 |").html
    assert '<td></td>\n<th scope="col">b</th>' in markup


def test_links_that_leave_the_site_do_not_hand_it_over() -> None:
    markup = html("[a](https://our.example/x) [b](https://other.example) [c](//other.example)", site_host="our.example")
    assert markup.count('rel="noopener"') == 2
    assert '<a href="https://our.example/x">' in markup


def test_the_excerpt_is_what_stands_before_the_mark() -> None:
    rendered = render("One *two*[^1].\n\nThree.\n\n<!--more-->\n\nFour.\n\n[^1]: note")
    assert rendered.excerpt == "One two. Three."
    assert '<span id="more"></span>' in rendered.html


def test_without_a_mark_the_excerpt_is_the_beginning() -> None:
    assert render("# Title\n\n> quote\n\n```\ncode\n```\n\nShort.").excerpt == "Short."
    sentence = "This sentence is repeated until the excerpt is full. "
    assert render(sentence * 9).excerpt == (sentence * 3).strip()
    long = render("word " * 100).excerpt
    assert long.endswith("word…")
    assert len(long) <= 201


def test_plain_text_has_no_marks_and_words_are_counted() -> None:
    rendered = render("# Title\n\nOne two[^1] it's three-fold.\n\n```rust\nlet x\n```\n\n[^1]: A note")
    assert rendered.plain_text == "Title\nOne two it’s three-fold.\nlet x\nA note"
    assert rendered.words == 9
    assert rendered.reading_minutes == 1
    assert render("word " * 1150).reading_minutes == 5
    assert render("你好世界 hello").words == 5


@pytest.mark.parametrize("title", ["\u200b", "\u2060 \u3164", "\u00a0\ufeff", "\u202e\u2066", "*\u200d*", "\u115f\ufe0f\u2800"])
def test_a_title_that_nobody_sees_is_none(title: str) -> None:
    assert (plain_title(title), render_title(title)) == ("", "")


def test_a_title_turns_nothing_round_beside_it() -> None:
    assert plain_title("\u202eLow\u202c \u2067tide\u2069") == "Low tide"
    assert plain_title("می\u200cخواهم 👩\u200d🚀\ufe0f") == "می\u200cخواهم 👩\u200d🚀\ufe0f", "signs that join letters stay"


def test_a_title_keeps_code_and_emphasis_only() -> None:
    title = "Changes to `u128`/`i128` *now* <b> & snake_case_x \\*"
    assert render_title(title) == "Changes to <code>u128</code>/<code>i128</code> <em>now</em> &lt;b&gt; &amp; snake_case_x *"
    assert plain_title(title) == "Changes to u128/i128 now <b> & snake_case_x *"


@given(st.text())
def test_any_title_is_harmless(title: str) -> None:
    assert set(re.findall(r"</?(\w+)>", render_title(title))) <= {"code", "em"}
    assert hostile.faults(render_title(title)) == []


def test_what_is_rendered_can_travel_between_processes() -> None:
    rendered = render("# a\n\nb", RenderContext("p"))
    assert pickle.loads(pickle.dumps(rendered)) == rendered
    assert pickle.loads(pickle.dumps(RenderContext("p"))) == RenderContext("p")


@given(st.one_of(st.text(), st.lists(_MARKS, max_size=60).map("".join)))
def test_no_text_makes_rendering_fail(source: str) -> None:
    context = RenderContext("p-", "de", "our.example", links={"a": "/a"})
    rendered = render(source, context)
    gated = hostile.without_maths(rendered.html)
    assert hostile.maths_faults(rendered.html) == []
    assert hostile.faults(gated) == []
    assert sanitize(gated) == gated
    assert render(source, context) == rendered


@pytest.mark.parametrize("source", ["> " * 3000 + "a", "- " * 3000 + "a", "*" * 3000 + "a" + "*" * 3000, "<div>" * 2000 + "a"])
def test_a_text_nested_beyond_reason_is_still_shown(source: str) -> None:
    assert "a" in render(source).plain_text


@pytest.mark.parametrize("post", _POSTS, ids=lambda post: post.stem)
def test_real_posts_become_valid_and_harmless_html(post: Path) -> None:
    rendered = render(post.read_text(encoding="utf-8"))
    html5lib.HTMLParser(strict=True).parseFragment(rendered.html)
    assert hostile.faults(rendered.html) == []
    ids = re.findall(r'<[^>]* id="([^"]+)"', rendered.html)
    assert len(ids) == len(set(ids))
