"""Reading and writing: what is kept, what is announced, and in which words it fails. Real databases, real failures."""

import asyncio
import json
import sqlite3
import threading
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import bindparam, delete, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError, OperationalError

from cms.db.session import Database, Work
from cms.errors import Collision, Conflict, StorageFull, Unavailable
from cms.events import SiteChanged, WorkChanged
from cms.models import AuditEntry, Base, OutboxEntry, Post, Site, Tag, WorkingCopy
from cms.policy import SYSTEM
from cms.services import audit, outbox
from tests import postgresql, watching
from tests.factories import draft, edited, person, published
from tests.waiting import MOST, longest_wait


def tag(name: str) -> Tag:
    return Tag(name=name, folded=name, slug=name)


async def tag_names(database: Database) -> list[str]:
    async with database.read() as session:
        return list(await session.scalars(select(Tag.name).order_by(Tag.name)))


# --- reading ---------------------------------------------------------------------------------------------------------------


async def test_read_session_cannot_write_by_statement(database: Database) -> None:
    for statement in (
        update(Site).values(name="x"),
        insert(Tag).values(name="x", folded="x", slug="x"),
        text("CREATE TABLE x (y integer)"),
    ):
        with pytest.raises(Unavailable):
            async with database.read() as session:
                await session.execute(statement)
    async with database.read() as session:
        assert await session.scalar(select(Site.name)) == "Squall"


async def test_read_session_cannot_write_an_object(database: Database) -> None:
    with pytest.raises(Unavailable):
        async with database.read() as session:
            session.add(tag("sea"))
            await session.flush()
    assert await tag_names(database) == []


async def test_objects_stay_readable_after_their_session(database: Database) -> None:
    async with database.transaction() as work:
        sea = tag("sea")
        work.session.add(sea)
    assert (sea.name, sea.id) == ("sea", 1)


def test_nothing_can_be_loaded_lazily() -> None:
    assert [mapper for mapper in Base.registry.mappers if mapper.relationships or mapper.attrs.keys() != mapper.column_attrs.keys()] == []


# --- writing ---------------------------------------------------------------------------------------------------------------


async def test_transaction_is_kept_when_its_block_ends(database: Database) -> None:
    async with database.transaction() as work:
        work.session.add(tag("sea"))
    assert await tag_names(database) == ["sea"]


async def test_transaction_is_undone_when_its_block_raises(database: Database) -> None:
    with pytest.raises(KeyError):
        async with database.transaction() as work:
            work.session.add(tag("sea"))
            await work.session.flush()
            raise KeyError
    assert await tag_names(database) == []


async def test_transaction_is_undone_when_its_task_is_cancelled(database: Database) -> None:
    async def write() -> None:
        async with database.transaction() as work:
            work.session.add(tag("sea"))
            await work.session.flush()
            await asyncio.sleep(60)

    task = asyncio.create_task(write())
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with database.transaction() as work:  # the connection is free and clean again
        work.session.add(tag("mud"))
    assert await tag_names(database) == ["mud"]


async def test_readers_see_nothing_before_the_commit(database: Database) -> None:
    async with database.transaction() as work:
        work.session.add(tag("sea"))
        await work.session.flush()
        assert await tag_names(database) == []


async def test_work_has_one_moment_and_passes_the_request_on(database_url: str) -> None:
    clock = watching.Clock()
    database = Database(database_url, clock=clock)
    async with database.transaction("request-1") as work:
        audit.note(work, SYSTEM, "test", "site", 1, a=["ü", None])
    async with database.read() as session:
        entry = (await session.scalars(select(AuditEntry))).one()
    assert (entry.at, entry.request_id, entry.details, entry.user_id) == (clock.now, "request-1", {"a": ["ü", None]}, None)
    await database.dispose()


# --- events ----------------------------------------------------------------------------------------------------------------


async def test_events_are_heard_after_the_commit_and_in_order(database: Database) -> None:
    with watching.events(database) as heard:
        async with database.transaction() as work:
            outbox.record(work, WorkChanged(1))
            outbox.record(work, SiteChanged(("name",)))
            await work.session.flush()
            assert heard == []
    assert heard == [WorkChanged(1), SiteChanged(("name",))]


async def test_nothing_is_announced_after_a_rollback(database: Database) -> None:
    with watching.events(database) as heard:
        for failure in (KeyError(), None):
            with pytest.raises((KeyError, Conflict)):
                async with database.transaction() as work:
                    outbox.record(work, WorkChanged(1))
                    if failure:
                        raise failure
                    work.session.add_all([tag("sea"), tag("sea")])  # fails on the way to the commit
    assert heard == []
    assert await watching.outbox(database) == []


