"""How often something may be done, in whichever process."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from cms.db.session import Database
from cms.errors import TooManyRequests
from cms.models import Throttle
from cms.services import throttling
from cms.services.throttling import Limit, Tally
from cms.worker.tasks import keep_house
from tests.factories import means
from tests.watching import orders

LIMIT = Limit("test", 10, 60)


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 28, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def processes(database_url: str, clock: Clock) -> AsyncIterator[tuple[Database, Database]]:
    """Two that share a database."""
    both = Database(database_url, clock=clock), Database(database_url, clock=clock)
    yield both
    for each in both:
        await each.dispose()


async def taken(database: Database, who: str, most: int = 100) -> int:
    """How often somebody may, until he may not."""
    for number in range(most):
        try:
            await throttling.take(database, LIMIT, who)
        except TooManyRequests:
            return number
    return most


async def counted_by(tally: Tally, who: str, most: int = 1000) -> int:
    for number in range(most):
        try:
            await tally.count(who)
        except TooManyRequests:
            return number
    return most


async def rows(database: Database) -> int:
    async with database.read() as session:
        return (await session.execute(select(func.count()).select_from(Throttle))).scalar_one()


async def test_so_many_at_once_and_then_one_by_one(processes: tuple[Database, Database], clock: Clock) -> None:
    one, other = processes
    assert await taken(one, "203.0.113.5") == 10
    with pytest.raises(TooManyRequests) as refused:
        await throttling.take(other, LIMIT, "203.0.113.5")
    assert refused.value.retry_after == 6
    clock.move(6)
    assert await taken(other, "203.0.113.5") == 1
    clock.move(60)
    assert await taken(one, "203.0.113.5") == 10
    assert await taken(one, "203.0.113.6") == 10


async def test_what_turned_out_well_is_given_back(database: Database) -> None:
    assert await taken(database, "ana") == 10
    await throttling.give_back(database, LIMIT, "ana")
    assert await taken(database, "ana") == 10


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", True),
        ("2001:db8:1:2::1", "2001:DB8:1:2:0:0:0:2", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:203.0.113.5", "203.0.113.5", True),
        ("::ffff:203.0.113.5", "::ffff:203.0.113.6", False),
        ("203.0.113.5", "203.0.113.6", False),
        ("ana@example.org", "bob@example.org", False),
    ],
)
async def test_an_ipv6_address_counts_as_its_network(database: Database, one: str, other: str, is_same: bool) -> None:
    await taken(database, one)
    assert await taken(database, other) == (0 if is_same else 10)


async def test_rows_keep_neither_addresses_nor_names_and_go_when_they_are_of_no_use(
    processes: tuple[Database, Database], clock: Clock, tmp_path: Path
) -> None:
    database = processes[0]
    await throttling.take(database, LIMIT, "ana@example.org")
    async with database.read() as session:
        (key,) = await session.scalars(select(Throttle.key))
    assert "ana" not in key
    assert len(key) == 64
    clock.move(3600)
    await keep_house(means(database, tmp_path), {})
    assert await rows(database) == 0


async def test_a_tally_lets_through_a_portion_more_than_is_allowed(processes: tuple[Database, Database], clock: Clock) -> None:
    one, other = (Tally(database, LIMIT, portion=5) for database in processes)
    assert await counted_by(one, "203.0.113.5") == 15
    assert await counted_by(other, "203.0.113.5") == 5
    assert await counted_by(other, "203.0.113.6") == 15
    clock.move(61)
    assert await counted_by(one, "203.0.113.5") == 15


async def test_few_acts_and_refused_ones_cost_no_write(processes: tuple[Database, Database]) -> None:
    tally = Tally(processes[0], LIMIT, portion=5)
    with orders(processes[0]) as written:
        assert await counted_by(tally, "203.0.113.5", 5) == 5
    assert len(written) == 0
    await counted_by(tally, "203.0.113.5")
    with orders(processes[0]) as written:
        for _ in range(50):
            with pytest.raises(TooManyRequests) as refused:
                await tally.count("203.0.113.5")
    assert len(written) == 0
    assert 0 < refused.value.retry_after <= 30


async def test_a_process_does_not_remember_everybody(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttling, "MOST_COUNTED", 3)
    tally = Tally(database, LIMIT)
    for number in range(20):
        await tally.count(f"203.0.113.{number}")
    assert len(tally._counts) == 3
