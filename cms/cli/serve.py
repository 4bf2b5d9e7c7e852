"""``squall serve`` and ``squall run``: the site, working."""

import asyncio
import os
from typing import Annotated

import typer

from cms.cli.program import DataOption, load_settings
from cms.errors import CMSError
from cms.server.above import Above
from cms.telemetry import configure_logging

HostOption = Annotated[str | None, typer.Option("--host", help="Name or address to listen on (SQUALL_HOST).", show_default=False)]
PortOption = Annotated[int | None, typer.Option("--port", help="Port to listen on (SQUALL_PORT).", show_default=False)]
_WORKERS = "Processes that serve; 0: one on SQLite, one for each processor on PostgreSQL (SQUALL_WORKERS)."
WorkersOption = Annotated[int | None, typer.Option("--workers", help=_WORKERS, show_default=False)]
MigrateOption = Annotated[
    bool | None, typer.Option("--migrate/--no-migrate", help="Bring the database up to date first (SQUALL_MIGRATE).", show_default=False)
]
DemoOption = Annotated[bool, typer.Option("--demo", help="Begin with a small publication in it.")]
UnderOption = Annotated[int | None, typer.Option("--under", help="Descriptor of the line to the parent above.", hidden=True)]


def register(app: typer.Typer) -> None:
    for name, text in (("serve", "Serve the site."), ("run", "Serve the site (the same as serve).")):
        app.command(name, help=text)(_serve)


def _serve(
    host: HostOption = None,
    port: PortOption = None,
    workers: WorkersOption = None,
    data: DataOption = None,
    migrate: MigrateOption = None,
    demo: DemoOption = False,
    under: UnderOption = None,
) -> None:
    from cms.cli.serving import run

    above = Above.on(under) if under is not None else None
    try:
        settings = load_settings(host=host, port=port, workers=workers, data=data, migrate=migrate)
        if above and settings.processes > 1:
            configure_logging(settings.log_level, settings.log_format, above.number)
        storage = asyncio.run(run(settings, above, with_demo=demo))
    except CMSError as error:
        if above:
            above.cannot(error.message)
        raise
    if storage.is_waited_for:  # one that hangs
        os._exit(0)