async def test_rows_of_the_outbox_are_the_events_that_were_heard(database: Database) -> None:
    editor = await person(database, "editor")
    with watching.events(database) as heard:
        before = len(await watching.outbox(database))
        post = await published(database, editor, tags=("Sea",), new_category="Coast")
        await edited(database, editor, post.post_id, title="High tide")
    rows = (await watching.outbox(database))[before:]
    assert [(row.name, row.payload) for row in rows] == [(type(one).__name__, json.loads(json.dumps(asdict(one)))) for one in heard]
    assert [row.id for row in rows] == sorted(row.id for row in rows)


async def test_old_events_are_forgotten(database_url: str) -> None:
    clock = watching.Clock()
    database = Database(database_url, clock=clock)
    for _ in range(2):
        async with database.transaction() as work:
            outbox.record(work, WorkChanged(1))
        clock.pass_(days=4)
    async with database.transaction() as work:
        await outbox.prune(work)
    assert [row.id for row in await watching.outbox(database)] == [2]
    await database.dispose()


# --- types -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 11, 20, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(2026, 11, 21, 8, 30, tzinfo=ZoneInfo("Asia/Tokyo")),
        datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin")),
        datetime(1970, 1, 1, tzinfo=timezone(timedelta(hours=-11, minutes=-30))),
    ],
)
async def test_moments_come_back_as_the_same_instant_in_utc(database: Database, moment: datetime) -> None:
    async with database.transaction() as work:
        work.session.add(OutboxEntry(at=moment, name="x", payload={}))
    (row,) = await watching.outbox(database)
    assert row.at.utcoffset() == timedelta(0)
    assert row.at.timestamp() == moment.timestamp()
    async with database.read() as session:
        assert await session.scalar(select(func.count()).where(OutboxEntry.at == moment)) == 1
        assert await session.scalar(select(func.count()).where(OutboxEntry.at < moment)) == 0


async def test_moment_without_a_zone_is_refused(database: Database) -> None:
    with pytest.raises(Exception, match="without a zone"):
        async with database.transaction() as work:
            work.session.add(OutboxEntry(at=datetime(2026, 1, 1), name="x", payload={}))  # noqa: DTZ001
    assert await watching.outbox(database) == []


@pytest.mark.parametrize("value", [{}, {"a": [1, 2.5, None, True, {"ü": "🌊"}]}, {"text": "'\"\\ \u2028"}])
async def test_json_comes_back_as_it_was(database: Database, value: dict[str, Any]) -> None:
    async with database.transaction() as work:
        work.session.add(OutboxEntry(at=work.now, name="x", payload=value))
    (row,) = await watching.outbox(database)
    assert row.payload == value


async def test_enum_is_stored_by_its_value_and_nothing_as_null(database: Database) -> None:
    post = await published(database, await person(database, "editor"))
    async with database.read() as session:
        assert (await session.execute(text("SELECT kind, live, work FROM posts"))).one() == ("post", "published", "draft")
        assert await session.scalar(text("SELECT count(*) FROM published WHERE category IS NULL AND picture IS NULL")) == 1
        assert (await session.get_one(Post, post.post_id)).live.name == "PUBLISHED"


# --- conflicts -------------------------------------------------------------------------------------------------------------


async def test_stale_version_is_a_conflict_and_changes_nothing(database: Database) -> None:
    editor = await person(database, "editor")
    post = await draft(database, editor, text="first")
    async with database.read() as session:
        stale = await session.get_one(WorkingCopy, post.id)
    await edited(database, editor, post.id, text="second")
    with pytest.raises(Conflict):
        async with database.transaction() as work:
            work.session.add(stale)
            stale.content = "third"
    async with database.read() as session:
        assert (await session.get_one(WorkingCopy, post.id)).content == "second"


async def test_what_is_there_already_is_a_conflict(database: Database) -> None:
    async with database.transaction() as work:
        work.session.add(tag("sea"))
    with pytest.raises(Conflict):
        async with database.transaction() as work:
            work.session.add(tag("sea"))


async def test_of_two_who_write_the_same_at_once_one_has_a_conflict(database: Database) -> None:
    async def write() -> None:
        async with database.transaction() as work:
            work.session.add(tag("sea"))
            await work.session.flush()
            await asyncio.sleep(0.05)

    results = await asyncio.gather(*(write() for _ in range(4)), return_exceptions=True)
    assert [type(result) for result in results if result is not None] == [Collision] * 3
    assert await tag_names(database) == ["sea"]


async def test_other_broken_rules_are_faults_of_the_program(database: Database) -> None:
    with pytest.raises(IntegrityError):
        async with database.transaction() as work:
            await work.session.execute(insert(WorkingCopy).values(post_id=999, content="", fields={}, updated_at=work.now, version=1))


