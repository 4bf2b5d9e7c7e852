"""The pattern of posts' addresses: what another would change, and writing the new addresses.

The pattern itself changes at once; a job gives each post its new address, a few in each transaction, with all that shows it. Meanwhile
every address answers, since they are looked up by row and not by pattern; and for good, as those that a post had lead to where it is.
"""

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cms import policy
from cms.db.session import Database, Work
from cms.errors import InvalidInput
from cms.events import PostPublished
from cms.models import Address, Job, Post, Published, Revision
from cms.models.address import AddressState, TargetKind, is_reserved
from cms.models.post import Kind
from cms.models.site import Frame
from cms.policy import Actor, Capability
from cms.schemas.post import PostFields
from cms.services import addresses, audit, documents, jobs, outbox, publishing, site, surroundings
from cms.wording import say

JOB = "renew_addresses"
AT_ONCE = 25  # posts of one transaction
LOOKED_AT = 500  # posts of one question, while it is only asked what would change
SHOWN = 8

_PLACEHOLDER = re.compile(r"\{(year|month|day|slug|category|author|id)\}")


_Line = Published | Row[*tuple[Any, ...]]  # of which a post and what was published of it are looked up


@dataclass(frozen=True, slots=True)
class Change:
    title: str
    before: str
    after: str  # both with a slash before them


@dataclass(frozen=True, slots=True)
class Preview:
    """What another pattern would change. ``taken``: posts that want an address which another wants or has; they get one with a number."""

    pattern: str
    examples: Sequence[Change]  # the newest posts
    changed: int
    total: int
    taken: Sequence[Change]
    taken_in_all: int


@dataclass(frozen=True, slots=True)
class UnderWay:
    """How far the job has come."""

    done: int
    of: int


def require(pattern: str) -> None:
    """Raises ``InvalidInput`` on ``own`` for a pattern that makes no addresses of posts."""
    if reason := _wrong_with(pattern):
        raise InvalidInput({"own": reason})


def _wrong_with(pattern: str) -> str:
    rest = _PLACEHOLDER.sub("x", pattern)
    first = pattern.strip("/").partition("/")[0]
    if not pattern.startswith("/") or pattern.endswith("/") or "//" in pattern:
        return say("It begins with a slash and ends without one, like /{year}/{month}/{slug}.")
    if "{" in rest or "}" in rest:
        return say("Between braces stands one of year, month, day, slug, category, author and id.")
    if "{slug}" not in pattern and "{id}" not in pattern:
        return say("Without {slug} or {id} two posts would have one address.")
    if not re.fullmatch(r"(/(?!\.{1,2}(/|$))[\w.~-]+)+", rest):
        return say("Beside what is in braces there are letters, digits and the signs - . _ ~ between slashes.")
    if is_reserved(first):
        return say("/{path} is used by Squall itself.", path=first)
    return say("An address that ends in .md is that of a text's Markdown.") if pattern.endswith(".md") else ""


# --- what it would change --------------------------------------------------------------------------------------------------


async def preview(session: AsyncSession, actor: Actor, pattern: str) -> Preview:
    """Raises ``InvalidInput`` on ``own``."""
    policy.require(actor, Capability.SITE_CONFIGURE)
    require(pattern)
    frame = replace(await site.get_frame(session), permalink=pattern)
    changes: dict[int, Change] = {}
    total, after = 0, 0
    lines = select(Published.post_id, Published.revision_id, Published.title, Published.path)
    while rows := (await session.execute(_posts_after(lines, after, LOOKED_AT))).all():
        wanted = await _wanted(session, rows, frame)
        total, after = total + len(rows), rows[-1].post_id
        changes |= {row.post_id: Change(row.title, f"/{row.path}", f"/{wanted[row.post_id]}") for row in rows}
    moving = {post_id: change for post_id, change in changes.items() if not publishing.is_numbered(change.before, change.after)}
    newest = await session.scalars(select(Published.post_id).where(Published.kind == Kind.POST).order_by(*_NEWEST).limit(SHOWN))
    taken = await _taken(session, changes, moving)
    return Preview(pattern, [changes[post_id] for post_id in newest], len(moving), total, taken[:SHOWN], len(taken))


_NEWEST = (Published.published_at.desc(), Published.post_id.desc())


def _posts_after(wanted: Select[*tuple[Any, ...]], after: int, most: int) -> Select[*tuple[Any, ...]]:
    return wanted.where(Published.kind == Kind.POST, Published.post_id > after).order_by(Published.post_id).limit(most)


async def _wanted(session: AsyncSession, rows: Sequence[_Line], frame: Frame) -> dict[int, str]:
    """By what readers have, not by what somebody is writing."""
    fields, posts = await _fields(session, rows), await _posts(session, rows)
    named = await documents.named_by(session, list(fields.values()))
    at = {post_id: post.first_published_at for post_id, post in posts.items() if post.first_published_at}
    return {id_: documents.wanted_path(named, posts[id_], fields[id_], frame, moment) for id_, moment in at.items()}


async def _fields(session: AsyncSession, rows: Sequence[_Line]) -> Mapping[int, PostFields]:
    revisions = select(Revision.post_id, Revision.fields).where(Revision.id.in_([row.revision_id for row in rows]))
    return {post_id: PostFields.model_validate(fields) for post_id, fields in await session.execute(revisions)}


