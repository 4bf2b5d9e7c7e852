"""Claims jobs and runs them, one at a time in a process; a job that fails is tried again later."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

from cms.db.session import Database
from cms.errors import CMSError, StorageAway, StorageFull, Unavailable
from cms.events import MediaChanged
from cms.models import Job
from cms.page_cache.marks import NOTHING, changed_by
from cms.services import jobs, redirects, search, working_copies
from cms.services.redirects import Hits
from cms.services.search import Misses
from cms.telemetry import Metrics, first_line, log
from cms.worker.tasks import LONG, TASKS, Means, PutOff

PAUSE = 5.0  # seconds between looks when there is nothing to do
AWAY = timedelta(minutes=1)  # until a job is tried again that found no storage, however often: none is given up for that
GRACE = 5.0  # seconds for a job under way when the program ends; cut off, it is claimed again when its lease has run out


async def run(means: Means, metrics: Metrics, misses: Misses | None = None, hits: Hits | None = None) -> None:
    """Until cancelled. Outlives a database that is away. A job under way is given ``GRACE`` to end by itself.

    What takes minutes is done beside the rest, one at a time as well. ``misses`` and ``hits``: of the readers of this process, to be
    written down.
    """
    changed, library = asyncio.Event(), asyncio.Event()  # of what readers see something that is over, until a job has been done
    if means.front:
        means.database.listen(lambda event: changed.set() if changed_by(event) != NOTHING else None)
    means.database.listen(lambda event: library.set() if isinstance(event, MediaChanged) else None)
    async with asyncio.TaskGroup() as both:
        both.create_task(go_on(lambda: _look(means, metrics, misses, hits), changed, PAUSE))
        both.create_task(go_on(lambda: _safely(lambda: run_next(means, metrics, is_long=True)), library, PAUSE))


async def go_on(look: Callable[[], Coroutine[Any, Any, bool]], hurry: asyncio.Event, pause: float) -> None:
    """Look again and again, after a pause if nothing was found; ``hurry``: something waits that should not. Until cancelled, and then a
    look under way is given ``GRACE`` to end by itself."""
    while True:
        hurry.clear()
        looking = asyncio.create_task(look())
        try:
            found = await asyncio.shield(looking)
        except asyncio.CancelledError:
            await asyncio.wait([looking], timeout=GRACE)
            looking.cancel()
            await asyncio.wait([looking])
            raise
        if not found:
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await hurry.wait()


async def _look(means: Means, metrics: Metrics, misses: Misses | None, hits: Hits | None) -> bool:
    """Whether there was something to do."""

    async def look() -> bool:
        await enqueue_regular(means.database)
        await _write_down(means.database, misses, hits)
        await _catch_up(means.database)
        return await run_next(means, metrics, is_long=False)

    return await _safely(look)


async def _safely(look: Callable[[], Awaitable[bool]]) -> bool:
    try:
        return await look()
    except Unavailable:
        log.warning("jobs wait: the database is away")
    except Exception:  # the site goes on, and so do its jobs
        log.exception("jobs were interrupted")
    return False


async def enqueue_regular(database: Database) -> None:
    """Once a day, or every five minutes, whatever the number of processes: the key is the time."""
    async with database.transaction() as work:
        await jobs.enqueue(work, "keep_house", key=f"keep_house:{work.now:%Y-%m-%d}")
        await jobs.enqueue(work, "keep_idle", key=f"keep_idle:{work.now:%Y-%m-%dT%H}:{work.now.minute // 5}")


async def _write_down(database: Database, misses: Misses | None, hits: Hits | None) -> None:
    """What the readers of this process looked for in vain, and which redirects led them."""
    if misses:
        async with database.transaction() as work:
            await search.record_misses(work, misses.take())
    if hits:
        async with database.transaction() as work:
            await redirects.record_hits(work, hits.take())


async def _catch_up(database: Database) -> None:
    """Working copies that a process left behind when it was killed."""
    async with database.read() as session:
        left = await working_copies.left_behind(session, database.clock())
    for post_id in left:
        try:
            await working_copies.catch_up(database, post_id)
        except Unavailable:
            raise
        except Exception:  # one text keeps nobody from the others
            log.exception("a working copy was not caught up", post=post_id)


async def run_next(means: Means, metrics: Metrics, *, is_long: bool | None = None) -> bool:
    """Run the next job that is due, of those that may take long or of the others if it is said; False if there is none."""
    database = means.database
    async with database.transaction() as work:
        job = await jobs.claim(work, LONG, is_long=is_long)
    if job is None:
        return False
    holding = asyncio.create_task(_hold(database, job))
    try:
        await TASKS[job.name](replace(means, job_id=job.id), job.payload)
    except (PutOff, StorageAway, StorageFull) as later:
        async with database.transaction() as work:
            await jobs.put_off(work, job, later.until if isinstance(later, PutOff) else work.now + AWAY)
        return True
    except Unavailable:
        raise  # its lease will run out and it is claimed again
    except Exception as error:
        await _failed(database, metrics, job, error)
        return True
    finally:
        holding.cancel()
    async with database.transaction() as work:
        await jobs.finish(work, job)
    metrics.jobs.labels(job.name, "done").inc()
    return True


async def _hold(database: Database, job: Job) -> None:
    """Keep others from a job that takes longer than its lease."""
    while True:
        await asyncio.sleep(jobs.LEASE.total_seconds() / 3)
        with suppress(Unavailable):
            async with database.transaction() as work:
                await jobs.hold(work, job)


async def _failed(database: Database, metrics: Metrics, job: Job, error: Exception) -> None:
    known = error.message if isinstance(error, CMSError) else ""  # a server is away: a sentence is enough
    reason = known or f"{type(error).__name__}: {first_line(str(error))}"
    log.error("job failed", job=job.id, name=job.name, attempt=job.attempts, reason=reason, exc_info=None if known else error)
    metrics.jobs.labels(job.name, "failed").inc()
    async with database.transaction() as work:
        await jobs.fail(work, job, reason)
