"""Uploads: a row for each file, its bytes in the storage under their digest."""

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import Select, and_, false, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from cms import policy
from cms.content.context import Media, Track
from cms.content.responsive import large
from cms.db.session import Work
from cms.errors import NotFound
from cms.events import MediaChanged
from cms.models import Asset, AssetAddress, AssetTrack
from cms.models.media import AssetState, MediaKind
from cms.policy import Actor, Capability
from cms.services import jobs, outbox

POSTER = 1280  # pixels; one of the widths of renditions
NEWEST = 60  # pictures that are offered to be chosen
FORGETTING = "forget_file"  # the job that deletes bytes that nothing names any more
IN_LIBRARY = and_(Asset.in_library, Asset.state == AssetState.READY)
READY = and_(Asset.state == AssetState.READY, Asset.trashed_at.is_(None))  # for whoever may see it


def storage_name(digest: str) -> str:
    """Two levels of folders, so that none holds too many files."""
    return f"{digest[:2]}/{digest[2:4]}/{digest}"


def tell(work: Work) -> None:
    """Those who look at the library, once however much of it changed."""
    if MediaChanged() not in work.events:
        outbox.record(work, MediaChanged())


async def is_named(session: AsyncSession, digest: str) -> bool:
    """Whether any asset has these bytes, as they were sent or as they are shown."""
    return await session.scalar(select(Asset.id).where(or_(Asset.digest == digest, Asset.shown_digest == digest)).limit(1)) is not None


async def known_digests(session: AsyncSession, digests: Iterable[str]) -> set[str]:
    """Those of which the library has the file."""
    return set(await session.scalars(select(Asset.digest).where(Asset.digest.in_(list(digests)))))


async def list_pictures(session: AsyncSession, actor: Actor) -> Sequence[Asset]:
    """The newest that the actor may use."""
    return (await session.scalars(_pictures_for(actor).order_by(Asset.id.desc()).limit(NEWEST))).all()


async def list_missing(session: AsyncSession, ids: Iterable[int], known: Sequence[Asset]) -> Sequence[Asset]:
    """Of these pictures those that are not among the known ones."""
    wanted = set(ids) - {asset.id for asset in known} - {0}
    return (await session.scalars(select(Asset).where(Asset.id.in_(wanted)))).all() if wanted else ()


async def is_picture_for(session: AsyncSession, actor: Actor, asset_id: int) -> bool:
    return await session.scalar(_pictures_for(actor).where(Asset.id == asset_id)) is not None


def _pictures_for(actor: Actor) -> Select[Asset]:
    """The whole library, for those who may look into it; nobody's portrait."""
    may_see = true() if policy.allows(actor, Capability.MEDIA_SEE) else false()
    return select(Asset).where(Asset.kind == MediaKind.PICTURE, Asset.in_library, READY, may_see)


async def described(session: AsyncSession, ids: Collection[int]) -> dict[int, Media]:
    """What texts are rendered with; only of what is there for readers."""
    if not ids:
        return {}
    poster = aliased(Asset)
    wanted = select(Asset, poster).outerjoin(poster, poster.id == Asset.poster_id).where(Asset.id.in_(sorted(ids)), READY)
    rows = (await session.execute(wanted)).all()
    tracks = await _tracks(session, [asset.id for asset, _ in rows if asset.kind in (MediaKind.AUDIO, MediaKind.VIDEO)])
    return {asset.id: _described(asset, before, tracks.get(asset.id, ())) for asset, before in rows}


async def _tracks(session: AsyncSession, ids: Sequence[int]) -> dict[int, tuple[Track, ...]]:
    if not ids:
        return {}
    words = select(AssetTrack, Asset).join(Asset, Asset.id == AssetTrack.track_id).where(AssetTrack.asset_id.in_(ids), READY)
    found: dict[int, tuple[Track, ...]] = {}
    for track, file in await session.execute(words.order_by(AssetTrack.asset_id, AssetTrack.language)):
        found[track.asset_id] = (*found.get(track.asset_id, ()), Track(file.path, track.language, track.label))
    return found


def _before(poster: Asset) -> str:
    """What is seen before a film plays, no larger than the film is shown."""
    whole = Media(poster.path, content_type=poster.content_type, width=poster.width or 0, height=poster.height or 0, frames=poster.frames)
    return large(whole, POSTER)


def _described(asset: Asset, poster: Asset | None, tracks: tuple[Track, ...]) -> Media:
    return Media(
        asset.path,
        asset.kind.value,
        asset.content_type,
        asset.width or 0,
        asset.height or 0,
        asset.frames,
        asset.shown_size,
        asset.duration or 0,
        asset.alt,
        asset.is_decorative,
        asset.caption,
        asset.credit,
        asset.licence,
        _before(poster) if poster and poster.is_ready else "",
        tracks,
        asset.focus,
    )


async def hold(work: Work, actor: Actor, asset_id: int, capability: Capability) -> Asset:
    """One of the library, also of its trash, kept from others until the end. Raises ``NotFound``, also for whoever may not look into it."""
    wanted = select(Asset).where(Asset.id == asset_id, IN_LIBRARY).with_for_update().execution_options(populate_existing=True)
    asset = await work.session.scalar(wanted)
    if asset is None or not policy.allows(actor, Capability.MEDIA_SEE):
        raise NotFound
    policy.require(actor, capability, asset)
    return asset


async def forget(work: Work, *digests: str) -> None:
    """These bytes, by jobs that look first whether another asset names them."""
    for digest in dict.fromkeys(digests):
        await jobs.enqueue(work, FORGETTING, digest=digest)


async def list_pictures_of_all(session: AsyncSession) -> Sequence[Asset]:
    """Every one in the library, newest first."""
    return (
        await session.scalars(select(Asset).where(Asset.kind == MediaKind.PICTURE, Asset.in_library, READY).order_by(Asset.id.desc()))
    ).all()


async def list_ids(session: AsyncSession) -> Sequence[int]:
    """Of all that is shown, newest first."""
    return (await session.scalars(select(Asset.id).where(READY).order_by(Asset.id.desc()))).all()


async def get_ready(session: AsyncSession, asset_id: int) -> Asset:
    """What readers may know of. Raises ``NotFound``."""
    asset = await session.scalar(select(Asset).where(Asset.id == asset_id, READY))
    if asset is None:
        raise NotFound
    return asset


async def knows_address(session: AsyncSession, asset: Asset, mark: str, name: str) -> bool:
    """Whether it has, or had once, an address with this ``mark`` ("": any) and ``name``, which may be without its extension: renditions
    have their own."""
    if is_at((asset.mark, asset.name), mark, name):
        return True
    return any(is_at(former, mark, name) for former in (await former_addresses(session, [asset.id])).get(asset.id, ()))


def is_at(known: tuple[str, str], mark: str, name: str) -> bool:
    return mark in ("", known[0]) and name in (known[1], stem_of(known[1]))


async def former_addresses(session: AsyncSession, ids: Collection[int]) -> dict[int, list[tuple[str, str]]]:
    """Marks and names that these had once."""
    wanted = select(AssetAddress.asset_id, AssetAddress.mark, AssetAddress.name).where(AssetAddress.asset_id.in_(sorted(ids)))
    found: dict[int, list[tuple[str, str]]] = {}
    for asset_id, mark, name in await session.execute(wanted):
        found.setdefault(asset_id, []).append((mark, name))
    return found


def stem_of(name: str) -> str:
    return name.rpartition(".")[0] or name
