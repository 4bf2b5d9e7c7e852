"""What a post's page says of other posts: the ones before and after it, the parts of its series, what to read on.

It stands in the read document, so that a reader's page is one row. What changes a title or a date therefore renews those that mention it.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, delete, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from cms.db.session import Work
from cms.events import Listed, PostPublished
from cms.models import PostCategory, PostSeries, PostTag, Published, RelatedPost, Series
from cms.models.post import Kind, Side, Visibility
from cms.services import outbox
from cms.services.reading import LINK, as_link

RELATED = 3
LOOKED_AT = 50  # newest posts of each tag, and of the category, that are weighed
RAREST = 8  # tags of a post that are asked; more would not change the choice
SAME_CATEGORY = 0.5  # of a rare tag's weight

ASPECTS = ("previous", "following", "series", "related")


async def around(session: AsyncSession, rows: Iterable[Published]) -> set[int]:
    """Posts whose pages say something of these: those beside them by date, the parts of their series, those that name them as related."""
    ids = [row.post_id for row in rows if row.kind is Kind.POST]
    if not ids:
        return set()
    beside = {other for pair in (await _beside(session, ids)).values() for other in pair if other is not None}
    mine = select(PostSeries.series_id).where(PostSeries.post_id.in_(ids), PostSeries.side == Side.LIVE)
    parts = select(PostSeries.post_id).where(PostSeries.side == Side.LIVE, PostSeries.series_id.in_(mine))
    mentioning = select(RelatedPost.post_id).where(RelatedPost.related_id.in_(ids))
    return {*beside, *await session.scalars(parts.union(mentioning))}


def named_in(values: Mapping[str, tuple[Any, ...]]) -> set[int]:
    """Of a page as it was, the posts beside it and the parts of its series: their pages named it, too. ``values``: by aspect."""
    links = [link for aspect in ("previous", "following") for link in values.get(aspect, ())]
    parts = [link for series in values.get("series", ()) if series for link in series["parts"]]
    return {link["id"] for link in (*links, *parts) if link}


def link_to(row: Published) -> dict[str, Any] | None:
    """What other pages say of it, if they do."""
    return as_link(getattr(row, column.key) for column in LINK) if row.is_listed else None


async def others(session: AsyncSession, post_ids: Collection[int], rows: Iterable[Published]) -> Sequence[Published]:
    """Readers' versions of posts; without those that are in ``rows``."""
    wanted = set(post_ids) - {row.post_id for row in rows}
    if not wanted:
        return ()
    found = select(Published).where(Published.post_id.in_(wanted), Published.kind == Kind.POST).order_by(Published.post_id)
    return (await session.scalars(found)).all()


async def renew(session: AsyncSession, rows: Iterable[Published]) -> dict[int, tuple[str, ...]]:
    """Make what stands around these posts again; which aspects of which have changed."""
    posts = [row for row in rows if row.kind is Kind.POST]
    values = await _values(session, [row.post_id for row in posts]) if posts else {}
    changed = {}
    for row in posts:
        aspects = tuple(aspect for aspect in ASPECTS if getattr(row, aspect) != values[row.post_id][aspect])
        for aspect in aspects:
            setattr(row, aspect, values[row.post_id][aspect])
        if aspects:
            changed[row.post_id] = aspects
    await session.flush()
    return changed


def announce(work: Work, rows: Iterable[Published], changed: Mapping[int, tuple[str, ...]]) -> None:
    """Say so of those that look different now."""
    for row in rows:
        if aspects := changed.get(row.post_id):
            where = Listed(row.published_at.timestamp(), ())  # its lists have not changed
            outbox.record(work, PostPublished(row.post_id, row.kind, aspects, row.path, row.path, where, where))


_LINKS = select(*LINK).where(Published.post_id.in_(bindparam("ids", expanding=True)))


async def _values(session: AsyncSession, ids: Collection[int]) -> dict[int, dict[str, Any]]:
    beside, series, related = await _beside(session, ids), await _series(session, ids), await _related(session, ids)
    neighbours = [other for pair in beside.values() for other in pair if other is not None]
    links = {row.post_id: as_link(row) for row in await session.execute(_LINKS, {"ids": neighbours})} if neighbours else {}
    return {
        post_id: {
            "previous": links.get(before),
            "following": links.get(after),
            "series": series.get(post_id),
            "related": related.get(post_id, []),
        }
        for post_id, (before, after) in beside.items()
    }


async def _beside(session: AsyncSession, ids: Collection[int]) -> dict[int, tuple[int | None, int | None]]:
    """Of each post the ones before and after it by date."""
    rows = await session.execute(_neighbours(), {"ids": list(ids)})
    return {post_id: (before, after) for post_id, before, after in rows}


@cache
def _neighbours() -> Select[int, int | None, int | None]:
    """To compose it takes longer than to ask."""
    here, other = aliased(Published), aliased(Published)
    place, others_place = (here.published_at, here.post_id), (other.published_at, other.post_id)  # compared as pairs: one step in the index
    is_post = (other.kind == Kind.POST) & (other.visibility == Visibility.PUBLIC)
    newest, oldest = (column.desc() for column in others_place), others_place
    older = select(other.post_id).where(is_post, tuple_(*others_place) < tuple_(*place)).order_by(*newest)
    newer = select(other.post_id).where(is_post, tuple_(*others_place) > tuple_(*place)).order_by(*oldest)
    beside = (query.limit(1).correlate(here).scalar_subquery() for query in (older, newer))
    return select(here.post_id, *beside).where(here.post_id.in_(bindparam("ids", expanding=True)))


