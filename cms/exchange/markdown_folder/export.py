"""The whole site as a folder of Markdown: for other programs, for a repository, or to move in elsewhere.

Readers' versions of what is public, drafts of what never was; what lies in the trash stays there.
"""

import asyncio
import hashlib
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from cms.db.session import Database
from cms.errors import NotFound, OperatorError
from cms.exchange.markdown_folder.links import Reference, rewrite
from cms.exchange.markdown_folder.source import Document
from cms.exchange.markdown_folder.squall import CONTENT, FORMAT, SITE_FILE
from cms.media.storage import Storage
from cms.models import Asset
from cms.models.post import Kind
from cms.services import media, site, transfers
from cms.services.transfers import Outgoing

_MEDIA = re.compile(r"(?:https?://[^/]*)?/media/(\d{1,18})/(?:[0-9a-f]{12}/)?[^/\s]+")
_UNSAFE = re.compile(r'[\x00-\x1f<>:"|?*\\]')
LONGEST_NAME = 120  # characters of one part of a path

Progress = Callable[[str, int, int], None]


async def write_folder(database: Database, storage: Storage, public_url: str, folder: Path, progress: Progress) -> Counter[str]:
    """How much was written. Raises ``OperatorError`` if something else is in the folder. Written again, it says what the site says now."""
    _require_ours(folder)
    async with database.read() as session:
        frame = await site.get_frame(session)
        ids = await transfers.outgoing_ids(session)
    about = {
        "squall": FORMAT, "title": frame.name, "description": frame.description, "base_url": public_url,
        "language": frame.language, "time_zone": frame.time_zone, "permalink": frame.permalink,
    }  # fmt: skip
    await asyncio.to_thread(_write, folder / SITE_FILE, yaml.safe_dump(about, allow_unicode=True, sort_keys=False))
    writing = _Writing(database, storage, folder)
    for done, post_id in enumerate(ids, start=1):
        await writing.add(post_id)
        progress("texts", done, len(ids))
    return writing.counts


def _require_ours(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        is_other = any(folder.iterdir()) and not (folder / SITE_FILE).is_file()
    except OSError as error:
        raise OperatorError(f"{folder} cannot be written to: {error.strerror}.") from None
    if is_other:
        raise OperatorError(f"{folder} has something else in it; name an empty folder, or one that an earlier export made.")


@dataclass
class _Writing:
    database: Database
    storage: Storage
    folder: Path
    counts: Counter[str] = field(default_factory=Counter)

    async def add(self, post_id: int) -> None:
        async with self.database.read() as session:
            post = await transfers.outgoing(session, post_id)
            wanted = {int(found[1]) for found in _MEDIA.finditer(post.content)} | ({post.picture} if post.picture else set())
            assets = await transfers.assets(session, wanted)
        target = self.folder / CONTENT / _folder_of(post)
        names = _names(assets)
        body = rewrite(Document(file="", title="", body=post.content), lambda reference: _beside(reference, names))
        for asset, _old in assets.values():
            await self._copy(asset, target / names[asset.id])
        files = {names[asset.id]: list(old) for asset, old in assets.values() if old}
        header = yaml.safe_dump(_header(post, names, files), allow_unicode=True, sort_keys=False, width=1000)
        await asyncio.to_thread(_write, target / "index.md", f"---\n{header}---\n{body}\n")
        self.counts["drafts" if post.dates is None else f"{post.kind}s"] += 1

    async def _copy(self, asset: Asset, target: Path) -> None:
        try:
            content = b"".join([piece async for piece in self.storage.read(media.storage_name(asset.digest))])
        except NotFound:
            return  # doctor says so
        await asyncio.to_thread(_write, target, content)
        self.counts["files"] += 1


def _header(post: Outgoing, names: dict[int, str], files: dict[str, list[str]]) -> dict[str, Any]:
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
        "authors": list(post.authors),
        "category": post.category,
        "tags": list(post.tags),
        "summary": post.excerpt,
        "language": post.language,
        "picture": names.get(post.picture) if post.picture else None,
        "files": files,
    }
    return {name: value for name, value in said.items() if value or name == "title"}


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


def _names(assets: dict[int, tuple[Asset, tuple[str, ...]]]) -> dict[int, str]:
    """A file name for each, no two the same."""
    names: dict[int, str] = {}
    for asset_id, (asset, _) in sorted(assets.items()):
        names[asset_id] = asset.name if asset.name not in names.values() else f"{asset_id}-{asset.name}"
    return names


def _beside(reference: Reference, names: dict[int, str]) -> str | None:
    found = _MEDIA.fullmatch(reference.target)
    return names.get(int(found[1])) if found else None


def _write(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
