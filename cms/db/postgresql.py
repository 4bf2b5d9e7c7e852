"""PostgreSQL through asyncpg: pools, advisory lock, pg_dump."""

import asyncio
import math
import os
import re
import secrets
import shutil
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

from pydantic_core import from_json
from sqlalchemy import ColumnElement, event, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, DisconnectionError, InterfaceError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import InstrumentedAttribute

from cms.db import postgresql_search
from cms.db.dialect import Told
from cms.errors import CMSError, Collision, OperatorError, StorageFull, Unavailable
from cms.schemas.search import Wanted
from cms.wording import say

MIGRATION_LOCK = 0x53515541  # "SQUA": any number that no other program on this server uses
CHANNEL = "squall_outbox"
IDS_A_NOTICE = 300  # a notice holds less than 8000 bytes (https://www.postgresql.org/docs/current/sql-notify.html)
MOST, FEWEST = 20, 4  # connections for reading, and as many for writing: of all processes together, and of each; a server gives out 100
CONNECT_TIMEOUT = 5  # seconds
COMMAND_TIMEOUT = 60  # seconds
RESTED = 1.0  # seconds
SIGN_EVERY = 10.0  # seconds in which nothing is told, after which whoever tells is asked whether he is there
SIGN_WITHIN = 5.0  # seconds
READ_TIMEOUT = 10  # seconds; a reader has gone by then, and a server that is frozen must not hold his connection

_DUMP = ("--format=custom", "--no-owner", "--no-privileges")
_VARIABLES = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "database": "PGDATABASE", "ssl": "PGSSLMODE"}

_BY_ID = text("SELECT name, payload::text FROM outbox WHERE id = ANY(:ids) ORDER BY id")

# https://www.postgresql.org/docs/current/errcodes-appendix.html
_MAY_NOT = "42501"
_MAY_NOT_MAKE = (
    "This user of PostgreSQL may not make a temporary database; allow it (ALTER ROLE … CREATEDB), or name another user or server."
)
_FULL = ("53100", "53200")
_AWAY = ("08", "57P", "53300", "25006")
_DEADLOCK = "40P01"
_FOREIGN_KEY = "23503"


