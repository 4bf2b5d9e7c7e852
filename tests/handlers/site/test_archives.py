"""Lists of a tag, a category, an author, and everything by date."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from cms.models import Address, Published
from cms.models.address import TargetKind
from cms.services import addresses
from cms.services import site as sites
from tests import factories
from tests.handlers.site.test_home import publish_many
from tests.web import Answer, Site


def entries(answer: Answer) -> list[str]:
    return ["".join(heading.itertext()) for heading in answer.page.findall(".//h2[@class='entry-title']")]


async def dated(site: Site, *moments: datetime) -> None:
    """Posts "At 1", "At 2"… published at these moments."""
    author = await factories.person(site.database, "author")
    for number, moment in enumerate(moments, 1):
        made = await factories.published(site.database, author, title=f"At {number}")
        async with site.database.transaction() as work:
            values = {"published_at": moment, "month": f"{moment:%Y-%m}"}
            await work.session.execute(update(Published).where(Published.post_id == made.post_id).values(**values))


@pytest.mark.parametrize(("path", "name"), [("/tag/sea", "Sea"), ("/author/ana-silva", "Ana Silva"), ("/category/coast", "Coast")])
async def test_a_list_has_its_name_and_pages(site: Site, path: str, name: str) -> None:
    await site.person("owner")
    owner = await factories.person(site.database, "owner")
    author = await factories.person(site.database, "author")
    from cms.services import taxonomies

    async with site.database.transaction() as work:
        category = (await taxonomies.ensure_category(work, owner, "Coast")).id
    for number in range(1, 12):
        await factories.published(site.database, author, title=f"Tide {number}", tags=("Sea",), category=category)
    browser = site.browser()
    first = await browser.get(path)
    assert first.status == 200
    assert first.page.find(".//h1").text == name
    assert entries(first) == [f"Tide {number}" for number in range(11, 1, -1)]
    assert first.page.find(".//link[@rel='next']").get("href") == f"{path}/page/2"
    assert entries(await browser.get(f"{path}/page/2")) == ["Tide 1"]
    again = await browser.get(f"{path}/page/1")
    assert (again.status, again.location) == (301, path)
    assert (await browser.get(f"{path}/page/3")).status == 404
    assert (await browser.send("HEAD", path)).status == 200


async def test_a_tag_that_moved_leads_to_where_it_is(site: Site) -> None:
    await publish_many(site, 11, tags=("Sea",))
    async with site.database.transaction() as work:
        tag_id = (await addresses.find_current(work.session, TargetKind.TAG, 1)).target_id  # type: ignore[union-attr]
        await addresses.assign(work, "tag/ocean", TargetKind.TAG, tag_id)
    browser = site.browser()
    answer = await browser.get("/tag/sea?x=1")
    assert (answer.status, answer.location) == (301, "/tag/ocean?x=1")
    answer = await browser.get("/tag/sea/page/2")
    assert (answer.status, answer.location) == (301, "/tag/ocean/page/2")


async def test_terms_without_public_posts_are_not_found(site: Site) -> None:
    await site.person("owner")
    author = await factories.person(site.database, "author")
    await factories.draft(site.database, author, title="Secret", tags=("Hidden",))
    browser = site.browser()
    for path in ("/tag/hidden", "/tag/none", "/author/ana-silva", "/author/none", "/category/none", "/category/a/b"):
        assert (await browser.get(path)).status == 404


async def test_the_archive_of_an_empty_site_says_so(site: Site) -> None:
    await site.person("owner")
    answer = await site.browser().get("/archive")
    assert answer.status == 200
    assert "Nothing has been published yet" in answer.words
    assert (await site.browser().get("/archive/2024")).status == 404


async def test_the_archive_goes_by_year_month_and_day(site: Site) -> None:
    await site.person("owner")
    await dated(site, datetime(2023, 5, 2, tzinfo=UTC), datetime(2024, 1, 9, tzinfo=UTC), datetime(2024, 3, 30, tzinfo=UTC))
    browser = site.browser()
    everything = await browser.get("/archive")
    assert [heading.text for heading in everything.page.findall(".//h2")] == ["2024", "2023"]
    assert [link.get("href") for link in everything.page.findall(".//nav[@aria-label='Years']//a")] == ["/archive/2024", "/archive/2023"]
    year = await browser.get("/archive/2024")
    assert [heading.text for heading in year.page.findall(".//h2")] == ["March", "January"]
    assert [time.text for time in year.page.findall(".//ol/li/time")] == ["30 Mar", "9 Jan"]
    month = await browser.get("/archive/2024/03")
    assert month.page.find(".//h1").text == "March 2024"
    assert ["".join(line.itertext()) for line in month.page.findall(".//ol/li/a")] == ["At 3"]
    for path in ("/archive/2022", "/archive/2024/02", "/archive/2024/13"):
        assert (await browser.get(path)).status == 404


async def test_dates_are_those_of_the_site_s_zone(site: Site) -> None:
    await site.person("owner")
    async with site.database.transaction() as work:
        await sites.configure(work, time_zone="Asia/Tokyo")
    await dated(site, datetime(2023, 12, 31, 20, tzinfo=UTC))
    answer = await site.browser().get("/archive")
    assert answer.page.find(".//ol/li/time").text == "1 Jan"
    assert answer.page.find(".//h2").text == "2024"


async def test_an_address_written_with_signs_is_quoted_in_lists(site: Site) -> None:
    await publish_many(site, 1)
    async with site.database.transaction() as work:
        await work.session.execute(update(Address).where(Address.path == "tide-1").values(path="100% tide?"))
        await work.session.execute(update(Published).values(path="100% tide?"))
    browser = site.browser()
    answer = await browser.get("/")
    address = answer.page.find(".//h2[@class='title']/a").get("href")
    assert address == "/100%25%20tide%3F"
    assert (await browser.get(address)).status == 200
