"""The first page of the desk: for each what concerns him, and nothing that he may not see."""

from datetime import timedelta
from typing import Any

from sqlalchemy import delete, event, func, select

from cms.db.session import Database
from cms.models import Job, PostLink, Review, Schedule
from cms.models.post import ScheduledAct
from cms.policy import Actor
from cms.schemas.desk import ReviewInput
from cms.schemas.threads import RemarkInput, ThreadInput
from cms.services import dashboard, dead_links, redirects, reviews, threads, trash
from cms.services.dashboard import Today
from tests import bulk, factories
from tests.factories import person
from tests.services.test_reviews import demand, do


async def today(database: Database, actor: Actor) -> Today:
    async with database.read() as session:
        return await dashboard.today(session, actor)


def titles(rows: object) -> list[str]:
    return [getattr(each, "post", each).title for each in rows]  # type: ignore[attr-defined]


async def test_each_finds_what_waits_for_him(database: Database) -> None:
    steps = {"name": "Facts", "role": "editor"}, {"name": "Chief", "role": "administrator"}
    await demand(database, roles=("author",), steps=steps)
    ana, edna, adam = await person(database, "author"), await person(database, "editor"), await person(database, "administrator")
    post = await factories.draft(database, ana, title="Submitted")
    await factories.draft(database, ana, title="Ana's")
    await factories.draft(database, edna, title="Edna's")
    await do(database, reviews.submit, ana, post.id)
    mine, hers, his = await today(database, ana), await today(database, edna), await today(database, adam)
    assert (titles(mine.waiting), titles(mine.submitted), titles(mine.drafts)) == ([], ["Submitted"], ["Ana's"])
    assert [(each.post.title, each.step, each.authors) for each in hers.waiting] == [("Submitted", "Facts", ("Ana Silva",))]
    assert titles(hers.drafts) == ["Edna's", "Ana's"], "her own first"
    assert titles(his.waiting) == ["Submitted"], "an administrator may do the editors' step"
    await do(database, reviews.approve, edna, post.id)
    assert titles((await today(database, edna)).waiting) == []
    assert [each.step for each in (await today(database, adam)).waiting] == ["Chief"]


async def test_what_came_back_from_its_review_needs_attention_until_it_is_submitted_again(database: Database) -> None:
    await demand(database, roles=("contributor",))
    cleo, edna = await person(database, "contributor"), await person(database, "editor")
    post = await factories.draft(database, cleo, title="Nearly")
    await do(database, reviews.submit, cleo, post.id)
    assert titles((await today(database, cleo)).sent_back) == []
    async with database.transaction() as work:
        last = await work.session.scalar(select(func.max(Review.id)).where(Review.post_id == post.id))
        await reviews.ask_for_changes(work, edna, post.id, ReviewInput(words="Name the boat.", last=last or 0))
    mine = await today(database, cleo)
    assert [(each.post.title, each.words) for each in mine.sent_back] == [("Nearly", "Name the boat.")]
    assert mine.needs_attention
    assert titles((await today(database, edna)).sent_back) == [], "it is not hers to change"
    await do(database, reviews.submit, cleo, post.id)
    assert titles((await today(database, cleo)).sent_back) == []


async def test_what_went_wrong_and_what_waits_for_an_answer_needs_attention(database: Database) -> None:
    ana, edna, adam = await person(database, "author"), await person(database, "editor"), await person(database, "administrator")
    post = await factories.published(database, ana, title="Live")
    await factories.edited(database, ana, post.post_id, text="More.")
    other = await factories.draft(database, ana, title="Later")
    async with database.transaction() as work:
        due = work.now + timedelta(hours=1)
        work.session.add(Schedule(post_id=other.id, act=ScheduledAct.PUBLISH, due_at=due))
        work.session.add(Schedule(post_id=post.post_id, act=ScheduledAct.WITHDRAW, due_at=work.now, error="A page stands below it."))
        work.session.add(Job(name="send_mail", payload={}, created_at=work.now, due_at=work.now, finished_at=work.now, error="No."))
        thread = await threads.begin(work, edna, other.id, ThreadInput(text="Which mud?"))
    mine = await today(database, ana)
    assert (titles(mine.next), titles(mine.failed), titles(mine.changed), titles(mine.threads)) == (
        ["Later"],
        ["Live"],
        ["Live"],
        ["Later"],
    )
    assert (mine.failed[0].error, mine.threads[0].words) == ("A page stands below it.", "Which mud?")
    assert (list(mine.jobs), [each.name for each in (await today(database, adam)).jobs]) == ([], ["send_mail"])
    assert titles((await today(database, edna)).threads) == [], "hers is the last word"
    async with database.transaction() as work:
        await threads.answer(work, ana, other.id, thread.id, RemarkInput(text="Grey."))
    assert (titles((await today(database, ana)).threads), titles((await today(database, edna)).threads)) == ([], ["Later"])


