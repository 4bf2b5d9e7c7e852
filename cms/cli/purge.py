"""``squall purge``: after what no event tells of, like an upgrade or a restored backup."""

import typer

from cms.cli.program import DataOption, current_database, load_settings, run
from cms.errors import OperatorError
from cms.services import purges
from cms.settings import Settings


def register(app: typer.Typer) -> None:
    app.command("purge")(purge)


def purge(data: DataOption = None) -> None:
    """Have the CDN or cache of SQUALL_PURGE_URL forget all pages; the running site tells it."""
    settings = load_settings(data=data)
    if not settings.purge_url:
        raise OperatorError("Nobody is there to be told; name a CDN or a cache with SQUALL_PURGE_URL.")
    run(_enqueue(settings))
    typer.echo("All pages will be forgotten as soon as Squall runs.")


async def _enqueue(settings: Settings) -> None:
    async with current_database(settings) as database, database.transaction() as work:
        await purges.forget_everything(work)
