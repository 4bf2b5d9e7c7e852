"""The end of posts and pages: deleted for good from the trash, by hand or by themselves. Their addresses say for ever that they
are gone.

Putting something into the trash is one of ``publishing``'s acts, since readers lose it; taking it out is one of ``posts``'.
"""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cms import policy
from cms.db.session import Database, Work
from cms.errors import Conflict
from cms.events import WorkChanged
from cms.models import Post
from cms.models.post import Kind, Live
from cms.policy import SYSTEM, Actor, Capability
from cms.services import audit, outbox, posts, site

AT_ONCE = 100  # in one transaction


async def forget(work: Work, actor: Actor, post_id: int) -> None:
    """Delete what is in the trash for good, with all its revisions. Raises ``Conflict`` if it is not there."""
    post = await posts.get_visible(work.session, actor, post_id, lock=True)
    policy.require(actor, Capability.of(post.kind, "trash"), post)
    if not post.is_trashed:
        raise Conflict("This is not in the trash; only what is there can be deleted for good.")
    await _forget(work, actor, [post])


async def count(session: AsyncSession, actor: Actor, kind: Kind) -> int:
    """What the actor may empty."""
    return await session.scalar(select(func.count()).select_from(Post).where(_may_be_emptied(actor, kind))) or 0


async def empty(work: Work, actor: Actor, kind: Kind) -> int:
    """Delete the next ``AT_ONCE``; how many they were."""
    policy.require(actor, Capability.of(kind, "trash"))
    return await _forget_next(work, actor, _may_be_emptied(actor, kind))


async def prune(database: Database) -> None:
    """Delete what has been in the trash for as long as the site keeps it there."""
    async with database.read() as session:
        days = (await site.get_limits(session)).trash_days
    is_old = and_(Post.live == Live.TRASHED, Post.trashed_at < database.clock() - timedelta(days=days))
    number = AT_ONCE
    while number == AT_ONCE:
        async with database.transaction() as work:
            number = await _forget_next(work, SYSTEM, is_old)


def _may_be_emptied(actor: Actor, kind: Kind) -> ColumnElement[bool]:
    """One's own, or all. What a contributor had published once is the editors' to delete."""
    wanted = and_(Post.kind == kind, Post.live == Live.TRASHED, posts.sees_work(actor))
    is_limited = policy.scope(actor, Capability.of(kind, "trash")) is policy.Scope.OWN_UNPUBLISHED
    return and_(wanted, Post.live_before_trash == Live.NEVER) if is_limited else wanted


async def _forget_next(work: Work, actor: Actor, condition: ColumnElement[bool]) -> int:
    wanted = select(Post).where(condition).order_by(Post.id).limit(AT_ONCE).with_for_update()
    found = (await work.session.scalars(wanted)).all()
    await _forget(work, actor, found)
    return len(found)


async def _forget(work: Work, actor: Actor, gone: Sequence[Post]) -> None:
    for post in gone:
        audit.note(work, actor, f"{post.kind}.delete", post.kind, post.id, title=post.title, before=Live.TRASHED, after="deleted")
        outbox.record(work, WorkChanged(post.id))
    ids = [post.id for post in gone]
    await work.session.execute(delete(Post).where(Post.id.in_(ids)).execution_options(synchronize_session=False))
