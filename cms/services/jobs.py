"""Work for later: enqueued in the transaction that needs it, claimed by one worker at a time under a lease."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from cms import policy
from cms.db.session import Work
from cms.errors import NotFound
from cms.events import JobsChanged
from cms.models import Job
from cms.policy import Actor, Capability
from cms.services import audit, outbox
from cms.wording import say

LEASE = timedelta(minutes=5)
MAX_ATTEMPTS = 8  # over two hours: a mail server is away longer than a moment
MOMENT = timedelta(seconds=5)  # in which another worker is done with a small thing
KEPT = timedelta(days=7)  # how long finished jobs are remembered
MOST_SHOWN = 200
MOST_TAKEN = 1000  # by one job from others
FAILED_KEPT = timedelta(days=90)  # and those that somebody may want to look at
ANNOUNCED_FOR = timedelta(hours=1)  # what came and went; every process hears of it at once
DEADLY = say("Its worker ended each time before it was done.")


async def enqueue(work: Work, name: str, *, key: str | None = None, due_at: datetime | None = None, **payload: Any) -> None:
    """Add a job. With a ``key``, only if no job ever had it: doing a thing twice is prevented where it is asked for."""
    row = {"name": name, "key": key, "payload": payload, "created_at": work.now, "due_at": due_at or work.now, "attempts": 0}
    insert = work.dialect.insert(Job).values(row).on_conflict_do_nothing(index_elements=["key"])
    if await work.session.scalar(insert.returning(Job.id)):
        tell(work)


def tell(work: Work) -> None:
    """Those who look at what is done, once however much of it changed."""
    if JobsChanged() not in work.events:
        outbox.record(work, JobsChanged())


async def claim(work: Work, long: Collection[str] = (), *, is_long: bool | None = None) -> Job | None:
    """The next job that is due, ours until its lease runs out. A worker that died leaves it to the next one, but not for ever.

    ``long``: names of those that may take minutes. ``is_long``: only such, or only others, so that mail does not wait behind them.
    """
    await _give_up(work)
    is_free = or_(Job.leased_until.is_(None), Job.leased_until < work.now)
    due = select(Job.id).where(Job.finished_at.is_(None), Job.due_at <= work.now, is_free)
    if is_long is not None:
        due = due.where(Job.name.in_(long) if is_long else Job.name.not_in(long))
    due = due.order_by(Job.due_at, Job.id).limit(1)
    lease = {"lease": str(uuid.uuid4()), "leased_until": work.now + LEASE, "attempts": Job.attempts + 1}
    # SKIP LOCKED lets PostgreSQL's workers pass each other; SQLite leaves it out, as only one writes at a time.
    chosen = due.with_for_update(skip_locked=True).scalar_subquery()
    job = (await work.session.scalars(update(Job).where(Job.id == chosen).values(lease).returning(Job))).one_or_none()
    if job is not None:
        tell(work)
    return job


async def hold(work: Work, job: Job) -> None:
    """Ours for as long again: it is still being done."""
    mine = update(Job).where(Job.id == job.id, Job.lease == job.lease)
    await work.session.execute(mine.values(leased_until=work.now + LEASE))


async def _give_up(work: Work) -> None:
    """A job that ended its worker each time it was tried would go on ending them."""
    deadly = update(Job).where(Job.finished_at.is_(None), Job.leased_until < work.now, Job.attempts >= MAX_ATTEMPTS)
    values = {"finished_at": work.now, "lease": None, "leased_until": None, "error": DEADLY}
    await work.session.execute(deadly.values(values))


async def report(work: Work, job_id: int, done: int, of: int, words: str = "") -> None:
    """How far it has come, for those who wait."""
    progress = {"done": done, "of": of, "words": words}
    await work.session.execute(update(Job).where(Job.id == job_id, Job.lease.is_not(None)).values(progress=progress))
    tell(work)


async def go_on_from(work: Work, job_id: int, **payload: Any) -> None:
    """What it is given if it breaks off here and is claimed again."""
    await work.session.execute(update(Job).where(Job.id == job_id, Job.lease.is_not(None)).values(payload=payload))


async def take_along(work: Work, job_id: int, name: str) -> list[dict[str, Any]]:
    """What others of its name were given that are due, have failed or were given up: this one does it with its own from now on."""
    is_free = or_(Job.leased_until.is_(None), Job.leased_until < work.now)
    is_waiting = Job.finished_at.is_(None) & is_free & or_(Job.due_at <= work.now, Job.attempts > 0)
    is_failed = Job.finished_at.is_not(None) & Job.error.is_not(None)
    wanted = select(Job).where(Job.name == name, Job.id != job_id, or_(is_waiting, is_failed)).order_by(Job.id).limit(MOST_TAKEN)
    others = list(await work.session.scalars(wanted.with_for_update(skip_locked=True)))
    for other in others:
        await work.session.delete(other)
    if others:
        tell(work)
    return [other.payload for other in others]


async def has_failed(work: Work, name: str) -> bool:
    """Whether one of its name was given up."""
    failed = select(Job.id).where(Job.name == name, Job.finished_at.is_not(None), Job.error.is_not(None))
    return await work.session.scalar(failed.limit(1)) is not None


async def finish(work: Work, job: Job) -> bool:
    """Mark it done; False if the lease was lost meanwhile, so somebody else does it. What it was given is nobody's business any more."""
    mine = update(Job).where(Job.id == job.id, Job.lease == job.lease)
    values: dict[str, Any] = {"finished_at": work.now, "lease": None, "leased_until": None, "error": None, "payload": {}}
    done = await work.session.execute(mine.values(values).returning(Job.id))
    tell(work)
    return done.first() is not None