async def test_what_names_something_that_was_deleted_at_this_moment_is_done_again(database: Database) -> None:
    if database.dialect.name == "sqlite":
        pytest.skip("one writer at a time")
    async with database.transaction() as work:
        work.session.add(tag("sea"))
    tries = list[list[str]]()

    async def name_it(work: Work) -> None:
        parents = list(await work.session.scalars(select(Tag.name)))
        tries.append(parents)
        if parents:
            async with database.transaction() as other:
                await other.session.execute(delete(Tag))
            await work.session.execute(insert(WorkingCopy).values(post_id=999, content="", fields={}, updated_at=work.now, version=1))

    await database.run(name_it)
    assert tries == [["sea"], []]


async def test_two_who_wait_for_each_other_do_not_wait_for_ever(database: Database) -> None:
    if database.dialect.name == "sqlite":
        pytest.skip("one writer at a time")
    async with database.transaction() as work:
        work.session.add_all([tag("a"), tag("b")])
    both = asyncio.Barrier(2)

    async def rename(*names: str) -> None:
        async with database.transaction() as work:
            await work.session.execute(update(Tag).where(Tag.name == names[0]).values(description="x"))
            await both.wait()
            await work.session.execute(update(Tag).where(Tag.name == names[1]).values(description="y"))

    results = await asyncio.gather(rename("a", "b"), rename("b", "a"), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["Collision", "NoneType"]


# --- many at once ----------------------------------------------------------------------------------------------------------


async def test_fifty_transactions_of_two_processes_all_come_through(database_url: str) -> None:
    """Each reads before it writes, which is what a deferred transaction of SQLite fails at."""
    databases = [Database(database_url), Database(database_url)]

    async def write(number: int) -> int:
        async with databases[number % 2].transaction() as work:
            seen = await work.session.scalar(select(func.count()).select_from(AuditEntry))
            audit.note(work, SYSTEM, "test", "site", number)
            return seen or 0

    async def read(number: int) -> None:
        async with databases[number % 2].read() as session:
            await session.scalar(select(func.count()).select_from(AuditEntry))

    seen = await asyncio.gather(*(write(number) for number in range(50)))
    if database_url.startswith("sqlite"):
        assert sorted(seen) == list(range(50)), "one at a time"
    await asyncio.gather(*(one(number) for number in range(25) for one in (read, write)))
    async with databases[0].read() as session:
        assert await session.scalar(select(func.count()).select_from(AuditEntry)) == 75
    for database in databases:
        await database.dispose()


async def test_whoever_finds_no_free_connection_is_asked_to_come_back(database: Database) -> None:
    database.writing.pool._timeout = 0.05  # seconds instead of half a minute
    most = 1 if database.dialect.name == "sqlite" else 20
    held = [database.transaction() for _ in range(most)]
    for transaction in held:
        await transaction.__aenter__()
    with pytest.raises(Unavailable):
        async with database.transaction():
            pass
    for transaction in held:
        await transaction.__aexit__(None, None, None)
    async with database.transaction() as work:
        work.session.add(tag("sea"))


async def test_writer_of_another_process_is_waited_for_but_not_for_ever(database: Database) -> None:
    if database.dialect.name != "sqlite":
        pytest.skip("about SQLite's one writer")
    async with database.transaction() as work:
        await work.session.execute(text("PRAGMA busy_timeout=50"))
    path = database.url.removeprefix("sqlite+aiosqlite:///")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match="busy"):
            async with database.transaction():
                pass
        assert await tag_names(database) == []  # readers go on
        other.execute("COMMIT")
    async with database.transaction() as work:
        work.session.add(tag("sea"))
    assert await tag_names(database) == ["sea"]


async def test_a_row_at_hand_is_found_without_leaving_the_loop(database: Database) -> None:
    async with database.transaction() as work:
        work.session.add(tag("sea"))
    with watching.questions(database) as asked:
        if database.dialect.name == "sqlite":
            finding = database.find(select(Tag.slug).where(Tag.name == "sea"), {})
            with pytest.raises(StopIteration, match="sea"):  # nothing was waited for
                finding.send(None)
        assert await database.find(select(Tag.slug).where(Tag.name == bindparam("name")), {"name": "mud"}) is None
        row = await database.find(select(Tag.slug).where(Tag.name == bindparam("name")), {"name": "sea"})
    assert row is not None
    assert row.slug == "sea"
    assert len(asked) == (3 if database.dialect.name == "sqlite" else 2)


