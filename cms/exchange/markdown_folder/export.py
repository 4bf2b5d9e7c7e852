"""The whole site as a folder of Markdown: for other programs, for a repository, or to move in elsewhere.

Readers' versions of what is public, drafts of what never was; what lies in the trash stays there.
"""

import asyncio
import contextlib
import hashlib
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import chain, count
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from cms.db.session import Database
from cms.errors import NotFound, OperatorError
from cms.exchange.markdown_folder.links import Reference, rewrite
from cms.exchange.markdown_folder.source import Document, is_inside
from cms.exchange.markdown_folder.squall import CONTENT, FORMAT, SITE_FILE
from cms.media.storage import Storage
from cms.models import Asset, CustomField
from cms.models.post import Kind, Visibility
from cms.services import custom_fields, media, media_changes, site, transfers
from cms.services.transfers import Outgoing
from cms.wording import say

WRITTEN = "written.txt"  # what an export wrote, a file on each line: the next one clears away what is no more, and nothing else
_MEDIA = re.compile(r"/media/(\d{1,18})/(?:[0-9a-f]{12}/)?[^/\s]+")
_UNSAFE = re.compile(r'[\x00-\x1f<>:"|?*\\]')
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
        for asset, _old in assets.values():
            await self._copy(asset, f"{target}/{names[asset.id]}")
        files = {names[asset.id]: list(old) for asset, old in assets.values() if old}
        about = {names[asset.id]: said for asset, _ in assets.values() if (said := _about(asset))}
        header = yaml.safe_dump(_header(post, names, {"files": files, "about": about}), allow_unicode=True, sort_keys=False, width=1000)
        await self._write(f"{target}/index.md", f"---\n{header}---\n{body}\n".encode())
        self.counts["drafts" if post.dates is None else f"{post.kind}s"] += 1

    def _number(self, target: str) -> int:
        """Of the file of ours that a target names, or 0."""
        found = _MEDIA.fullmatch(target.removeprefix(self.public_url))
        return int(found[1]) if found else 0

    async def _copy(self, asset: Asset, target: str) -> None:
        """As readers get it: turned and cut, and without the place where it was taken."""
        try:
            content = b"".join([piece async for piece in self.storage.read(media.storage_name(asset.shown_digest))])
        except NotFound:
            return  # doctor says so
        await self._write(target, content)
        self.counts["files"] += 1

    async def _write(self, file: str, content: bytes) -> None:
        await asyncio.to_thread(_append, self.folder / WRITTEN, f"{file}\n")
        await asyncio.to_thread(_write, self.folder / file, content)
        self.written[file] = None

    def listed(self) -> set[str]:
        """What earlier exports wrote, those that broke off included."""
        try:
            return set((self.folder / WRITTEN).read_text(encoding="utf-8").splitlines())
        except (OSError, ValueError):
            return set()

    def clear_away(self, before: set[str]) -> None:
        for file in sorted(before - self.written.keys()):
            if _is_below_content(file) and is_inside(self.folder, (self.folder / file).parent):
                _remove(self.folder / file, self.folder / CONTENT)
        _write(self.folder / WRITTEN, "".join(f"{file}\n" for file in self.written).encode())


def _header(post: Outgoing, names: dict[int, str], of_files: dict[str, Any]) -> dict[str, Any]:
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
        **of_files,
    }
    return {name: value for name, value in said.items() if value or name == "title"}


def _about(asset: Asset) -> dict[str, Any]:
    """What the library says of a file, but for what it says of every new one."""
    said = {name: getattr(asset, name) for name in media_changes.WORDS if getattr(asset, name)}
    is_centred = (asset.focus_x, asset.focus_y) == (50, 50)
    return said if is_centred else {**said, "focus_x": asset.focus_x, "focus_y": asset.focus_y}


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


def _names(assets: dict[int, tuple[Asset, tuple[str, ...]]], taken: set[str]) -> dict[int, str]:
    """A file name for each, no two the same, and none that the text names without meaning it."""
    names: dict[int, str] = {}
    for asset_id, (asset, _) in sorted(assets.items()):
        ways = chain([asset.name], (f"{number}-{asset.name}" for number in count(asset_id)))
        names[asset_id] = next(name for name in ways if name not in taken and name not in names.values())
    return names


def _append(path: Path, line: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(line)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _is_below_content(file: str) -> bool:
    """The list lies in a folder that others can write to."""
    parts = PurePosixPath(file).parts
    return len(parts) > 1 and parts[0] == CONTENT and ".." not in parts


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
