"""Feeds that any reader parses, of the site and of each list, with the whole text."""

import json
import uuid
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from itertools import product
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest
from sqlalchemy import update

from cms.models import Published
from cms.models.address import TargetKind
from cms.schemas.fields import NewFieldInput
from cms.services import addresses, custom_fields, taxonomies
from cms.services import site as sites
from tests import factories, specifications
from tests.specifications import ATOM, CONTENT
from tests.watching import questions
from tests.web import Site

FEEDS = ("feed.xml", "atom.xml", "feed.json")
LISTS = ("/tag/sea-salt", "/category/coast", "/author/ana-silva", "/series/tides")
VALID: dict[str, Callable[[bytes], Any]] = {
    "feed.xml": specifications.rss,
    "atom.xml": specifications.atom,
    "feed.json": specifications.json_feed,
}
TEXT = """
[Home](/) and [below](#below) and [elsewhere](https://example.org/a?b=c&d) and [mail](mailto:a@example.org).

## Below

![A picture](/media/1/abc/x.png)

<img src="small.png" srcset="/a.png 1x, /b.png 2x" alt="">

`<script>` & ]]> done.
"""


async def written(site: Site) -> None:
    await site.person("owner")
    async with site.database.transaction() as work:
        await sites.configure(work, description="Tides & <currents>")
    author = await factories.person(site.database, "author")
    owner = await factories.person(site.database, "owner")
    async with site.database.transaction() as work:
        coast = (await taxonomies.ensure_category(work, owner, "Coast")).id
    await factories.published(
        site.database, author, title="Low <tide> & `mud`", slug="low-tide", text=TEXT, tags=("Sea & salt",), category=coast
    )
    await factories.series(site.database, "Tides", [1])


def public(site: Site) -> str:
    return site.application.parts.settings.public_url


async def test_rss_has_what_the_format_asks_for(site: Site) -> None:
    await written(site)
    answer = await site.browser().get("/feed.xml")
    assert answer.headers["Content-Type"] == "application/rss+xml; charset=utf-8"
    channel = fromstring(answer.body).find("channel")
    assert channel is not None
    assert channel.findtext("title") == "The Tide Table"
    assert channel.findtext("link") == f"{public(site)}/"
    assert channel.findtext("description") == "Tides & <currents>"
    assert channel.find(f"{ATOM}link").get("href") == f"{public(site)}/feed.xml"  # type: ignore[union-attr]
    item = channel.find("item")
    assert item is not None
    assert item.findtext("title") == "Low <tide> & mud"
    assert item.findtext("link") == f"{public(site)}/low-tide"
    assert item.find("guid").get("isPermaLink") == "false"  # type: ignore[union-attr]
    assert parsedate_to_datetime(item.findtext("pubDate", "")).tzinfo is not None
    assert [category.text for category in item.findall("category")] == ["Coast", "Sea & salt"]


async def test_atom_has_what_the_format_asks_for(site: Site) -> None:
    await written(site)
    answer = await site.browser().get("/atom.xml")
    assert answer.headers["Content-Type"] == "application/atom+xml; charset=utf-8"
    feed = fromstring(answer.body)
    for name in ("id", "title", "updated", "author"):
        assert feed.find(ATOM + name) is not None
    entry = feed.find(f"{ATOM}entry")
    assert entry is not None
    for name in ("id", "title", "updated", "published", "summary"):
        assert entry.findtext(ATOM + name)
    assert entry.find(f"{ATOM}author/{ATOM}name").text == "Ana Silva"  # type: ignore[union-attr]
    assert entry.find(f"{ATOM}content").get("type") == "html"  # type: ignore[union-attr]


@pytest.mark.parametrize(("path", "where"), [("/feed.xml", f"channel/item/{CONTENT}"), ("/atom.xml", f"{ATOM}entry/{ATOM}content")])
async def test_the_text_is_whole_and_its_addresses_lead_back(site: Site, path: str, where: str) -> None:
    await written(site)
    text = fromstring((await site.browser().get(path)).body).findtext(where, "")
    base = public(site)
    for expected in (
        f'href="{base}/"',
        f'href="{base}/low-tide#below"',
        'href="https://example.org/a?b=c&amp;d"',
        'href="mailto:a@example.org"',
        f'src="{base}/media/1/abc/x.png"',
        f'src="{base}/small.png"',
        f'srcset="{base}/a.png 1x, {base}/b.png 2x"',
        "<code>&lt;script&gt;</code>",
        "]]&gt; done",
    ):
        assert expected in text, text
    assert "§" not in text


