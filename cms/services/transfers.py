"""Texts that come from elsewhere, many at a time, and all that leave: found again by their key, told apart from what somebody has
edited here since."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cms import policy
from cms.content.context import Rendered
from cms.content.folding import fold
from cms.content.titles import plain_title
from cms.db.session import Work
from cms.events import WorkChanged
from cms.models import Address, Asset, Category, Post, Published, Revision, Series, User, WorkingCopy
from cms.models.address import AddressState, TargetKind
from cms.models.post import Kind, Live, Reason, Side
from cms.policy import Actor, Capability
from cms.schemas.post import PostFields
from cms.services import addresses, audit, outbox, posts, publishing, taxonomies

MAX_KEY = 500


@dataclass(frozen=True, slots=True)
class Known:
    """What an earlier import brought in. ``path``: where it stands; "" if it was never public. ``is_edited``: by somebody, since."""

    post_id: int
    digest: str
    path: str
    is_edited: bool


@dataclass(frozen=True, slots=True)
class Incoming:
    """A text with everything that is known of it. ``dates``: None for a draft. ``former``: old paths that are to lead to it."""

    key: str
    digest: str
    kind: Kind
    content: str
    fields: PostFields
    dates: publishing.Dates | None
    former: tuple[str, ...] = ()
    is_over: bool = False  # it was public, and is not any more


async def known(session: AsyncSession, prefix: str) -> dict[str, Known]:
    """What came in under keys that begin so."""
    newest = (
        select(Revision.post_id, func.max(Revision.id).label("id")).where(Revision.reason == Reason.IMPORTED).group_by(Revision.post_id)
    ).subquery()
    wanted = (
        select(Post.import_key, Post.id, Post.import_digest, Address.path, WorkingCopy, Revision)
        .join(WorkingCopy, WorkingCopy.post_id == Post.id)
        .join(newest, newest.c.post_id == Post.id)
        .join(Revision, Revision.id == newest.c.id)
        .outerjoin(
            Address,
            (Address.target_kind == TargetKind.POST) & (Address.target_id == Post.id) & (Address.state != AddressState.MOVED),
        )
        .where(Post.import_key.startswith(prefix, autoescape=True))
    )
    return {
        key: Known(post_id, digest or "", path or "", is_edited=not revision.is_same_as(copy))
        for key, post_id, digest, path, copy, revision in await session.execute(wanted)
        if key
    }


async def has_own_posts(session: AsyncSession) -> bool:
    return bool(await session.scalar(select(exists().where(Post.id.is_not(None)))))


async def taken_paths(session: AsyncSession, but: Iterable[int]) -> set[str]:
    """Paths at which something of this site stands or stood, but not these posts."""
    mine = set(but)
    rows = await session.execute(select(Address.path, Address.target_kind, Address.target_id))
    return {path for path, kind, target in rows if kind is not TargetKind.POST or target not in mine}


async def bring_in(work: Work, actor: Actor, incoming: Incoming, rendered: Rendered | None, before: Known | None) -> int:
    """Make a text of it, or bring what an earlier import made up to date; its id. ``rendered``: what readers get; None for a draft."""
    policy.require(actor, Capability.of(incoming.kind, "publish"))
    post, copy = await (_renew(work, incoming, before.post_id) if before else _make(work, actor, incoming))
    await _follow(work, actor, post, copy, incoming, is_new=before is None)
    if rendered is None:
        audit.note(work, actor, f"{post.kind}.import", post.kind, post.id, key=incoming.key)
        outbox.record(work, WorkChanged(post.id))
    else:
        with work.session.no_autoflush:  # each question would write first, and what is asked for was written by name
            await publishing.publish(work, actor, post.id, publishing.Version(copy.version, rendered), incoming.dates)
        await addresses.lead(work, incoming.former, TargetKind.POST, post.id)
        if incoming.is_over:
            await publishing.withdraw(work, actor, post.id)
    return post.id


async def _make(work: Work, actor: Actor, incoming: Incoming) -> tuple[Post, WorkingCopy]:
    title = plain_title(incoming.fields.title)
    post = Post(
        kind=incoming.kind,
        created_by_id=actor.user_id,
        created_at=work.now,
        updated_at=work.now,
        title=title,
        folded_title=fold(title)[:400],
        language=incoming.fields.language,
        import_key=incoming.key,
        import_digest=incoming.digest,
    )
    work.session.add(post)
    await work.session.flush()
    copy = WorkingCopy(
        post_id=post.id,
        content=incoming.content,
        fields=incoming.fields.to_json(),
        updated_at=work.now,
        updated_by_id=actor.user_id,
    )
    work.session.add(copy)
    return post, copy


async def _renew(work: Work, incoming: Incoming, post_id: int) -> tuple[Post, WorkingCopy]:
    post = await work.session.get_one(Post, post_id)
    copy = await work.session.get_one(WorkingCopy, post_id)
    post.title = plain_title(incoming.fields.title)
    post.folded_title = fold(post.title)[:400]
    post.import_digest, post.updated_at, post.has_changes = incoming.digest, work.now, post.is_published
    copy.content, copy.fields, copy.updated_at = incoming.content, incoming.fields.to_json(), work.now
    return post, copy


async def _follow(work: Work, actor: Actor, post: Post, copy: WorkingCopy, incoming: Incoming, *, is_new: bool) -> None:
    await work.session.flush()
    await posts.set_terms(work, post.id, Side.WORK, incoming.fields, is_new=is_new)
    work.session.add(
        Revision(
            post_id=post.id,
            reason=Reason.IMPORTED,
            content=copy.content,
            fields=copy.fields,
            created_at=work.now,
            created_by_id=actor.user_id,
        )
    )
    await work.session.flush()


def as_dates(published: datetime, updated: datetime | None) -> publishing.Dates:
    """A change before the publication is none."""
    return publishing.Dates(published, max(published, updated or published))


# --- going out -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A text as it leaves: readers' version if there is or was one, else the draft. Terms and people by name."""

    post_id: int
    kind: Kind
    title: str
    content: str
    slug: str
    path: str
    former: tuple[str, ...]
    dates: publishing.Dates | None
    over_since: datetime | None
    authors: tuple[str, ...]
    category: str
    tags: tuple[str, ...]
    excerpt: str
    language: str
    picture: int | None
    series: str
    part: int  # of the series, from 1; 0 if it has none


