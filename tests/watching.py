"""What a database was asked, and what was announced, while a test ran."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, event, select

from cms.db.session import Database
from cms.events import Event
from cms.models import Address, OutboxEntry

Sent = list[tuple[str, Any]]  # statements, with their parameters


def questions(database: Database) -> AbstractContextManager[Sent]:
    """What reading asks inside the block."""
    return _sent(database.readers)


def orders(database: Database) -> AbstractContextManager[Sent]:
    """What write transactions send inside the block."""
    return _sent([database.writing.sync_engine])


@contextmanager
def _sent(engines: Sequence[Engine]) -> Iterator[Sent]:
    sent: Sent = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        sent.append((statement, parameters))

    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)


@contextmanager
def events(database: Database) -> Iterator[list[Event]]:
    """The events that listeners heard inside the block."""
    heard: list[Event] = []
    database.listen(heard.append)
    try:
        yield heard
    finally:
        database._listeners.remove(heard.append)


async def outbox(database: Database) -> list[OutboxEntry]:
    async with database.read() as session:
        return list(await session.scalars(select(OutboxEntry).order_by(OutboxEntry.id)))


async def addresses(database: Database) -> dict[str, str]:
    """Path → state of every post and page."""
    async with database.read() as session:
        rows = await session.execute(select(Address.path, Address.state).where(Address.target_kind == "post").order_by(Address.path))
        return {path: state.value for path, state in rows}


class Clock:
    """Stands until it is moved."""

    def __init__(self, start: datetime = datetime(2026, 11, 20, 12, tzinfo=UTC)) -> None:
        self.now = start

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **time: float) -> None:
        self.now += timedelta(**time)
