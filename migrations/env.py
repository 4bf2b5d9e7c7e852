"""Alembic's environment: run on a connection handed in by ``cms.db.migrations``, or by itself for plain ``alembic`` commands."""

import asyncio
from typing import Any

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection, text

from cms.db.session import dialect_for
from cms.db.types import UTCDateTime
from cms.models import Base
from cms.settings import load, prepare_data_folder


def render_item(kind: str, item: Any, autogen: AutogenContext) -> str | bool:
    """Autogenerate writes our types by names that it does not import."""
    if kind == "type" and isinstance(item, UTCDateTime):
        autogen.imports.add("from cms.db.types import UTCDateTime")
        return "UTCDateTime()"
    return False


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        render_item=render_item,
        transaction_per_migration=True,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    if connection.dialect.name == "sqlite":
        strays = connection.execute(text("PRAGMA foreign_key_check")).fetchall()
        if strays:
            raise RuntimeError(f"the migration left rows that refer to nothing: {strays[:5]}")


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
