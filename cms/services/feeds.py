"""The newest posts with their whole text, and the site at a glance: for programs that read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from cms.models import Published
from cms.models.address import TargetKind
from cms.models.post import Kind
from cms.models.site import Frame
from cms.services import site
from cms.services.lists import find_subject, newest
from cms.services.reading import ARTICLE, CARD, Article, Card, article_of, cards_of

FEED_LENGTH = 20
OVERVIEW_LENGTH = 50


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


async def feed(session: AsyncSession) -> Feed:
    """The newest posts with their whole text."""
    frame = await site.get_frame(session)
    return Feed(frame, await _articles(session, newest(*ARTICLE)))


async def feed_of(session: AsyncSession, kind: TargetKind, path: str) -> Feed:
    """The newest posts of a tag, category, author or series. Raises ``NotFound`` as their lists do."""
    subject, members = await find_subject(session, kind, path)
    articles = await _articles(session, newest(*ARTICLE).where(Published.post_id.in_(members)))
    return Feed(subject.frame, articles, subject.title, subject.description, subject.path, subject.name)


async def overview(session: AsyncSession) -> Overview:
    frame = await site.get_frame(session)
    pages: Select[*tuple[Any, ...]] = select(*CARD).where(Published.in_lists(Kind.PAGE)).order_by(Published.published_at, Published.post_id)
    found = [await cards_of(session, wanted.limit(OVERVIEW_LENGTH)) for wanted in (newest(*CARD), pages)]
    return Overview(frame, *found)


async def _articles(session: AsyncSession, posts: Select[*tuple[Any, ...]]) -> list[Article]:
    return [article_of(row) for row in await session.execute(posts.limit(FEED_LENGTH))]
