"""What goes out when: whose it is to know, and moving it to another day."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from cms.db.session import Database
from cms.errors import Forbidden, InvalidInput, NotFound
from cms.models import Schedule, WorkingCopy
from cms.models import Site as SiteRow
from cms.models.post import ScheduledAct
from cms.policy import Actor
from cms.services import calendar, site
from tests.factories import draft, person, published
from tests.services.test_scheduling import end, schedule
from tests.watching import Clock

DECEMBER = date(2026, 12, 1)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """In Lisbon."""
    database = Database(database_url, clock=Clock())
    await person(database, "owner")
    async with database.transaction() as work:
        (await work.session.scalars(select(SiteRow))).one().time_zone = "Europe/Lisbon"
        await site.renew_frame(work)
    yield database
    await database.dispose()


async def shown(database: Database, actor: Actor, first: date | None = DECEMBER) -> list[str]:
    async with database.read() as session:
        month = await calendar.month(session, actor, first, database.clock())
    return [f"{day:%d.%m} {each.at:%H:%M} {each.what} {each.title}" for day in sorted(month.days) for each in month.days[day]]


async def test_month_has_what_was_published_what_waits_and_drafts_with_a_date(database: Database) -> None:
    ana, cem, editor = [await person(database, role) for role in ("author", "contributor", "editor")]
    there = await published(database, ana, title="There", date="2026-11-05T10:00")
    await schedule(database, ana, (await draft(database, ana, title="Soon")).id, datetime(2026, 12, 3, 9, tzinfo=UTC))
    await schedule(database, editor, there.post_id, datetime(2027, 1, 3, 23, 59, tzinfo=UTC))  # in the last week that is shown
    await end(database, editor, there.post_id, datetime(2027, 1, 9, 9, tzinfo=UTC))
    dated = (await draft(database, ana, title="Dated")).id
    async with database.transaction() as work:
        copy = await work.session.get_one(WorkingCopy, dated)
        copy.fields = {**copy.fields, "date": "2026-12-24T18:30"}
    mine = ["03.12 09:00 publish Soon", "24.12 18:30 draft Dated", "03.01 23:59 update There"]
    assert sorted(await shown(database, ana)) == sorted(mine)
    assert await shown(database, cem) == [], "others' drafts are not his to know"
    assert await shown(database, cem, None) == ["05.11 10:00 published There"], "November, by the clock"
    assert "09.01 09:00 withdraw There" in await shown(database, editor, date(2027, 1, 1))


async def test_it_is_moved_to_another_day_at_the_same_time_of_day(database: Database) -> None:
    ana, bo, cem = await person(database, "author"), await person(database, "author", "Bo"), await person(database, "contributor")
    post = (await draft(database, ana, title="Soon", authors=())).id
    await schedule(database, ana, post, datetime(2026, 12, 3, 1, 30, tzinfo=UTC))

    async def moved(actor: Actor, day: date, post_id: int = post) -> datetime:
        async with database.transaction() as work:
            return await calendar.move(work, actor, post_id, ScheduledAct.PUBLISH, day)

    assert await moved(ana, date(2027, 7, 1)) == datetime(2027, 7, 1, 0, 30, tzinfo=UTC), "by the clock of the site"
    for day, why in ((date(2027, 3, 28), "skip 01:30"), (date(2026, 11, 20), "has passed")):
        with pytest.raises(InvalidInput, match=why) as refused:
            await moved(ana, day)
        assert set(refused.value.errors) == {"day"}
    for actor, error in ((bo, NotFound), (cem, NotFound)):
        with pytest.raises(error):
            await moved(actor, date(2026, 12, 5))
    foreign = await published(database, ana, title="Public")
    with pytest.raises(Forbidden):
        await moved(bo, date(2026, 12, 5), foreign.post_id)
    async with database.read() as session:
        assert (await session.scalars(select(Schedule.due_at))).all() == [datetime(2027, 7, 1, 0, 30, tzinfo=UTC)]
