"""SQLite: pragmas, immediate write transactions, online copies.

WAL lets readers go on while one writes. ``synchronous=FULL``: in WAL mode NORMAL may lose the last commits when the power
fails, and a publish that was answered must be there. Write transactions begin IMMEDIATE: a deferred one that read first
fails at once when somebody else wrote meanwhile.
"""

import asyncio
import fcntl
import os
import secrets
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pydantic_core import from_json
from sqlalchemy import ColumnElement, Engine, create_engine, event, text
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.pool import NullPool, StaticPool

from cms.db import sqlite_connection, sqlite_search
from cms.db.dialect import Told
from cms.errors import CMSError, OperatorError, StorageFull, Unavailable
from cms.schemas.search import Wanted
from cms.wording import say

PREFIX = "sqlite+aiosqlite:///"
BUSY_TIMEOUT = 5000  # milliseconds; how long a second process waits for the first one's short transaction
LOOK_EVERY = 0.01  # seconds; how late another process that serves may hear of a commit
LOOK_EVERY_ALONE = 0.05  # where only commands write beside it: looking is most of what it does while nobody comes
READERS = 4  # connections; each is a thread

_NEWER = "SELECT id, origin, name, payload FROM outbox WHERE id > ? ORDER BY id"

_Prepare = Callable[[Any], None]