async def test_json_has_what_the_format_asks_for(site: Site) -> None:
    await written(site)
    answer = await site.browser().get("/feed.json")
    assert answer.headers["Content-Type"] == "application/feed+json"
    feed = specifications.json_feed(answer.body)
    assert (feed["title"], feed["description"], feed["home_page_url"]) == ("The Tide Table", "Tides & <currents>", f"{public(site)}/")
    (item,) = feed["items"]
    assert (item["title"], item["url"]) == ("Low <tide> & mud", f"{public(site)}/low-tide")
    assert f'src="{public(site)}/media/1/abc/x.png"' in item["content_html"]
    assert item["authors"] == [{"name": "Ana Silva", "url": f"{public(site)}/author/ana-silva"}]
    assert item["tags"] == ["Coast", "Sea & salt"]


@pytest.mark.parametrize("file", FEEDS)
async def test_an_empty_site_has_valid_feeds(site: Site, file: str) -> None:
    await site.person("owner")
    answer = await site.browser().get(f"/{file}")
    assert answer.status == 200
    VALID[file](answer.body)


async def test_site_and_lists_have_valid_feeds(site: Site) -> None:
    await written(site)
    author = await factories.person(site.database, "author")
    await factories.published(site.database, author, title="Elsewhere")
    await site.browser().get("/manifest.webmanifest")  # what is around all pages is known from now on
    for of, file in product(["", *LISTS], FEEDS):
        with questions(site.database) as asked:
            answer = await site.browser().get(f"{of}/{file}")
        assert (answer.status, len(asked)) == (200, 2), (of, file)
        VALID[file](answer.body)
        assert f"{public(site)}{of}/{file}" in answer.text, "where it is itself"
        assert f"{public(site)}{of or '/'}" in answer.text, "where its page is"
        assert ("Elsewhere" in answer.text) is (of in ("", "/author/ana-silva")), (of, file)


@pytest.mark.parametrize("of", ["", *LISTS])
async def test_pages_name_their_feeds(site: Site, of: str) -> None:
    await written(site)
    browser = site.browser()
    page = (await browser.get(of or "/")).page
    named = [link.get("href") for link in page.findall(".//link[@rel='alternate']")]
    assert named[:3] == [f"{of}/{file}" for file in FEEDS], "a reader takes the first"
    assert named[-3:] == [f"/{file}" for file in FEEDS]
    for address in named:
        assert (await browser.get(address)).status == 200


async def test_feeds_of_what_was_renamed_are_where_it_is_now(site: Site) -> None:
    await written(site)
    browser = site.browser()
    before = {file: (await browser.get(f"/tag/sea-salt/{file}")).body for file in FEEDS}
    async with site.database.transaction() as work:
        await addresses.assign(work, "tag/ocean", TargetKind.TAG, 1)
        await addresses.assign(work, "category/shore/coast", TargetKind.CATEGORY, 1)
    site.application.parts.pages.clear()  # nothing announced it
    for file in FEEDS:
        for old, new in (("/tag/sea-salt", "/tag/ocean"), ("/category/coast", "/category/shore/coast")):
            answer = await browser.get(f"{old}/{file}")
            assert (answer.status, answer.location) == (301, f"{new}/{file}")
            assert (await browser.get(f"{new}/{file}")).status == 200
    ids = [fromstring(body).findtext(f"{ATOM}id") for body in (before["atom.xml"], (await browser.get("/tag/ocean/atom.xml")).body)]
    assert ids[0] == ids[1]


async def test_identifiers_stay_when_the_date_and_the_site_s_address_change(site: Site) -> None:
    await written(site)

    async def ids() -> tuple[list[str | None], list[str | None]]:
        site.application.parts.pages.clear()
        atom = fromstring((await site.browser().get("/atom.xml")).body)
        items = json.loads((await site.browser().get("/feed.json")).body)["items"]
        entries = [entry.findtext(f"{ATOM}id") for entry in atom.findall(f"{ATOM}entry")]
        return [atom.findtext(f"{ATOM}id"), *entries], [item["id"] for item in items]

    before = await ids()
    assert all(uuid.UUID(str(each)) for each in [*before[0], *before[1]])
    assert before[0][1:] == before[1]
    async with site.database.transaction() as work:
        await work.session.execute(update(Published).values(published_at=Published.updated_at))
    site.application.parts.settings = site.application.parts.settings.model_copy(update={"site_url": "https://new.example"})
    assert await ids() == before


@pytest.mark.parametrize("file", FEEDS)
async def test_lists_without_public_posts_have_no_feed(site: Site, file: str) -> None:
    await site.person("owner")
    author = await factories.person(site.database, "author")
    await factories.draft(site.database, author, title="Secret", tags=("Hidden",))
    for of in ("/tag/hidden", "/tag/none", "/category/none", "/author/ana-silva", "/series/none"):
        assert (await site.browser().get(f"{of}/{file}")).status == 404


