"""The join rows of posts: who wrote them and what they are filed under. One side is read by the desk, one by readers."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import delete

from cms.db.session import Work
from cms.models import PostAuthor, PostCategory, PostSeries, PostTag
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