async def _posts(session: AsyncSession, rows: Sequence[_Line]) -> Mapping[int, Post]:
    wanted = select(Post).where(Post.id.in_([row.post_id for row in rows])).order_by(Post.id)  # the older one gets what two want
    return {post.id: post for post in await session.scalars(wanted)}


async def _taken(session: AsyncSession, all_: Mapping[int, Change], moving: Mapping[int, Change]) -> list[Change]:
    """Those that move to where another is going to be, or to what belongs to a page or to something withdrawn."""
    times = Counter(change.after for change in all_.values())
    others: set[str] = set()
    paths = [change.after.strip("/") for change in moving.values()]
    for start in range(0, len(paths), LOOKED_AT):
        is_there = (Address.state != AddressState.MOVED) & Address.path.in_(paths[start : start + LOOKED_AT])
        here = await session.execute(select(Address.path, Address.target_kind, Address.target_id).where(is_there))
        others |= {f"/{path}" for path, kind, target_id in here if kind is not TargetKind.POST or target_id not in moving}
    return [change for change in moving.values() if times[change.after] > 1 or change.after in others]


# --- changing it -----------------------------------------------------------------------------------------------------------


async def change(work: Work, actor: Actor, pattern: str) -> None:
    """From now on new posts get addresses like this, and a job writes those of all others. Raises ``InvalidInput`` on ``own``."""
    policy.require(actor, Capability.SITE_CONFIGURE)
    require(pattern)
    row = await site.hold(work)
    if row.permalink == pattern:
        raise InvalidInput({"choice": "Posts have addresses like this already."})
    audit.note(work, actor, "site.permalink", "site", row.id, before=row.permalink, after=pattern)
    await site.configure(work, permalink=pattern)
    await jobs.enqueue(work, JOB, key=f"{JOB}:{row.version}", after=0)


async def under_way(session: AsyncSession) -> UnderWay | None:
    """While addresses are still to be written."""
    waiting = select(Job.progress).where(Job.name == JOB, Job.finished_at.is_(None)).order_by(Job.id.desc()).limit(1)
    row = (await session.execute(waiting)).one_or_none()
    if row is None:
        return None
    return UnderWay(**{name: (row.progress or {}).get(name, 0) for name in ("done", "of")})


async def renew_all(database: Database, job_id: int, after: int) -> None:
    """Goes on after the last post that was done; what is done already is found to be right."""
    is_more = True
    while is_more:
        async with database.transaction() as work:
            rows = (await work.session.scalars(_posts_after(select(Published), after, AT_ONCE))).all()
            await renew(work, rows)
            is_more, after = len(rows) == AT_ONCE, rows[-1].post_id if rows else after
            counted = select(func.count()).select_from(Published).where(Published.kind == Kind.POST)
            of = await work.session.scalar(counted) or 0
            done = await work.session.scalar(counted.where(Published.post_id <= after)) or 0
            await jobs.report(work, job_id, done, of)
            await jobs.go_on_from(work, job_id, after=after)


async def renew(work: Work, rows: Sequence[Published]) -> None:
    """Addresses, and whatever shows them, in one transaction."""
    session = work.session
    await site.hold(work)
    paths = await _paths(session, rows, await site.get_frame(session))
    moving = [row for row in rows if paths.get(row.post_id, row.path) != row.path]
    if not moving:
        return
    old = {row.post_id: documents.values_of(row) for row in moving}
    around = await surroundings.around(session, moving)
    await addresses.assign_all(work, TargetKind.POST, {row.post_id: paths[row.post_id] for row in moving})
    for row in moving:
        row.path = paths[row.post_id]
    await session.flush()
    others = await surroundings.others(session, around, moving)
    changed = await surroundings.renew(session, [*moving, *others])
    for row in moving:
        where = documents.listed(row)
        (former,) = old[row.post_id]["path"]
        aspects = documents.changed(row, old[row.post_id])
        outbox.record(work, PostPublished(row.post_id, row.kind, aspects, row.path, former, where, where))
    surroundings.announce(work, others, changed)


async def _paths(session: AsyncSession, rows: Sequence[Published], frame: Frame) -> dict[int, str]:
    """A post whose new address would be the program's own, or too long, keeps the one that it has."""
    fields, posts, wanted = await _fields(session, rows), await _posts(session, rows), await _wanted(session, rows, frame)
    paths: dict[int, str] = {}
    for post_id, path in wanted.items():
        try:
            paths[post_id] = await _settled(session, posts[post_id], fields[post_id], path, paths.values())
        except InvalidInput:
            continue
    return paths


async def _settled(session: AsyncSession, post: Post, fields: PostFields, wanted: str, taken: Collection[str]) -> str:
    """Here a slug that somebody typed gives way, too: nobody is there to choose another. It gets the post's number behind it."""
    if fields.slug and (wanted in taken or not await addresses.is_unused(session, wanted, TargetKind.POST, post.id)):
        wanted = publishing.with_number(wanted, post)
    settled = await publishing.settled(session, post, fields, wanted, taken)
    return await addresses.free_path(session, settled, TargetKind.POST, post.id, taken)
