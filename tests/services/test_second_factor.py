"""Codes of an app and recovery codes: each is right once, for one person, in its time."""

from datetime import timedelta

import pyotp
import pytest
from sqlalchemy import select

from cms.db.session import Database
from cms.models import AuditEntry, RecoveryCode, User
from cms.policy import SYSTEM, Actor
from cms.sealing import Sealer
from cms.services import accounts, second_factor, sessions
from cms.settings import SecretKeys
from tests.factories import person
from tests.watching import Clock

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
SEALER = Sealer(SecretKeys({1: "k" * 40}, 1))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def ana(database: Database) -> Actor:
    return await person(database, "author")


async def turn_on(database: Database, actor: Actor) -> list[str]:
    async with database.transaction() as work:
        user = await accounts.hold(work, actor.user_id or 0)
        return await second_factor.turn_on(work, user, SEALER.seal(SECRET), 0)


async def check(database: Database, actor: Actor, code: str) -> bool:
    async with database.transaction() as work:
        return await second_factor.check(work, await accounts.hold(work, actor.user_id or 0), SEALER, code)


def shown(clock: Clock, *, periods: int = 0) -> str:
    return pyotp.TOTP(SECRET).at(clock() + timedelta(seconds=30 * periods))


async def test_code_is_right_in_its_period_and_in_those_beside_it(database: Database, ana: Actor, clock: Clock) -> None:
    await turn_on(database, ana)
    for periods in (-2, 2, 20):
        assert not await check(database, ana, shown(clock, periods=periods))
    for periods in (-1, 0, 1):
        assert await check(database, ana, shown(clock, periods=periods)), periods


async def test_no_code_is_right_twice_nor_one_before_it(database: Database, ana: Actor, clock: Clock) -> None:
    await turn_on(database, ana)
    before, code = shown(clock, periods=-1), shown(clock)
    assert await check(database, ana, f" {code[:3]} {code[3:]} ")
    assert not await check(database, ana, code)
    assert not await check(database, ana, before)
    clock.pass_(seconds=30)
    assert await check(database, ana, shown(clock))


async def test_secret_is_sealed(database: Database, ana: Actor) -> None:
    await turn_on(database, ana)
    async with database.read() as session:
        sealed = await session.scalar(select(User.totp_secret).where(User.id == ana.user_id))
    assert sealed is not None
    assert SECRET not in sealed
    assert SEALER.open(sealed) == SECRET


async def test_ten_recovery_codes_are_each_right_once_and_kept_hashed(database: Database, ana: Actor) -> None:
    codes = await turn_on(database, ana)
    assert len(set(codes)) == 10
    async with database.read() as session:
        kept = (await session.scalars(select(RecoveryCode.code_hash))).all()
    assert not {code for code in codes if any(code in each or code.replace("-", "") in each for each in kept)}
    assert await check(database, ana, codes[3].upper().replace("-", " "))
    assert not await check(database, ana, codes[3])
    assert await check(database, ana, codes[4])
    async with database.read() as session:
        assert await second_factor.count_codes(session, ana.user_id or 0) == 8


async def test_anothers_codes_are_worth_nothing(database: Database, ana: Actor, clock: Clock) -> None:
    codes, cem = await turn_on(database, ana), await person(database, "contributor")
    assert not await check(database, cem, codes[0])
    assert not await check(database, cem, shown(clock))


async def test_new_codes_end_the_old_ones(database: Database, ana: Actor) -> None:
    old = await turn_on(database, ana)
    assert await turn_on(database, ana) == [], "there are some already"
    async with database.transaction() as work:
        new = await second_factor.make_codes(work, await accounts.hold(work, ana.user_id or 0))
    assert not await check(database, ana, old[0])
    assert await check(database, ana, new[0])


async def test_turning_off_forgets_secret_and_codes(database: Database, ana: Actor, clock: Clock) -> None:
    codes = await turn_on(database, ana)
    async with database.transaction() as work:
        await second_factor.turn_off(work, await accounts.hold(work, ana.user_id or 0))
    assert not await check(database, ana, shown(clock))
    assert not await check(database, ana, codes[0])
    async with database.read() as session:
        assert not await second_factor.is_asked_of(session, await accounts.get_by_email(session, "author@example.org"))


async def test_reset_takes_all_factors_and_sessions_and_leaves_password_and_role(database: Database, ana: Actor) -> None:
    await turn_on(database, ana)
    async with database.transaction() as work:
        user = await accounts.hold(work, ana.user_id or 0)
        user.password_hash = "hash"
        token = await sessions.start(work, user, "Browser")
    async with database.transaction() as work:
        await second_factor.reset(work, SYSTEM, await accounts.hold(work, ana.user_id or 0))
    async with database.read() as session:
        user = await accounts.get_by_email(session, "author@example.org")
        assert not await second_factor.is_asked_of(session, user)
        assert await second_factor.count_codes(session, user.id) == 0
        assert await sessions.find(session, token, database.clock()) is None
        notes = (await session.scalars(select(AuditEntry.action))).all()
    assert (user.password_hash, user.role) == ("hash", "author")
    assert "second_factor.reset" in notes
