"""What is typed into the page of an asset, kept: words, folder, tags, and the cut of a picture, of which what readers get is made anew."""

from collections.abc import Mapping
from typing import Any

from cms import policy
from cms.db.session import Work
from cms.errors import CMSError, Conflict, InvalidInput, NotFound
from cms.models import Asset
from cms.models.media import MediaKind
from cms.policy import SYSTEM, Actor, Capability
from cms.schemas.library import AssetInput
from cms.services import folders, library, library_acts, media, media_changes
from cms.services.intake import Intake, Run
from cms.services.media import storage_name
from cms.services.media_changes import Shown


async def save(intake: Intake, run: Run, actor: Actor, asset: Asset, wanted: AssetInput) -> None:
    """All that is said of it. Raises ``Conflict`` if somebody else changed it meanwhile; what was made of the picture goes again then."""
    shown = await _cut(intake, actor, asset, wanted.edits)
    try:
        await run(lambda work: _save(work, actor, asset.id, wanted, shown))
    except CMSError:
        if shown:
            await run(lambda work: media.forget(work, shown.digest))
        raise


async def _cut(intake: Intake, actor: Actor, asset: Asset, edits: Mapping[str, Any]) -> Shown | None:
    """What readers get of a picture with these edits, made of what was sent; None if they are what it has already."""
    is_wanted = dict(asset.edits) != dict(edits) and is_cut(asset) and policy.allows(actor, Capability.MEDIA_EDIT, asset)
    return await _made(intake, asset, edits) if is_wanted else None


async def _made(intake: Intake, asset: Asset, edits: Mapping[str, Any]) -> Shown:
    async with intake.room() as room:
        sent = await intake.storage.local_file(storage_name(asset.digest), room)
        made = await intake.shown(sent, room / "shown", edits)
        if not made.is_same:
            await intake.storage.put_file(storage_name(made.digest), room / "shown")
    return Shown(made.digest, made.size, made.width, made.height)


async def make_all_again(intake: Intake) -> None:
    """What readers get of every picture: after an upgrade from a release that gave them what was sent. A broken one stays as it is.
    Renditions and texts are made again after all of them."""
    async with intake.database.read() as session:
        pictures = await media.list_pictures_of_all(session)
    for asset in pictures:
        while not await _is_made_again(intake, asset.id):
            pass  # somebody changed it meanwhile, perhaps its very file


async def _is_made_again(intake: Intake, asset_id: int) -> bool:
    async with intake.database.read() as session:
        asset = await session.get(Asset, asset_id)
    if asset is None:
        return True
    try:
        shown = await _made(intake, asset, asset.edits)
        if shown.digest != asset.shown_digest:
            async with intake.database.transaction() as work:
                await media_changes.edit(work, SYSTEM, asset.id, asset.version, asset.edits, shown, is_followed=False)
    except Conflict:
        return False
    except (InvalidInput, NotFound):
        return True
    return True


def is_cut(asset: Asset) -> bool:
    """Whether it can be: a picture of dots, and not a drawing, that does not move."""
    return asset.kind is MediaKind.PICTURE and asset.content_type != "image/svg+xml" and asset.frames == 1


async def _save(work: Work, actor: Actor, asset_id: int, wanted: AssetInput, shown: Shown | None) -> None:
    asset = await library.hold(work, actor, asset_id, Capability.MEDIA_EDIT)
    focus = {"focus_x": wanted.focus_x, "focus_y": wanted.focus_y} if asset.kind is MediaKind.PICTURE else {}
    poster = {"poster_id": await _poster(work, actor, wanted)} if asset.kind is MediaKind.VIDEO else {}
    asset = await media_changes.describe(work, actor, asset_id, {**wanted.words, **focus, **poster}, wanted.version)
    if shown is not None:
        asset = await media_changes.edit(work, actor, asset_id, asset.version, wanted.edits, shown)
    folder_id = (await folders.get(work.session, wanted.folder)).id if wanted.folder else None
    library_acts.file(work, actor, asset, folder_id)
    await library_acts.set_tags(work, actor, asset, wanted.tags)


async def _poster(work: Work, actor: Actor, wanted: AssetInput) -> int | None:
    poster = (await library.some(work.session, actor, [wanted.poster])).get(wanted.poster)
    if wanted.poster and (poster is None or poster.kind is not MediaKind.PICTURE or poster.trashed_at is not None):
        raise InvalidInput({"poster": "Choose a picture of the library."})
    return poster.id if poster else None
