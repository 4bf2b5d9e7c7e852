"""How the databases would find what services ask for: by an index, and no list made again for each row."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from cms.db.session import Database
from cms.models import Published
from cms.models.address import TargetKind
from cms.models.post import Kind
from cms.schemas.desk import ListQuery
from cms.schemas.library import LibraryQuery
from cms.schemas.search import SearchInput
from cms.services import dashboard, desk_lists, feeds, library, lists, posts, reading, search, sitemaps, surroundings
from tests.factories import asset_row, person, published
from tests.watching import questions

LARGE = (
    "published",
    "addresses",
    "post_links",
    "posts",
    "revisions",
    "post_tags",
    "post_authors",
    "post_categories",
    "search_documents",
    "search_variants",
)

READERS: dict[str, tuple[Callable[..., Awaitable[Any]], tuple[Any, ...]]] = {
    "post": (reading.find_place, ("low-tide",)),
    "home": (lists.home, (1,)),
    "tag": (lists.by_tag, ("sea", 1)),
    "category": (lists.by_category, ("coast", 1)),
    "author": (lists.by_author, ("edna-reed", 1)),
    "archive": (lists.archive, ("2026",)),
    "feed": (feeds.feed, ()),
    "feed of a tag": (feeds.feed_of, (TargetKind.TAG, "sea")),
    "source": (reading.find_source, (1,)),
    "sitemap's part": (sitemaps.list_part, (1,)),
    "search": (search.find, (SearchInput(q='low "tide" -mud', tag="sea", author="edna-reed", year="2026"),)),
    "search of nothing": (search.find, (SearchInput(q="lov tied"),)),
    "near titles": (search.near_titles, ("/lov-tide",)),
}


async def plans(database: Database, ask: Callable[[AsyncSession], Awaitable[Any]]) -> list[str]:
    async with database.read() as session:
        with questions(database) as asked:
            await ask(session)
    assert asked
    found = []
    async with database.reading.connect() as connection:
        for statement, parameters in asked:
            rows = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            found.append(" | ".join(row[-1] for row in rows))
    return found


@pytest.fixture
async def database(templates: Any, tmp_path: Any) -> Any:
    """SQLite only: its plans do not depend on how much is there, PostgreSQL's do."""
    database = Database(await templates.copy_sqlite(tmp_path / "squall.db"))
    yield database
    await database.dispose()


@pytest.mark.parametrize("name", READERS)
async def test_what_readers_ask_for_is_found_by_an_index(database: Database, name: str) -> None:
    await published(database, await person(database, "editor"), tags=("Sea",), new_category="Coast")
    function, arguments = READERS[name]
    if name == "archive":
        arguments = (f"{database.clock():%Y}",)
    for plan in await plans(database, lambda session: function(session, *arguments)):
        assert "CORRELATED LIST" not in plan
        assert "TEMP B-TREE" not in plan, "sorted anew for each reader"
        assert not any(f"SCAN {table}" in plan for table in LARGE), plan


async def test_what_is_featured_is_looked_for_among_what_is_featured(database: Database) -> None:
    """And not among all that is public: the index has no other rows."""
    assert await plans(database, lists.featured) == ["SCAN published USING INDEX ix_published_featured"]


async def test_what_the_desk_asks_for_is_found_by_an_index(database: Database) -> None:
    editor = await person(database, "editor")
    post = await published(database, editor, tags=("Sea",))
    async with database.read() as session:
        live = await session.get_one(Published, post.post_id)
    for ask in (
        lambda session: desk_lists.list_posts(session, editor, Kind.POST, ListQuery.model_validate({})),
        lambda session: posts.get_draft(session, editor, post.post_id),
        lambda session: surroundings.around(session, [live]),
    ):
        for plan in await plans(database, ask):
            assert not any(f"SCAN {table}" in plan for table in LARGE), plan


async def test_whoever_sees_his_own_drafts_alone_has_lists_counted_in_indexes(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    ana = await person(database, "author")
    await published(database, ana, tags=("Sea",))
    monkeypatch.setattr(desk_lists, "MANY", 0)  # as if there were thousands
    asked = await plans(database, lambda session: desk_lists.list_posts(session, ana, Kind.POST, ListQuery()))
    (counts,) = (plan for plan in asked if "SCAN CONSTANT ROW" in plan)
    steps = [step for step in counts.split(" | ") if " posts " in step]
    assert len(steps) == 9
    assert all("USING COVERING INDEX" in step for step in steps), steps
    assert sum("ix_posts_under_way" in step for step in steps) == 3


@pytest.mark.parametrize("role", ["author", "editor"])
async def test_few_of_many_are_found_by_their_numbers(database: Database, role: str) -> None:
    actor = await person(database, role)
    for title in ("Low tide", "High tide"):
        await published(database, actor, title=title, tags=("Sea",))
    for query in (ListQuery(tag="Sea"), ListQuery(q="tide", tag="Sea", status="published", sort="title")):
        asked = await plans(database, lambda session, query=query: desk_lists.list_posts(session, actor, Kind.POST, query))
        sorted_at_last = [plan for plan in asked if "TEMP B-TREE FOR ORDER BY" in plan and plan.startswith("SEARCH posts")]
        assert [plan.split(" (")[0] for plan in sorted_at_last] == ["SEARCH posts USING INTEGER PRIMARY KEY"], query


async def test_what_needs_attention_is_not_looked_for_in_everything(database: Database) -> None:
    ana = await person(database, "author")
    await published(database, ana)
    for plan in await plans(database, lambda session: dashboard.today(session, ana)):
        assert "ix_addresses_target_kind_target_id (target_kind=?)" not in plan
        assert "reviews" not in plan or plan.startswith("SEARCH reviews USING INDEX ix_reviews_act_id"), plan


async def test_whether_a_file_is_in_use_is_not_looked_for_in_all_others(database: Database) -> None:
    editor = await person(database, "editor")
    async with database.transaction() as work:
        work.session.add_all(asset_row(f"{n:064x}", created_at=work.now, created_by_id=editor.user_id) for n in range(2000))
        await work.session.execute(text("ANALYZE"))  # then all of these, without a poster, look as if they had the same one
    for plan in await plans(database, lambda session: library.list_assets(session, editor, LibraryQuery(unused=True))):
        assert "SCAN assets_1" not in plan, plan
