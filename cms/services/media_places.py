"""Where an asset is shown: asked at the desk, before it is changed or deleted, and when somebody wants to see it."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, CompoundSelect, and_, exists, func, literal, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from cms import policy
from cms.db.types import Id
from cms.models import Asset, AssetTrack, AssetUse, Portrait, Post, Revision, RevisionAsset, Site
from cms.models.post import Kind, Side
from cms.policy import Actor, Capability
from cms.services import posts


@dataclass(frozen=True, slots=True)
class Place:
    """A text that shows an asset: in what readers see, in what is being written, and in so many revisions."""

    post_id: int
    kind: Kind
    title: str
    is_live: bool
    is_work: bool
    revisions: int


@dataclass(frozen=True, slots=True)
class Uses:
    """``hidden``: texts that the actor may not know of. ``is_logo``, ``is_icon``, ``is_portrait``: where else it stands."""

    places: list[Place]
    hidden: int
    films: list[Asset]  # whose poster or captions it is
    is_logo: bool
    is_icon: bool
    is_portrait: bool

    def __bool__(self) -> bool:
        return bool(self.places or self.hidden or self.films or self.is_logo or self.is_icon or self.is_portrait)


async def find(session: AsyncSession, actor: Actor, asset_id: int) -> Uses:
    """Where an asset is shown, as far as the actor may know."""
    used = select(AssetUse.post_id, AssetUse.side).where(AssetUse.asset_id == asset_id)
    sides = {(post_id, side) for post_id, side in await session.execute(used)}
    counted = select(Revision.post_id, func.count()).join(RevisionAsset, RevisionAsset.revision_id == Revision.id)
    kept = dict((await session.execute(counted.where(RevisionAsset.asset_id == asset_id).group_by(Revision.post_id))).all())
    ids = {post_id for post_id, _ in sides} | kept.keys()
    seen = {post.id: post for post in await session.scalars(select(Post).where(Post.id.in_(ids), posts.visible_to(actor)))} if ids else {}
    places = [
        Place(post.id, post.kind, post.title, (post.id, Side.LIVE) in sides, (post.id, Side.WORK) in sides, kept.get(post.id, 0))
        for post in seen.values()
    ]
    places.sort(key=lambda place: (not place.is_live, not place.is_work, -place.post_id))
    site = (await session.execute(select(Site.logo_id == asset_id, Site.icon_id == asset_id))).one()
    portrait = await session.scalar(select(Portrait.user_id).where(Portrait.asset_id == asset_id).limit(1))
    films = (await session.scalars(select(Asset).where(_belongs_to_film(asset_id)).order_by(Asset.id))).all()
    return Uses(places, len(ids - seen.keys()), list(films), bool(site[0]), bool(site[1]), portrait is not None)


def _belongs_to_film(asset_id: int) -> ColumnElement[bool]:
    return or_(Asset.poster_id == asset_id, exists().where(AssetTrack.asset_id == Asset.id, AssetTrack.track_id == asset_id))


def is_used() -> ColumnElement[bool]:
    """Of an asset in a list: whether anything shows it."""
    return or_(*_uses())


def is_unused() -> ColumnElement[bool]:
    """One after another, so that PostgreSQL joins what uses it and need not ask for each asset."""
    return and_(*(~use for use in _uses()))


def _uses() -> tuple[ColumnElement[bool], ...]:
    film = aliased(Asset)
    posters = select(film.poster_id).where(film.poster_id.is_not(None))  # a list made once: few have one, and SQLite takes them for many
    return (
        exists().where(AssetUse.asset_id == Asset.id),
        exists().where(RevisionAsset.asset_id == Asset.id),
        exists().where(or_(Site.logo_id == Asset.id, Site.icon_id == Asset.id)),
        exists().where(Portrait.asset_id == Asset.id),
        Asset.id.in_(posters),
        exists().where(AssetTrack.track_id == Asset.id),
    )


async def are_public(session: AsyncSession, asset: Asset) -> bool:
    """Whether something that readers see shows it, or it is no matter of the library."""
    return await _are_shown(session, asset, exists().where(AssetUse.side == Side.LIVE, AssetUse.asset_id.in_(_with_films(asset))))


async def are_in_text(session: AsyncSession, asset: Asset, post_id: int, revision_id: int | None) -> bool:
    """Whether a text shows it as it is being written, or as a revision has it; or it is no matter of the library."""
    if revision_id is None:
        used = exists().where(AssetUse.side == Side.WORK, AssetUse.post_id == post_id, AssetUse.asset_id.in_(_with_films(asset)))
    else:
        used = exists().where(RevisionAsset.revision_id == revision_id, RevisionAsset.asset_id.in_(_with_films(asset)))
    return await _are_shown(session, asset, used)


async def are_seen_by(session: AsyncSession, actor: Actor, asset: Asset) -> bool:
    """Whether a text that the actor knows of at the desk shows it, now or in a revision."""
    if not policy.allows(actor, Capability.DRAFT_SEE):
        return False
    ids, known = _with_films(asset), posts.sees_work(actor)
    in_work = exists().where(AssetUse.side == Side.WORK, AssetUse.asset_id.in_(ids), Post.id == AssetUse.post_id, known)
    in_revision = exists().where(
        RevisionAsset.asset_id.in_(ids), Revision.id == RevisionAsset.revision_id, Post.id == Revision.post_id, known
    )
    return await _are_shown(session, asset, or_(in_work, in_revision))


def _with_films(asset: Asset) -> CompoundSelect[int]:
    """Of it and of the films whose poster or captions it is, the ids."""
    poster = select(Asset.id).where(Asset.poster_id == asset.id)
    return union_all(select(literal(asset.id, Id)), poster, select(AssetTrack.asset_id).where(AssetTrack.track_id == asset.id))


async def _are_shown(session: AsyncSession, asset: Asset, used: ColumnElement[bool]) -> bool:
    """By what is used there, or by every page of the site."""
    if not asset.in_library:
        return True
    return bool(await session.scalar(select(or_(used, exists().where(or_(Site.logo_id == asset.id, Site.icon_id == asset.id))))))


async def live_in(session: AsyncSession, asset_id: int, after: int, most: int) -> list[int]:
    """Posts whose readers see it, or a film it belongs to, by id."""
    shown = select(Asset.id).where(or_(Asset.id == asset_id, _belongs_to_film(asset_id)))
    wanted = select(AssetUse.post_id).where(AssetUse.asset_id.in_(shown), AssetUse.side == Side.LIVE, AssetUse.post_id > after)
    return list(await session.scalars(wanted.distinct().order_by(AssetUse.post_id).limit(most)))
