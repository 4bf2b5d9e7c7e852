"""What readers ask for: read documents, as frozen values. A post's page is one statement, a list two."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, bindparam, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, aliased

from cms.db.session import Finder, ReadSession
from cms.errors import Gone, NotFound, Unavailable
from cms.models import (
    Address,
    Asset,
    Category,
    PostAuthor,
    PostCategory,
    PostSeries,
    PostTag,
    Published,
    Revision,
    Series,
    Site,
    Tag,
    User,
)
from cms.models.address import AddressState, TargetKind, normalise_path
from cms.models.media import asset_path
from cms.models.post import Kind, Side
from cms.models.site import SITE_ID, Frame

FEED_LENGTH = 20
OVERVIEW_LENGTH = 50
ARCHIVE_LENGTH = 1000
FEATURED = 3


@dataclass(frozen=True, slots=True)
class Card:
    """What lists show of a post. Paths have a slash before them; authors, tags and category are maps with ``name`` and ``path``."""

    post_id: int
    path: str
    title: str
    title_html: str
    excerpt: str
    published_at: datetime
    updated_at: datetime
    reading_minutes: int
    language: str
    authors: Sequence[dict[str, Any]]
    tags: Sequence[dict[str, Any]]
    category: dict[str, Any] | None
    picture: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Article(Card):
    """Everything a post's or page's own page shows."""

    kind: Kind
    standfirst: str  # "" if nobody wrote one
    html: str
    toc: Sequence[dict[str, Any]]
    words: int
    trail: Sequence[dict[str, str]]
    previous: dict[str, Any] | None
    following: dict[str, Any] | None
    series: dict[str, Any] | None
    related: Sequence[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Place:
    """What is at a path. ``path`` is where the thing stands now (with a slash), "" if nowhere."""

    frame: Frame
    state: AddressState | None = None  # None: nothing was ever here
    article: Article | None = None
    post_id: int | None = None  # of what stands or stood there
    asset_path: str = ""  # if a file of the library stood there

    @property
    def path(self) -> str:
        return self.article.path if self.article else self.asset_path


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of a list. ``subject``: what the list is of."""

    frame: Frame
    name: str  # "home", "tag:7": as events name it
    cards: Sequence[Card]
    page: int
    pages: int
    total: int
    title: str = ""
    description: str = ""
    path: str = "/"  # of the first page; "/page/1" for the newest posts while a page stands at the front

    def page_path(self, number: int) -> str:
        base = self.path.removesuffix("/page/1").rstrip("/")
        return f"{base}/page/{number}" if number > 1 else self.path


@dataclass(frozen=True, slots=True)
class Archive:
    frame: Frame
    cards: Sequence[Card]  # newest first
    months: Sequence[tuple[str, int]]  # ("2026-11", how many), newest first
    period: str  # "", "2026" or "2026-11"


@dataclass(frozen=True, slots=True)
class Feed:
    """What a feed is of (the whole site, unless it says otherwise) and its newest posts. ``key`` stays when the thing is renamed."""

    frame: Frame
    articles: Sequence[Article]
    title: str = ""
    description: str = ""
    path: str = "/"
    name: str = "home"  # "tag:7": as events name it

    @property
    def updated_at(self) -> datetime | None:
        return max((article.updated_at for article in self.articles), default=None)


@dataclass(frozen=True, slots=True)
class Overview:
    """The site at a glance: its newest posts and its pages."""

    frame: Frame
    posts: Sequence[Card]
    pages: Sequence[Card]


@dataclass(frozen=True, slots=True)
class Term:
    """A kind of list: whose it is, what is said about it, and the key of the join table that has its posts."""

    table: type[Tag] | type[Category] | type[User] | type[Series]
    description: InstrumentedAttribute[str]
    key: InstrumentedAttribute[int]


TERMS = {
    TargetKind.TAG: Term(Tag, Tag.description, PostTag.tag_id),
    TargetKind.CATEGORY: Term(Category, Category.description, PostCategory.category_id),
    TargetKind.AUTHOR: Term(User, User.bio, PostAuthor.user_id),
    TargetKind.SERIES: Term(Series, Series.description, PostSeries.series_id),
}

