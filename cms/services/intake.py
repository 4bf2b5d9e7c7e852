"""The one way for bytes to become an asset, whoever brings them (docs/decisions/0015-media.md, "The order of things")."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

from sqlalchemy import select, update

from cms import policy
from cms.content.folding import fold
from cms.content.slugs import slugify
from cms.db.session import Database, Work
from cms.errors import CMSError, Forbidden, InvalidInput, TooLarge, WrongKind
from cms.imaging import Imaging
from cms.media.kinds import SVG, UNKNOWN, Prepared, Probed
from cms.media.room import room
from cms.media.storage import Storage
from cms.models import Asset, Upload
from cms.models.media import AssetState, MediaKind
from cms.policy import Actor, Capability
from cms.schemas.site import FileGroup, MediaInput
from cms.services import audit, jobs, media, media_changes, renditions, site
from cms.services.media import storage_name
from cms.services.media_changes import Sent, Shown
from cms.wording import phrases, say

GROUPS: dict[FileGroup, str] = phrases(
    {
        "pictures": "Pictures (JPEG, PNG, GIF, WebP, AVIF)",
        "drawings": "Drawings (SVG)",
        "sound": "Sound",
        "films": "Films, and their captions (WebVTT)",
        "documents": "Documents (PDF, office, e-books, plain text)",
        "archives": "Archives (ZIP)",
        "others": "Everything else, which readers can only download",
    }
)
_BY_TYPE: dict[str, FileGroup] = {SVG: "drawings", "application/zip": "archives", UNKNOWN: "others"}
_BY_KIND: dict[str, FileGroup] = {"picture": "pictures", "audio": "sound", "video": "films", "captions": "films", "file": "documents"}

FOLDER = "incoming"  # in the data folder
EMPTY = "This file is empty."
NOT_TAKEN = say("Files of this kind are not taken here.")
EVERYTHING = MediaInput.model_validate({"kinds": [*GROUPS], "largest": 100_000})
IN_TRASH = "This file is in the trash, and somebody else brought it. Ask an editor to take it out."

Result = TypeVar("Result")
Act = Callable[[Work], Awaitable[Result]]


class Run(Protocol):
    """An act in a transaction: of a request, or of the database itself."""

    def __call__(self, act: Act[Result], /) -> Awaitable[Result]: ...


@dataclass(frozen=True, slots=True)
class Brought:
    """What is said of a file by whoever brings it. ``upload_id``: the upload that it was; ``replaces_id``: the asset whose file it is."""

    name: str  # "": named by its bytes
    alt: str = ""
    folder_id: int | None = None
    in_library: bool = True
    upload_id: str = ""
    replaces_id: int | None = None
    is_from_library: bool = False  # another one of ours had taken it


@dataclass(frozen=True, slots=True)
class Taken:
    """``is_known``: these bytes were here before."""

    asset: Asset
    is_known: bool


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found out of a file before anything of it is kept. ``shown``: a file with what readers get, if it is another."""

    digest: str
    size: int  # bytes
    probed: Probed
    shown: Path | None
    shown_digest: str
    shown_size: int
    width: int | None
    height: int | None


