"""Reviews: submitted, changes asked for, approved in one step or more; what may go out, and who is told."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import func, select

from cms.db.session import Database
from cms.errors import Conflict, Forbidden, InvalidInput, NotFound
from cms.models import Category, Job, PassedOn, Post, Review, Revision, Site
from cms.models.address import TargetKind
from cms.models.desk import ReviewAct
from cms.models.post import Reason, WorkState
from cms.policy import Actor
from cms.schemas.desk import ReviewInput, ReviewRulesInput
from cms.schemas.post import PostInput
from cms.services import notifications, posts, publishing, reviews
from cms.services.reviews import Standing
from tests import factories
from tests.factories import person


async def do(
    database: Database, act: Any, actor: Actor, post_id: int, words: str = "", *, version: int = 0, last: int | None = None
) -> Post:
    """``last``: the newest act that the actor has seen; all of them, if nothing is said."""
    seen = await newest_act(database, post_id) if last is None else last
    async with database.transaction() as work:
        post: Post = await act(work, actor, post_id, ReviewInput(words=words, last=seen, version=version))
        return post


async def newest_act(database: Database, post_id: int) -> int:
    async with database.read() as session:
        return await session.scalar(select(func.max(Review.id)).where(Review.post_id == post_id)) or 0


async def standing(database: Database, actor: Actor, post_id: int) -> Standing:
    async with database.read() as session:
        return await reviews.standing(session, await posts.read_draft(session, actor, post_id))


async def demand(database: Database, **rules: Any) -> None:
    """What the site demands from now on."""
    owner = await person(database, "owner")
    async with database.transaction() as work:
        version = await work.session.scalar(select(Site.version))
        await reviews.save_rules(work, owner, ReviewRulesInput(version=version, **rules))


async def told(database: Database, actor: Actor) -> list[tuple[str, str, str]]:
    async with database.read() as session:
        return [(each.kind, each.by, each.words) for each in await notifications.list_of(session, actor)]


async def test_submitted_text_comes_back_with_words_and_is_approved_in_the_end(database: Database) -> None:
    cem, edna, ana = await person(database, "contributor"), await person(database, "editor"), await person(database, "author")
    post = await factories.draft(database, cem)
    assert (await do(database, reviews.submit, cem, post.id, "My first one.")).work is WorkState.IN_REVIEW
    assert await told(database, edna) == [("submitted", "Cem Öz", "My first one.")]
    assert await told(database, ana) == [], "who cannot approve it is not told"
    with pytest.raises(InvalidInput, match="Say what should change"):
        await do(database, reviews.ask_for_changes, edna, post.id, "  ")
    assert (await do(database, reviews.ask_for_changes, edna, post.id, "Which mud?")).work is WorkState.DRAFT
    assert await told(database, cem) == [("changes_asked", "Edna Reed", "Which mud?")]
    await factories.edited(database, cem, post.id, text="Grey mud.")
    await do(database, reviews.submit, cem, post.id)
    assert (await do(database, reviews.approve, edna, post.id)).work is WorkState.APPROVED
    found = await standing(database, cem, post.id)
    acts = ReviewAct.APPROVED, ReviewAct.SUBMITTED, ReviewAct.CHANGES_ASKED, ReviewAct.SUBMITTED
    assert tuple(each.review.act for each in found.acts) == acts
    assert found.acts[2].by == "Edna Reed"
    async with database.read() as session:
        letters = [job.payload["notice"] for job in await session.scalars(select(Job).order_by(Job.id)) if job.name == "send_mail"]
        kept = await session.get_one(Revision, found.revision_id)
    assert letters == ["submitted", "changes_asked", "submitted", "approved"]
    assert kept.content == "Grey mud."
    await factories.publish(database, edna, post.id)
    assert (await standing(database, edna, post.id)).revision_id is None


async def test_the_text_that_was_never_kept_gets_a_revision_that_says_so(database: Database) -> None:
    cem = await person(database, "contributor")
    post = await factories.draft(database, cem)
    async with database.transaction() as work:
        seen = await posts.get_draft(work.session, cem, post.id)

        await posts.save(work, cem, post.id, PostInput(title="Low tide", text="Typed on.", version=seen.version), on_purpose=False)
    await do(database, reviews.submit, cem, post.id)
    async with database.read() as session:
        newest = (await session.scalars(select(Revision).order_by(Revision.id.desc()))).first()
    assert newest is not None
    assert (newest.reason, newest.content) == (Reason.SUBMITTED, "Typed on.")


async def test_acts_in_the_wrong_state_are_refused(database: Database) -> None:
    cem, edna, ana = await person(database, "contributor"), await person(database, "editor"), await person(database, "author")
    post = await factories.draft(database, cem)
    for act in (reviews.approve, reviews.ask_for_changes, reviews.take_back):
        with pytest.raises(Conflict, match="not in review"):
            await do(database, act, cem if act is reviews.take_back else edna, post.id, "x")
    with pytest.raises(NotFound):
        await do(database, reviews.submit, ana, post.id)
    await do(database, reviews.submit, cem, post.id)
    with pytest.raises(Conflict, match="submitted already"):
        await do(database, reviews.submit, cem, post.id)
    for act in (reviews.approve, reviews.ask_for_changes):
        with pytest.raises(Forbidden):
            await do(database, act, cem, post.id, "x")
    with pytest.raises(Forbidden, match="take it back"):
        await do(database, reviews.take_back, edna, post.id)
    assert (await do(database, reviews.take_back, cem, post.id)).work is WorkState.DRAFT
    await do(database, reviews.submit, cem, post.id)
    await do(database, reviews.approve, edna, post.id)
    with pytest.raises(Conflict, match="Somebody was faster"):
        await do(database, reviews.approve, edna, post.id)
    await factories.trash(database, edna, post.id)
    with pytest.raises(Conflict, match="in the trash"):
        await do(database, reviews.submit, edna, post.id)
    assert (await factories.restore(database, edna, post.id)).work is WorkState.DRAFT


async def test_nobody_approves_his_own_text(database: Database) -> None:
    edna, adam = await person(database, "editor"), await person(database, "administrator")
    post = await factories.draft(database, edna)
    await do(database, reviews.submit, edna, post.id)
    with pytest.raises(Forbidden, match="Somebody else"):
        await do(database, reviews.approve, edna, post.id)
    assert (await do(database, reviews.approve, adam, post.id)).work is WorkState.APPROVED


async def test_what_has_changed_since_is_approved_only_by_who_has_seen_it(database: Database) -> None:
    cem, edna = await person(database, "contributor"), await person(database, "editor")
    post = await factories.draft(database, cem, text="Mud.")
    await do(database, reviews.submit, cem, post.id)
    await factories.edited(database, cem, post.id, text="Sand.")
    found = await standing(database, edna, post.id)
    async with database.read() as session:
        assert found.is_changed
        assert (await reviews.submitted_text(session, found) or ("",))[0] == "Mud."
        version = (await posts.get_draft(session, edna, post.id)).version
    with pytest.raises(Conflict, match="has changed since it was submitted"):
        await do(database, reviews.approve, edna, post.id, version=version - 1)
    await do(database, reviews.approve, edna, post.id, version=version)
    assert not (await standing(database, edna, post.id)).is_changed
    edited = await factories.edited(database, cem, post.id, text="Rock.")
    assert edited.work is WorkState.APPROVED, "the approval stays, for what was approved"
    assert (await standing(database, cem, post.id)).is_changed
    await factories.edited(database, cem, post.id, text="Sand.")
    assert not (await standing(database, cem, post.id)).is_changed, "changed back"


async def test_what_was_submitted_anew_is_answered_only_by_who_has_seen_that(database: Database) -> None:
    cem, edna = await person(database, "contributor"), await person(database, "editor")
    post = await factories.draft(database, cem, text="Mud.")
    await do(database, reviews.submit, cem, post.id)
    last = await newest_act(database, post.id)
    await factories.edited(database, cem, post.id, text="Sand.")
    await do(database, reviews.submit, cem, post.id)
    for act in (reviews.approve, reviews.ask_for_changes):
        with pytest.raises(Conflict, match="Somebody was faster"):
            await do(database, act, edna, post.id, "Good.", last=last)
    assert (await do(database, reviews.approve, edna, post.id)).work is WorkState.APPROVED


async def test_two_editors_at_once_are_one_approval(database: Database) -> None:
    await demand(database, roles=("author",), steps=({"name": "Facts", "role": "editor"}, {"name": "Chief", "role": "editor"}))
    ana, edna, ed = await person(database, "author"), await person(database, "editor"), await person(database, "editor", "Ed Moss")
    post = await factories.draft(database, ana)
    await do(database, reviews.submit, ana, post.id)
    last = await newest_act(database, post.id)
    done = await asyncio.gather(*(do(database, reviews.approve, each, post.id, last=last) for each in (edna, ed)), return_exceptions=True)
    assert sorted(type(each).__name__ for each in done) == ["Conflict", "Post"]
    assert (await standing(database, edna, post.id)).number == 1


async def test_steps_are_done_in_order_and_by_their_roles(database: Database) -> None:
    steps = {"name": "Facts", "role": "editor"}, {"name": "Editor in chief", "role": "administrator"}
    await demand(database, roles=("author",), steps=steps)
    ana, edna, adam = await person(database, "author"), await person(database, "editor"), await person(database, "administrator")
    post = await factories.draft(database, ana)
    await do(database, reviews.submit, ana, post.id)
    assert (await do(database, reviews.approve, edna, post.id)).work is WorkState.IN_REVIEW
    assert [kind for kind, by, _ in await told(database, adam) if by == "Edna Reed"] == ["submitted"]
    with pytest.raises(Forbidden, match="for others"):
        await do(database, reviews.approve, edna, post.id)
    with pytest.raises(InvalidInput, match="needs to be approved"):
        await factories.publish(database, ana, post.id)
    assert (await do(database, reviews.approve, adam, post.id)).work is WorkState.APPROVED
    await factories.publish(database, ana, post.id)


async def test_what_needs_an_approval_does_not_go_out_without_one_for_just_this_text(database: Database) -> None:
    await demand(database, roles=("author",))
    ana, edna = await person(database, "author"), await person(database, "editor")
    post = await factories.draft(database, ana, text="Mud.")
    for actor in (ana, edna, await person(database, "owner")):
        with pytest.raises(InvalidInput, match="needs to be approved") as refused:
            await factories.publish(database, actor, post.id)
        assert set(refused.value.errors) == {"review"}
    await factories.published(database, edna, title="An editor's own")
    await do(database, reviews.submit, ana, post.id)
    await do(database, reviews.approve, edna, post.id)
    await factories.edited(database, ana, post.id, text="Slander.")
    with pytest.raises(InvalidInput, match="has changed since it was approved"):
        await factories.publish(database, ana, post.id)
    await factories.edited(database, ana, post.id, text="Mud.")
    await factories.publish(database, ana, post.id)
    await factories.withdraw(database, ana, post.id)
    await factories.publish(database, ana, post.id)
    await do(database, reviews.submit, ana, post.id)
    await do(database, reviews.ask_for_changes, edna, post.id, "On second thoughts.")
    with pytest.raises(InvalidInput, match="needs to be approved"):
        await factories.publish(database, ana, post.id)


async def test_category_demands_it_also_for_those_below_and_for_editors(database: Database) -> None:
    edna, adam = await person(database, "editor"), await person(database, "administrator")
    async with database.transaction() as work:
        above = Category(name="Law", slug="law")
        work.session.add(above)
        await work.session.flush()
        below = Category(name="Sea law", slug="sea-law", parent_id=above.id)
        work.session.add(below)
        await work.session.flush()
    await demand(database, categories=(above.id,))
    post = await factories.draft(database, edna, category=below.id)
    with pytest.raises(InvalidInput, match="needs to be approved"):
        await factories.publish(database, edna, post.id)
    await do(database, reviews.submit, edna, post.id)
    await do(database, reviews.approve, adam, post.id)
    await factories.publish(database, edna, post.id)
    with pytest.raises(InvalidInput, match="that are there"):
        await demand(database, categories=(999999,))
    async with database.transaction() as work:
        work.session.add(PassedOn(kind=TargetKind.CATEGORY, term_id=888888, target_id=above.id))
        assert await reviews.merged(work.session, {888888}) == {888888, above.id}


async def test_only_administrators_do_without_and_only_where_the_site_lets_them(database: Database) -> None:
    ana, adam = await person(database, "author"), await person(database, "administrator")
    await demand(database, roles=("author",), is_waivable=True)
    post = await factories.draft(database, ana)

    async def hurry(actor: Actor) -> None:
        async with database.transaction() as work:
            draft = await posts.get_draft(work.session, actor, post.id)
            version = publishing.Version(draft.version, factories.render(draft.content))
            await publishing.publish(work, actor, post.id, version, without_review=True)

    with pytest.raises(InvalidInput, match="needs to be approved"):
        await hurry(ana)
    await hurry(adam)
    await demand(database, roles=("author",))
    await factories.edited(database, ana, post.id, text="More.")
    with pytest.raises(InvalidInput, match="needs to be approved"):
        await hurry(adam)


async def test_rules_are_the_administrators_and_two_of_them_do_not_overwrite_each_other(database: Database) -> None:
    await demand(database, roles=("author",))
    for role, refusal in (("editor", Forbidden), ("owner", Conflict)):
        actor = await person(database, role)
        async with database.transaction() as work:
            with pytest.raises(refusal):
                await reviews.save_rules(work, actor, ReviewRulesInput(version=0))