async def fail(work: Work, job: Job, reason: str) -> None:
    """Try again later, twice as long each time; after the last attempt it stays, with its reason, for somebody to look at."""
    is_last = job.attempts >= MAX_ATTEMPTS
    values = {
        "error": reason,
        "lease": None,
        "leased_until": None,
        "due_at": work.now + timedelta(seconds=30 * 2**job.attempts),
    }
    mine = update(Job).where(Job.id == job.id, Job.lease == job.lease)
    await work.session.execute(mine.values({**values, **({"finished_at": work.now} if is_last else {})}))
    tell(work)


async def put_off(work: Work, job: Job, until: datetime) -> None:
    """Not now: nothing was tried, so it does not count as an attempt."""
    mine = update(Job).where(Job.id == job.id, Job.lease == job.lease)
    await work.session.execute(mine.values(lease=None, leased_until=None, due_at=until, attempts=Job.attempts - 1))
    tell(work)


async def free_at(session: AsyncSession, name: str, job_id: int, most: int, span: timedelta, now: datetime) -> datetime | None:
    """When one more of its name may be done, if no more than ``most`` are to be done in this time; None: now. Those that others do at this
    moment count."""
    others = select(Job.finished_at).where(Job.name == name, Job.id != job_id)
    running = await session.scalar(select(func.count()).select_from(others.where(Job.leased_until >= now).subquery())) or 0
    done = others.where(Job.finished_at > now - span, Job.error.is_(None)).order_by(Job.finished_at.desc())
    if running < most:
        last = await session.scalar(done.limit(1).offset(most - running - 1))
        return last + span if last else None
    return now + MOMENT


@dataclass(frozen=True, slots=True)
class Shown:
    """What the desk shows of a job. ``state``: waiting, running or failed; ``error`` of one that waits: of the try before; ``kind``: which
    of several works of its name it is, "" if there is only one."""

    id: int
    name: str
    state: str
    created_at: datetime
    due_at: datetime
    attempts: int
    error: str
    progress: dict[str, Any] | None
    kind: str


async def list_of(session: AsyncSession, actor: Actor, now: datetime) -> list[Shown]:
    """What failed, runs and waits; the newest of each first. What went well is told by what it did."""
    policy.require(actor, Capability.SITE_OPERATE)
    is_failed = Job.finished_at.is_not(None) & Job.error.is_not(None)
    wanted = (
        select(Job).where(or_(Job.finished_at.is_(None), is_failed)).order_by(Job.finished_at.is_(None), Job.id.desc()).limit(MOST_SHOWN)
    )
    return [_shown(row, now) for row in await session.scalars(wanted)]


def _shown(job: Job, now: datetime) -> Shown:
    kind = str(job.payload.get("kind", ""))
    return Shown(job.id, job.name, _state(job, now), job.created_at, job.due_at, job.attempts, job.error or "", job.progress, kind)


def _state(job: Job, now: datetime) -> str:
    if job.finished_at is not None:
        return "failed"
    return "running" if job.leased_until and job.leased_until >= now else "waiting"


async def again(work: Work, actor: Actor, job_id: int) -> None:
    """Try one that failed once more, from the beginning. Raises ``NotFound`` for one that did not fail."""
    job = await _failed(work, actor, job_id)
    job.finished_at, job.error, job.attempts, job.due_at = None, None, 0, work.now
    audit.note(work, actor, "job.again", "job", job_id, key=job.name)
    tell(work)


async def forget(work: Work, actor: Actor, job_id: int) -> None:
    """Give one up that failed."""
    job = await _failed(work, actor, job_id)
    audit.note(work, actor, "job.forget", "job", job_id, key=job.name)
    await work.session.delete(job)
    tell(work)


async def _failed(work: Work, actor: Actor, job_id: int) -> Job:
    policy.require(actor, Capability.SITE_OPERATE)
    job = await work.session.get(Job, job_id, with_for_update=True)
    if job is None or job.finished_at is None or job.error is None:
        raise NotFound
    return job


async def prune(work: Work) -> None:
    """Forget old jobs, those that went well sooner. What was told of them goes even sooner."""
    went_well = (Job.finished_at < work.now - KEPT) & Job.error.is_(None)
    await work.session.execute(delete(Job).where(went_well | (Job.finished_at < work.now - FAILED_KEPT)))
    await outbox.forget(work, JobsChanged, ANNOUNCED_FOR)
