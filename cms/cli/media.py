"""``squall media check``: the library's rows and the bytes in the storage against each other."""

import asyncio
from typing import Annotated, Any

import typer

from cms.cli.program import DataOption, JsonOption, current_database, load_settings, print_json, run
from cms.media.storage import open_storage
from cms.services import media_check, uploads
from cms.services.intake import FOLDER
from cms.services.media_check import SETTLED, MediaFindings, Mended
from cms.settings import Settings
from cms.wording import named

app = typer.Typer(no_args_is_help=True, help="The library.")
RepairOption = Annotated[bool, typer.Option("--repair", help="Finish, give up or remove what can be; without it nothing is changed.")]
SAID = (
    ("missing", "asset(s) without bytes; restore them from a backup, or upload them again"),
    ("of_another_size", "file(s) of another size than when they came; restore them from a backup, or upload them again"),
    ("unfinished", "upload(s) that broke off at the end"),
    ("without_row", "file(s) that belong to nothing"),
    ("without_bytes", "rendition(s) that are gone, or of pictures that are; made again when somebody asks"),
)


@app.callback()
def _media() -> None:
    """The library."""


@app.command("check")
def check(data: DataOption = None, repair: RepairOption = False, as_json: JsonOption = False) -> None:
    """Look whether all that the library names is in the storage, and nothing else. The site may run meanwhile."""
    if not as_json:
        typer.echo("The library is compared with the storage…")
    found, mended = run(_check(load_settings(data=data), repair))
    if as_json:
        print_json({**_as_json(found), "mended": None if mended is None else {name: getattr(mended, name) for name in Mended.__slots__}})
    else:
        _tell(found, mended)
    left = len(found.missing) + len(found.of_another_size) + (0 if mended else found.can_be_mended)
    raise typer.Exit(1 if left else 0)


async def _check(settings: Settings, repair: bool) -> tuple[MediaFindings, Mended | None]:
    async with current_database(settings) as database:
        storage = open_storage(settings)
        found = await media_check.look(database, storage)
        if not repair:
            return found, None
        await asyncio.to_thread(uploads.clear_rooms, settings.data / FOLDER, database.clock() - SETTLED)
        return found, await media_check.mend(database, storage, found)


def _as_json(found: MediaFindings) -> dict[str, Any]:
    return {name: [list(each) if isinstance(each, tuple) else each for each in getattr(found, name)] for name, _ in SAID}


def _tell(found: MediaFindings, mended: Mended | None) -> None:
    for name, words in SAID:
        if some := getattr(found, name):
            typer.echo(f"{len(some)} {words}: {named(*map(_name, some[:5]))}{' …' if len(some) > 5 else ''}")
    if mended:
        uploads = f"Finished {mended.finished} uploads and gave up {mended.given_up}"
        typer.echo(f"{uploads}, removed {mended.removed} files, forgot {mended.forgotten} renditions.")
    elif found.can_be_mended:
        typer.echo(f"{found.can_be_mended} of these can be mended: `squall media check --repair`.")
    if found.is_well:
        typer.echo("All is well.")


def _name(one: object) -> str:
    return "/".join(one) if isinstance(one, tuple) else str(one)
