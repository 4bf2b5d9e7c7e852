"""What becomes of posts while people look at the desk, and who did it. Everybody hears of what he may know of, and of nothing else."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cms import policy
from cms.models import AuditEntry, Post, User
from cms.models.post import Kind
from cms.policy import Actor, Capability
from cms.services import posts


@dataclass(frozen=True, slots=True)
class Act:
    """A line of the audit: its number, what was done (``publish``), and by whom; ``by`` is "" for the program and those who are gone."""

    id: int
    verb: str
    by_id: int | None
    by: str


NOTHING = Act(0, "", None, "")  # the text goes on being written


def told(actor: Actor, post: Post, act: Act, in_public: str) -> dict[str, Any] | None:
    """What somebody hears of a post that knows its owners; None if that is nothing.

    Whoever may know of the work hears all. Others hear what became of it for readers (``in_public``; "" if that is nothing): a post
    that was just published or withdrawn was to be seen by everybody.
    """
    if policy.allows(actor, Capability.DRAFT_SEE, post):
        stands = {"status": post.status, "work": post.work.value}
        return {"id": post.id, "kind": post.kind.value, "act": act.verb, "by": act.by, "by_id": act.by_id, **stands}
    return {"id": post.id, "kind": post.kind.value, "act": in_public} if in_public else None


async def find(session: AsyncSession, post_ids: Collection[int]) -> list[Post]:
    """Those that are still there, each with its owners. Whom each may be told to, ``told`` knows."""
    found = list(await session.scalars(select(Post).where(Post.id.in_(post_ids))))
    await posts.named_authors(session, found)
    return found


async def acts(session: AsyncSession, post_ids: Collection[int], after: int) -> Mapping[int, Act]:
    """The last that was done to each of these, by post; of lines behind this one."""
    is_act = or_(*(AuditEntry.action.startswith(f"{kind}.") for kind in Kind))
    of_these = AuditEntry.subject_kind.in_(list(Kind)) & AuditEntry.subject_id.in_(post_ids)
    wanted = select(AuditEntry, User.name).outerjoin(User, User.id == AuditEntry.user_id).where(of_these, is_act, AuditEntry.id > after)
    rows = await session.execute(wanted.order_by(AuditEntry.id))
    return {
        line.subject_id: Act(line.id, line.action.partition(".")[2], line.user_id, name or "")
        for line, name in rows
        if line.subject_id is not None
    }


async def last_line(session: AsyncSession) -> int:
    """Of the audit: what comes behind it is news."""
    return await session.scalar(select(func.max(AuditEntry.id))) or 0
