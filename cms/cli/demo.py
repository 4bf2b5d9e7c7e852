"""``squall demo``: a small publication in an empty site, for a first look."""

import typer

from cms.cli.program import DataOption, bring_up_to_date, load_settings, run
from cms.db.session import Database
from cms.exchange import demo
from cms.exchange.demo import Filled
from cms.imaging import Imaging
from cms.media.storage import open_storage
from cms.rendering import Renderer
from cms.services import purges
from cms.services.intake import FOLDER, Intake
from cms.settings import Settings


def register(app: typer.Typer) -> None:
    app.command("demo")(fill)


def fill(data: DataOption = None) -> None:
    """Put a small publication into an empty site: people, posts, pages, pictures."""
    settings = load_settings(data=data)
    typer.echo("A small publication goes into this site…")
    typer.echo(_in_numbers(run(_fill(settings))))


async def _fill(settings: Settings) -> Filled:
    await bring_up_to_date(settings)
    database, renderer, imaging = Database(settings.database), Renderer(), Imaging()
    purges.follow(database, settings)
    intake = Intake(database, open_storage(settings), imaging, settings.data / FOLDER)
    try:
        return await demo.fill(intake, renderer, settings.public_url)
    finally:
        await renderer.close()
        await imaging.close()
        await database.dispose()


def _in_numbers(filled: Filled) -> str:
    if filled.was_there:
        return "It is already there; nothing was changed."
    return (
        f"Made {filled.posts} posts and {filled.pages} pages by {filled.people} people, "
        f"with {filled.pictures} pictures, {filled.categories} categories and {filled.tags} tags."
    )
