"""The newest posts first, and what stands there while there are none, or nobody to write them."""

from typing import Any

from sqlalchemy import update

from cms.models import Published
from cms.services import site as sites
from tests import factories
from tests.watching import questions
from tests.web import Answer, Site


def titles(answer: Answer) -> list[str]:
    """Of the lead and the entries, in the order of the page."""
    found = answer.page.findall(".//h2[@class='title']") + answer.page.findall(".//h3[@class='entry-title']")
    return ["".join(heading.itertext()) for heading in found]


async def publish_many(site: Site, number: int, **fields: Any) -> None:
    await site.person("owner")
    author = await factories.person(site.database, "author")
    for index in range(1, number + 1):
        await factories.published(site.database, author, title=f"Tide {index}", **fields)


async def test_without_an_owner_home_says_where_to_look_and_shows_no_secret(site: Site) -> None:
    answer = await site.browser().get("/")
    assert answer.status == 200
    assert "terminal" in answer.words
    assert site.application.parts.owner_token not in answer.text
    assert "/setup" not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


async def test_an_owner_made_by_another_process_is_noticed(site: Site) -> None:
    await site.browser().get("/")
    await factories.person(site.database, "owner")
    assert not site.application.parts.has_owner
    answer = await site.browser().get("/")
    assert "terminal" not in answer.words
    assert site.application.parts.has_owner


async def test_a_site_without_posts_says_so(site: Site) -> None:
    await site.person("owner")
    answer = await site.browser().get("/")
    assert answer.status == 200
    assert "Nothing has been published yet" in answer.words
    assert "".join(answer.page.find(".//h1").itertext()) == "The Tide Table"


async def test_a_single_post_leads_and_no_list_follows(site: Site) -> None:
    await publish_many(site, 1)
    answer = await site.browser().get("/")
    assert titles(answer) == ["Tide 1"]
    assert answer.page.find(".//section") is None
    assert answer.page.find(".//nav[@aria-label='Pages']") is None


async def test_authors_of_the_lead_are_links_in_a_sentence(site: Site) -> None:
    await publish_many(site, 1)
    names = [{"id": 1, "name": "Ana & Co", "path": "/author/ana", "bio": ""}, {"id": 2, "name": "Cem Öz", "path": "/author/cem", "bio": ""}]
    async with site.database.transaction() as work:
        await work.session.execute(update(Published).values(authors=names))
    for path, place in (("/", "lead"), ("/tide-1", "byline")):
        answer = await site.browser().get(path)
        assert "Ana & Co and Cem Öz" in answer.words
        links = answer.page.findall(".//a[@rel='author']")
        assert [(link.get("href"), link.text) for link in links[:2]] == [("/author/ana", "Ana & Co"), ("/author/cem", "Cem Öz")], place


async def test_the_newest_leads_and_ten_stand_on_a_page(site: Site) -> None:
    await publish_many(site, 12)
    answer = await site.browser().get("/")
    assert titles(answer) == [f"Tide {number}" for number in range(12, 2, -1)]
    assert answer.page.find(".//link[@rel='next']").get("href") == "/page/2"
    assert "12 articles" in answer.words


async def test_the_second_page_has_the_rest(site: Site) -> None:
    await publish_many(site, 12)
    answer = await site.browser().get("/page/2")
    assert titles(answer) == ["Tide 2", "Tide 1"]
    assert answer.page.find(".//link[@rel='prev']").get("href") == "/"
    assert answer.page.find(".//link[@rel='next']") is None
    assert answer.page.find(".//link[@rel='canonical']").get("href").endswith("/page/2")


async def test_page_one_is_home_and_pages_beyond_the_end_are_not_found(site: Site) -> None:
    await publish_many(site, 1)
    browser = site.browser()
    first = await browser.get("/page/1?x=1")
    assert (first.status, first.location) == (301, "/?x=1")
    assert (await browser.get("/page/2")).status == 404
    assert (await browser.get("/page/999999999999999999")).status == 404
    assert (await browser.get("/page/0")).status == 404


async def test_home_is_three_statements_at_most(site: Site) -> None:
    await publish_many(site, 12)
    await site.browser().get("/")
    site.application.parts.pages.clear()
    with questions(site.database) as statements:
        await site.browser().get("/")
    assert 0 < len(statements) <= 3, statements


