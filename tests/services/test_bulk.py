"""One act on many: each is asked by itself, one report at the end; the trash and its end; copies."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from cms.content.context import Rendered
from cms.content.pipeline import render
from cms.db.session import Database, ReadSession, Work
from cms.errors import Conflict, Forbidden, InvalidInput, NotFound
from cms.models import DeskDocument, Post, Revision, WorkingCopy
from cms.models.post import Kind, Live, Reason, WorkState
from cms.policy import SYSTEM, Actor
from cms.schemas.desk import BulkInput, ReviewInput
from cms.schemas.post import PostFields
from cms.services import bulk, inspection, posts, reviews, site, trash, working_copies
from cms.services.bulk import NOT_YOURS, Report
from cms.services.posts import Draft
from cms.services.publishing import Version
from tests import watching
from tests.desk import sees
from tests.factories import draft, page, person, published, published_page
from tests.factories import trash as throw_away


class Hands:
    """What the desk's handlers lend to services."""

    def __init__(self, database: Database, actor: Actor) -> None:
        self.database, self.actor = database, actor

    def read(self) -> AbstractAsyncContextManager[ReadSession]:
        return self.database.read()

    async def in_transaction(self, act: Callable[[Work], Awaitable[Any]]) -> Any:
        return await self.database.run(act)

    async def load(self, post_id: int) -> Draft:
        await working_copies.catch_up(self.database, post_id)
        async with self.database.read() as session:
            return await posts.get_draft(session, self.actor, post_id)

    async def rendered(self, _post_id: int, text: str, _language: str | None) -> Rendered:
        return render(text)

    async def revision(self, post_id: int, revision_id: int) -> Version:
        raise NotImplementedError


async def do(database: Database, actor: Actor, act: str, ids: list[int], kind: Kind = Kind.POST, **more: Any) -> Report:
    wanted = BulkInput.model_validate({"act": act, "id": ids, **more})
    return await bulk.apply(Hands(database, actor), actor, kind, wanted)


async def fields_of(database: Database, post_id: int) -> PostFields:
    async with database.read() as session:
        return PostFields.model_validate((await session.get_one(WorkingCopy, post_id)).fields)


async def post_of(database: Database, post_id: int) -> Post:
    async with database.read() as session:
        return await session.get_one(Post, post_id)


@pytest.mark.parametrize("role", ["contributor", "author"])
async def test_what_is_not_ones_own_is_refused_whether_it_is_there_or_not(database: Database, role: str) -> None:
    otto, me = await person(database, "author", "Otto Other"), await person(database, role)
    secret, public = await draft(database, otto, title="Secret"), await published(database, otto, title="Public")
    mine, about = await draft(database, me, title="Mine"), await page(database, await person(database, "editor"))
    ids = [secret.id, public.post_id, mine.id, about.id, 999_999]
    for act, more in (("add_tags", {"tags": "Sea"}), ("category", {}), ("trash", {}), ("restore", {}), ("delete", {})):
        if act == "delete":
            await throw_away(database, me, mine.id)
        report = await do(database, me, act, ids, **more)
        assert (report.done, set(report.refused.values())) == ([mine.id], {NOT_YOURS}), act
    assert {(await post_of(database, number)).live for number in (secret.id, public.post_id)} == {Live.NEVER, Live.PUBLISHED}
    assert (await fields_of(database, secret.id)).tags == ()
    report = await do(database, me, "publish", [secret.id, public.post_id, about.id, 999_999])
    assert (report.done, set(report.refused.values())) == ([], {NOT_YOURS})
    with pytest.raises(Forbidden):
        await do(database, me, "authors", [mine.id], to_authors=[me.user_id])


async def test_posts_are_published_together_and_one_that_cannot_go_keeps_no_other(database: Database) -> None:
    ana = await person(database, "author")
    one, two = await draft(database, ana, title="One"), await draft(database, ana, title="Two")
    with watching.events(database) as heard:
        assert (await do(database, ana, "publish", [one.id, two.id])).done == [one.id, two.id]
    assert [event.post_id for event in heard if type(event).__name__ == "PostPublished"] == [one.id, two.id]
    three, untitled = await draft(database, ana, title="Three"), await draft(database, ana, title="")
    report = await do(database, ana, "publish", [one.id, three.id, untitled.id])
    assert report.done == [three.id]
    assert report.refused == {one.id: "Readers see this as it is.", untitled.id: "Readers need a title."}
    report = await do(database, ana, "withdraw", [one.id, three.id, untitled.id])
    assert (report.done, report.refused) == ([one.id, three.id], {untitled.id: "This is not public any more."})


