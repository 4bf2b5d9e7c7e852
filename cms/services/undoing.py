"""Taking back what was just done: readers, and what waits, are again as they were before the act.

An act of its own, with its own check. Whoever did it to one or several posts gets a ticket that says how each stood; nobody else can use
it, it holds for seconds, and of a post to which something else happened for nothing.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from pydantic import BaseModel, ConfigDict
from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cms import policy
from cms.db.session import Work
from cms.errors import Conflict, NotFound
from cms.models import AuditEntry, Post, Published, Redirect, Schedule, UndoTicket
from cms.models.desk import Match, ReviewAct
from cms.models.post import Kind, Live, ScheduledAct, WorkState
from cms.policy import Actor, Capability
from cms.services import audit, posts, publishing, redirects
from cms.services.publishing import Dates, Version

SHOWN_FOR = timedelta(seconds=10)
KEPT = timedelta(days=1)  # so that whoever comes too late is told so
HOLDS_FOR = SHOWN_FOR + timedelta(seconds=5)  # there and back
VERBS = ("publish", "withdraw", "trash", "restore", "schedule", "unschedule", "undo", *ReviewAct)  # of acts that change how a post stands

Result = TypeVar("Result")


class Planned(BaseModel):
    """A row of ``schedules``."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    act: ScheduledAct
    revision_id: int | None
    due_at: datetime
    created_by_id: int | None
    redirect_to: str
    error: str | None


class Standing(BaseModel):
    """How a post stood. ``revision``, ``first`` and ``updated``: of what readers had of it; ``led_to``: where a rule that waited for its
    address leads, or ""."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    live: Live
    work: WorkState
    revision: int | None = None
    first: datetime | None = None
    updated: datetime | None = None
    led_to: str = ""
    planned: Sequence[Planned] = ()


class Act(BaseModel):
    """What was done to one post. ``entry``: its line in the audit."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    post_id: int
    kind: Kind
    entry: int
    before: Standing


async def undoable(work: Work, post_ids: Sequence[int], act: Callable[[], Awaitable[Result]]) -> tuple[Result, list[Act]]:
    """Do it to these, and get what it takes to take it back."""
    before = await _standings(work.session, post_ids)
    result = await act()
    await work.session.flush()
    return result, [await _act(work.session, post_id, kind, stood) for post_id, (kind, stood) in before.items()]


async def _act(session: AsyncSession, post_id: int, kind: Kind, before: Standing) -> Act:
    entry = await _last_act(session, kind, post_id)
    assert entry is not None  # noqa: S101 - the act has noted it
    return Act(post_id=post_id, kind=kind, entry=entry.id, before=before)


async def keep(work: Work, actor: Actor, acts: Iterable[Act]) -> UndoTicket:
    """The right to take these back, for the actor alone."""
    ticket = UndoTicket(user_id=actor.user_id, at=work.now, acts=[act.model_dump(mode="json") for act in acts])
    work.session.add(ticket)
    await work.session.flush()
    return ticket


async def prune(work: Work) -> None:
    await work.session.execute(delete(UndoTicket).where(UndoTicket.at < work.now - KEPT))


async def find(session: AsyncSession, actor: Actor, ticket_id: int) -> tuple[UndoTicket, list[Act]]:
    """Raises ``NotFound`` for what is somebody else's."""
    ticket = await session.get(UndoTicket, ticket_id)
    if ticket is None or ticket.user_id != actor.user_id:
        raise NotFound
    return ticket, [Act.model_validate(act) for act in ticket.acts]


async def undo(work: Work, actor: Actor, ticket: UndoTicket, act: Act, version: Version | None) -> Post:
    """``version``: of the revision that readers had, if they had one.

    Raises ``Conflict`` if it is too late, or something else happened to the post meanwhile.
    """
    post = await posts.hold(work, actor, act.post_id)
    entry = await _last_act(work.session, post.kind, post.id)
    verb = entry.action.partition(".")[2] if entry else ""
    policy.require(actor, Capability.of(post.kind, "trash" if verb == "trash" else "publish"), post)
    if not timedelta() <= work.now - ticket.at <= HOLDS_FOR:
        raise Conflict("It is too late to undo this: more than ten seconds have passed.")
    if entry is None or entry.id != act.entry:
        raise Conflict("Something else happened to it meanwhile, so this was not undone.")
    await _put_back(work, actor, post, act.before, version)
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


_PLANNED = select(Schedule).where(Schedule.post_id.in_(bindparam("ids", expanding=True)))
_STANDING = (
    select(
        Post.id,
        Post.kind,
        Post.live,
        Post.work,
        Post.first_published_at.label("first"),
        Published.revision_id.label("revision"),
        Published.updated_at.label("updated"),
        func.coalesce(Redirect.target, "").label("led_to"),
    )
    .outerjoin(Published, Published.post_id == Post.id)
    .outerjoin(Redirect, (Redirect.match == Match.EXACT) & (Redirect.path == Published.path))
    .where(Post.id.in_(bindparam("ids", expanding=True)))
)


async def _standings(session: AsyncSession, post_ids: Sequence[int]) -> dict[int, tuple[Kind, Standing]]:
    """What each is, and how it stands. Raises ``NotFound`` if one of them is not there."""
    planned: dict[int, list[Planned]] = {post_id: [] for post_id in post_ids}
    for row in await session.scalars(_PLANNED, {"ids": list(post_ids)}):
        planned[row.post_id].append(Planned.model_validate(row, from_attributes=True))
    rows = await session.execute(_STANDING, {"ids": list(post_ids)})
    found = {row.id: (row.kind, Standing.model_validate({**row._mapping, "planned": planned[row.id]})) for row in rows}
    if len(found) < len(planned):
        raise NotFound
    return found


_LAST_ACT = {
    kind: select(AuditEntry)
    .where(
        AuditEntry.subject_kind == kind.value,
        AuditEntry.subject_id == bindparam("post_id"),
        AuditEntry.action.in_([f"{kind}.{verb}" for verb in VERBS]),
    )
    .order_by(AuditEntry.id.desc())
    .limit(1)
    for kind in Kind
}


async def _last_act(session: AsyncSession, kind: Kind, post_id: int) -> AuditEntry | None:
    return (await session.scalars(_LAST_ACT[kind], {"post_id": post_id})).one_or_none()
