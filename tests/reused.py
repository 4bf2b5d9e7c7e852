"""A PostgreSQL database that one test gets after another. To empty it takes a tenth of what it takes to copy one and to drop it, and
whoever connects to it finds it warm."""

from dataclasses import dataclass
from typing import Self

import asyncpg

TABLES = "SELECT format('%I', relname) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
SHAPE = "SELECT count(*), sum(relnatts), sum(oid::bigint), (SELECT pg_database_size(current_database()) / 10000000) FROM pg_class"
ANEW = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid();
SET session_replication_role = replica; -- no reference is looked after
SELECT setval(seqrelid::regclass, seqstart, false) FROM pg_sequence;
"""


@dataclass(frozen=True)
class Reused:
    url: str
    _connection: asyncpg.Connection
    _shape: asyncpg.Record
    _anew: str

    @classmethod
    async def of(cls, url: str) -> Self:
        """What it has now is what each test will find."""
        connection = await asyncpg.connect(url.replace("+asyncpg", ""))
        anew = ANEW
        for (table,) in await connection.fetch(TABLES):
            anew += f"DELETE FROM {table};"
            if rows := await connection.fetchval(f"SELECT json_agg({table}) FROM {table}"):
                anew += f"INSERT INTO {table} SELECT * FROM json_populate_recordset(NULL::{table}, $rows${rows}$rows$);"
        return cls(url, connection, await connection.fetchrow(SHAPE), anew)

    async def empty(self) -> bool:
        """False if that is not possible: a test has changed its tables, or made it grow so much that it would be slow."""
        is_same = await self._connection.fetchrow(SHAPE) == self._shape
        if is_same:
            await self._connection.execute(self._anew)
        return is_same

    async def close(self) -> None:
        await self._connection.close()
