"""A small publication for a first look: ``squall demo`` and ``squall run --demo``. What it says lies in the folder ``demo``.

Each act on a post is one transaction, at the moment of the past that its file names, and is not done twice: a fill that was
interrupted goes on where it stopped, and one that was finished is never done again.
"""

import asyncio
import re
import tomllib
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from sqlalchemy import exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cms import policy
from cms.content.folding import fold
from cms.db.session import Database, Work
from cms.errors import OperatorError
from cms.models import Asset, AuditEntry, Category, Folder, Post, Published, Tag, User, WorkingCopy
from cms.models.post import Kind
from cms.models.site import SITE_ID, UNNAMED
from cms.policy import SYSTEM, Actor, Capability
from cms.rendering import Renderer
from cms.schemas.account import UserInput
from cms.schemas.library import FolderInput
from cms.schemas.post import PostFields, PostInput
from cms.services import accounts, audit, folders, media_changes, posts, publishing, references, site, taxonomies
from cms.services.intake import Act, Brought, Intake, Result
from cms.settings import data_folder

KEY = "demo:"
FILLED = "demo.fill"  # the audit's word for it: whoever empties the trash later does not get these posts again

_FENCE = "+++\n"
_PLACE = re.compile(r"\((media|post):([\w./-]+)(?=[ )])")  # a link's target in a text: a picture, or something published before


@dataclass(frozen=True, slots=True)
class Filled:
    """How much was made."""

    people: int = 0
    categories: int = 0
    tags: int = 0
    pictures: int = 0
    pages: int = 0
    posts: int = 0

    @property
    def was_there(self) -> bool:
        """An earlier fill had made everything."""
        return self == Filled()

    def since(self, before: "Filled") -> "Filled":
        return Filled(*(getattr(self, table) - getattr(before, table) for table in _TABLES))


async def fill(intake: Intake, renderer: Renderer, public_url: str) -> Filled:
    """Put the publication into a site that has no posts. Raises ``OperatorError`` if it has some of its own."""
    publication, database = await asyncio.to_thread(read_publication), intake.database
    async with database.read() as session:
        if await _was_filled(session):
            return Filled()
        await _refuse_own_posts(session)
        before = await _counts(session)
    filling = _Filling(database, renderer, public_url, database.clock())
    await filling.prepare(publication)
    await filling.add_pictures(intake, publication)
    for text in publication.texts:
        await filling.add(text)
    async with database.transaction() as work:
        audit.note(work, SYSTEM, FILLED, "site", SITE_ID)
    async with database.read() as session:
        return (await _counts(session)).since(before)


async def _was_filled(session: AsyncSession) -> bool:
    """Not asked of the posts: some may be gone by now, and others half done."""
    return bool(await session.scalar(select(exists().where(AuditEntry.action == FILLED))))


async def _refuse_own_posts(session: AsyncSession) -> None:
    own = or_(Post.import_key.is_(None), Post.import_key.not_like(f"{KEY}%"))
    if await session.scalar(select(exists().where(own))):
        raise OperatorError("This site has posts of its own, so the demo stays out of it; name an empty data folder with --data.")


async def _counts(session: AsyncSession) -> Filled:
    return Filled(*[await session.scalar(query) or 0 for query in _TABLES.values()])


_TABLES = {
    "people": select(func.count()).select_from(User),
    "categories": select(func.count()).select_from(Category),
    "tags": select(func.count()).select_from(Tag),
    "pictures": select(func.count()).select_from(Asset),
    "pages": select(func.count()).where(Post.kind == Kind.PAGE),
    "posts": select(func.count()).where(Post.kind == Kind.POST),
}


# --- filling ---------------------------------------------------------------------------------------------------------------


