"""``squall backup``: one file with everything, the proof that it can be restored, and restoring it."""

import html
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer
from sqlalchemy import select
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from cms import settings as configuration
from cms.cli.program import DataOption, JsonOption, load_settings, print_json, require_database, run
from cms.db import migrations
from cms.db.session import dialect_for
from cms.errors import OperatorError
from cms.exchange import backups
from cms.exchange.backups import Manifest
from cms.models import Published
from cms.services import inspection, site
from cms.settings import SECRET_KEY_NAME, Settings
from cms.telemetry import configure_logging

if TYPE_CHECKING:
    from cms.app import Squall

app = typer.Typer(no_args_is_help=True, help="Everything in one file: make it, prove it, restore it.")

FileArgument = Annotated[Path, typer.Argument(help="The backup.", show_default=False, readable=False)]
TargetArgument = Annotated[
    Path | None,
    typer.Argument(help="Where to write it; a name with the time in `backups` in the data folder if left out.", show_default=False),
]

MOMENT = "%Y-%m-%d %H:%M UTC"
PATIENCE = 60.0  # seconds for a page of the restored site


@app.command()
def create(file: TargetArgument = None, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Write database, uploads and settings to one file; the site may run meanwhile."""
    settings = load_settings(data=data)
    require_database(settings)
    target = (file or backups.default_name(settings, datetime.now(UTC))).absolute()
    outcome = _interruptible(backups.create(settings, target))
    size = target.stat().st_size
    if as_json:
        print_json({"file": str(target), "bytes": size, **_numbers(outcome.manifest), "notes": outcome.notes})
        return
    typer.echo(f"Saved {_words(outcome.manifest)} to {target} ({_bytes(size)}).")
    _say(outcome.notes)


@app.command()
def verify(file: FileArgument, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Prove a backup: restore it into a temporary place, start Squall on it and read it."""
    settings = configuration.load(data=data)
    configure_logging("error", settings.log_format)
    done = _interruptible(_verify(file, settings))
    if as_json:
        print_json(done)
        return
    manifest: dict[str, Any] = done["manifest"]
    typer.echo(f"The checksums of {manifest['parts']} parts are right.")
    typer.echo(f"Restored {done['words']} into a temporary {manifest['database']} database, as of {manifest['made_at']:{MOMENT}}.")
    if done["migrated"]:
        typer.echo(f"Brought it from {manifest['revision']} to {done['revision']}.")
    if done["counted"]:
        typer.echo(f"{done['counted']} counts are those of the manifest.")
    typer.echo(
        f"Squall answered {len(done['pages'])} {'page' if len(done['pages']) == 1 else 'pages'} from it: {', '.join(done['pages'])}."
    )
    typer.echo("This backup can be restored.")


@app.command()
def restore(file: FileArgument, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Fill an empty data folder and an empty database from a backup; nothing is ever overwritten."""
    settings = load_settings(data=data)
    outcome = _interruptible(backups.restore(file, settings))
    if as_json:
        print_json({"data": str(settings.data), **_numbers(outcome.manifest), "notes": outcome.notes})
        return
    typer.echo(f"Restored {_words(outcome.manifest)} to {settings.data}, as of {outcome.manifest.made_at:{MOMENT}}.")
    _say(outcome.notes)


def _interruptible(act: Any) -> Any:
    """SIGTERM ends it like Ctrl-C: what was half done is taken away."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    return run(act)


def _say(notes: list[str]) -> None:
    for note in notes:
        typer.echo(note)


def _numbers(manifest: Manifest) -> dict[str, Any]:
    return {
        "squall": manifest.squall,
        "database": manifest.database,
        "revision": manifest.revision,
        "made_at": manifest.made_at,
        "counts": manifest.counts,
        "uploads": manifest.uploads,
        "parts": len(manifest.parts),
    }


def _words(manifest: Manifest) -> str:
    counts = [f"{number} {_NAMES[name][number != 1]}" for name, number in manifest.counts.items() if name in _NAMES]
    uploads = f"{manifest.uploads} uploaded {'file' if manifest.uploads == 1 else 'files'}"
    return ", ".join([*(counts or ["the database"]), uploads])


_NAMES = {
    "users": ("person", "people"),
    "posts": ("post", "posts"),
    "published": ("of them public", "of them public"),
    "revisions": ("revision", "revisions"),
}


def _bytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size / 1e3:.1f} kB"


# --- verify ----------------------------------------------------------------------------------------------------------------


async def _verify(file: Path, settings: Settings) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="squall-verify-") as name:
        folder = Path(name)
        manifest = await backups.unpack(file, folder / "parts")
        dialect = dialect_for(manifest.database)
        here = dialect_for(settings.database)
        # A database that is a file needs no server; of the other kind one has to be named.
        if settings.sqlite_path and here.name != dialect.name:
            raise OperatorError(
                f"The backup is of {manifest.database}; name a server where a temporary database can be made with SQUALL_DATABASE_URL."
            )
        data = _data_folder(folder)
        async with dialect.temporary(settings.database, data) as url:
            await dialect.load_copy(folder / "parts" / backups.DATABASE, url)
            (folder / "parts" / backups.DATABASE).unlink()
            before = await migrations.upgrade(url)
            async with _running(_settings(data, url)) as (application, address):
                counted = await _compare(application, manifest)
                pages = await _read(application, address)
    return {
        "manifest": _numbers(manifest),
        "words": _words(manifest),
        "revision": before.head,
        "migrated": not before.is_current,
        "counted": counted,
        "pages": pages,
    }