@dataclass(frozen=True, slots=True)
class Intake:
    database: Database
    storage: Storage
    imaging: Imaging
    folder: Path  # for files while they are looked at

    def room(self) -> AbstractAsyncContextManager[Path]:
        return room(self.folder)

    async def take_bytes(self, actor: Actor, content: bytes, brought: Brought, run: Run | None = None) -> Taken:
        async with self.room() as room:
            path = room / "sent"
            await asyncio.to_thread(path.write_bytes, content)
            return await self.take(actor, path, brought, run)

    async def take(self, actor: Actor, path: Path, brought: Brought, run: Run | None = None) -> Taken:
        """An asset that is ready. The same bytes are the same asset, out of the trash if it was there and this is for the actor to do.

        Raises ``InvalidInput`` (of ``file``) for what is broken or not taken here; nothing of it is kept then.
        """
        policy.require(actor, Capability.MEDIA_UPLOAD if brought.in_library else Capability.ACCOUNT_KEEP)
        run = run or self.database.run
        digest = await asyncio.to_thread(digest_of, path)
        if not brought.replaces_id and (known := await run(partial(_find_ready, actor=actor, digest=digest, brought=brought))):
            await self._put_back(path, known)
            return Taken(known, True)
        async with self.room() as room:
            looked = await self._look(path, digest, await self._rules(actor, brought), room / "shown")
            if brought.replaces_id:
                return Taken(await self._replace(actor, path, looked, brought, run), False)
            asset = await run(partial(_begin, actor=actor, looked=looked, brought=brought))
            if asset.state is AssetState.STORING:
                await self._store(path, looked)
        return Taken(await run(partial(_settle, actor=actor, asset_id=asset.id, brought=brought)), False)

    async def _put_back(self, path: Path, asset: Asset) -> None:
        """What was lost or damaged of it, as here it is again."""
        if await self.storage.size(storage_name(asset.digest)) != asset.size:
            await self.storage.put_file(storage_name(asset.digest), path)
        if await self.storage.size(storage_name(asset.shown_digest)) != asset.shown_size:
            async with self.room() as room:
                made = await self.shown(path, room / "shown", asset.edits)
                if made.digest == asset.shown_digest:
                    await self.storage.put_file(storage_name(made.digest), path if made.is_same else room / "shown")

    async def shown(self, path: Path, out: Path, edits: Mapping[str, Any]) -> Prepared:
        """What readers get of a picture that was sent, with these edits."""
        async with self.database.read() as session:
            rules = await site.get_media(session)
        crop = tuple(edits["crop"]) if "crop" in edits else None
        return await self.imaging.prepare(path, out, rotation=edits.get("rotation", 0), crop=crop, strip_all=rules.strips_all)

    async def _replace(self, actor: Actor, path: Path, looked: Looked, brought: Brought, run: Run) -> Asset:
        """Its row names the new bytes when they are there. Of what is refused they go again, unless something else has them."""
        await self._store(path, looked)
        try:
            return await run(partial(_put_in_place, actor=actor, looked=looked, brought=brought))
        except CMSError:
            await run(lambda work: media.forget(work, looked.digest, looked.shown_digest))
            raise

    async def _store(self, path: Path, looked: Looked) -> None:
        await self.storage.put_file(storage_name(looked.digest), path)
        if looked.shown:
            await self.storage.put_file(storage_name(looked.shown_digest), looked.shown)

    async def _rules(self, actor: Actor, brought: Brought) -> MediaInput:
        """Whoever brings a whole site in has chosen before; what is no matter of the library is small, and made by us."""
        if brought.is_from_library:
            return EVERYTHING
        if not actor.is_signed_in or not brought.in_library:
            return MediaInput.model_validate({})
        async with self.database.read() as session:
            return await site.get_media(session)

    async def _look(self, path: Path, digest: str, rules: MediaInput, out: Path) -> Looked:
        probed = await self.probe(path, rules)
        size = (await asyncio.to_thread(path.stat)).st_size
        if probed.kind != "picture":
            return Looked(digest, size, probed, None, digest, size, probed.width, probed.height)
        made = await self.imaging.prepare(path, out, strip_all=rules.strips_all)
        return Looked(digest, size, probed, None if made.is_same else out, made.digest, made.size, made.width, made.height)

    async def probe(self, path: Path, rules: MediaInput) -> Probed:
        """What a file is. Raises ``InvalidInput`` (of ``file``) if it is not taken."""
        size = (await asyncio.to_thread(path.stat)).st_size
        if not size:
            raise InvalidInput({"file": EMPTY})
        refuse_size(rules, size)
        probed = await self.imaging.probe(path)
        if group_of(probed.content_type, probed.kind) not in rules.kinds:
            raise WrongKind({"file": NOT_TAKEN})
        return probed


def group_of(content_type: str, kind: str) -> FileGroup:
    return _BY_TYPE.get(content_type) or _BY_KIND[kind]


def refuse_size(rules: MediaInput, size: int) -> None:
    if size > rules.largest_bytes:
        raise TooLarge({"file": say("This is too large: {size} MB at most, please.", size=rules.largest)})


def digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


async def _find_ready(work: Work, actor: Actor, digest: str, brought: Brought) -> Asset | None:
    asset = await _find(work, digest)
    if asset is None or asset.state is not AssetState.READY:
        return None
    await _show_again(work, actor, asset, brought)
    return asset


async def _find(work: Work, digest: str) -> Asset | None:
    return (await work.session.scalars(select(Asset).where(Asset.digest == digest).with_for_update())).one_or_none()


async def _show_again(work: Work, actor: Actor, asset: Asset, brought: Brought) -> None:
    """What somebody brings a second time is to be seen where he brought it."""
    if asset.trashed_at is not None:
        if not policy.allows(actor, Capability.MEDIA_EDIT, asset):
            raise Forbidden(IN_TRASH)
        asset.trashed_at = None
        audit.note(work, actor, "media.restore", "asset", asset.id)
        media.tell(work)
    asset.in_library = asset.in_library or brought.in_library
    await work.session.flush()
    await _note_upload(work, asset, brought)


async def _begin(work: Work, actor: Actor, looked: Looked, brought: Brought) -> Asset:
    """The row, before the bytes. One that is there already was left by a crash, or somebody else brings the same at this moment."""
    shown = {"shown_digest": looked.shown_digest, "shown_size": looked.shown_size, "width": looked.width, "height": looked.height}
    if asset := await _find(work, looked.digest):
        if asset.state is AssetState.STORING:  # what readers get may be made in another way by now
            for name, value in shown.items():
                setattr(asset, name, value)
            await work.session.flush()
        return asset
    probed = looked.probed
    asset = Asset(
        **shown,
        digest=looked.digest,
        name=_named(brought.name or looked.digest[:16], probed),
        kind=MediaKind(probed.kind),
        content_type=probed.content_type,
        state=AssetState.STORING,
        in_library=brought.in_library,
        size=looked.size,
        frames=probed.frames,
        duration=probed.duration,
        alt=brought.alt,
        folded=fold(f"{brought.name} {brought.alt}"),
        folder_id=brought.folder_id,
        created_at=work.now,
        created_by_id=actor.user_id,
        updated_at=work.now,
    )
    work.session.add(asset)
    await work.session.flush()
    return asset


def _named(name: str, probed: Probed) -> str:
    """As in its address: what a person called it, with the ending that its content has."""
    return f"{slugify(media.stem_of(name)) or 'file'}.{probed.extension_for(name)}"


async def _settle(work: Work, actor: Actor, asset_id: int, brought: Brought) -> Asset:
    """All bytes are there. Nobody has seen it before."""
    asset = await work.session.get_one(Asset, asset_id, with_for_update=True, populate_existing=True)
    if asset.state is AssetState.STORING:
        await make_ready(work, actor, asset)
    await _note_upload(work, asset, brought)
    return asset


async def make_ready(work: Work, actor: Actor, asset: Asset) -> None:
    asset.state = AssetState.READY
    await work.session.flush()
    if asset.kind is MediaKind.PICTURE and asset.in_library:
        await jobs.enqueue(work, renditions.JOB, asset=asset.id)
    audit.note(work, actor, "media.add", "asset", asset.id)
    if asset.in_library:
        media.tell(work)


async def _put_in_place(work: Work, actor: Actor, looked: Looked, brought: Brought) -> Asset:
    probed, shown = looked.probed, Shown(looked.shown_digest, looked.shown_size, looked.width, looked.height)
    ending = probed.extension_for(brought.name)
    sent = Sent(
        looked.digest, looked.size, MediaKind(probed.kind), probed.content_type, ending, probed.frames, probed.duration, shown
    )  # fmt: skip
    asset = await media_changes.replace(work, actor, brought.replaces_id or 0, sent)
    await _note_upload(work, asset, brought)
    return asset


async def _note_upload(work: Work, asset: Asset, brought: Brought) -> None:
    if brought.upload_id:
        await work.session.execute(update(Upload).where(Upload.id == brought.upload_id).values(asset_id=asset.id, active_at=work.now))