_CARD = (
    Published.post_id,
    Published.path,
    Published.title,
    Published.title_html,
    Published.excerpt,
    Published.published_at,
    Published.updated_at,
    Published.reading_minutes,
    Published.language,
    Published.authors,
    Published.tags,
    Published.category,
    Published.picture,
)
LINK = (
    Published.post_id,
    Published.path,
    Published.title,
    Published.title_html,
    Published.published_at,
    Published.reading_minutes,
    Published.language,
)
_ARTICLE = (
    *_CARD,
    Published.kind,
    Published.standfirst,
    Published.html,
    Published.toc,
    Published.words,
    Published.trail,
    Published.previous,
    Published.following,
    Published.series,
    Published.related,
)


# --- one post or page ------------------------------------------------------------------------------------------------------


_site, _addresses, _published, _assets = Site.__table__, Address.__table__, Published.__table__, Asset.__table__

# The most asked question of all. Made once, and of tables instead of classes: building it for each reader, or having the ORM
# prepare it, would cost more than running it (bench/pages.py).
_PLACE = (
    select(
        _site.c.frame,
        _addresses.c.state,
        _addresses.c.target_kind,
        _addresses.c.target_id,
        _assets.c.id,
        _assets.c.digest,
        _assets.c.name,
        *(_published.c[column.key] for column in _ARTICLE),
    )
    .select_from(_site)
    .outerjoin(_addresses, _addresses.c.path == bindparam("path"))
    .outerjoin(_published, and_(_addresses.c.target_kind == TargetKind.POST, _published.c.post_id == _addresses.c.target_id))
    .outerjoin(_assets, and_(_addresses.c.target_kind == TargetKind.MEDIA, _assets.c.id == _addresses.c.target_id))
    .where(_site.c.id == SITE_ID)
)


async def find_place(where: Finder, path: str) -> Place:
    """What is at a path, and the frame around it, in one statement."""
    row = await where.find(_PLACE, {"path": normalise_path(path)})
    if row is None:
        raise Unavailable
    frame, state, kind, target_id, asset_id, digest, name, *values = row
    return Place(
        Frame.from_json(frame),
        state,
        _article(values) if values[0] is not None else None,
        target_id if kind is TargetKind.POST else None,
        asset_path(asset_id, digest, name) if asset_id is not None else "",
    )


_FEEDS = {"index.xml": "/feed.xml", "rss.xml": "/feed.xml", "feed.xml": "/feed.xml", "atom.xml": "/atom.xml"}  # of other programs → ours


async def list_at(session: AsyncSession, path: str) -> str:
    """Where the list or its feed is that once stood at a path, "" if none did: of a term of another site (services/transfers.py)."""
    old, current = aliased(Address), aliased(Address)
    same = (current.target_kind == old.target_kind) & (current.target_id == old.target_id) & (current.state == AddressState.CURRENT)
    lists = old.target_kind.in_([TargetKind.TAG, TargetKind.CATEGORY, TargetKind.AUTHOR, TargetKind.SERIES])
    wanted = select(current.path).join(old, same).where(old.path == normalise_path(path), old.state == AddressState.MOVED, lists)
    found = (await session.scalars(wanted)).one_or_none()
    feed = _FEEDS.get(path.rpartition("/")[2], "")
    return f"/{found}{feed}" if found else ""


# --- lists -----------------------------------------------------------------------------------------------------------------


async def front(session: ReadSession) -> Place | Listing:
    """What stands at "/": the page that was chosen, or the newest posts."""
    frame, total = await _frame_and_total(session)
    place = await find_place(session, frame.home_path) if frame.home_path else None
    return place if place and place.article else await _newest_posts(session, frame, total, 1)


async def home(session: AsyncSession, page: int) -> Listing:
    return await _newest_posts(session, *await _frame_and_total(session), page)


async def _frame_and_total(session: AsyncSession) -> tuple[Frame, int]:
    total = select(func.count()).select_from(Published).where(Published.kind == Kind.POST).scalar_subquery()
    row = (await session.execute(select(Site.frame, total).where(Site.id == SITE_ID))).one_or_none()
    if row is None:
        raise Unavailable
    return Frame.from_json(row[0]), row[1]


async def _newest_posts(session: AsyncSession, frame: Frame, total: int, page: int) -> Listing:
    return await _listing(session, _Subject(frame, "home", total, path=frame.posts_path), _newest(*_CARD), page)


async def featured(session: AsyncSession) -> list[dict[str, Any]]:
    """Posts that editors keep at hand on the home page, the newest few, as links."""
    wanted = select(*LINK).where(Published.is_featured)
    rows = await session.execute(wanted.order_by(Published.published_at.desc()).limit(FEATURED))
    return [as_link(row) for row in rows]


