"""Brings a folder's texts into the site: files first, then people, pages and posts.

Texts are rendered side by side while finished ones are written in small transactions; whatever breaks off leaves whole posts, and
the next run goes on where this one stopped. A second run of the same folder does nothing.
"""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from cms.content.context import Rendered
from cms.content.slugs import slugify
from cms.db.session import Database, Work
from cms.errors import CMSError, InvalidInput
from cms.exchange.markdown_folder import pictures
from cms.exchange.markdown_folder.links import Finder, Reference, pictures_beside, rewrite
from cms.exchange.markdown_folder.plan import Planned, lay_out, moment
from cms.exchange.markdown_folder.report import Outcome, Report
from cms.exchange.markdown_folder.shortcodes import without_formula_signs
from cms.exchange.markdown_folder.source import Blog, Document
from cms.media.storage import Storage
from cms.models.address import TargetKind, is_reserved, normalise_path
from cms.models.post import Kind
from cms.models.site import UNNAMED, Frame
from cms.policy import SYSTEM
from cms.rendering import Renderer
from cms.schemas.post import MAX_TEXT, PostFields
from cms.services import accounts, addresses, media, references, site, taxonomies, transfers
from cms.services.transfers import Incoming, Known

BATCH = 25  # texts or files in one transaction
AHEAD = 2 * BATCH  # texts that are being rendered while a batch is written
MAX_TITLE, MAX_EXCERPT, MAX_NAME, MAX_TERM, MAX_TERMS = 300, 500, 80, 80, 50

Progress = Callable[[str, int, int], None]  # what is being done, how much of it, of how much


@dataclass(frozen=True, slots=True)
class Options:
    """``permalink``: for a site that has no posts yet. ``renders``: how many texts are rendered at once."""

    permalink: str
    public_url: str
    renders: int = 2
    is_rehearsal: bool = False  # nothing is written


@dataclass(slots=True)
class _Ready:
    """A text that waits for its transaction."""

    place: Planned
    incoming: Incoming
    rendered: Rendered | None
    before: Known | None


async def bring_in(
    database: Database, storage: Storage, renderer: Renderer, blog: Blog, options: Options, report: Report, progress: Progress
) -> None:
    """Everything in ``blog``; what became of it is in ``report``."""
    importing = _Import(database, storage, renderer, blog, options, report, progress)
    await importing.prepare()
    await importing.add_files()
    await importing.add_terms()
    await importing.add_texts()


def key_prefix(blog: Blog) -> str:
    """The same folder, wherever it lies; another site's has another one."""
    return f"{blog.program}:{blog.base_url.rstrip('/')[:100]}:"


