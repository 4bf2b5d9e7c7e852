"""``squall db``: the schema."""

from typing import Annotated

import typer

from cms.cli.program import DataOption, JsonOption, copies_folder, load_settings, print_json, require_database, run
from cms.db import migrations
from cms.settings import prepare_data_folder

app = typer.Typer(no_args_is_help=True, help="Bring the database up or down, and check it.")


@app.command()
def upgrade(revision: Annotated[str, typer.Argument(help="Revision to go to.")] = "head", data: DataOption = None) -> None:
    """Bring the database up to date; a copy of a SQLite file is made before."""
    settings = load_settings(data=data)
    prepare_data_folder(settings)
    before = run(migrations.upgrade(settings.database, revision, keep_copy_in=copies_folder(settings)))
    after = run(migrations.standing(settings.database))
    typer.echo(f"The database was at {before.current or 'nothing'} and is at {after.current or 'nothing'}.")


@app.command()
def downgrade(
    revision: Annotated[str, typer.Argument(help="Revision to go to; `base` for an empty database, `-1` for one step.")],
    data: DataOption = None,
) -> None:
    """Bring the database down; a copy of a SQLite file is made before."""
    settings = load_settings(data=data)
    require_database(settings)
    before = run(migrations.downgrade(settings.database, revision, keep_copy_in=copies_folder(settings)))
    after = run(migrations.standing(settings.database))
    typer.echo(f"The database was at {before.current or 'nothing'} and is at {after.current or 'nothing'}.")


@app.command()
def current(data: DataOption = None, as_json: JsonOption = False) -> None:
    """Say at which revision the database is, and which is the newest."""
    standing = run(migrations.standing(load_settings(data=data).database))
    if as_json:
        print_json({"current": standing.current, "head": standing.head, "is_current": standing.is_current, "is_known": standing.is_known})
        return
    migrations.refuse_unknown(standing)
    where = "up to date" if standing.is_current else f"behind {standing.head}; run `squall db upgrade`"
    typer.echo(f"The database is at {standing.current or 'nothing'}: {where}.")


@app.command()
def check(data: DataOption = None) -> None:
    """Compare the database with what the program expects."""
    differences = run(migrations.check(load_settings(data=data).database))
    for difference in differences:
        typer.echo(difference)
    if differences:
        raise typer.Exit(1)
    typer.echo("The database is as the program expects it.")