class SQLite:
    name = "sqlite"
    advice = "Look at its file, the permissions and the space on the disk; `squall backup restore` brings back an earlier one."
    insert = staticmethod(insert)

    def engines(self, url: str, sharers: int = 1) -> tuple[AsyncEngine, AsyncEngine]:
        # Readers run statement by statement: no BEGIN and ROLLBACK, each of which would be a trip to the connection's thread.
        reading = create_async_engine(
            url,
            async_creator=lambda: sqlite_connection.connect(_path(url)),
            pool_size=READERS,
            max_overflow=0,
            pool_timeout=30,
            isolation_level="AUTOCOMMIT",
            skip_autocommit_rollback=True,
            json_deserializer=from_json,
        )
        writing = create_async_engine(
            url,
            async_creator=lambda: sqlite_connection.connect(_path(url), answers_here=True),
            pool_size=1,
            max_overflow=0,
            pool_timeout=30,
            json_deserializer=from_json,
        )
        _prepare(reading, foreign_keys="ON", query_only="ON")
        _prepare(writing, foreign_keys="ON")
        _begin(writing, "BEGIN IMMEDIATE")
        return reading, writing

    def engine_at_hand(self, url: str) -> Engine:
        """One connection, that never waits for a lock."""
        engine = create_engine(
            make_url(url).set(drivername="sqlite"),
            poolclass=StaticPool,
            isolation_level="AUTOCOMMIT",
            skip_autocommit_rollback=True,
            connect_args={"timeout": 0},
            json_deserializer=from_json,
        )
        _prepare(engine, foreign_keys="ON", query_only="ON", busy_timeout="0")
        return engine

    def migration_engine(self, url: str) -> AsyncEngine:
        """Foreign keys are off: a batch migration makes a table anew, and dropping the old one would delete its children by cascade."""
        engine = create_async_engine(url, async_creator=lambda: sqlite_connection.connect(_path(url)), pool_size=1, max_overflow=0)
        _prepare(engine, foreign_keys="OFF")
        _begin(engine, "BEGIN IMMEDIATE")
        return engine

    @asynccontextmanager
    async def migration_lock(self, url: str) -> AsyncIterator[None]:
        path = _path(url)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # SQLite would let others read it, and its log takes over the mode
        descriptor = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            await asyncio.to_thread(fcntl.flock, descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    async def save_copy(self, url: str, target: Path) -> None:
        await asyncio.to_thread(_copy, _path(url), target)

    @asynccontextmanager
    async def saved_copy(self, url: str, target: Path) -> AsyncIterator[AsyncSession]:
        await self.save_copy(url, target)
        engine = create_async_engine(_url(target), poolclass=NullPool)
        try:
            async with AsyncSession(engine) as session:
                yield session
        finally:
            await engine.dispose()

    async def load_copy(self, source: Path, url: str) -> None:
        await asyncio.to_thread(_copy, source, _path(url))

    def is_absent(self, url: str) -> bool:
        try:
            _path(url).stat()
        except (FileNotFoundError, NotADirectoryError):
            return True
        except OSError:
            return False  # closed to us; connecting will say so
        return False

    @asynccontextmanager
    async def temporary(self, url: str, folder: Path) -> AsyncIterator[str]:
        yield _url(folder / "squall.db")

    async def search(self, session: AsyncSession, wanted: Wanted, most: int, *, in_title: bool = False) -> list[int]:
        return await sqlite_search.search(session, wanted, most, in_title=in_title)

    async def search_desk(self, session: AsyncSession, wanted: Wanted, most: int) -> list[int] | None:
        return await sqlite_search.search_desk(session, wanted, most)

    def has_terms(self, wanted: Wanted, post_id: InstrumentedAttribute[int]) -> ColumnElement[bool]:
        return sqlite_search.has_terms(wanted, post_id)

    async def problems(self, session: AsyncSession) -> list[str]:
        damage = [str(row) for row in (await session.scalars(text("PRAGMA integrity_check"))) if row != "ok"]
        strays = [
            f"a row of {table} refers to a row of {parent} that is not there"
            for table, _row, parent, _key in await session.execute(text("PRAGMA foreign_key_check"))
        ]
        return damage + strays

    def translate(self, error: DBAPIError | OSError) -> CMSError | None:
        if not isinstance(error, DBAPIError):
            return None
        code = getattr(error.orig, "sqlite_errorname", "") or ""
        if code.startswith("SQLITE_FULL"):
            return StorageFull()
        if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            return Unavailable("The database is busy. Please try again in a moment.")
        if code.startswith(("SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_READONLY")):
            return Unavailable(
                "The database file cannot be read or written. Please try again; if it stays, ask the operator to run `squall doctor`."
            )
        return None

    async def gather_statistics(self, session: AsyncSession) -> None:
        """Its plans are made without."""

    async def announce(self, session: AsyncSession, origin: str, ids: Sequence[int]) -> None:
        """The file's own version tells that something was committed."""

    async def notices(self, url: str, origin: str, sharers: int) -> AsyncIterator[Sequence[Told] | None]:
        """From looking at the file's version, which takes three microseconds (https://www.sqlite.org/pragma.html#pragma_data_version)."""
        wait = LOOK_EVERY if sharers > 1 else LOOK_EVERY_ALONE
        with suppress(sqlite3.Error), closing(sqlite3.connect(_path(url), isolation_level=None, timeout=0)) as connection:
            newest, version = _newest_entry(connection), _version(connection)
            yield None
            while True:
                await asyncio.sleep(wait)
                if version == (version := _version(connection)):
                    continue
                rows = connection.execute(_NEWER, (newest,)).fetchall()
                newest = rows[-1][0] if rows else newest
                if told := [(name, from_json(payload)) for _, teller, name, payload in rows if teller != origin]:
                    yield told

    def violated(self, error: DBAPIError) -> str:
        message = str(error.orig)
        return message.removeprefix("UNIQUE constraint failed: ") if message.startswith("UNIQUE") else ""

    def names_what_is_gone(self, error: DBAPIError) -> bool:
        return False  # one writer at a time


def _prepare(engine: AsyncEngine | Engine, **pragmas: str) -> None:
    @event.listens_for(getattr(engine, "sync_engine", engine), "connect")
    def connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # transactions begin where we say so, not where the driver thinks
        cursor = connection.cursor()
        for name, value in {
            "journal_mode": "WAL",
            "synchronous": "FULL",
            "busy_timeout": str(BUSY_TIMEOUT),
            **pragmas,
        }.items():
            cursor.execute(f"PRAGMA {name}={value}")
        cursor.close()


def _newest_entry(connection: sqlite3.Connection) -> int:
    newest: int = connection.execute("SELECT coalesce(max(id), 0) FROM outbox").fetchone()[0]
    return newest


def _version(connection: sqlite3.Connection) -> int:
    """Another number after each commit of any other connection."""
    version: int = connection.execute("PRAGMA data_version").fetchone()[0]
    return version


def _begin(engine: AsyncEngine, statement: str) -> None:
    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Any) -> None:
        connection.exec_driver_sql(statement)


def _path(url: str) -> Path:
    return Path(make_url(url).database or "")


def _url(path: Path) -> str:
    return f"{PREFIX}{quote(str(path))}"


def _copy(source: Path, target: Path) -> None:
    """SQLite's online backup: a consistent copy while others write (https://www.sqlite.org/backup.html).

    The copy has its name when it is whole. It is in rollback mode: one file, that can be read where nothing may be written.
    """
    if not source.is_file():
        raise OperatorError(say("There is no database at {path}.", path=source))
    draft = target if target.exists() else target.with_name(f"{target.name}.{secrets.token_hex(4)}.part")
    try:
        if draft is not target:
            os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as here,
            closing(sqlite3.connect(draft)) as there,
        ):
            here.backup(there)
            there.execute("PRAGMA journal_mode=DELETE")
        draft.replace(target)
    except (sqlite3.Error, OSError) as error:
        problem = say("The database {path} could not be copied to {target}: {reason}.", path=source, target=target, reason=error)
        raise OperatorError(problem) from None
    finally:
        if draft is not target:
            draft.unlink(missing_ok=True)
