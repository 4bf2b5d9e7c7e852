"""What an old site had besides its texts comes along, or is a line in the report."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select

from cms.exchange.markdown_folder.readers import read_folder
from cms.exchange.markdown_folder.report import Outcome, Report
from cms.exchange.markdown_folder.shortcodes import code_ranges
from cms.exchange.markdown_folder.source import Blog
from cms.models import Address, Post, Series, WorkingCopy
from cms.models.address import TargetKind
from cms.policy import SYSTEM
from cms.rendering import Renderer
from cms.schemas.post import MAX_SLUG, PostInput
from cms.services import posts
from tests.exchange.moving import DOT, Mover
from tests.web import Site, running_site

ZOLA = {"config.toml": 'base_url = "https://old.example.org/"\n'}
TEXT = "---\ntitle: {0}\ndate: 2024-03-04\n---\n{1}\n"


def folder(tmp_path: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = tmp_path / "blog" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return tmp_path / "blog"


def said(report: Report, outcome: Outcome = Outcome.MISSING) -> list[tuple[str, int, str]]:
    return sorted((one.file, one.line, one.what) for one in report.findings if one.outcome is outcome)


def read(tmp_path: Path, files: dict[str, str | bytes]) -> tuple[Blog, Report]:
    report = Report()
    return read_folder(folder(tmp_path, files), report), report


# --- pictures and links ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("![a](<my pic.png>)", "my pic.png"),
        ('![a](<my pic.png> "title")', "my pic.png"),
        ("![a][ref]\n\n[ref]: <my pic.png>", "my pic.png"),
        ('<img src="my pic.png" alt="a">', "my pic.png"),
        ("<img src='my pic.png' alt='a'>", "my pic.png"),
        ("<img src=pic.png alt=a>", "pic.png"),
        (r"![a](pic\(1\).png)", "pic(1).png"),
        ("![a](pic(1).png)", "pic(1).png"),
        ("[![a](<my pic.png>)](https://example.org)", "my pic.png"),
        ("![a](my%20pic.png)", "my pic.png"),
    ],
)
async def test_pictures_with_any_name(move_in: Mover, tmp_path: Path, text: str, name: str) -> None:
    report = await move_in(folder(tmp_path, {**ZOLA, "content/one/index.md": TEXT.format("One", text), f"content/one/{name}": DOT}))
    assert report.counts == {"files": 1, "posts": 1}
    assert not report.findings
    assert 'src="/media/1/' in await move_in.html("one")


async def test_pictures_of_several_sizes(move_in: Mover, tmp_path: Path) -> None:
    text = '<img src="a.png" srcset="a.png 1x, b.png 2x,lost.png 3x" alt="">'
    files = {**ZOLA, "content/one/index.md": TEXT.format("One", text), "content/one/a.png": DOT, "content/one/b.png": DOT + b"\n"}
    report = await move_in(folder(tmp_path, files))
    assert said(report) == [("content/one/index.md", 5, "lost.png")]
    html = await move_in.html("one")
    assert html.count("/media/1/") == 2
    assert html.count("/media/2/") == 1


async def test_a_figure_of_hugo_with_a_space_in_its_name(move_in: Mover, tmp_path: Path) -> None:
    text = TEXT.format("One", '{{< figure src="my pic.png" alt="a" >}}')
    report = await move_in(folder(tmp_path, {"hugo.toml": "", "content/posts/one/index.md": text, "content/posts/one/my pic.png": DOT}))
    assert report.counts == {"files": 1, "posts": 1}
    assert 'src="/media/1/' in await move_in.html("one")


async def test_a_link_to_a_draft_leads_nowhere(move_in: Mover, tmp_path: Path) -> None:
    draft = "---\ntitle: Draft\ndate: 2024-03-04\ndraft: true\n---\nx"
    one = TEXT.format("One", "[a](@/draft.md#x)")
    report = await move_in(folder(tmp_path, {**ZOLA, "content/one.md": one, "content/draft.md": draft}))
    assert said(report) == [("content/one.md", 5, "@/draft.md leads to a draft")]


@pytest.mark.parametrize(
    ("files", "what"),
    [
        ({"hugo.toml": "", "content/posts/one.md": TEXT.format("One", '[a]({{< ref "nope.md" >}})')}, "nope.md: no text has this name"),
        (
            {"_config.yml": "", "_posts/2024-03-04-one.md": TEXT.format("One", "[a]({% post_url 2020-01-01-x %})")},
            "2020-01-01-x: nothing here",
        ),
    ],
)
async def test_what_is_not_found_is_told_once(move_in: Mover, tmp_path: Path, files: dict[str, str | bytes], what: str) -> None:
    (finding,) = [one for one in said(await move_in(folder(tmp_path, files))) if not one[2].startswith("an old")]
    assert finding[2].startswith(what)


@pytest.mark.parametrize(
    ("settings", "folder_of_text"),
    [({"hugo.toml": ""}, "content/posts/one"), (ZOLA, "content/one")],
)
async def test_files_beside_a_text_come_along(
    move_in: Mover, tmp_path: Path, settings: dict[str, str | bytes], folder_of_text: str
) -> None:
    """Not only pictures; what the library does not take is told."""
    beside: dict[str, str | bytes] = {
        "paper.pdf": b"%PDF-1.4 x %%EOF",
        "data.zip": b"PK\5\6" + bytes(18),  # of nothing
        "plan.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
        "run.exe": b"MZ",
    }
    text = TEXT.format("One", "[a](paper.pdf#page=2) [b](./data.zip) ![c](plan.svg) [d](run.exe)")
    files = {f"{folder_of_text}/{name}": content for name, content in beside.items()}
    report = await move_in(folder(tmp_path, {**settings, **files, f"{folder_of_text}/index.md": text}))
    html = await move_in.html("one")
    for name, tail in (("paper.pdf", "#page=2"), ("data.zip", ""), ("plan.svg", "")):
        address = await move_in.leads_to(f"{folder_of_text.removeprefix('content/')}/{name}")
        assert address.startswith("/media/")
        assert f'"{address}{tail}"' in html
    assert 'href="run.exe"' in html
    assert (f"{folder_of_text}/run.exe", 0, "files of the kind .exe are not taken") in said(report, Outcome.REFUSED)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a\n\n    code `x`\n\tmore\n\nb `c`", ["    code `x`\n\tmore\n", "`c`"]),
        ("    code\n\n\n    code", ["    code\n\n\n    code"]),
        ("words\n    go on", []),
        ("- a list\n\n    [its](words)\n\nwords\n\n    code", ["    code"]),
        ("1. a list\n   goes on\n\n    [its](words)", []),
        ("[^1]: note\n\n    [its](words)", []),
        ("!!! note\n    words\n\n    [words](x)", []),
        (": what it means\n\n    [words](x)", []),
        ("    ```\n    code\n\n```\nfence\n```", ["    ```\n    code\n", "```\nfence\n```"]),
        ("```\n\n    fence\n```\n\n    code", ["```\n\n    fence\n```", "    code"]),
    ],
)
def test_code_by_indentation(text: str, code: list[str]) -> None:
    assert [text[begin:end] for begin, end in code_ranges(text)] == code


async def test_code_by_indentation_stays_as_it_is(move_in: Mover, tmp_path: Path) -> None:
    files = {**ZOLA, "content/one.md": TEXT.format("One", "x\n\n    [a](two.md)\n\n[a](two.md)"), "content/two.md": TEXT.format("Two", "x")}
    await move_in(folder(tmp_path, files))
    html = await move_in.html("one")
    assert "[a](two.md)" in html
    assert 'href="/two"' in html


# --- what texts say of themselves ------------------------------------------------------------------------------------------


async def test_series_come_in_in_the_order_of_their_dates(move_in: Mover, tmp_path: Path) -> None:
    text = "---\ntitle: {0}\ndate: 2024-03-0{1}\nseries: [Knots & ropes]\n---\nx"
    files = {f"content/posts/{name}.md": text.format(name, day) for name, day in (("late", 9), ("early", 1), ("middle", 5))}
    source = folder(tmp_path, {"hugo.toml": "", **files})
    await move_in(source)
    assert (await move_in(source)).counts == {"unchanged": 3}
    async with move_in.database.read() as session:
        (series,) = await session.scalars(select(Series))
        assert (series.name, series.slug) == ("Knots & ropes", "knots-ropes")
        place = (await session.scalars(select(Address).where(Address.path == "series/knots-ropes"))).one()
        assert (place.target_kind, place.target_id) == (TargetKind.SERIES, series.id)
        copies = await session.execute(select(Post.title, WorkingCopy.fields).join(WorkingCopy, WorkingCopy.post_id == Post.id))
        parts = {title: fields["series"] for title, fields in copies}
    assert parts == {name: {"id": series.id, "position": part} for part, name in enumerate(["early", "middle", "late"], start=1)}


async def test_an_end_that_is_still_to_come_is_told(move_in: Mover, tmp_path: Path) -> None:
    text = "---\ntitle: One\ndate: 2024-03-04\nexpiryDate: 2999-01-02\n---\nx"
    report = await move_in(folder(tmp_path, {"hugo.toml": "", "content/posts/one.md": text}))
    assert said(report, Outcome.CHANGED) == [("content/posts/one.md", 1, "ends on 2999-01-02: withdraw it then, nobody else does")]


def test_what_was_not_rendered_does_not_become_public(tmp_path: Path) -> None:
    blog, report = read(tmp_path, {**ZOLA, "content/one.md": '+++\ntitle = "One"\nrender = false\n+++\nSecret.'})
    assert not blog.documents
    assert said(report, Outcome.REFUSED) == [("content/one.md", 1, "had no address of its own: render = false")]


@pytest.mark.parametrize(
    "files",
    [
        {**ZOLA, "content/latest.md": '+++\ntemplate = "latest.html"\n+++\n'},
        {"hugo.toml": "", "content/latest.md": "---\ntitle: x\nlayout: latest.html\n---\n"},
        {"_config.yml": "permalink: pretty", "latest.md": "---\ntitle: x\nlayout: latest.html\n---\n"},
    ],
)
def test_a_page_that_a_template_filled_is_left_out(tmp_path: Path, files: dict[str, str | bytes]) -> None:
    blog, report = read(tmp_path, files)
    assert not blog.documents
    why = "it has no words of its own, the template “latest.html” made them"
    assert said(report) == [(next(name for name in files if "latest" in name), 1, f"the old address /latest: {why}")]


async def test_a_long_slug_can_be_saved_again(move_in: Mover, tmp_path: Path) -> None:
    name = "long-" * 50 + "end"
    await move_in(folder(tmp_path, {**ZOLA, f"content/{name[:240]}.md": TEXT.format("Long", "x")}))
    async with move_in.database.transaction() as work:
        copy = (await work.session.scalars(select(WorkingCopy))).one()
        slug = copy.fields["slug"]
        await posts.save(work, SYSTEM, copy.post_id, PostInput(title="Longer", text="y", slug=slug, version=copy.version))
        assert copy.fields["slug"] == slug
    assert 80 < len(slug) <= MAX_SLUG


def test_the_front_page_of_zola_names_the_blog(tmp_path: Path) -> None:
    blog, report = read(
        tmp_path, {"_index.md": '+++\ntitle = "Tides"\ndescription = "Notes"\n+++\nHello.', "a.md": '+++\ntitle = "a"\n+++\nx'}
    )
    assert (blog.title, blog.description) == ("Tides", "Notes")
    assert said(report, Outcome.REFUSED) == [("_index.md", 0, "stood on the front page, which is a list of posts here")]


# --- old addresses ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "lists"),
    [
        ({**ZOLA, "content/blog/_index.md": '+++\naliases = ["/old/"]\n+++\n'}, ["blog", "old"]),
        ({"hugo.toml": "", "content/blog/_index.md": "---\ntitle: x\naliases: [/old/]\n---\n"}, ["blog", "old"]),
        ({"hugo.toml": "", "content/blog/_index.md": "---\ntitle: x\ndraft: true\n---\n"}, []),
    ],
)
def test_lists_of_sections_are_told(tmp_path: Path, files: dict[str, str | bytes], lists: list[str]) -> None:
    blog, report = read(tmp_path, files)
    assert not blog.documents
    assert said(report) == [("content/blog/_index.md", 1, f"the old list /{path}: all posts are in /archive now") for path in lists]


def test_a_section_with_words_is_a_page_with_all_its_addresses(tmp_path: Path) -> None:
    blog, report = read(tmp_path, {**ZOLA, "content/blog/_index.md": '+++\naliases = ["/old/"]\n+++\nWords.'})
    assert blog.documents[0].paths == ("blog", "old")
    assert not report.findings


OLD_LIST = "an old list: all posts are in /archive now"
IN_SECTION = {"content/Our Posts/one.md": TEXT.format("One", "x")}


@pytest.mark.parametrize(
    ("files", "lists"),
    [
        (IN_SECTION, ["/our-posts"]),
        ({**IN_SECTION, "content/our-posts.md": TEXT.format("Ours", "x")}, []),  # a text stood there
        ({"content/posts/one.md": "---\ntitle: One\ndraft: true\n---\nx"}, []),
        ({"content/about/index.md": TEXT.format("About", "x")}, []),
        ({**IN_SECTION, "hugo.toml": "disableKinds = ['section']"}, []),
        ({"content/one.md": "---\ntitle: One\ndate: 2024-03-04\ntags: [sea]\n---\nx"}, ["/tags"]),
        (
            {"content/one.md": "---\ntitle: One\ntags: [sea]\nmoods: [calm]\n---\nx", "hugo.toml": "[taxonomies]\nmood = 'moods'"},
            ["/moods"],
        ),
        ({"content/one.md": "---\ntitle: One\ntags: [sea]\n---\nx", "hugo.toml": "disableKinds = ['taxonomy']"}, []),
    ],
)
async def test_lists_that_no_file_says_are_told(move_in: Mover, tmp_path: Path, files: dict[str, str | bytes], lists: list[str]) -> None:
    report = await move_in(folder(tmp_path, {"hugo.toml": "", **files}))
    assert [file for file, _, what in said(report) if what == OLD_LIST] == lists


PICTURE = "![a](a.png)"


@pytest.mark.parametrize(
    ("files", "path", "picture"),
    [
        (
            {
                "_config.yml": "baseurl: /sub\npermalink: /:title/",
                "_posts/2024-03-04-one.md": TEXT.format("One", "![a](/sub/img/a.png)"),
                "img/a.png": DOT,
            },
            "one",
            "img/a.png",
        ),
        (
            {
                "hugo.toml": "baseURL = 'https://old.example.org/sub/'",
                "content/posts/one/index.md": TEXT.format("One", PICTURE),
                "content/posts/one/a.png": DOT,
            },
            "posts/one",
            "posts/one/a.png",
        ),
        (
            {
                "config.toml": 'base_url = "https://old.example.org/sub"',
                "content/one/index.md": TEXT.format("One", PICTURE),
                "content/one/a.png": DOT,
            },
            "one",
            "one/a.png",
        ),
    ],
)
async def test_a_site_below_a_folder(move_in: Mover, tmp_path: Path, files: dict[str, str | bytes], path: str, picture: str) -> None:
    await move_in(folder(tmp_path, files))
    assert await move_in.leads_to(f"sub/{path}") == "/one"
    assert await move_in.leads_to(path) == "/one"
    for old in (picture, f"sub/{picture}"):
        assert (await move_in.leads_to(old)).startswith("/media/1/")


@pytest.fixture
async def site(database_url: str, tmp_path: Path, renderer: Renderer) -> AsyncIterator[Site]:
    async with running_site(database_url, tmp_path / "data", renderer=renderer) as site:
        await site.person("owner")
        yield site


async def test_old_lists_lead_to_those_of_now(move_in: Mover, tmp_path: Path, site: Site) -> None:
    matter = "---\ntitle: One\ndate: 2024-03-04\ntags: [Deep Sea, Été]\ncategories: [News]\naliases: [/tags/mine/]\n---\nx"
    other = "---\ntitle: Two\ndate: 2024-03-04\ntags: [mine]\n---\nx"
    files = {"hugo.toml": "baseURL = 'https://old.example.org/sub/'", "content/posts/one.md": matter, "content/posts/two.md": other}
    await move_in(folder(tmp_path, files))
    browser = site.browser()
    for old, new in {
        "/tags/deep-sea/": "/tag/deep-sea",
        "/sub/tags/deep-sea/": "/tag/deep-sea",
        "/tags/%C3%A9t%C3%A9/": "/tag/ete",
        "/categories/news": "/category/news",
        "/tags/mine": "/one",
    }.items():
        answer = await browser.get(old)
        assert (answer.status, answer.location) == (301, new), old
        assert (await browser.get(new)).status == 200
    assert (await browser.get("/tags/none")).status == 404


async def test_lists_and_feeds_of_any_taxonomy_lead_to_those_of_now(move_in: Mover, tmp_path: Path, site: Site) -> None:
    settings = """
        [taxonomies]
        tag = "tags"
        category = "categories"
        mood = "Moods"
        author = "authors"
        [permalinks.term]
        tags = "/about/:slug/"
    """
    matter = (
        "---\ntitle: One\ndate: 2024-03-04\ntags: [Deep Sea]\ncategories: [News, Boats]\nmoods: [Quite Calm]\nauthors: [Ana Silva]\n---\nx"
    )
    report = await move_in(folder(tmp_path, {"hugo.toml": settings, "content/posts/one.md": matter}))
    browser = site.browser()
    for old, new in {
        "/about/deep-sea/": "/tag/deep-sea",
        "/about/deep-sea/index.xml": "/tag/deep-sea/feed.xml",
        "/categories/news/index.xml": "/category/news/feed.xml",
        "/categories/boats/": "/tag/boats",
        "/moods/quite-calm/": "/tag/quite-calm",
        "/moods/quite-calm/index.xml": "/tag/quite-calm/feed.xml",
        "/authors/ana-silva/": "/author/ana-silva",
    }.items():
        answer = await browser.get(old)
        assert (answer.status, answer.location) == (301, new), old
        assert (await browser.get(new)).status == 200
    assert not [one for one in said(report) if "quite-calm" in one[0]]


async def test_feeds_of_tags_of_zola_lead_to_those_of_now(move_in: Mover, tmp_path: Path, site: Site) -> None:
    settings = {"config.toml": 'base_url = "https://old.example.org"\ngenerate_feeds = true\ntaxonomies = [{name = "tags", feed = true}]'}
    text = '+++\ntitle = "One"\ndate = 2024-03-04\n[taxonomies]\ntags = ["Deep Sea"]\n+++\nx'
    await move_in(folder(tmp_path, {**settings, "content/one.md": text}))
    answer = await site.browser().get("/tags/deep-sea/atom.xml")
    assert (answer.status, answer.location) == (301, "/tag/deep-sea/atom.xml")


async def test_a_list_that_is_no_more_is_told(move_in: Mover, tmp_path: Path) -> None:
    matter = "---\ntitle: One\ndate: 2024-03-04\ntags: ['+++']\n---\nx"
    report = await move_in(folder(tmp_path, {"hugo.toml": "", "content/posts/one.md": matter}))
    assert ("/tags/+++", 0, OLD_LIST) in said(report)


@pytest.mark.parametrize(
    ("files", "feeds"),
    [
        ({"hugo.toml": "", "content/posts/one.md": TEXT.format("One", "x")}, ["/index.xml", "/posts/index.xml"]),
        ({"hugo.toml": "disableKinds = ['RSS']", "content/posts/one.md": TEXT.format("One", "x")}, []),
        ({"hugo.toml": "baseURL = 'https://x.org/sub/'", "content/a.md": TEXT.format("One", "x")}, ["/sub/index.xml"]),
        ({"_config.yml": "plugins: [jekyll-feed]", "a.md": TEXT.format("One", "x")}, []),
        (
            {"_config.yml": "plugins: [jekyll-feed]\nbaseurl: /jb", "a.md": TEXT.format("One", "x"), "rss.xml": "---\n---\n"},
            ["/jb/feed.xml", "/jb/rss.xml"],
        ),
        ({"config.toml": 'base_url = ""\ngenerate_feeds = true\nfeed_filenames = ["rss.xml", "atom.xml"]'}, ["/rss.xml"]),
        ({**ZOLA, "content/blog/_index.md": "+++\ngenerate_feeds = true\n+++\nx"}, ["/blog/atom.xml"]),
    ],
)
async def test_old_feeds_are_told_in_one_line(move_in: Mover, tmp_path: Path, files: dict[str, str | bytes], feeds: list[str]) -> None:
    report = await move_in(folder(tmp_path, files))
    groups = [findings for _, group in report.grouped() for what, findings in group if what.startswith("an old feed")]
    assert [[finding.file for finding in findings] for findings in groups] == ([feeds] if feeds else [])


async def test_notes_of_two_texts_have_ids_of_their_own(move_in: Mover, tmp_path: Path) -> None:
    text = "Words.[^1]\n\n[^1]: A note."
    files = {**ZOLA, "content/one.md": TEXT.format("One", text), "content/two.md": TEXT.format("Two", text + " Another.")}
    await move_in(folder(tmp_path, files))
    ids = [set(re.findall(r'id="([^"]+)"', await move_in.html(path))) for path in ("one", "two")]
    assert ids[0]
    assert not ids[0] & ids[1]