_PARTS = (
    select(PostSeries.post_id, Series)
    .join(Series, PostSeries.series_id == Series.id)
    .where(PostSeries.post_id.in_(bindparam("ids", expanding=True)), PostSeries.side == Side.LIVE)
)


async def _series(session: AsyncSession, ids: Collection[int]) -> dict[int, dict[str, Any]]:
    found = (await session.execute(_PARTS, {"ids": list(ids)})).all()
    parts: dict[int, list[dict[str, Any]]] = {series.id: [] for _, series in found}
    if parts:
        wanted = select(PostSeries.series_id, *LINK).join(PostSeries, PostSeries.post_id == Published.post_id)
        wanted = wanted.where(PostSeries.side == Side.LIVE, PostSeries.series_id.in_(parts), Published.visibility == Visibility.PUBLIC)
        for series_id, *row in await session.execute(wanted.order_by(PostSeries.position, Published.published_at, Published.post_id)):
            parts[series_id].append(as_link(row))
    return {
        post_id: {"id": series.id, "name": series.name, "path": f"/series/{series.slug}", "parts": parts[series.id]}
        for post_id, series in found
    }


_RELATED = (
    select(RelatedPost.post_id.label("of"), *LINK)
    .join(RelatedPost, RelatedPost.related_id == Published.post_id)
    .where(RelatedPost.post_id.in_(bindparam("ids", expanding=True)), Published.visibility == Visibility.PUBLIC)
    .order_by(RelatedPost.position)
)


async def _related(session: AsyncSession, ids: Collection[int]) -> dict[int, list[dict[str, Any]]]:
    links: dict[int, list[dict[str, Any]]] = {}
    for post_id, *row in await session.execute(_RELATED, {"ids": list(ids)}):
        links.setdefault(post_id, []).append(as_link(row))
    return links


# --- what to read on -------------------------------------------------------------------------------------------------------


_NOTED = (
    select(RelatedPost.post_id, RelatedPost.related_id)
    .where(RelatedPost.post_id.in_(bindparam("ids", expanding=True)))
    .order_by(RelatedPost.position)
)


async def choose_related(work: Work, rows: Iterable[Published]) -> None:
    """For each of these, posts that share rare tags with it, or its category; the newer of two that fit alike."""
    posts = [row for row in rows if row.kind is Kind.POST]
    if not posts:
        return
    known = _Weighed(work.session)
    chosen = {row.post_id: await known.nearest(row) for row in posts}
    before = defaultdict[int, list[int]](list)
    for post_id, other in await work.session.execute(_NOTED, {"ids": list(chosen)}):
        before[post_id].append(other)
    if renewed := {post_id: ids for post_id, ids in chosen.items() if ids != before[post_id]}:
        await work.session.execute(delete(RelatedPost).where(RelatedPost.post_id.in_(renewed)))
        work.session.add_all(
            RelatedPost(post_id=post_id, related_id=other, position=n) for post_id, ids in renewed.items() for n, other in enumerate(ids)
        )
        await work.session.flush()


class _Weighed:
    """What has been asked about tags and categories, which several posts may have."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._uses: dict[int, int] = {}  # of a tag
        self._newest: dict[tuple[type[PostTag | PostCategory], int], list[int]] = {}

    async def nearest(self, published: Published) -> list[int]:
        weights: Counter[int] = Counter()
        for tag_id, number in await self._rarest([tag["id"] for tag in published.tags]):
            for other in await self._newest_with(PostTag, PostTag.tag_id, tag_id):
                weights[other] += 1 / math.log2(1 + number)  # type: ignore[assignment]  # a weight
        if published.category:
            for other in await self._newest_with(PostCategory, PostCategory.category_id, published.category["id"]):
                weights[other] += SAME_CATEGORY / math.log2(1 + LOOKED_AT)  # type: ignore[assignment]
        del weights[published.post_id]
        return sorted(weights, key=lambda other: (-weights[other], -other))[:RELATED]

    async def _rarest(self, tags: Sequence[int]) -> list[tuple[int, int]]:
        if new := [tag_id for tag_id in tags if tag_id not in self._uses]:
            self._uses |= dict((await self._session.execute(_USES, {"ids": new})).all())
        return sorted(((tag_id, self._uses[tag_id]) for tag_id in tags), key=lambda use: (use[1], use[0]))[:RAREST]

    async def _newest_with(self, table: type[PostTag | PostCategory], term: Any, term_id: int) -> list[int]:
        known = self._newest.get((table, term_id))
        if known is None:
            known = self._newest[table, term_id] = list(await self._session.scalars(_newest(table, term), {"term": term_id}))
        return known


@cache
def _newest(table: type[PostTag | PostCategory], term: Any) -> Select[int]:
    is_listed = (Published.post_id == table.post_id) & (Published.visibility == Visibility.PUBLIC)
    newest = select(table.post_id).join(Published, is_listed).where(table.side == Side.LIVE, term == bindparam("term"))
    return newest.order_by(table.post_id.desc()).limit(LOOKED_AT)


_USES = (
    select(PostTag.tag_id, func.count())
    .where(PostTag.side == Side.LIVE, PostTag.tag_id.in_(bindparam("ids", expanding=True)))
    .group_by(PostTag.tag_id)
)


async def forget(work: Work, post_id: int) -> None:
    """The post is not public any more: nothing leads to it, and it leads nowhere."""
    await work.session.execute(delete(RelatedPost).where((RelatedPost.post_id == post_id) | (RelatedPost.related_id == post_id)))