@pytest.mark.parametrize("file", FEEDS)
async def test_a_text_in_another_language_says_so(site: Site, file: str) -> None:
    await written(site)
    async with site.database.transaction() as work:
        await work.session.execute(update(Published).values(language="ar"))
    body = (await site.browser().get(f"/{file}")).body
    found = VALID[file](body)
    if file == "feed.json":
        assert (found["language"], found["items"][0]["language"]) == ("en", "ar")
    else:
        assert [entry.get(specifications.LANG) for entry in [*found.iter("item"), *found.iter(f"{ATOM}entry")]] == ["ar"]


@pytest.mark.parametrize("file", FEEDS)
async def test_control_characters_are_left_out(site: Site, file: str) -> None:
    await written(site)
    async with site.database.transaction() as work:
        await work.session.execute(update(Published).values(title="a\x0bb\x01c\ufffe", excerpt="\x1b[31m", html="<p>\x07bell</p>"))
    answer = await site.browser().get(f"/{file}")
    VALID[file](answer.body)
    assert ">abc<" in answer.text or '"abc"' in answer.text
    assert "\\u00" not in answer.text


@pytest.mark.parametrize("file", FEEDS)
async def test_what_is_not_public_is_in_no_feed(site: Site, file: str) -> None:
    await written(site)
    author = await factories.person(site.database, "author")
    await factories.draft(site.database, author, title="Marker one", tags=("Sea & salt",))
    gone = await factories.published(site.database, author, title="Marker two", tags=("Sea & salt",))
    await factories.withdraw(site.database, author, gone.post_id)
    await factories.edited(site.database, author, 1, title="Marker three", text="Marker four")
    for of in ("", *LISTS):
        assert "Marker" not in (await site.browser().get(f"{of}/{file}")).text


@pytest.mark.parametrize("file", FEEDS)
async def test_programs_can_ask_whether_anything_changed(site: Site, file: str) -> None:
    await written(site)
    browser = site.browser()
    for of in ("", "/tag/sea-salt"):
        answer = await browser.get(f"{of}/{file}")
        tag = answer.headers["Etag"]
        assert tag.startswith('"'), "a strong one"
        assert (await browser.get(f"{of}/{file}", **{"If-None-Match": tag})).status == 304
        assert (await browser.send("HEAD", f"{of}/{file}")).status == 200
        assert "Set-Cookie" not in answer.headers
    await factories.published(site.database, await factories.person(site.database, "author"), title="New", tags=("Sea & salt",))
    assert (await browser.get(f"{of}/{file}", **{"If-None-Match": tag})).status == 200


@pytest.mark.parametrize("file", FEEDS)
async def test_feeds_are_compressed(site: Site, file: str) -> None:
    await written(site)
    answer = await site.browser().get(f"/{file}", **{"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize("path", ["/feed.xml", "/atom.xml"])
async def test_an_id_stays_when_the_post_moves(site: Site, path: str) -> None:
    await written(site)
    author = await factories.person(site.database, "author")
    before = _ids((await site.browser().get(path)).body)
    await factories.edited(site.database, author, 1, slug="elsewhere", title="Other")
    await factories.publish(site.database, author, 1)
    assert _ids((await site.browser().get(path)).body) == before


def _ids(feed: bytes) -> list[str | None]:
    root = fromstring(feed)
    return [found.text for found in [*root.iter("guid"), *root.findall(f"{ATOM}entry/{ATOM}id")]]


@pytest.mark.parametrize("file", FEEDS)
async def test_custom_fields_that_are_set_stand_in_an_extension_of_our_own(site: Site, file: str) -> None:
    await site.person("owner")
    adam, ana = await factories.person(site.database, "administrator"), await factories.person(site.database, "author")
    async with site.database.transaction() as work:
        for label, type in (("Tide <m>", "number"), ("Chart", "link"), ("Sky", "text")):
            await custom_fields.define(work, adam, NewFieldInput(label=label, type=type))
    await factories.published(site.database, ana, title="Without")
    assert b"squall:" not in (await site.browser().get(f"/{file}")).body
    await factories.published(site.database, ana, title="With", custom={"tide_m": "3.5", "chart": "/über", "sky": ""})
    feed = VALID[file]((await site.browser().get(f"/{file}")).body)
    expected = [("tide_m", "Tide <m>", "number", "3.5"), ("chart", "Chart", "link", f"{public(site)}/%C3%BCber")]
    if file == "feed.json":
        found = [each for item in feed["items"] for each in item.get("_squall", {}).get("custom", [])]
        assert [(each["key"], each["label"], each["type"], str(each["value"])) for each in found] == expected
    else:
        found = list(feed.iter(specifications.FIELD))
        assert [(each.get("key"), each.get("label"), each.get("type"), each.text) for each in found] == expected