async def outgoing_ids(session: AsyncSession) -> list[int]:
    """Everything but the trash, oldest first."""
    return list(await session.scalars(select(Post.id).where(Post.live != Live.TRASHED).order_by(Post.id)))


async def outgoing(session: AsyncSession, post_id: int) -> Outgoing:
    post = await session.get_one(Post, post_id)
    published = await session.get(Published, post_id)
    said: Revision | WorkingCopy = (
        await session.get_one(Revision, published.revision_id) if published else await session.get_one(WorkingCopy, post_id)
    )
    fields = PostFields.model_validate(said.fields)
    places = list(
        await session.scalars(
            select(Address).where(Address.target_kind == TargetKind.POST, Address.target_id == post_id).order_by(Address.path)
        )
    )
    category = await session.get(Category, fields.category) if fields.category is not None else None
    people = {user.id: user.name for user in await session.scalars(select(User).where(User.id.in_(fields.authors)))}
    series, part = await _series(session, fields)
    at = post.first_published_at if post.was_ever_public else None
    return Outgoing(
        post_id=post_id,
        kind=post.kind,
        title=fields.title,
        content=said.content,
        slug=fields.slug,
        path=next((place.path for place in places if place.state is not AddressState.MOVED), ""),
        former=tuple(place.path for place in places if place.state is AddressState.MOVED),
        dates=publishing.Dates(at, published.updated_at if published else at) if at else None,
        over_since=post.updated_at if at and not published else None,
        authors=tuple(people[user_id] for user_id in fields.authors if user_id in people),
        category=category.name if category else "",
        tags=tuple(await taxonomies.tag_names(session, fields.tags)),
        excerpt=fields.excerpt,
        language=fields.language or "",
        picture=fields.picture,
        series=series,
        part=part,
    )


async def _series(session: AsyncSession, fields: PostFields) -> tuple[str, int]:
    said = fields.to_json().get("series")
    series = await session.get(Series, said["id"]) if said else None
    return (series.name, said["position"]) if said and series else ("", 0)


async def assets(session: AsyncSession, ids: Iterable[int]) -> dict[int, tuple[Asset, tuple[str, ...]]]:
    """Files of the library, each with the old paths that lead to it."""
    found = {asset.id: asset for asset in await session.scalars(select(Asset).where(Asset.id.in_(sorted(ids))))}
    old: dict[int, list[str]] = {}
    leading = select(Address.target_id, Address.path).where(Address.target_kind == TargetKind.MEDIA, Address.target_id.in_(found))
    for asset_id, path in await session.execute(leading.order_by(Address.path)):
        old.setdefault(asset_id, []).append(path)
    return {asset_id: (asset, tuple(old.get(asset_id, ()))) for asset_id, asset in found.items()}
