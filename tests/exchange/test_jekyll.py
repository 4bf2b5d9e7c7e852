"""Jekyll's folders, as jekyllrb.com describes them."""

import json
from pathlib import Path
from typing import Any

import pytest

from cms.content.code_blocks import read_info
from cms.exchange.markdown_folder.jekyll import Jekyll
from cms.exchange.markdown_folder.report import Outcome, Report
from cms.exchange.markdown_folder.source import Blog, Document
from cms.models.post import Kind
from tests.exchange.folders import as_iso, found_by, made, stripped

DATA = Path(__file__).parent.parent / "data"
EXPECTED = json.loads((DATA / "jekyll.json").read_text())
TEXTS = EXPECTED["files"]
POST = "_posts/2024-03-05-one.md"


@pytest.fixture(scope="module")
def report() -> Report:
    return Report()


@pytest.fixture(scope="module")
def blog(report: Report) -> Blog:
    return Jekyll().read(DATA / "jekyll", report)


def folder(tmp_path: Path, files: dict[str, str], settings: str = "") -> Path:
    return made(tmp_path, {"_config.yml": settings, **files})


def read(tmp_path: Path, files: dict[str, str], settings: str = "") -> tuple[dict[str, Document], Report]:
    return found_by(Jekyll(), folder(tmp_path, files, settings))


def post(tmp_path: Path, matter: str, settings: str = "", file: str = POST) -> Document:
    documents, _ = read(tmp_path, {file: f"---\n{matter}\n---\nWords."}, settings)
    return documents[file]


def body(tmp_path: Path, text: str, settings: str = "", other: tuple[str, ...] = ()) -> tuple[str, Report]:
    documents, report = read(tmp_path, {**dict.fromkeys(other, "---\n---\nx"), POST: f"---\ntitle: One\n---\n{text}"}, settings)
    return documents[POST].body, report


def test_settings(blog: Blog) -> None:
    assert (blog.title, blog.description) == ("Garden Notes", "What grew, and what was eaten")
    assert (blog.base_url, blog.permalink) == ("https://example.org", "")
    assert blog.files_at == {"garden": "garden", "assets": "assets"}


def test_every_text_is_there_once(blog: Blog, report: Report) -> None:
    assert sorted(document.file for document in blog.documents) == sorted(file["source"] for file in TEXTS)
    assert not [finding for finding in report.findings if finding.outcome is Outcome.REFUSED]


@pytest.mark.parametrize("expected", TEXTS, ids=lambda file: file["source"])
def test_a_text_is_what_its_front_matter_says(blog: Blog, expected: dict[str, Any]) -> None:
    document = next(document for document in blog.documents if document.file == expected["source"])
    assert (document.title, document.kind) == (expected["title"], expected["kind"])
    assert document.paths == stripped([*expected["path"], *expected["aliases"]])
    assert (list(document.authors), list(document.tags)) == (expected["authors"], expected["tags"])
    assert list(document.categories) == expected["categories"]
    assert as_iso(document.date) == expected["date"]
    assert as_iso(document.updated) == expected["updated"]
    assert document.is_draft is (expected["status"] == "draft")
    if "excerpt" in expected:
        before, more, _ = document.body.partition("<!--more-->")
        assert document.excerpt == expected["excerpt"] or (more and before.strip() == expected["excerpt"])


@pytest.mark.parametrize("expected", TEXTS, ids=lambda file: file["source"])
def test_what_is_not_understood_is_kept_and_reported(blog: Blog, report: Report, expected: dict[str, Any]) -> None:
    document = next(document for document in blog.documents if document.file == expected["source"])
    lines = [finding.line for finding in report.findings if finding.outcome is Outcome.NOT_UNDERSTOOD and finding.file == document.file]
    assert sorted(lines) == sorted(one["line"] for one in expected["reported"])
    for one in [one["text"] for one in expected["reported"]] + expected.get("literal", []):
        assert one in document.body


def test_code_keeps_its_options(blog: Blog) -> None:
    document = next(document for document in blog.documents if document.file == "_posts/2024-03-05-compost.md")
    infos = [line.strip("`") for line in document.body.splitlines() if line.startswith("```") and line.strip("`")]
    expected = next(file for file in TEXTS if file["source"] == document.file)["code"]
    assert [(one.language, one.first_number is not None) for one in map(read_info, infos)] == [
        (one["language"], one["line_numbers"]) for one in expected
    ]


def test_links_to_texts_name_files_that_are_found(blog: Blog) -> None:
    compost = next(document for document in blog.documents if document.file == "_posts/2024-03-05-compost.md")
    assert "[here](@/_posts/2024-02-10-cold-frame.markdown#top)" in compost.body
    assert blog.find_text(compost, "@/_posts/2024-02-10-cold-frame.markdown") == "_posts/2024-02-10-cold-frame.markdown"
    assert blog.find_text(compost, "@/_config.yml") == ""
    assert blog.find_text(compost, "/_config.yml") == ""
    assert blog.find_text(compost, "/index.html") == "index.html"


