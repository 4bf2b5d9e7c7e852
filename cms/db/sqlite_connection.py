"""SQLite's connections: a whole statement in one trip to the connection's thread.

aiosqlite opens a cursor, executes and fetches one by one, and each is a wait for another thread; of a short statement that is the
larger part (bench/pages.py, bench/imports.py). Our statements are short and their rows fetched whole, so all is done at once.
"""

import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import aiosqlite


class Cursor:
    """As much of a cursor as SQLAlchemy asks for. ``execute`` has the rows already; the others only hand them out."""

    arraysize = 1

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.description: Any = None
        self.lastrowid: int | None = None
        self.rowcount = -1

    async def __aenter__(self) -> "Cursor":
        return self

    async def execute(self, operation: str, parameters: Sequence[Any] = ()) -> "Cursor":
        return await self._run(sqlite3.Cursor.execute, operation, parameters)

    async def executemany(self, operation: str, parameters: Sequence[Sequence[Any]]) -> "Cursor":
        return await self._run(sqlite3.Cursor.executemany, operation, parameters)

    async def _run(self, act: Callable[..., Any], operation: str, parameters: Sequence[Any]) -> "Cursor":
        self.description, self.lastrowid, self.rowcount, self._rows = await self._connection.run(act, operation, parameters)
        return self

    async def fetchall(self) -> list[Any]:
        return self._rows

    async def close(self) -> None:
        self._rows = []


class Connection(aiosqlite.Connection):
    def cursor(self) -> Cursor:  # type: ignore[override]  # awaited by nobody but SQLAlchemy
        return Cursor(self)

    async def run(self, act: Callable[..., Any], operation: str, parameters: Sequence[Any]) -> tuple[Any, int | None, int, list[Any]]:
        """Description of the columns, id of the last row that was inserted, number of rows changed, and all rows of an answer."""
        found: tuple[Any, int | None, int, list[Any]] = await self._execute(self._run, act, operation, parameters)  # type: ignore[no-untyped-call]
        return found

    def _run(self, act: Callable[..., Any], operation: str, parameters: Sequence[Any]) -> tuple[Any, int | None, int, list[Any]]:
        cursor = self._conn.cursor()
        try:
            act(cursor, operation, parameters)
            rows = cursor.fetchall() if cursor.description else []
            return cursor.description, cursor.lastrowid, cursor.rowcount, rows
        finally:
            cursor.close()


def connect(path: Path) -> Awaitable[aiosqlite.Connection]:
    connection = Connection(lambda: sqlite3.connect(path), iter_chunk_size=64)
    connection._thread.daemon = True  # as SQLAlchemy does with those it makes: a forgotten one must not keep the program alive
    return connection
