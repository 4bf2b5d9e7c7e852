"""``squall doctor``: says nothing is wrong when nothing is, and names each kind of damage when something is."""

import contextlib
import os
import sqlite3
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from cms.cli import doctor
from cms.cli.doctor import Result, examine
from cms.db.session import Database
from cms.media.storage import Folder
from cms.services import media
from tests import factories
from tests.cli.program import Squall


@pytest.fixture
async def filled(migrated: Squall, monkeypatch: pytest.MonkeyPatch) -> Squall:
    """A published post (1), a draft (2), a withdrawn post (3), a published page (4), an upload; this process has its settings, too."""
    url = migrated.settings.get("SQUALL_DATABASE_URL", f"sqlite+aiosqlite:///{migrated.data / 'squall.db'}")
    monkeypatch.setenv("SQUALL_DATABASE_URL", url)
    monkeypatch.setenv("SQUALL_DATA", str(migrated.data))
    monkeypatch.chdir(migrated.folder)
    database = Database(url)
    ana, edna = await factories.person(database, "author"), await factories.person(database, "editor")
    await factories.published(database, ana, title="Low tide", tags=("Sea", "Mud"))
    await factories.draft(database, ana, title="High tide", tags=("Sea",))
    withdrawn = await factories.published(database, ana, title="Spring tide")
    await factories.withdraw(database, ana, withdrawn.post_id)
    await factories.published_page(database, edna, title="About")
    content = b"a picture"
    await Folder(migrated.data / "media").put(media.storage_name(factories.digest_of(content)), content)
    async with database.transaction() as work:
        await factories.asset(work, ana, name="mud.png", digest=factories.digest_of(content), size=len(content))
    await database.dispose()
    key = migrated.data / "secret.key"
    key.write_text("k" * 48)
    key.chmod(0o600)
    return migrated


async def results() -> list[Result]:
    return [result async for result in examine(None)]


async def problems() -> dict[str, str]:
    return {result.check: result.problem for result in await results() if not result.ok}


async def damage(*statements: str) -> None:
    database = Database(os.environ["SQUALL_DATABASE_URL"])
    async with database.transaction() as work:
        for statement in statements:
            await work.session.execute(text(statement))
    await database.dispose()


async def test_healthy_site(filled: Squall) -> None:
    done = filled.ok("doctor")
    assert "no problems" in done.out
    assert not [line for line in done.out.splitlines()[:-1] if not line.startswith("ok ")]
    checks = filled.ok("doctor", "--json").json
    assert len(checks) > 20
    assert all(set(check) == {"check", "ok", "problem", "advice", "parts"} and check["ok"] for check in checks)
    assert sorted(path.name for path in filled.data.iterdir() if not path.name.startswith("squall.db")) == ["media", "secret.key"]


async def test_damage_is_said_with_what_to_do(filled: Squall) -> None:
    await damage("UPDATE published SET path = 'elsewhere' WHERE post_id = 1", "DELETE FROM search_documents WHERE ref = 4")
    done = filled("doctor")
    assert done.code == 1
    lines = [line for line in done.out.splitlines() if line.startswith("problem")]
    assert len(lines) == 2
    assert "Publish them again at the desk." in lines[0]
    assert "2 problems" in done.out
    done = filled("doctor", "--json")
    assert done.code == 1
    assert [check["check"] for check in done.json if not check["ok"]] == [
        "every public post has its address",
        "every public post can be found",
    ]


async def test_what_the_search_lacks_and_should_not_have_is_mended_by_reindexing(filled: Squall) -> None:
    await damage("DELETE FROM search_documents WHERE ref = 4", "UPDATE search_documents SET ref = 3 WHERE ref = 1")
    assert len(await problems()) == 2
    done = filled.ok("search", "reindex")
    assert "2 can be found." in done.out
    assert not await problems()


