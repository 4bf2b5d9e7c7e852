"""SQLite's reading connections: a whole statement in one trip to the connection's thread.

aiosqlite opens a cursor, executes and fetches one by one, and each is a wait for another thread; of a short query that is the
larger part (bench/pages.py). Readers' statements are short and fetched whole, so all three are done at once.
"""

import sqlite3
from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import Any

import aiosqlite


class Cursor:
    """As much of a cursor as SQLAlchemy asks for. ``execute`` has the rows already; the others only hand them out."""

    arraysize = 1
    rowcount = -1
    lastrowid: int | None = None

    def __init__(self, connection: "ReadingConnection") -> None:
        self._connection = connection
        self.description: Any = None
        self._rows: list[Any] = []

    async def __aenter__(self) -> "Cursor":
        return self

    async def execute(self, operation: str, parameters: Sequence[Any] = ()) -> "Cursor":
        self.description, self._rows = await self._connection.read(operation, parameters)
        return self

    async def fetchall(self) -> list[Any]:
        return self._rows

    async def close(self) -> None:
        self._rows = []


class ReadingConnection(aiosqlite.Connection):
    def cursor(self) -> Cursor:  # type: ignore[override]  # awaited by nobody but SQLAlchemy
        return Cursor(self)

    async def read(self, operation: str, parameters: Sequence[Any]) -> tuple[Any, list[Any]]:
        """Description of the columns, and all rows."""
        found: tuple[Any, list[Any]] = await self._execute(self._read, operation, parameters)  # type: ignore[no-untyped-call]
        return found

    def _read(self, operation: str, parameters: Sequence[Any]) -> tuple[Any, list[Any]]:
        cursor = self._conn.execute(operation, parameters)
        try:
            return cursor.description, cursor.fetchall()
        finally:
            cursor.close()


def connect(path: Path) -> Awaitable[aiosqlite.Connection]:
    connection = ReadingConnection(lambda: sqlite3.connect(path), iter_chunk_size=64)
    connection._thread.daemon = True  # as SQLAlchemy does with those it makes: a forgotten one must not keep the program alive
    return connection