async def test_of_what_a_transaction_asks_only_the_short_is_answered_in_the_loop(database: Database) -> None:
    if database.dialect.name != "sqlite":
        pytest.skip("another program answers")
    long = text(
        "SELECT max(i), here() FROM (WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 2000000) SELECT i FROM n)"
    )
    searched = text("SELECT here() FROM search_index WHERE search_index MATCH 'sea' UNION ALL SELECT here()")
    here = threading.get_ident()
    async with database.transaction() as work:
        connection = await (await work.session.connection()).get_raw_connection()
        await connection.driver_connection.create_function("here", 0, threading.get_ident)
        work.session.add(tag("sea"))
        assert await work.session.scalar(select(func.here())) == here
        assert await work.session.scalar(searched) != here
        assert await longest_wait(lambda: work.session.execute(long)) < MOST
        last, there = (await work.session.execute(long)).one()
        assert (last, there == here) == (2_000_000, False)
        assert await work.session.scalar(select(func.here())) == here
        with pytest.raises(OperationalError, match="no such column"):
            await work.session.execute(text("SELECT absent FROM tags"))
    assert await tag_names(database) == ["sea"]  # nothing ended the transaction


async def test_what_is_locked_is_waited_for_outside_the_loop(database: Database) -> None:
    if database.dialect.name != "sqlite":
        pytest.skip("nothing is at hand there")
    path = database.url.removeprefix("sqlite+aiosqlite:///")
    waited = 0
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        finding = asyncio.create_task(database.find(select(Site.name), {}))
        for _ in range(20):
            await asyncio.sleep(0.01)
            waited += 1
        assert not finding.done()
        other.execute("COMMIT")
        other.close()
        assert (await finding) == ("Squall",)
    assert await database.find(select(Site.name), {}) == ("Squall",)  # at hand again
    assert waited == 20


async def test_sqlite_keeps_what_it_answered_and_checks_references(database: Database) -> None:
    if database.dialect.name != "sqlite":
        pytest.skip("about SQLite's pragmas")
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}
    for engine, query_only in ((database.reading, 1), (database.writing, 0)):
        async with engine.connect() as connection:
            found = {name: await connection.scalar(text(f"PRAGMA {name}")) for name in (*wanted, "query_only")}
        assert found == {**wanted, "query_only": query_only}
    assert database.at_hand is not None
    with database.at_hand.engine.connect() as at_hand:
        found = {name: at_hand.scalar(text(f"PRAGMA {name}")) for name in (*wanted, "query_only")}
    assert found == {**wanted, "query_only": 1, "busy_timeout": 0}


# --- a full disk, a database that goes away --------------------------------------------------------------------------------


async def test_full_disk_is_said_and_nothing_is_half_written(database: Database) -> None:
    if database.dialect.name != "sqlite":
        pytest.skip("a full PostgreSQL cannot be had without a disk of its own")
    editor = await person(database, "editor")
    post = await published(database, editor)
    async with database.transaction() as work:
        pages = await work.session.scalar(text("PRAGMA page_count"))
        await work.session.execute(text(f"PRAGMA max_page_count={pages}"))
    before = len(await watching.outbox(database))
    with watching.events(database) as heard:
        for text_ in ("x" * 100_000, "y" * 50_000):
            with pytest.raises(StorageFull, match="disk is full"):
                await edited(database, editor, post.post_id, title="New", text=text_, tags=("Sea",))
    assert heard == []
    assert len(await watching.outbox(database)) == before
    async with database.read() as session:
        assert (await session.get_one(WorkingCopy, post.post_id)).content == "Mud, *mostly*."
        assert await database.dialect.problems(session) == []
    assert await tag_names(database) == []
    async with database.transaction() as work:
        await work.session.execute(text("PRAGMA max_page_count=1000000"))
    assert (await edited(database, editor, post.post_id, text="x" * 100_000)).has_changes


async def test_postgresql_may_go_away_and_come_back() -> None:
    try:
        server = postgresql.Server()
    except postgresql.Missing as missing:
        pytest.skip(str(missing))
    with server:
        database = Database(server.url())
        async with database.transaction() as work:
            await work.session.execute(text("CREATE TABLE letters (letter text)"))
        for mode in ("fast", "immediate"):  # the second is a crash
            await reads_and_writes(database)
            with pytest.raises(Unavailable):
                async with database.transaction() as work:
                    await work.session.execute(text("INSERT INTO letters VALUES ('half')"))
                    await asyncio.to_thread(server.stop, mode)
                    await work.session.execute(text("INSERT INTO letters VALUES ('other half')"))
            with pytest.raises(Unavailable):
                async with database.read() as session:
                    await session.execute(text("SELECT 1"))
            with pytest.raises(Unavailable):
                async with database.transaction():
                    pass
            await asyncio.to_thread(server.start)
            await reads_and_writes(database)
        await database.dispose()


async def reads_and_writes(database: Database) -> None:
    async with database.transaction() as work:
        await work.session.execute(text("INSERT INTO letters VALUES ('whole')"))
    async with database.read() as session:
        assert set(await session.scalars(text("SELECT letter FROM letters"))) == {"whole"}
