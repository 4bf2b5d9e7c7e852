"""Hugo's folders, as gohugo.io describes them."""

import json
from pathlib import Path
from typing import Any

import pytest

from cms.content.code_blocks import read_info
from cms.exchange.markdown_folder.hugo import Hugo
from cms.exchange.markdown_folder.report import Outcome, Report
from cms.exchange.markdown_folder.source import Blog, Document
from cms.models.post import Kind
from tests.exchange.folders import as_iso, found_by, made, stripped

DATA = Path(__file__).parent.parent / "data"
EXPECTED = json.loads((DATA / "hugo.json").read_text())
TEXTS = [file for file in EXPECTED["files"] if file["path"] != ["/"]]


@pytest.fixture(scope="module")
def report() -> Report:
    return Report()


@pytest.fixture(scope="module")
def blog(report: Report) -> Blog:
    return Hugo().read(DATA / "hugo", report)


def folder(tmp_path: Path, files: dict[str, str], settings: str = "") -> Path:
    return made(tmp_path, {"hugo.toml": settings, **files})


def read(tmp_path: Path, files: dict[str, str], settings: str = "") -> tuple[dict[str, Document], Report]:
    return found_by(Hugo(), folder(tmp_path, files, settings))


def body(tmp_path: Path, text: str, other: dict[str, str] | None = None) -> tuple[str, Report]:
    documents, report = read(tmp_path, {"content/posts/one.md": f"---\ntitle: One\n---\n{text}", **(other or {})})
    return documents["content/posts/one.md"].body, report


def test_settings(blog: Blog) -> None:
    assert (blog.title, blog.description) == ("Tide Tables", "Notes from a small harbour")
    assert (blog.base_url, blog.language) == ("https://example.org/", "en-gb")
    assert blog.permalink == "/{year}/{month}/{slug}"
    assert blog.files_at == {"": "static"}


def test_every_text_is_there_once(blog: Blog) -> None:
    assert sorted(document.file for document in blog.documents) == sorted(file["source"] for file in TEXTS)


@pytest.mark.parametrize("expected", TEXTS, ids=lambda file: file["source"])
def test_a_text_is_what_its_front_matter_says(blog: Blog, expected: dict[str, Any]) -> None:
    document = next(document for document in blog.documents if document.file == expected["source"])
    assert (document.title, document.kind) == (expected["title"], expected["kind"])
    assert document.paths == stripped([*expected["path"], *expected["aliases"]])
    assert (list(document.authors), list(document.tags)) == (expected["authors"], expected["tags"])
    assert (list(document.categories), document.series) == (expected["categories"], (expected["series"] or [""])[0])
    assert as_iso(document.date) == expected["date"]
    assert as_iso(document.updated) == expected["updated"]
    assert document.is_draft or document.expires_at is not None or expected["status"] != "draft"
    assert document.is_draft <= (expected["status"] == "draft")
    assert as_iso(document.expires_at) == expected.get("expired")
    if "publish" in expected:
        assert as_iso(document.publish_at) == expected["publish"]
    if "summary" in expected:
        assert document.excerpt == expected["summary"]


@pytest.mark.parametrize("expected", TEXTS, ids=lambda file: file["source"])
def test_what_is_not_understood_is_kept_and_reported(blog: Blog, report: Report, expected: dict[str, Any]) -> None:
    document = next(document for document in blog.documents if document.file == expected["source"])
    lines = [finding.line for finding in report.findings if finding.outcome is Outcome.NOT_UNDERSTOOD and finding.file == document.file]
    assert sorted(lines) == sorted(one["line"] for one in expected["reported"])
    for one in [one["text"] for one in expected["reported"]] + expected.get("literal", []):
        assert one in document.body


def test_code_keeps_its_options(blog: Blog) -> None:
    document = next(document for document in blog.documents if document.file == "content/posts/knots.md")
    infos = [line.strip("`") for line in document.body.splitlines() if line.startswith("```") and line.strip("`")]
    options = [read_info(info) for info in infos]
    expected = next(file for file in TEXTS if file["source"] == document.file)["code"]
    assert [(one.language, sorted(one.marked_lines)) for one in options] == [(one["language"], one["marked"]) for one in expected]
    assert all(one.first_number for one in options)
    assert "linenostart=10" in infos[0]


