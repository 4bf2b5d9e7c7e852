"""``squall search reindex``: what readers and the desk can find, made anew from the texts."""

import typer

from cms.cli.program import DataOption, current_database, load_settings, run
from cms.services import desk_index, search_index
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
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    async with current_database(settings) as database:
        async with database.read() as session:
            public = await search_index.count_public(session)
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("documents", total=public)
            number = await search_index.renew_all(database, lambda done: progress.update(task, completed=done))
        await desk_index.renew_all(database)
        return number
