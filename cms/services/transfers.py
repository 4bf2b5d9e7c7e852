"""Texts that come from elsewhere, many at a time, and all that leave: found again by their key, told apart from what somebody has
edited here since."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
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
from cms.models import Address, Asset, AssetTag, AssetTrack, Category, Document, Post, Published, Revision, Series, User, WorkingCopy
from cms.models.address import AddressState, TargetKind
from cms.models.post import Kind, Live, Reason, Side, Visibility
from cms.policy import Actor, Capability
from cms.schemas.post import PostFields
from cms.services import (
    addresses,
    audit,
    custom_fields,
    desk_index,
    media,
    media_uses,
    outbox,
    publishing,
    taxonomies,
    terms,
    working_copies,
)
from cms.services.publishing import Release, Version

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
    """A text with everything that is known of it. ``dates``: None for a draft. ``former``: old paths that are to lead to it.

    ``rendered``: what readers get; None for a draft. ``before``: what an earlier import made of it.
    """

    key: str
    digest: str
    kind: Kind
    content: str
    fields: PostFields
    dates: publishing.Dates | None
    former: tuple[str, ...] = ()
    is_over: bool = False  # it was public, and is not any more
    rendered: Rendered | None = None
    before: Known | None = None
    visibility: Visibility = Visibility.PUBLIC  # of a new text; what is here already is for whom it is


async def known(session: AsyncSession, prefix: str) -> dict[str, Known]:
    """What came in under keys that begin so."""
    newest = (
        select(Revision.post_id, func.max(Revision.id).label("id")).where(Revision.reason == Reason.IMPORTED).group_by(Revision.post_id)
    ).subquery()
    wanted = (
        select(Post.import_key, Post.id, Post.import_digest, Address.path, WorkingCopy, Revision, Document.is_ahead)
        .join(WorkingCopy, WorkingCopy.post_id == Post.id)
        .join(newest, newest.c.post_id == Post.id)
        .join(Revision, Revision.id == newest.c.id)
        .outerjoin(Document, Document.post_id == Post.id)
        .outerjoin(
            Address,
            (Address.target_kind == TargetKind.POST) & (Address.target_id == Post.id) & (Address.state != AddressState.MOVED),
        )
        .where(Post.import_key.startswith(prefix, autoescape=True))
    )
    return {
        key: Known(post_id, digest or "", path or "", is_edited=bool(is_ahead) or not revision.is_same_as(copy))
        for key, post_id, digest, path, copy, revision, is_ahead in await session.execute(wanted)
        if key
    }


async def has_own_posts(session: AsyncSession) -> bool:
    return bool(await session.scalar(select(exists().where(Post.id.is_not(None)))))


async def taken_paths(session: AsyncSession, but: Iterable[int]) -> set[str]:
    """Paths at which something of this site stands or stood, but not these posts."""
    mine = set(but)
    rows = await session.execute(select(Address.path, Address.target_kind, Address.target_id))
    return {path for path, kind, target in rows if kind is not TargetKind.POST or target not in mine}


async def bring_in(work: Work, actor: Actor, texts: Sequence[Incoming]) -> list[int]:
    """Make posts of them, or bring what an earlier import made up to date; their ids. A page comes alone (publishing.publish_all)."""
    for text in texts:
        policy.require(actor, Capability.of(text.kind, "publish"))
    with work.session.no_autoflush:  # each question would write first, and what is asked for was written by name
        copies = await _write(work, actor, texts)
        releases = []
        for text, copy in zip(texts, copies, strict=True):
            if text.rendered:
                releases.append(Release(copy.post_id, Version(copy.version, text.rendered), text.dates))
            else:
                audit.note(work, actor, f"{text.kind}.import", text.kind, copy.post_id, key=text.key)
                outbox.record(work, WorkChanged(copy.post_id))
        if releases:
            await publishing.publish_all(work, actor, releases)
    public = {copy.post_id: text for text, copy in zip(texts, copies, strict=True) if text.rendered}
    await addresses.lead(work, TargetKind.POST, {post_id: text.former for post_id, text in public.items()})
    for post_id, text in public.items():
        if text.is_over:
            await publishing.withdraw(work, actor, post_id)
    return [copy.post_id for copy in copies]


async def _write(work: Work, actor: Actor, texts: Sequence[Incoming]) -> list[WorkingCopy]:
    """Of each its post, working copy, terms and a revision."""
    session, here = work.session, [text.before.post_id for text in texts if text.before]
    documented = await working_copies.with_documents(session, here) if here else set()
    there = {post.id: post for post in await session.scalars(select(Post).where(Post.id.in_(here)))} if here else {}
    found = await session.scalars(select(WorkingCopy).where(WorkingCopy.post_id.in_(here))) if here else ()
    copies = {copy.post_id: copy for copy in found}
    rows = [there[text.before.post_id] if text.before else _new_post(work, actor, text) for text in texts]
    session.add_all(rows)
    await session.flush()  # new ones have their numbers now
    written = []
    for post, text in zip(rows, texts, strict=True):
        if text.before:
            _renew(work, post, text)
        if post.id in documented:
            written.append(await working_copies.edit(work, actor, post.id, content=text.content, fields=text.fields.to_json()))
            continue
        copy = copies.get(post.id) or WorkingCopy(post_id=post.id, updated_by_id=actor.user_id)
        copy.content, copy.fields, copy.updated_at = text.content, text.fields.to_json(), work.now
        written.append(copy)
    session.add_all(written)
    await session.flush()
    await desk_index.index(work, written)
    filed = {post.id: text.fields for post, text in zip(rows, texts, strict=True)}
    await terms.write(work, Side.WORK, filed, new=filed.keys() - set(here))
    shown = {copy.post_id: media_uses.Text(copy.content, PostFields.model_validate(copy.fields)) for copy in written}
    await media_uses.note(work, Side.WORK, shown)
    made = [Revision.of(copy, Reason.IMPORTED, work.now, actor.user_id) for copy in written]
    session.add_all(made)
    await session.flush()
    await media_uses.note_revisions(work, made)
    return written


def _new_post(work: Work, actor: Actor, text: Incoming) -> Post:
    title = plain_title(text.fields.title)
    return Post(
        kind=text.kind,
        created_by_id=actor.user_id,
        created_at=work.now,
        updated_at=work.now,
        title=title,
        folded_title=fold(title)[:400],
        language=text.fields.language,
        import_key=text.key,
        import_digest=text.digest,
        visibility=text.visibility,
    )


def _renew(work: Work, post: Post, text: Incoming) -> None:
    post.title = plain_title(text.fields.title)
    post.folded_title = fold(post.title)[:400]
    post.import_digest, post.updated_at, post.has_changes = text.digest, work.now, post.is_published


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
    meta: Mapping[str, str]
    language: str
    picture: int | None
    series: str
    part: int  # of the series, from 1; 0 if it has none
    custom: Mapping[str, str]  # by key, as typed; but for those that are pictures
    custom_pictures: Mapping[str, int]
    visibility: Visibility


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
    pictures = custom_fields.pictures_in(await custom_fields.list_of(session, post.kind), fields)
    at = (published.published_at if published else post.first_published_at) if post.was_ever_public else None
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
        meta=fields.meta or {},
        language=fields.language or "",
        picture=fields.picture,
        series=series,
        part=part,
        custom={key: value for key, value in fields.custom.items() if key not in pictures},
        custom_pictures=pictures,
        visibility=post.visibility,
    )


async def _series(session: AsyncSession, fields: PostFields) -> tuple[str, int]:
    said = fields.to_json().get("series")
    series = await session.get(Series, said["id"]) if said else None
    return (series.name, said["position"]) if said and series else ("", 0)


async def assets(session: AsyncSession, ids: Iterable[int]) -> dict[int, Asset]:
    return {asset.id: asset for asset in await session.scalars(select(Asset).where(Asset.id.in_(sorted(ids))))}


@dataclass(frozen=True, slots=True)
class OutgoingFile:
    """``old``: paths that lead to it."""

    asset: Asset
    tags: tuple[str, ...]
    tracks: tuple[AssetTrack, ...]
    old: tuple[str, ...]


async def outgoing_asset_ids(session: AsyncSession) -> list[int]:
    """All of the library but its trash, oldest first."""
    return list(await session.scalars(select(Asset.id).where(media.IN_LIBRARY, media.READY).order_by(Asset.id)))


async def outgoing_files(session: AsyncSession, ids: Sequence[int]) -> list[OutgoingFile]:
    of_media = (Address.target_kind == TargetKind.MEDIA, Address.target_id.in_(ids))
    tags, tracks, old = defaultdict[int, list[str]](list), defaultdict[int, list[AssetTrack]](list), defaultdict[int, list[str]](list)
    for tag in await session.scalars(select(AssetTag).where(AssetTag.asset_id.in_(ids)).order_by(AssetTag.folded)):
        tags[tag.asset_id].append(tag.name)
    for track in await session.scalars(select(AssetTrack).where(AssetTrack.asset_id.in_(ids)).order_by(AssetTrack.language)):
        tracks[track.asset_id].append(track)
    for address in await session.scalars(select(Address).where(*of_media).order_by(Address.path)):
        old[address.target_id].append(address.path)
    found = await session.scalars(select(Asset).where(Asset.id.in_(ids)).order_by(Asset.id))
    return [OutgoingFile(each, tuple(tags[each.id]), tuple(tracks[each.id]), tuple(old[each.id])) for each in found]
