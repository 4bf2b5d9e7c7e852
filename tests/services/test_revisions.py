"""Revisions: made once and by whom, restored as edits, forgotten by the rule."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, select

from cms import crdt
from cms.db.session import Database
from cms.errors import Conflict, Forbidden
from cms.models import Category, PostCategory, Revision, Schedule, Tag, WorkingCopy
from cms.models.post import Reason, ScheduledAct
from cms.policy import Actor
from cms.services import revisions, site, working_copies
from tests import factories


@dataclass
class Clock:
    now: datetime = datetime(2026, 11, 28, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def history(database: Database, post_id: int) -> list[Revision]:
    async with database.read() as session:
        return list(await session.scalars(select(Revision).where(Revision.post_id == post_id).order_by(Revision.id)))


async def type_in(database: Database, post_id: int, actor: Actor, content: str) -> None:
    """As a room does: an autosave."""
    async with database.transaction() as work:
        await working_copies.open_document(work, post_id)
        await working_copies.edit(work, actor, post_id, content=content)


async def test_a_text_that_was_left_alone_is_kept_once_by_its_last_writer(database: Database, clock: Clock) -> None:
    ana, edna = await factories.person(database, "author"), await factories.person(database, "editor")
    post = await factories.draft(database, ana, text="One.")
    clock.now += timedelta(seconds=1)
    await type_in(database, post.id, edna, "One. Two.")
    clock.now += timedelta(minutes=14)
    await revisions.keep_idle(database)
    assert len(await history(database, post.id)) == 1  # autosaves alone make none
    clock.now += timedelta(minutes=1)
    for _ in range(2):
        await revisions.keep_idle(database)
    _, kept = await history(database, post.id)
    assert (kept.reason, kept.content, kept.created_by_id) == (Reason.IDLE, "One. Two.", edna.user_id)


async def test_processes_that_look_at_one_moment_keep_it_once(database: Database, database_url: str, clock: Clock) -> None:
    ana, other = await factories.person(database, "author"), Database(database_url, clock=clock)
    post = await factories.draft(database, ana, text="One.")
    clock.now += timedelta(seconds=1)
    await type_in(database, post.id, ana, "Two.")
    clock.now += revisions.IDLE
    await asyncio.gather(revisions.keep_idle(database), revisions.keep_idle(other))
    await other.dispose()
    assert [each.reason for each in await history(database, post.id)] == [Reason.SAVED, Reason.IDLE]


async def test_a_restored_revision_is_an_edit_and_what_stood_there_is_kept(database: Database) -> None:
    ana = await factories.person(database, "author")
    post = await factories.draft(database, ana, title="Low tide", text="One.\n\nTwo.")
    await type_in(database, post.id, ana, "Something else.")
    async with database.read() as session:
        stored = await working_copies.read_document(session, post.id)
    assert stored is not None
    colleague = crdt.Document(*stored.all)
    colleague.edit("Something else. And mine.")
    (first,) = await history(database, post.id)
    async with database.transaction() as work:
        _, gone = await revisions.restore(work, ana, post.id, first.id)
    assert gone == []
    _, before, restored = await history(database, post.id)
    assert before.content == "Something else."
    assert (restored.reason, restored.restored_from_id, restored.content) == (Reason.RESTORED, first.id, "One.\n\nTwo.")
    async with database.read() as session:
        stored = await working_copies.read_document(session, post.id)
    assert stored is not None
    for update in stored.all:
        colleague.apply(update)
    assert "And mine." in colleague.content  # whoever wrote meanwhile keeps his words
    assert "One.\n\nTwo." in colleague.content
    async with database.transaction() as work:
        await revisions.restore(work, ana, post.id, restored.id)
    assert len(await history(database, post.id)) == 3  # it said that already


async def test_what_is_gone_is_left_out_and_named(database: Database) -> None:
    edna = await factories.person(database, "editor")
    post = await factories.draft(database, edna, tags=("Sea", "Mud"), new_category="Coast")
    (first,) = await history(database, post.id)
    await factories.edited(database, edna, post.id, tags=(), category=None, new_category="")
    async with database.transaction() as work:
        await work.session.execute(delete(Tag).where(Tag.name == "Mud"))
        await work.session.execute(delete(PostCategory))
        await work.session.execute(delete(Category))
    async with database.transaction() as work:
        _, gone = await revisions.restore(work, edna, post.id, first.id)
    assert gone == ["1 of the tags", "the category"]
    async with database.read() as session:
        fields = (await session.get_one(WorkingCopy, post.id)).fields
    assert (len(fields["tags"]), fields["category"]) == (1, None)


async def test_authors_restore_their_own_but_not_what_only_editors_choose(database: Database) -> None:
    ana, edna = await factories.person(database, "author"), await factories.person(database, "editor")
    cem = await factories.person(database, "contributor")
    post = await factories.draft(database, ana)
    await factories.edited(database, edna, post.id, featured=True, text="Featured.")
    await factories.edited(database, ana, post.id, text="Then.")
    first, featured, _ = await history(database, post.id)
    async with database.transaction() as work:
        await revisions.restore(work, edna, post.id, first.id)
    async with database.transaction() as work:
        await revisions.restore(work, ana, post.id, featured.id)
    async with database.read() as session:
        copy = await session.get_one(WorkingCopy, post.id)
    assert (copy.content, copy.fields["featured"]) == ("Featured.", False)
    public = await factories.published(database, ana, title="Public")
    async with database.read() as session:
        with pytest.raises(Forbidden):
            await revisions.list_revisions(session, cem, public.post_id)
    await factories.trash(database, ana, post.id)
    async with database.transaction() as work:
        with pytest.raises(Conflict):
            await revisions.restore(work, ana, post.id, first.id)


async def test_the_rule_keeps_all_of_a_week_then_one_a_day_then_one_a_week(
    database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revisions, "_AT_ONCE", 53)  # a day of many is looked through in two steps
    ana, today = await factories.person(database, "author"), clock.now
    clock.now = today - timedelta(days=200)
    post, other = await factories.draft(database, ana), await factories.draft(database, ana, title="Other")
    async with database.transaction() as work:
        await work.session.execute(delete(Revision).where(Revision.post_id == post.id))
        for hours in range(200 * 24, 0, -6):
            made = {"post_id": post.id, "reason": Reason.SAVED, "content": "", "fields": {}, "created_at": today - timedelta(hours=hours)}
            work.session.add(Revision(**made))
    clock.now = today
    for _ in range(2):  # twice is as good as once
        await revisions.prune(database)
        left = await history(database, post.id)
        ages = [today - each.created_at for each in left]
        assert sum(age < timedelta(days=7) for age in ages) == 27
        days = {each.created_at.date() for each, age in zip(left, ages, strict=True) if timedelta(days=7) <= age < timedelta(days=90)}
        assert len(days) == sum(timedelta(days=7) <= age < timedelta(days=90) for age in ages)
        assert len(days) in (83, 84)
        weeks = {each.created_at.isocalendar()[:2] for each, age in zip(left, ages, strict=True) if age >= timedelta(days=90)}
        assert len(weeks) == sum(age >= timedelta(days=90) for age in ages)
        assert len(weeks) in (16, 17)
    assert len(await history(database, other.id)) == 1  # the only one of a post stays


async def test_days_with_a_revision_each_are_as_many_as_the_site_says(database: Database, clock: Clock) -> None:
    ana, today = await factories.person(database, "author"), clock.now
    post = await factories.draft(database, ana)
    async with database.transaction() as work:
        await site.configure(work, limits={"daily_revisions": 28})
        await work.session.execute(delete(Revision).where(Revision.post_id == post.id))
        for days in range(70, 0, -1):
            made = {"post_id": post.id, "reason": Reason.SAVED, "content": "", "fields": {}, "created_at": today - timedelta(days=days)}
            work.session.add(Revision(**made))
    await revisions.prune(database)
    ages = [(today - each.created_at).days for each in await history(database, post.id)]
    assert [age for age in ages if age < 28] == list(range(27, 0, -1))
    assert len([age for age in ages if age >= 28]) in (6, 7), "one of each week"


async def test_what_is_named_pinned_public_scheduled_or_restored_is_never_forgotten(database: Database, clock: Clock) -> None:
    ana, today = await factories.person(database, "author"), clock.now
    clock.now = today - timedelta(days=60)
    post_id = (await factories.published(database, ana, text="Public.")).post_id
    for word in ("Named", "Pinned", "Scheduled", "Restored", "Forgotten", "Newest"):
        await factories.edited(database, ana, post_id, text=word)
    _, named, pinned, scheduled, restored, _, _ = await history(database, post_id)
    async with database.transaction() as work:
        await revisions.describe(work, ana, post_id, named.id, name="First", is_pinned=False)
        await revisions.describe(work, ana, post_id, pinned.id, name="", is_pinned=True)
        work.session.add(Schedule(post_id=post_id, act=ScheduledAct.PUBLISH, revision_id=scheduled.id, due_at=today + timedelta(days=9)))
        await revisions.restore(work, ana, post_id, restored.id)
    clock.now = today
    await revisions.prune(database)
    assert [each.content for each in await history(database, post_id)] == [
        "Public.",
        "Named",
        "Pinned",
        "Scheduled",
        "Restored",
        "Restored",
    ]


async def test_who_may_not_edit_sees_no_history_and_lists_are_pages(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    ana = await factories.person(database, "author")
    post = await factories.draft(database, ana)
    for number in range(4):
        await factories.edited(database, ana, post.id, text=str(number))
    monkeypatch.setattr(revisions, "PER_SCREEN", 2)
    ids = [each.id for each in await history(database, post.id)][::-1]
    async with database.read() as session:
        pages = [await revisions.list_revisions(session, ana, post.id, page) for page in (1, 2, 3, 9)]
    assert [[row.id for row in page.rows] for page in pages] == [ids[:2], ids[2:4], ids[4:], ids[4:]]
    assert (pages[0].total, pages[0].pages, pages[3].page) == (5, 3, 3)
