"""What happens to an asset after it was brought: another file, another cut, another name, other words. Texts that show it follow by a job.

The slow part (looking at the file, making what is shown) was done before, outside the transaction.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from cms.content.folding import fold
from cms.content.slugs import slugify
from cms.db.session import Work
from cms.errors import Conflict, InvalidInput
from cms.models import Asset, AssetAddress
from cms.models.media import MediaKind
from cms.policy import Actor, Capability
from cms.services import audit, jobs, media, renditions, renewing
from cms.wording import say

WORDS = ("alt", "is_decorative", "caption", "credit", "licence", "description")
_SHOWN = frozenset({"name", "alt", "is_decorative", "caption", "credit", "licence", "focus_x", "focus_y", "shown_digest", "poster_id"})
_SEARCHED = ("name", "alt", "caption", "credit", "description")


@dataclass(frozen=True, slots=True)
class Shown:
    """What readers get of an asset; its bytes are in the storage."""

    digest: str
    size: int  # bytes
    width: int | None
    height: int | None


@dataclass(frozen=True, slots=True)
class Sent:
    """A file that was looked at; the bytes are in the storage, as are those that are ``shown`` of it."""

    digest: str
    size: int
    kind: MediaKind
    content_type: str
    extension: str
    frames: int
    duration: float | None
    shown: Shown


async def describe(work: Work, actor: Actor, asset_id: int, changes: Mapping[str, Any], version: int | None = None) -> Asset:
    """Words, name and focus. ``version``: that somebody saw; raises ``Conflict`` if it is another by now."""
    asset = await _hold(work, actor, asset_id, version)
    if "name" in changes:
        changes = {**changes, "name": named(asset.name, changes["name"])}
    await _change(work, actor, asset, "media.edit", changes)
    return asset


async def edit(
    work: Work, actor: Actor, asset_id: int, version: int | None, edits: Mapping[str, Any], shown: Shown, *, is_followed: bool = True
) -> Asset:
    """Rotated and cropped: ``shown`` was made of the sent bytes with these ``edits``. Not ``is_followed``: whoever does this sees to the
    renditions and the texts himself."""
    asset = await _hold(work, actor, asset_id, version)
    await _change(work, actor, asset, "media.edit", {"edits": dict(edits), **_of(shown)}, is_followed=is_followed)
    return asset


async def replace(work: Work, actor: Actor, asset_id: int, sent: Sent) -> Asset:
    """Another file takes its place, everywhere. Raises ``InvalidInput`` if it is of another kind, or an asset of its own."""
    asset = await _hold(work, actor, asset_id, None)
    if sent.kind is not asset.kind:
        raise InvalidInput({"file": "This is something else than what is there; texts that show it would break. Upload it by itself."})
    other = await work.session.scalar(select(Asset).where(Asset.digest == sent.digest, Asset.id != asset.id))
    if other:
        raise InvalidInput({"file": say("This very file is in the library already, as “{name}”.", name=other.name)})
    stem = media.stem_of(asset.name)
    file = {"digest": sent.digest, "size": sent.size, "content_type": sent.content_type, "frames": sent.frames, "duration": sent.duration}
    changes = {**file, **_of(sent.shown), "edits": {}, "name": f"{stem}.{sent.extension}", "focus_x": 50, "focus_y": 50}
    before = asset.digest
    await _change(work, actor, asset, "media.replace", changes)
    if before != sent.digest:
        await media.forget(work, before)
    return asset


def named(now: str, wanted: str) -> str:
    """The name in the address: what somebody typed, with the extension that it has."""
    _, dot, extension = now.rpartition(".")
    typed = wanted.removesuffix(f".{extension}") if dot else wanted
    made = slugify(typed)[:150]
    if not made:
        raise InvalidInput({"name": "A name needs at least one letter or digit."})
    return f"{made}{dot}{extension}"


def _of(shown: Shown) -> dict[str, Any]:
    return {"shown_digest": shown.digest, "shown_size": shown.size, "width": shown.width, "height": shown.height}


async def _hold(work: Work, actor: Actor, asset_id: int, version: int | None) -> Asset:
    asset = await media.hold(work, actor, asset_id, Capability.MEDIA_EDIT)
    if version is not None and asset.version != version:
        raise Conflict
    return asset


async def _change(work: Work, actor: Actor, asset: Asset, action: str, changes: Mapping[str, Any], *, is_followed: bool = True) -> None:
    before = {name: getattr(asset, name) for name in changes}
    changed = {name for name in changes if before[name] != changes[name]}
    if not changed:
        return
    former, former_shown = (asset.mark, asset.name), asset.shown_digest
    for name in changed:
        setattr(asset, name, changes[name])
    asset.updated_at = work.now
    asset.folded = fold(" ".join(getattr(asset, name) for name in _SEARCHED))
    await work.session.flush()
    if (asset.mark, asset.name) != former:
        await _remember(work, asset, *former)
    media.tell(work)
    audit.note(work, actor, action, "asset", asset.id, **audit.difference(before, {name: changes[name] for name in changes}))
    if asset.shown_digest != former_shown:
        await media.forget(work, former_shown)
    if asset.shown_digest != former_shown and is_followed:
        await jobs.enqueue(work, renditions.JOB, asset=asset.id)
    if changed & _SHOWN and is_followed:
        await jobs.enqueue(work, renewing.JOB, asset=asset.id)


async def _remember(work: Work, asset: Asset, mark: str, name: str) -> None:
    row = {"asset_id": asset.id, "mark": mark, "name": name}
    await work.session.execute(work.dialect.insert(AssetAddress).values(row).on_conflict_do_nothing())
