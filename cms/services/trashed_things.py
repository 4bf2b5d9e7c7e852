"""The trash of things other than texts and files (whose rows stay where they are): what it takes to make them again.

Deleting one is its own service's act, and so is making it again (``restoring`` knows which). Each is seen by those who may make one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from cms import policy
from cms.db.session import Database, Work
from cms.errors import NotFound
from cms.models import AuditEntry, TakenOut, TrashedThing, User
from cms.models.desk import TrashKind
from cms.policy import SYSTEM, Actor, Capability, Scope
from cms.services import audit, site

PER_SCREEN = 50
AT_ONCE = 100  # that are deleted for good in one transaction

MADE_BY: Mapping[TrashKind, Capability] = {
    TrashKind.CATEGORY: Capability.TAXONOMY_MANAGE,
    TrashKind.TAG: Capability.TAXONOMY_MANAGE,
    TrashKind.SERIES: Capability.TAXONOMY_MANAGE,
    TrashKind.SNIPPET: Capability.SNIPPET_MANAGE,
    TrashKind.TEMPLATE: Capability.SNIPPET_MANAGE,
    TrashKind.FIELD: Capability.SITE_CONFIGURE,
    TrashKind.REDIRECT: Capability.SITE_CONFIGURE,
    TrashKind.FOLDER: Capability.MEDIA_EDIT,
}


@dataclass(frozen=True, slots=True)
class Row:
    """``who`` deleted it, "" if nobody knows."""

    thing: TrashedThing
    who: str


@dataclass(frozen=True, slots=True)
class Slice:
    """``numbers``: of each kind that is there, how many."""

    rows: Sequence[Row]
    page: int
    total: int
    numbers: Mapping[TrashKind, int]

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PER_SCREEN))


async def put(work: Work, kind: TrashKind, line: AuditEntry, name: str, was: Mapping[str, Any]) -> TrashedThing:
    """``line``: of the deletion in the record of acts. Its number is the thing's in the trash, so that a page that is still open somewhere
    never speaks of another. Whoever calls has asked whether the actor may, and deletes the thing itself."""
    await work.session.flush()
    thing = TrashedThing(id=line.id, kind=kind, number=line.subject_id, name=name, was=dict(was), at=work.now, by_id=line.user_id)
    work.session.add(thing)
    await work.session.flush()
    return thing


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """What others deleted only to those who may make any of its kind."""
    reach = {kind: policy.scope(actor, capability) for kind, capability in MADE_BY.items()}
    all_of = [kind for kind, scope in reach.items() if scope is Scope.ANY]
    own_of = [kind for kind, scope in reach.items() if scope is Scope.OWN]
    return or_(TrashedThing.kind.in_(all_of), and_(TrashedThing.kind.in_(own_of), TrashedThing.by_id == actor.user_id))


async def list_of(session: AsyncSession, actor: Actor, kind: TrashKind | None = None, page: int = 1) -> Slice:
    """What was deleted last comes first; a page beyond the last is the last."""
    grouped = select(TrashedThing.kind, func.count()).where(visible_to(actor)).group_by(TrashedThing.kind)
    numbers = dict((await session.execute(grouped)).all())
    total = numbers.get(kind, 0) if kind else sum(numbers.values())
    page = max(1, min(page, -(-total // PER_SCREEN)))
    wanted = _rows().where(visible_to(actor), *([TrashedThing.kind == kind] if kind else []))
    wanted = wanted.order_by(TrashedThing.at.desc(), TrashedThing.id.desc()).limit(PER_SCREEN).offset((page - 1) * PER_SCREEN)
    return Slice([Row(*row) for row in await session.execute(wanted)], page, total, numbers)


async def get(session: AsyncSession, actor: Actor, thing_id: int) -> Row:
    """Raises ``NotFound`` for what the actor may not see."""
    row = (await session.execute(_rows().where(TrashedThing.id == thing_id, visible_to(actor)))).one_or_none()
    if row is None:
        raise NotFound
    return Row(*row)


async def count_texts(session: AsyncSession, thing: TrashedThing) -> int:
    """How many stood under it."""
    mine = (TakenOut.kind == thing.kind.value, TakenOut.term_id == thing.number)
    return await session.scalar(select(func.count()).select_from(TakenOut).where(*mine)) or 0


def _rows() -> Any:
    return select(TrashedThing, func.coalesce(User.name, "")).outerjoin(User, User.id == TrashedThing.by_id)


async def forget(work: Work, actor: Actor, thing_id: int) -> TrashedThing:
    """Delete one for good."""
    await site.hold(work)  # whoever takes it out of the trash at this moment comes first, or last
    thing = (await get(work.session, actor, thing_id)).thing
    await _forget(work, actor, [thing])
    return thing


async def empty(work: Work, actor: Actor, kind: TrashKind | None = None) -> int:
    """Delete the next ``AT_ONCE`` for good; how many they were."""
    await site.hold(work)
    return await _forget_next(work, actor, visible_to(actor), *([TrashedThing.kind == kind] if kind else []))


async def prune(database: Database) -> None:
    """Delete what has been here for as long as the site keeps its trash."""
    async with database.read() as session:
        days = (await site.get_limits(session)).trash_days
    is_old, number = TrashedThing.at < database.clock() - timedelta(days=days), AT_ONCE
    while number == AT_ONCE:
        async with database.transaction() as work:
            await site.hold(work)
            number = await _forget_next(work, SYSTEM, is_old)


async def _forget_next(work: Work, actor: Actor, *conditions: ColumnElement[bool]) -> int:
    things = (await work.session.scalars(select(TrashedThing).where(*conditions).order_by(TrashedThing.id).limit(AT_ONCE))).all()
    await _forget(work, actor, things)
    return len(things)


async def _forget(work: Work, actor: Actor, things: Sequence[TrashedThing]) -> None:
    gone = [(thing.kind.value, thing.number) for thing in things]
    await work.session.execute(delete(TakenOut).where(tuple_(TakenOut.kind, TakenOut.term_id).in_(gone)))
    for thing in things:
        audit.note(work, actor, "trash.delete", thing.kind, thing.number, name=thing.name)
        await work.session.delete(thing)
    await work.session.flush()


def goes_at(thing: TrashedThing, trash_days: int) -> datetime:
    return thing.at + timedelta(days=trash_days)