@dataclass
class _Filling:
    """One run, and what it knows of what is there already."""

    database: Database
    renderer: Renderer
    public_url: str
    now: datetime
    people: dict[str, Actor] = field(default_factory=dict)  # key → who
    pictures: dict[str, Asset] = field(default_factory=dict)  # file name → asset
    categories: dict[str, int] = field(default_factory=dict)  # name → id
    folders: dict[str, int] = field(default_factory=dict)

    async def prepare(self, publication: "Publication") -> None:
        """The site's name, people, categories and folders, from the day before the first text."""
        async with self._work_at(self._first_day(publication)) as work:
            if (await site.get_frame(work.session)).name == UNNAMED:
                await site.configure(work, name=publication.about.site.name, description=publication.about.site.description)
            for person in publication.about.people:
                self.people[person.key] = await _ensure_person(work, person)
            for category in publication.about.categories:
                self.categories[category.name] = await _ensure_category(work, category)
            for name in sorted({picture.about.folder for picture in publication.pictures}):
                self.folders[name] = await _ensure_folder(work, self._editor, name)
            for name in {text.header.series for text in publication.texts} - {""}:
                await taxonomies.ensure_series(work, SYSTEM, name)

    async def add_pictures(self, intake: Intake, publication: "Publication") -> None:
        day = self._first_day(publication)

        async def then(act: Act[Result]) -> Result:
            async with self._work_at(day) as work:
                return await act(work)

        for picture in publication.pictures:
            brought = Brought(picture.name, picture.about.alt, self.folders[picture.about.folder])
            taken = await intake.take_bytes(self._editor, picture.content, brought, then)
            async with self._work_at(day) as work:
                described = await media_changes.describe(work, self._editor, taken.asset.id, picture.about.said)
            self.pictures[picture.name] = described

    async def add(self, text: "Text") -> None:
        """A post or page through the acts that bring it to its state, each unless it was done before."""
        async with self.database.read() as session:
            places = await self._places(session)
            parent = await _find_id(session, text.header.parent)
        wanted = self._input(text, _settle(text.source, places), parent)
        post = await self._create(text, wanted)
        if text.header.state not in ("draft", "trashed") and not post.was_ever_public:
            post = await self._publish(text, post.id, wanted.text)
        if post.status != text.header.state:
            await self._go_on(text, post.id, wanted.model_copy(update={"text": _settle(text.changed_source, places)}))

    async def _create(self, text: "Text", wanted: PostInput) -> Post:
        async with self._work_at(self._moment(text.header.days_ago, text.header.at)) as work:
            known = (await work.session.scalars(select(Post).where(Post.import_key == text.key))).one_or_none()
            if known:
                return known
            post = await posts.create(work, self._able(text, "create"), text.kind, wanted, fields=self._fields(text))
            post.import_key = text.key
            return post

    async def _publish(self, text: "Text", post_id: int, source: str) -> Post:
        async with self.database.read() as session:
            frame = await site.get_frame(session)
            context = await references.context(session, post_id, source, frame.language, self.public_url)
        rendered = await self.renderer.render(source, context)
        async with self._work_at(self._moment(text.header.days_ago, text.header.at)) as work:
            copy = await work.session.get_one(WorkingCopy, post_id)
            await publishing.publish(work, self._able(text, "publish"), post_id, publishing.Version(copy.version, rendered))
            return await work.session.get_one(Post, post_id)

    async def _go_on(self, text: "Text", post_id: int, changed: PostInput) -> None:
        """What happened to it after it was published, or instead."""
        async with self._work_at(self._moment(text.header.then_days_ago, text.header.at)) as work:
            match text.header.state:
                case "changed":
                    copy = await work.session.get_one(WorkingCopy, post_id)
                    kept = {"version": copy.version, "picture": copy.fields.get("picture")}
                    await posts.save(work, self._able(text, "create"), post_id, changed.model_copy(update=kept))
                case "withdrawn":
                    await publishing.withdraw(work, self._editor, post_id)
                case "trashed":
                    await publishing.trash(work, self._able(text, "create"), post_id)

    def _able(self, text: "Text", verb: str) -> Actor:
        """Its first author, or the editor if the author may not."""
        author = self.people[text.header.authors[0]]
        return author if policy.allows(author, Capability.of(text.kind, verb)) else self._editor

    def _input(self, text: "Text", source: str, parent: int | None) -> PostInput:
        header = text.header
        category = self.categories[header.category] if header.category else None
        form: dict[str, object] = {
            "title": header.title,
            "slug": header.slug,
            "excerpt": header.excerpt,
            "tags": header.tags,
            "series": header.series,
        }
        form |= {"series": header.series, "part": header.part, "featured": header.featured}
        return PostInput.model_validate({**form, "text": source, "category": category, "parent": parent})

    def _fields(self, text: "Text") -> PostFields:
        authors = tuple(self.people[key].user_id or 0 for key in text.header.authors)
        picture = self.pictures[text.header.picture].id if text.header.picture else None
        return PostFields(authors=authors, picture=picture, featured=text.header.featured)

    async def _places(self, session: AsyncSession) -> dict[str, str]:
        """Where what the texts name stands: ``media:rope.svg``, ``post:about``."""
        found = select(Post.import_key, Published.path).join(Published, Published.post_id == Post.id).where(Post.import_key.startswith(KEY))
        texts = {f"post:{key.removeprefix(KEY)}": f"/{path}" for key, path in await session.execute(found) if key}
        return texts | {f"media:{name}": asset.path for name, asset in self.pictures.items()}

    @property
    def _editor(self) -> Actor:
        return next(actor for actor in self.people.values() if policy.allows(actor, Capability.TAXONOMY_MANAGE))

    def _first_day(self, publication: "Publication") -> datetime:
        return self.now - timedelta(days=1 + max(text.header.days_ago for text in publication.texts))

    def _moment(self, days_ago: int, at: time) -> datetime:
        return (self.now - timedelta(days=days_ago)).replace(hour=at.hour, minute=at.minute, second=0, microsecond=0)

    @asynccontextmanager
    async def _work_at(self, moment: datetime) -> AsyncIterator[Work]:
        async with self.database.transaction() as work:
            work.now = moment
            yield work


