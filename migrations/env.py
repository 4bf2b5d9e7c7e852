"""Alembic's environment: run on a connection handed in by ``cms.db.migrations``, or by itself for plain ``alembic`` commands."""

import asyncio
from typing import Any

from alembic import context
from alembic.autogenerate.api import AutogenContext
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text

from cms.db.session import dialect_for
from cms.db.types import UTCDateTime
from cms.errors import OperatorError
from cms.models import Base
from cms.settings import load, prepare_data_folder


def render_item(kind: str, item: Any, autogen: AutogenContext) -> str | bool:
    """Autogenerate writes our types by names that it does not import."""
    if kind == "type" and isinstance(item, UTCDateTime):
        autogen.imports.add("from cms.db.types import UTCDateTime")
        return "UTCDateTime()"
    return False


def is_ours(_thing: Any, name: str | None, _kind: str, _reflected: bool, _model: Any) -> bool:
    """What a database keeps for itself to search by stands in no model."""
    return not (name or "").startswith("search_index")


def refuse_strays(ctx: MigrationContext, **_told: Any) -> None:
    """SQLite's foreign keys are off while tables are made anew; before each migration's commit its rows are looked at instead."""
    connection = ctx.connection
    if connection is not None and connection.dialect.name == "sqlite":
        strays = connection.execute(text("PRAGMA foreign_key_check")).fetchall()
        if strays:
            tables = ", ".join(sorted({stray[0] for stray in strays}))
            raise OperatorError(f"The database was not migrated: rows of {tables} would refer to rows that are not there.")


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        render_item=render_item,
        include_object=is_ours,
        transaction_per_migration=True,
        on_version_apply=refuse_strays,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def by_itself() -> None:
    settings = load()
    if settings.sqlite_path:
        prepare_data_folder(settings)
    dialect = dialect_for(settings.database)
    async with dialect.migration_lock(settings.database):
        engine = dialect.migration_engine(settings.database)
        try:
            async with engine.connect() as connection:
                await connection.run_sync(migrate)
        finally:
            await engine.dispose()


if connection := context.config.attributes.get("connection"):
    migrate(connection)
else:
    asyncio.run(by_itself())
