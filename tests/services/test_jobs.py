"""Jobs: each is done once, by one worker, or said to have failed."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from cms.db.session import Database
from cms.errors import CMSError, StorageAway, StorageFull
from cms.mail import Letter, MailFailed, Spoken
from cms.models import Job
from cms.services import jobs, notices, site
from cms.telemetry import Metrics
from cms.wording import say
from cms.worker import loop
from cms.worker.tasks import Means
from tests import factories
from tests.watching import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def enqueue(database: Database, *names: str, **options: object) -> None:
    async with database.transaction() as work:
        for name in names or ("something",):
            await jobs.enqueue(work, name, **options)


async def claim(database: Database) -> Job | None:
    async with database.transaction() as work:
        return await jobs.claim(work)


async def claimed(database: Database) -> Job:
    job = await claim(database)
    assert job is not None
    return job


async def finish(database: Database, job: Job) -> bool:
    async with database.transaction() as work:
        return await jobs.finish(work, job)


async def fail(database: Database, job: Job, reason: str = "because") -> None:
    async with database.transaction() as work:
        await jobs.fail(work, job, reason)


async def number_of_jobs(database: Database) -> int:
    async with database.read() as session:
        return await session.scalar(select(func.count()).select_from(Job)) or 0


async def test_four_workers_do_three_hundred_jobs_once_each(database: Database) -> None:
    await enqueue(database, *(str(number) for number in range(300)))
    done: Counter[str] = Counter()

    async def worker() -> None:
        while True:
            async with database.transaction() as work:
                job = await jobs.claim(work)
            if job is None:
                return
            done[job.name] += 1
            await asyncio.sleep(0)
            async with database.transaction() as work:
                assert await jobs.finish(work, job)

    await asyncio.gather(*(worker() for _ in range(4)))
    assert done == Counter(str(number) for number in range(300))


async def test_job_brings_what_it_was_given(database: Database) -> None:
    await enqueue(database, "send", to="ana", tries=[1, 2])
    job = await claimed(database)
    assert (job.name, job.payload, job.attempts) == ("send", {"to": "ana", "tries": [1, 2]}, 1)


async def test_job_is_not_there_before_its_time(database: Database, clock: Clock) -> None:
    await enqueue(database, due_at=clock.now + timedelta(hours=1))
    assert await claim(database) is None
    clock.pass_(hours=1)
    assert await claim(database)


async def test_jobs_are_done_in_the_order_they_are_due(database: Database, clock: Clock) -> None:
    for name, hours in (("second", 2), ("first", 1), ("third", 3)):
        await enqueue(database, name, due_at=clock.now + timedelta(hours=hours))
    clock.pass_(hours=4)
    assert [(await claimed(database)).name for _ in range(3)] == ["first", "second", "third"]


async def test_job_with_a_key_is_enqueued_once_even_when_it_is_done(database: Database) -> None:
    for _ in range(2):
        await enqueue(database, "a", "a", key="only once")
    assert await number_of_jobs(database) == 1
    assert await finish(database, await claimed(database))
    await enqueue(database, key="only once")
    assert await claim(database) is None
    await enqueue(database, "without", "a key")
    assert await number_of_jobs(database) == 3


async def test_job_with_a_key_is_enqueued_once_by_two_at_the_same_time(database: Database) -> None:
    await asyncio.gather(*(enqueue(database, key="only once") for _ in range(5)))
    assert await number_of_jobs(database) == 1


async def test_job_of_a_dead_worker_is_claimed_again_and_the_dead_cannot_finish_it(database: Database, clock: Clock) -> None:
    await enqueue(database)
    dead = await claimed(database)
    clock.pass_(minutes=4)
    assert await claim(database) is None
    clock.pass_(minutes=2)
    alive = await claimed(database)
    assert (alive.id, alive.attempts) == (dead.id, 2)
    assert not await finish(database, dead)
    await fail(database, dead)
    assert await finish(database, alive)
    clock.pass_(days=1)
    assert await claim(database) is None


async def test_job_that_kills_its_workers_is_given_up(database: Database, clock: Clock) -> None:
    await enqueue(database)
    for _ in range(jobs.MAX_ATTEMPTS):
        assert await claim(database)
        clock.pass_(minutes=6)
    assert await claim(database) is None
    async with database.read() as session:
        job = (await session.scalars(select(Job))).one()
    assert job.finished_at is not None
    assert "ended" in (job.error or "")


async def test_job_that_fails_is_tried_again_later_and_later_and_then_kept_with_its_reason(database: Database, clock: Clock) -> None:
    await enqueue(database)
    pauses = []
    for _ in range(jobs.MAX_ATTEMPTS):
        start = clock.now
        while (job := await claim(database)) is None:
            clock.pass_(seconds=30)
        pauses.append((clock.now - start).total_seconds())
        await fail(database, job, "the mail server is a\0way" * 100)
    assert pauses == [0, *(60 * 2**number for number in range(7))], "over two hours"
    clock.pass_(days=30)
    async with database.transaction() as work:
        await jobs.prune(work)
    assert await claim(database) is None
    async with database.read() as session:
        kept = (await session.scalars(select(Job))).one()
    assert (kept.attempts, kept.finished_at is None) == (jobs.MAX_ATTEMPTS, False)
    assert (kept.error or "").startswith("the mail server is away")
    clock.pass_(days=61)
    async with database.transaction() as work:
        await jobs.prune(work)
    assert await number_of_jobs(database) == 0, "nobody came to look"


async def test_reason_with_a_name_that_is_no_text_is_kept(database: Database) -> None:
    for reason in (say("{file} cannot be read.", file="caf\udce9.md"), "caf\udce9.md cannot be read."):
        await enqueue(database, key=type(reason).__name__)
        job = await claimed(database)
        await fail(database, job, reason)
        async with database.read() as session:
            assert (await session.get_one(Job, job.id)).error == "caf?.md cannot be read."


async def test_letters_beyond_those_of_an_hour_wait_and_none_is_lost(database: Database, clock: Clock, tmp_path: Path) -> None:
    sent, tried = list[str](), list[str]()

    class Server:
        can_reach_people = True

        async def send(self, letter: Letter, _site_name: str, _spoken: Spoken) -> None:
            tried.append(letter.to)
            if tried == ["author@example.org"]:
                raise MailFailed("The mail server was away.")
            sent.append(letter.to)

    means = factories.means(database, tmp_path, Server())
    people = [await factories.person(database, role) for role in ("author", "editor", "contributor", "administrator", "owner")]
    async with database.transaction() as work:
        await site.configure(work, limits={"mail_per_hour": 2})
        for each in people:
            await notices.second_factor(work, each.user_id or 0, "A passkey was added")
    by_hour = []
    for _ in range(4):
        before = len(sent)
        for _ in range(12):
            while await loop.run_next(means, Metrics()):
                pass
            clock.pass_(minutes=5)
        by_hour.append(len(sent) - before)
    assert (by_hour, len(set(sent))) == ([2, 2, 1, 0], 5)
    async with database.read() as session:
        rows = (await session.execute(select(Job.attempts, Job.error).where(Job.name == notices.JOB))).all()
    assert sorted(rows) == [(1, None)] * 4 + [(2, None)], "to wait is no attempt"


async def test_letters_that_others_send_at_this_moment_count(database: Database, clock: Clock) -> None:
    for _ in range(3):
        await enqueue(database, "send_mail")
    first, second = await claimed(database), await claimed(database)

    async def free_at(job: Job, most: int) -> datetime | None:
        async with database.read() as session:
            return await jobs.free_at(session, "send_mail", job.id, most, timedelta(hours=1), clock.now)

    assert [await free_at(job, 1) for job in (first, second)] == [clock.now + jobs.MOMENT] * 2
    assert [await free_at(job, 2) for job in (first, second)] == [None] * 2
    await finish(database, first)
    clock.pass_(minutes=1)
    assert await free_at(second, 1) == clock.now + timedelta(minutes=59)
    assert await free_at(second, 2) is None


async def test_what_a_job_was_given_is_gone_when_it_is_done(database: Database) -> None:
    await enqueue(database, "send", sealed="what only one may read")
    await finish(database, await claimed(database))
    async with database.read() as session:
        assert (await session.scalars(select(Job.payload))).one() == {}


async def test_failure_is_forgotten_when_the_job_succeeds(database: Database, clock: Clock) -> None:
    await enqueue(database)
    await fail(database, await claimed(database))
    clock.pass_(minutes=2)
    await finish(database, await claimed(database))
    clock.pass_(days=8)
    async with database.transaction() as work:
        await jobs.prune(work)
    assert await number_of_jobs(database) == 0


async def test_job_of_a_transaction_that_was_undone_does_not_exist(database: Database) -> None:
    with pytest.raises(KeyError):
        async with database.transaction() as work:
            await jobs.enqueue(work, "something", key="x")
            raise KeyError
    assert await number_of_jobs(database) == 0


@pytest.mark.parametrize("error", [StorageAway, StorageFull])
async def test_job_that_finds_no_storage_waits_for_it_however_long_and_keeps_no_other_from_its_turn(
    database: Database, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[CMSError]
) -> None:
    done: list[str] = []

    async def stores(_means: Means, _payload: dict[str, object]) -> None:
        if len(done) < jobs.MAX_ATTEMPTS:
            raise error
        done.append("stores")

    async def other(_means: Means, _payload: dict[str, object]) -> None:
        done.append("other")

    monkeypatch.setattr(loop, "TASKS", {"stores": stores, "other": other})
    means = factories.means(database, tmp_path)
    await enqueue(database, "stores")
    for _ in range(jobs.MAX_ATTEMPTS + 1):
        await enqueue(database, "other")
        while await loop.run_next(means, Metrics()):
            pass
        clock.now += loop.AWAY
    assert done == ["other"] * jobs.MAX_ATTEMPTS + ["stores", "other"]