def test_links_to_texts_name_files_that_are_found(blog: Blog) -> None:
    knots = next(document for document in blog.documents if document.file == "content/posts/knots.md")
    assert "(@/posts/first-tide.md#how-to-read-it)" in knots.body
    assert blog.find_text(knots, "@/posts/first-tide.md") == "content/posts/first-tide.md"
    assert blog.find_text(knots, "/posts/harbour-walk/index.md") == "content/posts/harbour-walk/index.md"
    assert blog.find_text(knots, "@/posts/nothing.md") == ""
    assert blog.find_text(knots, "@/../hugo.toml") == ""
    assert blog.find_text(knots, "posts/first-tide.md") == ""


def test_the_front_page_is_reported(report: Report) -> None:
    assert [finding.file for finding in report.findings if finding.outcome is Outcome.REFUSED] == ["content/_index.md"]


# --- recognising -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "is_hugo"),
    [
        ({"hugo.yaml": ""}, True),
        ({"config/_default/params.toml": ""}, True),
        ({"config.toml": 'baseURL = "https://example.org/"'}, True),
        ({"config.yml": "baseurl: https://example.org/"}, True),
        ({"config.json": '{"title": "x"}', "archetypes/default.md": ""}, True),
        ({"config.toml": 'base_url = "https://example.org/"'}, False),
        ({"config.toml": "broken = "}, False),
        ({"_config.yml": "baseurl: /x"}, False),
        ({}, False),
    ],
)
def test_recognises(tmp_path: Path, files: dict[str, str], is_hugo: bool) -> None:
    folder(tmp_path, files)
    (tmp_path / "hugo.toml").unlink()
    assert Hugo().recognises(tmp_path) is is_hugo


def test_settings_in_many_files(tmp_path: Path) -> None:
    folder(
        tmp_path,
        {
            "config/_default/hugo.yaml": "title: Many\nbaseURL: https://example.org/\n",
            "config/_default/permalinks.json": '{"posts": "/:year/:slug"}',
            "config/_default/params.toml": 'description = "Of several files"',
            "content/posts/one.md": "---\ntitle: One\ndate: 2024-01-02\n---\n",
        },
    )
    blog = Hugo().read(tmp_path, Report())
    assert (blog.title, blog.description, blog.permalink) == ("Many", "Of several files", "/{year}/{slug}")
    assert blog.documents[0].paths == ("2024/one",)


# --- addresses -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("/:year/:month/:day/:slug/", "2024/03/05/my-slug"),
        ("/:year/:monthname/:title.html", "2024/march/a-title-with-signs.html"),
        ("/:yearday/:weekday/:weekdayname/:filename", "65/2/tuesday/the-file"),
        ("/:section/:contentbasename", "posts/the-file"),
        ("/:sections/:slugorcontentbasename", "posts/deep/my-slug"),
        ("/:sections[1:]/:slugorfilename", "deep/my-slug"),
        ("/:sections[last]/:slug", "deep/my-slug"),
        ("/:2006/:01/:Jan/:slug", "2024/03/mar/my-slug"),
        ("/x\\:y/:slug/index.html", "x:y/my-slug"),
    ],
)
def test_permalinks(tmp_path: Path, pattern: str, path: str) -> None:
    text = "---\ntitle: A Title, with (Signs)\nslug: My Slug\ndate: 2024-03-05\n---\n"
    files = {"content/posts/deep/The File.md": text, "content/posts/deep/_index.md": "---\ntitle: Deep\n---\n"}
    documents, _ = read(tmp_path, files, f"[permalinks]\nposts = '{pattern}'")
    assert documents["content/posts/deep/The File.md"].paths == (path,)


