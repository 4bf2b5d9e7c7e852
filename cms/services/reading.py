"""What readers ask for: read documents, as frozen values. A post's page is one statement, a list two."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, aliased

from cms.db.session import ReadSession
from cms.errors import NotFound, Unavailable
from cms.models import Address, Asset, Category, PostAuthor, PostCategory, PostTag, Published, Site, Tag, User
from cms.models.address import AddressState, TargetKind, normalise_path
from cms.models.media import asset_path
from cms.models.post import Kind, Side
from cms.models.site import SITE_ID, Frame

FEED_LENGTH = 20
SITEMAP_LENGTH = 50_000  # https://www.sitemaps.org/protocol.html
ARCHIVE_LENGTH = 1000


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


@dataclass(frozen=True, slots=True)
class Place:
    """What is at a path. ``path`` is where the thing stands now (with a slash), "" if nowhere."""

    frame: Frame
    state: AddressState | None = None  # None: nothing was ever here
    article: Article | None = None
    asset_path: str = ""  # if a file of the library stood there

    @property
    def path(self) -> str:
        return self.article.path if self.article else self.asset_path


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of a list. ``subject``: what the list is of."""

    frame: Frame
    cards: Sequence[Card]
    page: int
    pages: int
    total: int
    title: str = ""
    description: str = ""
    path: str = "/"  # of the first page

    def page_path(self, number: int) -> str:
        base = self.path.rstrip("/")
        return f"{base}/page/{number}" if number > 1 else self.path


@dataclass(frozen=True, slots=True)
class Archive:
    frame: Frame
    cards: Sequence[Card]  # newest first
    months: Sequence[tuple[str, int]]  # ("2026-11", how many), newest first
    period: str  # "", "2026" or "2026-11"


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
_ARTICLE = (*_CARD, Published.kind, Published.standfirst, Published.html, Published.toc, Published.words, Published.trail)


# --- one post or page ------------------------------------------------------------------------------------------------------


_site, _addresses, _published, _assets = Site.__table__, Address.__table__, Published.__table__, Asset.__table__

