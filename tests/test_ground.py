"""The ground that the other tests stand on: both databases are there, migrated, and each test has its own."""

import pytest
from sqlalchemy import text

from cms.db.session import Database
from tests import postgresql


async def test_database_answers_in_its_own_dialect(database: Database, request: pytest.FixtureRequest) -> None:
    async with database.read() as session:
        assert await session.scalar(text("SELECT 1")) == 1
        assert session.get_bind().dialect.name == request.node.callspec.params["database_url"]


async def test_database_is_migrated(database: Database) -> None:
    async with database.read() as session:
        assert await session.scalar(text("SELECT count(*) FROM alembic_version")) == 1


@pytest.mark.parametrize("time", ["first", "second"])
async def test_database_is_fresh(database: Database, time: str) -> None:
    async with database.transaction() as work:
        await work.session.execute(text("CREATE TABLE left_behind (id integer)"))


async def test_writing_is_seen_by_readers(database: Database) -> None:
    async with database.transaction() as work:
        await work.session.execute(text("CREATE TABLE letters (letter text)"))
        await work.session.execute(text("INSERT INTO letters VALUES ('ä')"))
    async with database.read() as session:
        assert await session.scalar(text("SELECT upper(letter) FROM letters")) in ("Ä", "ä")  # SQLite knows ASCII only


async def test_server_goes_away_and_comes_back() -> None:
    try:
        server = postgresql.Server()
    except postgresql.Missing as missing:
        pytest.skip(str(missing))
    with server:
        for _ in range(2):
            database = Database(server.url())
            async with database.read() as session:
                assert await session.scalar(text("SELECT 1")) == 1
            await database.dispose()
            server.stop()
            server.start()
        folder = server.folder
    assert not folder.exists()
