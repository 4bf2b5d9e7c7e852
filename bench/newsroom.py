"""The desk of a publication that has been at work for years: many posts, and what its people have kept around them."""

from datetime import timedelta
from itertools import cycle
from pathlib import Path
from typing import Any

from sqlalchemy import delete, insert, literal, select, text, update

from bench.search import Texts
from cms.content.folding import words
from cms.db.session import Database, Work
from cms.models import (
    Address,
    AuditEntry,
    DeskDocument,
    Job,
    Notification,
    Post,
    PostLink,
    PostSeries,
    PostTag,
    Redirect,
    Review,
    Revision,
    Schedule,
    Snippet,
    TrashedThing,
)
from cms.models.address import AddressState, TargetKind
from cms.models.desk import Match, ReviewAct, TrashKind
from cms.models.post import Live, Reason, ScheduledAct, Side
from cms.policy import SYSTEM, Actor
from cms.services import taxonomies
from tests import bulk, factories

DRAFTS, CHANGED, TRASHED, SCHEDULED, REVIEWED, LINKED = 20, 50, 100, 500, 10, 10  # every so manieth
TEXTS = 10_000  # different ones
TOPICS, CATEGORIES, SERIES, PARTS = 300, 60, 20, 100
PEOPLE, PAGES, SNIPPETS, REDIRECTS, THINGS, JOBS, NOTIFICATIONS, ACTS = 60, 200, 50, 5000, 5000, 500, 200, 100_000
BATCH = 2000


async def fill(database: Database, posts: int, folder: Path) -> None:
    """Posts with texts of a real blog's words; some drafts, some with changes, some in the trash. By an administrator and an author."""
    adam, ana = await factories.person(database, "administrator"), await factories.person(database, "author")
    ids, source = await bulk.publish(database, [adam, ana], posts), Texts(folder)
    texts = [" ".join(dict.fromkeys(words(source.text()))) for _ in range(TEXTS)]
    for start in range(0, posts, BATCH):
        some = ids[start : start + BATCH]
        rows = [{"post_id": number, "words": texts[number % TEXTS]} for number in some]
        async with database.writing.begin() as connection:
            await connection.execute(delete(DeskDocument).where(DeskDocument.post_id.in_(some)))
            await connection.execute(insert(DeskDocument), rows)
    async with database.writing.begin() as connection:
        for every, values in (
            (DRAFTS, {"live": Live.NEVER, "first_published_at": None}),
            (CHANGED, {"live": Live.PUBLISHED, "has_changes": True}),
            (TRASHED, {"live": Live.TRASHED, "has_changes": False}),
        ):
            await connection.execute(update(Post).where(Post.id % every == 1).values(**values))
        is_gone = (Address.target_kind == TargetKind.POST) & (Address.target_id % TRASHED == 1)
        await connection.execute(update(Address).where(is_gone).values(state=AddressState.GONE))
    async with database.transaction() as work:
        await _file(work, ids)
        await _keep(work, ids, (adam, ana))
    for number in range(PEOPLE):
        await factories.person(database, "author", f"Person {number}")
    above = None
    for number in range(PAGES):
        page = await factories.page(database, adam, title=f"Page {number}", parent=above if number % 10 else None)
        above = above if number % 10 else page.id
    if database.dialect.name == "postgresql":  # as it does by itself in time; SQLite's plans are made without
        async with database.writing.connect() as connection:
            await (await connection.execution_options(isolation_level="AUTOCOMMIT")).execute(text("VACUUM ANALYZE"))


async def _file(work: Work, ids: list[int]) -> None:
    """Each post under a second tag, some in series."""
    tags = await taxonomies.ensure_tags(work, [f"Topic {n:03}" for n in range(TOPICS)])
    for n, tag in enumerate(tags):
        for side in Side:
            mine = select(Post.id, literal(side, PostTag.side.type), literal(tag), literal(1)).where(Post.id % TOPICS == n)
            await work.session.execute(insert(PostTag).from_select(["post_id", "side", "tag_id", "position"], mine))
    for n in range(CATEGORIES):
        await taxonomies.ensure_category(work, SYSTEM, f"Place {n}")
    for n in range(SERIES):
        series = await taxonomies.ensure_series(work, SYSTEM, f"Series {n}")
        parts = enumerate(ids[n * PARTS : (n + 1) * PARTS])
        rows = [{"post_id": i, "side": side, "series_id": series.id, "position": place} for place, i in parts for side in Side]
        await work.session.execute(insert(PostSeries), rows)


async def _keep(work: Work, ids: list[int], people: tuple[Actor, Actor]) -> None:
    """What waits for its time, and what has been told, noted and given up."""
    soon, last, at = work.now + timedelta(days=1), ids[-1], {"created_at": work.now}
    rows: dict[Any, list[dict[str, Any]]] = {
        Schedule: [
            {"post_id": i, "act": ScheduledAct.WITHDRAW, "due_at": soon + n * timedelta(hours=1)} for n, i in enumerate(ids[::SCHEDULED])
        ],
        Revision: [
            {
                "id": last + n, "post_id": last, "reason": Reason.SAVED, "content": "Mud.", "fields": {},
                "created_by_id": people[0].user_id, **at,
            }
            for n in range(1, BATCH)
        ],
        Review: [
            {"post_id": i, "act": act, "words": "More mud.", "created_by_id": people[0].user_id, **at}
            for act in (ReviewAct.SUBMITTED, ReviewAct.CHANGES_ASKED, ReviewAct.APPROVED)
            for i in ids[::REVIEWED]
        ],
        PostLink: [{"post_id": i, "path": f"tide-{n * LINKED + 1}"} for n, i in enumerate(ids[::LINKED])],
        Redirect: [{"match": Match.EXACT, "path": f"old/{n}", "target": f"/tide-{n}", "hits": n % 97, **at} for n in range(REDIRECTS)],
        Snippet: [{"name": f"Snippet {n:02}", "text": "Mud.\n" * 20, "updated_at": work.now, "version": 1} for n in range(SNIPPETS)],
        TrashedThing: [
            {
                "kind": kind, "number": n, "name": f"Trashed {n}", "was": {}, "at": work.now - timedelta(minutes=n),
                "by_id": people[n % 2].user_id,
            }
            for n, kind in zip(range(THINGS), cycle(TrashKind), strict=False)
        ],
        Job: [
            {"name": "mail", "payload": {}, "due_at": work.now, "finished_at": work.now, "error": "No answer.", **at} for _ in range(JOBS)
        ],
        Notification: [
            {"user_id": actor.user_id, "kind": "miss", "data": {"words": "No answer."}, "post_id": i, **at}
            for actor in people
            for i in ids[-NOTIFICATIONS:]
        ],
        AuditEntry: [
            {
                "at": work.now - timedelta(minutes=ACTS - n), "user_id": people[n % 2].user_id, "action": "post.publish",
                "subject_kind": "post", "subject_id": ids[n % len(ids)], "details": {}, "request_id": "",
            }
            for n in range(ACTS)
        ],
    }  # fmt: skip
    for table, values in rows.items():
        for start in range(0, len(values), BATCH):
            await work.session.execute(insert(table), values[start : start + BATCH])
