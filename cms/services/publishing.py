"""What readers see: making it from a working copy, taking it away. Rendering was done before, outside the transaction."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cms import policy
from cms.content.context import Rendered
from cms.content.titles import plain_title
from cms.db.session import Work
from cms.errors import Conflict, InvalidInput, NotFound
from cms.events import Listed, PostPublished, PostWithdrawn, WorkChanged
from cms.models import CustomField, Post, Published, Revision, Schedule, Site, WorkingCopy
from cms.models.address import TargetKind
from cms.models.post import Kind, Live, Reason, ScheduledAct, Side, WorkState
from cms.models.site import Frame
from cms.policy import Actor, Capability
from cms.schemas.post import PostFields
from cms.services import (
    addresses,
    audit,
    checks,
    custom_fields,
    dead_links,
    documents,
    link_cards,
    media_uses,
    outbox,
    posts,
    preview_links,
    redirects,
    reviews,
    search_index,
    site,
    surroundings,
    terms,
    working_copies,
)
from cms.wording import say

TITLE_NEEDED = "Readers need a title."
_FILED = frozenset({"authors", "tags", "category"})
_PUBLISHED = select(Published).where(Published.post_id.in_(bindparam("ids", expanding=True)))
_DUE = select(Schedule).where(Schedule.post_id.in_(bindparam("ids", expanding=True)), Schedule.act == ScheduledAct.PUBLISH)
_TEXT = frozenset({"title", "excerpt", "standfirst", "body", "picture"})  # what makes a post "updated" for its readers


@dataclass(frozen=True, slots=True)
class Version:
    """What is to go out, and what rendering made of it: the working copy of this number, as the editor saw it, or a revision."""

    number: int
    rendered: Rendered
    revision_id: int | None = None


@dataclass(frozen=True, slots=True)
class Dates:
    published: datetime
    updated: datetime


@dataclass(frozen=True, slots=True)
class Release:
    """What is to be public. ``dates``: what readers read of its past, for texts that were public elsewhere before. ``is_checked``: it must
    pass the checks that the site demands, and its review; what an import brings is as it is. ``without_review``: the actor wants it out
    without one. ``is_planned``: all of that was asked when it was scheduled; the review is not asked for again.
    """

    post_id: int
    version: Version
    dates: Dates | None = None
    is_checked: bool = False
    without_review: bool = False
    is_planned: bool = False


@dataclass(slots=True)
class _Going:
    """A text on its way out; ``old`` and what is ``former`` say what readers had of it."""

    release: Release
    post: Post
    copy: WorkingCopy
    fields: PostFields
    revision: Revision
    published: Published
    is_new: bool
    status: Live  # that it had
    old: dict[str, tuple[Any, ...]]
    former: Listed | None
    former_path: str
    former_link: Mapping[str, Any] | None

    @property
    def is_part(self) -> bool:
        """Of a series, now or before: readers' versions do not say at which place it was put there."""
        return bool(self.published.series or self.fields.series)

    @property
    def is_filed_otherwise(self) -> bool:
        return self.is_part or not _FILED.isdisjoint(documents.changed(self.published, self.old))

    @property
    def is_named_otherwise(self) -> bool:
        """Whether pages of other texts may say something else of it now."""
        return self.is_part or surroundings.link_to(self.published) != self.former_link


async def publish(
    work: Work, actor: Actor, post_id: int, version: Version, dates: Dates | None = None, *, without_review: bool = False
) -> Published:
    """Make this version what readers see.

    Raises ``Conflict`` if the working copy is another by now, ``InvalidInput`` if it cannot go out.
    """
    (published,) = await publish_all(work, actor, [Release(post_id, version, dates, is_checked=True, without_review=without_review)])
    return published


