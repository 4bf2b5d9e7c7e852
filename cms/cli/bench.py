"""``squall bench``: what a page costs. It compares with other programs and is no part of the wheel; here is only the way to it."""

import subprocess
import sys
from pathlib import Path

import typer

from cms.errors import OperatorError

CHECKOUT = Path(__file__).parents[2]


def register(app: typer.Typer) -> None:
    settings = {"allow_extra_args": True, "ignore_unknown_options": True}
    app.command("bench", context_settings=settings, add_help_option=False)(bench)


def bench(context: typer.Context) -> None:
    """Measure what a page costs, beside nginx and others (from a checkout; --check, --quick, …: see squall bench --help)."""
    if not (CHECKOUT / "bench" / "performance").is_dir():
        raise OperatorError("`squall bench` needs a checkout of Squall, wrk and nginx: what it runs is not installed with the program.")
    command = [sys.executable, "-m", "bench.performance", *context.args]
    raise typer.Exit(subprocess.call(command, cwd=CHECKOUT))  # noqa: S603 - our own
