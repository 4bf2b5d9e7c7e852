"""SQLite's connections: a whole statement in one trip to the connection's thread, and a short question without any.

aiosqlite opens a cursor, executes and fetches one by one, and each is a wait for another thread; of a short statement that is the
larger part (bench/pages.py, bench/imports.py). Our statements are short and their rows fetched whole, so all is done at once.

What is asked within a write transaction waits for no lock. It is asked here and now, and again in the thread if that turns out to take
long: of what a publish costs readers, the turns between two threads were a fifth (``python -m bench.performance --only publishing``).
"""

import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiosqlite

SHORT = 2_000  # steps of SQLite's machine (https://www.sqlite.org/opcode.html): a tenth of a millisecond or so


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
    answers_here = False

    def cursor(self) -> Cursor:  # type: ignore[override]  # awaited by nobody but SQLAlchemy
        return Cursor(self)

    async def run(self, act: Callable[..., Any], operation: str, parameters: Sequence[Any]) -> tuple[Any, int | None, int, list[Any]]:
        """Description of the columns, id of the last row that was inserted, number of rows changed, and all rows of an answer."""
        if self.answers_here and operation.startswith("SELECT") and "MATCH" not in operation:  # an index of words counts as one step
            with suppress(_Long):
                return self._run_here(act, operation, parameters)
        found: tuple[Any, int | None, int, list[Any]] = await self._execute(self._run, act, operation, parameters)  # type: ignore[no-untyped-call]
        return found

    def _run_here(self, act: Callable[..., Any], operation: str, parameters: Sequence[Any]) -> tuple[Any, int | None, int, list[Any]]:
        """Raises ``_Long`` after some steps. A question that is broken off leaves its transaction as it is; a change would end it."""
        self._conn.set_progress_handler(_enough, SHORT)
        try:
            return self._run(act, operation, parameters)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
                raise _Long from None
            raise
        finally:
            self._conn.set_progress_handler(None, 0)

    def _run(self, act: Callable[..., Any], operation: str, parameters: Sequence[Any]) -> tuple[Any, int | None, int, list[Any]]:
        cursor = self._conn.cursor()
        try:
            act(cursor, operation, parameters)
            rows = cursor.fetchall() if cursor.description else []
            return cursor.description, cursor.lastrowid, cursor.rowcount, rows
        finally:
            cursor.close()


class _Long(Exception):
    """It takes more than ``SHORT`` steps."""


def _enough() -> int:
    return 1


def connect(path: Path, *, answers_here: bool = False) -> Awaitable[aiosqlite.Connection]:
    """``answers_here``: short questions, since it has the right to write before it asks any."""
    connection = Connection(lambda: sqlite3.connect(path, check_same_thread=not answers_here), iter_chunk_size=64)
    connection.answers_here = answers_here
    connection._thread.daemon = True  # as SQLAlchemy does with those it makes: a forgotten one must not keep the program alive
    return connection
