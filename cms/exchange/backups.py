"""A backup: one file with the database, the uploads and the settings, and a manifest that says what is in it.

The file is a gzipped tar: ``database``, ``media/…``, ``settings/…`` and last ``manifest.json`` with the SHA-256 of each part; an
archive without its manifest is not whole. What is read may come from anybody: only names that this module writes are taken, only
plain files, none twice.
"""

# ruff: noqa: ASYNC240 - run from the command line, not between requests

import asyncio
import errno
import gzip
import hashlib
import io
import os
import re
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cms import __version__
from cms import settings as configuration
from cms.db import migrations
from cms.db.session import dialect_for
from cms.errors import CMSError, NotFound, OperatorError
from cms.media.storage import DRAFT, Storage, open_storage
from cms.services import inspection
from cms.settings import SECRET_KEY_NAME, TOML_NAME, Settings
from cms.wording import say

FORMAT = 1
MANIFEST = "manifest.json"
DATABASE = "database"
MEDIA = "media/"
SECRET = "settings/" + SECRET_KEY_NAME
TOML = "settings/" + TOML_NAME
WORKING_TOML = "settings/working-folder." + TOML_NAME

CHUNK = 1024 * 1024  # bytes
SMALL = 1024 * 1024  # bytes; no settings file is longer
MAX_MANIFEST = 512 * 1024 * 1024  # bytes; about a hundred for each upload
RESERVE = 50 * 1024 * 1024  # bytes that unpacking leaves free on the disk
# Segments begin with a letter, digit or underscore: nothing hidden, no "..", nothing absolute.
_UPLOAD = re.compile(r"media(/[A-Za-z0-9_][A-Za-z0-9._-]{0,127}){1,8}")
_OURS = frozenset({MANIFEST, DATABASE, SECRET, TOML, WORKING_TOML})
# What may be in a data folder that counts as empty: what an operator puts there first, and what looking at it leaves behind.
_HARMLESS = frozenset({TOML_NAME, "backups", "lost+found"})


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True, extra="ignore")

    size: int  # bytes
    sha256: str


