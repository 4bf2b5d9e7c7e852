"""The whole site as a folder of Markdown: for other programs, for a repository, or to move in elsewhere.

Readers' versions of what is public, drafts of what never was, and all of the library; what lies in the trash stays there.
"""

import asyncio
import contextlib
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, count
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from cms.db.session import Database
from cms.errors import NotFound, OperatorError
from cms.exchange.markdown_folder.library import LIBRARY, LIBRARY_FILE
from cms.exchange.markdown_folder.links import Reference, rewrite
from cms.exchange.markdown_folder.source import Document, is_inside
from cms.exchange.markdown_folder.squall import CONTENT, FORMAT, SITE_FILE
from cms.media.storage import Storage
from cms.models import Asset, CustomField
from cms.models.post import Kind, Visibility
from cms.services import custom_fields, folders, media, media_changes, site, transfers
from cms.services.transfers import Outgoing, OutgoingFile
from cms.wording import say

WRITTEN = "written.txt"  # what an export wrote, a file on each line: the next one clears away what is no more, and nothing else
_MEDIA = re.compile(r"/media/(\d{1,18})/(?:[0-9a-f]{12}/)?[^/\s]+")
_UNSAFE = re.compile(r'[\x00-\x1f<>:"|?*\\]')
AT_ONCE = 100  # files of the library that are asked for together
LONGEST_NAME = 120  # characters of one part of a path

Progress = Callable[[str, int, int], None]


async def write_folder(database: Database, storage: Storage, public_url: str, folder: Path, progress: Progress) -> Counter[str]:
    """How much was written. Raises ``OperatorError`` if something else is in the folder. Written again, it says what the site says now."""
    _require_ours(folder)
    try:
        return await _write_all(database, storage, public_url, folder, progress)
    except OSError as error:
        raise OperatorError(say("{folder} cannot be written to: {reason}.", folder=folder, reason=error.strerror)) from None


async def _write_all(database: Database, storage: Storage, public_url: str, folder: Path, progress: Progress) -> Counter[str]:
    async with database.read() as session:
        frame = await site.get_frame(session)
        ids = await transfers.outgoing_ids(session)
        fields = [field for each in (await custom_fields.all_of(session)).values() for field in each]
    about = {
        "squall": FORMAT, "title": frame.name, "description": frame.description, "base_url": public_url,
        "language": frame.language, "time_zone": frame.time_zone, "permalink": frame.permalink,
        **({"fields": [_field(each) for each in fields]} if fields else {}),
    }  # fmt: skip
    await asyncio.to_thread(_write, folder / SITE_FILE, yaml.safe_dump(about, allow_unicode=True, sort_keys=False).encode())
    writing = _Writing(database, storage, folder, public_url.rstrip("/"))
    before = writing.listed()
    for done, post_id in enumerate(ids, start=1):
        await writing.add(post_id)
        progress("texts", done, len(ids))
    await writing.add_library(progress)
    await asyncio.to_thread(writing.clear_away, before)
    return writing.counts


