"""The command line: each command is parse → service → print. Errors are one sentence that says what to do; wrong use exits with 2."""

import gc
import importlib
import json
import sys

import typer

from cms import __version__
from cms.cli import serve
from cms.errors import CMSError, InvalidInput
from cms.processes import end_with
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


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"squall {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Say which version this is."),  # noqa: ARG001
    in_parts: bool = typer.Option(False, IN_PARTS, help="Say why it failed as JSON, for a worker, and end with it.", hidden=True),
) -> None:
    """A blog and publication you run yourself."""
    if in_parts:
        end_with(sys.stdin.fileno())


def main() -> None:
    is_serving = sys.argv[1:2] in (["serve"], ["run"])
    importlib.import_module("cms.cli.serving" if is_serving else "cms.cli.commands")  # which puts the others into ``app``
    gc.set_threshold(10_000, 20, 100)  # a page or a publish makes thousands of things, and leaves none of them
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
