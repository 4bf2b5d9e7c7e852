"""Who did what: one line in the transaction of the act; and the lines read again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from cms import policy
from cms.db.session import Work
from cms.models import AuditEntry, Post, User
from cms.policy import Actor, Capability
from cms.schemas.audit import AuditQuery

KEPT = timedelta(days=400)
PER_SCREEN = 50
NAMING = ("user.rename", "user.profile")  # acts whose details have the names of the person whom they are about


@dataclass(frozen=True, slots=True)
class Line:
    """``who`` and ``subject``: names as they are today, "" for what is gone or never had one."""

    id: int
    at: datetime
    user_id: int | None
    who: str
    action: str
    subject_kind: str
    subject_id: int | None
    subject: str
    details: dict[str, Any]
    address: str
    request_id: str


@dataclass(frozen=True, slots=True)
class Record:
    lines: Sequence[Line]
    has_older: bool


def note(work: Work, actor: Actor, action: str, subject_kind: str, subject_id: int | None, **details: Any) -> None:
    """``details``: ``before`` and ``after``, or the names of what ``changed``; never texts or secrets, and names of people only where
    ``forget`` looks for them."""
    work.session.add(
        AuditEntry(
            at=work.now,
            user_id=actor.user_id,
            action=action,
            subject_kind=subject_kind,
            subject_id=subject_id,
            details=details,
            request_id=work.request_id,
            address=work.address,
        )
    )


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """``before`` and ``after``, for ``note``, of what is not the same; nothing if all is."""
    names = [name for name, value in after.items() if before.get(name) != value]
    sides = {"before": before, "after": after} if names else {}
    return {side: {name: values[name] for name in names if name in values} for side, values in sides.items()}


async def list_lines(session: AsyncSession, actor: Actor, query: AuditQuery, zone: ZoneInfo, most: int = PER_SCREEN) -> Record:
    """Newest first. Days are those of ``zone``."""
    policy.require(actor, Capability.AUDIT_SEE)
    wanted = select(AuditEntry).where(*_conditions(query, zone)).order_by(AuditEntry.id.desc()).limit(most + 1)
    entries = (await session.scalars(wanted)).all()
    shown = entries[:most]
    people = await _names(session, {entry.user_id for entry in shown} | {each.subject_id for each in shown if each.subject_kind == "user"})
    titles = await _titles(session, {entry.subject_id for entry in shown if entry.subject_kind in ("post", "page")})
    return Record([_line(entry, people, titles) for entry in shown], len(entries) > most)


async def list_kinds(session: AsyncSession) -> Sequence[str]:
    """The first words of all actions there are."""
    actions = await session.scalars(select(AuditEntry.action).distinct())
    return sorted({action.partition(".")[0] for action in actions})


async def forget(work: Work, user_id: int) -> None:
    """What a person did stays, with a number for who did it; from where goes, and so do the names that the person had."""
    is_about = (AuditEntry.subject_kind == "user") & (AuditEntry.subject_id == user_id)
    theirs = or_(AuditEntry.user_id == user_id, is_about & AuditEntry.user_id.is_(None))
    await work.session.execute(update(AuditEntry).where(theirs).values(address="").execution_options(synchronize_session=False))
    for entry in await work.session.scalars(select(AuditEntry).where(is_about, AuditEntry.action.in_(NAMING))):
        entry.details = {name: value for name, value in entry.details.items() if name not in ("before", "after")}


async def prune(work: Work) -> None:
    await work.session.execute(delete(AuditEntry).where(AuditEntry.at < work.now - KEPT))


def _conditions(query: AuditQuery, zone: ZoneInfo) -> list[ColumnElement[bool]]:
    asked: list[tuple[object, ColumnElement[bool]]] = [
        (query.person, AuditEntry.user_id == query.person),
        (query.kind, func.substr(AuditEntry.action, 1, len(query.kind) + 1) == f"{query.kind}."),
        (query.subject_kind, AuditEntry.subject_kind == query.subject_kind),
        (query.subject_id, AuditEntry.subject_id == query.subject_id),
        (query.since, AuditEntry.at >= _midnight(query.since, zone)),
        (query.until, AuditEntry.at < _midnight(query.until, zone, days=1)),
        (query.before, AuditEntry.id < (query.before or 0)),
    ]
    return [condition for is_asked, condition in asked if is_asked]


def _midnight(day: date | None, zone: ZoneInfo, days: int = 0) -> datetime:
    """The beginning of the day, or of one so many days later."""
    day = min(max(day or date.min, date(1970, 1, 1)), date(9000, 1, 1))
    return datetime.combine(day + timedelta(days=days), time(), zone)


async def _names(session: AsyncSession, ids: set[int | None]) -> dict[int, str]:
    wanted = select(User.id, User.name).where(User.id.in_(ids - {None}))
    return dict((await session.execute(wanted)).all())


async def _titles(session: AsyncSession, ids: set[int | None]) -> dict[int, str]:
    wanted = select(Post.id, Post.title).where(Post.id.in_(ids - {None}))
    return dict((await session.execute(wanted)).all())


def _line(entry: AuditEntry, people: dict[int, str], titles: dict[int, str]) -> Line:
    named = {"user": people, "post": titles, "page": titles}.get(entry.subject_kind, {})
    return Line(
        entry.id, entry.at, entry.user_id, people.get(entry.user_id or 0, ""), entry.action, entry.subject_kind, entry.subject_id,
        named.get(entry.subject_id or 0, ""), entry.details, entry.address, entry.request_id,
    )  # fmt: skip
