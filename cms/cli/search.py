"""``squall search reindex``: what readers can find, made anew from what is public."""

import typer

from cms.cli.program import DataOption, current_database, load_settings, run
from cms.services import search_index
from cms.settings import Settings

app = typer.Typer(no_args_is_help=True, help="What readers can find.")


@app.callback()
def _search() -> None:
    """What readers can find."""


@app.command("reindex")
def reindex(data: DataOption = None) -> None:
    """Make the search documents of everything public anew. The site may run meanwhile; interrupted, it can be run again."""
    typer.echo("The search documents of everything public are made anew…")
    number = run(_reindex(load_settings(data=data)))
    typer.echo(f"{number} can be found.")


async def _reindex(settings: Settings) -> int:
    async with current_database(settings) as database:
        return await search_index.renew_all(database)
