"""The join rows of posts: who wrote them and what they are filed under. One side is read by the desk, one by readers."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import bindparam, delete, exists, select, update
from sqlalchemy.orm import aliased

from cms.content.folding import fold
from cms.db.session import Work
from cms.models import Post, PostAuthor, PostCategory, PostSeries, PostTag, User
from cms.models.post import Side
from cms.schemas.post import PostFields


async def write(work: Work, side: Side, texts: Mapping[int, PostFields], *, new: Collection[int] = ()) -> None:
    """Make the join rows of one side say what the posts' fields say. ``new``: posts that have none yet."""
    if old := texts.keys() - set(new):
        for table in (PostAuthor, PostTag, PostCategory, PostSeries):
            await work.session.execute(delete(table).where(table.post_id.in_(old), table.side == side))
    for post_id, fields in texts.items():
        at: dict[str, Any] = {"post_id": post_id, "side": side}
        work.session.add_all(PostAuthor(**at, user_id=user_id, position=n) for n, user_id in enumerate(fields.authors))
        work.session.add_all(PostTag(**at, tag_id=tag_id, position=n) for n, tag_id in enumerate(fields.tags))
        if fields.category is not None:
            work.session.add(PostCategory(**at, category_id=fields.category))
        if fields.series is not None:
            work.session.add(PostSeries(**at, series_id=fields.series.id, position=fields.series.position))
    await work.session.flush()
    if side is Side.WORK:
        await _sort(work, {post_id: fields.authors[0] if fields.authors else None for post_id, fields in texts.items()})


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
