"""Who did what: a line in the transaction of the act, and none of an act that was undone."""

import pytest
from sqlalchemy import select

from cms.db.session import Database
from cms.errors import InvalidInput
from cms.models import AuditEntry
from tests.factories import draft, person, publish, published, restore, trash, withdraw


async def lines(database: Database, kind: str = "post") -> list[tuple[str, int | None, int | None]]:
    async with database.read() as session:
        entries = await session.scalars(select(AuditEntry).where(AuditEntry.subject_kind == kind).order_by(AuditEntry.id))
        return [(entry.action, entry.user_id, entry.subject_id) for entry in entries]


async def test_acts_on_what_readers_see_are_noted_with_who_did_them(database: Database) -> None:
    editor = await person(database, "editor")
    post = await draft(database, editor)
    for act in (publish, withdraw, trash, restore):
        await act(database, editor, post.id)
    names = ("post.publish", "post.withdraw", "post.trash", "post.restore")
    assert await lines(database) == [(name, editor.user_id, post.id) for name in names]


async def test_act_that_was_refused_is_not_noted(database: Database) -> None:
    editor = await person(database, "editor")
    await published(database, editor, slug="tide")
    before = await lines(database)
    post = await draft(database, editor, slug="tide")
    with pytest.raises(InvalidInput):
        await publish(database, editor, post.id)
    assert await lines(database) == before


async def test_new_people_are_noted_with_their_role(database: Database) -> None:
    owner = await person(database, "owner")
    assert await lines(database, "user") == [("user.create", owner.user_id, owner.user_id)]
