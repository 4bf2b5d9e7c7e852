"""Acts that wait for their time: planned by people, done by whichever process sees first that they are due (docs/decisions/0013).

What is scheduled is a revision: what somebody types afterwards does not go along. The person who planned an act is its actor, and must
still be allowed to do it when its time has come.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cms import policy
from cms.db.session import Work
from cms.errors import Conflict, Forbidden, InvalidInput, NotFound
from cms.events import WorkChanged
from cms.models import Post, Published, Revision, Schedule, User, WorkingCopy
from cms.models.address import TargetKind
from cms.models.post import Reason, ScheduledAct, WorkState
from cms.policy import SYSTEM, Actor, Capability, Role
from cms.schemas.post import PostFields
from cms.services import (
    addresses,
    audit,
    checks,
    custom_fields,
    notifications,
    outbox,
    posts,
    publishing,
    redirects,
    reviews,
    site,
    working_copies,
)
from cms.services.publishing import Version
from cms.wording import say

AT_ONCE = 50  # acts that are due, looked up in one go
PASSED = "This time has passed; choose one that is still to come."


@dataclass(frozen=True, slots=True)
class Waiting:
    """An act that waits. ``differs``: the revision that goes out is not what stands in the editor. ``by``: a name, or "" of somebody who
    is gone."""

    act: ScheduledAct
    due_at: datetime
    by: str
    revision_id: int | None
    redirect_to: str
    error: str
    differs: bool


class Due(NamedTuple):
    """An act whose time has come, as it was when somebody looked."""

    post_id: int
    act: ScheduledAct
    due_at: datetime
    revision_id: int | None


# --- planning --------------------------------------------------------------------------------------------------------------


async def schedule(work: Work, actor: Actor, post_id: int, version: Version, at: datetime, *, without_review: bool = False) -> Schedule:
    """Publish what the editor saw at this time. Replaces what was scheduled before.

    Raises ``Conflict`` if the working copy is another by now, ``InvalidInput`` if it could not go out, or the time has passed.
    """
    session = work.session
    post = await _post(work, actor, post_id)
    copy = await working_copies.project(work, post_id)
    if copy.version != version.number:
        raise Conflict
    fields = PostFields.model_validate(copy.fields)
    row = await site.get(session)
    custom = await custom_fields.list_of(session, post.kind)
    await publishing.require_fit(session, actor, row, checks.Text(post, fields, version.rendered), custom)
    await reviews.require(session, actor, row, post, copy, waived=without_review)
    path = await publishing.planned_path(session, post, fields, at)
    if not await addresses.is_free(session, path, TargetKind.POST, post_id):
        raise InvalidInput({"slug": say("/{path} belongs to something else; choose another address.", path=path)})
    revision = (await working_copies.keep(work, [copy], Reason.SAVED, actor.user_id))[post_id]
    return await _plan(work, actor, post, ScheduledAct.PUBLISH, at, revision_id=revision.id)


async def schedule_end(work: Work, actor: Actor, post_id: int, at: datetime, redirect_to: str = "") -> Schedule:
    """Withdraw it at this time; its address leads elsewhere then, or says that it is gone."""
    post = await _post(work, actor, post_id)
    begin = await work.session.get(Schedule, (post_id, ScheduledAct.PUBLISH))
    public = await work.session.get(Published, post_id)
    if public is None and begin is None:
        raise InvalidInput({"end_day": "Readers do not see it, so there is nothing that could end."})
    target = redirects.target_of(redirect_to, public.path if public else "")
    return await _plan(work, actor, post, ScheduledAct.WITHDRAW, at, redirect_to=target)


async def move(work: Work, actor: Actor, post_id: int, act: ScheduledAct, at: datetime) -> Schedule:
    """Another time for what waits; an act that could not be done is tried again then."""
    row, post = await waiting(work, actor, post_id, act), await _post(work, actor, post_id)
    return await _plan(work, actor, post, act, at, revision_id=row.revision_id, redirect_to=row.redirect_to)


async def cancel(work: Work, actor: Actor, post_id: int, act: ScheduledAct) -> Post:
    row, post = await waiting(work, actor, post_id, act), await _post(work, actor, post_id)
    await work.session.delete(row)
    if act is ScheduledAct.PUBLISH:
        post.work = WorkState.DRAFT
    audit.note(work, actor, f"{post.kind}.unschedule", post.kind, post_id, act=act, due=_in_short(row.due_at))
    outbox.record(work, WorkChanged(post_id))
    return post


async def _post(work: Work, actor: Actor, post_id: int) -> Post:
    """Whoever may not publish may not schedule."""
    post = await posts.get_visible(work.session, actor, post_id, lock=True)
    policy.require(actor, Capability.of(post.kind, "publish"), post)
    if post.is_trashed:
        raise Conflict("This is in the trash; take it out before you schedule anything.")
    return post


async def waiting(work: Work, actor: Actor, post_id: int, act: ScheduledAct) -> Schedule:
    """What waits, for whoever may change it. Raises ``Conflict`` if there is no such thing any more."""
    await _post(work, actor, post_id)
    row = await work.session.get(Schedule, (post_id, act), populate_existing=True)
    if row is None:
        raise Conflict("This is not scheduled any more.")
    return row


async def _plan(work: Work, actor: Actor, post: Post, act: ScheduledAct, at: datetime, **values: Any) -> Schedule:
    field = "day" if act is ScheduledAct.PUBLISH else "end_day"
    if at <= work.now:
        raise InvalidInput({field: PASSED})
    await _require_order(work.session, post.id, act, at, field)
    row = await work.session.get(Schedule, (post.id, act))
    before = _in_short(row.due_at) if row else None
    row = row or Schedule(post_id=post.id, act=act)
    for name, value in {**values, "due_at": at, "created_by_id": actor.user_id, "error": None}.items():
        setattr(row, name, value)
    work.session.add(row)
    if act is ScheduledAct.PUBLISH:
        post.work = WorkState.SCHEDULED
    audit.note(work, actor, f"{post.kind}.schedule", post.kind, post.id, act=act, before=before, after=_in_short(at))
    outbox.record(work, WorkChanged(post.id))
    await work.session.flush()
    return row


async def _require_order(session: AsyncSession, post_id: int, act: ScheduledAct, at: datetime, field: str) -> None:
    """It ends after it begins."""
    is_end = act is ScheduledAct.WITHDRAW
    other = await session.get(Schedule, (post_id, ScheduledAct.PUBLISH if is_end else ScheduledAct.WITHDRAW))
    if other and not other.error and (at <= other.due_at if is_end else at >= other.due_at):
        raise InvalidInput({field: "It would end before it goes out." if is_end else "It ends before this time; move its end first."})


def _in_short(moment: datetime) -> str:
    return moment.isoformat(timespec="minutes")


# --- what waits ------------------------------------------------------------------------------------------------------------


async def list_of(session: AsyncSession, post_id: int) -> Sequence[Waiting]:
    """What waits for a post, in order. Whoever calls has asked whether the actor may know."""
    wanted = (
        select(Schedule, User.name, Revision, WorkingCopy)
        .join(WorkingCopy, WorkingCopy.post_id == Schedule.post_id)
        .outerjoin(User, User.id == Schedule.created_by_id)
        .outerjoin(Revision, Revision.id == Schedule.revision_id)
        .where(Schedule.post_id == post_id)
    )
    rows = (await session.execute(wanted.order_by(Schedule.due_at, Schedule.act))).all()
    return [
        Waiting(
            row.act,
            row.due_at,
            name or "",
            row.revision_id,
            row.redirect_to,
            row.error or "",
            revision is not None and not revision.is_same_as(copy),
        )
        for row, name, revision, copy in rows
    ]


async def missed(session: AsyncSession, post_ids: Collection[int]) -> Mapping[int, str]:
    """Of these posts, those with an act that could not be done, and why."""
    wanted = select(Schedule.post_id, func.coalesce(Schedule.error, "")).where(Schedule.post_id.in_(post_ids), Schedule.error.is_not(None))
    return dict((await session.execute(wanted)).all()) if post_ids else {}


# --- doing ---------------------------------------------------------------------------------------------------------------------


async def due(session: AsyncSession, now: datetime) -> Sequence[Due]:
    """The acts whose time has come, earliest first."""
    wanted = select(Schedule.post_id, Schedule.act, Schedule.due_at, Schedule.revision_id).where(_is_due(now))
    rows = await session.execute(wanted.order_by(Schedule.due_at, Schedule.act, Schedule.post_id).limit(AT_ONCE))
    return [Due(*row) for row in rows]


async def text_of(session: AsyncSession, revision_id: int) -> tuple[str, str | None]:
    """What is to be rendered, and its language."""
    revision = await session.get(Revision, revision_id)
    if revision is None:
        raise NotFound
    return revision.content, PostFields.model_validate(revision.fields).language


def _is_due(now: datetime) -> ColumnElement[bool]:
    return (Schedule.due_at <= now) & Schedule.error.is_(None)


async def perform(work: Work, found: Due, version: Version | None) -> bool:
    """Do it, unless somebody else has, or has changed it. ``version``: what rendering made of what is to be published.

    Raises ``CMSError`` if it cannot be done.
    """
    row = await _claim(work, found)
    if row is None:
        return False
    actor = await _person(work.session, row)
    if version is not None:
        release = publishing.Release(found.post_id, version, is_checked=True, is_planned=True)
        await publishing.publish_all(work, actor, [release])
    else:
        await publishing.withdraw(work, actor, found.post_id, row.redirect_to)
    return True


async def fail(work: Work, found: Due, reason: str) -> bool:
    """Note why it could not be done, and tell who planned it, and the editors; once."""
    row = await _claim(work, found)
    if row is None:
        return False
    row.error = reason
    post = (await posts.all_visible(work.session, SYSTEM, [found.post_id]))[found.post_id]
    editors = select(User.id).where(User.role.in_((Role.OWNER, Role.ADMINISTRATOR, Role.EDITOR)), User.disabled_at.is_(None))
    told = {*(await work.session.scalars(editors)), *([row.created_by_id] if row.created_by_id else [])}
    await notifications.tell_of_miss(work, told, post, reason)
    audit.note(work, SYSTEM, f"{post.kind}.miss", post.kind, post.id, act=row.act, due=_in_short(row.due_at))
    outbox.record(work, WorkChanged(post.id))
    return True


async def _claim(work: Work, found: Due) -> Schedule | None:
    """The row, ours until the transaction ends; None if it is another's, or not what was found any more.

    PostgreSQL passes over what somebody holds; on SQLite only one writes at a time. The post is held with it, so that whoever holds the
    post and wants the row does not wait for us while we wait for the post.
    """
    mine = (Schedule.post_id == found.post_id) & (Schedule.act == found.act) & (Schedule.due_at == found.due_at)
    held = select(Schedule).join(Post, Post.id == Schedule.post_id).where(mine, _is_due(work.now)).with_for_update(skip_locked=True)
    row = (await work.session.scalars(held.execution_options(populate_existing=True))).one_or_none()
    return row if row is not None and row.revision_id == found.revision_id else None


async def _person(session: AsyncSession, row: Schedule) -> Actor:
    """Whoever planned it. What he may do is asked again, as with everything that people do."""
    user = await session.get(User, row.created_by_id) if row.created_by_id else None
    if user is None:
        raise Forbidden("Whoever scheduled this has no account any more. Somebody else has to schedule it again.")
    if user.is_disabled:
        raise Forbidden(say("{name}, who scheduled this, cannot sign in any more. Somebody else has to schedule it again.", name=user.name))
    post = (await posts.all_visible(session, SYSTEM, [row.post_id]))[row.post_id]
    if not policy.allows(user.actor, Capability.of(post.kind, "publish"), post):
        raise Forbidden(
            say("{name}, who scheduled this, may not publish it any more. Somebody else has to schedule it again.", name=user.name)
        )
    return user.actor