@dataclass(frozen=True, slots=True)
class Branch:
    """The tree of pages around one: those beside it and those below it, as links."""

    parent_id: int | None
    beside: Sequence[dict[str, Any]]  # itself among them
    below: Sequence[dict[str, Any]]


async def branch(session: AsyncSession, page_id: int) -> Branch:
    parent = select(Published.parent_id).where(Published.post_id == page_id).scalar_subquery()
    near = or_(Published.parent_id == page_id, Published.parent_id == parent)
    wanted = select(Published.parent_id, *LINK).where(Published.kind == Kind.PAGE, near).order_by(Published.title, Published.post_id)
    links = [(parent_id, as_link(row)) for parent_id, *row in await session.execute(wanted)]
    above = next((parent_id for parent_id, link in links if link["id"] == page_id), None)
    below = [link for parent_id, link in links if parent_id == page_id]
    return Branch(above, [link for parent_id, link in links if above is not None and parent_id == above], below)


async def by_tag(session: AsyncSession, slug: str, page: int) -> Listing:
    """Raises ``NotFound``, also for a tag that no public post has. ``Listing.path`` is where the tag stands now."""
    return await _of_term(session, TargetKind.TAG, slug, page)


async def by_category(session: AsyncSession, path: str, page: int) -> Listing:
    return await _of_term(session, TargetKind.CATEGORY, path, page)


async def by_author(session: AsyncSession, slug: str, page: int) -> Listing:
    return await _of_term(session, TargetKind.AUTHOR, slug, page)


async def by_series(session: AsyncSession, slug: str, page: int) -> Listing:
    """In the order in which it is read: by position, then the oldest first."""
    subject, _members = await _find_subject(session, TargetKind.SERIES, slug)
    in_order: Select[*tuple[Any, ...]] = (
        select(*_CARD)
        .join(PostSeries, (PostSeries.post_id == Published.post_id) & (PostSeries.side == Side.LIVE))
        .where(Published.kind == Kind.POST, PostSeries.series_id == subject.id)
        .order_by(PostSeries.position, Published.published_at, Published.post_id)
    )
    return await _listing(session, subject, in_order, page)


async def _of_term(session: AsyncSession, kind: TargetKind, path: str, page: int) -> Listing:
    subject, members = await _find_subject(session, kind, path)
    return await _listing(session, subject, _newest(*_CARD).where(Published.post_id.in_(members)), page)


@dataclass(frozen=True, slots=True)
class _Subject:
    """What a list is of, with how many posts it has."""

    frame: Frame
    name: str
    total: int
    title: str = ""
    description: str = ""
    path: str = "/"
    id: int = 0


async def _find_subject(session: AsyncSession, kind: TargetKind, path: str) -> tuple[_Subject, Select[int]]:
    """What stands at an address below its kind ("tag/sea"), wherever it has moved to since, and the posts whose live side has it.

    Raises ``NotFound``, also for what no public post has.
    """
    table, description, key = TERMS[kind].table, TERMS[kind].description, TERMS[kind].key
    current = aliased(Address)
    members = select(key.class_.post_id).where(key.class_.side == Side.LIVE)
    # From the members to the posts: the other way round SQLite would look all members up again for each post.
    count = (
        members.with_only_columns(func.count())
        .select_from(key.class_)
        .join(Published, Published.post_id == key.class_.post_id)
        .where(Published.kind == Kind.POST, key == table.id)
        .correlate(table)
        .scalar_subquery()
    )
    wanted = (
        select(Site.frame, count, table.name, description, current.path, table.id)
        .select_from(Site)
        .join(Address, (Address.path == normalise_path(f"{kind}/{path}")) & (Address.target_kind == kind))
        .join(table, table.id == Address.target_id)
        .join(current, (current.target_kind == kind) & (current.target_id == table.id) & (current.state == AddressState.CURRENT))
        .where(Site.id == SITE_ID)
    )
    row = (await session.execute(wanted)).one_or_none()
    if row is None or not row[1]:
        raise NotFound
    frame, total, name, text, now_at, term_id = row
    subject = _Subject(Frame.from_json(frame), f"{kind}:{term_id}", total, name, text, f"/{now_at}", term_id)
    return subject, members.where(key == term_id)


