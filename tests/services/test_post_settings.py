"""What stands beside a text: who may set it, what is refused, and what readers get of it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from cms.db.session import Database
from cms.errors import InvalidInput
from cms.models import Post, Published, Revision, WorkingCopy
from cms.models.address import TargetKind
from cms.models.post import Reason
from cms.policy import Actor
from cms.schemas.post import PostFields, PostInput
from cms.services import addresses, desk, posts, site
from cms.services.desk import Note
from tests import factories
from tests.factories import draft, edited, person, publish, published

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
LATER = {"date": "2999-01-01T09:00"}


async def fields_of(database: Database, post_id: int) -> PostFields:
    async with database.read() as session:
        return PostFields.model_validate((await session.get_one(WorkingCopy, post_id)).fields)


async def in_zone(database: Database, zone: str) -> None:
    async with database.transaction() as work:
        await site.configure(work, time_zone=zone)


async def picture_of(database: Database, actor: Actor, digest: str) -> int:
    async with database.transaction() as work:
        return (await factories.asset(work, actor, name=f"{digest}.png", digest=digest, size=1, alt="Mud", dimensions=(2, 1))).id


async def test_date_before_the_first_publication_becomes_it_and_a_later_one_is_only_shown(database: Database) -> None:
    ana = await person(database, "author")
    await in_zone(database, "Asia/Tokyo")
    async with database.transaction() as work:
        await site.configure(work, permalink="/{year}/{month}/{slug}")
    post = await draft(database, ana, title="Old", date="2019-03-01T08:30")
    first = await publish(database, ana, post.id)
    old = datetime(2019, 2, 28, 23, 30, tzinfo=UTC)
    assert (first.path, first.published_at, first.updated_at, first.month) == ("2019/03/old", old, old, "2019-03")
    await edited(database, ana, post.id, date="2020-01-02T03:04")
    second = await publish(database, ana, post.id)
    assert (second.path, second.month) == ("2019/03/old", "2020-01")
    assert second.published_at == datetime(2020, 1, 1, 18, 4, tzinfo=UTC)
    await edited(database, ana, post.id, date="")
    assert (await publish(database, ana, post.id)).published_at == old
    async with database.read() as session:
        assert (await session.get_one(Post, post.id)).first_published_at == old


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("2026-03-29T01:30", "skip 01:30"),
        ("2025-10-26T01:30", "twice"),
        ("soon", "Write a day"),
        (LATER["date"], "still to come"),
    ],
)
async def test_date_that_is_none_is_refused_where_it_is_typed(database: Database, typed: str, sentence: str) -> None:
    ana = await person(database, "author")
    await in_zone(database, "Europe/Lisbon")
    with pytest.raises(InvalidInput) as refused:
        await draft(database, ana, date=typed)
    assert sentence in refused.value.errors["date"]


async def test_date_that_the_document_has_is_asked_again_when_it_goes_out(database: Database) -> None:
    ana = await person(database, "author")
    post = await draft(database, ana)
    async with database.transaction() as work:
        copy = await work.session.get_one(WorkingCopy, post.id)
        copy.fields = {**copy.fields, **LATER}
    with pytest.raises(InvalidInput) as refused:
        await publish(database, ana, post.id)
    assert list(refused.value.errors) == ["date"]


async def test_authors_are_named_by_editors_in_order(database: Database) -> None:
    ana, cem, edna = await person(database, "author"), await person(database, "contributor"), await person(database, "editor")
    post = await draft(database, ana)
    await edited(database, ana, post.id, authors=(cem.user_id, ana.user_id), title="Mine")
    assert (await fields_of(database, post.id)).authors == (ana.user_id,), "an author changes nothing of it"
    await edited(database, edna, post.id, authors=(cem.user_id, ana.user_id))
    assert [author["id"] for author in (await publish(database, edna, post.id)).authors] == [cem.user_id, ana.user_id]
    with pytest.raises(InvalidInput) as refused:
        await edited(database, edna, post.id, authors=(999_999,))
    assert list(refused.value.errors) == ["authors"]
    await edited(database, edna, post.id, authors=())
    assert (await fields_of(database, post.id)).authors == (cem.user_id, ana.user_id), "somebody wrote it"


async def test_picture_is_chosen_by_whoever_sees_the_library_and_kept_by_whoever_does_not(database: Database) -> None:
    ana, edna, cem = [await person(database, role) for role in ("author", "editor", "contributor")]
    mine, hers = await picture_of(database, ana, "a" * 64), await picture_of(database, edna, "b" * 64)
    post = await published(database, ana, picture=mine)
    assert (post.picture or {})["alt"] == "Mud"
    await edited(database, ana, post.post_id, picture=hers)
    assert (await fields_of(database, post.post_id)).picture == hers
    await edited(database, ana, post.post_id, picture=None)
    assert (await publish(database, ana, post.post_id)).picture is None
    theirs = await draft(database, cem)
    with pytest.raises(InvalidInput) as refused:
        await edited(database, cem, theirs.id, picture=hers)
    assert list(refused.value.errors) == ["picture"]
    await edited(database, edna, theirs.id, picture=hers)
    await edited(database, cem, theirs.id, title="Another title")
    assert (await fields_of(database, theirs.id)).picture == hers


async def test_language_and_what_others_show_go_out_with_it(database: Database) -> None:
    ana = await person(database, "author")
    said = {"search_title": "For search", "share_description": "For friends"}
    post = await published(database, ana, language="ar", **said)
    assert (post.language, post.meta) == ("ar", said)
    await edited(database, ana, post.post_id, language="", search_title="", share_description="")
    again = await publish(database, ana, post.post_id)
    assert (again.language, again.meta) == ("en", None)
    async with database.read() as session:
        assert (await session.get_one(Post, post.post_id)).language is None


async def test_map_that_was_written_before_a_field_was_there_is_not_another(database: Database) -> None:
    ana = await person(database, "author")
    post = await published(database, ana)
    async with database.transaction() as work:
        for kept in (await work.session.get_one(WorkingCopy, post.post_id), await work.session.get_one(Revision, post.revision_id)):
            kept.fields = {name: value for name, value in kept.fields.items() if name not in ("date", "search_title")}
    assert (await edited(database, ana, post.post_id, title="Other")).has_changes
    assert not (await edited(database, ana, post.post_id, title="Low tide")).has_changes
    async with database.read() as session:
        assert (await session.get_one(Published, post.post_id)).revision_id == post.revision_id
        assert (await session.get_one(Revision, post.revision_id)).reason is Reason.SAVED


async def moved(database: Database, post_id: int, path: str) -> None:
    async with database.transaction() as work:
        await addresses.assign(work, path, TargetKind.POST, post_id)


async def test_while_somebody_types_it_is_said_where_the_text_would_stand(database: Database) -> None:
    ana = await person(database, "author")
    taken = await published(database, ana, title="Low tide")

    async def notes(post_id: int | None = None, **typed: Any) -> dict[str, Note]:
        async with database.read() as session:
            return await desk.notes(session, ana, (taken.kind, post_id), PostInput(**typed), NOW)

    assert await notes() == {}
    assert await notes(title="Low tide") == {"slug": Note("/low-tide-2 is free.", value="/low-tide-2")}
    assert await notes(slug="low-tide") == {"slug": Note("/low-tide belongs to something else; choose another address.", is_wrong=True)}
    await moved(database, taken.post_id, "ebb")
    led = "/low-tide has led to something else so far; it would lead here then."
    assert await notes(slug="low-tide") == {"slug": Note(led, value="/low-tide")}
    await moved(database, taken.post_id, "low-tide")
    assert await notes(slug="Login") == {"slug": Note("/login is used by Squall itself; choose another address.", is_wrong=True)}
    assert (await notes(taken.post_id, title="Low tide"))["slug"] == Note("Readers find it at /low-tide now.", value="/low-tide")
    assert (await notes(date="2019-03-05T09:30"))["date"] == Note("A Tuesday. It counts as first published then.")
    assert (await notes(**LATER))["date"].is_wrong
    async with database.read() as session:
        assert (await posts.get_draft(session, ana, taken.post_id)).fields.date == "", "nothing was stored"
