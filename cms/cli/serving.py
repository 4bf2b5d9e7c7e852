"""A site that works: what is imported for it, and what it does from its first step to its last."""

import asyncio
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from cms import __version__
from cms.app import Squall
from cms.cli.program import bring_up_to_date
from cms.media.storage import Storage
from cms.purging import front_for
from cms.server.above import Above
from cms.server.listening import Listening, listen
from cms.server.serving import serve
from cms.settings import Settings
from cms.telemetry import is_pretty, log
from cms.worker import loop, scheduler
from cms.worker.tasks import Means


async def run(settings: Settings, above: Above | None, *, with_demo: bool) -> Storage:
    """``above``: the parent, if there is one. The first worker below it does what is done once, and so does one without a parent.
    Returns what it may still wait for at the end."""
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
        work = [application.warm(), loop.run(means, parts.metrics, parts.misses, parts.hits), scheduler.run(means)]
        if above and above.shared and settings.processes > 1:
            work.append(parts.metrics.share(above.shared, above.number))
        return together(work)

    await serve(application, listening, above, ready, background)
    if front:
        front.close()
    return parts.storage


async def together(work: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Until cancelled, and then until the last of them has ended; ``gather`` would end with the first."""
    async with asyncio.TaskGroup() as group:
        for each in work:
            group.create_task(each)


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