class Manifest(BaseModel):
    """What an archive has in it. ``counts`` are of this very copy of the database; empty if it was not at this program's revision."""

    model_config = ConfigDict(frozen=True, defer_build=True, extra="ignore")

    format: int
    squall: str = Field(pattern=r"^[0-9A-Za-z.+-]{1,40}$")  # printed: nothing that a terminal obeys
    database: str = Field(pattern=r"^[a-z]{1,40}$")
    revision: str | None
    made_at: datetime
    counts: dict[str, int]
    parts: dict[str, Part]

    @property
    def uploads(self) -> int:
        return sum(name.startswith(MEDIA) for name in self.parts)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was done, with sentences about what was not."""

    manifest: Manifest
    notes: list[str] = field(default_factory=list)


# --- making ----------------------------------------------------------------------------------------------------------------


def default_name(settings: Settings, now: datetime) -> Path:
    return settings.data / "backups" / f"squall-{now:%Y%m%dT%H%M%SZ}.tar.gz"


async def create(settings: Settings, target: Path) -> Outcome:
    """Write a backup to ``target``, which must not exist. The site may run and change meanwhile.

    First the database, then the uploads: whatever the copy names was in the storage before. Raises ``OperatorError``; nothing is left then.
    """
    if target.exists():
        raise OperatorError(say("{target} exists already; choose another name.", target=target))
    configuration.require_media_folder(settings)
    with _in_one_sentence(say("The backup could not be written to {target}", target=target)), _folder_beside(target) as folder:
        draft = folder / "draft"
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            outcome = await _write(settings, folder, file)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            raise OperatorError(say("{target} came into being meanwhile; choose another name.", target=target))
        draft.rename(target)
        _sync_folder(target.parent)
    return outcome


async def _write(settings: Settings, folder: Path, file: BinaryIO) -> Outcome:
    notes = []
    copy = folder / DATABASE
    dialect = dialect_for(settings.database)
    made_at = datetime.now(UTC)
    async with dialect.saved_copy(settings.database, copy) as session:
        revision = await migrations.revision_of(session)
        counts = asdict(await inspection.count(session)) if revision == migrations.newest() else {}
    with gzip.GzipFile(filename="", mode="wb", fileobj=file, compresslevel=6) as out:
        writer = _Writer(out, made_at)
        await writer.add_file(DATABASE, copy)
        copy.unlink()
        left_out = await _add_uploads(writer, settings)
        for name, path in _settings_files(settings):
            await writer.add_file(name, path)
        manifest = Manifest(
            format=FORMAT,
            squall=__version__,
            database=dialect.name,
            revision=revision,
            made_at=made_at,
            counts=counts,
            parts=writer.parts,
        )
        await writer.add_bytes(MANIFEST, manifest.model_dump_json(indent=1).encode())
        writer.end()
    if not migrations.knows(revision):
        notes.append(
            f"The database is newer than this program (revision {revision} is unknown here): only the newer Squall restores this backup."
        )
    if left_out:
        notes.append(f"{left_out} files in {settings.media_folder or settings.media_url} are not uploads of Squall and were left out.")
    if settings.secret_keys:
        notes.append("Secret keys that the environment gives (SQUALL_SECRET_KEYS) are not in it; keep them elsewhere.")
    return Outcome(manifest, notes)


async def _add_uploads(writer: "_Writer", settings: Settings) -> int:
    """All files in the storage; returns how many were not ours."""
    if settings.media_folder and not settings.media_folder.is_dir():
        return 0
    storage, left_out = open_storage(settings), 0
    async for name, size in storage.list():
        if name.startswith((DRAFT, "uploads/", "renditions/")):
            continue  # on its way, or made again when it is asked for
        if not _UPLOAD.fullmatch(MEDIA + name):
            left_out += 1
            continue
        try:
            await writer.add(MEDIA + name, size, storage.read(name))
        except NotFound:
            continue  # removed meanwhile
    return left_out


def _settings_files(settings: Settings) -> list[tuple[str, Path]]:
    """Those that are there. The one of the working folder counts, too, unless the data folder is the working folder."""
    files = [(SECRET, settings.data / SECRET_KEY_NAME), (TOML, settings.data / TOML_NAME)]
    if settings.data != Path.cwd():
        files.append((WORKING_TOML, Path(TOML_NAME)))
    return [(name, path) for name, path in files if path.is_file()]


class _Writer:
    """A tar, written as it comes, with the checksum of each member."""

    def __init__(self, out: gzip.GzipFile, made_at: datetime) -> None:
        self._out = out
        self._made_at = int(made_at.timestamp())
        self.parts: dict[str, Part] = {}

    async def add_file(self, name: str, path: Path) -> None:
        await self.add(name, path.stat().st_size, _pieces(path))

    async def add_bytes(self, name: str, content: bytes) -> None:
        async def pieces() -> AsyncIterator[bytes]:
            yield content

        await self.add(name, len(content), pieces())

    async def add(self, name: str, size: int, pieces: AsyncIterator[bytes]) -> None:
        first = await anext(pieces, b"")  # raises before anything of this member is written
        member = tarfile.TarInfo(name)
        member.size, member.mode, member.mtime = size, 0o600, self._made_at
        self._out.write(member.tobuf(tarfile.PAX_FORMAT))
        digest, written = hashlib.sha256(), 0
        async for piece in _chain(first, pieces):
            self._out.write(piece)
            digest.update(piece)
            written += len(piece)
            await asyncio.sleep(0)  # Ctrl-C is heard here
        if written != size:
            raise OperatorError(say("{name} changed while it was copied; try again.", name=name))
        self._out.write(bytes(-size % tarfile.BLOCKSIZE))
        self.parts[name] = Part(size=size, sha256=digest.hexdigest())

    def end(self) -> None:
        self._out.write(bytes(2 * tarfile.BLOCKSIZE))


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(CHUNK):
            yield piece


async def _chain(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece


# --- reading ---------------------------------------------------------------------------------------------------------------


async def unpack(archive: Path, folder: Path) -> Manifest:
    """Lay the parts of an archive out in ``folder`` and compare each with the manifest. Raises ``OperatorError``."""
    folder.mkdir(mode=0o700)
    with _in_one_sentence(say("{archive} could not be unpacked", archive=archive)):
        try:
            with gzip.open(archive) as plain, tarfile.open(fileobj=plain, mode="r|") as tar:
                found = {member.name: await _take(tar, member, folder) async for member in _members(tar)}
                _read_to_end(plain)
        except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, UnicodeError, ValueError, OverflowError):
            raise OperatorError(say("{archive} is damaged or cut off, or it is not a backup made by Squall.", archive=archive)) from None
    manifest = _manifest(archive, folder, found)
    for name in {*found, *manifest.parts} - {MANIFEST}:
        if found.get(name) != manifest.parts.get(name):
            raise OperatorError(say("{archive} is damaged: {name} is not what was saved.", archive=archive, name=name))
    if DATABASE not in found:
        raise OperatorError(say("{archive} is damaged: the database is not in it.", archive=archive))
    return manifest


async def _members(tar: tarfile.TarFile) -> AsyncIterator[tarfile.TarInfo]:
    seen: set[str] = set()
    for member in tar:
        name = member.name
        if not member.isreg() or name in seen or not (name in _OURS or _UPLOAD.fullmatch(name)):
            raise OperatorError(
                say("The archive has {name} in it, which no backup of Squall has; nothing was restored from it.", name=repr(name[:80]))
            )
        if member.size > (MAX_MANIFEST if name == MANIFEST else SMALL) and not (name == DATABASE or name.startswith(MEDIA)):
            raise OperatorError(say("The archive's {name} is longer than it can be; nothing was restored from it.", name=name))
        seen.add(name)
        yield member
        await asyncio.sleep(0)


async def _take(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> Part:
    """The name was checked; the file is made here and not by ``tarfile``, so nothing of the header but the size can matter."""
    if member.size + RESERVE > shutil.disk_usage(folder).free:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    path = folder / member.name
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    source = tar.extractfile(member) or io.BytesIO()
    digest, size = hashlib.sha256(), 0
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        while piece := source.read(CHUNK):
            file.write(piece)
            digest.update(piece)
            size += len(piece)
            await asyncio.sleep(0)
    return Part(size=size, sha256=digest.hexdigest())


def _read_to_end(plain: gzip.GzipFile) -> None:
    """gzip compares its own checksum at the very end only."""
    for _ in range(64):
        if not plain.read(CHUNK):
            return
    raise tarfile.ReadError("more follows")


def _manifest(archive: Path, folder: Path, found: dict[str, Part]) -> Manifest:
    if MANIFEST not in found:
        raise OperatorError(say("{archive} is cut off, or it is not a backup made by Squall: it has no manifest.", archive=archive))
    try:
        manifest = Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except ValidationError:
        raise OperatorError(say("{archive} is damaged: its manifest cannot be read.", archive=archive)) from None
    if manifest.format != FORMAT or not migrations.knows(manifest.revision):
        raise OperatorError(
            say("{archive} was made by Squall {release}, which is newer than this one; use that.", archive=archive, release=manifest.squall)
        )
    if dialect_for(manifest.database).name != manifest.database:
        raise OperatorError(say("{archive} has a database of a kind unknown here.", archive=archive))
    return manifest


# --- restoring -------------------------------------------------------------------------------------------------------------


async def restore(archive: Path, settings: Settings) -> Outcome:
    """Fill an empty data folder and an empty database from an archive. Raises ``OperatorError``; everything is as it was then."""
    _refuse_full_folders(settings, archive)
    if settings.bucket[0]:
        await _refuse_full_bucket(settings)
    if not await migrations.is_empty(settings.database):
        raise OperatorError("The database has something in it; restore into an empty one.")
    made = [folder for folder in (settings.data, *settings.data.parents) if not folder.exists()]
    configuration.prepare_data_folder(settings)
    undo = _Undo()
    try:
        with _in_one_sentence(say("Nothing was restored to {folder}", folder=settings.data)):
            return await _restore(archive, settings, undo)
    except BaseException:
        await undo.all()
        for folder in made:
            _remove_if_empty(folder)
        raise


async def _restore(archive: Path, settings: Settings, undo: "_Undo") -> Outcome:
    dialect = dialect_for(settings.database)
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=settings.data) as name:
        folder = Path(name) / "parts"
        manifest = await unpack(archive, folder)
        if manifest.database != dialect.name:
            raise OperatorError(say(
                "The backup is of {this}, and SQUALL_DATABASE_URL names {that}; restore it into its own kind.",
                this=manifest.database, that=dialect.name,
            ))  # fmt: skip
        await _restore_uploads(manifest, folder, settings, undo)
        notes = _restore_settings(folder, settings, undo)
        if settings.sqlite_path and not (lock := settings.sqlite_path.with_name(f"{settings.sqlite_path.name}.lock")).exists():
            undo.file(lock)
        async with dialect.migration_lock(settings.database):
            if not await migrations.is_empty(settings.database):
                raise OperatorError("Somebody has put something into the database meanwhile.")
            await dialect.load_copy(folder / DATABASE, settings.database)  # last, and whole or not at all
    return Outcome(manifest, notes)


async def _restore_uploads(manifest: Manifest, folder: Path, settings: Settings, undo: "_Undo") -> None:
    if settings.media_folder:
        undo.folder(settings.media_folder)
    storage = open_storage(settings)
    undo.uploads(storage)
    for name in manifest.parts:
        if name.startswith(MEDIA):
            path = folder / name
            await storage.put_file(name.removeprefix(MEDIA), path)
            path.unlink()  # so that all of it is on the disk twice at no time


def _restore_settings(folder: Path, settings: Settings, undo: "_Undo") -> list[str]:
    notes = []
    if (folder / SECRET).exists():
        undo.file(_put(folder / SECRET, settings.data / SECRET_KEY_NAME))
    else:
        notes.append("The backup has no secret key; give SQUALL_SECRET_KEYS as before, or everybody signs in anew.")
    if (folder / TOML).exists():
        here, wanted = settings.data / TOML_NAME, folder / TOML
        if not here.exists():
            _put(wanted, here)
            if _leads_here(settings):
                undo.file(here)
            else:
                here.unlink()
        if not here.exists() or here.read_bytes() != wanted.read_bytes():
            aside = undo.file(_put(wanted, here.with_name(f"{TOML_NAME}.from-backup")))
            notes.append(f"The backup's settings name other places than this one, or there are some here; they are in {aside}.")
    if (folder / WORKING_TOML).exists():
        aside = undo.file(_put(folder / WORKING_TOML, settings.data / f"{TOML_NAME}.from-working-folder"))
        notes.append(f"The settings of the folder in which Squall was started are in {aside}.")
    return notes


def _leads_here(settings: Settings) -> bool:
    """Whether Squall, started with the settings as they are now, would use the database and the media folder that are being filled."""
    try:
        now = configuration.load(data=settings.data)
    except OperatorError:
        return False
    return (now.database, now.media_folder, now.bucket) == (settings.database, settings.media_folder, settings.bucket)


def _put(source: Path, target: Path) -> Path:
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(source.read_bytes())
        file.flush()
        os.fsync(file.fileno())
    return target


def _refuse_full_folders(settings: Settings, archive: Path) -> None:
    database = settings.sqlite_path
    own = {f"{database.name}{suffix}" for suffix in ("", "-wal", "-shm", ".lock")} if database else set()  # asked apart
    media = settings.media_folder
    for folder in {settings.data, media or settings.data}:
        try:
            there = sorted(folder.iterdir()) if folder.exists() else []
        except OSError as error:
            problem = say("{folder} cannot be read ({reason}); name another with --data.", folder=folder, reason=error.strerror)
            raise OperatorError(problem) from None
        for path in there:
            is_ours = folder == settings.data and (path.name in _HARMLESS or path.name in own or path == media)
            if not is_ours and path.absolute() != archive.absolute():
                raise OperatorError(_full(folder, path.name))


async def _refuse_full_bucket(settings: Settings) -> None:
    found = await anext(open_storage(settings).list(), None)
    if found:
        raise OperatorError(
            say("{place} is not empty ({name} is in it); name another with SQUALL_MEDIA_URL.", place=settings.media_url, name=found[0])
        )


def _full(folder: Path, name: str) -> str:
    return say("{folder} is not empty ({name} is in it); restore into an empty folder, which --data names.", folder=folder, name=name)


class _Undo:
    """What was made on the way, to be taken away again if it does not come to an end."""

    def __init__(self) -> None:
        self._files: list[Path] = []
        self._folders: list[tuple[Path, bool]] = []
        self._storages: list[Storage] = []

    def file(self, path: Path) -> Path:
        self._files.append(path)
        return path

    def folder(self, path: Path) -> None:
        """An empty folder that is being filled."""
        self._folders.append((path, path.exists()))

    def uploads(self, storage: Storage) -> None:
        """An empty storage that is being filled."""
        self._storages.append(storage)

    async def all(self) -> None:
        with suppress(CMSError):  # the storage may be what went away
            for storage in self._storages:
                for name in [name async for name, _ in storage.list()]:
                    await storage.delete(name)
        for path in self._files:
            path.unlink(missing_ok=True)
        for folder, was_there in self._folders:
            shutil.rmtree(folder, ignore_errors=True)
            if was_there:
                folder.mkdir(mode=0o700, exist_ok=True)


# --- files -----------------------------------------------------------------------------------------------------------------


@contextmanager
def _folder_beside(target: Path) -> Iterator[Path]:
    """A folder on the same disk, gone afterwards. The target's own is made if need be, and taken away if nothing came of it."""
    made = [folder for folder in target.parents if not folder.exists()]
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(prefix=".squall-backup-", dir=target.parent) as name:
            yield Path(name)
    except BaseException:
        for folder in made:
            _remove_if_empty(folder)
        raise


def _remove_if_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:
        return


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _in_one_sentence(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise OperatorError(say("{what}: {reason}.", what=what, reason=reason[:1].lower() + reason[1:])) from None
