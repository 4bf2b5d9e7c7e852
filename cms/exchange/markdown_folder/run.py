"""Brings a folder's texts into the site: files first, then people, pages and posts.

Texts are rendered side by side while finished ones are written in small transactions; whatever breaks off leaves whole posts, and
the next run goes on where this one stopped. A second run of the same folder does nothing.
"""

import asyncio
import contextlib
import hashlib
import json
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, unquote

from cms.content.context import Rendered
from cms.db.session import Database
from cms.errors import CMSError, InvalidInput, Unavailable
from cms.exchange.markdown_folder.files import Files, Progress
from cms.exchange.markdown_folder.links import Finder, Reference, rewrite
from cms.exchange.markdown_folder.plan import Planned, lay_out, moment
from cms.exchange.markdown_folder.report import Outcome, Report
from cms.exchange.markdown_folder.shortcodes import without_formula_signs
from cms.exchange.markdown_folder.source import Blog, Document
from cms.exchange.markdown_folder.terms import Terms, parts_of_series, shortened
from cms.models.address import is_reserved, normalise_path
from cms.models.post import Kind
from cms.models.site import UNNAMED, Frame
from cms.policy import SYSTEM
from cms.rendering import Renderer
from cms.schemas.post import CUSTOM, MAX_TEXT, PostFields
from cms.services import custom_fields, references, site, transfers
from cms.services.intake import Intake
from cms.services.transfers import Incoming, Known
from cms.wording import named, reasons, say

BATCH = 25  # texts in one transaction
AHEAD = 2 * BATCH  # texts that are being rendered while a batch is written
MAX_TITLE, MAX_EXCERPT = 300, 500
FEED = "/feed.xml"


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


async def bring_in(intake: Intake, renderer: Renderer, blog: Blog, options: Options, report: Report, progress: Progress) -> None:
    """Everything in ``blog``; what became of it is in ``report``."""
    files = Files(intake, blog, Finder(blog), report, options.is_rehearsal)
    importing = _Import(intake.database, renderer, blog, options, report, progress, files, Terms(report))
    await importing.prepare()
    await files.add([place.document for place in importing.places], progress)
    await importing.add_terms()
    await importing.add_texts()
    await importing.end()


def key_prefix(blog: Blog) -> str:
    """The same folder, wherever it lies; another site's has another one."""
    return f"{blog.program}:{blog.base_url.rstrip('/')[:100]}:"


