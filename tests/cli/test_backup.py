"""``squall backup``: what is saved comes back whole, what is not whole is refused, and nothing is ever overwritten or left half done."""

import asyncio
import contextlib
import errno
import gzip
import io
import json
import os
import random
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import tarfile
import time
import zlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg
import pytest
from sqlalchemy import select

from cms.db.session import Database
from cms.db.sqlite import SQLite
from cms.errors import OperatorError
from cms.exchange import backups
from cms.media.storage import Folder, open_storage
from cms.models import Base
from cms.services import media
from cms.settings import load
from tests import factories, postgresql, s3
from tests.cli.program import PATIENCE, Squall
from tests.conftest import EMPTY, Templates

KEY = "k" * 48


def address(squall: Squall) -> str:
    return squall.settings.get("SQUALL_DATABASE_URL") or f"sqlite+aiosqlite:///{squall.data / 'squall.db'}"


async def fill(squall: Squall, pictures: int = 3) -> None:
    database = Database(address(squall))
    await factories.person(database, "owner")
    ana = await factories.person(database, "author")
    for number in range(3):
        await factories.published(database, ana, title=f"Low tide {number} & more", text="Mud, *mostly*.", tags=("Sea", f"Mud {number}"))
    await factories.draft(database, ana, title="High tide")
    storage = Folder(squall.data / "media")
    for number in range(pictures):
        content = random.Random(number).randbytes(50_000)
        await storage.put(media.storage_name(factories.digest_of(content)), content)
        async with database.transaction() as work:
            await factories.asset(work, ana, name=f"{number}.png", digest=factories.digest_of(content), size=len(content))
    await database.dispose()
    key = squall.data / "secret.key"
    key.write_text(KEY)
    key.chmod(0o600)


async def rows(url: str) -> dict[str, list[Any]]:
    """Everything in the database, for comparing."""
    database = Database(url)
    async with database.read() as session:
        found = {table.name: [tuple(row) for row in await session.execute(select(table))] for table in Base.metadata.sorted_tables}
    await database.dispose()
    return {name: sorted(lines, key=repr) for name, lines in found.items()}


def uploads(data: Path) -> dict[str, bytes]:
    return {str(path.relative_to(data / "media")): path.read_bytes() for path in (data / "media").rglob("*") if path.is_file()}


