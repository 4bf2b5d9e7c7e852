"""Events: a row in the transaction that caused them, listeners after its commit, and the processes that hear of it from the database."""

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta

from sqlalchemy import delete

from cms.db.session import Database, Work
from cms.events import Event, from_json
from cms.models import OutboxEntry
from cms.telemetry import log

KEPT = timedelta(days=7)
AGAIN = 0.2  # seconds


def record(work: Work, event: Event) -> None:
    entry = OutboxEntry(at=work.now, name=type(event).__name__, payload=asdict(event), origin=work.origin)
    work.session.add(entry)
    work.entries.append(entry)
    work.events.append(event)


async def prune(work: Work) -> None:
    """Forget what no process can still want to hear."""
    await work.session.execute(delete(OutboxEntry).where(OutboxEntry.at < work.now - KEPT))


async def forget(work: Work, kind: type[Event], after: timedelta) -> None:
    """Of one kind, sooner."""
    is_old = OutboxEntry.at < work.now - after
    await work.session.execute(
        delete(OutboxEntry).where(is_old, OutboxEntry.name == kind.__name__).execution_options(synchronize_session=False)
    )


async def hear_others(database: Database, missed: Callable[[], None]) -> None:
    """Tell this process' listeners what others have committed, until cancelled. ``missed``: something may have been lost on the way.

    Whatever fails, it goes on: whoever heard nothing any more would show for ever what is over.
    """
    while True:
        try:
            await _hear(database, missed)
        except Exception:
            log.exception("what others have committed could not be heard")
        await asyncio.sleep(AGAIN)


async def _hear(database: Database, missed: Callable[[], None]) -> None:
    async for told in database.dialect.notices(database.url, database.origin, database.sharers):
        events = [from_json(name, payload) for name, payload in told or ()]
        if told is None or None in events:  # or one that this version of the program does not understand
            missed()
            continue
        for event in events:
            if event is not None:
                database.tell(event)
