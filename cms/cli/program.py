"""What commands share: the settings, and a database that is up to date."""

import asyncio
import json
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from cms import settings as configuration
from cms.db import migrations
from cms.db.session import Database, dialect_for
from cms.errors import OperatorError
from cms.services import purges
from cms.settings import Settings, prepare_data_folder
from cms.telemetry import configure_logging

Result = TypeVar("Result")

DataOption = Annotated[Path | None, typer.Option("--data", help="Data folder (SQUALL_DATA).", show_default=False, readable=False)]
JsonOption = Annotated[bool, typer.Option("--json", help="For programs: print JSON.")]


def run(act: Coroutine[Any, Any, Result]) -> Result:
    return asyncio.run(act)


def load_settings(**given: Any) -> Settings:
    """The settings, with logs going where they should. Makes nothing: a command that only looks leaves no folder behind."""
    settings = configuration.load(**given)
    configure_logging(settings.log_level, settings.log_format)
    return settings


@asynccontextmanager
async def current_database(settings: Settings) -> AsyncIterator[Database]:
    """The database, if it is at this program's revision. Raises ``OperatorError`` otherwise."""
    require_database(settings)
    standing = await migrations.standing(settings.database)
    migrations.refuse_unknown(standing)
    if not standing.is_current:
        raise OperatorError("The database is not up to date; run `squall db upgrade` first.")
    database = Database(settings.database)
    purges.follow(database, settings)
    try:
        yield database
    finally:
        await database.dispose()


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


def require_database(settings: Settings) -> None:
    """Raise ``OperatorError`` if there is not even a file."""
    if dialect_for(settings.database).is_absent(settings.database):
        raise OperatorError(
            f"There is no database at {settings.sqlite_path};"
            " `squall serve` or `squall db upgrade` makes it, and --data names another data folder."
        )


def print_json(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def copies_folder(settings: Settings) -> Path:
    """Where copies of a SQLite file are kept that are made before a migration."""
    return settings.data / "backups"