def test_permalinks_by_kind(tmp_path: Path) -> None:
    files = {
        "content/posts/_index.md": "---\ntitle: Posts\n---\nWords.",
        "content/posts/one.md": "---\ntitle: One\ndate: 2024-03-05\n---\n",
        "content/top.md": "---\ntitle: Top\n---\n",
    }
    settings = "[permalinks.page]\nposts = '/articles/:slug'\n'/' = '/about/:slug'\n[permalinks.section]\nposts = '/articles/'"
    documents, _ = read(tmp_path, files, settings)
    assert {file: document.paths for file, document in documents.items()} == {
        "content/posts/_index.md": ("articles",),
        "content/posts/one.md": ("articles/one",),
        "content/top.md": ("about/top",),
    }


@pytest.mark.parametrize(
    ("matter", "settings", "paths"),
    [
        ("title: X", "", ("posts/my-file.v2",)),
        ("slug: Été à Paris", "", ("posts/été-à-paris",)),
        ("slug: Été à Paris", "removePathAccents = true", ("posts/ete-a-paris",)),
        ("title: X", "disablePathToLower = true", ("posts/My-File.v2",)),
        ("title: X", "uglyURLs = true", ("posts/my-file.v2.html",)),
        ("title: X", "[uglyURLs]\nposts = true", ("posts/my-file.v2.html",)),
        ("url: /Old/Page.HTML\nslug: x", "", ("Old/Page.HTML",)),
        ("url: old%20place/index.html", "uglyURLs = true", ("old place",)),
        ("slug: x\naliases: [/a/, b, ../c, d/index.html]", "", ("posts/x", "a", "posts/b", "c", "posts/d")),
        ("slug: 100% 5%41", "", ("posts/100-5A",)),
        ("slug: x\naliases: [//example.com/a, 'javascript:x', '']", "", ("posts/x",)),
        ("slug: x\naliases: /a", "uglyURLs = true", ("posts/x.html", "a.html")),
    ],
)
def test_addresses_without_permalinks(tmp_path: Path, matter: str, settings: str, paths: tuple[str, ...]) -> None:
    documents, _ = read(tmp_path, {"content/posts/My File.v2.md": f"---\n{matter}\n---\n"}, settings)
    assert documents["content/posts/My File.v2.md"].paths == paths


def test_languages(tmp_path: Path) -> None:
    settings = "defaultContentLanguage = 'en'\n[languages.en]\ntitle = 'English'\n[languages.de]\ntitle = 'Deutsch'"
    files = {f"content/posts/one{suffix}.md": "---\naliases: [/old]\n---\n" for suffix in ("", ".de", ".fr")}
    documents, _ = read(tmp_path, files, settings)
    assert [(document.language, document.paths) for document in documents.values()] == [
        ("de", ("de/posts/one", "de/old")),
        ("", ("posts/one.fr", "old")),
        ("", ("posts/one", "old")),
    ]


# --- texts -----------------------------------------------------------------------------------------------------------------


def test_kinds(tmp_path: Path) -> None:
    files = {
        "content/posts/dated.md": "---\ndate: 2024-03-05\n---\n",
        "content/posts/undated.md": "---\ntitle: X\n---\n",
        "content/docs/undated.md": "---\ntitle: X\n---\n",
        "content/docs/told.md": "---\ntype: post\n---\n",
        "content/about.md": "---\ndate: 2024-03-05\n---\n",
        "content/page/dated.md": "---\ndate: 2024-03-05\n---\n",
        "content/posts/told.md": "---\ndate: 2024-03-05\ntype: page\n---\n",
    }
    documents, _ = read(tmp_path, files)
    posts = {file for file, document in documents.items() if document.kind is Kind.POST}
    assert posts == {"content/posts/dated.md", "content/posts/undated.md", "content/docs/told.md"}


def test_a_folder_without_sections_has_posts_at_its_top(tmp_path: Path) -> None:
    files = {"content/one/index.md": "---\ndate: 2024-03-05\n---\n", "content/about.md": "---\ntitle: X\n---\n"}
    documents, _ = read(tmp_path, files)
    assert [document.kind for document in documents.values()] == [Kind.PAGE, Kind.POST]