class PostgreSQL:
    name = "postgresql"
    advice = "Start PostgreSQL, or check the address, user and password in SQUALL_DATABASE_URL."
    insert = staticmethod(insert)

    def engines(self, url: str, sharers: int = 1) -> tuple[AsyncEngine, AsyncEngine]:
        most = max(FEWEST, MOST // sharers)
        reading = _engine(
            url,
            {"default_transaction_read_only": "on"},
            pool_size=most,
            command_timeout=READ_TIMEOUT,
            isolation_level="AUTOCOMMIT",
            skip_autocommit_rollback=True,
        )
        return reading, _engine(url, {}, pool_size=most)

    def engine_at_hand(self, url: str) -> None:
        return None

    def migration_engine(self, url: str) -> AsyncEngine:
        return _engine(url, {}, pool_size=1, command_timeout=None)

    @asynccontextmanager
    async def migration_lock(self, url: str) -> AsyncIterator[None]:
        engine = self.migration_engine(url)
        try:
            async with engine.connect() as connection:
                await connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": MIGRATION_LOCK})
                yield
        finally:
            await engine.dispose()

    async def save_copy(self, url: str, target: Path) -> None:
        await _run("pg_dump", url, *_DUMP, f"--file={target}")

    @asynccontextmanager
    async def saved_copy(self, url: str, target: Path) -> AsyncIterator[AsyncSession]:
        engine = self.migration_engine(url)
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        try:
            with _in_one_sentence():
                async with engine.connect() as plain, AsyncSession(await plain.execution_options(**options)) as session:
                    moment = await session.scalar(text("SELECT pg_export_snapshot()"))
                    await _run("pg_dump", url, *_DUMP, f"--snapshot={moment}", f"--file={target}")
                    yield session
        finally:
            await engine.dispose()

    async def load_copy(self, source: Path, url: str) -> None:
        name = str(make_url(url).database or "").replace("\\", "\\\\").replace("'", "\\'")
        into = f"--dbname=dbname='{name}'"  # as a bare name, one with "=" in it would be taken for more than a name
        await _run("pg_restore", url, into, "--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction", str(source))

    def is_absent(self, url: str) -> bool:
        return False

    @asynccontextmanager
    async def temporary(self, url: str, folder: Path) -> AsyncIterator[str]:
        name = f"squall_verify_{secrets.token_hex(6)}"
        engine = _engine(url, {}, pool_size=1, command_timeout=None, isolation_level="AUTOCOMMIT")
        try:
            await _execute(engine, f"CREATE DATABASE {name} TEMPLATE template0")  # template1 may be in use by somebody
            try:
                yield make_url(url).set(database=name).render_as_string(hide_password=False)
            finally:
                await _execute(engine, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        finally:
            await engine.dispose()

    async def search(self, session: AsyncSession, wanted: Wanted, most: int, *, in_title: bool = False) -> list[int]:
        return await postgresql_search.search(session, wanted, most, in_title=in_title)

    async def search_desk(self, session: AsyncSession, wanted: Wanted, most: int) -> list[int] | None:
        return await postgresql_search.search_desk(session, wanted, most)

    def has_terms(self, wanted: Wanted, post_id: InstrumentedAttribute[int]) -> ColumnElement[bool]:
        return postgresql_search.has_terms(wanted, post_id)

    async def problems(self, session: AsyncSession) -> list[str]:
        """PostgreSQL keeps its constraints itself; what can be wrong from our side is an index that a broken build left invalid."""
        invalid = await session.scalars(text("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"))
        return [f"the index {name} is invalid; REINDEX it" for name in invalid]

    def translate(self, error: DBAPIError | OSError) -> CMSError | None:
        if isinstance(error, OSError):
            return Unavailable()
        state = str(getattr(error.orig, "sqlstate", None) or "")
        if state.startswith(_FULL):
            return StorageFull()
        if state == _DEADLOCK:
            return Collision()
        if error.connection_invalidated or state.startswith(_AWAY) or isinstance(error, InterfaceError):
            return Unavailable()
        return None

    async def gather_statistics(self, session: AsyncSession) -> None:
        await session.execute(text("ANALYZE"))

    async def announce(self, session: AsyncSession, origin: str, ids: Sequence[int]) -> None:
        for start in range(0, len(ids), IDS_A_NOTICE):
            told = ",".join(map(str, ids[start : start + IDS_A_NOTICE]))
            await session.execute(text("SELECT pg_notify(:channel, :told)"), {"channel": CHANNEL, "told": f"{origin}:{told}"})

    async def notices(self, url: str, origin: str, sharers: int) -> AsyncIterator[Sequence[Told] | None]:
        """By LISTEN, on a connection of its own. Ids become visible out of order, so each is told by name."""
        engine = _engine(url, {}, pool_size=1, command_timeout=SIGN_WITHIN, isolation_level="AUTOCOMMIT")
        try:
            async with engine.connect() as connection:
                async for told in _told(connection, origin):
                    yield told
        except (DBAPIError, OSError):
            return  # the server is away
        finally:
            await engine.dispose()

    def violated(self, error: DBAPIError) -> str:
        if getattr(error.orig, "sqlstate", "") != "23505":
            return ""
        return str(getattr(getattr(error.orig, "__cause__", None), "constraint_name", "") or "")

    def names_what_is_gone(self, error: DBAPIError) -> bool:
        return getattr(error.orig, "sqlstate", "") == _FOREIGN_KEY


async def _told(connection: AsyncConnection, origin: str) -> AsyncIterator[Sequence[Told] | None]:
    """Until the connection is lost, or gives no sign of life: a network may forget one that is silent, and tell nobody. Begins with None:
    something may have been told while nobody listened."""
    told: asyncio.Queue[str | None] = asyncio.Queue()
    driver: Any = (await connection.get_raw_connection()).driver_connection
    try:
        driver.add_termination_listener(lambda _: told.put_nowait(None))
        await driver.add_listener(CHANNEL, lambda _connection, _pid, _channel, payload: told.put_nowait(payload))
        yield None
        while True:
            try:
                async with asyncio.timeout(SIGN_EVERY):
                    payload = await told.get()
            except TimeoutError:
                await connection.execute(text("SELECT 1"))
                continue
            if payload is None:
                return
            teller, _, ids = payload.partition(":")
            if teller != origin:
                rows = await connection.execute(_BY_ID, {"ids": [int(each) for each in ids.split(",")]})
                yield [(name, from_json(event)) for name, event in rows]
    finally:
        driver.terminate()  # it need not say goodbye to somebody who may not be there


def _engine(
    url: str,
    server_settings: dict[str, str],
    *,
    pool_size: int,
    command_timeout: float | None = COMMAND_TIMEOUT,
    **options: Any,
) -> AsyncEngine:
    connect_args: dict[str, Any] = {
        "server_settings": {"jit": "off", "application_name": "squall", **server_settings},
        "timeout": CONNECT_TIMEOUT,
        "command_timeout": command_timeout,
    }
    engine = create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,  # what is opened in a rush stays open: to open and close it for each request costs many times as much
        pool_timeout=10,
        json_deserializer=from_json,
        connect_args=connect_args,
        **options,
    )
    _ask_the_rested(engine)
    return engine


def _ask_the_rested(engine: AsyncEngine) -> None:
    """A pooled connection may have died with the server: asking it first costs less than a reader's 503. But it costs as much as the one
    statement of a page, so one that was used a moment ago is not asked."""

    @event.listens_for(engine.sync_engine, "checkin")
    def rest(_connection: Any, record: Any) -> None:
        record.info["rests_since"] = monotonic()

    @event.listens_for(engine.sync_engine, "checkout")
    def ask(connection: Any, record: Any, _proxy: Any) -> None:
        if monotonic() - record.info.get("rests_since", math.inf) < RESTED:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise DisconnectionError from error


async def _execute(engine: AsyncEngine, statement: str) -> None:
    with _in_one_sentence():
        async with engine.connect() as connection:
            await connection.execute(text(statement))


@contextmanager
def _in_one_sentence() -> Iterator[None]:
    """For acts of an operator."""
    try:
        yield
    except (DBAPIError, OSError) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        if getattr(cause, "sqlstate", None) == _MAY_NOT:
            raise OperatorError(_MAY_NOT_MAKE) from error
        reason = (str(cause).strip().splitlines() or [type(cause).__name__])[0].rstrip(".")
        raise OperatorError(say("The database cannot be reached or used: {reason}.", reason=reason)) from error


async def _run(program: str, url: str, *arguments: str) -> None:
    """Run one of PostgreSQL's own programs. The password goes through the environment: the command line can be read by others."""
    found = shutil.which(program)
    if found is None:
        raise OperatorError(say("{program} is needed and was not found; install PostgreSQL's client programs.", program=program))
    process = await asyncio.create_subprocess_exec(
        found, *arguments, env=_environment(url), stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        _, complaint = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if process.returncode:
        raise OperatorError(_explain(program, complaint.decode(errors="replace")))


def _environment(url: str) -> dict[str, str]:
    """Ours, which the driver reads as well (a password file), and what the address tells the driver, in libpq's words.

    https://www.postgresql.org/docs/current/libpq-envars.html
    """
    parts = make_url(url)
    _, told = parts.get_dialect()().create_connect_args(parts)
    return {
        **os.environ,
        "LC_ALL": "C",
        "PGCONNECT_TIMEOUT": str(2 * CONNECT_TIMEOUT),
        **{variable: _listed(told[name]) for name, variable in _VARIABLES.items() if told.get(name) not in (None, "")},
    }


def _listed(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def _explain(program: str, complaint: str) -> str:
    versions = re.search(r"server version: (\S+?);? .*version: (\S+)", complaint)
    if "version mismatch" in complaint and versions:
        server, ours = (version.split(".")[0].rstrip(";") for version in versions.groups())
        return say(
            "The server is PostgreSQL {server}, and {program} is of version {ours}; install the client programs of PostgreSQL {server}.",
            server=server, program=program, ours=ours,
        )  # fmt: skip
    lines = [line.removeprefix(f"{program}: ") for line in complaint.strip().splitlines()]
    if not lines:
        return say("{program} failed: it was ended from outside.", program=program)
    reason = next((line for line in lines if line.startswith("error: ")), lines[0]).removeprefix("error: ")
    return say("{program} failed: {reason}.", program=program, reason=reason.rstrip("."))