def _data_folder(folder: Path) -> Path:
    data = folder / "data"
    data.mkdir(mode=0o700)
    for part, name in ((backups.SECRET, SECRET_KEY_NAME), (backups.MEDIA, "media")):
        if (folder / "parts" / part).exists():
            (folder / "parts" / part).rename(data / name)
    return data


def _settings(data: Path, url: str) -> Settings:
    """Those of a plain installation; what the environment says is of the real one."""
    return Settings.model_validate({"data": data, "database_url": url})


@asynccontextmanager
async def _running(settings: Settings) -> AsyncIterator[tuple["Squall", str]]:
    """The real program on a free port of loopback."""
    from cms.app import Squall

    sockets = bind_sockets(0, "127.0.0.1")
    port = sockets[0].getsockname()[1]
    application = Squall(settings.model_copy(update={"port": port}))
    try:
        await application.start()
        server = HTTPServer(application)
        server.add_sockets(sockets)
        try:
            yield application, f"http://127.0.0.1:{port}"
        finally:
            server.stop()
            await server.close_all_connections()
    finally:
        await application.close()


async def _compare(application: "Squall", manifest: Manifest) -> int:
    """The restored database against the manifest; returns how many numbers were compared."""
    async with application.parts.database.read() as session:
        counts = asdict(await inspection.count(session))
    for name, number in manifest.counts.items():
        if counts.get(name, number) != number:
            raise OperatorError(f"The restored database has {counts[name]} {name}, and the backup's manifest says {number}.")
    return len(manifest.counts)


async def _read(application: "Squall", address: str) -> list[str]:
    """The home page and the newest post, as a reader gets them."""
    async with application.parts.database.read() as session:
        frame = await site.get_frame(session)
        newest = select(Published.path, Published.title).order_by(Published.published_at.desc(), Published.post_id.desc()).limit(1)
        row = (await session.execute(newest)).one_or_none()
    pages = {"/": frame.name if application.parts.has_owner else ""}  # before that it only asks for one
    if row:
        pages[f"/{row.path}"] = row.title
    for path, words in pages.items():
        await _open(address, path, words)
    return list(pages)


async def _open(address: str, path: str, words: str) -> None:
    answer = await AsyncHTTPClient().fetch(address + quote(path), raise_error=False, follow_redirects=False, request_timeout=PATIENCE)
    if answer.code != 200:
        raise OperatorError(f"The restored site answered {path} with {answer.code}; the backup is not good.")
    if words not in html.unescape(answer.body.decode(errors="replace")):
        raise OperatorError(f"The restored site answered {path} without “{words}” in it; the backup is not good.")
