"""Revisions: what a text was, who left it so and why; naming them, restoring them, forgetting them.

They are made by ``working_copies.keep``. Whoever may edit a post may see its history; what is of another post is not found.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, exists, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from cms import policy
from cms.db.session import Database, Work
from cms.errors import Conflict, InvalidInput, NotFound
from cms.models import Asset, Category, Post, PreviewLink, Published, Review, Revision, Schedule, Series, Tag, User, WorkingCopy
from cms.models.post import Kind, Reason
from cms.policy import Actor, Capability
from cms.schemas.post import CUSTOM, PostFields
from cms.services import audit, documents, media_uses, post_fields, posts, site, working_copies
from cms.wording import phrases, say

PER_SCREEN = 50
IDLE = timedelta(minutes=15)  # without a change
_LOOKED_BACK = timedelta(days=7)  # for texts that were left alone while no program ran
_ALL = timedelta(days=7)  # kept, every one of them; then the last of each day, then of each week
_AT_ONCE = 2000  # looked through in one statement

NOW, NEWEST, LIVE = "now", "newest", "live"  # what may be compared besides a number: the working copy, and two revisions by what they are

_EDITORS_CHOICE = {"authors", "featured"}
_NAMED: dict[str, tuple[type[Any], str]] = {  # fields that name something by its id, and where it stands
    "tags": (Tag, "name"),
    "authors": (User, "name"),
    "category": (Category, "name"),
    "series": (Series, "name"),
    "picture": (Asset, "name"),
    "parent": (Post, "title"),
}
_GONE = phrases(
    {
        "tags": "{number} of the tags",
        "authors": "{number} of the authors",
        "category": "the category",
        "series": "the series",
        "picture": "the picture",
        "parent": "the page above",
    }
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A revision without its text. ``who``: a name, "" for somebody who is gone."""

    id: int
    reason: Reason
    name: str
    created_at: datetime
    is_pinned: bool
    restored_from_id: int | None
    who: str
    is_live: bool
    is_scheduled: bool


@dataclass(frozen=True, slots=True)
class Slice:
    post: Post
    rows: Sequence[Entry]  # newest first
    page: int
    total: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PER_SCREEN))


@dataclass(frozen=True, slots=True)
class Version:
    """A text to be looked at: a revision, or the working copy, which has no ``entry``. ``key`` is how an address names it."""

    key: str
    content: str
    fields: PostFields
    at: datetime
    who: str
    entry: Entry | None


@dataclass(frozen=True, slots=True)
class Difference:
    """A field of two versions in words; "" is nothing."""

    field: str
    old: str
    new: str


# --- looking ---------------------------------------------------------------------------------------------------------------


