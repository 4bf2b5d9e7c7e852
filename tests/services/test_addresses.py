"""Addresses: unique, never forgotten, never more than one step away."""

import asyncio
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from cms.content.pipeline import render
from cms.db.session import Database
from cms.errors import Conflict, InvalidInput
from cms.models import Address, Category, Published
from cms.models.address import RESERVED_SEGMENTS, AddressState, TargetKind, is_own, normalise_path
from cms.policy import Actor
from cms.routes import routes
from cms.services import addresses, posts, publishing, reading, site
from tests import watching
from tests.factories import draft, edited, person, publish, published, published_page, trash, withdraw


@pytest.fixture
async def editor(database: Database) -> Actor:
    return await person(database, "editor")


async def configure(database: Database, **changes: object) -> None:
    async with database.transaction() as work:
        await site.configure(work, **changes)


async def rename(database: Database, actor: Actor, post_id: int, slug: str) -> str:
    await edited(database, actor, post_id, slug=slug)
    return (await publish(database, actor, post_id)).path


async def leads_to(database: Database, path: str) -> str:
    async with database.read() as session:
        return (await reading.find_place(session, path)).path


# --- moving ----------------------------------------------------------------------------------------------------------------


async def test_changed_slug_moves_the_address_and_changing_back_moves_it_back(database: Database, editor: Actor) -> None:
    post = await published(database, editor, slug="one")
    assert await rename(database, editor, post.post_id, "two") == "two"
    assert await watching.addresses(database) == {"one": "moved", "two": "current"}
    assert await rename(database, editor, post.post_id, "one") == "one"
    assert await watching.addresses(database) == {"one": "current", "two": "moved"}
    assert await leads_to(database, "two") == "/one"


async def test_whatever_moved_often_is_one_step_away(database: Database, editor: Actor) -> None:
    post = await published(database, editor, slug="a")
    for slug in ("b", "c", "d", "b", "e"):
        await rename(database, editor, post.post_id, slug)
    assert await watching.addresses(database) == {"a": "moved", "b": "moved", "c": "moved", "d": "moved", "e": "current"}
    for path in "abcd":
        assert await leads_to(database, path) == "/e"


async def test_nothing_has_two_places(database: Database, editor: Actor) -> None:
    post = await published(database, editor, slug="one")
    with pytest.raises(Conflict):
        async with database.transaction() as work:
            work.session.add(Address(path="two", target_kind=TargetKind.POST, target_id=post.post_id, state=AddressState.CURRENT))


async def test_address_wins_over_a_redirect(database: Database, editor: Actor) -> None:
    first = await published(database, editor, slug="tide")
    await rename(database, editor, first.post_id, "low-tide")
    second = await published(database, editor, slug="tide")
    assert (second.path, await leads_to(database, "tide")) == ("tide", "/tide")
    with pytest.raises(InvalidInput):
        await rename(database, editor, first.post_id, "tide")


async def test_two_who_take_the_same_redirect_at_once_do_not_both_get_it(database: Database, editor: Actor) -> None:
    first = await published(database, editor, slug="tide")
    await rename(database, editor, first.post_id, "elsewhere")
    made = [await draft(database, editor, slug="tide") for _ in range(2)]

    async def take(post_id: int) -> None:
        async with database.transaction() as work:
            await publishing.publish(work, editor, post_id, publishing.Version(1, render("")))
            await asyncio.sleep(0.1)

    results = await asyncio.gather(*(take(post.id) for post in made), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) in (["InvalidInput", "NoneType"], ["Conflict", "NoneType"])
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(Published).where(Published.path == "tide")) == 1


async def test_two_posts_with_one_title_published_at_once_have_two_addresses(database: Database, editor: Actor) -> None:
    made = [await draft(database, editor) for _ in range(2)]
    results = await asyncio.gather(*(publish(database, editor, post.id) for post in made), return_exceptions=True)
    for post, result in zip(made, results, strict=True):
        if isinstance(result, Conflict):  # he tries again, as the sentence says
            await publish(database, editor, post.id)
        else:
            assert not isinstance(result, BaseException)
    assert await watching.addresses(database) == {"low-tide": "current", "low-tide-2": "current"}


# --- taken and reserved ----------------------------------------------------------------------------------------------------


