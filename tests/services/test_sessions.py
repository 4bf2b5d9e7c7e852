"""Signed-in browsers: known by a token nobody else has, ended by time, by idleness and by hand."""

import hashlib

import pytest
from sqlalchemy import func, select

from cms.db.session import Database
from cms.events import SessionEnded
from cms.models import Session, User
from cms.policy import SYSTEM, Actor
from cms.services import sessions
from tests.factories import person, user_of
from tests.watching import Clock, events


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def ana(database: Database) -> Actor:
    return await person(database, "author")


async def start(database: Database, actor: Actor, browser: str = "Browser") -> str:
    async with database.transaction() as work:
        return await sessions.start(work, await user_of(database, actor), browser)


async def find(database: Database, token: str) -> User | None:
    async with database.read() as session:
        found = await sessions.find(session, token, database.clock())
    return found[1] if found else None


async def rows(database: Database) -> int:
    async with database.read() as session:
        return await session.scalar(select(func.count()).select_from(Session)) or 0


async def test_session_is_found_by_its_token_which_is_not_stored(database: Database, ana: Actor) -> None:
    token = await start(database, ana, "B" * 500)
    user = await find(database, token)
    assert user is not None
    assert user.actor == ana
    async with database.read() as session:
        row = (await session.scalars(select(Session))).one()
    assert (row.token_hash, len(row.user_agent)) == (hashlib.sha256(token.encode()).hexdigest(), 200)
    assert len(token) >= 43
    for wrong in ("", token[:-1], token + "x", row.token_hash, "ü", "a\0b"):
        assert await find(database, wrong) is None


async def test_each_sign_in_has_another_token(database: Database, ana: Actor) -> None:
    assert len({await start(database, ana) for _ in range(5)}) == 5


async def test_session_ends_after_its_lifetime_however_busy(database: Database, ana: Actor, clock: Clock) -> None:
    token = await start(database, ana)
    for _ in range(29):
        clock.pass_(days=1)
        await touch(database, token)
    assert await find(database, token)
    clock.pass_(days=1)
    assert await find(database, token) is None


async def touch(database: Database, token: str) -> None:
    async with database.transaction() as work:
        found = await sessions.find(work.session, token, work.now)
        assert found is not None
        await sessions.touch(work, found[0].id)


async def test_session_ends_when_it_idles(database: Database, ana: Actor, clock: Clock) -> None:
    token = await start(database, ana)
    clock.pass_(days=13, hours=23)
    assert await find(database, token)
    await touch(database, token)
    clock.pass_(days=13, hours=23)
    assert await find(database, token)
    clock.pass_(hours=1)
    assert await find(database, token) is None


async def test_session_ended_by_hand_is_gone_and_the_others_stay(database: Database, ana: Actor) -> None:
    one, other = await start(database, ana), await start(database, ana)
    async with database.transaction() as work:
        await sessions.end(work, ana, one)
    assert await find(database, one) is None
    assert await find(database, other)


async def test_sessions_of_all_end_and_every_process_hears_whose(database: Database, ana: Actor) -> None:
    edna = await person(database, "editor")
    for actor in (ana, ana, edna):
        await start(database, actor)
    with events(database) as heard:
        async with database.transaction() as work:
            assert await sessions.end_all(work, SYSTEM) == 3
    ended = {event.user_id: len(event.session_ids) for event in heard if isinstance(event, SessionEnded)}
    assert ended == {ana.user_id: 2, edna.user_id: 1}


async def test_disabled_person_has_no_session_even_if_a_row_was_left(database: Database, ana: Actor) -> None:
    token = await start(database, ana)
    async with database.transaction() as work:
        (await work.session.get_one(User, ana.user_id)).disabled_at = work.now
    assert await find(database, token) is None


async def test_sessions_nobody_can_use_are_forgotten(database: Database, ana: Actor, clock: Clock) -> None:
    await start(database, ana)
    clock.pass_(days=15)
    token = await start(database, ana)
    async with database.transaction() as work:
        await sessions.prune(work)
    assert await rows(database) == 1
    assert await find(database, token)
