"""The picture of a person: one, made small by us, and gone when it is taken away."""

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from cms.db.session import Work
from cms.models import Asset, Portrait
from cms.services import media
from cms.services.intake import Brought

# Named by its bytes: an address that can be counted through would show faces of people who have published nothing.
PORTRAIT = Brought("", in_library=False)


async def find(session: AsyncSession, user_id: int) -> Asset | None:
    wanted = select(Asset).join(Portrait, Portrait.asset_id == Asset.id).where(Portrait.user_id == user_id)
    return (await session.scalars(wanted)).one_or_none()


async def replace(work: Work, user_id: int, now: Asset | None) -> bool:
    """Whether it is another now. None takes it away."""
    before = await find(work.session, user_id)
    if (before and before.id) == (now and now.id):
        return False
    await work.session.execute(delete(Portrait).where(Portrait.user_id == user_id))
    if now:
        work.session.add(Portrait(user_id=user_id, asset_id=now.id))
    await work.session.flush()
    if before:
        await _forget(work, before)
    return True


async def _forget(work: Work, asset: Asset) -> None:
    """A face that was taken away is not kept, unless somebody else shows the same, or brought it for all."""
    if not asset.in_library and await work.session.scalar(select(Portrait.user_id).where(Portrait.asset_id == asset.id).limit(1)) is None:
        await work.session.delete(asset)
        await work.session.flush()
        await media.forget(work, asset.digest, asset.shown_digest)
