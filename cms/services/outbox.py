"""Events: a row in the transaction that caused them, listeners after its commit."""

from dataclasses import asdict
from datetime import timedelta

from sqlalchemy import delete

from cms.db.session import Work
from cms.events import Event
from cms.models import OutboxEntry

KEPT = timedelta(days=7)


def record(work: Work, event: Event) -> None:
    work.session.add(OutboxEntry(at=work.now, name=type(event).__name__, payload=asdict(event)))
    work.events.append(event)


async def prune(work: Work) -> None:
    """Forget what no process can still want to hear."""
    await work.session.execute(delete(OutboxEntry).where(OutboxEntry.at < work.now - KEPT))
