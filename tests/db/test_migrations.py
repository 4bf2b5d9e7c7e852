"""The schema's history, up and down with something in every table, by one process and by two, by our command and by Alembic's own."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import bindparam, inspect, select, text

from cms.db import migrations
from cms.db.session import Database
from cms.db.types import Json
from cms.errors import OperatorError
from cms.models import Published
from cms.settings import load
from tests.conftest import EMPTY, Templates
from tests.db.rows import TABLES, count, fill

ROOT = Path(__file__).resolve().parents[2]
HEAD = migrations.newest()
UPGRADE = "import asyncio, sys; from cms.db import migrations; print(asyncio.run(migrations.upgrade(sys.argv[1])).current)"


@pytest.fixture(params=["sqlite", "postgresql"])
async def empty_url(request: pytest.FixtureRequest, templates: Templates, tmp_path: Path) -> AsyncIterator[str]:
    """The address of a database with nothing in it, of each kind."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'squall.db'}"
        return
    async with templates.on_postgresql(template=EMPTY) as url:
        yield url


Later = Callable[[str, str], None]


@pytest.fixture
def later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Later:
    """A later release of the program, whose migrations have one more: ``later(upgrade, downgrade)``, in Python."""

    def add(upgrade: str, downgrade: str = "pass") -> None:
        folder = tmp_path / "release"
        shutil.copytree(ROOT / "migrations", folder / "migrations", ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
        (folder / "migrations/versions/later.py").write_text(
            f"import sqlalchemy as sa\nfrom alembic import op\nrevision = 'later'\ndown_revision = '{HEAD}'\n"
            f"def upgrade():\n    {upgrade}\ndef downgrade():\n    {downgrade}\n"
        )
        monkeypatch.setattr(migrations, "data_folder", lambda name: folder / name)

    return add


WIDER = "with op.batch_alter_table({table!r}) as batch:\n        batch.alter_column('title', type_=sa.String({length}), nullable=False)"


async def test_every_table_can_have_a_row(database: Database) -> None:
    await fill(database)
    rows = await count(database)
    assert set(rows) == TABLES
    assert all(rows.values()), rows


async def test_models_and_migrations_agree(database_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert await migrations.check(database_url) == []
    assert capsys.readouterr().out == ""


async def test_check_names_what_is_missing(database: Database) -> None:
    async with database.transaction() as work:
        await work.session.execute(text("DROP INDEX ix_published_month"))
    (difference,) = await migrations.check(database.url)
    assert "ix_published_month" in difference


async def test_down_and_up_again_with_rows_in_every_table(database: Database) -> None:
    await fill(database)
    assert (await migrations.downgrade(database.url, "base")).current == HEAD
    await database.dispose()
    async with database.reading.connect() as connection:
        assert await connection.run_sync(lambda sync: inspect(sync).get_table_names()) == ["alembic_version"]
    assert (await migrations.upgrade(database.url)).current is None
    await database.dispose()
    assert await count(database) == {**dict.fromkeys(TABLES, 0), "sites": 1}
    assert await migrations.check(database.url) == []


@pytest.mark.parametrize("table", ["posts", "published"])
async def test_children_survive_when_a_later_migration_changes_their_parent(
    database: Database, later: Later, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(database)
    before = await count(database)
    later(WIDER.format(table=table, length=350), WIDER.format(table=table, length=300))
    for migrate in (migrations.upgrade(database.url), migrations.downgrade(database.url, "-1")):
        await migrate
        await database.dispose()
        assert await count(database) == before
    monkeypatch.undo()
    assert await migrations.check(database.url) == []


NOTED = (
    "INSERT INTO audit (at, user_id, action, subject_kind, subject_id, details, address, request_id)"
    " SELECT at, :user_id, :action, 'user', :subject_id, details, :address, '' FROM audit LIMIT 1"
)


async def test_audit_keeps_the_number_of_who_is_gone_and_no_address_of_another(database: Database) -> None:
    await fill(database)
    async with database.read() as session:
        user_id = await session.scalar(text("SELECT id FROM users"))
    address, lines = "203.0.113.9", [(user_id, "user.role"), (user_id, "user.create"), (None, "user.role")]
    await migrations.downgrade(database.url, "0007")
    await database.dispose()
    async with database.transaction() as work:
        await work.session.execute(text("DELETE FROM audit WHERE id <> (SELECT min(id) FROM audit)"))
        for who, action in lines:
            await work.session.execute(text(NOTED), {"user_id": who, "action": action, "subject_id": 998, "address": address})
    await migrations.upgrade(database.url)
    await database.dispose()
    async with database.transaction() as work:
        found = await work.session.execute(text("SELECT user_id, action, address FROM audit WHERE subject_id = 998 ORDER BY id"))
        assert [tuple(each) for each in found] == [(*lines[0], address), (*lines[1], ""), (*lines[2], "")]
        await work.session.execute(text(NOTED), {"user_id": 999, "action": "gone", "subject_id": 998, "address": ""})
    await migrations.downgrade(database.url, "0007")
    await database.dispose()
    async with database.read() as session:
        found = await session.scalars(text("SELECT user_id FROM audit WHERE subject_id = 998 ORDER BY id"))
        assert list(found) == [user_id, user_id, None, None]
    await migrations.upgrade(database.url)
    assert await migrations.check(database.url) == []


async def test_texts_that_are_there_are_sorted_by_their_first_author(database: Database) -> None:
    await fill(database)
    sorted_by = text("SELECT folded_author FROM posts ORDER BY id")
    async with database.read() as session:
        before = list(await session.scalars(sorted_by))
    await migrations.downgrade(database.url, "0009")
    await migrations.upgrade(database.url)
    await database.dispose()
    async with database.read() as session:
        assert list(await session.scalars(sorted_by)) == before
    assert "edna reed" in before


async def test_pages_that_are_there_do_not_name_hidden_ones_above_them(database: Database) -> None:
    await fill(database)
    await migrations.downgrade(database.url, "0010")
    await database.dispose()
    trail = [{"title": "About", "path": "/about"}, {"title": "Dossier", "path": "/dossier"}]
    async with database.transaction() as work:
        hidden = text("UPDATE published SET kind = 'page', path = 'dossier', visibility = 'password', trail = :trail")
        await work.session.execute(hidden.bindparams(bindparam("trail", trail, type_=Json)))
    await migrations.upgrade(database.url)
    await database.dispose()
    async with database.read() as session:
        trails = (await session.scalars(select(Published.trail))).all()
    assert trails == [trail[:1]] * len(trails)
    assert trails


async def test_migration_that_leaves_strays_is_refused_and_undone(database: Database, later: Later) -> None:
    await fill(database)
    before = await count(database)
    later("op.execute('DELETE FROM revisions')")
    with pytest.raises(OperatorError):
        await migrations.upgrade(database.url)
    assert await count(database) == before
    assert (await migrations.standing(database.url)).current == HEAD


async def test_broken_migration_is_undone_as_a_whole(database: Database, later: Later) -> None:
    await fill(database)
    before = await count(database)
    later("op.create_table('extra', sa.Column('id', sa.Integer()))\n    op.execute('DELETE FROM jobs')\n    op.execute('nonsense')")
    with pytest.raises(OperatorError, match="nonsense"):
        await migrations.upgrade(database.url)
    assert await count(database) == before


async def test_standing_tells_empty_from_current(empty_url: str) -> None:
    empty = await migrations.standing(empty_url)
    assert (empty.current, empty.head, empty.is_known, empty.is_current) == (None, HEAD, True, False)
    await migrations.upgrade(empty_url)
    assert (await migrations.standing(empty_url)).is_current


async def test_standing_is_told_while_somebody_writes(database: Database) -> None:
    async with database.transaction() as work:
        await work.session.execute(text("UPDATE sites SET name = 'x'"))
        assert (await migrations.standing(database.url)).is_current


async def test_database_of_a_newer_program_is_refused_in_a_sentence(database: Database) -> None:
    async with database.transaction() as work:
        await work.session.execute(text("UPDATE alembic_version SET version_num = 'ffff'"))
    assert not (await migrations.standing(database.url)).is_known
    for act in (migrations.upgrade(database.url), migrations.downgrade(database.url, "base")):
        with pytest.raises(OperatorError, match="newer than this program") as refused:
            await act
        assert "ffff" in refused.value.message


async def test_unknown_revision_is_refused_in_a_sentence(database_url: str) -> None:
    with pytest.raises(OperatorError, match="nonsense"):
        await migrations.downgrade(database_url, "nonsense")


async def test_database_that_cannot_be_reached_is_refused_in_a_sentence(database_url: str, tmp_path: Path) -> None:
    is_sqlite = database_url.startswith("sqlite")
    absent = f"{database_url}/not/there" if is_sqlite else database_url.replace("squall_", "absent_")
    with pytest.raises(OperatorError, match="cannot be reached"):
        await migrations.upgrade(absent)
    if is_sqlite:
        assert (await migrations.standing(absent)).current is None
    else:
        with pytest.raises(OperatorError, match="cannot be reached"):
            await migrations.standing(absent)


async def test_of_two_processes_one_migrates_and_the_other_finds_it_done(empty_url: str) -> None:
    command = [sys.executable, "-c", UPGRADE, empty_url]
    options: dict[str, Any] = {"cwd": ROOT, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    started = [subprocess.Popen(command, **options, text=True) for _ in range(2)]
    answers = [process.communicate() for process in started]
    assert [process.returncode for process in started] == [0, 0], answers
    assert sorted(out.strip() for out, _ in answers) == [HEAD, "None"]
    assert (await migrations.standing(empty_url)).is_current


async def test_plain_alembic_works(empty_url: str, tmp_path: Path) -> None:
    environment = {**os.environ, "SQUALL_DATABASE_URL": empty_url, "SQUALL_DATA": str(tmp_path / "data")}
    command = [sys.executable, "-m", "alembic", "upgrade", "head"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (await migrations.standing(empty_url)).is_current
    assert await migrations.check(empty_url) == []


async def test_sqlite_file_is_copied_before_it_is_changed(database: Database, tmp_path: Path) -> None:
    if database.dialect.name != "sqlite":
        pytest.skip("PostgreSQL has its own backups")
    await fill(database)
    rows = await count(database)
    folder = tmp_path / "backups"
    folder.mkdir()
    for year in range(2010, 2017):
        (folder / f"before-migration-{year}0101T000000-0000.db").write_bytes(b"")
    (folder / "mine.db").write_bytes(b"")
    await migrations.downgrade(database.url, "base", keep_copy_in=folder)
    *old, newest = sorted(folder.glob("before-migration-*"))
    assert [path.name[17:21] for path in old] == ["2013", "2014", "2015", "2016"]
    assert (folder / "mine.db").exists()
    with closing(sqlite3.connect(newest)) as copy:
        assert {name: copy.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in rows} == rows
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    await migrations.upgrade(database.url, keep_copy_in=folder)
    assert len(list(folder.glob("before-migration-*"))) == 5


async def test_nothing_is_copied_when_there_is_nothing_to_do(database_url: str, tmp_path: Path) -> None:
    await migrations.upgrade(database_url, keep_copy_in=tmp_path / "backups")
    assert not (tmp_path / "backups").exists()


async def test_copy_that_fails_leaves_nothing_behind(database: Database, tmp_path: Path) -> None:
    if database.dialect.name != "sqlite":
        pytest.skip("about SQLite's copies")
    with pytest.raises(OperatorError):
        await database.dialect.save_copy(database.url, tmp_path / "not" / "there.db")
    spoilt = tmp_path / "spoilt.db"
    spoilt.write_bytes(b"SQLite format 3\0" + b"nonsense" * 1000)
    with pytest.raises(OperatorError):
        await database.dialect.save_copy(f"sqlite+aiosqlite:///{spoilt}", tmp_path / "copy.db")
    assert not (tmp_path / "copy.db").exists()


async def test_sqlite_file_may_have_an_odd_name(tmp_path: Path) -> None:
    folder = tmp_path / "it's 50%20 off #1? ü"
    folder.mkdir()
    url = load({}, data=str(folder)).database
    await migrations.upgrade(url)
    await migrations.downgrade(url, "base", keep_copy_in=folder / "backups")
    assert len(list((folder / "backups").iterdir())) == 1
