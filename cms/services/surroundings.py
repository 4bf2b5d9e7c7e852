"""What a post's page says of other posts: the ones before and after it, the parts of its series, what to read on.

It stands in the read document, so that a reader's page is one row. What changes a title or a date therefore renews those that mention it.
"""

import math
from collections import Counter
from collections.abc import Iterable
from typing import Any

from sqlalchemy import and_, delete, func, literal, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from cms.db.session import Work
from cms.db.types import Id, UTCDateTime
from cms.events import Ids, Listed, PostPublished
from cms.models import PostCategory, PostSeries, PostTag, Published, RelatedPost, Series
from cms.models.post import Kind, Side
from cms.services import outbox
from cms.services.reading import LINK, as_link

RELATED = 3
LOOKED_AT = 50  # newest posts of each tag, and of the category, that are weighed
RAREST = 8  # tags of a post that are asked; more would not change the choice
SAME_CATEGORY = 0.5  # of a rare tag's weight

ASPECTS = ("previous", "following", "series", "related")


async def neighbours(session: AsyncSession, published: Published | None) -> Ids:
    """Posts next to it by date: the one before, the one after."""
    if published is None or published.kind is not Kind.POST:
        return ()
    found = [await _beside(session, published, newer=newer) for newer in (False, True)]
    return tuple(row.post_id for row in found if row is not None)


async def series_of(session: AsyncSession, post_id: int) -> Ids:
    """The public parts of the series that it is in, itself included."""
    mine = select(PostSeries.series_id).where(PostSeries.post_id == post_id, PostSeries.side == Side.LIVE)
    return tuple(await session.scalars(select(PostSeries.post_id).where(PostSeries.side == Side.LIVE, PostSeries.series_id.in_(mine))))


async def mentioned_by(session: AsyncSession, post_id: int) -> Ids:
    """Posts that name it as related."""
    return tuple(await session.scalars(select(RelatedPost.post_id).where(RelatedPost.related_id == post_id)))


async def renew(work: Work, published: Published) -> tuple[str, ...]:
    """Make what stands around a post again; returns the aspects that changed."""
    values = await _around(work.session, published)
    changed = tuple(aspect for aspect in ASPECTS if getattr(published, aspect) != values[aspect])
    for aspect in changed:
        setattr(published, aspect, values[aspect])
    return changed


async def renew_others(work: Work, post_ids: Iterable[int]) -> None:
    """The same for posts around the one that changed, and say so of those that look different now."""
    wanted = select(Published).where(Published.post_id.in_(set(post_ids)), Published.kind == Kind.POST).order_by(Published.post_id)
    for published in (await work.session.scalars(wanted)).all():
        if aspects := await renew(work, published):
            where = Listed(published.published_at.timestamp(), ())  # its lists have not changed
            outbox.record(work, PostPublished(published.post_id, published.kind, aspects, published.path, published.path, where, where))
    await work.session.flush()


async def _around(session: AsyncSession, published: Published) -> dict[str, Any]:
    if published.kind is not Kind.POST:
        return {"previous": None, "following": None, "series": None, "related": []}
    return {
        "previous": _link(await _beside(session, published, newer=False)),
        "following": _link(await _beside(session, published, newer=True)),
        "series": await _series(session, published.post_id),
        "related": await _related(session, published.post_id),
    }


async def _beside(session: AsyncSession, published: Published, *, newer: bool) -> Any:
    key = (Published.published_at, Published.post_id)
    here = tuple_(literal(published.published_at, UTCDateTime), literal(published.post_id, Id))  # compared as a pair: one step in the index
    side, order = (tuple_(*key) > here, key) if newer else (tuple_(*key) < here, tuple(column.desc() for column in key))
    return (await session.execute(select(*LINK).where(Published.kind == Kind.POST, side).order_by(*order).limit(1))).one_or_none()


async def _series(session: AsyncSession, post_id: int) -> dict[str, Any] | None:
    mine = and_(PostSeries.post_id == post_id, PostSeries.side == Side.LIVE)
    series = (await session.scalars(select(Series).join(PostSeries, PostSeries.series_id == Series.id).where(mine))).one_or_none()
    if series is None:
        return None
    parts = await session.execute(
        select(*LINK)
        .join(PostSeries, PostSeries.post_id == Published.post_id)
        .where(PostSeries.side == Side.LIVE, PostSeries.series_id == series.id)
        .order_by(PostSeries.position, Published.published_at, Published.post_id)
    )
    return {"id": series.id, "name": series.name, "path": f"/series/{series.slug}", "parts": [as_link(row) for row in parts]}


async def _related(session: AsyncSession, post_id: int) -> list[dict[str, Any]]:
    chosen = select(*LINK).join(RelatedPost, RelatedPost.related_id == Published.post_id).where(RelatedPost.post_id == post_id)
    return [as_link(row) for row in await session.execute(chosen.order_by(RelatedPost.position))]


def _link(row: Any) -> dict[str, Any] | None:
    return None if row is None else as_link(row)


# --- what to read on -------------------------------------------------------------------------------------------------------


async def choose_related(work: Work, published: Published) -> None:
    """Posts that share rare tags with this one, or its category; the newer of two that fit alike."""
    chosen = await _nearest(work.session, published) if published.kind is Kind.POST else []
    await work.session.execute(delete(RelatedPost).where(RelatedPost.post_id == published.post_id))
    work.session.add_all([RelatedPost(post_id=published.post_id, related_id=other, position=n) for n, other in enumerate(chosen)])
    await work.session.flush()


async def _nearest(session: AsyncSession, published: Published) -> list[int]:
    tags = [tag["id"] for tag in published.tags]
    counted = select(PostTag.tag_id, func.count()).where(PostTag.side == Side.LIVE, PostTag.tag_id.in_(tags)).group_by(PostTag.tag_id)
    rarest = sorted(await session.execute(counted), key=lambda row: (row[1], row[0]))[:RAREST] if tags else []
    weights: Counter[int] = Counter()
    for tag_id, number in rarest:
        for other in await _newest_with(session, PostTag.post_id, PostTag.side, PostTag.tag_id, tag_id):
            weights[other] += 1 / math.log2(1 + number)  # type: ignore[assignment]  # a weight
    if published.category:
        for other in await _newest_with(
            session, PostCategory.post_id, PostCategory.side, PostCategory.category_id, published.category["id"]
        ):
            weights[other] += SAME_CATEGORY / math.log2(1 + LOOKED_AT)  # type: ignore[assignment]
    del weights[published.post_id]
    return sorted(weights, key=lambda other: (-weights[other], -other))[:RELATED]


async def _newest_with(session: AsyncSession, post_id: Any, side: Any, key: Any, value: int) -> list[int]:
    newest = select(post_id).where(side == Side.LIVE, key == value).order_by(post_id.desc()).limit(LOOKED_AT)
    return list(await session.scalars(newest))


async def forget(work: Work, post_id: int) -> None:
    """The post is not public any more: nothing leads to it, and it leads nowhere."""
    await work.session.execute(delete(RelatedPost).where((RelatedPost.post_id == post_id) | (RelatedPost.related_id == post_id)))