@dataclass
class _Import:
    database: Database
    renderer: Renderer
    blog: Blog
    options: Options
    report: Report
    progress: Progress
    files: Files
    terms: Terms
    frame: Frame = field(default_factory=Frame)
    places: list[Planned] = field(default_factory=list)
    known: dict[str, Known] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)  # file of a text → its new path, if readers find it there
    ids: dict[str, int] = field(default_factory=dict)  # file of a text → id of its post

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
                    for key, wanted in self.blog.fields:
                        with contextlib.suppress(InvalidInput):  # there is one already
                            await custom_fields.define(work, SYSTEM, wanted, key)
        self.places = lay_out(self.blog, self.frame.permalink, self.frame.zone, taken, self.report)
        for place in self.places:
            before = self.known.get(self._key(place.document))
            if before and before.path:
                place.former = [path for path in [place.path, *place.former] if path != before.path]
                place.path, place.slug = before.path, before.path.rpartition("/")[2]
            if self.blog.is_exact and not place.document.slug:
                place.former += place.document.paths[:1]  # it is made of the title or the number, which may be another here
            if self._is_public(place):
                self.paths[place.document.file] = place.path
        self.terms.parts = parts_of_series(place.document for place in self.places)

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

    async def add_terms(self) -> None:
        if not self.options.is_rehearsal:
            async with self.database.transaction() as work:
                await self.terms.add(work, [place.document for place in self.places])

    # --- texts ---

    async def add_texts(self) -> None:
        finder = self.files.finder
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

    async def end(self) -> None:
        """Lists and feeds of the old site; at last, as texts' own addresses come first."""
        lists = [*self.blog.other_lists]
        if not self.options.is_rehearsal and not self.blog.is_exact:
            async with self.database.transaction() as work:
                lists += await self.terms.lead_old_lists(work, self.blog)
        if not self.options.is_rehearsal:
            async with self.database.transaction() as work:
                await work.dialect.gather_statistics(work.session)
        self._note_old(lists, say("an old list: all posts are in /archive now"))
        self._note_old(self.blog.feeds, say("an old feed: the feed is {feed} now; whoever reads it has to be told", feed=FEED))

    def _note_old(self, paths: Iterable[str], what: str) -> None:
        for path in paths:
            whole = self.blog.old_paths(path)[-1]
            if not is_reserved(whole):
                self.report.note(Outcome.MISSING, "/" + whole, what)

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
        document.body = ""  # of a large folder it is nearly all that is kept, and nobody asks for it again
        if not self.blog.is_exact:
            content = without_formula_signs(content).strip("\n") + "\n"
        if len(content) > MAX_TEXT:
            self.report.refuse(document.file, say("has more than {number} characters", number=MAX_TEXT))
            return None
        dates, is_over = self._dates(place)
        digest = _digest(document, content, place, self.terms)
        if before:
            self.ids[document.file] = before.post_id
        if before and before.digest == digest:
            self.report.counts["unchanged"] += 1
            return None
        if before and before.is_edited:
            self.report.note(Outcome.LEFT_ALONE, document.file, "has changed in the folder, and here as well")
            return None
        try:
            rendered = await self._render(before, digest, content, document.language) if dates else None
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
            rendered=rendered,
            before=before,
            visibility=document.visibility,
        )
        return _Ready(place, incoming)

    async def _render(self, before: Known | None, digest: str, content: str, language: str) -> Rendered:
        """A new text has no number yet, and its notes need ids of their own all the same."""
        async with self.database.read() as session:
            post_id = before.post_id if before else 0
            context = await references.context(session, post_id, content, language or self.frame.language, self.options.public_url)
        return await self.renderer.render(content, context if before else replace(context, prefix=f"p{digest[:12]}-"))

    def _dates(self, place: Planned) -> tuple[Any, bool]:
        """When it was published and changed, and whether that is over; None for what is not public."""
        document, zone, now = place.document, self.frame.zone, self.database.clock()
        published = place.at or moment(document.publish_at, zone) or now
        if document.is_draft:
            return None, False
        if published is now and document.kind is Kind.POST:
            self.report.note(Outcome.CHANGED, document.file, "has no date; it has today's now", 1)
        if not self._is_public(place):
            self.report.note(Outcome.CHANGED, document.file, "waits for a day in the future: it is a draft here", 1)
            return None, False
        over = moment(document.expires_at, zone)
        if over and over > now:
            what = say("ends on {day}: withdraw it then, nobody else does", day=over.date())
            self.report.note(Outcome.CHANGED, document.file, what, 1)
        return transfers.as_dates(published, moment(document.updated, zone)), over is not None and over <= now

    def _is_public(self, place: Planned) -> bool:
        """Or was, until its end."""
        starts = moment(place.document.publish_at, self.frame.zone) or place.at
        return not place.document.is_draft and (starts is None or starts <= self.database.clock())

    def _settled(self, finder: Finder, document: Document, reference: Reference) -> str | None:
        """Where a target leads here; None leaves it as it is."""
        found = finder.find(document, reference.target)
        if self.blog.is_exact:
            return self.files.paths.get(found.file) if found else None
        if found and found.escapes:
            self.report.note(
                Outcome.MISSING, document.file, say("{target} leads out of the folder", target=reference.target), reference.line
            )
        elif found and found.document and found.document.file in self.paths:
            path = self.paths[found.document.file]
            return None if normalise_path(unquote(reference.target)) == path else quote(f"/{path}", safe="/:@!$&'*+,;=~-._")
        elif found and found.document:
            self.report.note(Outcome.MISSING, document.file, say("{target} leads to a draft", target=reference.target), reference.line)
        elif found and found.file in self.files.paths:
            return self.files.paths[found.file]
        elif reference.is_no_address:
            self.report.note(Outcome.MISSING, document.file, say("{target} is no address", target=reference.target), reference.line)
        elif reference.is_elsewhere:
            if reference.is_picture and found is None:
                self.report.note(Outcome.ELSEWHERE, document.file, named(reference.target), reference.line)
        elif not is_reserved(reference.target.lstrip("/")):
            self.report.note(Outcome.MISSING, document.file, named(reference.target), reference.line)
        return None

    async def _write(self, batch: Iterable[_Ready | None]) -> None:
        """One transaction; if one of the texts cannot come in, one for each, so that it takes nobody with it."""
        ready = [one for one in batch if one is not None]
        if self.options.is_rehearsal:
            self._rehearse_texts(ready)
        elif ready:
            try:
                await self._write_together(ready)
            except CMSError:
                for one in ready:
                    await self._write_alone(one)
        self.progress("texts", len(self.ids), len(self.places))

    def _rehearse_texts(self, ready: Iterable[_Ready]) -> None:
        for one in ready:
            self.ids[one.place.document.file] = 0
            self.report.counts[_counted_as(one)] += 1

    async def _write_alone(self, one: _Ready) -> None:
        try:
            await self._write_together([one])
        except Unavailable:  # and so it will be for the others
            raise
        except CMSError as error:
            why = reasons(*error.errors.values()) if isinstance(error, InvalidInput) else error.message
            self.report.refuse(one.place.document.file, why)

    async def _write_together(self, ready: Sequence[_Ready]) -> None:
        """Once begun it is finished, also if somebody stops it just then: what is in the database is in the report."""
        writing = asyncio.create_task(self._bring_in(ready))
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            await asyncio.gather(writing, return_exceptions=True)
            raise

    async def _bring_in(self, ready: Sequence[_Ready]) -> None:
        texts = [replace(one.incoming, fields=self._fields(one)) for one in ready]
        async with self.database.transaction() as work:
            ids = await transfers.bring_in(work, SYSTEM, texts)
        self.ids |= {one.place.document.file: post_id for one, post_id in zip(ready, ids, strict=True)}
        self.report.counts.update(_counted_as(one) for one in ready)

    def _fields(self, one: _Ready) -> PostFields:
        document = one.place.document
        return PostFields(
            title=shortened(self.report, document, document.title, MAX_TITLE),
            slug=document.slug if self.blog.is_exact else one.place.slug,
            excerpt=shortened(self.report, document, document.excerpt, MAX_EXCERPT),
            parent=self.ids.get(one.place.parent) if one.place.parent else None,
            language=document.language or None,
            picture=self._picture(document, document.picture),
            **{**self.terms.of(document), **document.meta, **self._custom(document)},
        )

    def _custom(self, document: Document) -> dict[str, str]:
        pictures = {key: self._picture(document, name) for key, name in document.custom_pictures.items()}
        said = {**document.custom, **{key: str(number) for key, number in pictures.items() if number}}
        return {f"{CUSTOM}{key}": value for key, value in said.items() if value}

    def _picture(self, document: Document, name: str) -> int | None:
        found = self.files.finder.find(document, name) if name else None
        return self.files.ids.get(found.file) if found else None


def _counted_as(one: _Ready) -> str:
    if one.incoming.before:
        return "updated"
    return "drafts" if one.incoming.rendered is None else f"{one.incoming.kind}s"


def _digest(document: Document, content: str, place: Planned, terms: Terms) -> str:
    """Of everything that comes in: texts, terms, dates and addresses."""
    said = [
        content, document.title, document.kind, document.paths, document.excerpt, document.language, document.authors,
        document.categories, document.tags, document.picture, document.is_draft,
        *(str(moment) for moment in (document.date, document.updated, document.publish_at, document.expires_at)), place.parent,
        terms.parts.get(document.file), *document.meta.items(), *document.custom.items(), *document.custom_pictures.items(),
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(said, default=str).encode()).hexdigest()