async def list_revisions(session: AsyncSession, actor: Actor, post_id: int, page: int = 1) -> Slice:
    """A page beyond the last is the last."""
    post = await posts.get_editable(session, actor, post_id)
    total = await session.scalar(select(func.count()).select_from(Revision).where(Revision.post_id == post_id)) or 0
    page = max(1, min(page, -(-total // PER_SCREEN)))
    wanted = _entries(post_id).order_by(Revision.id.desc()).limit(PER_SCREEN).offset((page - 1) * PER_SCREEN)
    return Slice(post, [Entry(*row) for row in await session.execute(wanted)], page, total)


async def list_all(session: AsyncSession, actor: Actor, post_id: int) -> tuple[Post, Sequence[Entry]]:
    """To be played back, oldest first."""
    post = await posts.get_editable(session, actor, post_id)
    return post, [Entry(*row) for row in await session.execute(_entries(post_id).order_by(Revision.id))]


async def get(session: AsyncSession, actor: Actor, post_id: int, *keys: str) -> tuple[Post, Sequence[Version]]:
    """The post, and these versions of it: each a number, or ``NOW``, ``NEWEST`` or ``LIVE``."""
    post = await posts.get_editable(session, actor, post_id)
    return post, [await _version(session, post_id, key) for key in keys]


async def differences(session: AsyncSession, old: PostFields, new: PostFields) -> list[Difference]:
    """The fields that are not the same."""
    names = await _names(session, old, new)
    before, now = old.to_json(), new.to_json()
    changed = [key for key in {**before, **now} if before.get(key) != now.get(key)]
    return [Difference(key, _in_words(key, before.get(key), names), _in_words(key, now.get(key), names)) for key in changed]


async def described(session: AsyncSession, fields: PostFields) -> dict[str, str]:
    """All fields that say something, in words."""
    names = await _names(session, fields)
    words = {key: _in_words(key, value, names) for key, value in fields.to_json().items()}
    return {key: said for key, said in words.items() if said}


def _entries(post_id: int) -> Select[*tuple[Any, ...]]:
    columns = (
        Revision.id, Revision.reason, Revision.name, Revision.created_at, Revision.is_pinned, Revision.restored_from_id,
        func.coalesce(User.name, ""), Published.post_id.is_not(None), exists().where(Schedule.revision_id == Revision.id),
    )  # fmt: skip
    joined = select(*columns).outerjoin(User, User.id == Revision.created_by_id).outerjoin(Published, Published.revision_id == Revision.id)
    return joined.where(Revision.post_id == post_id)


async def _version(session: AsyncSession, post_id: int, key: str) -> Version:
    if key == NOW:
        wanted = select(WorkingCopy, User.name).outerjoin(User, User.id == WorkingCopy.updated_by_id).where(WorkingCopy.post_id == post_id)
        copy, who = (await session.execute(wanted)).one()
        return Version(NOW, copy.content, PostFields.model_validate(copy.fields), copy.updated_at, who or "", None)
    found = (await session.execute(_entries(post_id).where(_is(post_id, key)).add_columns(Revision.content, Revision.fields))).one_or_none()
    if found is None:
        raise NotFound
    *known, content, fields = found
    entry = Entry(*known)
    return Version(str(entry.id), content, PostFields.model_validate(fields), entry.created_at, entry.who, entry)


def _is(post_id: int, key: str) -> ColumnElement[bool]:
    match key:
        case "newest":
            return Revision.id == select(func.max(Revision.id)).where(Revision.post_id == post_id).scalar_subquery()
        case "live":
            return Published.post_id.is_not(None)
        case _ if key.isascii() and key.isdigit() and len(key) < 19:
            return Revision.id == int(key)
    raise NotFound


async def _names(session: AsyncSession, *texts: PostFields) -> dict[str, dict[int, str]]:
    """Field → id → name, of all that these name and that is there."""
    found: dict[str, dict[int, str]] = {}
    for key, (table, name) in _NAMED.items():
        ids = {number for fields in texts for number in _ids(getattr(fields, key))}
        wanted = select(table.id, getattr(table, name)).where(table.id.in_(ids))
        found[key] = dict((await session.execute(wanted)).all()) if ids else {}
    return found


def _ids(value: Any) -> Sequence[int]:
    """What a field names: nothing, one, several, or a part of a series."""
    match value:
        case None:
            return ()
        case int():
            return (value,)
        case tuple() | list():
            return value
    return (value["id"] if isinstance(value, Mapping) else value.id,)


def _in_words(key: str, value: Any, names: Mapping[str, Mapping[int, str]]) -> str:
    if key in _NAMED:
        said = ", ".join(names[key].get(number) or f"{number} (gone)" for number in _ids(value))
        return f"{said}, part {value['position']}" if key == "series" and value else said
    match value:
        case None | False | "":
            return ""
        case True:
            return "yes"
    return str(value)


# --- acts ------------------------------------------------------------------------------------------------------------------


async def describe(work: Work, actor: Actor, post_id: int, revision_id: int, *, name: str, is_pinned: bool) -> Post:
    """Give it a name, or none; keep it, or leave it to the rule."""
    post = await posts.get_editable(work.session, actor, post_id)
    revision = await _one(work.session, post_id, revision_id)
    if (revision.name, revision.is_pinned) != (name, is_pinned):
        changed = [field for field in ("name", "is_pinned") if getattr(revision, field) != {"name": name, "is_pinned": is_pinned}[field]]
        revision.name, revision.is_pinned = name, is_pinned
        audit.note(work, actor, f"{post.kind}.revision", post.kind, post_id, revision=revision_id, changed=changed)
    return post


async def restore(work: Work, actor: Actor, post_id: int, revision_id: int) -> tuple[Post, list[str]]:
    """Make the text and its fields what they were, as an edit: whoever writes at this moment keeps his words. What stood there before is
    kept as a revision. Answers, in words, what was left out because it is not there any more."""
    post = await posts.get_editable(work.session, actor, post_id, lock=True)
    if post.is_trashed:
        raise Conflict("This is in the trash; take it out to go on writing.")
    revision = await _one(work.session, post_id, revision_id)
    copy = await working_copies.project(work, post_id)
    await working_copies.keep(work, [copy], Reason.SAVED, copy.updated_by_id)
    before = (copy.content, copy.fields)
    fields, gone = await _still_there(work.session, actor, post, PostFields.model_validate(revision.fields))
    unset = {f"{CUSTOM}{key}": "" for key in PostFields.model_validate(copy.fields).custom}
    copy = await working_copies.edit(work, actor, post_id, content=revision.content, fields={**unset, **fields})
    if (copy.content, copy.fields) != before:
        made = Revision.of(copy, Reason.RESTORED, work.now, actor.user_id)
        made.restored_from_id = revision_id
        work.session.add(made)
        await work.session.flush()
        await media_uses.note_revisions(work, [made])
        audit.note(work, actor, f"{post.kind}.revert", post.kind, post_id, revision=revision_id)
    return post, gone


async def discard(work: Work, actor: Actor, post_id: int) -> Post:
    """The text becomes again what readers see; what stood there is kept as a revision."""
    live = await work.session.scalar(select(Published.revision_id).where(Published.post_id == post_id))
    post = await posts.get_editable(work.session, actor, post_id)
    if live is None:
        raise Conflict("Readers do not see this, so there is nothing to go back to.")
    await restore(work, actor, post_id, live)
    return post


async def _one(session: AsyncSession, post_id: int, revision_id: int) -> Revision:
    revision = await session.get(Revision, revision_id)
    if revision is None or revision.post_id != post_id:
        raise NotFound
    return revision


async def _still_there(session: AsyncSession, actor: Actor, post: Post, wanted: PostFields) -> tuple[dict[str, Any], list[str]]:
    """The fields as they can be again, and what cannot. What only editors choose stays as it is for others."""
    wanted = await documents.with_merged(session, wanted)
    fields, names, gone = wanted.to_json(), await _names(session, wanted), list[str]()
    for key in _NAMED:
        ids = _ids(fields[key])
        there = [number for number in ids if number in names[key]]
        if len(there) < len(ids):
            gone.append(say(_GONE[key], number=len(ids) - len(there)))
            fields[key] = there if key in ("tags", "authors") else None
    try:
        fields["parent"] = await post_fields.parent(session, post, fields["parent"])
    except InvalidInput:  # in the trash, or below this one by now
        gone.append(say("the page above"))
        fields["parent"] = None
    is_others = not policy.allows(actor, Capability.TAXONOMY_MANAGE)
    left = {key for key in _EDITORS_CHOICE if is_others or (key == "authors" and not fields[key])}
    return {key: value for key, value in fields.items() if key not in left}, gone


# --- those that nobody makes, and those that are forgotten -----------------------------------------------------------------


async def keep_idle(database: Database) -> None:
    """A revision of each text that was left alone for a while and is not kept yet, by who wrote last."""
    until = database.clock() - IDLE
    async with database.read() as session:
        of_post = aliased(Revision)
        newest = select(func.max(of_post.id)).where(of_post.post_id == Post.id).correlate(Post).scalar_subquery()
        kept = exists().where(Revision.id == newest, Revision.created_at >= WorkingCopy.updated_at)
        recent = select(Post.id).join(WorkingCopy, WorkingCopy.post_id == Post.id).where(Post.kind.in_(list(Kind)))
        left = recent.where(Post.updated_at > until - _LOOKED_BACK, WorkingCopy.updated_at <= until, ~kept)
        found = (await session.scalars(left.order_by(Post.id))).all()
    for post_id in found:
        async with database.transaction() as work:
            await _keep_idle(work, post_id, until)


async def _keep_idle(work: Work, post_id: int, until: datetime) -> None:
    """The lock lets one process do it at a time; the next one finds it done."""
    if await work.session.scalar(select(Post.id).where(Post.id == post_id).with_for_update(key_share=True)) is None:
        return
    copy = await working_copies.project(work, post_id)
    if copy.updated_at <= until:
        await working_copies.keep(work, [copy], Reason.IDLE, copy.updated_by_id)


async def prune(database: Database) -> None:
    """Forget revisions by the rule: all of the last week stay, the last of each day for as long as the site says, then the last of each
    week; and always what somebody named or pinned, what is public or waits for its time, and what something else refers to."""
    async with database.read() as session:
        daily = timedelta(days=(await site.get_limits(session)).daily_revisions)
    now, last = database.clock(), None
    slot: tuple[int, ...] = ()
    while True:
        async with database.read() as session:
            rows = (await session.execute(_before(last))).all()
        forgotten = []
        for post_id, revision_id, created_at in rows:
            before, slot = slot, (post_id, *_slot(revision_id, created_at, now, daily))
            if slot == before:
                forgotten.append(revision_id)
        if forgotten:
            async with database.transaction() as work:
                await work.session.execute(delete(Revision).where(Revision.id.in_(forgotten), ~_is_needed()))
        if len(rows) < _AT_ONCE:
            return
        last = (rows[-1].post_id, rows[-1].id)


def _before(last: tuple[int, int] | None) -> Select[int, int, datetime]:
    """The next of all revisions, from the end: of each post the newest first."""
    wanted = select(Revision.post_id, Revision.id, Revision.created_at)
    rest = wanted.where(tuple_(Revision.post_id, Revision.id) < tuple_(*last)) if last else wanted
    return rest.order_by(Revision.post_id.desc(), Revision.id.desc()).limit(_AT_ONCE)


def _slot(revision_id: int, created_at: datetime, now: datetime, daily: timedelta) -> tuple[int, ...]:
    """Revisions of one post with the same slot follow each other; the first of them, which is the newest, stays."""
    age = now - created_at
    if age < _ALL:
        return (revision_id,)
    year, week, day = created_at.isocalendar()
    return (year, week, day) if age < daily else (year, week)


def _is_needed() -> ColumnElement[bool]:
    later = aliased(Revision)
    newest_imported = select(func.max(later.id)).where(later.reason == Reason.IMPORTED).group_by(later.post_id)
    return or_(
        Revision.name != "",
        Revision.is_pinned,
        exists().where(Published.revision_id == Revision.id),
        exists().where(Schedule.revision_id == Revision.id),
        exists().where(PreviewLink.revision_id == Revision.id),
        exists().where(Review.revision_id == Revision.id),
        exists().where(later.restored_from_id == Revision.id),
        Revision.id.in_(newest_imported),  # by which the next import tells whether somebody has written since
    )