async def publish_all(work: Work, actor: Actor, releases: Sequence[Release]) -> list[Published]:
    """Several at one moment, for little more than one costs. If one cannot go out, none does.

    A page goes alone: those below it are placed by what readers see of it.
    """
    session = work.session
    going, named, frame = await _to_go(work, actor, releases)
    rows = [one.published for one in going]
    await _write_documents(work, going, named, frame)
    filed = {one.post.id: one.fields for one in going if one.is_filed_otherwise}
    await terms.write(work, Side.LIVE, filed, new=[one.post.id for one in going if one.is_new])
    shown = {one.post.id: media_uses.Text(one.revision.content, one.fields) for one in going}
    await media_uses.note(work, Side.LIVE, shown)
    await surroundings.choose_related(work, rows)
    renamed = [one for one in going if one.is_named_otherwise]
    around = await surroundings.around(session, [one.published for one in renamed])
    others = await surroundings.others(session, around.union(*(surroundings.named_in(one.old) for one in renamed)), rows)
    changed = await surroundings.renew(session, [*rows, *others])
    aspects = {one.post.id: documents.changed(one.published, one.old) for one in going}
    for one in going:
        kind, path = one.post.kind, one.published.path
        waived = {"without_review": True} if one.release.without_review else {}
        sides = audit.difference(_short(one.status, one.old), _short(one.post.live, documents.values_of(one.published)))
        audit.note(
            work, actor, f"{kind}.publish", kind, one.post.id,
            changed=list(aspects[one.post.id]), path=path, revision=one.revision.id, **waived, **sides,
        )  # fmt: skip
    for planned in await session.scalars(_DUE, {"ids": [one.post.id for one in going]}):
        await session.delete(planned)
    await dead_links.note(work, rows)
    await link_cards.note(work, {one.post.id: one.release.version.rendered.cards for one in going})
    await search_index.index(work, [(one.published, one.release.version.rendered.plain_text) for one in going if one.published.is_listed])
    await link_cards.follow(work, [post_id for post_id, names in aspects.items() if "title" in names])
    await session.flush()  # what follows looks at readers' versions as they are now
    await _announce(work, going, aspects)
    surroundings.announce(work, others, changed)
    for one in going:
        if one.post.kind is Kind.PAGE:
            await renew_below(work, one.published)
            await site.renew_frame(work)
    return rows


def _short(status: Live, values: Mapping[str, tuple[Any, ...]]) -> dict[str, str]:
    """What the audit has of a text as it was or is."""
    if not values:
        return {"status": status}
    (title, _), (path,), (at,) = values["title"], values["path"], values["date"]
    return {"status": status, "title": title, "path": path, "published_at": at.astimezone(UTC).isoformat(timespec="minutes")}


async def _to_go(work: Work, actor: Actor, releases: Sequence[Release]) -> tuple[list[_Going], documents.Named, Frame]:
    session, ids = work.session, [release.post_id for release in releases]
    # A parent that moves and a child that comes would miss each other, and so would two neighbours. Held first, as by whoever changes what
    # texts name: each would wait for the other.
    row = await site.hold(work)
    found = await posts.all_visible(session, actor, ids, lock=True)
    for post in found.values():
        policy.require(actor, Capability.of(post.kind, "publish"), post)
        if post.is_trashed:
            raise Conflict("This is in the trash; take it out before you publish it.")
    copies = await working_copies.projected(work, ids)
    chosen = await _chosen(session, releases)
    if any(one.post_id not in chosen and copies[one.post_id].version != one.version.number for one in releases):
        raise Conflict
    going_out = {post_id: PostFields.model_validate(copy.fields) for post_id, copy in (copies | chosen).items()}
    fields, named = await documents.as_it_is(session, going_out)
    for one in releases:
        if not plain_title(fields[one.post_id].title):
            raise InvalidInput({"title": TITLE_NEEDED})
        if one.is_checked:
            text = checks.Text(found[one.post_id], fields[one.post_id], one.version.rendered)
            await require_fit(session, actor, row, text, named.custom[text.post.kind])
        if one.is_checked and not one.is_planned:
            source = chosen.get(one.post_id) or copies[one.post_id]
            await reviews.require(session, actor, row, found[one.post_id], source, waived=one.without_review)
    seen = [copy for post_id, copy in copies.items() if post_id not in chosen]
    revisions = chosen | (await working_copies.keep(work, seen, Reason.PUBLISHED, actor.user_id) if seen else {})
    live = {row.post_id: row for row in await session.scalars(_PUBLISHED, {"ids": ids})}
    going = [
        _Going(
            release,
            found[post_id],
            copies[post_id],
            fields[post_id],
            revisions[post_id],
            before or Published(post_id=post_id, kind=found[post_id].kind, updated_at=work.now),
            before is None,
            found[post_id].live,
            documents.values_of(before),
            documents.listed(before) if before else None,
            before.path if before else "",
            surroundings.link_to(before) if before else None,
        )
        for release in releases
        for post_id, before in [(release.post_id, live.get(release.post_id))]
    ]
    return going, named, Frame.from_json(row.frame)


async def _chosen(session: AsyncSession, releases: Sequence[Release]) -> dict[int, Revision]:
    """The revisions that go out instead of working copies, by post."""
    wanted = {one.version.revision_id: one.post_id for one in releases if one.version.revision_id is not None}
    found = {row.id: row for row in await session.scalars(select(Revision).where(Revision.id.in_(wanted)))} if wanted else {}
    if any(number not in found or found[number].post_id != post_id for number, post_id in wanted.items()):
        raise NotFound
    return {row.post_id: row for row in found.values()}


