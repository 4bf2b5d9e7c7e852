"""Thousands of published posts at once: the rows that publishing would have written, without rendering each."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert

from cms.content.folding import fold
from cms.db.session import Database
from cms.models import (
    Address,
    Post,
    PostAuthor,
    PostCategory,
    PostTag,
    Published,
    Revision,
    SearchDocument,
    Tag,
    User,
    WorkingCopy,
)
from cms.models.address import AddressState, TargetKind
from cms.models.post import Kind, Live, Reason, Side
from cms.policy import SYSTEM, Actor
from cms.schemas.post import PostFields
from cms.services import taxonomies

FIRST = datetime(2016, 1, 1, 12, tzinfo=UTC)
EVERY = timedelta(hours=8)
CHUNK = 1000


def title(number: int) -> str:
    return f"Tide {number}"


async def publish(database: Database, authors: list[Actor], number: int, *, tags: int = 20, every: timedelta = EVERY) -> list[int]:
    """Post n (from 0, the oldest first) is by author n % len(authors), tagged "Tag n % tags", and in category "Coast" if n % 3 is 0.

    Returns ids in order.
    """
    async with database.transaction() as work:
        tag_ids = await taxonomies.ensure_tags(work, [f"Tag {n}" for n in range(tags)])
        category = await taxonomies.ensure_category(work, SYSTEM, "Coast")
        people = {user.id: user for user in [await work.session.get_one(User, actor.user_id) for actor in authors]}
        slugs = {tag.id: tag for tag in [await work.session.get_one(Tag, tag_id) for tag_id in tag_ids]}
    ids = list(range(1000, 1000 + number))
    rows: dict[Any, list[dict[str, Any]]] = {
        table: [] for table in (Post, WorkingCopy, Revision, Published, Address, PostAuthor, PostTag, PostCategory, SearchDocument)
    }
    for n, post_id in enumerate(ids):
        at, author, tag = FIRST + n * every, people[authors[n % len(authors)].user_id or 0], slugs[tag_ids[n % tags]]
        in_category = n % 3 == 0
        fields = PostFields(title=title(n), authors=(author.id,), tags=(tag.id,), category=category.id if in_category else None).to_json()
        text = f"Mud of day {n}."
        rows[Post].append(
            {
                "id": post_id, "kind": Kind.POST, "live": Live.PUBLISHED, "title": title(n), "folded_title": title(n).lower(),
                "folded_author": fold(author.name),
                "created_by_id": author.id, "created_at": at,
                "updated_at": at, "first_published_at": at, "has_changes": False, "version": 1,
            }
        )  # fmt: skip
        rows[WorkingCopy].append({"post_id": post_id, "content": text, "fields": fields, "updated_at": at, "version": 1})
        rows[Revision].append(
            {"id": post_id, "post_id": post_id, "reason": Reason.PUBLISHED, "content": text, "fields": fields, "created_at": at}
        )
        rows[Published].append(
            {
                "post_id": post_id, "kind": Kind.POST, "revision_id": post_id, "path": f"tide-{n}",
                "title": title(n), "title_html": title(n),
                "excerpt": text, "standfirst": "", "words": 4, "reading_minutes": 1, "language": "en", "published_at": at,
                "month": f"{at:%Y-%m}", "updated_at": at, "html": f"<p>{text}</p>", "toc": [], "trail": [], "related": [],
                "authors": [{"id": author.id, "name": author.name, "path": f"/author/{author.slug}", "bio": ""}],
                "tags": [{"id": tag.id, "name": tag.name, "path": f"/tag/{tag.slug}"}],
                "category": {"id": category.id, "name": "Coast", "path": "/category/coast"} if in_category else None,
                "picture": None, "series": None,
                "previous": _link(ids, n - 1, every) if n else None, "following": _link(ids, n + 1, every) if n + 1 < number else None,
            }
        )  # fmt: skip
        rows[Address].append({"path": f"tide-{n}", "target_kind": TargetKind.POST, "target_id": post_id, "state": AddressState.CURRENT})
        for side in Side:
            rows[PostAuthor].append({"post_id": post_id, "side": side, "user_id": author.id, "position": 0})
            rows[PostTag].append({"post_id": post_id, "side": side, "tag_id": tag.id, "position": 0})
            if in_category:
                rows[PostCategory].append({"post_id": post_id, "side": side, "category_id": category.id})
        rows[SearchDocument].append({"kind": "post", "ref": post_id, "language": "en", "title": title(n).lower(), "body": text.lower()})
    async with database.writing.begin() as connection:
        for table, values in rows.items():
            for start in range(0, len(values), CHUNK):
                await connection.execute(insert(table), values[start : start + CHUNK])
    async with database.transaction() as work:
        await work.dialect.gather_statistics(work.session)
    return ids


def _link(ids: list[int], n: int, every: timedelta) -> dict[str, Any]:
    return {
        "id": ids[n], "path": f"/tide-{n}", "title": title(n), "title_html": title(n),
        "published_at": (FIRST + n * every).isoformat(), "reading_minutes": 1, "language": "en",
    }  # fmt: skip
