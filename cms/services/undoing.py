"""Taking back what was just done: readers, and what waits, are again as they were before the act.

An act of its own, with its own check. Whoever did the act gets a ticket that says how things stood; nobody else can use it, it holds for
seconds, and for nothing once something else happened to the post.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from pydantic import BaseModel, ConfigDict
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from cms import policy
from cms.db.session import Work
from cms.errors import Conflict, NotFound
from cms.models import AuditEntry, Post, Published, Schedule
from cms.models.desk import ReviewAct
from cms.models.post import Kind, Live, ScheduledAct, WorkState
from cms.policy import Actor, Capability
from cms.services import audit, posts, publishing, redirects
from cms.services.publishing import Dates, Version

SHOWN_FOR = timedelta(seconds=10)
HOLDS_FOR = SHOWN_FOR + timedelta(seconds=5)  # there and back
VERBS = ("publish", "withdraw", "trash", "restore", "schedule", "unschedule", "undo", *ReviewAct)  # of acts that change how a post stands

Result = TypeVar("Result")


class Planned(BaseModel):
    """A row of ``schedules``."""

    model_config = ConfigDict(frozen=True)

    act: ScheduledAct
    revision_id: int | None
    due_at: datetime
    created_by_id: int | None
    redirect_to: str
    error: str | None


class Standing(BaseModel):
    """How a post stood. ``revision``, ``first`` and ``updated``: of what readers had of it; ``led_to``: where a rule that waited for its
    address leads, or ""."""

    model_config = ConfigDict(frozen=True)

    live: Live
    work: WorkState
    revision: int | None = None
    first: datetime | None = None
    updated: datetime | None = None
    led_to: str = ""
    planned: Sequence[Planned] = ()


class Ticket(BaseModel):
    """The right to take back one act. ``entry``: its line in the audit."""

    model_config = ConfigDict(frozen=True)

    user_id: int
    post_id: int
    kind: Kind
    entry: int
    at: datetime
    before: Standing


async def undoable(work: Work, actor: Actor, post_id: int, act: Callable[[], Awaitable[Result]]) -> tuple[Result, Ticket]:
    """Do it, and get the ticket to take it back."""
    before = await _standing(work.session, post_id)
    result = await act()
    post = await work.session.get_one(Post, post_id)
    await work.session.flush()
    entry = await _last_act(work.session, post)
    assert entry is not None  # noqa: S101 - the act has noted it
    ticket = Ticket(user_id=actor.user_id or 0, post_id=post_id, kind=post.kind, entry=entry.id, at=work.now, before=before)
    return result, ticket


async def undo(work: Work, actor: Actor, ticket: Ticket, version: Version | None) -> Post:
    """``version``: of the revision that readers had, if they had one.

    Raises ``Conflict`` if it is too late, or something else happened to the post meanwhile.
    """
    if ticket.user_id != actor.user_id:
        raise NotFound
    post = await posts.get_visible(work.session, actor, ticket.post_id, lock=True)
    entry = await _last_act(work.session, post)
    verb = entry.action.partition(".")[2] if entry else ""
    policy.require(actor, Capability.of(post.kind, "trash" if verb == "trash" else "publish"), post)
    if not timedelta() <= work.now - ticket.at <= HOLDS_FOR:
        raise Conflict("It is too late to undo this: more than ten seconds have passed.")
    if entry is None or entry.id != ticket.entry:
        raise Conflict("Something else happened to it meanwhile, so this was not undone.")
    await _put_back(work, actor, post, ticket.before, version)
    audit.note(work, actor, f"{post.kind}.undo", post.kind, post.id, act=verb)
    return post


async def _put_back(work: Work, actor: Actor, post: Post, before: Standing, version: Version | None) -> None:
    if post.is_trashed:
        post.live = post.live_before_trash or Live.NEVER
        post.live = Live.WITHDRAWN if post.is_published else post.live
        post.trashed_at = post.live_before_trash = None
    live = await work.session.get(Published, post.id)
    if before.live is not Live.PUBLISHED:
        await publishing.take_back(work, post, before.live)
    elif version and before.first and before.updated and (live is None or live.revision_id != before.revision):
        release = publishing.Release(post.id, version, Dates(before.first, before.updated))
        (public,) = await publishing.publish_all(work, actor, [release])
        if await redirects.target_from(work.session, public.path) != before.led_to:
            await redirects.lead_away(work, actor, public.path, before.led_to)
    await work.session.execute(delete(Schedule).where(Schedule.post_id == post.id))
    work.session.add_all(Schedule(post_id=post.id, **planned.model_dump()) for planned in before.planned)
    post.work = before.work
    await work.session.flush()


async def _standing(session: AsyncSession, post_id: int) -> Standing:
    post, public = await session.get(Post, post_id), await session.get(Published, post_id)
    if post is None:
        raise NotFound
    planned = (await session.scalars(select(Schedule).where(Schedule.post_id == post_id))).all()
    return Standing(
        live=post.live,
        work=post.work,
        revision=public.revision_id if public else None,
        first=post.first_published_at,
        updated=public.updated_at if public else None,
        led_to=await redirects.target_from(session, public.path) if public else "",
        planned=[Planned.model_validate(row, from_attributes=True) for row in planned],
    )


async def _last_act(session: AsyncSession, post: Post) -> AuditEntry | None:
    actions = [f"{post.kind}.{verb}" for verb in VERBS]
    mine = (AuditEntry.subject_kind == post.kind.value) & (AuditEntry.subject_id == post.id) & AuditEntry.action.in_(actions)
    return (await session.scalars(select(AuditEntry).where(mine).order_by(AuditEntry.id.desc()).limit(1))).one_or_none()
