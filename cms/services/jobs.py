"""Work for later: enqueued in the transaction that needs it, claimed by one worker at a time under a lease."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, or_, select, update

from cms.db.session import Work
from cms.models import Job

LEASE = timedelta(minutes=5)
MAX_ATTEMPTS = 8  # over two hours: a mail server is away longer than a moment
KEPT = timedelta(days=7)  # how long finished jobs are remembered
FAILED_KEPT = timedelta(days=90)  # and those that somebody may want to look at


async def enqueue(work: Work, name: str, *, key: str | None = None, due_at: datetime | None = None, **payload: Any) -> None:
    """Add a job. With a ``key``, only if no job ever had it: doing a thing twice is prevented where it is asked for."""
    row = {"name": name, "key": key, "payload": payload, "created_at": work.now, "due_at": due_at or work.now, "attempts": 0}
    insert = work.dialect.insert(Job).values(row)
    await work.session.execute(insert.on_conflict_do_nothing(index_elements=["key"]))


async def claim(work: Work) -> Job | None:
    """The next job that is due, ours until its lease runs out. A worker that died leaves it to the next one, but not for ever."""
    await _give_up(work)
    is_free = or_(Job.leased_until.is_(None), Job.leased_until < work.now)
    due = select(Job.id).where(Job.finished_at.is_(None), Job.due_at <= work.now, is_free).order_by(Job.due_at, Job.id).limit(1)
    lease = {"lease": str(uuid.uuid4()), "leased_until": work.now + LEASE, "attempts": Job.attempts + 1}
    # SKIP LOCKED lets PostgreSQL's workers pass each other; SQLite leaves it out, as only one writes at a time.
    chosen = due.with_for_update(skip_locked=True).scalar_subquery()
    return (await work.session.scalars(update(Job).where(Job.id == chosen).values(lease).returning(Job))).one_or_none()


async def _give_up(work: Work) -> None:
    """A job that ended its worker each time it was tried would go on ending them."""
    deadly = update(Job).where(Job.finished_at.is_(None), Job.leased_until < work.now, Job.attempts >= MAX_ATTEMPTS)
    values = {"finished_at": work.now, "lease": None, "leased_until": None, "error": "Its worker ended each time before it was done."}
    await work.session.execute(deadly.values(values))


async def report(work: Work, job_id: int, done: int, of: int, words: str = "") -> None:
    """How far it has come, for those who wait; its lease begins anew."""
    values = {"progress": {"done": done, "of": of, "words": words}, "leased_until": work.now + LEASE}
    await work.session.execute(update(Job).where(Job.id == job_id, Job.lease.is_not(None)).values(values))


async def go_on_from(work: Work, job_id: int, **payload: Any) -> None:
    """What it is given if it breaks off here and is claimed again."""
    await work.session.execute(update(Job).where(Job.id == job_id, Job.lease.is_not(None)).values(payload=payload))


async def finish(work: Work, job: Job) -> bool:
    """Mark it done; False if the lease was lost meanwhile, so somebody else does it. What it was given is nobody's business any more."""
    mine = update(Job).where(Job.id == job.id, Job.lease == job.lease)
    values: dict[str, Any] = {"finished_at": work.now, "lease": None, "leased_until": None, "error": None, "payload": {}}
    done = await work.session.execute(mine.values(values).returning(Job.id))
    return done.first() is not None


async def fail(work: Work, job: Job, reason: str) -> None:
    """Try again later, twice as long each time; after the last attempt it stays, with its reason, for somebody to look at."""
    is_last = job.attempts >= MAX_ATTEMPTS
    values = {
        "error": reason.replace("\0", "")[:1000],
        "lease": None,
        "leased_until": None,
        "due_at": work.now + timedelta(seconds=30 * 2**job.attempts),
    }
    mine = update(Job).where(Job.id == job.id, Job.lease == job.lease)
    await work.session.execute(mine.values({**values, **({"finished_at": work.now} if is_last else {})}))


async def prune(work: Work) -> None:
    """Forget old jobs, those that went well sooner."""
    went_well = (Job.finished_at < work.now - KEPT) & Job.error.is_(None)
    await work.session.execute(delete(Job).where(went_well | (Job.finished_at < work.now - FAILED_KEPT)))
