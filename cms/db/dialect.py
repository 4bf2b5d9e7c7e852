"""What differs between databases, as one protocol with two twins: ``sqlite.py`` and ``postgresql.py``."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Engine
from sqlalchemy.dialects.postgresql.dml import Insert as PostgreSQLInsert
from sqlalchemy.dialects.sqlite.dml import Insert as SQLiteInsert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from cms.errors import CMSError
from cms.schemas.search import Wanted

Inserts = Callable[[Any], SQLiteInsert | PostgreSQLInsert]
Told = tuple[str, dict[str, Any]]  # name and payload of an event


class Dialect(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def advice(self) -> str:
        """What to look at when it cannot be used."""

    @property
    def insert(self) -> Inserts:
        """INSERT that knows ON CONFLICT."""

    def engines(self, url: str, sharers: int = 1) -> tuple[AsyncEngine, AsyncEngine]:
        """One engine for reading, which the database itself keeps from writing, and one for write transactions. ``sharers``: how many
        processes do so, each with a part of the connections that a server gives out."""

    def engine_at_hand(self, url: str) -> Engine | None:
        """For statements so short that they are answered without leaving the loop; None where every one is a wait."""

    def migration_engine(self, url: str) -> AsyncEngine: ...

    def migration_lock(self, url: str) -> AbstractAsyncContextManager[None]:
        """Held by one process at a time; others wait."""

    async def save_copy(self, url: str, target: Path) -> None:
        """A consistent copy of the database in ``target`` while others write. Raises ``OperatorError``."""

    def saved_copy(self, url: str, target: Path) -> AbstractAsyncContextManager[AsyncSession]:
        """The same, and a session that sees exactly what the copy has in it."""

    async def load_copy(self, source: Path, url: str) -> None:
        """Fill the (empty or absent) database from a copy made by ``save_copy``; all or nothing. Raises ``OperatorError``."""

    def is_absent(self, url: str) -> bool:
        """True if there is not even a place for tables yet, and connecting would make one."""

    def temporary(self, url: str, folder: Path) -> AbstractAsyncContextManager[str]:
        """An empty database that is gone afterwards: in ``folder``, or on the server of ``url``. Raises ``OperatorError``."""

    async def search(self, session: AsyncSession, wanted: Wanted, most: int, *, in_title: bool = False) -> list[int]:
        """Ids of the newest documents that have the terms, anywhere or in their title; newest first."""

    async def search_desk(self, session: AsyncSession, wanted: Wanted, most: int) -> list[int] | None:
        """Numbers of the posts whose working copies have the terms; None: they are more than ``most``."""

    def has_terms(self, wanted: Wanted, post_id: InstrumentedAttribute[int]) -> ColumnElement[bool]:
        """Whether the post's working copy has the terms, for queries that ask it of many posts."""

    async def problems(self, session: AsyncSession) -> list[str]:
        """What the database says of its own integrity; empty when all is well."""

    async def gather_statistics(self, session: AsyncSession) -> None:
        """After much was written at once: what plans of queries are made by, which would otherwise be right a minute later only."""

    async def announce(self, session: AsyncSession, origin: str, ids: Sequence[int]) -> None:
        """Let other processes know of these rows of the outbox, once the transaction is committed."""

    def notices(self, url: str, origin: str, sharers: int) -> AsyncIterator[Sequence[Told] | None]:
        """The outbox' rows of others, in order, as they are committed; None at first, as some may have been missed. Ends when the database
        is away or made anew, and waits for nobody who reads."""

    def translate(self, error: DBAPIError | OSError) -> CMSError | None:
        """The error in our words if the database is away, full or busy; None if it is a fault of the program."""

    def violated(self, error: DBAPIError) -> str:
        """Names of the unique columns or of the constraint that an insert or update broke ("" if it was something else)."""

    def names_what_is_gone(self, error: DBAPIError) -> bool:
        """Whether it may be that what is named was deleted at this moment."""