async def test_links_to_what_is_gone_need_attention_until_they_lead_somewhere(database: Database) -> None:
    ana, edna, cem = await person(database, "author"), await person(database, "editor"), await person(database, "contributor")
    first, second = [await factories.published(database, edna, title=title) for title in ("Gone", "Trashed")]
    text = "[a](/gone?x#y) [b](/gone/) [c](/trashed) [d](/nowhere) [e](https://example.org/gone)"
    post = await factories.published(database, ana, title="Leads", text=text)
    await factories.published(database, edna, title="Quotes", text="`[a](/gone)`")

    async def dead(actor: Actor) -> list[tuple[str, str, tuple[str, ...]]]:
        return [(each.title, each.path, each.authors) for each in (await today(database, actor)).dead_links]

    assert await dead(ana) == []
    await factories.withdraw(database, edna, first.post_id)
    await factories.trash(database, edna, second.post_id)
    both = [("Leads", "/gone", ("Ana Silva",)), ("Leads", "/trashed", ("Ana Silva",))]
    assert (await dead(ana), await dead(edna), await dead(cem)) == (both, both, [])
    assert (await today(database, ana)).needs_attention
    async with database.transaction() as work:
        await trash.forget(work, edna, second.post_id)
        await work.session.execute(delete(PostLink))
    await dead_links.note_all(database)
    assert await dead(ana) == both, "for ever, and after an upgrade"
    async with database.transaction() as work:
        await redirects.lead_away(work, edna, "trashed", "/archive")
    assert await dead(ana) == both[:1]
    await factories.edited(database, ana, post.post_id, text="Nothing.")
    assert await dead(ana) == both[:1], "readers still see it"
    await factories.publish(database, ana, post.post_id)
    assert await dead(ana) == []


async def test_others_drafts_and_what_becomes_of_them_are_not_told(database: Database) -> None:
    ana, cem = await person(database, "author"), await person(database, "contributor")
    post = await factories.published(database, ana, title="Live")
    await factories.edited(database, ana, post.post_id, title="Secret", text="x")
    draft = await factories.draft(database, ana, title="Secret too")
    async with database.transaction() as work:
        work.session.add(Schedule(post_id=draft.id, act=ScheduledAct.PUBLISH, due_at=work.now))
        await threads.begin(work, ana, draft.id, ThreadInput(text="Secret"))
    await do(database, reviews.submit, ana, draft.id)
    seen = await today(database, cem)
    assert [*seen.waiting, *seen.submitted, *seen.drafts, *seen.next] == []
    assert not seen.needs_attention
    assert titles(seen.published) == ["Live"]


async def test_new_site_is_new_until_something_is_begun(database: Database) -> None:
    owner = await person(database, "owner")
    assert (await today(database, owner)).is_new
    await factories.draft(database, await person(database, "author"))
    assert not (await today(database, owner)).is_new


async def test_as_many_statements_for_many_posts_and_each_along_an_index(database: Database) -> None:
    owner = await person(database, "owner")
    ids = await bulk.publish(database, [owner], 3000)
    for each in range(8):
        post = await factories.draft(database, await person(database, "author"), title=f"Draft {each}")
        await do(database, reviews.submit, await person(database, "author"), post.id)
    statements = list[tuple[str, Any]]()

    def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_rest: object) -> None:
        statements.append((statement, parameters))

    async with database.read() as session:
        engine = session.get_bind()
        event.listen(engine, "before_cursor_execute", note)
        try:
            seen = await dashboard.today(session, owner)
        finally:
            event.remove(engine, "before_cursor_execute", note)
        assert len(statements) <= 15
        if database.dialect.name == "sqlite":
            connection = await session.connection()
            for statement, parameters in statements:
                plan = [row[-1] for row in await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
                assert [step for step in plan if step.startswith("SCAN") and " USING " not in step and "sites" not in step] == [], statement
    assert (len(seen.waiting), len(seen.published), ids[-1]) == (8, dashboard.SHOWN, seen.published[0].post_id)
