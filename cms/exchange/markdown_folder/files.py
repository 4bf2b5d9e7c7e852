"""A folder's pictures and other files, on their way into the library with the addresses at which they stood."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cms.db.session import Database, Work
from cms.exchange.markdown_folder import pictures
from cms.exchange.markdown_folder.links import Finder, Reference, pictures_beside, rewrite
from cms.exchange.markdown_folder.report import Report
from cms.exchange.markdown_folder.source import Blog, Document
from cms.media.storage import Storage
from cms.models.address import TargetKind
from cms.policy import SYSTEM
from cms.services import addresses, media

BATCH = 25  # files in one transaction

Progress = Callable[[str, int, int], None]  # what is being done, how much of it, of how much


@dataclass
class Files:
    """Every file that a text names, and the pictures beside texts. ``paths``: file below the folder → its address in the library."""

    database: Database
    storage: Storage
    blog: Blog
    finder: Finder
    report: Report
    is_rehearsal: bool
    paths: dict[str, str] = field(default_factory=dict)
    ids: dict[str, int] = field(default_factory=dict)
    _new: set[str] = field(default_factory=set)  # digests that this run brings in

    async def add(self, documents: Iterable[Document], progress: Progress) -> None:
        wanted = self._wanted(documents)
        self.report.found["files"] = len(wanted)
        done = 0
        for batch in _batches(list(wanted)):
            read = [await asyncio.to_thread(pictures.read, self.blog.folder, file) for file in batch]
            done += len(batch)
            progress("files", done, len(wanted))
            self._count(read, await self._known(read))
            if self.is_rehearsal:
                self.paths |= {one.file: f"/media/{one.file}" for one in read if not one.problem}
            else:
                await self._store([one for one in read if not one.problem], wanted)

    def _wanted(self, documents: Iterable[Document]) -> dict[str, list[str]]:
        """File → old addresses."""
        owners = list(documents)
        wanted: dict[str, list[str]] = {}
        for document in owners:
            for file in (*self._named(document), *pictures_beside(self.blog, document)):
                wanted.setdefault(file, [])
        for document in owners:
            self._stood_beside(document, wanted)
        for prefix, folder in self.blog.files_at.items():
            for file, old in wanted.items():
                if file.startswith(f"{folder}/") or folder == ".":
                    old.append("/".join(part for part in (prefix, file.removeprefix(f"{folder}/")) if part))
        return wanted

    def _named(self, document: Document) -> list[str]:
        files: list[str] = []

        def note(reference: Reference) -> None:
            found = self.finder.find(document, reference.target)
            if found and found.file and not found.document:
                files.append(found.file)

        rewrite(document, note)
        for picture in filter(None, (document.picture, *document.custom_pictures.values())):
            note(Reference(picture, "", 0, is_picture=True))
        return files

    def _stood_beside(self, document: Document, wanted: dict[str, list[str]]) -> None:
        """A file in a text's own folder stood below the text's address."""
        if document.is_bundle:
            for file, old in wanted.items():
                if file.startswith(f"{document.folder}/"):
                    name = file.removeprefix(f"{document.folder}/")
                    old += document.files.get(name, ()) if self.blog.is_exact else [f"{path}/{name}" for path in document.paths[:1]]

    async def _known(self, read: Iterable[pictures.File]) -> set[str]:
        async with self.database.read() as session:
            return await media.known_digests(session, [one.digest for one in read]) - self._new

    def _count(self, read: Iterable[pictures.File], known: set[str]) -> None:
        for one in read:
            if one.problem:
                self.report.refuse(one.file, one.problem)
            elif one.digest not in known:
                self._new.add(one.digest)
                self.report.counts["files"] += 1

    async def _store(self, read: Sequence[pictures.File], wanted: dict[str, list[str]]) -> None:
        for one in read:
            await self.storage.put(media.storage_name(one.digest), one.content)
        async with self.database.transaction() as work:
            for one in read:
                await self._store_one(work, one, wanted[one.file])

    async def _store_one(self, work: Work, one: pictures.File, old: Sequence[str]) -> None:
        asset = await media.add(work, SYSTEM, name=Path(one.file).name, digest=one.digest, size=len(one.content), dimensions=one.dimensions)
        self.paths[one.file], self.ids[one.file] = asset.path, asset.id
        paths = [path for stood in old for path in self.blog.old_paths(stood)]
        await addresses.lead(work, TargetKind.MEDIA, {asset.id: paths})


def _batches(items: Sequence[str]) -> Iterator[Sequence[str]]:
    return (items[at : at + BATCH] for at in range(0, len(items), BATCH))
