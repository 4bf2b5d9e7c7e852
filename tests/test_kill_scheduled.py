"""``kill -9`` while a scheduled act is being done: after the next start it is done, once, on both databases."""

import asyncio
import random
from collections import Counter
from datetime import timedelta
from pathlib import Path

from sqlalchemy import func, select

from cms.content.pipeline import render
from cms.db.session import Database
from cms.models import AuditEntry, Published, Revision, Schedule
from cms.services import scheduling
from cms.services.publishing import Version
from tests import factories
from tests.cli.program import Serving, Squall

ACTS = 60
KILLS = 4


async def planned(database: Database) -> list[int]:
    """Texts that were to go out some time ago, while nothing ran."""
    olga, ids = await factories.person(database, "owner"), []
    now = database.clock()
    database.clock = lambda: now - timedelta(hours=2)
    for number in range(ACTS):
        post = await factories.draft(database, olga, title=f"Tide {number}", text="Mud. " * 2000)
        async with database.transaction() as work:
            at = now - timedelta(hours=1, seconds=-number)
            await scheduling.schedule(work, olga, post.id, Version(1, render("Mud.")), at)
        ids.append(post.id)
    database.clock = lambda: now
    return ids


async def done(database: Database) -> int:
    async with database.read() as session:
        return await session.scalar(select(func.count()).select_from(Published)) or 0


async def test_an_act_is_done_once_though_the_process_was_killed_in_it(database: Database, tmp_path: Path) -> None:
    ids, chance = await planned(database), random.Random()
    squall = Squall(tmp_path, {"SQUALL_DATABASE_URL": database.url})
    for kill in range(1, KILLS + 1):
        site = await asyncio.to_thread(Serving(squall).start)
        try:
            while await done(database) < ACTS * kill // (KILLS + 1):
                await asyncio.sleep(0.005)
                assert site.process.poll() is None, site.err
            await asyncio.sleep(chance.random() * 0.05)  # any moment of the next act
        finally:
            site.kill()
        assert await done(database) < ACTS, "each kill leaves some to the next"
    site = await asyncio.to_thread(Serving(squall).start)
    try:
        while await done(database) < ACTS:
            await asyncio.sleep(0.05)
            assert site.process.poll() is None, site.err
        assert site.get("/tide-7").status == 200
    finally:
        assert site.end() == 0
    async with database.read() as session:
        acts = Counter(await session.scalars(select(AuditEntry.subject_id).where(AuditEntry.action == "post.publish")))
        live = Counter(await session.scalars(select(Published.post_id)))
        revisions = Counter(await session.scalars(select(Revision.post_id)))
        assert list(await session.scalars(select(Schedule.post_id))) == []
    once = dict.fromkeys(ids, 1)
    assert (acts, live, revisions) == (once, once, once)