A_LINE = "kind, ref, language, title, body"
A_JOB = "name, payload, created_at, due_at, attempts, finished_at, error"
LEADS = "target_kind = 'post' AND target_id"
A_PATH = "INSERT INTO addresses (path, target_kind, target_id, state) VALUES"
ANOTHERS = "(SELECT min(id) FROM revisions WHERE post_id = 2)"
DAMAGES = [
    ("readers have every published post", "2", "UPDATE posts SET live = 'published' WHERE id = 2"),
    ("readers have only published posts", "1", "UPDATE posts SET live = 'withdrawn' WHERE id = 1"),
    ("every public page names its revision", "1", f"UPDATE published SET revision_id = {ANOTHERS} WHERE post_id = 1"),
    ("every post has its working copy", "2", "DELETE FROM working_copies WHERE post_id = 2"),
    ("every public post has its address", "1", "UPDATE published SET path = 'elsewhere' WHERE post_id = 1"),
    ("every public post has its address", "4", f"UPDATE addresses SET state = 'moved' WHERE {LEADS} = 4"),
    ("every address leads to something", "/spring-tide", f"UPDATE addresses SET state = 'current' WHERE {LEADS} = 3"),
    ("no address is lost", "/tag/lost", f"{A_PATH} ('tag/lost', 'tag', 99, 'moved')"),
    ("everything has one address", "/about", f"DROP INDEX ix_addresses_one_place; {A_PATH} ('about-us', 'post', 4, 'gone')"),
    ("terms at the desk are right", "2", "DELETE FROM post_tags WHERE side = 'work' AND post_id = 2"),
    ("terms at the desk are right", "1", "UPDATE post_tags SET position = 5 - position WHERE side = 'work' AND post_id = 1"),
    ("terms at the desk are right", "2", "DELETE FROM post_authors WHERE side = 'work' AND post_id = 2"),
    ("terms for readers are right", "1", "DELETE FROM post_tags WHERE side = 'live' AND post_id = 1"),
    ("terms for readers are right", "1", "INSERT INTO post_authors (post_id, side, user_id, position) VALUES (1, 'live', 2, 1)"),
    ("readers' lists have only public posts", "2", "INSERT INTO post_tags (post_id, side, tag_id, position) VALUES (2, 'live', 1, 0)"),
    ("every public post can be found", "1", "DELETE FROM search_documents WHERE ref = 1"),
    ("search finds only what is public", "3", f"INSERT INTO search_documents ({A_LINE}) VALUES ('post', 3, 'en', 'spring tide', '')"),
    (
        "no job was given up",
        "keep_house",
        f"INSERT INTO jobs ({A_JOB}) VALUES ('keep_house', '{{}}', '2026-11-01', '2026-11-01', 5, '2026-11-01', 'OSError: no')",
    ),
]  # fmt: skip


async def test_each_damage_in_the_rows_is_found(filled: Squall) -> None:
    """One after the other, on one database: each is undone by rolling its transaction back."""
    from cms.services.inspection import INSPECTIONS

    assert {check for check, _, _ in DAMAGES} == {inspection.check for inspection in INSPECTIONS}
    database = Database(os.environ["SQUALL_DATABASE_URL"])
    try:
        for check, named, statement in DAMAGES:
            with contextlib.suppress(_Undo):
                async with database.transaction() as work:
                    for part in statement.split("; "):
                        await work.session.execute(text(part))
                    found = {i.check: await i.look(work.session) for i in INSPECTIONS}
                    assert found[check].number == 1, (check, statement, found)
                    assert named in str(found[check]), (check, statement)
                    raise _Undo
        async with database.read() as session:
            assert not [i.check for i in INSPECTIONS if (await i.look(session)).number]
    finally:
        await database.dispose()


class _Undo(Exception):
    pass


async def test_many_are_counted_and_a_few_named(filled: Squall) -> None:
    await damage(*(f"INSERT INTO search_documents ({A_LINE}) VALUES ('post', {ref}, 'en', '', '')" for ref in range(100, 120)))
    assert "100, 101, 102, 103, 104 and 15 more" in (await problems())["search finds only what is public"]


async def test_removed_term_is_no_damage(filled: Squall) -> None:
    """A document may name a tag that was deleted since; the rows went with it."""
    await damage("DELETE FROM tags WHERE name = 'Mud'", "DELETE FROM addresses WHERE path = 'tag/mud'")
    assert await problems() == {}


async def test_database_says_it_is_damaged(filled: Squall) -> None:
    path = filled.data / "squall.db"
    if path.exists():
        with contextlib.closing(sqlite3.connect(path)) as database, database:
            database.execute("DELETE FROM users WHERE email = 'author@example.org'")  # without the care for keys that the program takes
    else:
        await damage("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_posts_desk'::regclass")
    assert "damaged" in (await problems())["integrity"]


async def test_database_of_another_revision(filled: Squall) -> None:
    await damage("UPDATE alembic_version SET version_num = 'ffff'")
    assert "newer than this program" in (await problems())["database"]
    await damage("DELETE FROM alembic_version")
    found = [result for result in await results() if not result.ok]
    assert [result.check for result in found] == ["database"]
    assert found[0].advice == "Run `squall db upgrade`."


