"""What is done to what was chosen in the library, one after another; and the end of what was in its trash for long enough."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from cms import policy
from cms.db.session import Database, Work
from cms.errors import CMSError, Conflict, Forbidden, InvalidInput, NotFound
from cms.models import Asset, AssetTag
from cms.policy import SYSTEM, Actor, Capability
from cms.schemas.library import DescriptionInput, LibraryBulk
from cms.schemas.post import MAX_TAGS
from cms.services import audit, folders, jobs, library, media, media_changes, media_places, renewing, site
from cms.services.media_places import Uses
from cms.wording import say

AT_ONCE = 100  # in one transaction
NOT_YOURS = say("It is not yours to change.")

_InTransaction = Callable[[Callable[[Work], Awaitable[None]]], Awaitable[None]]


@dataclass
class Report:
    done: list[int] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)  # number → why


class InUse(Conflict):
    """Texts show it, and nobody has said that it may go all the same."""

    message = "It is in use."


async def apply(in_transaction: _InTransaction, actor: Actor, wanted: LibraryBulk) -> Report:
    """Each in a transaction of its own. What is wrong with the act is wrong for all, and refused before anything is done."""
    if not wanted.id:
        raise InvalidInput({"id": "Choose something first."})
    if wanted.act in ("add_tags", "remove_tags") and not wanted.tags:
        raise InvalidInput({"tags": "Write the tags, with commas between."})
    act = _ACTS[wanted.act]
    return await _each(in_transaction, wanted.id, lambda work, number: act(work, actor, number, wanted))


async def describe(in_transaction: _InTransaction, actor: Actor, wanted: Mapping[int, DescriptionInput]) -> Report:
    """Alternative texts, each in a transaction of its own."""

    async def act(work: Work, number: int) -> None:
        await media_changes.describe(work, actor, number, wanted[number].model_dump())

    return await _each(in_transaction, wanted, act)


async def _each(in_transaction: _InTransaction, numbers: Iterable[int], act: Callable[[Work, int], Awaitable[None]]) -> Report:
    report = Report()
    for number in numbers:
        try:
            await in_transaction(lambda work, number=number: act(work, number))  # type: ignore[misc]
        except (NotFound, Forbidden):
            report.refused[number] = NOT_YOURS
        except CMSError as error:
            report.refused[number] = error.message
        else:
            report.done.append(number)
    return report


async def in_use(session: AsyncSession, actor: Actor, wanted: LibraryBulk) -> list[tuple[Asset, Uses]]:
    """What of the chosen would be missing somewhere, with the places, unless the actor has been told of all that readers see."""
    assets = await library.some(session, actor, wanted.id)
    mine = [asset.id for asset in assets.values() if policy.allows(actor, Capability.MEDIA_DELETE, asset)]
    used = await session.scalars(select(Asset.id).where(Asset.id.in_(mine), media_places.is_used()).order_by(Asset.id))
    found = [(assets[number], await media_places.find(session, actor, number)) for number in used]
    return [(asset, uses) for asset, uses in found if not is_known(wanted, uses)]


def is_known(wanted: LibraryBulk, uses: Uses) -> bool:
    """Whether somebody who was shown the places said that it may go; of another text that readers see by now he is told first."""
    return not uses or (wanted.is_confirmed and {place.post_id for place in uses.places if place.is_live} <= {*wanted.knowing})


# --- acts on one -----------------------------------------------------------------------------------------------------------


async def _move(work: Work, actor: Actor, asset_id: int, wanted: LibraryBulk) -> None:
    folder_id = (await folders.get(work.session, wanted.to_folder)).id if wanted.to_folder else None
    file(work, actor, await library.hold(work, actor, asset_id, Capability.MEDIA_EDIT), folder_id)


def file(work: Work, actor: Actor, asset: Asset, folder_id: int | None) -> None:
    """Into this folder, or into none."""
    if asset.folder_id != folder_id:
        audit.note(work, actor, "media.move", "asset", asset.id, before={"folder": asset.folder_id}, after={"folder": folder_id})
        asset.folder_id, asset.updated_at = folder_id, work.now
        media.tell(work)


async def _add_tags(work: Work, actor: Actor, asset_id: int, wanted: LibraryBulk) -> None:
    asset = await library.hold(work, actor, asset_id, Capability.MEDIA_EDIT)
    await set_tags(work, actor, asset, [*await tags_of(work.session, asset_id), *wanted.tags])


async def _remove_tags(work: Work, actor: Actor, asset_id: int, wanted: LibraryBulk) -> None:
    asset, leaving = await library.hold(work, actor, asset_id, Capability.MEDIA_EDIT), {library.tag_key(name) for name in wanted.tags}
    await set_tags(work, actor, asset, [name for name in await tags_of(work.session, asset_id) if library.tag_key(name) not in leaving])


async def _trash(work: Work, actor: Actor, asset_id: int, wanted: LibraryBulk) -> None:
    asset = await library.hold(work, actor, asset_id, Capability.MEDIA_DELETE)
    uses = await media_places.find(work.session, actor, asset_id)
    if not is_known(wanted, uses):
        raise InUse
    asset.trashed_at, asset.updated_at = work.now, work.now
    media.tell(work)
    audit.note(work, actor, "media.trash", "asset", asset_id)
    await jobs.enqueue(work, renewing.JOB, asset=asset_id)


async def _restore(work: Work, actor: Actor, asset_id: int, _wanted: LibraryBulk) -> None:
    asset = await library.hold(work, actor, asset_id, Capability.MEDIA_DELETE, in_trash=True)
    asset.trashed_at, asset.updated_at = None, work.now
    media.tell(work)
    audit.note(work, actor, "media.restore", "asset", asset_id)
    await jobs.enqueue(work, renewing.JOB, asset=asset_id)


async def _delete(work: Work, actor: Actor, asset_id: int, _wanted: LibraryBulk) -> None:
    asset = await library.hold(work, actor, asset_id, Capability.MEDIA_DELETE, in_trash=True)
    await _forget(work, actor, [asset])


_ACTS = {
    "move": _move,
    "add_tags": _add_tags,
    "remove_tags": _remove_tags,
    "trash": _trash,
    "restore": _restore,
    "delete": _delete,
}


# --- tags ------------------------------------------------------------------------------------------------------------------


async def tags_of(session: AsyncSession, asset_id: int) -> Sequence[str]:
    return (await session.scalars(select(AssetTag.name).where(AssetTag.asset_id == asset_id).order_by(AssetTag.folded))).all()


async def set_tags(work: Work, actor: Actor, asset: Asset, names: Iterable[str]) -> bool:
    """Whether they are others now. A tag is written as somebody wrote it first."""
    wanted: dict[str, str] = {}
    for name in names:
        wanted.setdefault(library.tag_key(name), name)
    if len(wanted) > MAX_TAGS:
        raise InvalidInput({"tags": say("It would have more than {most} tags.", most=MAX_TAGS)})
    before = {library.tag_key(name) for name in await tags_of(work.session, asset.id)}
    if before == wanted.keys():
        return False
    new = wanted.keys() - before
    written = select(AssetTag.folded, AssetTag.name).where(AssetTag.folded.in_(new)).order_by(AssetTag.asset_id.desc())
    known = dict((await work.session.execute(written)).all())
    await work.session.execute(delete(AssetTag).where(AssetTag.asset_id == asset.id, AssetTag.folded.in_(before - wanted.keys())))
    work.session.add_all(AssetTag(asset_id=asset.id, folded=folded, name=known.get(folded, wanted[folded])) for folded in sorted(new))
    asset.updated_at = work.now
    media.tell(work)
    audit.note(work, actor, "media.tag", "asset", asset.id)
    await work.session.flush()
    return True


# --- the end ---------------------------------------------------------------------------------------------------------------


async def prune(database: Database) -> None:
    """Delete what has been in the trash for as long as the site keeps it there."""
    async with database.read() as session:
        days = (await site.get_limits(session)).trash_days
    number = AT_ONCE
    while number == AT_ONCE:
        async with database.transaction() as work:
            old = Asset.trashed_at < work.now - timedelta(days=days)
            gone = (await work.session.scalars(select(Asset).where(old).order_by(Asset.id).limit(AT_ONCE).with_for_update())).all()
            await _forget(work, SYSTEM, gone)
        number = len(gone)


async def _forget(work: Work, actor: Actor, gone: Sequence[Asset]) -> None:
    """The rows now, the bytes by jobs, which look again whether another asset names them."""
    for asset in gone:
        media.tell(work)
        audit.note(work, actor, "media.delete", "asset", asset.id, name=asset.name)
        await work.session.delete(asset)
        await media.forget(work, asset.digest, asset.shown_digest)
    await work.session.flush()
