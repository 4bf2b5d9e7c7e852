"""The sitemap: every public address once, in parts that a change touches one of."""

import pytest
from sqlalchemy import update

from cms.models import Post, Published
from cms.services import sitemaps
from tests import factories, specifications
from tests.handlers.site.test_feeds import public, written
from tests.watching import questions
from tests.web import Site


async def lines(site: Site, path: str) -> dict[str, str | None]:
    """Path → lastmod of one part."""
    answer = await site.browser().get(path)
    assert answer.headers["Content-Type"] == "application/xml; charset=utf-8"
    return {address.removeprefix(public(site)): changed for address, changed in specifications.sitemap(answer.body).items()}


async def parts(site: Site) -> dict[str, str | None]:
    body = (await site.browser().get("/sitemap.xml")).body
    return {address.removeprefix(public(site)): changed for address, changed in specifications.sitemap_index(body).items()}


async def renumber(site: Site, post_id: int, number: int) -> None:
    """A post as if many had been made before it."""
    if number == post_id:  # SQLite counts on from the highest
        return
    async with site.database.transaction() as work:
        post = await work.session.get_one(Post, post_id)
        values = {"kind": post.kind, "live": post.live, "work": post.work, "created_at": work.now, "updated_at": work.now}
        work.session.add(Post(id=number, **values))
        await work.session.flush()
        await work.session.execute(update(Published).where(Published.post_id == post_id).values(post_id=number))


async def test_every_public_address_is_there_once(site: Site) -> None:
    await written(site)
    editor = await factories.person(site.database, "editor")
    await factories.published_page(site.database, editor, title="About")
    await factories.draft(site.database, editor, title="Secret", tags=("Hidden",))
    gone = await factories.published(site.database, editor, title="Gone")
    await factories.withdraw(site.database, editor, gone.post_id)
    named = [path for part in await parts(site) for path in await lines(site, part)]
    assert sorted(named) == [
        "/", "/about", "/archive", "/author/ana-silva", "/category/coast", "/low-tide", "/series/tides", "/tag/sea-salt",
    ]  # fmt: skip
    for path in named:
        assert (await site.browser().get(path)).status == 200


async def test_an_empty_site_has_a_sitemap(site: Site) -> None:
    await site.person("owner")
    assert await parts(site) == {"/sitemap/lists.xml": None}
    assert await lines(site, "/sitemap/lists.xml") == {"/": None, "/archive": None}
    for path in ("/sitemap/1.xml", "/sitemap/0.xml", "/sitemap/999999999999.xml", "/sitemap/9999999999999.xml", "/sitemap/x.xml"):
        assert (await site.browser().get(path)).status == 404


async def test_a_part_has_the_posts_with_its_ids(site: Site) -> None:
    author = await factories.person(site.database, "author")
    await site.person("owner")
    for post_id, title in ((sitemaps.PART, "Last of one"), (sitemaps.PART + 1, "First of two"), (4 * sitemaps.PART, "Last of four")):
        made = await factories.published(site.database, author, title=title)
        await renumber(site, made.post_id, post_id)
    assert list(await parts(site)) == ["/sitemap/lists.xml", "/sitemap/1.xml", "/sitemap/2.xml", "/sitemap/4.xml"]
    assert list(await lines(site, "/sitemap/1.xml")) == ["/last-of-one"]
    assert list(await lines(site, "/sitemap/2.xml")) == ["/first-of-two"]
    assert list(await lines(site, "/sitemap/4.xml")) == ["/last-of-four"]


async def test_lastmod_is_when_readers_saw_the_change(site: Site) -> None:
    await written(site)
    author = await factories.person(site.database, "author")
    other = await factories.published(site.database, author, title="Other")
    async with site.database.transaction() as work:
        moment = work.now.replace(year=2024, microsecond=0)
        await work.session.execute(update(Published).values(updated_at=moment))
        await work.session.execute(update(Published).where(Published.post_id == other.post_id).values(updated_at=moment.replace(year=2025)))
    assert {path: (changed or "")[:4] for path, changed in (await lines(site, "/sitemap/1.xml")).items()} == {
        "/low-tide": "2024",
        "/other": "2025",
    }
    assert {path: (changed or "")[:4] for path, changed in (await lines(site, "/sitemap/lists.xml")).items()} == {
        "/": "2025", "/archive": "2025", "/author/ana-silva": "2025",
        "/category/coast": "2024", "/series/tides": "2024", "/tag/sea-salt": "2024",
    }  # fmt: skip
    assert [(changed or "")[:4] for changed in (await parts(site)).values()] == ["2025", "2025"]


@pytest.mark.parametrize("path", ["/sitemap.xml", "/sitemap/1.xml", "/sitemap/lists.xml"])
async def test_a_sitemap_is_one_question(site: Site, path: str) -> None:
    await written(site)
    await site.browser().get("/manifest.webmanifest")
    with questions(site.database) as asked:
        answer = await site.browser().get(path)
    assert len(asked) == 1, "what is around all pages is known since the one before"
    assert (await site.browser().get(path, **{"If-None-Match": answer.headers["Etag"]})).status == 304