def tree(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.fixture
async def empty(migrated: Squall, templates: Templates) -> AsyncIterator[Squall]:
    """A second place of the same kind, with nothing in it."""
    folder = migrated.folder / "second"
    folder.mkdir()
    second = Squall(folder)
    if "SQUALL_DATABASE_URL" not in migrated.settings:
        yield second
        return
    async with templates.on_postgresql(template=EMPTY) as url:
        second.settings["SQUALL_DATABASE_URL"] = url
        yield second


async def execute(url: str, statement: str) -> list[Any]:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        return await connection.fetch(statement)
    finally:
        await connection.close()


async def left_behind(url: str) -> set[str]:
    """Databases that a proof has not taken away; those that other tests are using on this server go while one waits."""

    async def there() -> set[str]:
        return {row[0] for row in await execute(url, "SELECT datname FROM pg_database WHERE datname LIKE 'squall_verify%'")}

    left = before = await there()
    until = time.monotonic() + 30
    while left and time.monotonic() < until:
        await asyncio.sleep(0.2)
        left = before & await there()
    return left


# --- there and back --------------------------------------------------------------------------------------------------------


async def test_everything_comes_back(migrated: Squall, empty: Squall) -> None:
    await fill(migrated)
    (migrated.data / "squall.toml").write_text('site_url = "https://example.org"\n')
    done = migrated.ok("backup", "create")
    assert "2 people, 4 posts, 3 of them public, 4 revisions, 3 uploaded files" in done.out
    (archive,) = (migrated.data / "backups").iterdir()
    assert re.fullmatch(r"squall-\d{8}T\d{6}Z\.tar\.gz", archive.name)
    assert str(archive) in done.out
    assert archive.stat().st_mode & 0o777 == 0o600

    proof = migrated.ok("backup", "verify", archive).out
    assert re.search(r"as of \d{4}-\d\d-\d\d \d\d:\d\d UTC\.", proof)
    assert "checksums of 6 parts" in proof
    assert "5 counts are those of the manifest" in proof
    assert "2 pages from it: /, /low-tide-2-more" in proof
    if migrated.settings:
        assert not await left_behind(address(migrated))

    restored = empty.ok("backup", "restore", archive)
    assert "4 posts" in restored.out
    assert await rows(address(empty)) == await rows(address(migrated))
    assert uploads(empty.data) == uploads(migrated.data)
    assert (empty.data / "secret.key").read_text() == KEY
    assert (empty.data / "secret.key").stat().st_mode & 0o777 == 0o600
    assert (empty.data / "squall.toml").read_text() == 'site_url = "https://example.org"\n'
    assert "no problems" in empty.ok("doctor").out
    with empty.serving("--no-migrate") as site:
        assert "Low tide 0 &amp; more" in site.get("/low-tide-0-more", Host="example.org").text

    again = empty("backup", "restore", archive)
    assert "not empty" in again.sentence


async def test_uploads_come_and_go_between_a_folder_and_buckets(migrated: Squall, empty: Squall, s3_server: s3.Server) -> None:
    await fill(migrated)
    kept = uploads(migrated.data)
    again = migrated.data / "media" / "renditions" / "ab" / ("ab" * 32) / "640.webp"  # is made again when somebody asks
    again.parent.mkdir(parents=True)
    again.write_bytes(b"RIFF")
    archive, second = migrated.folder / "folder.tar.gz", migrated.folder / "bucket.tar.gz"
    migrated.ok("backup", "create", archive)
    bucket = s3_server.new_bucket()
    empty.ok("backup", "restore", archive, **bucket)
    assert not (empty.data / "media").exists()
    assert "no problems" in empty.ok("doctor", **bucket).out
    empty.ok("backup", "create", second, **bucket)
    saved = [json.loads(empty.ok("backup", "verify", each, "--json").out)["manifest"]["uploads"] for each in (archive, second)]
    assert saved == [3, 3]

    storage = open_storage(load({"SQUALL_DATA": str(empty.data), **bucket}))
    assert {name: b"".join([piece async for piece in storage.read(name)]) async for name, _ in storage.list()} == kept
    gone = min(kept)
    await storage.delete(gone)
    assert gone in empty("doctor", **bucket).out
    assert "its bucket is not there" in empty("doctor", **{**bucket, "SQUALL_MEDIA_URL": "s3://another"}).out
    refused = migrated.folder / "refused.tar.gz"
    assert "its bucket is not there" in empty("backup", "create", refused, **{**bucket, "SQUALL_MEDIA_URL": "s3://another"}).sentence
    assert not refused.exists()


async def test_only_an_empty_bucket_is_restored_into_and_it_is_empty_again_if_that_breaks_off(
    squall: Squall, tmp_path: Path, s3_server: s3.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tmp_path / "good.tar.gz"
    squall.migrate()
    await fill(squall)
    squall.ok("backup", "create", archive)
    settings = load({"SQUALL_DATA": str(tmp_path / "new"), **s3_server.new_bucket()})
    storage, seen = open_storage(settings), []

    async def there() -> list[str]:
        return [name async for name, _ in storage.list()]

    async def broken(self: object, *given: object) -> None:
        seen.extend(await there())
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(SQLite, "load_copy", broken)
    with pytest.raises(OperatorError, match="Nothing was restored"):
        await backups.restore(archive, settings)
    assert len(seen) == 3
    assert await there() == []
    await storage.put("diary", b"mine")
    with pytest.raises(OperatorError, match=r"diary is in it.*SQUALL_MEDIA_URL"):
        await backups.restore(archive, settings)
    assert await there() == ["diary"]


async def test_numbers_for_programs(migrated: Squall, empty: Squall) -> None:
    await fill(migrated, pictures=1)
    target = migrated.folder / "copy.tar.gz"
    made = migrated.ok("backup", "create", target, "--json").json
    assert made["file"] == str(target)
    assert made["bytes"] == target.stat().st_size
    assert made["counts"] == {"users": 2, "posts": 4, "published": 3, "revisions": 4, "assets": 1}
    proof = migrated.ok("backup", "verify", target, "--json").json
    assert proof["manifest"]["counts"] == made["counts"]
    assert empty.ok("backup", "restore", target, "--json").json["uploads"] == 1
    with tarfile.open(target) as tar:
        manifest = json.load(tar.extractfile("manifest.json"))  # type: ignore[arg-type]
        assert set(tar.getnames()) == {*manifest["parts"], "manifest.json"}
        assert {member.mode for member in tar} == {0o600}
    assert {"squall", "database", "revision", "made_at", "counts", "parts", "format"} == set(manifest)


async def test_backup_while_people_publish(migrated: Squall) -> None:
    await fill(migrated)
    database, written, stop = Database(address(migrated)), 0, asyncio.Event()
    ana = await factories.person(database, "author")
    storage = Folder(migrated.data / "media")

    async def publish() -> None:
        nonlocal written
        while not stop.is_set():
            content = os.urandom(1000)
            await storage.put(media.storage_name(factories.digest_of(content)), content)
            async with database.transaction() as work:
                await factories.asset(work, ana, name="new.png", digest=factories.digest_of(content), size=len(content))
            await factories.published(database, ana, title=f"New {written}")
            written += 1
            await asyncio.sleep(0.01)

    writing = asyncio.create_task(publish())
    target = migrated.folder / "busy.tar.gz"
    try:
        made = await asyncio.to_thread(migrated.ok, "backup", "create", target, "--json")
        seen = written
    finally:
        stop.set()
        await writing
        await database.dispose()
    counts = made.json["counts"]
    assert seen > 0
    assert 0 <= (counts["posts"] - 4) - (counts["published"] - 3) <= 1, "a copy of one moment"
    assert 0 <= counts["published"] - 3 <= seen + 1
    assert made.json["uploads"] >= counts["assets"]
    migrated.ok("backup", "verify", target)
    assert "no problems" in migrated.ok("doctor").out


async def test_backup_of_a_running_site_without_people(squall: Squall) -> None:
    with squall.serving():
        target = squall.folder / "new.tar.gz"
        assert "0 people" in squall.ok("backup", "create", target).out
    assert "1 page from it: /" in squall.ok("backup", "verify", target).out


async def test_file_of_a_copied_database_can_be_read_where_nothing_may_be_written(squall: Squall) -> None:
    """A copy in WAL mode could not: reading it needs files beside it."""
    squall.migrate()
    target = squall.folder / "copy.tar.gz"
    squall.ok("backup", "create", target)
    with gzip.open(target) as plain, tarfile.open(fileobj=plain) as tar:
        content = tar.extractfile("database").read()  # type: ignore[union-attr]
    assert content[18:20] == b"\x01\x01", "file format: rollback journal"
    with contextlib.closing(sqlite3.connect(":memory:")) as database:
        assert database.execute("SELECT 1").fetchone()


# --- refusing --------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small good one, on SQLite."""
    squall = Squall(tmp_path_factory.mktemp("archive"))
    squall.owner()
    squall.ok("backup", "create", squall.folder / "good.tar.gz")
    return squall.folder / "good.tar.gz"


def members(archive: Path) -> list[tuple[tarfile.TarInfo, bytes]]:
    with tarfile.open(archive) as tar:
        return [(member, tar.extractfile(member).read()) for member in tar]  # type: ignore[union-attr]


def packed(path: Path, parts: list[tuple[tarfile.TarInfo, bytes]]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for member, content in parts:
            tar.addfile(member, io.BytesIO(content))
    return path


async def test_each_cut_off_archive_is_refused(archive: Path, tmp_path: Path) -> None:
    content = archive.read_bytes()
    for length in [0, 1, 10, 100, *range(1000, len(content), len(content) // 20), len(content) - 9, len(content) - 1]:
        await assert_refused(_written(tmp_path / "cut.tar.gz", content[:length]), tmp_path)


async def test_each_changed_byte_is_noticed(archive: Path, tmp_path: Path) -> None:
    content = archive.read_bytes()
    chance = random.Random(7)
    for place in [*(chance.randrange(20, len(content)) for _ in range(60)), len(content) - 6]:
        changed = bytearray(content)
        changed[place] ^= 0x10
        if not _says_the_same(bytes(changed), content):
            await assert_refused(_written(tmp_path / "changed.tar.gz", bytes(changed)), tmp_path)


def _says_the_same(changed: bytes, content: bytes) -> bool:
    """Whether the change is one of distance within a run of zeros, say: another spelling of the same bytes."""
    try:
        return gzip.decompress(changed) == gzip.decompress(content)
    except (OSError, EOFError, zlib.error):
        return False


async def test_what_is_no_backup_is_refused(archive: Path, tmp_path: Path) -> None:
    parts = members(archive)
    foreign = packed(tmp_path / "foreign.tar.gz", [_member("README.md", b"hello")])
    without_manifest = packed(tmp_path / "without.tar.gz", [part for part in parts if part[0].name != "manifest.json"])
    without_database = packed(tmp_path / "database.tar.gz", [part for part in parts if part[0].name != "database"])
    other_database = packed(
        tmp_path / "other.tar.gz", [_member("database", b"SQLite format 3\0"), *(p for p in parts if p[0].name != "database")]
    )
    text = _written(tmp_path / "text.tar.gz", b"hello")
    for path in (foreign, without_manifest, without_database, other_database, text, tmp_path / "not-there.tar.gz", tmp_path):
        await assert_refused(path, tmp_path)


async def test_newer_archive_is_refused(archive: Path, tmp_path: Path) -> None:
    for change in ({"format": 2}, {"revision": "ffff"}, {"database": "oracle"}):
        parts = [
            _member("manifest.json", json.dumps({**json.loads(c), **change}).encode()) if m.name == "manifest.json" else (m, c)
            for m, c in members(archive)
        ]
        await assert_refused(packed(tmp_path / "newer.tar.gz", parts), tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        "../evil", "/tmp/squall-evil", "media/../../evil", "media/..",
        "./database", "database/", "settings/../evil", "settings/authorized_keys",
        "media/.hidden", "media//x", "media", "media/a\nb", "media/" + "a/" * 50 + "b", "media/" + "a" * 5000, "backups/x", "squall.db", "",
    ],
)  # fmt: skip
async def test_hostile_name_is_refused(archive: Path, tmp_path: Path, name: str) -> None:
    await assert_refused(packed(tmp_path / "hostile.tar.gz", [_member(name, b"evil"), *members(archive)]), tmp_path)
    assert not (tmp_path / "evil").exists()
    assert not Path("/tmp/squall-evil").exists()


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE, tarfile.GNUTYPE_SPARSE]
)
async def test_only_plain_files_are_taken(archive: Path, tmp_path: Path, kind: bytes) -> None:
    member = tarfile.TarInfo("media/aa")
    member.type, member.linkname = kind, "/etc/passwd"
    await assert_refused(packed(tmp_path / "hostile.tar.gz", [(member, b""), *members(archive)]), tmp_path)


async def test_member_may_not_come_twice_nor_be_a_bomb(archive: Path, tmp_path: Path) -> None:
    parts = members(archive)
    await assert_refused(packed(tmp_path / "twice.tar.gz", [parts[0], *parts]), tmp_path)
    huge = tarfile.TarInfo("media/aa")
    huge.size = 2**60
    with gzip.open(tmp_path / "bomb.tar.gz", "wb") as out:
        out.write(huge.tobuf() + bytes(10_000))
    await assert_refused(tmp_path / "bomb.tar.gz", tmp_path)
    long = _member("settings/squall.toml", bytes(2_000_000))
    await assert_refused(packed(tmp_path / "long.tar.gz", [long, *parts]), tmp_path)


async def assert_refused(path: Path, folder: Path) -> None:
    place = folder / "unpacked"
    with pytest.raises(OperatorError) as refused:
        await backups.unpack(path, place)
    assert len(refused.value.message.splitlines()) == 1
    assert refused.value.message.endswith(".")
    shutil.rmtree(place)


def test_refused_archive_leaves_nothing(archive: Path, squall: Squall) -> None:
    cut = _written(squall.folder / "cut.tar.gz", archive.read_bytes()[:-100])
    assert "damaged or cut off" in squall("backup", "restore", cut).sentence
    assert "damaged or cut off" in squall("backup", "verify", cut).sentence
    assert tree(squall.folder) == ["cut.tar.gz"]


def test_archive_of_the_other_kind_is_refused(archive: Path, squall: Squall, server: postgresql.Server) -> None:
    assert "restore it into its own kind" in squall("backup", "restore", archive, SQUALL_DATABASE_URL=server.url()).sentence
    assert tree(squall.folder) == []
    squall.ok("backup", "verify", archive, SQUALL_DATABASE_URL=server.url())  # which needs no server
    squall.ok("db", "upgrade", SQUALL_DATABASE_URL=server.url())
    other = squall.folder / "other.tar.gz"
    squall.ok("backup", "create", other, SQUALL_DATABASE_URL=server.url())
    shutil.rmtree(squall.data)
    assert "SQUALL_DATABASE_URL" in squall("backup", "verify", other).sentence
    assert "restore it into its own kind" in squall("backup", "restore", other).sentence
    assert tree(squall.folder) == ["other.tar.gz"]


# --- nothing is overwritten ------------------------------------------------------------------------------------------------


def test_only_an_empty_place_is_restored_into(archive: Path, squall: Squall) -> None:
    squall.data.mkdir()
    (squall.data / "diary.txt").write_text("mine")
    assert "diary.txt" in squall("backup", "restore", archive).sentence
    (squall.data / "diary.txt").unlink()
    squall.owner()
    assert "has something in it" in squall("backup", "restore", archive).sentence
    elsewhere = f"sqlite+aiosqlite:///{squall.data / 'squall.db'}"
    assert (
        "has something in it"
        in squall("backup", "restore", archive, "--data", squall.folder / "new", SQUALL_DATABASE_URL=elsewhere).sentence
    )
    assert not (squall.folder / "new").exists()
    media_folder = squall.folder / "media"
    media_folder.mkdir()
    (media_folder / "x").write_text("mine")
    done = squall("backup", "restore", archive, "--data", squall.folder / "new", SQUALL_MEDIA_URL=f"file://{media_folder}")
    assert "not empty" in done.sentence
    assert (media_folder / "x").read_text() == "mine"


def test_folder_with_settings_and_an_empty_database_counts_as_empty(archive: Path, squall: Squall) -> None:
    squall.data.mkdir()
    (squall.data / "squall.toml").write_text("port = 1234\n")
    (squall.data / "squall.db").touch()
    (squall.data / "backups").mkdir()
    shutil.copy(archive, squall.data / "backups" / "good.tar.gz")
    squall.ok("backup", "restore", squall.data / "backups" / "good.tar.gz")
    assert "1 person." in squall.ok("user", "list").out
    assert (squall.data / "squall.toml").read_text() == "port = 1234\n"


def test_settings_that_lead_elsewhere_are_kept_aside(squall: Squall) -> None:
    squall.owner()
    (squall.data / "squall.toml").write_text(f'database_url = "sqlite+aiosqlite:///{squall.data / "squall.db"}"\n')
    (squall.folder / "squall.toml").write_text("port = 4321\n")
    target = squall.folder / "copy.tar.gz"
    squall.ok("backup", "create", target)
    second = Squall(squall.folder / "second")
    second.folder.mkdir()
    done = second.ok("backup", "restore", target)
    assert "squall.toml.from-backup" in done.out
    assert not (second.data / "squall.toml").exists()
    assert (second.data / "squall.toml.from-working-folder").read_text() == "port = 4321\n"
    assert "1 person." in second.ok("user", "list").out


def test_existing_file_is_not_overwritten(archive: Path, squall: Squall) -> None:
    squall.migrate()
    target = _written(squall.folder / "mine.tar.gz", b"mine")
    assert "exists already" in squall("backup", "create", target).sentence
    assert target.read_bytes() == b"mine"


def test_secret_keys_of_the_environment_stay_there(squall: Squall) -> None:
    squall.migrate()
    target = squall.folder / "copy.tar.gz"
    assert "SQUALL_SECRET_KEYS" in squall.ok("backup", "create", target, SQUALL_SECRET_KEYS="s" * 40).out
    assert b"ssssssssssssssss" not in gzip.decompress(target.read_bytes())


def test_uploads_that_cannot_be_read_are_no_backup(squall: Squall) -> None:
    squall.migrate()
    target = squall.folder / "copy.tar.gz"
    for url in ("file:///etc/passwd", f"file://{squall.folder}/nowhere"):
        assert "The folder for uploads" in squall("backup", "create", target, SQUALL_MEDIA_URL=url).sentence
    assert not target.exists()


# --- nothing is left half done ---------------------------------------------------------------------------------------------


async def test_full_disk_is_one_sentence_and_nothing_is_left(squall: Squall) -> None:
    squall.migrate()
    await fill(squall, pictures=30)
    before = tree(squall.folder)
    limit = 1_000_000
    assert (squall.data / "squall.db").stat().st_size < limit
    squall.run_as = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))}
    assert "could not be written" in squall("backup", "create", squall.folder / "deep" / "folder" / "copy.tar.gz").sentence
    assert [path for path in tree(squall.folder) if not path.endswith(("-shm", "-wal"))] == [
        path for path in before if not path.endswith(("-shm", "-wal"))
    ]