async def test_pages_go_out_whatever_their_order(database: Database) -> None:
    editor = await person(database, "editor")
    above = await page(database, editor, title="Above")
    below = await page(database, editor, title="Below", parent=above.id)
    report = await do(database, editor, "publish", [below.id, above.id], Kind.PAGE)
    assert (sorted(report.done), report.refused) == ([above.id, below.id], {})


async def test_tags_category_and_authors_are_set_without_losing_what_is_typed(database: Database) -> None:
    editor, ana = await person(database, "editor"), await person(database, "author")
    post = await draft(database, ana, title="Tides", tags=("Sea",))
    coast = await draft(database, editor, new_category="Coast")
    category = (await fields_of(database, coast.id)).category
    async with database.transaction() as work:
        await working_copies.open_document(work, post.id)
        await working_copies.edit(work, ana, post.id, content="Typed meanwhile.")
    assert (await do(database, editor, "add_tags", [post.id], tags="mud, SEA, Sand")).done == [post.id]
    assert (await do(database, editor, "remove_tags", [post.id], tags="sea, never heard of")).done == [post.id]
    assert (await do(database, editor, "category", [post.id], to_category=category)).done == [post.id]
    assert (await do(database, editor, "authors", [post.id], to_authors=[editor.user_id, ana.user_id])).done == [post.id]
    async with database.read() as session:
        seen = await posts.get_draft(session, editor, post.id)
        newest = await session.scalar(select(Revision).where(Revision.post_id == post.id).order_by(Revision.id.desc()).limit(1))
    assert (seen.tags, seen.fields.category, seen.fields.authors) == (("mud", "Sand"), category, (editor.user_id, ana.user_id))
    assert newest is not None
    assert (seen.content, newest.content, newest.reason) == ("Typed meanwhile.", "Typed meanwhile.", Reason.SAVED)


@pytest.mark.parametrize(
    ("act", "more", "wrong"),
    [
        ("add_tags", {}, "tags"),
        ("authors", {}, "to_authors"),
        ("authors", {"to_authors": "99"}, "authors"),
        ("category", {"to_category": 99}, "category"),
    ],
)
async def test_what_is_wrong_for_all_is_refused_before_anything_is_done(
    database: Database, act: str, more: dict[str, Any], wrong: str
) -> None:
    editor = await person(database, "editor")
    post = await draft(database, editor)
    with pytest.raises(InvalidInput) as refused:
        await do(database, editor, act, [post.id], **more)
    assert set(refused.value.errors) == {wrong}
    with pytest.raises(InvalidInput, match="Nothing was chosen"):
        await do(database, editor, act, [], **more)


def test_at_most_a_hundred_are_chosen_at_once() -> None:
    with pytest.raises(ValueError, match="at most 100 at once"):
        BulkInput.model_validate({"act": "trash", "id": ",".join(map(str, range(1, 102)))})
    assert BulkInput.model_validate({"act": "trash-42", "id": "1,2"}).id == (42,)


async def test_back_to_draft_takes_out_of_reviews_and_off_dates(database: Database) -> None:
    ana = await person(database, "author")
    waiting, public, plain = await draft(database, ana), await published(database, ana), await draft(database, ana)
    async with database.transaction() as work:
        await reviews.submit(work, ana, waiting.id, ReviewInput.model_validate({}))
    editor = await person(database, "editor")
    assert (await do(database, editor, "draft", [waiting.id])).refused == {
        waiting.id: "Those who wrote it, or who submitted it, can take it back."
    }
    report = await do(database, ana, "draft", [waiting.id, public.post_id, plain.id])
    assert report.done == [waiting.id]
    assert report.refused[public.post_id] == "Readers see this; withdraw it instead."
    assert (await post_of(database, waiting.id)).work is WorkState.DRAFT


# --- the trash -------------------------------------------------------------------------------------------------------------