# --- recognising -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "is_jekyll"),
    [
        (["_config.yml"], True),
        (["_config.yaml"], True),
        (["_posts/deep/2024-01-02-x.textile"], True),
        (["_posts/x.md"], False),
        (["config.yml"], False),
        ([], False),
    ],
)
def test_recognises(tmp_path: Path, files: list[str], is_jekyll: bool) -> None:
    folder(tmp_path, dict.fromkeys(files, ""))
    if "_config.yml" not in files:
        (tmp_path / "_config.yml").unlink()
    assert Jekyll().recognises(tmp_path) is is_jekyll


# --- addresses -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("permalink", "path", "ours"),
    [
        ("date", "a-b/2024/03/05/One.html", "/{category}/{year}/{month}/{day}/{slug}"),
        ("", "a-b/2024/03/05/One.html", "/{category}/{year}/{month}/{day}/{slug}"),
        ("pretty", "a-b/2024/03/05/One", "/{category}/{year}/{month}/{day}/{slug}"),
        ("ordinal", "a-b/2024/065/One.html", ""),
        ("weekdate", "a-b/2024/W10/Tue/One.html", ""),
        ("none", "a-b/One.html", "/{category}/{slug}"),
        ("/:year/:i_month/:i_day/:slug/", "2024/3/5/one", ""),
        ("/:short_year/:short_month/:long_month/:title/index.html", "24/Mar/March/One", ""),
        ("/blog/:slugified_categories/:title", "blog/a-b/One", ""),
        ("/blog/:year/:title:output_ext", "blog/2024/One.html", "/blog/{year}/{slug}"),
    ],
)
def test_permalinks(tmp_path: Path, permalink: str, path: str, ours: str) -> None:
    files = {"_posts/2024-03-05-One.md": "---\ncategory: A-b\n---\n"}
    report = Report()
    blog = Jekyll().read(folder(tmp_path, files, f"permalink: {permalink}"), report)
    assert (blog.documents[0].paths[0], blog.permalink) == (path, ours)


@pytest.mark.parametrize(
    ("file", "matter", "settings", "paths"),
    [
        ("about.md", "", "", ("about.html",)),
        ("about.md", "", "permalink: pretty", ("about",)),
        ("about.md", "", "permalink: /:title", ("about", "about.html")),
        ("deep/About Us.md", "", "permalink: /x/:title/", ("deep/About Us",)),
        ("deep/index.md", "", "", ("deep",)),
        ("about.md", "permalink: /a/:basename/", "", ("a/about",)),
        ("about.md", "permalink: pretty", "", ("about",)),
        ("about.md", "permalink: /404.html\nredirect_from: [/x/index.html, 'y%20z']", "", ("404.html", "x", "y z")),
        ("_notes/deep/one.md", "", "collections: {notes: {output: true}}", ("notes/deep/one.html",)),
        ("_notes/one.md", "", "collections: {notes: {output: true, permalink: '/n/:name/'}}", ("n/one",)),
        (POST, "slug: It's Été & more", "permalink: none", ("It's-Été-&-more.html",)),
        (POST, "slug: It's Été & more", "permalink: /:slug/", ("it-s-été-more",)),
        (POST, "date: 2024-03-05 23:30:00 -0500", "permalink: /:day/:title/", ("05/one", "06/one")),
        (POST, "date: 2024-03-05 23:30:00 -0500", "permalink: /:day/:title/\ntimezone: Europe/Berlin", ("06/one",)),
        (POST, "date: 2024-03-05 23:30:00", "permalink: /:day/:title/\ntimezone: Europe/Berlin", ("06/one",)),
        (POST, "date: 2024-03-05 23:30", "permalink: /:day/:title/\ntimezone: Europe/Berlin", ("05/one",)),
        ("_drafts/one.md", "permalink: /here/", "", ("here",)),
    ],
)
def test_addresses(tmp_path: Path, file: str, matter: str, settings: str, paths: tuple[str, ...]) -> None:
    assert post(tmp_path, matter, settings, file).paths == paths


# --- texts -----------------------------------------------------------------------------------------------------------------


