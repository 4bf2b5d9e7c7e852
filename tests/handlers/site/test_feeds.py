"""Feeds that any reader parses, with the whole text; the sitemap and robots.txt."""

from email.utils import parsedate_to_datetime
from xml.etree.ElementTree import Element, fromstring

import pytest
from sqlalchemy import update

from cms.models import Published
from cms.services import site as sites
from tests import factories
from tests.web import Site

ATOM = "{http://www.w3.org/2005/Atom}"
CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"
MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
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
    await factories.published(site.database, author, title="Low <tide> & `mud`", slug="low-tide", text=TEXT, tags=("Sea & salt",))


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
    assert item.findtext("category") == "Sea & salt"


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


@pytest.mark.parametrize("path", ["/feed.xml", "/atom.xml", "/sitemap.xml"])
async def test_an_empty_site_has_valid_feeds(site: Site, path: str) -> None:
    await site.person("owner")
    answer = await site.browser().get(path)
    assert answer.status == 200
    assert isinstance(fromstring(answer.body), Element)


@pytest.mark.parametrize("path", ["/feed.xml", "/atom.xml"])
async def test_characters_that_xml_does_not_know_are_left_out(site: Site, path: str) -> None:
    await written(site)
    async with site.database.transaction() as work:
        await work.session.execute(update(Published).values(title="a\x0bb\x01c\ufffe", excerpt="\x1b[31m"))
    assert b"abc" in (await site.browser().get(path)).body
    fromstring((await site.browser().get(path)).body)


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


@pytest.mark.parametrize("path", ["/feed.xml", "/atom.xml", "/sitemap.xml", "/robots.txt"])
async def test_programs_can_ask_whether_anything_changed(site: Site, path: str) -> None:
    await written(site)
    browser = site.browser()
    answer = await browser.get(path)
    assert (await browser.get(path, **{"If-None-Match": answer.headers["Etag"]})).status == 304
    assert (await browser.send("HEAD", path)).status == 200
    assert "Set-Cookie" not in answer.headers


async def test_the_sitemap_names_every_public_address(site: Site) -> None:
    await written(site)
    editor = await factories.person(site.database, "editor")
    await factories.published_page(site.database, editor, title="About")
    await factories.draft(site.database, editor, title="Secret")
    answer = await site.browser().get("/sitemap.xml")
    lines = fromstring(answer.body).findall(f"{MAP}url")
    assert [line.findtext(f"{MAP}loc") for line in lines] == [f"{public(site)}{path}" for path in ("/", "/about", "/low-tide")]
    assert all(line.findtext(f"{MAP}lastmod") for line in lines)


async def test_robots_may_go_anywhere_but_to_the_desk(site: Site) -> None:
    answer = await site.browser().get("/robots.txt")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.text == f"User-agent: *\nDisallow: /admin\n\nSitemap: {public(site)}/sitemap.xml\n"