async def test_changed_table(filled: Squall) -> None:
    await damage("ALTER TABLE tags ADD COLUMN colour TEXT")
    assert "colour" in (await problems())["tables"]


async def test_uploads(filled: Squall) -> None:
    (file,) = [path for path in (filled.data / "media").rglob("*") if path.is_file()]
    file.write_bytes(b"half")
    assert list(await problems()) == ["uploads are whole"]
    file.unlink()
    assert "asset" not in (await problems())["uploads are there"]
    stray = filled.data / "media" / "stray.png"
    stray.write_bytes(b"?")
    assert list(await problems()) == ["uploads are there"], "it may be an upload under way"
    os.utime(stray, (time.time() - 2 * 3600,) * 2)
    assert "stray.png" in (await problems())["uploads are in use"]


async def test_media_folder_that_is_gone(filled: Squall) -> None:
    (filled.data / "media").rename(filled.data / "elsewhere")
    assert "1 uploaded file" in (await problems())["uploads"]
    assert not (filled.data / "media").exists()


async def test_folder_for_uploads_that_is_none(filled: Squall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQUALL_MEDIA_URL", "file:///etc/passwd")
    assert "Not a directory" in (await problems())["uploads folder"]
    (filled.folder / "elsewhere").mkdir()
    monkeypatch.setenv("SQUALL_MEDIA_URL", f"file://{filled.folder}/elsewhere")
    assert list(await problems()) == ["uploads are there"]


async def test_files_that_are_open_to_others(filled: Squall) -> None:
    (filled.data / "secret.key").chmod(0o640)
    filled.data.chmod(0o777)
    found = {result.check: result.advice for result in await results() if not result.ok}
    assert found["secret key"] == f"chmod 600 {filled.data / 'secret.key'}"
    assert found["data folder"] == f"chmod o-w {filled.data}"
    filled.data.chmod(0o700)
    (filled.data / "secret.key").chmod(0o600)
    assert await problems() == {}
    (filled.data / "secret.key").write_text("short")
    assert "too short" in (await problems())["secret key"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
async def test_secret_key_of_somebody_else(filled: Squall) -> None:
    os.chown(filled.data / "secret.key", 65534, -1)
    assert "another user" in (await problems())["secret key"]


async def test_notes_are_not_problems(filled: Squall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "LOW_DISK", 2**60)
    monkeypatch.setenv("SQUALL_SITE_URL", "http://example.org")
    monkeypatch.setenv("SQUALL_CDN_SECONDS", "60")
    monkeypatch.setenv("SQUALL_PAGES_FOLDER", str(filled.data / "not" / "yet"))
    (filled.data / "secret.key").unlink()
    notes = {result.check: str(result) for result in await results() if result.problem}
    assert set(notes) == {"site address", "disk space", "secret key", "pages in front"}
    assert all(line.startswith("note ") for line in notes.values())
    assert await problems() == {}


def test_wrong_setting_is_the_first_problem(squall: Squall) -> None:
    done = squall("doctor", SQUALL_PROT="80")
    assert done.code == 1
    assert "SQUALL_PROT" in done.out
    assert not squall.data.exists()


def test_nothing_is_there_and_nothing_is_made(squall: Squall) -> None:
    done = squall("doctor")
    assert done.code == 1
    assert "squall serve" in done.out
    assert not squall.data.exists()


@pytest.mark.parametrize("where", ["head", "middle"])
def test_broken_file_is_a_problem_and_no_crash(squall: Squall, where: str) -> None:
    squall.owner()
    path: Path = squall.data / "squall.db"
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(path.read_bytes())
    start = 0 if where == "head" else 4096
    content[start : start + 200_000] = b"\xa5" * 200_000
    path.write_bytes(content)
    done = squall("doctor")
    assert done.code == 1
    assert "problem " in done.out


def test_database_that_is_away(squall: Squall) -> None:
    squall.data.mkdir()
    done = squall("doctor", SQUALL_DATABASE_URL="postgresql+asyncpg://squall@127.0.0.1:1/squall")
    assert done.code == 1
    assert "cannot be reached" in done.out


def test_files_that_are_closed_to_whoever_runs_the_site(ordinary: Squall) -> None:
    assert ordinary("db", "upgrade").code == 0
    database = ordinary.data / "squall.db"
    assert database.stat().st_mode & 0o777 == 0o600, "others cannot read it, whatever the folder allows"
    database.chmod(0o444)
    done = ordinary("doctor", SQUALL_PAGES_FOLDER="/usr/squall")
    assert done.code == 1
    assert "/usr cannot be written to by this user" in done.out
    assert f"{database} cannot be written to by this user" in done.out
