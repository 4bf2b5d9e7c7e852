"""Sessions and units of work. The only commit of the program is here."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar, TypeVarTuple

from sqlalchemy import Connection, Engine, Row, Select
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as NoFreeConnection
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlalchemy.orm.exc import StaleDataError

from cms.db.dialect import Dialect
from cms.db.postgresql import PostgreSQL
from cms.db.sqlite import SQLite
from cms.errors import Collision, Conflict, Unavailable
from cms.events import Event

Listener = Callable[[Event], None]
Clock = Callable[[], datetime]
Columns = TypeVarTuple("Columns")
Result = TypeVar("Result")
TRIES = 4


def utc_now() -> datetime:
    return datetime.now(UTC)


def dialect_for(url: str) -> Dialect:
    return SQLite() if url.startswith("sqlite") else PostgreSQL()


class Finder(Protocol):
    """Where one row can be asked for: a database, or a session that is open already."""

    async def find(self, statement: Select[*Columns], parameters: Mapping[str, Any]) -> Row[*Columns] | None:
        """The one row of a statement that reads a few rows by their keys."""
        ...


class ReadSession(AsyncSession):
    """A session that cannot write."""

    def __init__(self, *arguments: Any, dialect: Dialect, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.dialect = dialect

    async def find(self, statement: Select[*Columns], parameters: Mapping[str, Any]) -> Row[*Columns] | None:
        return (await (await self.connection()).execute(statement, parameters)).one_or_none()


class AtHand:
    """An embedded database, answering here and now over one connection that stays open."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._connection: Connection | None = None

    def find(self, statement: Select[*Columns], parameters: Mapping[str, Any]) -> Row[*Columns] | None:
        """Raises ``OperationalError`` at once if it is locked or damaged."""
        self._connection = self._connection or self.engine.connect()
        try:
            return self._connection.execute(statement, parameters).one_or_none()
        except OperationalError:
            self.close()
            raise

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self.engine.dispose()


@dataclass(slots=True)
class Work:
    """A unit of work: one write transaction, the moment it happens at, and the events it will have caused."""

    session: AsyncSession
    now: datetime
    dialect: Dialect
    request_id: str = ""
    address: str = ""  # where the request came from
    origin: str = ""  # this process, for others to know whose events they hear
    events: list[Event] = field(default_factory=list)
    entries: list[Any] = field(default_factory=list)  # their rows in the outbox


class Database:
    """One database. Reads and writes use connections of their own; committed events go to the listeners of this process."""

    def __init__(self, url: str, *, clock: Clock = utc_now, sharers: int = 1) -> None:
        self.url = url
        self.clock = clock
        self.dialect = dialect_for(url)
        self.sharers = sharers
        self.reading, self.writing = self.dialect.engines(url, sharers)
        engine = self.dialect.engine_at_hand(url)
        self.at_hand = AtHand(engine) if engine is not None else None
        self.origin = secrets.token_hex(16)
        self._listeners: list[Listener] = []
        self._followers: list[Callable[[Work], Awaitable[None]]] = []
        self._read = async_sessionmaker(self.reading, class_=ReadSession, dialect=self.dialect, expire_on_commit=False, autoflush=False)
        self._write = async_sessionmaker(self.writing, expire_on_commit=False)

    def listen(self, listener: Listener) -> None:
        """Call ``listener`` with each event after the commit that caused it. It must not raise."""
        self._listeners.append(listener)

    def follow(self, follower: Callable[[Work], Awaitable[None]]) -> None:
        """Let ``follower`` add what has to be done after the events of a transaction to that transaction."""
        self._followers.append(follower)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[ReadSession]:
        """A session that cannot write. Raises ``Unavailable`` when the database is away."""
        with self._in_our_words():
            async with self._read() as session:
                yield session

    async def find(self, statement: Select[*Columns], parameters: Mapping[str, Any]) -> Row[*Columns] | None:
        """The one row of a statement that reads a few rows by their keys. Raises ``Unavailable`` when the database is away.

        An embedded database answers it here and now: a session, and another thread for it, would cost many times as much
        (bench/pages.py).
        """
        if self.at_hand is not None:
            with suppress(OperationalError):  # locked or damaged: the other way knows how to wait, and what to say
                return self.at_hand.find(statement, parameters)
        with self._in_our_words():
            async with self.reading.connect() as connection:
                return (await connection.execute(statement, parameters)).one_or_none()

    @asynccontextmanager
    async def transaction(self, request_id: str = "", address: str = "") -> AsyncIterator[Work]:
        """One write transaction: committed when the block ends, rolled back when it raises. Keep slow work out of it.

        Raises ``Conflict`` when a versioned row was changed meanwhile, ``Unavailable`` when the database is away or full.
        """
        with self._in_our_words():
            async with self._write() as session:
                await session.connection()  # SQLite: wait for the write lock here, so that ``now`` orders transactions
                work = Work(session, self.clock(), self.dialect, request_id, address, self.origin)
                yield work
                if work.events:
                    for follower in self._followers:
                        await follower(work)
                    await session.flush()
                    await self.dialect.announce(session, self.origin, [entry.id for entry in work.entries])
                await session.commit()
        for event in work.events:
            self.tell(event)

    def tell(self, event: Event) -> None:
        for listener in self._listeners:
            listener(event)

    async def run(self, act: Callable[[Work], Awaitable[Result]], request_id: str = "", address: str = "") -> Result:
        """``act`` in a transaction; again if somebody else made the same new thing at that moment, or deleted what it names: that is there
        then, or not."""
        for _ in range(TRIES - 1):
            try:
                async with self.transaction(request_id, address) as work:
                    return await act(work)
            except Collision:
                pass
            except IntegrityError as error:
                if not self.dialect.names_what_is_gone(error):
                    raise
        async with self.transaction(request_id, address) as work:
            return await act(work)

    async def dispose(self) -> None:
        if self.at_hand is not None:
            self.at_hand.close()
        await self.reading.dispose()
        await self.writing.dispose()

    @property
    def readers(self) -> list[Engine]:
        """The engines under ``read()``, for those who watch what is asked."""
        return [self.reading.sync_engine, *([self.at_hand.engine] if self.at_hand is not None else [])]

    def _in_our_words(self) -> "_Translation":
        return _Translation(self.dialect)


class _Translation:
    """Turns database errors into ours at the edge of a session; a plain context manager, as it is entered on each request."""

    __slots__ = ("_dialect",)

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, StaleDataError):
            raise Conflict from error
        if isinstance(error, IntegrityError) and self._dialect.violated(error):
            raise Collision from error
        if isinstance(error, NoFreeConnection):
            raise Unavailable from error
        if isinstance(error, (DBAPIError, OSError, TimeoutError)) and (ours := self._dialect.translate(error)):
            raise ours from error