@dataclass
class _Import:
    database: Database
    storage: Storage
    renderer: Renderer
    blog: Blog
    options: Options
    report: Report
    progress: Progress
    frame: Frame = field(default_factory=Frame)
    places: list[Planned] = field(default_factory=list)
    known: dict[str, Known] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)  # file of a text → its new path
    files: dict[str, str] = field(default_factory=dict)  # file below the folder → its address in the library
    ids: dict[str, int] = field(default_factory=dict)  # file of a text → id of its post
    asset_ids: dict[str, int] = field(default_factory=dict)
    people: dict[str, int] = field(default_factory=dict)  # name → id
    tags: dict[str, int] = field(default_factory=dict)
    categories: dict[str, int] = field(default_factory=dict)

    async def prepare(self) -> None:
        """The site's own settings while it has no posts, and a place for every text."""
        prefix = key_prefix(self.blog)
        async with self.database.read() as session:
            self.frame = await site.get_frame(session)
            is_new = not await transfers.has_own_posts(session)
            self.known = await transfers.known(session, prefix)
            taken = await transfers.taken_paths(session, (known.post_id for known in self.known.values()))
        if is_new:
            settings = self._settings()
            self.frame = replace(self.frame, **settings)
            if not self.options.is_rehearsal:
                async with self.database.transaction() as work:
                    await site.configure(work, **settings)
        self.places = lay_out(self.blog, self.frame.permalink, self.frame.zone, taken, self.report)
        for place in self.places:
            before = self.known.get(self._key(place.document))
            if before and before.path:
                place.former = [path for path in [place.path, *place.former] if path != before.path]
                place.path, place.slug = before.path, before.path.rpartition("/")[2]
            self.paths[place.document.file] = place.path

    def _settings(self) -> dict[str, Any]:
        frame = self.frame
        wanted: dict[str, Any] = {"permalink": self.options.permalink}
        if frame.name == UNNAMED and self.blog.title:
            wanted["name"] = self.blog.title[:100]
        if not frame.description and self.blog.description:
            wanted["description"] = self.blog.description[:300]
        if self.blog.language and frame.language == Frame.language:
            wanted["language"] = self.blog.language[:12]
        return wanted

    def _key(self, document: Document) -> str:
        key = key_prefix(self.blog) + document.file
        if len(key) <= transfers.MAX_KEY:
            return key
        return key_prefix(self.blog) + hashlib.sha256(document.file.encode()).hexdigest()

    # --- files ---

    async def add_files(self) -> None:
        """Every picture and other file that a text names, and those beside it."""
        finder = Finder(self.blog)
        wanted: dict[str, list[str]] = {}  # file → old addresses
        for place in self.places:
            for file in self._named(finder, place.document):
                wanted.setdefault(file, [])
            for file in pictures_beside(self.blog, place.document):
                wanted.setdefault(file, [])
        for place in self.places:
            self._old_addresses_beside(place, wanted)
        for prefix, folder in self.blog.files_at.items():
            for file, old in wanted.items():
                if file.startswith(f"{folder}/") or folder == ".":
                    old.append("/".join(part for part in (prefix, file.removeprefix(f"{folder}/")) if part))
        self.report.found["files"] = len(wanted)
        await self._store(wanted)

    def _named(self, finder: Finder, document: Document) -> list[str]:
        files: list[str] = []

        def note(reference: Reference) -> None:
            found = finder.find(document, reference.target)
            if found and found.file and not found.document:
                files.append(found.file)

        rewrite(document, note)
        if document.picture:
            note(Reference(document.picture, "", 0, is_picture=True))
        return files

    def _old_addresses_beside(self, place: Planned, wanted: dict[str, list[str]]) -> None:
        """A file in a text's own folder stood below the text's address."""
        document = place.document
        if document.file.rpartition("/")[2].startswith("index."):
            for file, old in wanted.items():
                if file.startswith(f"{document.folder}/"):
                    name = file.removeprefix(f"{document.folder}/")
                    old += document.files.get(name, ()) if self.blog.is_exact else [f"{path}/{name}" for path in document.paths[:1]]

    async def _store(self, wanted: dict[str, list[str]]) -> None:
        done = 0
        for batch in _batches(list(wanted), BATCH):
            read = [await asyncio.to_thread(pictures.read, self.blog.folder, file) for file in batch]
            done += len(batch)
            self.progress("files", done, len(wanted))
            if self.options.is_rehearsal:
                self._rehearse_files(read)
                continue
            for one in read:
                if not one.problem:
                    await self.storage.put(media.storage_name(one.digest), one.content)
            async with self.database.transaction() as work:
                for one in read:
                    await self._add_file(work, one, wanted[one.file])

    def _rehearse_files(self, read: Iterable[pictures.File]) -> None:
        for one in read:
            if one.problem:
                self.report.refuse(one.file, one.problem)
            else:
                self.files[one.file] = f"/media/{one.file}"
                self.report.counts["files"] += 1

    async def _add_file(self, work: Work, one: pictures.File, old: Sequence[str]) -> None:
        if one.problem:
            self.report.refuse(one.file, one.problem)
            return
        asset = await media.add(work, SYSTEM, name=Path(one.file).name, digest=one.digest, size=len(one.content), dimensions=one.dimensions)
        self.files[one.file], self.asset_ids[one.file] = asset.path, asset.id
        self.report.counts["files"] += 1
        for path in dict.fromkeys(old):
            await addresses.lead(work, path, TargetKind.MEDIA, asset.id)

    # --- texts ---

    async def add_terms(self) -> None:
        """People, tags and categories, once for all texts."""
        if self.options.is_rehearsal:
            return
        documents = [place.document for place in self.places]
        async with self.database.transaction() as work:
            for name in self._names(documents, "authors", MAX_NAME):
                self.people[name] = (await accounts.ensure_author(work, SYSTEM, name)).id
            for name in self._names(documents, "categories", MAX_TERM):
                self.categories[name] = (await taxonomies.ensure_category(work, SYSTEM, name)).id
            for name in [*self._names(documents, "tags", MAX_TERM), *self.categories]:
                (self.tags[name],) = await taxonomies.ensure_tags(work, [name])

    def _names(self, documents: Iterable[Document], kind: str, most: int) -> list[str]:
        """Each once. One without a letter has no address, and stays out."""
        return list(dict.fromkeys(name for document in documents for name in self._names_in(document, kind, most)))

    def _names_in(self, document: Document, kind: str, most: int) -> list[str]:
        names = []
        for name in getattr(document, kind):
            if slugify(name) or kind == "authors":
                names.append(self._short(document, name, most))
            else:
                self.report.note(Outcome.CHANGED, document.file, f"“{name}” has no letter or digit to make an address from", 1)
        return names

    async def add_texts(self) -> None:
        finder = Finder(self.blog)
        self.report.found["texts"] = len(self.places)
        pages = [place for place in self.places if place.document.kind is Kind.PAGE]
        for place in pages:  # one by one: those below need the one above
            await self._write([await self._ready(finder, place)])
        posts = [place for place in self.places if place.document.kind is Kind.POST]
        batch: list[_Ready | None] = []
        async for ready in self._in_order(finder, posts):
            batch.append(ready)
            if len(batch) >= BATCH:
                await self._write(batch)
                batch = []
        await self._write(batch)

    async def _in_order(self, finder: Finder, places: Sequence[Planned]) -> AsyncIterator[_Ready | None]:
        """Several ahead of the one that is handed out, so that no renderer waits."""
        ahead: list[asyncio.Task[_Ready | None]] = []
        waiting = iter(places)
        try:
            while True:
                while len(ahead) < AHEAD and (place := next(waiting, None)) is not None:
                    ahead.append(asyncio.create_task(self._ready(finder, place)))
                if not ahead:
                    return
                yield await ahead.pop(0)
        finally:
            for task in ahead:
                task.cancel()
            await asyncio.gather(*ahead, return_exceptions=True)

    async def _ready(self, finder: Finder, place: Planned) -> _Ready | None:
        """Everything that needs no write; None if there is nothing to do, or it cannot come in."""
        document = place.document
        before = self.known.get(self._key(document))
        content = rewrite(document, lambda reference: self._settled(finder, document, reference))
        if not self.blog.is_exact:
            content = without_formula_signs(content).strip("\n") + "\n"
        if len(content) > MAX_TEXT:
            self.report.refuse(document.file, f"has more than {MAX_TEXT:,} characters")
            return None
        dates, is_over = self._dates(place)
        digest = _digest(document, content, place)
        if before:
            self.ids[document.file] = before.post_id
        if before and before.digest == digest:
            self.report.counts["unchanged"] += 1
            return None
        if before and before.is_edited:
            self.report.note(Outcome.LEFT_ALONE, document.file, "has changed in the folder, and here as well")
            return None
        try:
            rendered = await self._render(before.post_id if before else 0, content, document.language) if dates else None
        except InvalidInput as error:
            self.report.refuse(document.file, error.message or "cannot be rendered")
            return None
        incoming = Incoming(
            key=self._key(document),
            digest=digest,
            kind=document.kind,
            content=content,
            fields=PostFields(title=document.title, slug=place.slug),
            dates=dates,
            former=tuple(place.former),
            is_over=is_over,
        )
        return _Ready(place, incoming, rendered, before)

    async def _render(self, post_id: int, content: str, language: str) -> Rendered:
        async with self.database.read() as session:
            context = await references.context(session, post_id, content, language or self.frame.language, self.options.public_url)
        return await self.renderer.render(content, context)

    def _dates(self, place: Planned) -> tuple[Any, bool]:
        """When it was published and changed, and whether that is over; None for what is not public."""
        document, zone, now = place.document, self.frame.zone, self.database.clock()
        later = moment(document.publish_at, zone)
        published = place.at or later or now
        if document.is_draft:
            return None, False
        if published is now and document.kind is Kind.POST:
            self.report.note(Outcome.CHANGED, document.file, "has no date; it has today's now", 1)
        if (later or published) > now:
            self.report.note(Outcome.CHANGED, document.file, "waits for a day in the future: it is a draft here", 1)
            return None, False
        over = moment(document.expires_at, zone)
        return transfers.as_dates(published, moment(document.updated, zone)), over is not None and over <= now

    def _settled(self, finder: Finder, document: Document, reference: Reference) -> str | None:
        """Where a target leads here; None leaves it as it is."""
        found = finder.find(document, reference.target)
        if found and found.escapes:
            self.report.note(Outcome.MISSING, document.file, f"{reference.target} leads out of the folder", reference.line)
        elif found and found.document and found.document.file in self.paths:
            path = self.paths[found.document.file]
            return None if normalise_path(unquote(reference.target)) == path else quote(f"/{path}", safe="/:@!$&'*+,;=~-._")
        elif found and found.file in self.files:
            return self.files[found.file]
        elif reference.is_no_address:
            self.report.note(Outcome.MISSING, document.file, f"{reference.target} is no address", reference.line)
        elif reference.is_elsewhere:
            if reference.is_picture and found is None:
                self.report.note(Outcome.ELSEWHERE, document.file, reference.target, reference.line)
        elif not is_reserved(reference.target.lstrip("/")):
            self.report.note(Outcome.MISSING, document.file, f"{reference.target}", reference.line)
        return None

    async def _write(self, batch: Iterable[_Ready | None]) -> None:
        """One transaction; a text that cannot come in takes nobody with it."""
        ready = [one for one in batch if one is not None]
        if self.options.is_rehearsal:
            self._rehearse_texts(ready)
        elif ready:
            async with self.database.transaction() as work:
                for one in ready:
                    await self._write_one(work, one)
        self.progress("texts", len(self.ids), len(self.places))

    def _rehearse_texts(self, ready: Iterable[_Ready]) -> None:
        for one in ready:
            self.ids[one.place.document.file] = 0
            self.report.counts[_counted_as(one)] += 1

    async def _write_one(self, work: Work, one: _Ready) -> None:
        document, events = one.place.document, len(work.events)
        try:
            async with work.session.begin_nested():
                incoming = replace(one.incoming, fields=self._fields(one))
                self.ids[document.file] = await transfers.bring_in(work, SYSTEM, incoming, one.rendered, one.before)
        except CMSError as error:
            del work.events[events:]
            self.report.refuse(document.file, "; ".join(error.errors.values()) if isinstance(error, InvalidInput) else error.message)
            return
        self.report.counts[_counted_as(one)] += 1

    def _fields(self, one: _Ready) -> PostFields:
        document = one.place.document
        categories = self._names_in(document, "categories", MAX_TERM)
        tags = [self.tags[name] for name in (*self._names_in(document, "tags", MAX_TERM), *categories[1:])]
        return PostFields(
            title=self._short(document, document.title, MAX_TITLE),
            slug=one.place.slug,
            excerpt=self._short(document, document.excerpt, MAX_EXCERPT),
            authors=tuple(dict.fromkeys(self.people[name] for name in self._names_in(document, "authors", MAX_NAME))),
            category=self.categories[categories[0]] if categories else None,
            tags=tuple(dict.fromkeys(tags))[:MAX_TERMS],
            parent=self.ids.get(one.place.parent) if one.place.parent else None,
            language=document.language or None,
            picture=self._picture(document),
        )

    def _picture(self, document: Document) -> int | None:
        found = Finder(self.blog).find(document, document.picture) if document.picture else None
        return self.asset_ids.get(found.file) if found else None

    def _short(self, document: Document, text: str, most: int) -> str:
        if len(text) <= most:
            return text
        self.report.note(Outcome.CHANGED, document.file, f"“{text[:40]}…” was cut to {most} characters", 1)
        return text[:most].rstrip()


def _counted_as(one: _Ready) -> str:
    if one.before:
        return "updated"
    return "drafts" if one.rendered is None else f"{one.incoming.kind}s"


def _digest(document: Document, content: str, place: Planned) -> str:
    """Of everything that comes in: texts, terms, dates and addresses."""
    said = [
        content, document.title, document.kind, document.paths, document.excerpt, document.language, document.authors,
        document.categories, document.tags, document.picture, document.is_draft,
        *(str(moment) for moment in (document.date, document.updated, document.publish_at, document.expires_at)), place.parent,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(said, default=str).encode()).hexdigest()


def _batches(items: Sequence[str], size: int) -> Iterable[Sequence[str]]:
    return (items[at : at + size] for at in range(0, len(items), size))