async def test_path_that_is_taken_is_refused_on_its_field_and_nothing_is_written(database: Database, editor: Actor) -> None:
    taken = await published(database, editor, slug="tide")
    gone = await published(database, editor, slug="gone")
    await withdraw(database, editor, gone.post_id)
    thrown = await published(database, editor, slug="thrown")
    await trash(database, editor, thrown.post_id)
    for slug, words in (("tide", "something else"), ("gone", "withdrawn or in the trash"), ("thrown", "withdrawn or in the trash")):
        post = await draft(database, editor, slug=slug)
        with watching.events(database) as heard, pytest.raises(InvalidInput, match=words) as refused:
            await publish(database, editor, post.id)
        assert set(refused.value.errors) == {"slug"}
        assert heard == []
        async with database.read() as session:
            assert await session.get(Published, post.id) is None
    assert await leads_to(database, "tide") == f"/{taken.path}"


async def test_only_who_types_an_address_takes_an_old_one_away(database: Database, editor: Actor) -> None:
    moved = await published(database, editor, title="Tide")
    await rename(database, editor, moved.post_id, "elsewhere")
    made = await published(database, editor, title="Tide")
    assert (made.path, await leads_to(database, "tide")) == ("tide-2", "/elsewhere")
    typed = await published(database, editor, slug="tide")
    assert (typed.path, await leads_to(database, "tide")) == ("tide", "/tide")


async def test_automatic_slugs_get_numbers_and_keep_them(database: Database, editor: Actor) -> None:
    made = [await published(database, editor, title="Tide") for _ in range(3)]
    assert [post.path for post in made] == ["tide", "tide-2", "tide-3"]
    await rename(database, editor, made[0].post_id, "elsewhere")
    assert (await publish(database, editor, made[1].post_id)).path == "tide-2"
    assert (await published(database, editor, title="Tide")).path == "tide-4"  # the old address leads on


async def test_post_without_a_word_in_its_title_is_found_by_its_number(database: Database, editor: Actor) -> None:
    post = await published(database, editor, title="?!")
    assert post.path == str(post.post_id)


@pytest.mark.parametrize("segment", ["admin", "feed.xml", "Tag", "Login", ".well-known"])
async def test_first_segment_of_the_program_is_never_given_out(database: Database, editor: Actor, segment: str) -> None:
    with pytest.raises(InvalidInput):
        async with database.transaction() as work:
            await addresses.assign(work, f"{segment}/x", TargetKind.POST, 1)


@pytest.mark.parametrize("slug", ["admin", "Tag", "LOGIN"])
async def test_reserved_slug_is_refused_when_it_is_typed_and_passed_by_when_it_is_made(
    database: Database, editor: Actor, slug: str
) -> None:
    with pytest.raises(InvalidInput, match="used by Squall itself") as refused:
        await draft(database, editor, slug=slug)
    assert set(refused.value.errors) == {"slug"}
    assert (await published(database, editor, title=slug)).path == f"{slug.lower()}-2"


async def test_page_below_another_may_have_any_slug(database: Database, editor: Actor) -> None:
    top = await published_page(database, editor, title="Services")
    below = await published_page(database, editor, title="Find", slug="search", parent=top.post_id)
    assert below.path == "services/search"


@pytest.mark.parametrize(
    ("path", "is_screen"),
    [("category/coast/page/2", True), ("category/page/page/2", True), ("category/page/2", False), ("category/coast/page", False),
     ("category/coast/page/02", False), ("category/coast/page/2/mud", False), ("category/coast/pages/2", False)],
)  # fmt: skip
def test_screens_behind_the_first_of_a_list_stand_where_the_routes_have_them(path: str, is_screen: bool) -> None:
    (route,) = [each for each in routes() if each.name == "category.page"]
    assert bool(route.regex.match(f"/{path}")) is is_own(path, TargetKind.CATEGORY) is is_screen


def test_reserved_segments_are_written_as_they_are_compared() -> None:
    assert all(segment == segment.casefold() for segment in RESERVED_SEGMENTS)


# --- letters ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "path"),
    [("Über Größe", "uber-grosse"), ("東京 の 海", "東京-の-海"), ("Καλημέρα", "καλημέρα"), ("Ёлка!", "ёлка"), ("100% mud", "100-mud"),
     ("🌊 waves", "waves"), ("a/b", "a-b")],
)  # fmt: skip
async def test_titles_of_all_scripts_make_addresses(database: Database, editor: Actor, title: str, path: str) -> None:
    post = await published(database, editor, title=title)
    assert post.path == path
    assert await leads_to(database, f"/{path}/") == f"/{path}"


