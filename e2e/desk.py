"""What is at the desk before a journey begins, written into the program's database."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from cms.db.session import Database
from cms.policy import Actor
from cms.services import accounts
from e2e.pages.first_run import EMAIL
from e2e.program import Program
from tests import factories


def fill(program: Program, url: str, act: Callable[[Database, Actor], Awaitable[Any]], email: str = EMAIL) -> Any:
    async def filled() -> Any:
        database = Database(url or f"sqlite+aiosqlite:///{program.data / 'squall.db'}")
        try:
            async with database.read() as session:
                actor = (await accounts.get_by_email(session, email)).actor
            return await act(database, actor)
        finally:
            await database.dispose()

    return asyncio.run(filled())


def texts(*titles: str) -> Callable[[Database, Actor], Awaitable[list[int]]]:
    async def make(database: Database, actor: Actor) -> list[int]:
        return [(await factories.draft(database, actor, title=title)).id for title in titles]

    return make
