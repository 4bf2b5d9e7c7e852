"""What the desk's lists show somebody."""

from typing import Any

from cms.db.session import Database
from cms.models.post import Kind
from cms.policy import Actor
from cms.schemas.desk import ListQuery
from cms.services import desk_lists
from cms.services.desk_lists import DeskSlice


async def listed(database: Database, actor: Actor, kind: Kind = Kind.POST, **asked: Any) -> DeskSlice:
    async with database.read() as session:
        return await desk_lists.list_posts(session, actor, kind, ListQuery.model_validate(asked))


async def sees(database: Database, actor: Actor, kind: Kind = Kind.POST, **asked: Any) -> set[str]:
    """Titles, as they are shown."""
    return {row.title for row in (await listed(database, actor, kind, **asked)).rows}


async def counts(database: Database, actor: Actor) -> dict[str, int]:
    """Of the tabs, but for those of reviews and dates that have nothing."""
    found = (await listed(database, actor)).counts
    return {name: number for name, number in found.items() if number or name not in ("in_review", "approved", "scheduled")}