def test_front_matter_of_every_kind(tmp_path: Path) -> None:
    matter = """---
Title: Names
Draft: true
authors: [{name: Ada}, Bo]
topics: [one, two]
tags: sea
cover: {image: a.png}
published: 2024-01-02 03:04:05
lastmod: never
---
"""
    documents, report = read(tmp_path, {"content/posts/one.md": matter}, "timeZone = 'Europe/Berlin'\n[taxonomies]\ntopic = 'topics'")
    document = documents["content/posts/one.md"]
    assert (document.title, document.is_draft, document.authors) == ("Names", True, ("Ada", "Bo"))
    assert (document.tags, document.picture) == (("sea", "one", "two"), "a.png")
    assert as_iso(document.date) == "2024-01-02T03:04:05+01:00"
    assert [(finding.outcome, finding.what) for finding in report.findings] == [(Outcome.CHANGED, "“never” is no date; left out")]


def test_dates_in_names(tmp_path: Path) -> None:
    files = {"content/posts/2024-01-02-one.md": "---\ntitle: X\n---\n", "content/posts/2024-99-02-two.md": "---\ntitle: X\n---\n"}
    documents, _ = read(tmp_path, files, "[frontmatter]\ndate = [':filename', ':default']")
    assert [(as_iso(document.date), document.paths) for document in documents.values()] == [
        ("2024-01-02", ("posts/one",)),
        (None, ("posts/2024-99-02-two",)),
    ]


def test_bad_texts_are_lines_in_the_report(tmp_path: Path) -> None:
    files = {
        "content/posts/no-date.md": '+++\ndate = "tomorrow"\n+++\nWords.',
        "content/posts/broken.md": "+++\ntitle = \n+++\nWords.",
        "content/posts/bundle/index.md": "---\ntitle: Bundle\n---\n",
        "content/posts/bundle/part.md": "Part.",
        "content/posts/other.org": "#+title: x",
        "content/posts/page.html": "---\ntitle: x\n---\n<p>",
        "content/posts/plain.html": "<p>",
        "content/posts/hidden/index.md": "---\nheadless: true\n---\n",
        "content/posts/_index.md": "---\ntitle: Posts\n---\n",
        "content/posts/empty.md": "\n",
    }
    folder(tmp_path, files, "timeZone = 'Mars/Olympus'")
    (tmp_path / "content/posts/latin.md").write_bytes(b"---\ntitle: caf\xe9\n---\n")
    report = Report()
    blog = Hugo().read(tmp_path, report)
    assert {document.file: document.is_draft for document in blog.documents} == {
        "content/posts/no-date.md": True,
        "content/posts/bundle/index.md": False,
    }
    assert {finding.file.removeprefix("content/posts/"): finding.outcome for finding in report.findings} == {
        "": Outcome.CHANGED,
        "no-date.md": Outcome.CHANGED,
        "_index.md": Outcome.MISSING,
        **dict.fromkeys(
            ["broken.md", "bundle/part.md", "other.org", "page.html", "hidden/index.md", "latin.md", "empty.md"], Outcome.REFUSED
        ),
    }


def test_settings_that_cannot_be_read(tmp_path: Path) -> None:
    documents, report = read(tmp_path, {"content/posts/one.md": "Words."}, "title = ")
    assert documents["content/posts/one.md"].title == "one"
    assert [(finding.outcome, finding.file) for finding in report.findings] == [(Outcome.REFUSED, "hugo.toml")]


