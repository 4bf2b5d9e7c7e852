"""One post or page as readers get it: read documents, as frozen values. A post's page is one statement."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, Text, and_, bindparam, cast, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cms.db.session import Finder
from cms.errors import Gone, Unavailable
from cms.models import Address, Asset, Post, Published, Revision, Site
from cms.models.address import AddressState, TargetKind, normalise_path
from cms.models.media import asset_path
from cms.models.post import Kind, Visibility
from cms.models.site import SITE_ID, Frame, frame_of


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
    meta: Mapping[str, str] | None
    custom: Sequence[dict[str, Any]] | None  # [{key, label, type, value}] as Published has them; a picture's value is a map
    visibility: Visibility

    @property
    def is_listed(self) -> bool:
        return self.visibility is Visibility.PUBLIC

    @property
    def search_title(self) -> str:
        return self._said("search_title", self.title)

    @property
    def search_description(self) -> str:
        return self._said("search_description", self.excerpt)

    @property
    def share_title(self) -> str:
        return self._said("share_title", self.title)

    @property
    def share_description(self) -> str:
        return self._said("share_description", self.excerpt)

    def _said(self, name: str, own: str) -> str:
        """What others are to show of it, or its own words."""
        return (self.meta or {}).get(name) or own


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


CARD = (
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

ARTICLE = (
    *CARD,
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
    Published.meta,
    Published.custom,
    Published.visibility,
)

_site, _addresses, _published, _assets = Site.__table__, Address.__table__, Published.__table__, Asset.__table__

# The most asked question of all. Made once, and of tables instead of classes: building it for each reader, or having the ORM
# prepare it, would cost more than running it (bench/pages.py).
_PLACE = (
    select(
        cast(_site.c.frame, Text),
        _addresses.c.state,
        _addresses.c.target_kind,
        _addresses.c.target_id,
        _assets.c.id,
        _assets.c.shown_digest,
        _assets.c.name,
        *(_published.c[column.key] for column in ARTICLE),
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
        frame_of(frame),
        state,
        article_of(values) if values[0] is not None else None,
        target_id if kind is TargetKind.POST else None,
        asset_path(asset_id, digest, name) if asset_id is not None else "",
    )


@dataclass(frozen=True, slots=True)
class Branch:
    """The tree of pages around one: those beside it and those below it, as links."""

    parent_id: int | None
    beside: Sequence[dict[str, Any]]  # itself among them
    below: Sequence[dict[str, Any]]


async def branch(session: AsyncSession, page_id: int) -> Branch:
    parent = select(Published.parent_id).where(Published.post_id == page_id).scalar_subquery()
    near = or_(Published.parent_id == page_id, Published.parent_id == parent)
    wanted = (
        select(Published.parent_id, *LINK)
        .join(Post, Post.id == Published.post_id)
        .where(or_(Published.in_lists(Kind.PAGE), Published.post_id == page_id), near)
        .order_by(*Post.in_place(), Published.title, Published.post_id)
    )
    links = [(parent_id, as_link(row)) for parent_id, *row in await session.execute(wanted)]
    above = next((parent_id for parent_id, link in links if link["id"] == page_id), None)
    below = [link for parent_id, link in links if parent_id == page_id]
    return Branch(above, [link for parent_id, link in links if above is not None and parent_id == above], below)


async def cards_of(session: AsyncSession, posts: Select[*tuple[Any, ...]]) -> list[Card]:
    return [card_of(row) for row in await session.execute(posts)]


async def cards(session: AsyncSession, post_ids: Sequence[int]) -> list[Card]:
    """Of posts and pages, in this order; what is not public is left out."""
    found = {row[0]: card_of(row) for row in await session.execute(select(*CARD).where(Published.post_id.in_(post_ids)))}
    return [found[post_id] for post_id in post_ids if post_id in found]


async def find_source(session: AsyncSession, post_id: int) -> str:
    """The text of which the public version was made. Raises ``Gone`` if there is none any more."""
    wanted = select(Revision.content).join(Published, Published.revision_id == Revision.id).where(Published.post_id == post_id)
    source = (await session.execute(wanted)).scalar_one_or_none()
    if source is None:
        raise Gone
    return source


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


def card_of(row: Sequence[Any]) -> Card:
    post_id, path, *rest = row
    return Card(post_id, f"/{path}", *rest)


def article_of(row: Sequence[Any]) -> Article:
    post_id, path, *rest = row
    return Article(post_id, f"/{path}", *rest)
