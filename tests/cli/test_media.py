"""``squall media check``: what it says of a library whose uploads broke off, and what it mends."""

import os
import time
from datetime import timedelta

import pytest

from cms.db.session import Database
from cms.services.media import storage_name
from tests import factories
from tests.cli.program import Squall

OLD = timedelta(hours=2)


@pytest.fixture
async def broken(migrated: Squall) -> Squall:
    """An asset whose bytes never came, one whose bytes are gone, a file that belongs to nothing, and a room of a killed process."""
    database = Database(migrated.settings.get("SQUALL_DATABASE_URL", f"sqlite+aiosqlite:///{migrated.data / 'squall.db'}"))
    ana = await factories.person(database, "author")
    async with database.transaction() as work:
        await factories.asset(work, ana, name="a.png", digest="a" * 64, state="storing", updated_at=work.now - OLD)
        await factories.asset(work, ana, name="c.png", digest="c" * 64)
    await database.dispose()
    stray = migrated.data / "media" / storage_name("b" * 64)
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"x")
    rooms = [migrated.data / "incoming" / name for name in ("killed", "under-way")]
    for room in rooms:
        room.mkdir(parents=True)
        (room / "stored").write_bytes(b"x")
    for path in (stray, rooms[0]):
        os.utime(path, (time.time() - OLD.total_seconds(),) * 2)
    return migrated


def test_it_reports_and_mends_only_when_it_is_told(broken: Squall) -> None:
    for _ in range(2):
        said = broken("media", "check")
        assert said.code == 1
        assert f"1 asset(s) without bytes; restore them from a backup, or upload them again: 2 ({storage_name('c' * 64)})" in said.out
        assert "1 upload(s) that broke off at the end: 1" in said.out
        assert f"1 file(s) that belong to nothing: {storage_name('b' * 64)}" in said.out
        assert "2 of these can be mended" in said.out
    mended = broken("media", "check", "--repair", "--json")
    assert (mended.code, mended.json["mended"]) == (1, {"finished": 0, "given_up": 1, "removed": 1, "forgotten": 0}), "one is still missing"
    assert [room.name for room in (broken.data / "incoming").iterdir()] == ["under-way"]
    (broken.data / "media" / storage_name("c" * 64)).parent.mkdir(parents=True)
    (broken.data / "media" / storage_name("c" * 64)).write_bytes(b"x")
    assert "All is well." in broken.ok("media", "check").out