# The most asked question of all. Made once, and of tables instead of classes: building it for each reader, or having the ORM
# prepare it, would cost more than running it (bench/pages.py).
_PLACE = (
    select(
        _site.c.frame,
        _addresses.c.state,
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


async def find_place(session: ReadSession, path: str) -> Place:
    """What is at a path, and the frame around it, in one statement."""
    row = await session.find(_PLACE, {"path": normalise_path(path)})
    if row is None:
        raise Unavailable
    frame, state, asset_id, digest, name, *values = row
    return Place(
        Frame.from_json(frame),
        state,
        _article(values) if values[0] is not None else None,
        asset_path(asset_id, digest, name) if asset_id is not None else "",
    )


# --- lists -----------------------------------------------------------------------------------------------------------------


async def home(session: AsyncSession, page: int) -> Listing:
    total = select(func.count()).select_from(Published).where(Published.kind == Kind.POST).scalar_subquery()
    row = (await session.execute(select(Site.frame, total).where(Site.id == SITE_ID))).one_or_none()
    if row is None:
        raise Unavailable
    frame = Frame.from_json(row[0])
    return await _listing(session, _Subject(frame, row[1], "", "", "/"), true(), page)


async def by_tag(session: AsyncSession, slug: str, page: int) -> Listing:
    """Raises ``NotFound``, also for a tag that no public post has. ``Listing.path`` is where the tag stands now."""
    member = select(PostTag.post_id).where(PostTag.side == Side.LIVE)
    return await _of_term(session, TargetKind.TAG, f"tag/{slug}", Tag, Tag.description, (member, PostTag.tag_id), page)


async def by_category(session: AsyncSession, path: str, page: int) -> Listing:
    member = select(PostCategory.post_id).where(PostCategory.side == Side.LIVE)
    return await _of_term(
        session, TargetKind.CATEGORY, f"category/{path}", Category, Category.description, (member, PostCategory.category_id), page
    )


async def by_author(session: AsyncSession, slug: str, page: int) -> Listing:
    member = select(PostAuthor.post_id).where(PostAuthor.side == Side.LIVE)
    return await _of_term(session, TargetKind.AUTHOR, f"author/{slug}", User, User.bio, (member, PostAuthor.user_id), page)


@dataclass(frozen=True, slots=True)
class _Subject:
    """What a list is of, with how many posts it has."""

    frame: Frame
    total: int
    title: str
    description: str
    path: str


async def _of_term(
    session: AsyncSession,
    kind: TargetKind,
    path: str,
    table: type[Tag] | type[Category] | type[User],
    description: InstrumentedAttribute[str],
    membership: tuple[Select[int], InstrumentedAttribute[int]],
    page: int,
) -> Listing:
    """The list at an address, wherever the thing has moved to since; its posts are those whose live side has it."""
    current = aliased(Address)
    members, key = membership
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
        select(Site.frame, table.id, table.name, description, current.path, count)
        .select_from(Site)
        .join(Address, (Address.path == normalise_path(path)) & (Address.target_kind == kind))
        .join(table, table.id == Address.target_id)
        .join(current, (current.target_kind == kind) & (current.target_id == table.id) & (current.state == AddressState.CURRENT))
        .where(Site.id == SITE_ID)
    )
    row = (await session.execute(wanted)).one_or_none()
    if row is None or not row[5]:
        raise NotFound
    frame, term_id, name, text, now_at, total = row
    subject = _Subject(Frame.from_json(frame), total, name, text, f"/{now_at}")
    return await _listing(session, subject, Published.post_id.in_(members.where(key == term_id)), page)


async def _listing(session: AsyncSession, subject: _Subject, member: ColumnElement[bool], page: int) -> Listing:
    size = subject.frame.posts_per_page
    pages = max(1, -(-subject.total // size))
    if not 1 <= page <= pages:
        raise NotFound
    cards = await _cards(session, member, limit=size, offset=(page - 1) * size)
    return Listing(subject.frame, cards, page, pages, subject.total, subject.title, subject.description, subject.path)


async def _cards(session: AsyncSession, member: ColumnElement[bool], *, limit: int, offset: int = 0) -> list[Card]:
    rows = await session.execute(_newest(*_CARD).where(member).limit(limit).offset(offset))
    return [_card(row) for row in rows]


async def cards(session: AsyncSession, post_ids: Sequence[int]) -> list[Card]:
    """Of posts and pages, in this order; what is not public is left out."""
    found = {row[0]: _card(row) for row in await session.execute(select(*_CARD).where(Published.post_id.in_(post_ids)))}
    return [found[post_id] for post_id in post_ids if post_id in found]


def _newest(*columns: InstrumentedAttribute[Any]) -> Select[Any]:
    return select(*columns).where(Published.kind == Kind.POST).order_by(Published.published_at.desc(), Published.post_id.desc())


async def archive(session: AsyncSession, period: str) -> Archive:
    """Titles of a month ("2026-11"), a year ("2026"), or all ("", the newest thousand). Raises ``NotFound`` for one without posts."""
    frame = Frame.from_json((await session.execute(_FRAME)).scalar_one())
    counted = select(Published.month, func.count()).where(Published.kind == Kind.POST).group_by(Published.month)
    months = [(month, number) for month, number in await session.execute(counted.order_by(Published.month.desc()))]
    if period and not any(month.startswith(period) for month, _ in months):
        raise NotFound
    within = Published.month.in_([month for month, _ in months if month.startswith(period)]) if period else true()
    cards = await _cards(session, within, limit=ARCHIVE_LENGTH)
    return Archive(frame, cards, months, period)


# --- for programs ----------------------------------------------------------------------------------------------------------


async def feed(session: AsyncSession) -> tuple[Frame, list[Article]]:
    """The newest posts with their whole text."""
    frame = Frame.from_json((await session.execute(_FRAME)).scalar_one())
    rows = await session.execute(_newest(*_ARTICLE).limit(FEED_LENGTH))
    return frame, [_article(row) for row in rows]


async def sitemap(session: AsyncSession) -> list[tuple[str, datetime]]:
    """Paths of all that is public, with when readers last saw it change."""
    wanted = select(Published.path, Published.updated_at).order_by(Published.post_id.desc()).limit(SITEMAP_LENGTH)
    return [(f"/{path}", updated_at) for path, updated_at in await session.execute(wanted)]


_FRAME = select(Site.frame).where(Site.id == SITE_ID)


def _card(row: Sequence[Any]) -> Card:
    post_id, path, *rest = row
    return Card(post_id, f"/{path}", *rest)


def _article(row: Sequence[Any]) -> Article:
    post_id, path, *rest = row
    return Article(post_id, f"/{path}", *rest)
