"""How the databases would find what services ask for: by an index, and no list made again for each row."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncSession

from cms.db import postgresql_search
from cms.db.session import Database
from cms.models import Post, Published
from cms.models.address import TargetKind
from cms.models.post import Kind, Live
from cms.schemas.desk import ListQuery
from cms.schemas.library import LibraryQuery
from cms.schemas.search import SearchInput
from cms.services import calendar, dashboard, desk_lists, feeds, library, lists, posts, reading, search, sitemaps, surroundings
from tests import bulk
from tests.factories import asset_row, draft, person, published
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


EXPLAIN = {"sqlite": "EXPLAIN QUERY PLAN", "postgresql": "EXPLAIN"}


async def plans(database: Database, ask: Callable[[AsyncSession], Awaitable[Any]]) -> list[str]:
    async with database.read() as session:
        with questions(database) as asked:
            await ask(session)
    assert asked
    found = []
    async with database.reading.connect() as connection:
        for statement, parameters in asked:
            rows = await connection.exec_driver_sql(f"{EXPLAIN[database.dialect.name]} {statement}", parameters)
            found.append(" | ".join(row[-1] for row in rows))
    return found


@pytest.fixture
async def database(templates: Any, tmp_path: Any) -> Any:
    """SQLite only: its plans do not depend on how much is there, PostgreSQL's do."""
    database = Database(await templates.copy_sqlite(tmp_path / "squall.db"))
    yield database
    await database.dispose()


@pytest.fixture
async def on_server(templates: Any) -> Any:
    """For what PostgreSQL would choose to gather where SQLite asks row by row. As much has to be there as makes it choose."""
    async with templates.on_postgresql() as url:
        database = Database(url)
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


async def test_drafts_are_asked_one_by_one_by_a_server_too(on_server: Database) -> None:
    ana, editor = await person(on_server, "author"), await person(on_server, "editor")
    await bulk.publish(on_server, [ana, editor], 600)
    async with on_server.transaction() as work:
        await work.session.execute(update(Post).where(Post.id % 3 == 0).values(live=Live.NEVER))
        await work.session.execute(text("ANALYZE"))
    for actor in (ana, editor):
        for plan in await plans(on_server, lambda session, actor=actor: dashboard.today(session, actor)):
            assert "hashed SubPlan" not in plan, plan
        asked = await plans(on_server, lambda session, actor=actor: calendar.month(session, actor, None, on_server.clock()))
        assert [plan for plan in asked if "working_copies" in plan]
        assert not [plan for plan in asked if "Seq Scan on working_copies" in plan]


async def test_a_word_that_many_texts_have_by_all_accounts_is_not_gathered(on_server: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_lists, "MANY", 1)
    editor = await person(on_server, "editor")
    for number in range(2 * postgresql_search.SURELY):
        others = " ".join(f"word{number}x{n}" for n in range(10))  # of a hundred words there is something to say
        await draft(on_server, editor, title=f"Number {number}", text=f"mud {others}")

    async with on_server.transaction() as work:
        await on_server.dialect.gather_statistics(work.session)

    async def ask(word: str) -> tuple[int, bool]:
        async with on_server.read() as session:
            with questions(on_server) as asked:
                found = await desk_lists.list_posts(session, editor, Kind.POST, ListQuery(q=word))
        return len(found.rows), any("search_index_desk_posts" in statement for statement, _ in asked)

    assert await ask("mud") == await ask("num wor") == (2 * postgresql_search.SURELY, False)
    assert await ask("number 7") == (1, True)


async def test_whether_a_file_is_in_use_is_not_looked_for_in_all_others(database: Database) -> None:
    editor = await person(database, "editor")
    async with database.transaction() as work:
        work.session.add_all(asset_row(f"{n:064x}", created_at=work.now, created_by_id=editor.user_id) for n in range(2000))
        await work.session.execute(text("ANALYZE"))  # then all of these, without a poster, look as if they had the same one
    for plan in await plans(database, lambda session: library.list_assets(session, editor, LibraryQuery(unused=True))):
        assert "SCAN assets_1" not in plan, plan