async def _ensure_person(work: Work, person: "Person") -> Actor:
    user = await accounts.find_by_email(work.session, person.email)
    if user is None:
        user = await accounts.create(work, SYSTEM, UserInput(email=person.email, name=person.name, role=person.role), None)
        user.bio = person.bio
    return user.actor


async def _ensure_category(work: Work, wanted: "NamedCategory") -> int:
    category = await work.session.get_one(Category, (await taxonomies.ensure_category(work, SYSTEM, wanted.name)).id)
    category.description = category.description or wanted.description
    return category.id


async def _ensure_folder(work: Work, actor: Actor, name: str) -> int:
    known = await work.session.scalar(select(Folder.id).where(Folder.folded == fold(name)))
    return known or (await folders.create(work, actor, FolderInput(name=name, parent=0))).id


async def _find_id(session: AsyncSession, slug: str) -> int | None:
    return await session.scalar(select(Post.id).where(Post.import_key == f"{KEY}{slug}")) if slug else None


def _settle(source: str, places: Mapping[str, str]) -> str:
    """The text with real addresses. A name that is not there yet is a mistake in the folder, and a ``KeyError``."""
    return _PLACE.sub(lambda match: f"({places[f'{match[1]}:{match[2]}']}", source)


# --- the folder ------------------------------------------------------------------------------------------------------------


class _Read(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True, extra="forbid")


class Change(_Read):
    """Words of a published text, and what stands there in the working copy."""

    before: str
    after: str


class Header(_Read):
    """What a text's file says above the text. Times are days before now, so that the publication always looks alive."""

    title: str
    slug: str
    authors: tuple[str, ...]  # keys, in order
    days_ago: int
    at: time = time(7, 30)
    category: str = ""
    tags: tuple[str, ...] = ()
    excerpt: str = ""
    picture: str = ""
    parent: str = ""
    series: str = ""
    part: int | None = None
    featured: bool = False
    state: Literal["published", "draft", "changed", "withdrawn", "trashed"] = "published"
    then_days_ago: int = 0  # when it was changed, withdrawn or trashed
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Text:
    kind: Kind
    header: Header
    source: str

    @property
    def key(self) -> str:
        return f"{KEY}{self.header.slug}"

    @property
    def changed_source(self) -> str:
        source = self.source
        for change in self.header.changes:
            source = source.replace(change.before, change.after)
        return source


@dataclass(frozen=True, slots=True)
class Picture:
    name: str
    content: bytes
    about: "AboutPicture"


class NamedSite(_Read):
    name: str
    description: str


class Person(_Read):
    key: str
    name: str
    email: str
    role: Literal["administrator", "editor", "author", "contributor"]
    bio: str


class NamedCategory(_Read):
    name: str
    description: str


class AboutPicture(_Read):
    folder: str
    alt: str  # what is to be seen
    caption: str = ""
    credit: str = ""
    licence: str = ""
    focus: tuple[int, int] = (50, 50)

    @property
    def said(self) -> dict[str, Any]:
        """Beside what is said when it is brought."""
        return self.model_dump(include={"caption", "credit", "licence"}) | {"focus_x": self.focus[0], "focus_y": self.focus[1]}


class About(_Read):
    """``demo.toml``: everything that is no text."""

    site: NamedSite
    people: tuple[Person, ...]
    categories: tuple[NamedCategory, ...]
    pictures: dict[str, AboutPicture]  # by file name


@dataclass(frozen=True, slots=True)
class Publication:
    about: About
    pictures: tuple[Picture, ...]
    texts: tuple[Text, ...]  # pages first, then posts, each oldest first: a text may name those before it


def read_publication(folder: Path | None = None) -> Publication:
    folder = folder or data_folder("demo")
    about = About.model_validate(tomllib.loads((folder / "demo.toml").read_text(encoding="utf-8")))
    pictures = tuple(Picture(name, (folder / "media" / name).read_bytes(), said) for name, said in about.pictures.items())
    pages = _texts(Kind.PAGE, (folder / "pages").glob("*.md"))
    return Publication(about, pictures, (*pages, *_texts(Kind.POST, (folder / "posts").glob("*.md"))))


def _texts(kind: Kind, paths: Iterable[Path]) -> list[Text]:
    texts = [_text(kind, path.read_text(encoding="utf-8")) for path in paths]
    return sorted(texts, key=lambda text: (-text.header.days_ago, text.header.slug))


def _text(kind: Kind, file: str) -> Text:
    header, _, source = file.removeprefix(_FENCE).partition(f"\n{_FENCE}")
    return Text(kind, Header.model_validate(tomllib.loads(header)), source.strip() + "\n")
