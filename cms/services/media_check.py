"""Rows of the library and bytes in the storage against each other, and what mends them (docs/decisions/0015-media.md).

Rows are asked first, and what is new is left alone: somebody may be bringing it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, tuple_

from cms.db.session import Database, Work
from cms.media.storage import Storage
from cms.models import Asset, Rendition, Upload
from cms.models.media import AssetState
from cms.policy import SYSTEM
from cms.services import renditions
from cms.services.intake import make_ready
from cms.services.media import storage_name
from cms.services.uploads import PREFIX

SETTLED = timedelta(hours=1)  # after which nobody is at it any more
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class MediaFindings:
    """``unfinished``: assets whose bytes were on their way. ``missing`` and ``of_another_size``: asset and name in the storage.
    ``without_row``: names in the storage. ``without_bytes``: renditions, which are made again when they are asked for; and those of a
    picture that is gone, which was deleted while they were made."""

    unfinished: list[int]
    missing: list[str]
    of_another_size: list[str]
    without_row: list[str]
    without_bytes: list[tuple[str, str]]

    @property
    def is_well(self) -> bool:
        return not (self.unfinished or self.missing or self.of_another_size or self.without_row or self.without_bytes)

    @property
    def can_be_mended(self) -> int:
        return len(self.unfinished) + len(self.without_row) + len(self.without_bytes)


@dataclass(frozen=True, slots=True)
class Mended:
    finished: int  # assets
    given_up: int  # assets, whose bytes had not all arrived
    removed: int  # files
    forgotten: int  # renditions


@dataclass(frozen=True, slots=True)
class _Known:
    """``wanted``: name in the storage → asset and bytes; ``made``: the same of renditions, ``of_nothing`` those of
    no picture; ``coming``: uploads and unfinished assets."""

    wanted: dict[str, tuple[int, int]]
    made: dict[str, tuple[str, str]]
    of_nothing: list[tuple[str, str]]
    coming: set[str]
    unfinished: list[int]

    def is_named(self, name: str) -> bool:
        return name in self.wanted or name in self.made or name in self.coming or name.rpartition("/")[0] in self.coming


async def look(database: Database, storage: Storage) -> MediaFindings:
    since = database.clock() - SETTLED
    known = await _known(database, since)
    sizes = {name: size async for name, size in storage.list()}
    lost = [name for name in (*known.wanted, *known.made) if name not in sizes]
    strays = [name for name in sizes if not known.is_named(name)]
    if lost or strays:  # some may have come or gone meanwhile
        known = await _known(database, since)
        settled = {name async for name, _ in storage.list(before=since)} if strays else set()
        strays = sorted(name for name in strays if name in settled and not known.is_named(name))
    missing = [f"{known.wanted[name][0]} ({name})" for name in lost if name in known.wanted]
    other = [f"{asset} ({name})" for name, (asset, size) in known.wanted.items() if sizes.get(name, size) != size]
    without_bytes = [known.made[name] for name in lost if name in known.made]
    return MediaFindings(known.unfinished, missing, other, strays, without_bytes + known.of_nothing)


async def _known(database: Database, since: datetime) -> _Known:
    async with database.read() as session:
        rows = (await session.execute(_RENDITIONS)).all()  # before the pictures they are made of
        assets = (await session.execute(_ASSETS)).all()
        coming = {f"{PREFIX}/{number}" for number in await session.scalars(select(Upload.id))}
    shown = {row.shown_digest for row in assets}
    made = {renditions.storage_name(digest, name): (digest, name) for digest, name, _ in rows if digest in shown}
    wanted: dict[str, tuple[int, int]] = {}
    for asset_id, digest, shown_digest, size, shown_size, state, _ in assets:
        if state is AssetState.READY:
            wanted[storage_name(shown_digest)] = asset_id, shown_size
            wanted[storage_name(digest)] = asset_id, size
        else:
            coming |= {storage_name(digest), storage_name(shown_digest)}
    of_nothing = [(digest, name) for digest, name, made_at in rows if digest not in shown and made_at < since]
    unfinished = [row.id for row in assets if row.state is not AssetState.READY and row.updated_at < since]
    return _Known(wanted, made, of_nothing, coming, unfinished)


_ASSETS = select(Asset.id, Asset.digest, Asset.shown_digest, Asset.size, Asset.shown_size, Asset.state, Asset.updated_at).order_by(Asset.id)
_RENDITIONS = select(Rendition.shown_digest, Rendition.name, Rendition.made_at)


async def mend(database: Database, storage: Storage, found: MediaFindings) -> Mended:
    """All but what is missing: that is to be had from a backup, or from whoever brought it."""
    finished = 0
    for asset_id in found.unfinished:
        finished += await _finish(database, storage, asset_id)
    for names in _batches(found.without_bytes):
        async with database.transaction() as work:
            await work.session.execute(delete(Rendition).where(tuple_(Rendition.shown_digest, Rendition.name).in_(names)))
    removed = (await look(database, storage)).without_row  # also those of assets that were given up
    for name in removed:
        await storage.delete(name)
    return Mended(finished, len(found.unfinished) - finished, len(removed), len(found.without_bytes))


async def _finish(database: Database, storage: Storage, asset_id: int) -> bool:
    """Ready, if all bytes are there: what is under a name in the storage is whole. Else it is given up."""
    async with database.read() as session:
        asset = await session.get(Asset, asset_id)
    lengths = {asset.digest: asset.size, asset.shown_digest: asset.shown_size} if asset else {}
    is_whole = bool(lengths) and all([await storage.size(storage_name(digest)) == size for digest, size in lengths.items()])
    async with database.transaction() as work:
        return await _end(work, asset_id, is_whole=is_whole)


async def _end(work: Work, asset_id: int, *, is_whole: bool) -> bool:
    asset = await work.session.get(Asset, asset_id, with_for_update=True)
    if asset is None or asset.state is AssetState.READY:  # somebody brought it again meanwhile
        return asset is not None
    if is_whole:
        await make_ready(work, SYSTEM, asset)
    else:
        await work.session.delete(asset)
    return is_whole


def _batches(items: list[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    return (items[at : at + AT_ONCE] for at in range(0, len(items), AT_ONCE))
