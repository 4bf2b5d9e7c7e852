"""PostgreSQL through asyncpg: pools, advisory lock, pg_dump."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from cms.errors import CMSError, OperatorError, StorageFull, Unavailable

MIGRATION_LOCK = 0x53515541  # "SQUA": any number that no other program on this server uses
CONNECT_TIMEOUT = 5  # seconds
COMMAND_TIMEOUT = 60  # seconds

# https://www.postgresql.org/docs/current/errcodes-appendix.html
_FULL = ("53100", "53200")
_AWAY = ("08", "57P", "53300", "25006")


class PostgreSQL:
    name = "postgresql"
    insert = staticmethod(insert)

    def engines(self, url: str) -> tuple[AsyncEngine, AsyncEngine]:
        reading = _engine(
            url,
            {"default_transaction_read_only": "on"},
            pool_size=10,
            isolation_level="AUTOCOMMIT",
            skip_autocommit_rollback=True,
        )
        return reading, _engine(url, {}, pool_size=10)

    def migration_engine(self, url: str) -> AsyncEngine:
        return _engine(url, {}, pool_size=1, command_timeout=None)

    @asynccontextmanager
    async def migration_lock(self, url: str) -> AsyncIterator[None]:
        engine = self.migration_engine(url)
        try:
            async with engine.connect() as connection:
                await connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": MIGRATION_LOCK})
                yield
        finally:
            await engine.dispose()

    async def save_copy(self, url: str, target: Path) -> None:
        await _run("pg_dump", url, "--format=custom", "--no-owner", "--no-privileges", f"--file={target}")

    async def load_copy(self, source: Path, url: str) -> None:
        await _run("pg_restore", url, "--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction", str(source))

    async def problems(self, session: AsyncSession) -> list[str]:
        """PostgreSQL keeps its constraints itself; what can be wrong from our side is an index that a broken build left invalid."""
        invalid = await session.scalars(text("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"))
        return [f"the index {name} is invalid; REINDEX it" for name in invalid]

    def translate(self, error: DBAPIError | OSError) -> CMSError | None:
        if isinstance(error, OSError):
            return Unavailable()
        state = str(getattr(error.orig, "sqlstate", None) or "")
        if state.startswith(_FULL):
            return StorageFull()
        if error.connection_invalidated or state.startswith(_AWAY) or isinstance(error, InterfaceError):
            return Unavailable()
        return None

    def violated(self, error: DBAPIError) -> str:
        if getattr(error.orig, "sqlstate", "") != "23505":
            return ""
        return str(getattr(getattr(error.orig, "__cause__", None), "constraint_name", "") or "")


def _engine(
    url: str,
    server_settings: dict[str, str],
    *,
    pool_size: int,
    command_timeout: float | None = COMMAND_TIMEOUT,
    **options: Any,
) -> AsyncEngine:
    connect_args: dict[str, Any] = {
        "server_settings": {"jit": "off", "application_name": "squall", **server_settings},
        "timeout": CONNECT_TIMEOUT,
        "command_timeout": command_timeout,
    }
    # A pooled connection may have died with the server; asking first costs less than a reader's 503.
    return create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=10,
        pool_timeout=10,
        pool_pre_ping=True,
        connect_args=connect_args,
        **options,
    )


async def _run(program: str, url: str, *arguments: str) -> None:
    """Run one of PostgreSQL's own programs; the password goes through the environment, not the command line."""
    if not shutil.which(program):
        raise OperatorError(f"{program} is needed and was not found; install PostgreSQL's client programs.")
    parts = make_url(url)
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "PGHOST": parts.host or str(parts.query.get("host", "")),
        "PGPORT": str(parts.port or parts.query.get("port", "")),
        "PGUSER": parts.username or "",
        "PGPASSWORD": str(parts.password or ""),
        "PGDATABASE": parts.database or "",
    }
    command = [program, "--dbname", parts.database or ""] if program == "pg_restore" else [program]
    process = await asyncio.create_subprocess_exec(
        *command, *arguments, env={name: value for name, value in environment.items() if value},
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, complaint = await process.communicate()
    if process.returncode:
        raise OperatorError(f"{program} failed: {complaint.decode(errors='replace').strip().splitlines()[-1]}")
