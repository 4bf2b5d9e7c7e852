"""Lists of what readers get: the newest, those of a term, everything by date. Two statements each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal_column, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, aliased

from cms.db.session import ReadSession
from cms.errors import NotFound, Unavailable
from cms.models import (
    Address,
    Asset,
    Category,
    Portrait,
    PostAuthor,
    PostCategory,
    PostSeries,
    PostTag,
    Published,
    Series,
    Site,
    Tag,
    User,
)
from cms.models.address import AddressState, TargetKind, normalise_path
from cms.models.post import Kind, Side, Visibility
from cms.models.site import SITE_ID, Frame
from cms.services import site
from cms.services.reading import CARD, LINK, Card, Place, as_link, cards_of, find_place

ARCHIVE_LENGTH = 1000
FEATURED = 3
_IS_FEATURED: ColumnElement[bool] = literal_column("published.is_featured")  # as its index says it: SQLite compares words


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
    person: "Person | None" = None  # whose list it is, on its first page

    def page_path(self, number: int) -> str:
        base = self.path.removesuffix("/page/1").rstrip("/")
        return f"{base}/page/{number}" if number > 1 else self.path


@dataclass(frozen=True, slots=True)
class Person:
    """What an author's page shows besides name and words. ``links``: maps of ``label`` and ``path``."""

    user_id: int
    links: Sequence[dict[str, str]]
    picture: dict[str, Any] | None  # Asset.as_shown


@dataclass(frozen=True, slots=True)
class Archive:
    frame: Frame
    cards: Sequence[Card]  # newest first
    months: Sequence[tuple[str, int]]  # ("2026-11", how many), newest first
    period: str  # "", "2026" or "2026-11"


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


async def front(session: ReadSession) -> Place | Listing:
    """What stands at "/": the page that was chosen, or the newest posts."""
    frame, total = await _frame_and_total(session)
    place = await find_place(session, frame.home_path) if frame.home_path else None
    return place if place and place.article else await _newest_posts(session, frame, total, 1)


async def home(session: AsyncSession, page: int) -> Listing:
    return await _newest_posts(session, *await _frame_and_total(session), page)


async def _frame_and_total(session: AsyncSession) -> tuple[Frame, int]:
    total = select(func.count()).select_from(Published).where(Published.in_lists(Kind.POST)).scalar_subquery()
    row = (await session.execute(select(Site.frame, total).where(Site.id == SITE_ID))).one_or_none()
    if row is None:
        raise Unavailable
    return Frame.from_json(row[0]), row[1]


async def _newest_posts(session: AsyncSession, frame: Frame, total: int, page: int) -> Listing:
    return await _listing(session, _Subject(frame, "home", total, path=frame.posts_path), newest(*CARD), page)


async def featured(session: AsyncSession) -> list[dict[str, Any]]:
    """Posts that editors keep at hand on the home page, the newest few, as links."""
    wanted = select(*LINK).where(_IS_FEATURED, Published.visibility == Visibility.PUBLIC)
    rows = await session.execute(wanted.order_by(Published.published_at.desc()).limit(FEATURED))
    return [as_link(row) for row in rows]


async def by_tag(session: AsyncSession, slug: str, page: int) -> Listing:
    """Raises ``NotFound``, also for a tag that no public post has. ``Listing.path`` is where the tag stands now."""
    return await _of_term(session, TargetKind.TAG, slug, page)


async def by_category(session: AsyncSession, path: str, page: int) -> Listing:
    return await _of_term(session, TargetKind.CATEGORY, path, page)


async def by_author(session: AsyncSession, slug: str, page: int) -> Listing:
    return await _of_term(session, TargetKind.AUTHOR, slug, page)


async def by_series(session: AsyncSession, slug: str, page: int) -> Listing:
    """In the order in which it is read: by position, then the oldest first."""
    subject, _members = await find_subject(session, TargetKind.SERIES, slug)
    in_order: Select[*tuple[Any, ...]] = (
        select(*CARD)
        .join(PostSeries, (PostSeries.post_id == Published.post_id) & (PostSeries.side == Side.LIVE))
        .where(Published.in_lists(Kind.POST), PostSeries.series_id == subject.id)
        .order_by(PostSeries.position, Published.published_at, Published.post_id)
    )
    return await _listing(session, subject, in_order, page)


async def _of_term(session: AsyncSession, kind: TargetKind, path: str, page: int) -> Listing:
    subject, members = await find_subject(session, kind, path)
    return await _listing(session, subject, newest(*CARD).where(Published.post_id.in_(members)), page)


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
    person: Person | None = None


async def find_subject(session: AsyncSession, kind: TargetKind, path: str) -> tuple[_Subject, Select[int]]:
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
        .where(Published.in_lists(Kind.POST), key == table.id)
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
    row = (await session.execute(_with_person(wanted) if kind is TargetKind.AUTHOR else wanted)).one_or_none()
    if row is None or not row[1]:
        raise NotFound
    frame, total, name, text, now_at, term_id, *known = row
    person = _person(term_id, *known) if known else None
    subject = _Subject(Frame.from_json(frame), f"{kind}:{term_id}", total, name, text, f"/{now_at}", term_id, person)
    return subject, members.where(key == term_id)


def _with_person(wanted: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    pictured = wanted.outerjoin(Portrait, Portrait.user_id == User.id).outerjoin(Asset, Asset.id == Portrait.asset_id)
    return pictured.add_columns(User.links, Asset)


def _person(user_id: int, links: list[dict[str, str]], picture: Asset | None) -> Person:
    return Person(user_id, links, picture.as_shown if picture else None)


async def _listing(session: AsyncSession, subject: _Subject, posts: Select[*tuple[Any, ...]], page: int) -> Listing:
    size = subject.frame.posts_per_page
    pages = max(1, -(-subject.total // size))
    if not 1 <= page <= pages:
        raise NotFound
    cards = await cards_of(session, posts.limit(size).offset((page - 1) * size))
    of_list = (subject.total, subject.title, subject.description, subject.path)
    return Listing(subject.frame, subject.name, cards, page, pages, *of_list, subject.person if page == 1 else None)


def newest(*columns: InstrumentedAttribute[Any]) -> Select[*tuple[Any, ...]]:
    return select(*columns).where(Published.in_lists(Kind.POST)).order_by(Published.published_at.desc(), Published.post_id.desc())


async def archive(session: AsyncSession, period: str) -> Archive:
    """Titles of a month ("2026-11"), a year ("2026"), or all ("", the newest thousand). Raises ``NotFound`` for one without posts."""
    frame = await site.get_frame(session)
    counted = select(Published.month, func.count()).where(Published.in_lists(Kind.POST)).group_by(Published.month)
    months = [(month, number) for month, number in await session.execute(counted.order_by(Published.month.desc()))]
    if period and not any(month.startswith(period) for month, _ in months):
        raise NotFound
    within = Published.month.in_([month for month, _ in months if month.startswith(period)]) if period else true()
    cards = await cards_of(session, newest(*CARD).where(within).limit(ARCHIVE_LENGTH))
    return Archive(frame, cards, months, period)
