"""What is sealed in the database, and the keys it is under."""

from collections import Counter

import pytest
from sqlalchemy import select

from cms.db.session import Database
from cms.models import Job, User
from cms.sealing import Sealer, Under
from cms.services import jobs, sealed
from cms.settings import Settings, secret_keys
from tests.factories import person, user_of

OLD, NEW, OTHER = ("o" * 40, "n" * 40, "x" * 40)


def sealer(*keys: str) -> Sealer:
    return Sealer(secret_keys(Settings(secret_keys=keys)))


async def keep(database: Database, sealed_texts: dict[str, str]) -> None:
    """By a person's role."""
    for role, text in sealed_texts.items():
        actor = await person(database, role)
        async with database.transaction() as work:
            (await work.session.get_one(User, actor.user_id)).totp_secret = text


async def standing(database: Database, keys: Sealer) -> Counter[Under]:
    async with database.read() as session:
        return await sealed.standing(session, keys)


async def test_older_secrets_are_sealed_anew_and_say_the_same(database: Database) -> None:
    await keep(database, {"author": sealer(OLD).seal("one"), "editor": sealer(NEW).seal("two")})
    await person(database, "contributor")
    async with database.transaction() as work:
        await jobs.enqueue(work, "mail", key="a", sealed=sealer(OLD).seal("three"), to="x")
        await jobs.enqueue(work, "other")
    keys = sealer(NEW, OLD)
    assert await standing(database, keys) == {Under.NEWEST: 1, Under.OLDER: 2}
    assert await sealed.renew_all(database, keys) == 2
    assert await sealed.renew_all(database, keys) == 0
    assert await standing(database, sealer(NEW)) == {Under.NEWEST: 3}
    assert sealer(NEW).open((await user_of(database, await person(database, "author"))).totp_secret or "") == "one"
    async with database.read() as session:
        payload = (await session.scalars(select(Job.payload).where(Job.name == "mail"))).one()
    assert sealer(NEW).open(payload["sealed"]) == "three"
    assert payload["to"] == "x"


async def test_what_no_key_opens_is_counted_and_left_alone(database: Database) -> None:
    lost = sealer(OTHER).seal("lost")
    await keep(database, {"author": lost, "editor": sealer(OLD).seal("kept")})
    keys = sealer(NEW, OLD)
    assert await standing(database, keys) == {Under.LOST: 1, Under.OLDER: 1}
    assert await sealed.renew_all(database, keys) == 1
    assert (await user_of(database, await person(database, "author"))).totp_secret == lost


async def test_many_are_renewed_in_batches(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealed, "BATCH", 2)
    await keep(database, {role: sealer(OLD).seal(role) for role in ("administrator", "editor", "author", "contributor", "owner")})
    assert await sealed.renew_all(database, sealer(NEW, OLD)) == 5
    assert await standing(database, sealer(NEW)) == {Under.NEWEST: 5}
