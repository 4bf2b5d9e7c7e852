"""What a job of each name does: one function a name, given the database and the job's payload."""

from collections.abc import Awaitable, Callable
from typing import Any

from cms.db.session import Database
from cms.services import devices, jobs, outbox, search, search_index, sessions, throttling, tokens

Task = Callable[[Database, dict[str, Any]], Awaitable[None]]


async def keep_house(database: Database, _payload: dict[str, Any]) -> None:
    """Forget what nobody can want any more: old events, ended sessions, finished jobs, old searches."""
    async with database.transaction() as work:
        await outbox.prune(work)
        await sessions.prune(work)
        await devices.prune(work)
        await tokens.prune(work)
        await throttling.prune(work)
        await jobs.prune(work)
        await search.prune_misses(work)


async def reindex_search(database: Database, _payload: dict[str, Any]) -> None:
    """After an upgrade that searches by more than was kept before."""
    await search_index.renew_all(database)


TASKS: dict[str, Task] = {"keep_house": keep_house, "reindex_search": reindex_search}