async def require_fit(session: AsyncSession, actor: Actor, row: Site, text: checks.Text, custom: Sequence[CustomField]) -> None:
    """Raise ``InvalidInput`` if readers cannot have this text: something is missing that it must have, or it has a flaw with which nothing
    goes out here."""
    if not plain_title(text.fields.title):
        raise InvalidInput({"title": TITLE_NEEDED})
    await custom_fields.require(session, custom, text.fields)
    if row.compulsory_checks:
        await checks.require(session, actor, text, row.compulsory_checks)


async def _write_documents(work: Work, going: Sequence[_Going], named: documents.Named, frame: Frame) -> None:
    """All that does not depend on other posts."""
    places: dict[int, str] = {}
    for one in going:
        dates, before = one.release.dates, one.post.first_published_at
        typed = documents.typed_date(one.fields, frame, work.now)
        one.post.first_published_at = dates.published if dates else before or typed or work.now
        values = documents.compose(named, one.post, one.fields, one.release.version.rendered, frame)
        if values["path"] != one.former_path:  # else it stands there already
            values["path"] = places[one.post.id] = await settled(work.session, one.post, one.fields, values["path"], places.values())
        for name, value in {**values, "revision_id": one.revision.id}.items():
            setattr(one.published, name, value)
        if dates:
            one.published.updated_at = dates.updated
        elif before is None:  # dated back, it has not changed since
            one.published.updated_at = one.post.first_published_at
        elif _TEXT & set(documents.changed(one.published, one.old)):
            one.published.updated_at = work.now
        one.post.live, one.post.work, one.post.updated_at = Live.PUBLISHED, WorkState.DRAFT, work.now
        one.post.has_changes = one.release.version.revision_id is not None and not one.revision.is_same_as(one.copy)
    if places:
        await addresses.assign_all(work, TargetKind.POST, places)
    work.session.add_all(one.published for one in going)
    await work.session.flush()


async def _announce(work: Work, going: Sequence[_Going], aspects: Mapping[int, tuple[str, ...]]) -> None:
    now = {one.post.id: documents.listed(one.published) for one in going}
    months = await months_that_came_or_went(work.session, [(one.former, now[one.post.id]) for one in going])
    for one in going:
        post = one.post
        mine = tuple(sorted((_months_of(one.former) ^ _months_of(now[post.id])) & months))
        path, former_path = one.published.path, one.former_path
        outbox.record(work, PostPublished(post.id, post.kind, aspects[post.id], path, former_path, one.former, now[post.id], mine))


async def withdraw(work: Work, actor: Actor, post_id: int, redirect_to: str | None = None) -> Post:
    """Take it away from readers; its address answers 410, or leads elsewhere, and stays its own. ``redirect_to``: "" if readers are to be
    told that it is gone; None leaves a rule that waited for this as it is."""
    post = await posts.hold(work, actor, post_id)
    policy.require(actor, Capability.of(post.kind, "publish"), post)
    if not post.is_published:
        raise Conflict("This is not public any more.")
    path = (await work.session.get_one(Published, post_id)).path
    await _take_away(work, post)
    post.live, post.has_changes = Live.WITHDRAWN, False
    await work.session.execute(delete(Schedule).where(Schedule.post_id == post_id, Schedule.act == ScheduledAct.WITHDRAW))
    if redirect_to is not None:
        await redirects.lead_away(work, actor, path, redirect_to)
    more = {"redirect": redirect_to} if redirect_to else {}
    audit.note(work, actor, f"{post.kind}.withdraw", post.kind, post_id, before=Live.PUBLISHED, after=Live.WITHDRAWN, **more)
    return post


async def take_back(work: Work, post: Post, live: Live) -> None:
    """Readers have nothing of it, as before it was published. If that was the first time, it never was: nothing stays of its address.
    Whoever calls holds the site, and the post."""
    if post.is_published:
        await _take_away(work, post)
        post.has_changes = False
    post.live = live
    if live is Live.NEVER:
        post.first_published_at = None
        await addresses.forget(work, TargetKind.POST, post.id)


async def trash(work: Work, actor: Actor, post_id: int) -> Post:
    """Into the trash; taken away from readers if it was public."""
    post = await posts.hold(work, actor, post_id)
    policy.require(actor, Capability.of(post.kind, "trash"), post)
    if post.is_trashed:
        raise Conflict("This is in the trash already.")
    post.live_before_trash = post.live
    if post.is_published:
        await _take_away(work, post)
    else:
        outbox.record(work, WorkChanged(post_id))
    post.live, post.work, post.trashed_at, post.has_changes = Live.TRASHED, WorkState.DRAFT, work.now, False
    await work.session.execute(delete(Schedule).where(Schedule.post_id == post_id))
    await preview_links.end_all(work, post_id)
    audit.note(work, actor, f"{post.kind}.trash", post.kind, post_id, before=post.live_before_trash, after=Live.TRASHED)
    return post


