"""``squall serve`` and ``squall run``: the site, working."""

import asyncio
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from cms import __version__
from cms.app import Squall
from cms.cli.program import DataOption, copies_folder, load_settings
from cms.db import migrations
from cms.errors import CMSError, OperatorError
from cms.purging import front_for
from cms.server.above import Above
from cms.server.listening import Listening, listen
from cms.server.serving import serve
from cms.settings import Settings, prepare_data_folder
from cms.telemetry import configure_logging, is_pretty, log
from cms.worker import loop, scheduler
from cms.worker.tasks import Means

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
    above = Above.on(under) if under is not None else None
    try:
        settings = load_settings(host=host, port=port, workers=workers, data=data, migrate=migrate)
        if above and settings.processes > 1:
            configure_logging(settings.log_level, settings.log_format, above.number)
        asyncio.run(_run(settings, above, with_demo=demo))
    except CMSError as error:
        if above:
            above.cannot(error.message)
        raise


async def _run(settings: Settings, above: Above | None, *, with_demo: bool) -> None:
    """``above``: the parent, if there is one. The first worker below it does what is done once, and so does one without a parent."""
    is_first = above is None or above.is_first
    listening = Listening(above.sockets) if above and above.sockets else listen(settings)
    settings = settings.model_copy(update={"port": listening.port})
    await bring_up_to_date(settings, may_migrate=is_first)
    application = Squall(settings)
    if with_demo and is_first:
        from cms.exchange import demo

        await demo.fill(application.parts.intake, application.parts.renderer, settings.public_url)
    greeting = Greeting(application, settings.data)
    parts = application.parts
    front = front_for(settings)

    async def ready() -> None:
        if is_first:
            await greeting.say()
        if above:
            words = {"workers": settings.processes, "data": str(settings.data), "is_json": not is_pretty(settings.log_format)}
            above.is_ready(listening.sockets, **words)

    means = Means(
        parts.database, parts.sealer, parts.mailer, parts.storage, parts.renderer, parts.imaging, parts.renditions, settings.public_url,
        settings.data, front=front,
    )  # fmt: skip

    def background() -> Coroutine[Any, Any, None]:
        work = [loop.run(means, parts.metrics, parts.misses, parts.hits), scheduler.run(means)]
        if above and above.shared and settings.processes > 1:
            work.append(parts.metrics.share(above.shared, above.number))
        return together(work)

    await serve(application, listening, above, ready, background)
    if front:
        front.close()


async def together(work: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Until cancelled, and then until the last of them has ended; ``gather`` would end with the first."""
    async with asyncio.TaskGroup() as group:
        for each in work:
            group.create_task(each)


async def bring_up_to_date(settings: Settings, *, may_migrate: bool = True) -> None:
    """The data folder made and the database migrated under a lock, or a database refused that is not this program's.

    ``may_migrate``: nobody serves from it yet. Others would find another schema under their hands.
    """
    prepare_data_folder(settings)
    standing = await migrations.standing(settings.database)
    migrations.refuse_unknown(standing)
    if not standing.is_current and settings.migrate and may_migrate:
        await migrations.upgrade(settings.database, keep_copy_in=copies_folder(settings))
    elif not standing.is_current:
        raise OperatorError(
            "The database is not up to date, and migrating was switched off; run `squall db upgrade`."
            if may_migrate
            else "The database is not up to date for this version of the program; stop Squall and start it again, which migrates it."
        )


@dataclass(frozen=True)
class Greeting:
    """What a person at the terminal reads once the site answers."""

    application: Squall
    data: Path

    def _where(self) -> str:
        is_all = self.application.parts.settings.sqlite_path is not None
        return (
            f"Everything is kept in {self.data}" if is_all else f"Texts are kept in PostgreSQL, uploads and the secret key in {self.data}"
        )

    async def say(self) -> None:
        parts = self.application.parts
        lines = [f"Squall {__version__} is running at {parts.settings.public_url}", self._where()]
        if not parts.has_owner:
            link = f"{parts.settings.public_url}/setup/{parts.owner_token}"
            lines += ["", "Make the owner's account here (the link works once):", f"  {link}"]
        typer.echo("\n".join(["", *lines, "", "Stop with Ctrl-C.", ""]))
        log.info("listening", port=parts.settings.port, version=__version__)