def _require_ours(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        is_other = any(folder.iterdir()) and not (folder / SITE_FILE).is_file()
    except OSError as error:
        raise OperatorError(say("{folder} cannot be written to: {reason}.", folder=folder, reason=error.strerror)) from None
    if is_other:
        problem = say("{folder} has something else in it; name an empty folder, or one that an earlier export made.", folder=folder)
        raise OperatorError(problem)


@dataclass
class _Writing:
    database: Database
    storage: Storage
    folder: Path
    public_url: str
    counts: Counter[str] = field(default_factory=Counter)
    written: dict[str, None] = field(default_factory=dict)  # files below the folder, in order
    places: dict[int, str] = field(default_factory=dict)  # of the library's files: where the first copy is

    async def add(self, post_id: int) -> None:
        async with self.database.read() as session:
            post = await transfers.outgoing(session, post_id)
            targets = _targets(post.content)
            wanted = {number for target in targets if (number := self._number(target))} | {
                *post.custom_pictures.values(),
                post.picture or 0,
            } - {0}
            assets = await transfers.assets(session, wanted)
        target = f"{CONTENT}/{_folder_of(post).as_posix()}"
        names = _names(assets, {*targets, "index.md"})
        body = rewrite(_as_document(post.content), lambda reference: names.get(self._number(reference.target)))
        for asset in assets.values():
            await self._copy(asset, f"{target}/{names[asset.id]}")
        header = yaml.safe_dump(_header(post, names), allow_unicode=True, sort_keys=False, width=1000)
        await self._write(f"{target}/index.md", f"---\n{header}---\n{body}\n".encode())
        self.counts["drafts" if post.dates is None else f"{post.kind}s"] += 1

    async def add_library(self, progress: Progress) -> None:
        """What no text shows, and what is known of all."""
        async with self.database.read() as session:
            ids = await transfers.outgoing_asset_ids(session)
            paths = {branch.folder.id: branch.names for branch in await folders.tree(session)}
        known: dict[str, OutgoingFile] = {}
        for at in range(0, len(ids), AT_ONCE):
            async with self.database.read() as session:
                files = await transfers.outgoing_files(session, ids[at : at + AT_ONCE])
            for file in files:
                if file.asset.id not in self.places:
                    await self._copy(file.asset, self._in_library(file.asset, paths.get(file.asset.folder_id or 0, ())))
                if place := self.places.get(file.asset.id):
                    known[place] = file
            progress("files", at + len(files), len(ids))
        said = {place: _about(place, file, paths.get(file.asset.folder_id or 0, ()), self.places) for place, file in known.items()}
        text = json.dumps({"folders": list(paths.values()), "files": said}, ensure_ascii=False, indent=1)
        await asyncio.to_thread(_write, self.folder / LIBRARY_FILE, text.encode())

    def _in_library(self, asset: Asset, names: Sequence[str]) -> str:
        """A place of its own."""
        beside = "/".join([LIBRARY, *map(_safe, names)])
        places = (f"{beside}/{name}" for name in chain([asset.name], [f"{asset.id}-{asset.name}"]))
        return next(place for place in places if place not in self.written)

    def _number(self, target: str) -> int:
        """Of the file of ours that a target names, or 0."""
        found = _MEDIA.fullmatch(target.removeprefix(self.public_url))
        return int(found[1]) if found else 0

    async def _copy(self, asset: Asset, target: str) -> None:
        """As readers get it: turned and cut, and without the place where it was taken."""
        await self._note(target)
        path = self.folder / target
        try:
            await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
            with await asyncio.to_thread(path.open, "wb") as file:
                async for piece in self.storage.read(media.storage_name(asset.shown_digest)):
                    await asyncio.to_thread(file.write, piece)
        except NotFound:
            await asyncio.to_thread(path.unlink)
            return  # doctor says so
        self.written[target] = None
        self.places.setdefault(asset.id, target)
        self.counts["files"] += 1

    async def _write(self, file: str, content: bytes) -> None:
        await self._note(file)
        await asyncio.to_thread(_write, self.folder / file, content)
        self.written[file] = None

    async def _note(self, file: str) -> None:
        """Before it is written, so that the next export knows of it if this one breaks off."""
        await asyncio.to_thread(_append, self.folder / WRITTEN, f"{file}\n")

    def listed(self) -> set[str]:
        """What earlier exports wrote, those that broke off included."""
        try:
            return set((self.folder / WRITTEN).read_text(encoding="utf-8").splitlines())
        except (OSError, ValueError):
            return set()

    def clear_away(self, before: set[str]) -> None:
        for file in sorted(before - self.written.keys()):
            if (top := _top_of(file)) and is_inside(self.folder, (self.folder / file).parent):
                _remove(self.folder / file, self.folder / top)
        _write(self.folder / WRITTEN, "".join(f"{file}\n" for file in self.written).encode())


def _header(post: Outgoing, names: dict[int, str]) -> dict[str, Any]:
    """What is empty is left out."""
    said = {
        "title": post.title,
        "kind": "page" if post.kind is Kind.PAGE else None,
        "path": post.path,
        "slug": post.slug,
        "aliases": list(post.former),
        "date": post.dates.published.isoformat() if post.dates else None,
        "updated": post.dates.updated.isoformat() if post.dates and post.dates.updated != post.dates.published else None,
        "expires": post.over_since.isoformat() if post.over_since else None,
        "draft": post.dates is None,
        "visibility": post.visibility.value if post.visibility is not Visibility.PUBLIC else None,
        "authors": list(post.authors),
        "category": post.category,
        "tags": list(post.tags),
        "series": post.series,
        "part": post.part,
        "summary": post.excerpt,
        **post.meta,
        "language": post.language,
        "picture": names.get(post.picture) if post.picture else None,
        "custom": {**post.custom, **{key: {"picture": names[number]} for key, number in post.custom_pictures.items() if number in names}},
    }
    return {name: value for name, value in said.items() if value or name == "title"}


def _about(place: str, file: OutgoingFile, folder: Sequence[str], places: Mapping[int, str]) -> dict[str, Any]:
    """What the library says of a file, but for what it says of every new one."""
    asset = file.asset
    is_centred = (asset.focus_x, asset.focus_y) == (50, 50)
    captions = [{"language": track.language, "label": track.label, "file": places.get(track.track_id)} for track in file.tracks]
    said = {
        "name": asset.name if PurePosixPath(place).name != asset.name else None,
        **{name: getattr(asset, name) for name in media_changes.WORDS},
        **({} if is_centred else {"focus_x": asset.focus_x, "focus_y": asset.focus_y}),
        "tags": file.tags,
        "folder": folder,
        "poster": places.get(asset.poster_id or 0),
        "captions": [each for each in captions if each["file"]],
        "old": file.old,
    }
    return {name: value for name, value in said.items() if value or name.startswith("focus")}


def _field(field: CustomField) -> dict[str, Any]:
    said = {
        "key": field.key, "kind": field.kind.value, "label": field.label, "type": field.type.value, "help": field.help,
        "choices": field.choices, "is_required": field.is_required,
    }  # fmt: skip
    return {name: value for name, value in said.items() if value}


def _folder_of(post: Outgoing) -> Path:
    """Its address; for what has none, a folder that no address is."""
    parts = [_safe(part) for part in post.path.split("/")] if post.path else ["_drafts", str(post.post_id)]
    return Path(*parts)


def _safe(part: str) -> str:
    """A name that every file system takes and that leads nowhere else; another part never gets the same one."""
    name = _UNSAFE.sub("_", part).strip(" .")
    if name == part and len(name) <= LONGEST_NAME:
        return name
    return f"{name[:LONGEST_NAME]}-{hashlib.sha256(part.encode()).hexdigest()[:8]}"


def _as_document(body: str) -> Document:
    return Document(file="", title="", body=body)


def _targets(body: str) -> set[str]:
    targets: set[str] = set()

    def note(reference: Reference) -> None:
        targets.add(reference.target)

    rewrite(_as_document(body), note)
    return targets


def _names(assets: dict[int, Asset], taken: set[str]) -> dict[int, str]:
    """A file name for each, no two the same, and none that the text names without meaning it."""
    names: dict[int, str] = {}
    for asset_id, asset in sorted(assets.items()):
        ways = chain([asset.name], (f"{number}-{asset.name}" for number in count(asset_id)))
        names[asset_id] = next(name for name in ways if name not in taken and name not in names.values())
    return names


def _append(path: Path, line: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(line)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _top_of(file: str) -> str:
    """The folder of ours that it lies in, or "": the list lies in a folder that others can write to."""
    parts = PurePosixPath(file).parts
    return parts[0] if len(parts) > 1 and parts[0] in (CONTENT, LIBRARY) and ".." not in parts else ""


def _remove(path: Path, top: Path) -> None:
    """A file, and the folders that are empty without it."""
    with contextlib.suppress(OSError):  # somebody was faster, or has made a folder of it
        path.unlink()
    for folder in path.parents:
        if folder == top:
            return
        try:
            folder.rmdir()
        except OSError:
            return
