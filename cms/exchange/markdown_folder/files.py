"""A folder's pictures and other files, on their way into the library with the addresses at which they stood."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from cms.db.session import Work
from cms.errors import InvalidInput
from cms.exchange.markdown_folder import pictures
from cms.exchange.markdown_folder.links import Finder, Reference, pictures_beside, rewrite
from cms.exchange.markdown_folder.report import Outcome, Report
from cms.exchange.markdown_folder.source import Blog, Document, Filed
from cms.models import Asset
from cms.models.address import TargetKind
from cms.policy import SYSTEM, Capability
from cms.schemas.site import MediaInput
from cms.services import addresses, folders, library_acts, media, media_changes, media_tracks
from cms.services.intake import EVERYTHING, Brought, Intake

BATCH = 25  # files in one transaction
RULES = MediaInput.model_validate({})

Progress = Callable[[str, int, int], None]  # what is being done, how much of it, of how much


@dataclass
class Files:
    """Every file that a text names, and the pictures beside texts. ``paths``: file below the folder → its address in the library."""

    intake: Intake
    blog: Blog
    finder: Finder
    report: Report
    is_rehearsal: bool
    paths: dict[str, str] = field(default_factory=dict)
    ids: dict[str, int] = field(default_factory=dict)
    _new: set[str] = field(default_factory=set)  # digests that this run brings in
    _refused: set[str] = field(default_factory=set)

    async def add(self, documents: Iterable[Document], progress: Progress) -> None:
        wanted = self._wanted(documents)
        self.report.found["files"] = len(wanted)
        done = 0
        for batch in _batches(list(wanted)):
            read = [await asyncio.to_thread(pictures.read, self.blog.folder, file, is_exact=self.blog.is_exact) for file in batch]
            known = await self._known(read)
            taken = [await self._take(one) for one in read]
            done += len(batch)
            progress("files", done, len(wanted))
            self._count(read, known)
            if not self.is_rehearsal:
                await self._lead(dict(zip(batch, taken, strict=True)), wanted)
        if not self.is_rehearsal:
            await self._put_in_order()

    async def _take(self, one: pictures.File) -> Asset | None:
        """None: in a rehearsal, or refused."""
        path = self.blog.folder / one.file
        try:
            if one.problem:
                raise InvalidInput({"": one.problem})
            if self.is_rehearsal:
                await self.intake.probe(path, EVERYTHING if self.blog.is_exact else RULES)
                self.paths[one.file] = f"/media/{one.file}"
                return None
            name = self.blog.library[one.file].name if one.file in self.blog.library else path.name
            return (await self.intake.take(SYSTEM, path, Brought(name, is_from_library=self.blog.is_exact))).asset
        except InvalidInput as error:
            self.report.refuse(one.file, error.message)
            self._refused.add(one.file)
            return None

    def _wanted(self, documents: Iterable[Document]) -> dict[str, list[str]]:
        """File → old addresses."""
        owners = list(documents)
        wanted: dict[str, list[str]] = {file: [*filed.old] for file, filed in self.blog.library.items()}  # first, as they know their names
        for document in owners:
            for file in (*self._named(document), *pictures_beside(self.blog, document)):
                wanted.setdefault(file, [])
        for document in owners if not self.blog.is_exact else ():
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
                    old += [f"{path}/{name}" for path in document.paths[:1]]

    async def _known(self, read: Iterable[pictures.File]) -> set[str]:
        async with self.intake.database.read() as session:
            return await media.known_digests(session, [one.digest for one in read]) | self._new

    def _count(self, read: Iterable[pictures.File], known: set[str]) -> None:
        if new := {one.digest for one in read if one.file not in self._refused} - known:
            self._new |= new
            self.report.counts["files"] += len(new)

    async def _lead(self, taken: Mapping[str, Asset | None], wanted: Mapping[str, Sequence[str]]) -> None:
        """From where they stood to where they are."""
        async with self.intake.database.transaction() as work:
            for file, asset in taken.items():
                if asset is not None:
                    self.paths[file], self.ids[file] = asset.path, asset.id
                    paths = [path for stood in wanted[file] for path in self.blog.old_paths(stood)]
                    await addresses.lead(work, TargetKind.MEDIA, {asset.id: paths})

    # --- a library of ours ---

    async def _put_in_order(self) -> None:
        """What the other library said of its files; what somebody says of them here stays."""
        async with self.intake.database.transaction() as work:
            for names in self.blog.folders:
                await self._folder(work, names)
        for batch in _batches([file for file in self.blog.library if file in self.ids]):
            async with self.intake.database.transaction() as work:
                for file in batch:
                    try:
                        await self._file(work, self.ids[file], self.blog.library[file])
                    except InvalidInput as error:
                        self.report.note(Outcome.CHANGED, file, error.message)

    async def _file(self, work: Work, asset_id: int, filed: Filed) -> None:
        asset = await media.hold(work, SYSTEM, asset_id, Capability.MEDIA_EDIT)
        about = {name: value for name, value in filed.about.items() if name != "tags"}
        if about and not any(getattr(asset, name) for name in media_changes.WORDS):
            await media_changes.describe(work, SYSTEM, asset_id, about)
        if filed.folder and asset.folder_id is None:
            library_acts.file(work, SYSTEM, asset, await self._folder(work, filed.folder))
        if tags := filed.about.get("tags"):
            await library_acts.set_tags(work, SYSTEM, asset, [*await library_acts.tags_of(work.session, asset_id), *tags])
        if (poster := self.ids.get(filed.poster)) and asset.poster_id is None:
            await media_changes.describe(work, SYSTEM, asset_id, {"poster_id": poster})
        there = {track.language for track, _ in await media_tracks.list_of(work.session, asset_id)}
        for track, of in filed.captions:
            if of in self.ids and track.language not in there:
                await media_tracks.put(work, SYSTEM, asset_id, track.model_copy(update={"track": self.ids[of]}))

    async def _folder(self, work: Work, names: Sequence[str]) -> int | None:
        """None, with a line in the report, for one that there is no room for."""
        try:
            return await folders.ensure(work, SYSTEM, names)
        except InvalidInput as error:
            self.report.note(Outcome.CHANGED, " / ".join(names), error.message)
            return None


def _batches(items: Sequence[str]) -> Iterator[Sequence[str]]:
    return (items[at : at + BATCH] for at in range(0, len(items), BATCH))