def test_closed_folder_is_one_sentence(ordinary: Squall) -> None:
    ordinary.ok("db", "upgrade")
    closed = ordinary.folder / "closed"
    closed.mkdir(mode=0o555)
    assert "could not be written" in ordinary("backup", "create", closed / "copy.tar.gz").sentence
    assert "could not be written" in ordinary("backup", "create", closed / "deep" / "copy.tar.gz").sentence
    ordinary.ok("backup", "create")
    ordinary.data.chmod(0o000)
    for arguments in (("backup", "create"), ("user", "list"), ("db", "current"), ("db", "check"), ("doctor",)):
        assert ordinary(*arguments).code == 1
    ordinary.data.chmod(0o700)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
async def test_interrupted_backup_has_no_name(squall: Squall, number: int) -> None:
    squall.migrate()
    await fill(squall, pictures=0)
    storage = Folder(squall.data / "media")
    for n in range(12):  # so that it takes a while
        content = random.Random(n).randbytes(2_000_000)
        await storage.put(media.storage_name(factories.digest_of(content)), content)
    target = squall.folder / "out" / "copy.tar.gz"
    process = subprocess.Popen(squall.command("backup", "create", target), stderr=subprocess.PIPE, text=True, **squall.options({}))
    deadline = time.monotonic() + PATIENCE
    while not any(path.stat().st_size > 1_000_000 for path in squall.folder.glob("out/.squall-backup-*/draft")):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(number)
    _, complaint = process.communicate(timeout=PATIENCE)
    assert process.returncode != 0
    assert "Traceback" not in complaint
    assert not target.exists()
    if number != signal.SIGKILL:
        assert not target.parent.exists()
    squall.ok("backup", "create", target)