async def test_what_is_deleted_for_good_leaves_an_address_that_says_so(database: Database) -> None:
    ana = await person(database, "author")
    gone = await published(database, ana, title="Gone", text="Mussels.", tags=("Sea",))
    with pytest.raises(Conflict, match="not in the trash"):
        async with database.transaction() as work:
            await trash.forget(work, ana, gone.post_id)
    assert (await do(database, ana, "trash", [gone.post_id])).done == [gone.post_id]
    assert (await do(database, ana, "delete", [gone.post_id])).done == [gone.post_id]
    async with database.read() as session:
        assert await session.get(Post, gone.post_id) is None
        assert await session.scalar(select(func.count()).select_from(DeskDocument)) == 0
        assert not (await inspection.address_of_nothing(session)).number
    assert (await watching.addresses(database))["gone"] == "gone"
    assert await sees(database, ana, q="mussels") == set()


async def test_trash_is_emptied_of_what_one_may_delete(database: Database) -> None:
    cem, editor = await person(database, "contributor"), await person(database, "editor")
    mine, theirs, about = await draft(database, cem), await draft(database, editor), await page(database, editor)
    for post in (mine, theirs, about):
        await throw_away(database, editor, post.id)
    async with database.transaction() as work:
        assert await trash.count(work.session, cem, Kind.POST) == await trash.empty(work, cem, Kind.POST) == 1
    async with database.read() as session:
        assert set(await session.scalars(select(Post.id))) == {theirs.id, about.id}


async def test_trash_is_emptied_as_late_as_the_site_says(database: Database) -> None:
    editor, now = await person(database, "editor"), database.clock()
    await throw_away(database, editor, (await draft(database, editor)).id)
    for days, left in ((40, 1), (20, 0)):
        async with database.transaction() as work:
            await site.configure(work, limits={"trash_days": days})
        database.clock = lambda: now + timedelta(days=31)
        await trash.prune(database)
        async with database.read() as session:
            assert await session.scalar(select(func.count()).select_from(Post)) == left


async def test_trash_is_emptied_by_itself_after_a_month(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trash, "AT_ONCE", 2)
    editor, now = await person(database, "editor"), database.clock()
    old = [await draft(database, editor) for _ in range(3)]
    top = await published_page(database, editor)
    for number in (*[post.id for post in old], top.post_id):
        await throw_away(database, editor, number)
    later = await draft(database, editor)
    database.clock = lambda: now + timedelta(days=10)
    await throw_away(database, editor, later.id)
    database.clock = lambda: now + timedelta(days=29)
    await trash.prune(database)
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(Post)) == 5
    database.clock = lambda: now + timedelta(days=31)
    await trash.prune(database)
    async with database.read() as session:
        assert set(await session.scalars(select(Post.id))) == {later.id}


# --- copies ----------------------------------------------------------------------------------------------------------------


async def test_copy_is_a_draft_of_ones_own_with_the_text_as_it_is_written_now(database: Database) -> None:
    editor, ana = await person(database, "editor"), await person(database, "author")
    post = await published(
        database, ana, title="Tides", slug="the-tides", tags=("Sea",), excerpt="Mud.", date="2020-01-01T10:00", series=""
    )
    async with database.transaction() as work:
        await working_copies.open_document(work, post.post_id)
        await working_copies.edit(work, ana, post.post_id, content="Typed meanwhile.", fields={"search_title": "S"})
        made = await posts.duplicate(work, editor, post.post_id)
    assert (made.title, made.live, made.status) == ("Tides (copy)", Live.NEVER, "draft")
    fields = await fields_of(database, made.id)
    assert (fields.slug, fields.date, fields.authors, fields.excerpt, fields.search_title) == ("", "", (editor.user_id,), "Mud.", "S")
    assert fields.tags == (await fields_of(database, post.post_id)).tags
    async with database.read() as session:
        assert (await session.get_one(WorkingCopy, made.id)).content == "Typed meanwhile."


async def test_nobody_copies_what_others_are_writing(database: Database) -> None:
    ana, cem = await person(database, "author"), await person(database, "contributor")
    secret, public = await draft(database, ana), await published(database, ana)
    for number, error in ((secret.id, NotFound), (public.post_id, Forbidden)):
        with pytest.raises(error):
            async with database.transaction() as work:
                await posts.duplicate(work, cem, number)
    async with database.transaction() as work:
        long = await posts.create(work, SYSTEM, Kind.POST, posts.PostInput(title="x" * 300))
        assert len((await posts.duplicate(work, SYSTEM, long.id)).title) <= 300
