"""The join rows of posts: who wrote them and what they are filed under. One side is read by the desk, one by readers."""

from collections.abc import Collection, Iterator, Mapping
from functools import cache
from typing import Any

from sqlalchemy import CompoundSelect, bindparam, delete, exists, insert, literal, null, select, union_all, update
from sqlalchemy.orm import aliased

from cms.content.folding import fold
from cms.db.session import Work
from cms.models import Post, PostAuthor, PostCategory, PostSeries, PostTag, User
from cms.models.post import Side
from cms.schemas.post import PostFields

_TABLES: dict[str, Any] = {"user_id": PostAuthor, "tag_id": PostTag, "category_id": PostCategory, "series_id": PostSeries}
_Row = tuple[str, int, int, int | None]  # which of the tables, post, term, position


async def write(work: Work, side: Side, texts: Mapping[int, PostFields], *, new: Collection[int] = ()) -> None:
    """Make the join rows of one side say what the posts' fields say, where they do not. ``new``: posts that have none yet."""
    wanted = {row for post_id, fields in texts.items() for row in _rows(post_id, fields)}
    there = await _there(work, side, texts.keys() - set(new))
    renewed = {row[:2] for row in wanted ^ there}
    for term, table in _TABLES.items():
        if gone := {row[1] for row in there if row[0] == term and row[:2] in renewed}:
            await work.session.execute(delete(table).where(table.post_id.in_(gone), table.side == side))
        if made := [row for row in wanted if row[0] == term and row[:2] in renewed]:
            await work.session.execute(insert(table), [_values(side, *row) for row in made])
    if side is Side.WORK:
        await _sort(work, {post_id: fields.authors[0] if fields.authors else None for post_id, fields in texts.items()})


def _rows(post_id: int, fields: PostFields) -> Iterator[_Row]:
    yield from (("user_id", post_id, user_id, n) for n, user_id in enumerate(fields.authors))
    yield from (("tag_id", post_id, tag_id, n) for n, tag_id in enumerate(fields.tags))
    if fields.category is not None:
        yield "category_id", post_id, fields.category, None
    if fields.series is not None:
        yield "series_id", post_id, fields.series.id, fields.series.position


def _values(side: Side, term: str, post_id: int, term_id: int, position: int | None) -> dict[str, Any]:
    return {"post_id": post_id, "side": side, term: term_id, **({} if position is None else {"position": position})}


async def _there(work: Work, side: Side, post_ids: Collection[int]) -> set[_Row]:
    found = await work.session.execute(_of_posts(), {"ids": list(post_ids), "side": side}) if post_ids else ()
    return {(term, post_id, term_id, position) for term, post_id, term_id, position in found}


@cache
def _of_posts() -> CompoundSelect[str, int, int, int | None]:
    """All four tables at once. To compose it takes longer than to ask."""
    rows = (
        select(literal(term), table.post_id, getattr(table, term), getattr(table, "position", null())).where(
            table.post_id.in_(bindparam("ids", expanding=True)), table.side == bindparam("side")
        )
        for term, table in _TABLES.items()
    )
    return union_all(*rows)


async def _sort(work: Work, firsts: Mapping[int, int | None]) -> None:
    """Posts, each by who stands first above it."""
    known = dict((await work.session.execute(select(User.id, User.name).where(User.id.in_(set(firsts.values()) - {None})))).all())
    rows = [{"row": post_id, "key": _key(known.get(user_id or 0, ""))} for post_id, user_id in firsts.items()]
    if rows:
        table: Any = Post.__table__
        await work.session.execute(update(table).where(table.c.id == bindparam("row")).values(folded_author=bindparam("key")), rows)


async def sort_by(work: Work, user: User) -> None:
    """The texts above which this person stands first, by the name the person has now."""
    other = aliased(PostAuthor)
    is_below = exists().where(other.post_id == PostAuthor.post_id, other.side == PostAuthor.side, other.position < PostAuthor.position)
    first = select(PostAuthor.post_id).where(PostAuthor.user_id == user.id, PostAuthor.side == Side.WORK, ~is_below)
    sorting = update(Post).where(Post.id.in_(first)).values(folded_author=_key(user.name))
    await work.session.execute(sorting.execution_options(synchronize_session=False))


def _key(name: str) -> str:
    return fold(name)[:160]
