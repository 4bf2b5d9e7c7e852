"""On both databases: documents, and the working copies that are read of them."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from cms import crdt
from cms.db.session import Database, utc_now
from cms.errors import Conflict, NotFound
from cms.events import DocumentsChanged, Event
from cms.models import Document, DocumentUpdate, Post, PostTag, Revision, User, WorkingCopy
from cms.models.post import Reason
from cms.schemas.post import PostInput
from cms.services import accounts, posts, taxonomies, working_copies
from cms.services.working_copies import Stored
from cms.worker import loop
from tests import factories
from tests.waiting import MOST, asks_the_kernel, longest_wait


async def opened(database: Database, post_id: int) -> Stored:
    async with database.transaction() as work:
        return await working_copies.open_document(work, post_id)


async def document_of(database: Database, post_id: int) -> crdt.Document:
    return crdt.Document(*(await opened(database, post_id)).all)


async def typed(database: Database, post_id: int, content: str | None = None, **fields: Any) -> None:
    """As a socket brings it: an update of the document, and nothing else."""
    made = (await document_of(database, post_id)).edit(content, fields)
    async with database.transaction() as work:
        assert post_id in await working_copies.append(work, {post_id: made})


async def copy_of(database: Database, post_id: int) -> WorkingCopy:
    async with database.read() as session:
        return await session.get_one(WorkingCopy, post_id)


async def projected(database: Database, post_id: int) -> WorkingCopy:
    await working_copies.catch_up(database, post_id)
    return await copy_of(database, post_id)


async def test_document_is_made_once_and_says_what_the_working_copy_says(database: Database) -> None:
    ana = await factories.person(database, "author")
    post = await factories.draft(database, ana, title="Low tide", text="Mud 😀.", tags=("Sea",))
    both = await asyncio.gather(opened(database, post.id), opened(database, post.id))
    assert both[0] == both[1]
    document, copy = crdt.Document(*both[0].all), await copy_of(database, post.id)
    assert (document.content, document.fields) == (copy.content, copy.fields)
    with pytest.raises(NotFound):
        await opened(database, post.id + 1)


async def test_what_is_typed_is_in_the_working_copy_when_it_is_asked_for(database: Database) -> None:
    heard: list[Event] = []
    database.listen(heard.append)
    ana = await factories.person(database, "author")
    post = await factories.draft(database, ana)
    async with database.transaction() as work:
        (tag,) = await taxonomies.ensure_tags(work, ["Sea"])
    before = await copy_of(database, post.id)
    await typed(database, post.id, "Sand\r\n😀\0", title="High tide", tags=[tag])
    assert (await copy_of(database, post.id)).version == before.version, "typing writes no working copy"
    copy = await projected(database, post.id)
    assert (copy.content, copy.fields["title"], copy.version) == ("Sand\n😀", "High tide", before.version + 1)
    assert (await document_of(database, post.id)).content == "Sand\n😀", "what no text may hold goes from the document, too"
    async with database.read() as session:
        assert (await session.get_one(Post, post.id)).title == "High tide"
        assert await session.scalar(select(PostTag.tag_id).where(PostTag.post_id == post.id)) == tag
        ids = (await session.scalars(select(DocumentUpdate.id).order_by(DocumentUpdate.id))).all()
    assert [number for event in heard if isinstance(event, DocumentsChanged) for _, number in event.updates] == list(ids)
    assert (await projected(database, post.id)).version == copy.version, "and nothing is done twice"


async def test_fields_that_cannot_be_are_set_back_in_the_document(database: Database) -> None:
    ana = await factories.person(database, "author")
    post = await factories.draft(database, ana, title="Low tide")
    wrong = {"category": 99, "tags": [5, "x"], "authors": [], "picture": 2.0**70, "series": {"id": 1}, "parent": 1, "language": {"a": 1}}
    await typed(database, post.id, None, **wrong, title="x" * 301, slug="???", excerpt="Fine.", unheard="of")
    copy, document = await projected(database, post.id), await document_of(database, post.id)
    kept = {"title": "Low tide", "slug": "", "authors": [ana.user_id], "category": None, "tags": [], "parent": None, "picture": None}
    assert {key: copy.fields[key] for key in kept} == kept
    assert copy.fields["excerpt"] == "Fine."
    assert "unheard" not in copy.fields
    assert document.fields["authors"] == [ana.user_id]
    assert document.fields["category"] is None
    assert document.fields["title"] == "x" * 301, "words are left to whoever types them"


async def test_picture_that_is_not_to_be_chosen_is_set_back(database: Database) -> None:
    """Whoever may look into the library chooses of all that is in it."""
    ana, otto = await factories.person(database, "author"), await factories.person(database, "author", "Otto Other")
    post = await factories.draft(database, ana)
    async with database.transaction() as work:
        face = factories.asset_row(digest="a" * 64, in_library=False, created_at=work.now)
        thrown_away = factories.asset_row(digest="b" * 64, trashed_at=work.now, created_at=work.now)
        theirs = factories.asset_row(digest="c" * 64, created_by_id=otto.user_id, created_at=work.now)
        work.session.add_all([face, thrown_away, theirs])
    for asset, kept in ((face, None), (thrown_away, None), (theirs, theirs.id)):
        await typed(database, post.id, picture=asset.id)
        async with database.transaction() as work:
            copy = await working_copies.project(work, post.id, ana.user_id)
        assert copy.fields["picture"] == (await document_of(database, post.id)).fields["picture"] == kept


async def test_form_changes_what_was_changed_in_it_and_leaves_the_rest_to_others(database: Database) -> None:
    ana = await factories.person(database, "author")
    post = await factories.draft(database, ana, title="Low tide", text="One.\n\nTwo 😀.\n")
    seen = PostInput(title="Low tide", text="One.\n\nTwo 😀.\n", version=1)
    await typed(database, post.id, "One.\n\nTwo 😀😀.\n", excerpt="Theirs.")
    async with database.transaction() as work:
        await posts.save(work, ana, post.id, PostInput(title="High tide", text="Won.\n\nTwo 😀.\n", version=1, seen=seen))
    copy, document = await copy_of(database, post.id), await document_of(database, post.id)
    assert copy.content == document.content == "Won.\n\nTwo 😀😀.\n"
    assert (document.fields["title"], document.fields["excerpt"]) == ("High tide", "Theirs.")
    with pytest.raises(Conflict):
        async with database.transaction() as work:
            await posts.save(work, ana, post.id, PostInput(title="Old", text="Old.", version=1))


async def test_saving_what_was_typed_keeps_a_revision_of_it_once(database: Database) -> None:
    ana = await factories.person(database, "author")
    post = await factories.draft(database, ana, text="One.")
    await typed(database, post.id, "Two.")
    for _ in range(2):
        await working_copies.catch_up(database, post.id)
        await factories.edited(database, ana, post.id)
    async with database.read() as session:
        kept = (await session.scalars(select(Revision.content).where(Revision.post_id == post.id).order_by(Revision.id))).all()
    assert kept == ["One.", "Two."]


async def test_text_of_whoever_wrote_before_is_kept_when_another_takes_over(database: Database) -> None:
    ana, edna = await factories.person(database, "author"), await factories.person(database, "editor")
    post = await factories.draft(database, ana, text="One.")
    await typed(database, post.id, "Hers.")
    for _ in range(2):
        async with database.transaction() as work:
            await working_copies.take_over(work, post.id, ana.user_id)
    await typed(database, post.id, "His.")
    async with database.read() as session:
        kept = (await session.scalars(select(Revision).where(Revision.post_id == post.id, Revision.reason == Reason.TAKEOVER))).all()
    assert [(each.content, each.created_by_id) for each in kept] == [("Hers.", ana.user_id)]
    assert edna.user_id != ana.user_id


async def test_updates_are_folded_once_and_none_that_came_meanwhile_is_lost(database: Database) -> None:
    ana = await factories.person(database, "author")
    post = await factories.draft(database, ana, text="")
    for number in range(5):
        await typed(database, post.id, "x" * number)
    stored = await opened(database, post.id)
    await typed(database, post.id, "y")
    folded = crdt.folded(*stored.all)
    async with database.transaction() as work:
        assert await working_copies.fold(work, stored, folded)
    async with database.transaction() as work:
        assert not await working_copies.fold(work, stored, folded), "another process was faster"
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(DocumentUpdate)) == 1
    assert (await document_of(database, post.id)).content == "y"


async def test_what_a_killed_process_left_behind_is_found(database: Database) -> None:
    ana = await factories.person(database, "author")
    post = await factories.draft(database, ana)
    await typed(database, post.id, "Left.")
    async with database.read() as session:
        now = database.clock()
        assert await working_copies.left_behind(session, now) == []
        assert await working_copies.left_behind(session, now + working_copies.LEFT_BEHIND) == [post.id]


async def test_a_text_that_cannot_be_read_keeps_no_other_from_being_caught_up(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working_copies, "LEFT_BEHIND", timedelta(0))
    ana = await factories.person(database, "author")
    broken, whole = [(await factories.draft(database, ana)).id for _ in range(2)]
    await typed(database, whole, "Left.")
    await opened(database, broken)
    async with database.transaction() as work:
        await working_copies.append(work, {broken: b"no update"})
    database.clock = lambda: utc_now() + timedelta(seconds=1)
    await loop._catch_up(database)
    async with database.read() as session:
        assert await working_copies.left_behind(session, database.clock()) == [broken]
        assert (await session.get_one(WorkingCopy, whole)).content == "Left."


async def test_yjs_client_is_of_whoever_claims_it_first(database: Database) -> None:
    ana, edna = await factories.person(database, "author"), await factories.person(database, "editor")
    post = await factories.draft(database, ana)
    await opened(database, post.id)
    for actor in (ana, edna):
        async with database.transaction() as work:
            await working_copies.claim(work, post.id, 2**52, actor.user_id or 0)
    async with database.read() as session:
        assert await working_copies.writers(session, post.id) == {2**52: (ana.user_id, ana.name)}


async def test_texts_that_are_given_to_somebody_else_are_so_in_their_documents(database: Database) -> None:
    owner, ana, edna = [await factories.person(database, role) for role in ("owner", "author", "editor")]
    post = await factories.draft(database, ana)
    await typed(database, post.id, "Typed.")
    async with database.transaction() as work:
        user, heir = [await work.session.get_one(User, each.user_id) for each in (ana, edna)]
        await accounts.delete(work, owner, user, heir)
    copy, document = await projected(database, post.id), await document_of(database, post.id)
    assert copy.content == "Typed."
    assert copy.fields["authors"] == document.fields["authors"] == [edna.user_id]
    async with database.read() as session:
        assert not (await session.get_one(Document, post.id)).is_ahead


@asks_the_kernel
async def test_a_long_text_that_changed_all_over_keeps_nobody_waiting(database: Database) -> None:
    ana = await factories.person(database, "author")
    seen = "\n".join(f"Line {number} and some words." for number in range(10_000))
    posts = [(await factories.draft(database, ana, text=seen)).id for _ in range(3)]
    for post_id in posts:  # somebody else has written in each
        await opened(database, post_id)
        await typed(database, post_id, f"Hers. {seen}")

    async def sent() -> None:
        """A form that knows nothing of it."""
        async with database.transaction() as work:
            copy = await working_copies.edit(work, ana, posts.pop(), content=seen.replace("some", "many"), base=seen)
        assert copy.content.endswith("Hers. " + seen.replace("some", "many"))

    assert await longest_wait(sent) < MOST
