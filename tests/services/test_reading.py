"""What readers ask for: pages in one statement, lists in few, in the right order and within their bounds."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import insert

from cms.db.session import Database
from cms.errors import NotFound
from cms.models import Category, PostSeries
from cms.models.address import AddressState, TargetKind
from cms.models.post import Side
from cms.policy import Actor
from cms.services import addresses, feeds, lists, reading, site, sitemaps
from tests import factories, watching
from tests.factories import draft, edited, person, publish, published, published_page, withdraw
from tests.watching import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime(2026, 1, 31, 23, 30, tzinfo=UTC))


@pytest.fixture
async def editor(database: Database) -> Actor:
    return await person(database, "editor")


async def configure(database: Database, **changes: object) -> None:
    async with database.transaction() as work:
        await site.configure(work, **changes)


async def publish_many(database: Database, editor: Actor, clock: Clock, number: int, **fields: object) -> None:
    for one in range(number):
        clock.pass_(hours=1)
        await published(database, editor, title=f"Number {one}", **fields)


def titles(found: lists.Listing | lists.Archive) -> list[str]:
    return [card.title for card in found.cards]


# --- how often the database is asked ---------------------------------------------------------------------------------------


async def test_page_of_a_post_is_one_statement_whatever_is_there(database: Database, editor: Actor) -> None:
    post = await published(database, editor, tags=("Sea", "Mud"), new_category="Coast")
    await edited(database, editor, post.post_id, slug="elsewhere")
    await publish(database, editor, post.post_id)
    for path, state in (("elsewhere", AddressState.CURRENT), ("low-tide", AddressState.MOVED), ("nothing", None)):
        with watching.questions(database) as sent:
            async with database.read() as session:
                found = await reading.find_place(session, path)
        assert len(sent) == 1
        assert (found.state, found.frame.name) == (state, "Squall")
        assert (found.article is None) is (state is None)


async def test_lists_are_few_statements_whatever_their_length(database: Database, editor: Actor, clock: Clock) -> None:
    await publish_many(database, editor, clock, 12, tags=("Sea",), new_category="Coast")
    await factories.series(database, "Tides", [1, 2])
    asked = {
        "home": (lists.home, (1,), 2),
        "tag": (lists.by_tag, ("sea", 2), 2),
        "category": (lists.by_category, ("coast", 1), 2),
        "author": (lists.by_author, ("edna-reed", 1), 2),
        "archive": (lists.archive, ("",), 3),
        "feed": (feeds.feed, (), 2),
        "feed of a tag": (feeds.feed_of, (TargetKind.TAG, "sea"), 2),
        "series": (lists.by_series, ("tides", 1), 2),
        "overview": (feeds.overview, (), 3),
        "sitemap": (sitemaps.list_parts, (), 1),
        "sitemap's part": (sitemaps.list_part, (1,), 1),
        "sitemap's lists": (sitemaps.list_lists, (), 1),
    }
    for name, (function, arguments, expected) in asked.items():
        with watching.questions(database) as sent:
            async with database.read() as session:
                await function(session, *arguments)
        assert len(sent) == expected, name


# --- home and other lists --------------------------------------------------------------------------------------------------


async def test_home_has_the_newest_posts_in_pages(database: Database, editor: Actor, clock: Clock) -> None:
    await configure(database, posts_per_page=2)
    await published_page(database, editor)
    await draft(database, editor, title="Draft")
    await publish_many(database, editor, clock, 5)
    expected = [["Number 4", "Number 3"], ["Number 2", "Number 1"], ["Number 0"]]
    for number, names in enumerate(expected, 1):
        async with database.read() as session:
            found = await lists.home(session, number)
        assert (titles(found), found.page, found.pages, found.total) == (names, number, 3, 5)
    assert (found.page_path(1), found.page_path(3)) == ("/", "/page/3")


@pytest.mark.parametrize("page", [0, -1, 4, 10**17])
async def test_page_out_of_range_is_not_found(database: Database, editor: Actor, clock: Clock, page: int) -> None:
    await configure(database, posts_per_page=2)
    await publish_many(database, editor, clock, 5, tags=("Sea",))
    async with database.read() as session:
        for asked in (lists.home(session, page), lists.by_tag(session, "sea", page), lists.by_author(session, "edna-reed", page)):
            with pytest.raises(NotFound):
                await asked


async def test_empty_home_has_one_page(database: Database) -> None:
    async with database.read() as session:
        found = await lists.home(session, 1)
        assert (titles(found), found.pages, found.total) == ([], 1, 0)
        with pytest.raises(NotFound):
            await lists.home(session, 2)


async def test_posts_of_the_same_moment_have_one_order(database: Database, editor: Actor) -> None:
    await configure(database, posts_per_page=1)
    made = [(await published(database, editor, title=title)).title for title in ("A", "B", "C")]
    async with database.read() as session:
        assert [titles(await lists.home(session, page))[0] for page in (1, 2, 3)] == made[::-1]


async def test_editing_does_not_move_a_post_to_the_top(database: Database, editor: Actor, clock: Clock) -> None:
    await publish_many(database, editor, clock, 2)
    clock.pass_(days=1)
    async with database.read() as session:
        oldest = (await lists.home(session, 1)).cards[-1]
    await edited(database, editor, oldest.post_id, text="new")
    await publish(database, editor, oldest.post_id)
    await withdraw(database, editor, oldest.post_id)
    await publish(database, editor, oldest.post_id)
    async with database.read() as session:
        assert titles(await lists.home(session, 1)) == ["Number 1", "Number 0"]


async def test_lists_show_what_is_public_and_not_what_is_being_written(database: Database, editor: Actor) -> None:
    post = await published(database, editor, title="Tide", tags=("Sea",), new_category="Coast")
    await edited(database, editor, post.post_id, title="New", tags=("Mud",), category=None)
    async with database.read() as session:
        for found in (
            await lists.by_tag(session, "sea", 1),
            await lists.by_category(session, "coast", 1),
            await lists.by_author(session, "edna-reed", 1),
        ):
            assert titles(found) == ["Tide"]
        with pytest.raises(NotFound):
            await lists.by_tag(session, "mud", 1)
    await publish(database, editor, post.post_id)
    async with database.read() as session:
        assert titles(await lists.by_tag(session, "mud", 1)) == ["New"]
        for empty in (lists.by_tag(session, "sea", 1), lists.by_category(session, "coast", 1)):
            with pytest.raises(NotFound):
                await empty


async def test_list_of_a_term_says_what_it_is_of_and_where_it_stands(database: Database, editor: Actor, clock: Clock) -> None:
    await publish_many(database, editor, clock, 11, tags=("Café",))
    async with database.read() as session:
        found = await lists.by_tag(session, "cafe", 2)
        assert (found.title, found.path, found.page_path(2), found.total) == ("Café", "/tag/cafe", "/tag/cafe/page/2", 11)
        by_author = await lists.by_author(session, "edna-reed", 1)
        assert (by_author.title, by_author.path) == ("Edna Reed", "/author/edna-reed")


async def test_category_below_another_is_found_by_its_whole_path(database: Database, editor: Actor) -> None:
    async with database.transaction() as work:
        top = Category(name="Europe", slug="europe", description="")
        work.session.add(top)
        await work.session.flush()
        below = Category(name="France", slug="france", parent_id=top.id, description="Bread.")
        work.session.add(below)
        await work.session.flush()
        await addresses.assign(work, "category/europe/france", TargetKind.CATEGORY, below.id)
    await published(database, editor, category=below.id)
    async with database.read() as session:
        found = await lists.by_category(session, "europe/france", 1)
        assert (found.title, found.description, found.total) == ("France", "Bread.", 1)
        with pytest.raises(NotFound):
            await lists.by_category(session, "france", 1)


@pytest.mark.parametrize("slug", ["nothing", "a\0b", "x" * 1000, "", "%"])
async def test_term_that_does_not_exist_is_not_found(database: Database, slug: str) -> None:
    async with database.read() as session:
        for asked in (lists.by_tag(session, slug, 1), lists.by_category(session, slug, 1), lists.by_author(session, slug, 1)):
            with pytest.raises(NotFound):
                await asked


async def test_series_is_in_the_order_in_which_it_is_read(database: Database, editor: Actor, clock: Clock) -> None:
    await configure(database, posts_per_page=3)
    await publish_many(database, editor, clock, 4)
    await factories.series(database, "Tides", [4, 2, 1])
    async with database.transaction() as work:
        await work.session.execute(insert(PostSeries).values(post_id=3, side=Side.LIVE, series_id=1, position=2))
        await work.session.execute(insert(PostSeries).values(post_id=3, side=Side.WORK, series_id=1, position=1))
    async with database.read() as session:
        first, second = await lists.by_series(session, "tides", 1), await lists.by_series(session, "tides", 2)
        assert (first.title, first.path, first.total, first.pages) == ("Tides", "/series/tides", 4, 2)
        assert titles(first) + titles(second) == ["Number 3", "Number 1", "Number 2", "Number 0"]
        assert (await feeds.feed_of(session, TargetKind.SERIES, "tides")).articles[0].title == "Number 3"


async def test_series_without_public_posts_is_not_found(database: Database, editor: Actor) -> None:
    await factories.series(database, "Tides", [])
    secret = await draft(database, editor)
    async with database.transaction() as work:
        await work.session.execute(insert(PostSeries).values(post_id=secret.id, side=Side.WORK, series_id=1, position=1))
    async with database.read() as session:
        for asked in (lists.by_series(session, "tides", 1), feeds.feed_of(session, TargetKind.SERIES, "tides")):
            with pytest.raises(NotFound):
                await asked
        assert "/series/tides" not in {line.path for line in await sitemaps.list_lists(session)}


# --- archive ---------------------------------------------------------------------------------------------------------------


async def test_months_of_the_archive_are_those_of_the_sites_zone(database: Database, editor: Actor, clock: Clock) -> None:
    await published(database, editor, title="UTC: the last half hour of January")
    await configure(database, time_zone="Asia/Tokyo")
    await published(database, editor, title="Tokyo: the first of February")
    clock.now = datetime(2025, 3, 1, tzinfo=UTC)
    await published(database, editor, title="A year before")
    await published_page(database, editor, title="A page")
    async with database.read() as session:
        every, year, month = [await lists.archive(session, period) for period in ("", "2026", "2026-02")]
        assert every.months == [("2026-02", 1), ("2026-01", 1), ("2025-03", 1)]
        assert titles(every) == ["Tokyo: the first of February", "UTC: the last half hour of January", "A year before"]
        assert titles(year) == titles(every)[:2]
        assert titles(month) == titles(every)[:1]
        for period in ("2024", "2026-03", "0000"):
            with pytest.raises(NotFound):
                await lists.archive(session, period)


# --- for programs ----------------------------------------------------------------------------------------------------------


async def test_feed_has_the_newest_with_their_text(database: Database, editor: Actor, clock: Clock) -> None:
    await published_page(database, editor)
    await publish_many(database, editor, clock, feeds.FEED_LENGTH + 1, text="Mud.")
    async with database.read() as session:
        feed = await feeds.feed(session)
    articles = feed.articles
    assert (feed.frame.name, len(articles)) == ("Squall", feeds.FEED_LENGTH)
    assert (articles[0].title, articles[0].html.strip(), articles[0].path) == ("Number 20", "<p>Mud.</p>", "/number-20")


async def test_sitemap_has_all_that_is_public_with_when_it_changed(database: Database, editor: Actor, clock: Clock) -> None:
    post = await published(database, editor)
    await published_page(database, editor)
    gone = await published(database, editor, title="Gone")
    await withdraw(database, editor, gone.post_id)
    clock.pass_(days=1)
    await edited(database, editor, post.post_id, text="new")
    await publish(database, editor, post.post_id)
    async with database.read() as session:
        lines = {line.path: line.updated_at for line in await sitemaps.list_part(session, 1)}
    assert lines == {"/low-tide": clock.now, "/about": datetime(2026, 1, 31, 23, 30, tzinfo=UTC)}


async def test_empty_site_has_a_feed_a_sitemap_and_an_archive(database: Database) -> None:
    async with database.read() as session:
        assert (await feeds.feed(session)).articles == []
        assert await sitemaps.list_parts(session) == []
        assert [(line.path, line.updated_at) for line in await sitemaps.list_lists(session)] == [("/", None), ("/archive", None)]
        assert (await lists.archive(session, "")).months == []
