"""Who did what: one line in the transaction of the act; and the lines read again."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from cms import policy
from cms.content.local_time import midnight
from cms.db.session import Work
from cms.models import Asset, AuditEntry, Category, CustomField, Folder, Post, PostTemplate, Series, Snippet, Tag, User
from cms.policy import Actor, Capability
from cms.schemas.audit import AuditQuery

KEPT = timedelta(days=400)
PER_SCREEN = 50
PEOPLE = ("by", "heir")  # details that are numbers of people

Names = Mapping[str, Mapping[int, str]]  # by the kind of what has one, and its number

_NAMED = {
    "user": User.name,
    "post": Post.title,
    "page": Post.title,
    "asset": Asset.name,
    "folder": Folder.name,
    "category": Category.name,
    "tag": Tag.name,
    "series": Series.name,
    "field": CustomField.label,
    "snippet": Snippet.name,
    "template": PostTemplate.name,
}
NAMING = ("user.rename", "user.profile")  # acts whose details have the names of the person whom they are about


@dataclass(frozen=True, slots=True)
class Line:
    """``who`` and ``subject``: names as they are today, "" for what is gone or never had one. ``is_gone``: what it was about had one."""

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
    is_gone: bool


@dataclass(frozen=True, slots=True)
class Record:
    """``people``: the names of all whom the lines speak of, by number; those who are gone are missing."""

    lines: Sequence[Line]
    people: Mapping[int, str]
    has_older: bool


def note(work: Work, actor: Actor, action: str, subject_kind: str, subject_id: int | None, **details: Any) -> AuditEntry:
    """Its line. ``details``: ``before`` and ``after``, or the names of what ``changed``; never texts or secrets, and names of people only
    where ``forget`` looks for them."""
    line = AuditEntry(
        at=work.now,
        user_id=actor.user_id,
        action=action,
        subject_kind=subject_kind,
        subject_id=subject_id,
        details=details,
        request_id=work.request_id,
        address=work.address,
    )
    work.session.add(line)
    return line


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
    names = await _names(session, shown)
    return Record([_line(entry, names) for entry in shown], names["user"], len(entries) > most)


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
    since, until = query.since or date.min, query.until or date.min
    asked: list[tuple[object, ColumnElement[bool]]] = [
        (query.person, AuditEntry.user_id == query.person),
        (query.kind, func.substr(AuditEntry.action, 1, len(query.kind) + 1) == f"{query.kind}."),
        (query.subject_kind, AuditEntry.subject_kind == query.subject_kind),
        (query.subject_id, AuditEntry.subject_id == query.subject_id),
        (query.since, AuditEntry.at >= midnight(since, zone)),
        (query.until, AuditEntry.at < midnight(until, zone, days=1)),
        (query.before, AuditEntry.id < (query.before or 0)),
    ]
    return [condition for is_asked, condition in asked if is_asked]


async def _names(session: AsyncSession, entries: Sequence[AuditEntry]) -> Names:
    """Of all that the entries name by number and that is still there; a question for each kind, however many there are."""
    wanted: dict[str, set[Any]] = defaultdict(set)
    for entry in entries:
        wanted["user"] |= {entry.user_id, *(entry.details.get(name) for name in PEOPLE)}
        wanted[entry.subject_kind].add(entry.subject_id)
    names: dict[str, dict[int, str]] = {kind: {} for kind in _NAMED}
    for kind, column in _NAMED.items():
        if ids := {each for each in wanted[kind] if isinstance(each, int)}:
            key = column.class_.id
            names[kind] = dict((await session.execute(select(key, column).where(key.in_(ids)))).all())
    return names


def _line(entry: AuditEntry, names: Names) -> Line:
    named, who, number = names.get(entry.subject_kind), names["user"].get(entry.user_id or 0, ""), entry.subject_id or 0
    return Line(
        entry.id, entry.at, entry.user_id, who, entry.action, entry.subject_kind, entry.subject_id,
        (named or {}).get(number, ""), entry.details, entry.address, entry.request_id,
        is_gone=named is not None and number > 0 and number not in named,
    )  # fmt: skip
