"""What the desk's lists cost over many posts: CPU from the question to the page's data, of the program and of the database.

``python -m bench.lists [--posts 100000] [--database-url postgresql+asyncpg://…]``; without an address on SQLite, and on a throwaway
PostgreSQL if its programs are there. Each list is asked for in turn with a yardstick of this very run, which reads some thousand rows
by their numbers. A list may cost ``BAR`` on a machine on which the yardstick costs ``YARDSTICK``; elsewhere as many times what the
yardstick costs there. Fails above that. CPU, because neighbours on the machine are not its fault.
"""

import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from sqlalchemy import delete, insert, select, text, update

from bench import filled, load
from bench.search import Texts
from cms.content.folding import words
from cms.db import migrations
from cms.db.session import Database
from cms.models import DeskDocument, Post, WorkingCopy
from cms.models.post import Kind, Live
from cms.policy import Actor
from cms.schemas.desk import ListQuery
from cms.services import desk_lists
from cms.services.desk_lists import DeskSlice
from tests import bulk, factories

BAR = 0.060  # seconds for a list
YARDSTICK = {"sqlite": 0.015, "postgresql": 0.020}  # on the machine for which the bar was set, when it had nothing else to do
BLOCKS, ROUNDS = 3, 5
YARDSTICK_ROWS = 10_000
DRAFTS, CHANGED, TRASHED = 20, 50, 100  # every so manieth
BATCH = 2000

LISTS: dict[str, dict[str, object]] = {
    "everything": {},
    "screen 20": {"page": 20},
    "drafts": {"status": "draft"},
    "with changes": {"status": "changed"},
    "trash": {"status": "trashed"},
    "published": {"status": "published"},
    "in review: none": {"status": "in_review"},
    "by title": {"sort": "title"},
    "by title, turned": {"sort": "title", "reverse": True},
    "by author": {"sort": "authors"},
    "by author, turned": {"sort": "authors", "reverse": True},
    "by author, screen 20": {"sort": "authors", "page": 20},
    "by date": {"sort": "published"},
    "by date, turned": {"sort": "published", "reverse": True},
    "an author": {"author": True},
    "mine": {"mine": True},
    "a tag": {"tag": "Tag 3"},
    "a category": {"category": True},
    "a language: none": {"language": "de"},
    "since": {"since": "2100-01-01"},
    "until": {"until": "2018-01-01"},
    "unlisted: none": {"visibility": "unlisted"},
    "tag, author, date": {"tag": "Tag 3", "author": True, "since": "2016-02-01"},
    "a common word": {"q": "rust"},
    "the commonest": {"q": "the"},
    "beginnings": {"q": "com rel"},
    "two words": {"q": "async trait"},
    "a rare word": {"q": "miri"},
    "no such word": {"q": "xylophone"},
    "a word and a tag": {"q": "compiler", "tag": "Tag 3"},
    "a word by title": {"q": "compiler", "sort": "title"},
}


@dataclass(frozen=True)
class Line:
    """Seconds of a list and of the yardstick, of several blocks in turn: a noisy neighbour meets both, so what is compared are blocks."""

    name: str
    who: str
    most: float  # times the yardstick
    blocks: list[tuple[float, float]]
    total: str

    @property
    def times(self) -> float:
        return median(ours / yardstick for ours, yardstick in self.blocks)

    def __str__(self) -> str:
        ours, yardstick = (median(each) for each in zip(*self.blocks, strict=True))
        verdict = "" if self.times <= self.most else "   over"
        costs = f"{1000 * ours:7.1f} ms   yardstick {1000 * yardstick:5.1f} ms   {self.times:5.2f} times"
        return f"  {self.name:<20}{self.who:<12}{costs}{self.total:>9}{verdict}"


async def fill(database: Database, posts: int, folder: Path) -> tuple[Actor, Actor]:
    """Posts with texts of a real blog's words; some drafts, some with changes, some in the trash. An editor and an author of half."""
    editor, ana = await factories.person(database, "editor"), await factories.person(database, "author")
    ids, texts = await bulk.publish(database, [editor, ana], posts), Texts(folder)
    for start in range(0, posts, BATCH):
        some = ids[start : start + BATCH]
        rows = [{"post_id": number, "words": " ".join(dict.fromkeys(words(texts.text())))} for number in some]
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
    tidy = "ANALYZE" if is_embedded(database) else "VACUUM ANALYZE"
    async with database.writing.connect() as connection:
        await (await connection.execution_options(isolation_level="AUTOCOMMIT")).execute(text(tidy))
    return editor, ana


def is_embedded(database: Database) -> bool:
    return database.at_hand is not None


async def measure(database: Database, who: str, actor: Actor) -> list[Line]:
    async with database.read() as session:
        category = (await desk_lists.choices(session)).categories[0][0]
        server = None if is_embedded(database) else await session.scalar(text("SELECT pg_backend_pid()"))
    lines, known = [], {"author": actor.user_id, "category": category}
    for name, asked in LISTS.items():
        query = ListQuery.model_validate({key: known.get(key, value) for key, value in asked.items()})

        async def listing(query: ListQuery = query) -> DeskSlice:
            async with database.read() as session:
                await desk_lists.choices(session)
                return await desk_lists.list_posts(session, actor, Kind.POST, query)

        listed = await listing()  # reads from the disk
        blocks = [(await _seconds(listing, server), await _seconds(lambda: _yardstick(database), server)) for _ in range(BLOCKS)]
        total = "many" if listed.total is None else f"{listed.total}{'+' if listed.is_more else ''}"
        lines.append(Line(name, who, BAR / YARDSTICK[database.dialect.name], blocks, total))
        print(lines[-1], flush=True)
    return lines


async def _seconds(act: Callable[[], Awaitable[object]], server: int | None) -> float:
    """CPU of one, of several: the clock of PostgreSQL's process ticks a hundred times a second."""
    began = _cpu(server)
    for _ in range(ROUNDS):
        await act()
    return (_cpu(server) - began) / ROUNDS


async def _yardstick(database: Database) -> None:
    """Some thousand rows by their numbers."""
    async with database.read() as session:
        (await session.execute(select(WorkingCopy.post_id, WorkingCopy.content).order_by(WorkingCopy.post_id).limit(YARDSTICK_ROWS))).all()


def _cpu(server: int | None) -> float:
    return time.process_time() + (load.cpu_seconds(server) if server else 0)


async def compare(databases: dict[str, str], posts: int, folder: Path) -> bool:
    lines = []
    for name, url in databases.items():
        await migrations.upgrade(url)
        database, began = Database(url), time.perf_counter()
        editor, author = await fill(database, posts, folder)
        print(f"{name}: {posts} posts put in ({time.perf_counter() - began:.0f} s)", flush=True)
        lines += [*await measure(database, "an editor", editor), *await measure(database, "an author", author)]
        await database.dispose()
    over = [line for line in lines if line.times > line.most]
    is_held = not over
    print(f"Bar: {1000 * BAR:.0f} ms: {'held' if is_held else f'missed by {len(over)} of {len(lines)} lists'}.")
    return is_held


if __name__ == "__main__":
    sys.exit(filled.run(__doc__, compare))
