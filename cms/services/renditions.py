"""Smaller pictures, made of those in the library: beforehand by a job, or when the first reader asks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from sqlalchemy import delete, select

from cms.content.renditions import Spec, specs
from cms.db.session import Database
from cms.errors import InvalidInput, NotFound
from cms.imaging import Imaging
from cms.media.room import room
from cms.media.storage import Storage
from cms.models import Asset, Rendition
from cms.services import media

JOB = "make_renditions"


class Renditions:
    """Of one picture only one is being made at a time in a process. ``folder``: for files while they are made."""

    def __init__(self, database: Database, storage: Storage, imaging: Imaging, folder: Path) -> None:
        self._database, self._storage, self._imaging, self._folder = database, storage, imaging, folder
        self._busy: dict[str, tuple[asyncio.Lock, int]] = {}

    async def size(self, asset: Asset, spec: Spec) -> int:
        """In bytes, of what is in the storage then; made if it was not. Raises ``NotFound`` if nothing can be made of this asset."""
        if (known := await self._known(asset, spec)) is not None:
            return known
        async with self._alone_with(asset.shown_digest):
            if (known := await self._known(asset, spec)) is not None:
                return known
            return await self._make(asset, spec)

    async def again(self, asset: Asset, spec: Spec) -> None:
        """The storage does not have any more what was made."""
        async with self._alone_with(asset.shown_digest):
            await self._make(asset, spec)

    async def make_all(self, asset_id: int) -> None:
        """Beforehand. Nothing if the asset is gone, or is no picture; what cannot be made is left out."""
        async with self._database.read() as session:
            asset = await session.scalar(select(Asset).where(Asset.id == asset_id, media.READY))
        if asset is None:
            return
        for spec in specs(asset.content_type, asset.width or 0, asset.height or 0, asset.frames):
            with suppress(NotFound):
                await self.size(asset, spec)

    async def _known(self, asset: Asset, spec: Spec) -> int | None:
        async with self._database.read() as session:
            of = (Rendition.shown_digest == asset.shown_digest, Rendition.name == spec.file_name)
            return await session.scalar(select(Rendition.size).where(*of))

    async def _make(self, asset: Asset, spec: Spec) -> int:
        async with room(self._folder) as folder:
            out = folder / spec.format
            picture = await self._storage.local_file(media.storage_name(asset.shown_digest), folder)
            try:
                _, _, size = await self._imaging.rendition(picture, out, spec)
            except InvalidInput:
                raise NotFound from None
            await self._storage.put_file(storage_name(asset.shown_digest, spec.file_name), out)
        async with self._database.transaction() as work:
            row = {"shown_digest": asset.shown_digest, "name": spec.file_name, "size": size, "made_at": work.now}
            await work.session.execute(work.dialect.insert(Rendition).values(row).on_conflict_do_nothing())
        return size

    @asynccontextmanager
    async def _alone_with(self, digest: str) -> AsyncIterator[None]:
        lock, waiting = self._busy.get(digest, (asyncio.Lock(), 0))
        self._busy[digest] = lock, waiting + 1
        try:
            async with lock:
                yield
        finally:
            lock, waiting = self._busy.pop(digest)
            if waiting > 1:
                self._busy[digest] = lock, waiting - 1


def storage_name(shown_digest: str, name: str) -> str:
    return f"renditions/{shown_digest[:2]}/{shown_digest}/{name}"


async def forget(database: Database, storage: Storage, shown_digest: str) -> None:
    """All of a picture that nothing shows any more."""
    async for name, _ in storage.list(f"renditions/{shown_digest[:2]}/{shown_digest}"):
        await storage.delete(name)
    async with database.transaction() as work:
        await work.session.execute(delete(Rendition).where(Rendition.shown_digest == shown_digest))
