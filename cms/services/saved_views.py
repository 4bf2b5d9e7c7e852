"""Lists with filters that a person keeps under a name. They belong to that person alone."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cms import policy
from cms.db.session import Work
from cms.errors import InvalidInput, NotFound
from cms.models import SavedView
from cms.models.post import Kind
from cms.policy import Actor, Capability
from cms.schemas.desk import ViewInput
from cms.wording import say

MOST = 20  # of a kind


async def list_views(session: AsyncSession, actor: Actor, kind: Kind) -> Sequence[SavedView]:
    """By name."""
    wanted = select(SavedView).where(SavedView.user_id == actor.user_id, SavedView.kind == kind)
    return (await session.scalars(wanted.order_by(func.lower(SavedView.name), SavedView.id))).all()


async def save(work: Work, actor: Actor, kind: Kind, wanted: ViewInput) -> SavedView:
    """Under a new name. Raises ``InvalidInput`` if there is one of that name, or no room for more."""
    policy.require(actor, Capability.of(kind, "edit"))
    await _require_free(work, actor, kind, wanted.name)
    if len(await list_views(work.session, actor, kind)) >= MOST:
        raise InvalidInput({"name": say("There are {most} views, and no room for more; delete one that you do not need.", most=MOST)})
    view = SavedView(user_id=actor.user_id, kind=kind, name=wanted.name, query=wanted.query)
    work.session.add(view)
    await work.session.flush()
    return view


async def rename(work: Work, actor: Actor, kind: Kind, view_id: int, name: str) -> None:
    view = await _get(work, actor, kind, view_id)
    if view.name != name:
        await _require_free(work, actor, kind, name)
        view.name = name


async def delete(work: Work, actor: Actor, kind: Kind, view_id: int) -> None:
    await work.session.delete(await _get(work, actor, kind, view_id))


async def _get(work: Work, actor: Actor, kind: Kind, view_id: int) -> SavedView:
    view = await work.session.get(SavedView, view_id)
    if view is None or (view.user_id, view.kind) != (actor.user_id, kind):
        raise NotFound
    return view


async def _require_free(work: Work, actor: Actor, kind: Kind, name: str) -> None:
    if any(view.name == name for view in await list_views(work.session, actor, kind)):
        raise InvalidInput({"name": "You have a view of this name; choose another."})
