"""The command line: each command is parse → service → print. Errors are one sentence that says what to do; wrong use exits with 2."""

import gc
import json
import sys

import typer

from cms import __version__
from cms.cli import backup, bench, database, demo, doctor, media, nginx, operations, purge, search, secrets, serve, transfers, users
from cms.errors import CMSError, InvalidInput
from cms.wording import parts

IN_PARTS = "--in-parts"

app = typer.Typer(
    name="squall",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="A blog and publication you run yourself.",
)
serve.register(app)
operations.register(app)
demo.register(app)
doctor.register(app)
bench.register(app)
nginx.register(app)
purge.register(app)
app.add_typer(backup.app, name="backup")
app.add_typer(database.app, name="db")
app.add_typer(transfers.app, name="import")
app.add_typer(transfers.out, name="export")
app.add_typer(media.app, name="media")
app.add_typer(search.app, name="search")
app.add_typer(secrets.app, name="secret")
app.add_typer(users.app, name="user")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"squall {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Say which version this is."),
    in_parts: bool = typer.Option(False, IN_PARTS, help="Say why it failed as JSON, for another language.", hidden=True),
) -> None:
    """A blog and publication you run yourself."""


def main() -> None:
    gc.freeze()  # what was imported stays: nobody need look through it for garbage, least of all when a command ends
    gc.enable()
    try:
        app(prog_name="squall")
    except InvalidInput as error:
        sys.exit(" ".join(f"{name}: {sentence}" if name else sentence for name, sentence in error.errors.items()))
    except CMSError as error:
        sys.exit(json.dumps({"error": parts(error.message)}) if IN_PARTS in sys.argv else error.message)
    except KeyboardInterrupt:
        sys.exit(130)
