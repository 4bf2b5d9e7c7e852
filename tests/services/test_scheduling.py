"""Acts that wait for their time: each is done once, on time or late, by whichever process; or it stays and says why not."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from cms.content.pipeline import render
from cms.db.session import Database
from cms.errors import Conflict, Forbidden, InvalidInput, NotFound
from cms.models import AuditEntry, Job, Notification, Post, Redirect, Schedule, User
from cms.models.post import Live, ScheduledAct, WorkState
from cms.policy import Actor
from cms.rendering import Renderer
from cms.services import posts, publishing, scheduling
from cms.services.publishing import Version
from cms.worker import scheduler
from cms.worker.tasks import Means
from tests.factories import draft, edited, means, person, publish, published, trash
from tests.services.test_publishing import read
from tests.watching import Clock

PUBLISH, WITHDRAW = ScheduledAct.PUBLISH, ScheduledAct.WITHDRAW


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def worker(database: Database, tmp_path: Path, renderer: Renderer) -> Means:
    return means(database, tmp_path, renderer=renderer)


async def schedule(database: Database, actor: Actor, post_id: int, at: datetime) -> Schedule:
    async with database.read() as session:
        seen = await posts.get_draft(session, actor, post_id)
    async with database.transaction() as work:
        return await scheduling.schedule(work, actor, post_id, Version(seen.version, render(seen.content)), at)


async def end(database: Database, actor: Actor, post_id: int, at: datetime, redirect_to: str = "") -> Schedule:
    async with database.transaction() as work:
        return await scheduling.schedule_end(work, actor, post_id, at, redirect_to)


async def waiting(database: Database) -> list[Schedule]:
    async with database.read() as session:
        return list(await session.scalars(select(Schedule).order_by(Schedule.post_id, Schedule.act)))


async def noted(database: Database, action: str) -> Counter[int]:
    async with database.read() as session:
        return Counter(await session.scalars(select(AuditEntry.subject_id).where(AuditEntry.action == action)))


async def found(database: Database, post_id: int) -> Post:
    async with database.read() as session:
        return await session.get_one(Post, post_id)


async def test_what_the_editor_saw_goes_out_and_not_what_was_typed_since(database: Database, clock: Clock, worker: Means) -> None:
    ana = await person(database, "author")
    post = (await published(database, ana, text="Old.")).post_id
    await edited(database, ana, post, text="Scheduled.")
    await schedule(database, ana, post, clock.now + timedelta(hours=1))
    await edited(database, ana, post, text="Typed since.")
    async with database.read() as session:
        (waits,) = await scheduling.list_of(session, post)
    assert (waits.differs, waits.by, (await found(database, post)).status) == (True, "Ana Silva", "changed")

    clock.pass_(minutes=59)
    assert await scheduler.do_due(worker) == 0
    assert await read(database, "low-tide") == "Low tide: <p>Old.</p>"
    clock.pass_(minutes=1)
    assert [await scheduler.do_due(worker) for _ in range(2)] == [1, 0]
    assert await read(database, "low-tide") == "Low tide: <p>Scheduled.</p>"
    after = await found(database, post)
    assert (after.has_changes, after.work, await waiting(database)) == (True, WorkState.DRAFT, [])
    async with database.read() as session:
        last = (await session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1))).one()
    assert (last.action, last.user_id) == ("post.publish", ana.user_id), "noted as if by hand"


async def test_a_hundred_go_out_once_each_though_two_processes_look_at_once(
    database: Database, database_url: str, clock: Clock, worker: Means, tmp_path: Path, renderer: Renderer
) -> None:
    editor = await person(database, "editor")
    due = clock.now + timedelta(minutes=1)
    for number in range(100):
        await schedule(database, editor, (await draft(database, editor, title=f"Tide {number}")).id, due)
    other = Database(database_url, clock=clock)
    workers = [worker, means(other, tmp_path, renderer=renderer)]
    clock.pass_(hours=9)  # nothing ran all night
    done = 0
    while await waiting(database):
        cut_off = asyncio.create_task(scheduler.do_due(worker))  # a process is ended in the act
        await asyncio.sleep(0.2)
        cut_off.cancel()
        await asyncio.wait([cut_off])
        done += sum(await asyncio.gather(*map(scheduler.do_due, workers)))
    await other.dispose()
    times = await noted(database, "post.publish")
    assert (len(times), set(times.values())) == (100, {1})
    assert 0 < done <= 100


async def test_a_process_that_ends_in_the_act_leaves_it_whole_to_the_next(database: Database, clock: Clock, worker: Means) -> None:
    editor = await person(database, "editor")
    post = (await draft(database, editor)).id
    await schedule(database, editor, post, clock.now + timedelta(minutes=1))
    clock.pass_(minutes=1)
    async with database.read() as session:
        (due,) = await scheduling.due(session, clock.now)
    version = Version(0, render("Mud."), due.revision_id)
    with pytest.raises(KeyboardInterrupt):
        async with database.transaction() as work:
            assert await scheduling.perform(work, due, version)
            raise KeyboardInterrupt
    assert await read(database, "low-tide") == "nothing"
    assert await scheduler.do_due(worker) == 1
    assert await read(database, "low-tide") != "nothing"
    async with database.transaction() as work:
        assert not await scheduling.perform(work, due, version), "whoever looked before finds that it is done"


async def test_a_clock_that_jumps_does_nothing_twice(database: Database, clock: Clock, worker: Means) -> None:
    editor = await person(database, "editor")
    ids = [(await draft(database, editor, title=title)).id for title in ("Ebb", "Flood")]
    for hours, post_id in zip((1, 3), ids, strict=True):
        await schedule(database, editor, post_id, clock.now + timedelta(hours=hours))
    done = []
    for hours in (2, -2, 1.5, -1.5, 4, -4, 5):
        clock.pass_(hours=hours)
        done.append(await scheduler.do_due(worker))
    assert done == [1, 0, 0, 0, 1, 0, 0]
    assert set((await noted(database, "post.publish")).values()) == {1}


async def test_it_ends_at_its_time_and_leads_elsewhere(database: Database, clock: Clock, worker: Means) -> None:
    editor = await person(database, "editor")
    post = (await draft(database, editor)).id
    with pytest.raises(InvalidInput, match="nothing that could end"):
        await end(database, editor, post, clock.now + timedelta(days=2))
    await schedule(database, editor, post, clock.now + timedelta(days=1))
    with pytest.raises(InvalidInput, match="before it goes out"):
        await end(database, editor, post, clock.now + timedelta(hours=1))
    await end(database, editor, post, clock.now + timedelta(days=2), "/about?from=tides")
    with pytest.raises(InvalidInput, match="ends before"):
        await schedule(database, editor, post, clock.now + timedelta(days=3))
    clock.pass_(days=5)  # both are late, and still in order
    assert await scheduler.do_due(worker) == 2
    assert (await found(database, post)).live is Live.WITHDRAWN
    async with database.read() as session:
        (row,) = await session.scalars(select(Redirect))
    assert (row.path, row.target) == ("low-tide", "/about?from=tides")
    for target in ("javascript:alert(1)", "//evil.example", "/low-tide", "about"):
        await publish(database, editor, post)
        with pytest.raises(InvalidInput) as refused:
            await end(database, editor, post, clock.now + timedelta(days=1), target)
        assert set(refused.value.errors) == {"redirect_to"}
    async with database.transaction() as work:
        await publishing.withdraw(work, editor, post, "")
    async with database.read() as session:
        assert not (await session.scalars(select(Redirect))).all(), "withdrawn again without one, it leads nowhere"


async def test_what_cannot_be_done_stays_with_its_reason_and_people_are_told_once(database: Database, clock: Clock, worker: Means) -> None:
    editor, ana = await person(database, "editor"), await person(database, "author")
    post = (await draft(database, ana, slug="tide")).id
    await schedule(database, ana, post, clock.now + timedelta(hours=1))
    await published(database, editor, title="Another", slug="tide")
    clock.pass_(hours=1)
    assert [await scheduler.do_due(worker) for _ in range(3)] == [0, 0, 0]
    (row,) = await waiting(database)
    assert row.error == "/tide belongs to something else; choose another address."
    async with database.read() as session:
        told = (await session.scalars(select(Notification).order_by(Notification.user_id))).all()
        mail = [job.payload["notice"] for job in await session.scalars(select(Job))]
        assert await scheduling.missed(session, [post]) == {post: row.error}
    assert {each.user_id for each in told} == {editor.user_id, ana.user_id}
    assert (len(told), mail, await noted(database, "post.miss")) == (2, ["miss", "miss"], Counter({post: 1}))

    await edited(database, ana, post, slug="another-tide")
    await schedule(database, ana, post, clock.now + timedelta(minutes=1))
    clock.pass_(minutes=1)
    assert await scheduler.do_due(worker) == 1
    assert await read(database, "another-tide") != "nothing"


@pytest.mark.parametrize("change", ["role", "disabled", "gone"])
async def test_who_may_not_publish_any_more_does_not_by_what_he_scheduled(
    database: Database, clock: Clock, worker: Means, change: str
) -> None:
    editor, ana = await person(database, "editor"), await person(database, "author")
    post = (await draft(database, ana)).id
    await schedule(database, ana, post, clock.now + timedelta(hours=1))
    async with database.transaction() as work:
        user = await work.session.get_one(User, ana.user_id)
        if change == "gone":
            await work.session.delete(user)
        elif change == "role":
            user.role = "contributor"
        else:
            user.disabled_at = clock.now
    clock.pass_(hours=1)
    assert await scheduler.do_due(worker) == 0
    (row,) = await waiting(database)
    assert "Somebody else has to schedule it again." in (row.error or "")
    async with database.transaction() as work:
        await scheduling.move(work, editor, post, PUBLISH, clock.now + timedelta(minutes=1))
    clock.pass_(minutes=1)
    assert await scheduler.do_due(worker) == 1


async def test_planning_is_refused_to_those_who_may_not_publish_and_for_what_cannot_go_out(database: Database, clock: Clock) -> None:
    cem, ana, other = [await person(database, *who) for who in (("contributor",), ("author",), ("author", "Bo"))]
    mine, theirs, untitled = [(await draft(database, who, title=title)).id for who, title in ((cem, "Mud"), (ana, "Sand"), (ana, ""))]
    later = clock.now + timedelta(hours=1)
    for actor, post_id, error in ((cem, mine, Forbidden), (other, theirs, NotFound), (ana, untitled, InvalidInput)):
        with pytest.raises(error):
            await schedule(database, actor, post_id, later)
    for at in (clock.now, clock.now - timedelta(days=1)):
        with pytest.raises(InvalidInput, match="has passed"):
            await schedule(database, ana, theirs, at)
    async with database.transaction() as work:
        with pytest.raises(Conflict):
            await scheduling.schedule(work, ana, theirs, Version(99, render("x")), later)
        with pytest.raises(Conflict):
            await scheduling.cancel(work, ana, theirs, WITHDRAW)
    assert await waiting(database) == []


async def test_a_schedule_is_changed_cancelled_and_given_up_with_the_post(database: Database, clock: Clock, worker: Means) -> None:
    editor = await person(database, "editor")
    post = (await draft(database, editor)).id
    await schedule(database, editor, post, clock.now + timedelta(hours=1))
    async with database.transaction() as work:
        await scheduling.move(work, editor, post, PUBLISH, datetime(2027, 1, 1, tzinfo=UTC))
    clock.pass_(hours=2)
    assert await scheduler.do_due(worker) == 0
    async with database.transaction() as work:
        await scheduling.cancel(work, editor, post, PUBLISH)
    assert ((await found(database, post)).work, await waiting(database)) == (WorkState.DRAFT, [])
    await schedule(database, editor, post, clock.now + timedelta(hours=1))
    await trash(database, editor, post)
    assert ((await found(database, post)).work, await waiting(database)) == (WorkState.DRAFT, [])
