"""Files on their way into the library: a row, and pieces in the storage. Whoever loses the network asks how much has arrived."""

import asyncio
import secrets
import shutil
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cms import policy
from cms.db.session import Work
from cms.errors import Conflict, InvalidInput, NotFound, TooLarge, TooManyRequests
from cms.media.storage import Storage
from cms.models import Asset, Folder, Upload
from cms.policy import Actor, Capability
from cms.schemas.uploads import UploadInput
from cms.services import site
from cms.services.intake import Brought, Intake, Run, Taken, refuse_size
from cms.wording import say

PIECE = 8 * 1024 * 1024  # bytes
MOST = 100  # unfinished ones of one person
KEPT = timedelta(days=1)  # after the last sign of life
PREFIX = "uploads"  # in the storage
WAIT = 600  # seconds after which somebody with too many may look again
NOT_WHOLE = "Not all of this file has arrived."
DAMAGED = "This file was damaged on its way. Please send it again."


async def begin(work: Work, actor: Actor, wanted: UploadInput) -> Upload:
    policy.require(actor, Capability.MEDIA_UPLOAD)
    if actor.user_id is None:
        raise NotFound
    if wanted.size is not None:
        refuse_size(await site.get_media(work.session), wanted.size)
    await _refuse_many(work.session, actor.user_id)
    if wanted.folder and await work.session.get(Folder, wanted.folder) is None:
        raise InvalidInput({"folder": "This folder is not there any more."})
    if wanted.replaces:
        asset = await work.session.get(Asset, wanted.replaces)
        if asset is None:
            raise NotFound
        policy.require(actor, Capability.MEDIA_EDIT, asset)
    upload = Upload(
        id=secrets.token_urlsafe(32),
        user_id=actor.user_id,
        name=wanted.name[-200:],
        size=wanted.size,
        folder_id=wanted.folder or None,
        replaces_id=wanted.replaces or None,
        started_at=work.now,
        active_at=work.now,
    )
    work.session.add(upload)
    await work.session.flush()
    return upload


async def _refuse_many(session: AsyncSession, user_id: int) -> None:
    unfinished = select(func.count()).select_from(Upload).where(Upload.user_id == user_id, Upload.asset_id.is_(None))
    if (await session.scalar(unfinished) or 0) >= MOST:
        raise TooManyRequests(WAIT, say("{number} of your uploads are not finished; remove some below “Room in use”.", number=MOST))


async def list_unfinished(session: AsyncSession, actor: Actor) -> Sequence[Upload]:
    """One's own, the newest first."""
    mine = select(Upload).where(Upload.user_id == actor.user_id, Upload.asset_id.is_(None))
    return (await session.scalars(mine.order_by(Upload.started_at.desc(), Upload.id).limit(MOST))).all()


async def get(session: AsyncSession, actor: Actor, upload_id: str, *, lock: bool = False) -> Upload:
    """One's own."""
    upload = await session.get(Upload, upload_id, with_for_update=lock, populate_existing=lock)
    if upload is None or upload.user_id != actor.user_id:
        raise NotFound
    return upload


async def find_asset(session: AsyncSession, upload: Upload) -> Asset | None:
    """What it became."""
    return await session.get(Asset, upload.asset_id) if upload.asset_id else None


async def add_piece(intake: Intake, actor: Actor, upload_id: str, offset: int, chunks: Sequence[bytes]) -> Upload:
    """The next bytes, ``PIECE`` at most. Raises ``Conflict`` if they do not go on where the last ones ended."""
    async with intake.database.read() as session:
        upload = await get(session, actor, upload_id)
        rules = await site.get_media(session)
    _refuse_offset(upload, offset)
    size = sum(map(len, chunks))
    if size > PIECE or (upload.size is not None and offset + size > upload.size):
        raise TooLarge({"file": "This is more than was announced."})
    refuse_size(rules, offset + size)
    number = upload.pieces
    if size:
        await intake.storage.put_stream(_piece(upload_id, number), _each(chunks))
    async with intake.database.transaction() as work:
        upload = await get(work.session, actor, upload_id, lock=True)
        _refuse_offset(upload, offset)
        upload.received, upload.pieces, upload.active_at = offset + size, number + bool(size), work.now
    return upload


def _refuse_offset(upload: Upload, offset: int) -> None:
    if upload.asset_id is not None or upload.received != offset:
        raise Conflict(say("{number} bytes of this file have arrived; go on from there.", number=upload.received))


async def finish(intake: Intake, actor: Actor, upload_id: str, run: Run | None = None) -> Taken:
    """The asset that it becomes; asked again, the one that it became. What is refused is abandoned: it would be refused again."""
    upload, asset = await _standing(intake, actor, upload_id)
    if asset:
        return Taken(asset, True)
    if upload.size is not None and upload.received != upload.size:
        raise Conflict(NOT_WHOLE)
    brought = Brought(upload.name, folder_id=upload.folder_id, upload_id=upload.id, replaces_id=upload.replaces_id)
    try:
        async with intake.room() as room:
            path = room / "sent"
            await _gather(intake.storage, upload, path)
            taken = await intake.take(actor, path, brought, run)
    except InvalidInput:
        await abandon(intake, actor, upload_id)
        raise
    except NotFound:  # somebody who had lost the network asks again while the first is at its end, and takes the pieces
        _, asset = await _standing(intake, actor, upload_id)
        if asset is None:
            raise
        return Taken(asset, True)
    await _drop_pieces(intake.storage, upload)
    return taken


async def _standing(intake: Intake, actor: Actor, upload_id: str) -> tuple[Upload, Asset | None]:
    async with intake.database.read() as session:
        upload = await get(session, actor, upload_id)
        return upload, await find_asset(session, upload)


async def _gather(storage: Storage, upload: Upload, path: Path) -> None:
    with await asyncio.to_thread(path.open, "wb") as file:
        for number in range(upload.pieces):
            async for chunk in storage.read(_piece(upload.id, number)):
                await asyncio.to_thread(file.write, chunk)
        size = file.tell()
    if size != upload.received:
        raise InvalidInput({"file": DAMAGED})


async def abandon(intake: Intake, actor: Actor, upload_id: str) -> None:
    async with intake.database.read() as session:
        upload = await get(session, actor, upload_id)
    await _forget(intake, upload)


async def prune(intake: Intake) -> None:
    """Those of which nothing was heard for long, and what a process that was killed has left in the intake's folder."""
    async with intake.database.read() as session:
        old = (await session.scalars(select(Upload).where(Upload.active_at < intake.database.clock() - KEPT))).all()
    for upload in old:
        await _forget(intake, upload)
    await asyncio.to_thread(clear_rooms, intake.folder, intake.database.clock() - KEPT)


def clear_rooms(folder: Path, before: datetime) -> None:
    """What processes that were killed before then have left in the intake's folder. Slow; for a thread."""
    for room in folder.iterdir() if folder.is_dir() else ():
        if room.stat().st_mtime < before.timestamp():
            shutil.rmtree(room, ignore_errors=True)


async def _forget(intake: Intake, upload: Upload) -> None:
    """The pieces first: as long as the row is there, somebody finds them."""
    await _drop_pieces(intake.storage, upload)
    async with intake.database.transaction() as work:
        await work.session.execute(delete(Upload).where(Upload.id == upload.id))


async def _drop_pieces(storage: Storage, upload: Upload) -> None:
    for number in range(upload.pieces + 1):  # one more may have come before it was noted
        await storage.delete(_piece(upload.id, number))


def _piece(upload_id: str, number: int) -> str:
    return f"{PREFIX}/{upload_id}/{number}"


async def _each(chunks: Sequence[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