async def test_path_is_found_in_any_unicode_form(database: Database, editor: Actor) -> None:
    await published(database, editor, title="Ёлка")
    assert await leads_to(database, "е\u0308лка") == "/ёлка"


@pytest.mark.parametrize("path", ["a\0b", "\0", "x" * 5000, "", "/", "//", "%", "a" * 400, "\ufffd", "tag/x"])
async def test_any_path_can_be_asked_for(database: Database, path: str) -> None:
    async with database.read() as session:
        assert (await reading.find_place(session, path)).article is None
    assert "\0" not in normalise_path(path)


async def test_address_has_an_end(database: Database) -> None:
    for path in ("", "/", "x" * 401):
        with pytest.raises(InvalidInput, match="between 1 and 400"):
            async with database.transaction() as work:
                await addresses.assign(work, path, TargetKind.POST, 1)


# --- patterns --------------------------------------------------------------------------------------------------------------


NIGHT = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)  # in Tokyo it is 2027 already, in Honolulu it is not even evening


@pytest.mark.parametrize(
    ("zone", "date", "month"),
    [("UTC", "2026/12/31", "2026-12"), ("Asia/Tokyo", "2027/01/01", "2027-01"), ("Pacific/Honolulu", "2026/12/31", "2026-12")],
)
async def test_date_is_the_local_one_of_the_first_publication_for_ever(database_url: str, zone: str, date: str, month: str) -> None:
    clock = watching.Clock(NIGHT)
    database = Database(database_url, clock=clock)
    editor = await person(database, "editor")
    await configure(database, time_zone=zone, permalink="/{year}/{month}/{day}/{slug}")
    post = await published(database, editor)
    assert (post.path, post.month, post.published_at) == (f"{date}/low-tide", month, NIGHT)
    clock.pass_(days=40)
    await edited(database, editor, post.post_id, title="High tide")
    assert (await publish(database, editor, post.post_id)).path == f"{date}/high-tide"
    await withdraw(database, editor, post.post_id)
    assert (await publish(database, editor, post.post_id)).path == f"{date}/high-tide"
    await database.dispose()


async def test_pattern_may_have_category_author_and_number(database: Database, editor: Actor) -> None:
    await configure(database, permalink="/{category}/{author}/{id}-{slug}")
    plain = await published(database, editor)
    assert plain.path == f"uncategorised/edna-reed/{plain.post_id}-low-tide"
    async with database.transaction() as work:
        top = Category(name="Europe", slug="europe", description="")
        work.session.add(top)
        await work.session.flush()
        below = Category(name="France", slug="france", parent_id=top.id, description="")
        work.session.add(below)
        await work.session.flush()
    post = await published(database, editor, category=below.id)
    assert post.path == f"europe/france/edna-reed/{post.post_id}-low-tide"


async def test_slugs_may_be_equal_where_paths_differ(database_url: str) -> None:
    clock = watching.Clock()
    database = Database(database_url, clock=clock)
    editor = await person(database, "editor")
    await configure(database, permalink="/{year}/{slug}")
    paths = []
    for _ in range(2):
        paths.append((await published(database, editor, slug="hello")).path)
        clock.pass_(days=365)
    assert paths == ["2026/hello", "2027/hello"]
    await database.dispose()


async def test_pattern_that_leads_into_the_program_is_said_so(database: Database, editor: Actor) -> None:
    await configure(database, permalink="/{category}/{slug}")
    for slug in ("", "tide"):
        with pytest.raises(InvalidInput, match="used by Squall itself"):
            await published(database, editor, new_category="Media", slug=slug)


async def test_planned_path_is_what_publishing_will_give(database: Database, editor: Actor) -> None:
    await published(database, editor, title="Tide")
    post = await draft(database, editor, title="Tide")
    for _ in range(2):
        async with database.read() as session:
            seen = await posts.get_draft(session, editor, post.id)
            planned = await publishing.planned_path(session, seen.post, seen.fields, database.clock())
        assert planned == (await publish(database, editor, post.id)).path == "tide-2"
