"""``squall doctor``: looks at everything that can be wrong with an installation, changes nothing, and says what to do."""

import os
import shutil
import stat
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import typer
from sqlalchemy.exc import DBAPIError

from cms import settings as configuration
from cms.cli.program import DataOption, JsonOption, print_json, require_database, run
from cms.db import migrations
from cms.db.session import Database
from cms.errors import CMSError, OperatorError
from cms.media.storage import open_storage
from cms.sealing import Sealer, Under
from cms.services import inspection, media_check, sealed
from cms.services.inspection import Inspection
from cms.settings import SECRET_KEY_NAME, SecretKeys, Settings
from cms.wording import parts, phrases, said, say

LOW_DISK = 200 * 1024 * 1024  # bytes
SETTINGS = phrases("settings")
LOOPBACK = ("http://localhost", "http://127.0.0.1", "http://[::1]")
# What may be wrong with them (``media_check.MediaFindings``); what is right of them, what is wrong, and what helps.
UPLOADS = phrases(
    (
        ("missing", "uploads are there", "Uploaded files are missing", "Restore them from a backup, or upload them again."),
        ("of_another_size", "uploads are whole", "Uploaded files have another size than when they came", "Restore them from a backup."),
        (
            "without_row",
            "uploads are in use",
            "Files belong to no upload",
            "They are not shown anywhere and take space; `squall media check --repair` removes them.",
        ),
        ("unfinished", "uploads were finished", "Uploads broke off at the end", "`squall media check --repair` ends them."),
    )
)


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the doctor. What is well may still have a ``problem``: a note, which does not count."""

    check: str
    ok: bool = True
    problem: str = ""
    advice: str = ""

    def as_json(self) -> dict[str, Any]:
        """``parts``: for the desk, which says them in the language of whoever asks there."""
        return {**asdict(self), "parts": {"problem": parts(self.problem), "advice": parts(self.advice)}}

    def __str__(self) -> str:
        if not self.problem:
            return f"ok       {self.check}"
        return f"{'note' if self.ok else 'problem'}{'    ' if self.ok else ' '} {self.problem} {self.advice}".rstrip()


def register(app: typer.Typer) -> None:
    app.command("doctor")(doctor)


def doctor(data: DataOption = None, as_json: JsonOption = False) -> None:
    """Check the installation from the settings to the last post; changes nothing."""

    async def act() -> list[Result]:
        return [result async for result in examine(data)]

    results = run(act())
    problems = [result for result in results if not result.ok]
    if as_json:
        print_json([result.as_json() for result in results])
    else:
        for result in results:
            typer.echo(str(result))
        typer.echo(f"{len(results)} checks, {len(problems) or 'no'} {'problem' if len(problems) == 1 else 'problems'}.")
    if problems:
        raise typer.Exit(1)


async def examine(data: Path | None) -> AsyncIterator[Result]:
    """Each check in turn; what cannot be asked because something before it is wrong is left out."""
    try:
        settings = configuration.load(data=data)
    except OperatorError as error:
        yield Result(SETTINGS, False, error.message, "Correct it and try again.")
        return
    yield Result(SETTINGS)
    for result in (*_site_url(settings), *_data_folder(settings), _media_folder(settings), *_in_front(settings)):
        yield result
    reachable = await _reachable(settings)
    yield reachable
    if not reachable.ok:
        return
    yield await _schema(settings)
    database = Database(settings.database)
    try:
        yield await _integrity(database)
        for wanted in inspection.INSPECTIONS:
            yield await _inspect(database, wanted)
        yield await _sealed(database, settings)
        async for result in _media(database, settings):
            yield result
    finally:
        await database.dispose()


def _site_url(settings: Settings) -> list[Result]:
    if settings.is_https or settings.public_url.startswith(LOOPBACK):
        return []
    note = say("Readers and editors reach {url} without encryption.", url=settings.public_url)
    return [Result(phrases("site address"), True, note, "Put the site behind HTTPS and set SQUALL_SITE_URL to its address.")]


# --- files -----------------------------------------------------------------------------------------------------------------


def _data_folder(settings: Settings) -> list[Result]:
    check, folder = phrases("data folder"), settings.data
    try:
        status = folder.stat()
    except OSError as error:
        problem = say("The data folder {folder} cannot be read: {reason}.", folder=folder, reason=error.strerror)
        return [Result(check, False, problem, "`squall serve` makes it; or name another with --data or SQUALL_DATA.")]
    if not folder.is_dir():
        return [Result(check, False, say("{folder} is not a folder.", folder=folder), "Name another with --data or SQUALL_DATA.")]
    if status.st_mode & stat.S_IWOTH:
        problem, advice = say("Everybody on this machine may write to the data folder {folder}.", folder=folder), f"chmod o-w {folder}"
        return [Result(check, False, problem, advice), *_secret_key(settings), *_disk(folder)]
    return [*_writable(settings), *_secret_key(settings), *_disk(folder)]


def _writable(settings: Settings) -> list[Result]:
    """For whoever runs this: the same person should run the site."""
    check = phrases("data folder")
    names = [settings.data, *(path for path in (settings.sqlite_path, settings.media_folder) if path and path.exists())]
    closed = [path for path in names if not os.access(path, os.W_OK)]
    give = say("Give it to the user that runs the site (chown), or make it writable for that one (chmod u+w).")
    results = [Result(check, False, say("{path} cannot be written to by this user.", path=path), give) for path in closed]
    database = settings.sqlite_path
    if database and database.exists() and database.stat().st_mode & 0o077 and settings.data.stat().st_mode & 0o077:
        readable = say("Others on this machine may read the database {path}.", path=database)
        advice = f"chmod go= {database}"
        results.append(Result(check, False, readable, advice))
    return results or [Result(check)]


def _secret_key(settings: Settings) -> list[Result]:
    check, path = phrases("secret key"), settings.data / SECRET_KEY_NAME
    if settings.secret_keys:
        return [Result(check)]
    try:
        status = path.lstat()
        shortest = min((len(line.strip()) for line in path.read_bytes().splitlines() if line.strip()), default=0)
    except FileNotFoundError:
        return [Result(check, True, say("There is no secret key at {path} yet.", path=path), "`squall serve` makes it.")]
    except OSError as error:
        problem = say("The secret key {path} cannot be read: {reason}.", path=path, reason=error.strerror)
        return [Result(check, False, problem, "Check its permissions and owner.")]
    owner = settings.data.stat().st_uid
    if stat.S_IMODE(status.st_mode) & 0o077 or not stat.S_ISREG(status.st_mode):
        problem, advice = say("Others on this machine may read or change the secret key {path}.", path=path), f"chmod 600 {path}"
        return [Result(check, False, problem, advice)]
    if status.st_uid != owner:
        problem = say("The secret key {path} belongs to another user than the data folder.", path=path)
        advice = f"chown --reference={settings.data} {path}"
        return [Result(check, False, problem, advice)]
    if shortest < configuration.MINIMUM_SECRET_LENGTH:
        problem = say("The secret key {path} is too short.", path=path)
        return [Result(check, False, problem, "Remove it and start Squall again; everybody signs in anew.")]
    return [Result(check)]


def _media_folder(settings: Settings) -> Result:
    check = phrases("uploads folder")
    try:
        configuration.require_media_folder(settings)
    except OperatorError as error:
        return Result(check, False, error.message)
    return Result(check)


def _in_front(settings: Settings) -> list[Result]:
    """What keeps pages there, if the settings name something."""
    results, folder = [], settings.pages_folder
    if settings.cdn_seconds and not settings.purge_url:
        note = say("What is in front may show pages for {seconds} seconds after they were changed.", seconds=settings.cdn_seconds)
        results.append(Result(phrases("pages in front"), True, note, "Name it with SQUALL_PURGE_URL, so that it is told what is over."))
    if folder:
        there = next(path for path in (folder, *folder.parents) if path.exists())
        problem = "" if os.access(there, os.W_OK) else say("{path} cannot be written to by this user.", path=there)
        give = say("Give it to the user that runs the site (chown), or make it writable for that one (chmod u+w).")
        results.append(Result(phrases("folder for pages"), not problem, problem, give if problem else ""))
    return results


def _disk(folder: Path) -> list[Result]:
    check, free = phrases("disk space"), shutil.disk_usage(folder).free
    if free >= LOW_DISK:
        return [Result(check)]
    note = say("Only {number} MB are free where {folder} is.", number=free // 1024 // 1024, folder=folder)
    return [Result(check, True, note, "Free some space: a full disk takes no more text.")]


# --- the database ----------------------------------------------------------------------------------------------------------


async def _reachable(settings: Settings) -> Result:
    check = phrases("database")
    try:
        require_database(settings)
        standing = await migrations.standing(settings.database)
        migrations.refuse_unknown(standing)
    except CMSError as error:
        return Result(check, False, error.message)
    if not standing.is_current:
        problem = say("The database is at {this}, and this program needs {that}.", this=standing.current or "0", that=standing.head)
        return Result(check, False, problem, "Run `squall db upgrade`.")
    return Result(check)


async def _schema(settings: Settings) -> Result:
    check = phrases("tables")
    try:
        differences = await migrations.check(settings.database)
    except CMSError as error:
        return Result(check, False, error.message, "Try again; if it stays, restore a backup.")
    if differences:
        return Result(check, False, " ".join(differences), "Somebody changed the tables by hand: undo that, or restore a backup.")
    return Result(check)


async def _integrity(database: Database) -> Result:
    """What the database itself says, as far as it can still say anything."""
    check = phrases("integrity")
    try:
        async with database.read() as session:
            problems = await database.dialect.problems(session)
    except (CMSError, DBAPIError) as error:
        problems = [_reason(error)]
    if problems:
        what = inspection.Findings(len(problems), tuple(problems[:3])).words
        return Result(check, False, say("The database is damaged: {what}.", what=what), "Restore a backup.")
    return Result(check)


async def _inspect(database: Database, wanted: Inspection) -> Result:
    try:
        async with database.read() as session:
            found = await wanted.look(session)
    except (CMSError, DBAPIError) as error:
        return Result(wanted.check, False, _unchecked(error), "Restore a backup if the database is damaged.")
    if found.number:
        return Result(wanted.check, False, _wrong(wanted.problem, found), wanted.advice)
    return Result(wanted.check)


async def _sealed(database: Database, settings: Settings) -> Result:
    check = phrases("sealed secrets")
    try:
        async with database.read() as session:
            found = await sealed.standing(session, Sealer(_keys(settings)))
    except (CMSError, DBAPIError) as error:
        return Result(check, False, _unchecked(error), "See what is said about the secret key.")
    if lost := found[Under.LOST]:
        problem = say("Secrets that no key opens, such as those behind codes from an app: {number}.", number=lost)
        return Result(check, False, problem, "Add the key they were sealed with again, after the others; or let those people set up anew.")
    if older := found[Under.OLDER]:
        note = say("Secrets sealed under an older key: {number}.", number=older)
        return Result(check, True, note, "Run `squall secret rotate` before that key goes.")
    return Result(check)


def _keys(settings: Settings) -> SecretKeys:
    """Those there are; one that opens nothing where there are none, as looking makes no file."""
    has_any = settings.secret_keys or os.path.lexists(settings.data / SECRET_KEY_NAME)
    return configuration.secret_keys(settings) if has_any else SecretKeys({0: ""}, 0)


async def _media(database: Database, settings: Settings) -> AsyncIterator[Result]:
    uploads, folder = phrases("uploads"), settings.media_folder
    if folder and not folder.is_dir():  # the storage would make it
        async with database.read() as session:
            assets = (await inspection.count(session)).assets
        missing = say("{folder} is not there, and {number} uploaded files were in it.", folder=folder, number=assets)
        yield Result(uploads, False, missing, "Restore them from a backup.") if assets else Result(uploads)
        return
    try:
        found = await media_check.look(database, open_storage(settings))
    except (CMSError, DBAPIError, OSError) as error:
        remedy = say("Check the folder's permissions.") if folder else say("Check SQUALL_MEDIA_URL and the settings of S3.")
        yield Result(uploads, False, _unchecked(error), remedy)
        return
    for which, check, problem, advice in UPLOADS:
        findings = inspection.counted(getattr(found, which))
        yield Result(check, False, _wrong(problem, findings), advice) if findings.number else Result(check)


def _wrong(problem: str, found: inspection.Findings) -> str:
    return say("{problem}: {names}.", problem=said(problem), names=found.words)


def _unchecked(error: Exception) -> str:
    return say("This could not be checked: {reason}.", reason=_reason(error))


def _reason(error: Exception) -> str:
    if isinstance(error, DBAPIError):
        return str(error.orig).splitlines()[0].rstrip(".")
    return (error.message if isinstance(error, CMSError) else str(error)).rstrip(".")