def test_what_is_a_text(tmp_path: Path) -> None:
    files = {
        "about.md": "---\n---\nWords.",
        "no-front-matter.md": "Words.",
        "_posts/deep/2024-01-02-without.md": "Words, and no front matter.",
        "_posts/2024-01-02-html.html": "---\n---\n<p>Words.",
        "blog/_drafts/later.md": "---\n---\nWords.",
        "_notes/one.md": "---\n---\nWords.",
        "_hidden/one.md": "---\n---\nWords.",
        "_includes/one.md": "---\n---\nWords.",
        "node_modules/x/README.md": "---\n---\nWords.",
        "private/deep/one.md": "---\n---\nWords.",
        "index.md": "---\n---\n",
        "archive.html": "---\n---\n{% for post in site.posts %}{% endfor %}",
    }
    settings = "exclude: ['priv*/']\ncollections: {notes: {output: true}, hidden: {output: false}}"
    documents, report = read(tmp_path, files, settings)
    assert {file: (document.title, document.kind) for file, document in documents.items()} == {
        "_notes/one.md": ("One", Kind.PAGE),
        "_posts/2024-01-02-html.html": ("Html", Kind.POST),
        "_posts/deep/2024-01-02-without.md": ("Without", Kind.POST),
        "about.md": ("About", Kind.PAGE),
        "blog/_drafts/later.md": ("Later", Kind.POST),
    }
    assert documents["blog/_drafts/later.md"].is_draft
    assert documents["blog/_drafts/later.md"].categories == ("blog",)
    assert report.findings == []


def test_bad_texts_are_lines_in_the_report(tmp_path: Path) -> None:
    files = {
        "index.md": "---\n---\nWords.",
        "imprint.html": "---\n---\n<p>Words.",
        "away.md": "---\nredirect_to: https://example.com/\n---\n",
        "moved.md": "---\nredirect_to: [https://example.com/]\n---\nWords.",
        "_posts/undated.md": "---\n---\nWords.",
        "_posts/2024-02-31-never.md": "---\n---\nWords.",
        "_posts/2024-01-02-words.md": "---\ndate: some day\nlast_modified_at: later\n---\nWords.",
        "_posts/2024-01-02-x.textile": "---\n---\nh1. Words",
        "_posts/2024-01-02-broken.md": "---\ntitle: [\n---\nWords.",
        "_posts/2024-01-02-empty.md": "",
        "_data/authors.yml": "a: [",
    }
    documents, report = read(tmp_path, files, "timezone: Mars/Olympus")
    assert {file: document.is_draft for file, document in documents.items()} == {
        "_posts/2024-01-02-words.md": True,
        "_posts/2024-02-31-never.md": True,
        "moved.md": False,
    }
    changed = ["_config.yml", "_posts/2024-01-02-words.md", "_posts/2024-02-31-never.md", "moved.md"]
    assert {finding.file: finding.outcome for finding in report.findings} == {
        **dict.fromkeys(files, Outcome.REFUSED),
        **dict.fromkeys(changed, Outcome.CHANGED),
    }


@pytest.mark.parametrize(
    ("matter", "settings", "authors"),
    [
        ("author: ada", "", ("Ada L.",)),
        ("authors: [ada, Bo, {name: Cy}]", "", ("Ada L.", "Bo", "Cy")),
        ("title: x", "defaults: [{scope: {path: ''}, values: {author: ada}}]", ("Ada L.",)),
        ("title: x", "defaults: [{scope: {path: '', type: posts}, values: {author: ada}}]", ("Ada L.",)),
        ("title: x", "defaults: [{scope: {path: '_posts', type: pages}, values: {author: ada}}]", ()),
        ("title: x", "defaults: [{scope: {path: 'blog'}, values: {author: ada}}, 7]", ()),
        ("title: x", "author: ada", ()),
    ],
)
def test_authors(tmp_path: Path, matter: str, settings: str, authors: tuple[str, ...]) -> None:
    folder(tmp_path, {"_data/authors.yml": "ada: {name: Ada L.}"})
    assert post(tmp_path, matter, settings).authors == authors


def test_terms_picture_and_language(tmp_path: Path) -> None:
    document = post(tmp_path, "tag: one two\ntags: three four\ncategories: [A b]\nimage: {path: /a.png}\nlang: de\ndescription: Short.")
    assert (document.tags, document.categories) == (("one two", "three", "four"), ("A b",))
    assert (document.picture, document.language, document.excerpt) == ("/a.png", "de", "Short.")


# --- Liquid and kramdown ---------------------------------------------------------------------------------------------------