# --- shortcodes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ('{{< figure src="a.png" >}}', "![](a.png)"),
        ('{{< figure src="a.png" alt="A [b]" caption="Say \\"x\\"" >}}', '![A \\[b\\]](a.png "Say \\"x\\"")'),
        ('{{< figure src="a b.png" title="T" caption="C" attr="Jo" link="/x/" />}}', '[![T C](<a b.png> "T: C (Jo)")](/x/)'),
        ("{{< youtube aB3 >}}", "https://www.youtube.com/watch?v=aB3"),
        ('{{< vimeo id="12" class="x" >}}', "https://vimeo.com/12"),
        ("{{< gist ada 42 >}}", "https://gist.github.com/ada/42"),
        ('{{< x user="ada" id="42" >}}', "https://x.com/ada/status/42"),
        ("{{< tweet 42 >}}", "https://twitter.com/i/status/42"),
        ("{{< highlight go >}}\nx\n{{< /highlight >}}", "```go\nx\n```"),
        ("{{< highlight go >}}x{{< / highlight >}}", "```go\nx\n```"),
        ('{{< highlight md "linenos=true" >}}\n```\n{{< /highlight >}}', "````md {linenos=true}\n```\n````"),
        ("{{% highlight go linenos=table hl_lines=`1 3` %}}\nx\n{{% /highlight %}}", "```go {linenos=table,hl_lines=1 3}\nx\n```"),
        ("  {{< highlight go >}}\n  x\n  {{< /highlight >}}", "  ```go\n  x\n  ```"),
        ("{{</* note */>}} `{{%/* x y */%}}`", "{{< note >}} `{{% x y %}}`"),
        ("```\n{{< youtube aB3 >}}\n{{</* y */>}}\n```", "```\n{{< youtube aB3 >}}\n{{< y >}}\n```"),
        ("a\n{{< vimeo 1 >}}\nb", "a\n\n\nhttps://vimeo.com/1\n\nb"),
        ("a {{< vimeo 1 >}} b", "a \n\nhttps://vimeo.com/1\n\n b"),
    ],
)
def test_known_shortcodes(tmp_path: Path, typed: str, expected: str) -> None:
    text, report = body(tmp_path, typed)
    assert text == expected
    assert all(finding.outcome is Outcome.CHANGED for finding in report.findings)


@pytest.mark.parametrize(
    "typed",
    [
        "{{< note >}}",
        "{{% note %}}a{{% /note %}}",
        "{{< highlight go >}}",
        "{{< youtube >}}",
        "{{< figure >}}",
        "{{< a/b.html x=1 />}}",
        "{{< figure src='x'",
    ],
)
def test_unknown_shortcodes(tmp_path: Path, typed: str) -> None:
    text, report = body(tmp_path, f"a\n\n{typed}")
    assert text == f"a\n\n{typed}"
    assert {(finding.outcome, finding.line) for finding in report.findings} == {(Outcome.NOT_UNDERSTOOD, 6)}


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ('"two.md"', "@/posts/two.md"),
        ('"two"', "@/posts/two.md"),
        ('"/posts/two.md#part"', "@/posts/two.md#part"),
        ('"posts/two"', "@/posts/two.md"),
        ('path="../docs/a b.md" lang="en"', "@/docs/a%20b.md"),
        ('"walk"', "@/docs/walk/index.md"),
        ('"/docs/walk/index.md"', "@/docs/walk/index.md"),
        ('"/docs"', "@/docs/_index.md"),
        ('"/docs/_index.md"', "@/docs/_index.md"),
        ('"#part"', "#part"),
        ('"/"', "/"),
    ],
)
def test_references(tmp_path: Path, target: str, expected: str) -> None:
    other = {
        "content/posts/two.md": "Words.",
        "content/docs/two/index.md": "Words.",
        "content/docs/a b.md": "Words.",
        "content/docs/walk/index.md": "Words.",
        "content/docs/_index.md": "Words.",
    }
    text, report = body(tmp_path, f"[x]({{{{< ref {target} >}}}})", other)
    assert (text, report.findings) == (f"[x]({expected})", [])
    if expected.startswith("@"):
        blog = Hugo().read(tmp_path, Report())
        assert blog.find_text(blog.documents[0], expected.partition("#")[0])


@pytest.mark.parametrize("target", ['"nothing.md"', '"/two"', '"both"'])
def test_references_to_nothing(tmp_path: Path, target: str) -> None:
    other = {f"content/{name}.md": "Words." for name in ("a/both", "b/both", "b/two")}
    text, report = body(tmp_path, f"[x]({{{{< relref {target} >}}}})", other)
    assert text == f"[x]({{{{< relref {target} >}}}})"
    assert [finding.outcome for finding in report.findings] == [Outcome.MISSING]