async def test_a_page_is_the_same_for_everybody_and_asked_for_again_cheaply(site: Site) -> None:
    await publish_many(site, 1)
    browser = site.browser()
    answer = await browser.get("/", **{"Accept-Language": "de", "Cookie": "session=stolen"})
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-cache"
    again = await browser.get("/", **{"If-None-Match": answer.headers["Etag"]})
    assert (again.status, again.body) == (304, b"")


async def test_nothing_on_a_page_runs_or_loads_but_ours(site: Site) -> None:
    await publish_many(site, 2)
    answer = await site.browser().get("/")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for element in answer.page.iter():
        assert "style" not in element.attrib
        assert not [name for name in element.attrib if name.startswith("on")]
        assert element.tag != "style"
        is_data = element.get("type") == "application/ld+json"
        assert element.tag != "script" or is_data or (element.get("src") or "").startswith("/static/")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_the_site_s_language_says_how_dates_are_written_and_where_lines_begin(site: Site) -> None:
    await publish_many(site, 1)
    async with site.database.transaction() as work:
        await sites.configure(work, language="ar")
    answer = await site.browser().get("/")
    assert (answer.page.get("lang"), answer.page.get("dir")) == ("ar", "rtl")


async def test_head_answers_like_get_without_the_body(site: Site) -> None:
    await publish_many(site, 1)
    browser = site.browser()
    whole = await browser.get("/")
    head = await browser.send("HEAD", "/")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["Etag"] == whole.headers["Etag"]


async def chosen(site: Site, **changes: object) -> None:
    async with site.database.transaction() as work:
        await sites.configure(work, **changes)


async def test_a_chosen_page_stands_at_the_front_and_the_posts_begin_at_page_one(site: Site) -> None:
    await publish_many(site, 12)
    editor = await factories.person(site.database, "editor")
    about = await factories.published_page(site.database, editor, title="About", text="Who we are.")
    await chosen(site, home="page", home_page_id=about.post_id)
    browser = site.browser()
    with questions(site.database) as statements:
        answer = await browser.get("/")
    assert 0 < len(statements) <= 3, statements
    assert "Who we are." in answer.words
    assert answer.page.find(".//link[@rel='canonical']").get("href").endswith("/")
    own = await browser.get("/about?x=1")
    assert (own.status, own.location) == (301, "/?x=1")
    first = await browser.get("/page/1")
    assert titles(first)[0] == "Tide 12"
    assert (await browser.get("/page/2")).page.find(".//link[@rel='prev']").get("href") == "/page/1"
    assert "/page/1" in {link.get("href") for link in first.page.find(".//nav[@aria-label='Main']").iter("a")}


async def test_a_front_page_that_is_taken_back_gives_its_place_to_the_posts(site: Site) -> None:
    await publish_many(site, 2)
    editor = await factories.person(site.database, "editor")
    about = await factories.published_page(site.database, editor, title="About")
    await chosen(site, home="page", home_page_id=about.post_id)
    await factories.withdraw(site.database, editor, about.post_id)
    browser = site.browser()
    assert titles(await browser.get("/")) == ["Tide 2", "Tide 1"]
    assert (await browser.get("/page/1")).location == "/"
    assert (await browser.get("/about")).status == 410


async def test_a_compact_home_has_titles_and_nothing_large(site: Site) -> None:
    await publish_many(site, 3, excerpt="A standfirst.")
    await chosen(site, home="compact")
    answer = await site.browser().get("/")
    assert titles(answer) == ["Tide 3", "Tide 2", "Tide 1"]
    assert answer.page.find(".//article[@class='lead axis']") is None
    assert "A standfirst." not in answer.words


async def test_what_an_administrator_set_is_at_the_head_and_the_foot_of_the_page(site: Site) -> None:
    await publish_many(site, 1)
    await chosen(site, accent_hue=30, footer="One.\n\nTwo.", links=[{"label": "Mastodon", "path": "https://example.social/@tides"}])
    page = (await site.browser().get("/")).page
    sheet = next(link.get("href") for link in page.iter("link") if "/theme/" in (link.get("href") or ""))
    answer = await site.browser().get(sheet)
    assert answer.body == b"@layer tokens{:root{--hue:30}}"
    assert answer.headers["Cache-Control"].endswith("immutable")
    colophon = page.find(".//footer[@class='colophon ui']")
    me = colophon.find(".//a[@rel='me']")
    assert (me.get("href"), me.text) == ("https://example.social/@tides", "Mastodon")
    assert [paragraph.text for paragraph in colophon.iter("p")][:2] == ["One.", "Two."]