SETTINGS = "url: https://example.org/\nbaseurl: /blog\nowner: Ada"


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("{% highlight ruby %}\nx\n{% endhighlight %}", "```ruby\nx\n```"),
        ("{%- highlight ruby linenos -%}\nx\n{%- endhighlight -%}", "```ruby {linenos}\nx\n```"),
        ('{% highlight c mark_lines="1 3" %}x{% endhighlight %}', "```c {hl_lines='1 3'}\nx\n```"),
        ("{% highlight md %}\n{% raw %}{{ x }}{% endraw %}\n```\n{% endhighlight %}", "````md\n{{ x }}\n```\n````"),
        ("`{% raw %}{% if x %}{: .y}{% endraw %}`", "`{% if x %}{: .y}`"),
        ("{% raw %}{% if x %}{: .y}{% endraw %}", "{% if x %}{: .y}"),
        ("[x]({% post_url 2024-01-02-two %})", "[x](@/_posts/2024-01-02-two.md)"),
        ("[x]({{ site.url }}{{ site.baseurl }}{% post_url 2024-01-02-two %}#a)", "[x](@/_posts/2024-01-02-two.md#a)"),
        ("[x]({% post_url /deep/2024-01-02-two %})", "[x](@/_posts/deep/2024-01-02-two.md)"),
        ("[x]({% post_url other/2024-01-02-two %})", "[x](@/other/_posts/2024-01-02-two.md)"),
        ("[x]({% link about us.md %})", "[x](@/about%20us.md)"),
        ("[x]({% link /files/a.pdf %})", "[x](/blog/files/a.pdf)"),
        ("![]({{ site.baseurl }}/a.png)", "![](/blog/a.png)"),
        ('![]({{ "/a.png" | relative_url }})', "![](/blog/a.png)"),
        ("![]({{ 'a.png' | absolute_url }})", "![](https://example.org/blog/a.png)"),
        ("![]({{ '/a.png' | prepend: site.baseurl | prepend: site.url }})", "![](https://example.org/blog/a.png)"),
        ("![]({{ site.url | append: '/a.png' }})", "![](https://example.org/a.png)"),
        ("{{ site.owner }}", "Ada"),
        ("```\n{{ site.url }} {{ x }} {% if %} {: .x}\n```", "```\nhttps://example.org {{ x }} {% if %} {: .x}\n```"),
    ],
)
def test_liquid_that_is_known(tmp_path: Path, typed: str, expected: str) -> None:
    names = ["_posts/2024-01-02-two.md", "_posts/deep/2024-01-02-two.md", "other/_posts/2024-01-02-two.md", "about us.md", "files/a.pdf"]
    text, report = body(tmp_path, typed, SETTINGS, tuple(names))
    assert (text, report.findings) == (expected, [])


@pytest.mark.parametrize(
    "typed",
    [
        "{% include x.html %}",
        "{{ page.title }}",
        "{{ 'x' | upcase }}",
        "{{ site.posts }}",
        "{{ 'a' | prepend: page.x }}",
        "{{ 'a' | }}",
        "{{}}",
        "{{ open",
        "{% raw %}",
        "{% highlight x %}",
    ],
)
def test_liquid_that_is_not(tmp_path: Path, typed: str) -> None:
    text, report = body(tmp_path, f"a\n\n{typed}", SETTINGS)
    assert text == f"a\n\n{typed}"
    assert [(finding.outcome, finding.line) for finding in report.findings] == [(Outcome.NOT_UNDERSTOOD, 6)]


@pytest.mark.parametrize("typed", ["{% post_url 2024-01-02-no %}", "{% link no.md %}", "{% link _config.yml %}"])
def test_links_to_nothing(tmp_path: Path, typed: str) -> None:
    text, report = body(tmp_path, f"[x]({typed})")
    assert text == f"[x]({typed})"
    assert [finding.outcome for finding in report.findings] == [Outcome.MISSING]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("a {% comment %}b{% endcomment %}c", "a c"),
        ("{% comment %}\nb\n{% endcomment %}\nc", "\n\n\nc"),
        ("a\n{: .b}\nc", "a\n\nc"),
        ("*a*{: .b}, [c](d){:target='x'}", "*a*, [c](d)"),
        ("* TOC\n{:toc}\na", "\n\na"),
        ("## A\n{: .b #c}\nd", "## A {#c}\n\nd"),
        ("## A\n{: .b}\nd", "## A\n\nd"),
        ("{::nomarkdown}a{:/}", "a"),
        ("a{::comment}\nb{:/comment}c", "a\nc"),
    ],
)
def test_what_is_left_out(tmp_path: Path, typed: str, expected: str) -> None:
    text, report = body(tmp_path, typed)
    assert text == expected
    assert {finding.outcome for finding in report.findings} == {Outcome.CHANGED}


@pytest.mark.parametrize(
    ("matter", "settings", "expected"),
    [
        ("excerpt_separator: <!--cut-->", "", "a\n<!--more-->\nb\n<!--end-->"),
        ("title: x", "excerpt_separator: <!--end-->", "a\n<!--cut-->\nb\n<!--more-->"),
        ("title: x", "", "a\n<!--cut-->\nb\n<!--end-->"),
    ],
)
def test_excerpts_end_at_our_mark(tmp_path: Path, matter: str, settings: str, expected: str) -> None:
    documents, _ = read(tmp_path, {POST: f"---\n{matter}\n---\na\n<!--cut-->\nb\n<!--end-->"}, settings)
    assert documents[POST].body == expected