# --- PostgreSQL ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def server() -> Iterator[postgresql.Server]:
    try:
        server = postgresql.Server()
    except postgresql.Missing as missing:
        pytest.skip(str(missing))
    with server:
        yield server


def configure(server: postgresql.Server, *, port: int) -> None:
    """Also listen on loopback, where a password is asked for."""
    folder = server._data / "data"
    with (folder / "postgresql.conf").open("a") as file:
        file.write(f"listen_addresses = '127.0.0.1'\nport = {port}\n")
    (folder / "pg_hba.conf").write_text("local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n")


async def test_address_with_password_port_and_strange_signs(squall: Squall) -> None:
    try:
        server = postgresql.Server()
    except postgresql.Missing as missing:
        pytest.skip(str(missing))
    port = 20_000 + os.getpid() % 20_000
    configure(server, port=port)
    user, password, name = "an'a:r@x", "p@ss:w/rd#? %25'\"\\", "base=1 'q'"
    with server:
        connection = await asyncpg.connect(host=str(server.folder), port=port, user="squall", database="postgres")
        quoted, literal = user.replace('"', '""'), password.replace("'", "''")
        await connection.execute(f"CREATE ROLE \"{quoted}\" LOGIN PASSWORD '{literal}'")
        for database in (name, "second"):
            await connection.execute(f'CREATE DATABASE "{database}" OWNER "{quoted}"')
        await connection.close()
        who = f"{quote(user, safe='')}:{quote(password, safe='')}"
        over_tcp = f"postgresql+asyncpg://{who}@127.0.0.1:{port}/"
        over_socket = f"postgresql+asyncpg://{quote(user, safe='')}@/{quote(name, safe='')}?host={server.folder}&port={port}"
        for number, url in enumerate((over_tcp + quote(name, safe=""), over_socket)):
            squall.settings["SQUALL_DATABASE_URL"] = url
            squall.migrate()
            squall.ok("backup", "create", squall.folder / f"{number}.tar.gz")
        assert "CREATEDB" in squall("backup", "verify", squall.folder / "1.tar.gz").sentence
        second = Squall(squall.folder / "second", {"SQUALL_DATABASE_URL": over_tcp + "second"})
        second.folder.mkdir()
        second.ok("backup", "restore", squall.folder / "0.tar.gz")
        second.ok("db", "check")
        wrong = squall("backup", "create", SQUALL_DATABASE_URL=over_tcp.replace("p%40ss", "pass") + "second")
        assert "pass" not in wrong.sentence.replace("password", "")


