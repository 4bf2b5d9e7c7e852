"""Statements that are compiled once for all tests, as they are once in a running program: each test has engines of its own.

SQLAlchemy keeps what it compiled with the engine, and by the dialect, of which each engine has one. Here all dialects of a kind
are equal, and their engines share what they keep.
"""

from typing import Any

from sqlalchemy import Engine
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

_COMPILED: dict[Any, Any] = {}


class _Alike:
    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))

    @classmethod
    def engine_created(cls, engine: Engine) -> None:
        engine.update_execution_options(compiled_cache=_COMPILED)


class SQLite(_Alike, SQLiteDialect_aiosqlite):
    supports_statement_cache = True


class SQLiteAtHand(_Alike, SQLiteDialect_pysqlite):
    supports_statement_cache = True


class PostgreSQL(_Alike, PGDialect_asyncpg):
    supports_statement_cache = True


def share() -> None:
    """For engines made from now on in this process."""
    for name, dialect in {"sqlite.aiosqlite": SQLite, "sqlite": SQLiteAtHand, "postgresql.asyncpg": PostgreSQL}.items():
        registry.register(name, __name__, dialect.__name__)
