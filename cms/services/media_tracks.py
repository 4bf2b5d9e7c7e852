"""Words for a film or sound: WebVTT files of the library, one for each language."""

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from cms.db.session import Work
from cms.errors import InvalidInput
from cms.models import Asset, AssetTrack
from cms.models.media import MediaKind
from cms.policy import Actor, Capability
from cms.schemas.library import TrackInput
from cms.services import audit, jobs, library, renewing

PLAYED = (MediaKind.AUDIO, MediaKind.VIDEO)


async def list_of(session: AsyncSession, asset_id: int) -> list[tuple[AssetTrack, Asset]]:
    wanted = select(AssetTrack, Asset).join(Asset, Asset.id == AssetTrack.track_id).where(AssetTrack.asset_id == asset_id)
    return [(track, file) for track, file in await session.execute(wanted.order_by(AssetTrack.language))]


async def put(work: Work, actor: Actor, asset_id: int, wanted: TrackInput) -> None:
    """One of a language takes the place of the one that was there."""
    asset = await library.hold(work, actor, asset_id, Capability.MEDIA_EDIT)
    file = (await library.some(work.session, actor, [wanted.track])).get(wanted.track)
    if asset.kind not in PLAYED or file is None or file.kind is not MediaKind.CAPTIONS or file.trashed_at is not None:
        raise InvalidInput({"track": "Choose captions (WebVTT) of the library."})
    await _take_away(work, asset_id, wanted.language)
    work.session.add(AssetTrack(asset_id=asset_id, language=wanted.language, track_id=wanted.track, label=wanted.label))
    await _note(work, actor, asset)


async def take_away(work: Work, actor: Actor, asset_id: int, language: str) -> None:
    asset = await library.hold(work, actor, asset_id, Capability.MEDIA_EDIT)
    await _take_away(work, asset_id, language)
    await _note(work, actor, asset)


async def _take_away(work: Work, asset_id: int, language: str) -> None:
    await work.session.execute(delete(AssetTrack).where(AssetTrack.asset_id == asset_id, AssetTrack.language == language))


async def _note(work: Work, actor: Actor, asset: Asset) -> None:
    asset.updated_at = work.now
    audit.note(work, actor, "media.captions", "asset", asset.id)
    await jobs.enqueue(work, renewing.JOB, asset=asset.id)