async def planned_path(session: AsyncSession, post: Post, fields: PostFields, now: datetime) -> str:
    """Where it would stand if it were published now."""
    named, frame = await documents.named_by(session, [fields]), await site.get_frame(session)
    at = post.first_published_at or documents.typed_date(fields, frame, now) or now
    return await settled(session, post, fields, documents.wanted_path(named, post, fields, frame, at))


# --- what goes with it -----------------------------------------------------------------------------------------------------


def _months_of(listed: Listed | None) -> set[str]:
    return {name.removeprefix("month:") for name in (listed.lists if listed else ()) if name.startswith("month:")}


async def months_that_came_or_went(session: AsyncSession, moves: Sequence[tuple[Listed | None, Listed | None]]) -> set[str]:
    """Months that the archive has, or has no more, because of posts that moved in it: asked when they have."""
    came: Counter[str] = Counter()
    for before, now in moves:
        came.update(_months_of(now))
        came.subtract(_months_of(before))
    touched = sorted(month for before, now in moves for month in _months_of(before) ^ _months_of(now))
    if not touched:
        return set()
    counted = select(Published.month, func.count()).where(Published.in_lists(Kind.POST), Published.month.in_(touched))
    numbers = dict((await session.execute(counted.group_by(Published.month))).all())
    return {month for month in touched if (numbers.get(month, 0) == 0) != (numbers.get(month, 0) == came[month])}


# --- addresses -------------------------------------------------------------------------------------------------------------


async def settled(session: AsyncSession, post: Post, fields: PostFields, wanted: str, taken: Collection[str] = ()) -> str:
    """A slug made from the title gives way to what is there; one that somebody typed stays, and is refused if the path is taken.

    A post that has an address for the same automatic slug keeps it, number and all. ``taken``: by others that go out with it.
    """
    if fields.slug and not post.was_ever_public:
        return wanted
    here = await addresses.find_current(session, TargetKind.POST, post.id)
    if fields.slug:
        return here.path if here and here.path == with_number(wanted, post) else wanted
    if here and is_numbered(here.path, wanted):
        return here.path
    return await addresses.free_path(session, wanted, TargetKind.POST, post.id, taken)


def with_number(path: str, post: Post) -> str:
    """What becomes of a path that is taken when another pattern of addresses demands it (permalinks.py)."""
    return f"{path}-{post.id}"


def is_numbered(path: str, wanted: str) -> bool:
    return path == wanted or (path.startswith(f"{wanted}-") and path.removeprefix(f"{wanted}-").isdigit())


async def renew_below(work: Work, parent: Published) -> None:
    """Pages below a page show its title, if lists do, and stand below its address: both follow."""
    trail = documents.trail(parent)
    for child in (await work.session.scalars(select(Published).where(Published.parent_id == parent.post_id))).all():
        old, before, former_path = documents.values_of(child), documents.listed(child), child.path
        child.trail = trail
        path = f"{parent.path}/{child.path.rsplit('/', 1)[-1]}"
        if path != child.path:
            await addresses.assign(work, path, TargetKind.POST, child.post_id)
            child.path = path
        aspects = documents.changed(child, old)
        if not aspects:
            continue
        outbox.record(work, PostPublished(child.post_id, child.kind, aspects, child.path, former_path, before, before))
        await renew_below(work, child)


async def _take_away(work: Work, post: Post) -> None:
    """Whoever calls holds the site, and the post."""
    published = await work.session.get_one(Published, post.id)
    below = select(Published.title).where(Published.parent_id == post.id).limit(1)
    if child := await work.session.scalar(below):
        raise InvalidInput({"": say("“{title}” stands below this page; withdraw or move it first.", title=child)})
    before, around = documents.listed(published), await surroundings.around(work.session, [published])
    await work.session.delete(published)
    await addresses.retire(work, TargetKind.POST, post.id)
    await terms.write(work, Side.LIVE, {post.id: PostFields()})
    await media_uses.note(work, Side.LIVE, {post.id: media_uses.NOTHING})
    await surroundings.forget(work, post.id)
    await search_index.remove(work, post.id)
    await link_cards.follow(work, [post.id])
    await work.session.flush()
    months = await months_that_came_or_went(work.session, [(before, None)])
    outbox.record(work, PostWithdrawn(post.id, post.kind, published.path, before, tuple(months)))
    others = await surroundings.others(work.session, around, [published])
    surroundings.announce(work, others, await surroundings.renew(work.session, others))
    if post.kind is Kind.PAGE:
        await site.renew_frame(work)