def test_missing_client_program_is_one_sentence(squall: Squall, server: postgresql.Server) -> None:
    squall.settings["SQUALL_DATABASE_URL"] = server.url()
    squall.migrate()
    assert "pg_dump is needed" in squall("backup", "create", PATH="/nowhere").sentence
    assert not list(squall.data.glob("backups/*"))


def test_older_client_program_is_one_sentence(squall: Squall, monkeypatch: pytest.MonkeyPatch) -> None:
    client = shutil.which("pg_dump")
    newer = [folder for folder in postgresql._candidates() if client and version(folder / "postgres") > version(Path(client))]
    if not newer:
        pytest.skip("no server that is newer than pg_dump")
    monkeypatch.setattr(postgresql, "find_binaries", lambda: newer[-1])
    with postgresql.Server() as server:
        squall.settings["SQUALL_DATABASE_URL"] = server.url()
        squall.migrate()
        sentence = squall("backup", "create").sentence
    assert re.search(r"server is PostgreSQL \d+, and pg_dump is of version \d+", sentence), sentence
    assert not list(squall.data.glob("backups/*"))


def version(program: Path) -> int:
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, cwd="/").stdout
    except OSError:
        return 0
    found = re.search(r"\) (\d+)", said)
    return int(found[1]) if found else 0


# --- aids ------------------------------------------------------------------------------------------------------------------


def _member(name: str, content: bytes) -> tuple[tarfile.TarInfo, bytes]:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    return member, content


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path