async def _listing(session: AsyncSession, subject: _Subject, posts: Select[*tuple[Any, ...]], page: int) -> Listing:
    size = subject.frame.posts_per_page
    pages = max(1, -(-subject.total // size))
    if not 1 <= page <= pages:
        raise NotFound
    cards = await _cards(session, posts.limit(size).offset((page - 1) * size))
    return Listing(subject.frame, subject.name, cards, page, pages, subject.total, subject.title, subject.description, subject.path)


async def _cards(session: AsyncSession, posts: Select[*tuple[Any, ...]]) -> list[Card]:
    return [_card(row) for row in await session.execute(posts)]


async def cards(session: AsyncSession, post_ids: Sequence[int]) -> list[Card]:
    """Of posts and pages, in this order; what is not public is left out."""
    found = {row[0]: _card(row) for row in await session.execute(select(*_CARD).where(Published.post_id.in_(post_ids)))}
    return [found[post_id] for post_id in post_ids if post_id in found]


def _newest(*columns: InstrumentedAttribute[Any]) -> Select[*tuple[Any, ...]]:
    return select(*columns).where(Published.kind == Kind.POST).order_by(Published.published_at.desc(), Published.post_id.desc())


async def archive(session: AsyncSession, period: str) -> Archive:
    """Titles of a month ("2026-11"), a year ("2026"), or all ("", the newest thousand). Raises ``NotFound`` for one without posts."""
    frame = Frame.from_json((await session.execute(_FRAME)).scalar_one())
    counted = select(Published.month, func.count()).where(Published.kind == Kind.POST).group_by(Published.month)
    months = [(month, number) for month, number in await session.execute(counted.order_by(Published.month.desc()))]
    if period and not any(month.startswith(period) for month, _ in months):
        raise NotFound
    within = Published.month.in_([month for month, _ in months if month.startswith(period)]) if period else true()
    cards = await _cards(session, _newest(*_CARD).where(within).limit(ARCHIVE_LENGTH))
    return Archive(frame, cards, months, period)


# --- for programs ----------------------------------------------------------------------------------------------------------


async def feed(session: AsyncSession) -> Feed:
    """The newest posts with their whole text."""
    frame = Frame.from_json((await session.execute(_FRAME)).scalar_one())
    return Feed(frame, await _articles(session, _newest(*_ARTICLE)))


async def feed_of(session: AsyncSession, kind: TargetKind, path: str) -> Feed:
    """The newest posts of a tag, category, author or series. Raises ``NotFound`` as their lists do."""
    subject, members = await _find_subject(session, kind, path)
    articles = await _articles(session, _newest(*_ARTICLE).where(Published.post_id.in_(members)))
    return Feed(subject.frame, articles, subject.title, subject.description, subject.path, subject.name)


async def overview(session: AsyncSession) -> Overview:
    frame = Frame.from_json((await session.execute(_FRAME)).scalar_one())
    pages: Select[*tuple[Any, ...]] = select(*_CARD).where(Published.kind == Kind.PAGE).order_by(Published.published_at, Published.post_id)
    found = [await _cards(session, wanted.limit(OVERVIEW_LENGTH)) for wanted in (_newest(*_CARD), pages)]
    return Overview(frame, *found)


async def _articles(session: AsyncSession, posts: Select[*tuple[Any, ...]]) -> list[Article]:
    return [_article(row) for row in await session.execute(posts.limit(FEED_LENGTH))]


async def find_source(session: AsyncSession, post_id: int) -> str:
    """The text of which the public version was made. Raises ``Gone`` if there is none any more."""
    wanted = select(Revision.content).join(Published, Published.revision_id == Revision.id).where(Published.post_id == post_id)
    source = (await session.execute(wanted)).scalar_one_or_none()
    if source is None:
        raise Gone
    return source


_FRAME = select(Site.frame).where(Site.id == SITE_ID)


def as_link(row: Any) -> dict[str, Any]:
    """What a page says of another post, fit for JSON."""
    post_id, path, title, title_html, published_at, reading_minutes, language = row
    return {
        "id": post_id,
        "path": f"/{path}",
        "title": title,
        "title_html": title_html,
        "published_at": published_at.isoformat(),
        "reading_minutes": reading_minutes,
        "language": language,
    }


def _card(row: Sequence[Any]) -> Card:
    post_id, path, *rest = row
    return Card(post_id, f"/{path}", *rest)


def _article(row: Sequence[Any]) -> Article:
    post_id, path, *rest = row
    return Article(post_id, f"/{path}", *rest)
