"""What a search costs over many posts: CPU from the question to the page's data, of the program and of the database.

``python -m bench.search [--posts 100000] [--database-url postgresql+asyncpg://…]``; without an address on SQLite, and on a throwaway
PostgreSQL if its programs are there. Texts are made of the words of the real blog of the tests, as often as they stand there. Fails if a
question costs more than ``BAR``, or if the databases answer differently. CPU, because neighbours on the machine are not its fault; the
quickest answer is printed beside it.
"""

import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, text

from bench import filled, load
from cms.content.folding import fold, words
from cms.db import migrations
from cms.db.session import Database
from cms.models import Post, Published, Revision, SearchDocument
from cms.models.search import document_id
from cms.schemas.account import OwnerInput
from cms.schemas.search import SearchInput
from cms.services import accounts, search, search_index

BAR = 0.050  # seconds of CPU for a question
ROUNDS = 20
BATCH = 2000
LENGTH = 250  # words of a text
DAYS = 3650  # over which the posts are spread
END = datetime(2026, 11, 1, tzinfo=UTC)

QUERIES = {
    "one word": {"q": "borrow "},
    "three words": {"q": "async trait stabilized"},
    "a rare word": {"q": "miri"},
    "phrase": {"q": '"the compiler"'},
    "phrase of common words": {"q": '"of the" release'},
    "prefix": {"q": "stab"},
    "prefix of common words": {"q": "the"},
    "common word": {"q": "rust "},
    "common words": {"q": "the of and to in release"},
    "misspelt": {"q": "relaese"},
    "misspelt with others": {"q": "annuoncing compiler"},
    "not": {"q": "release -borrow"},
    "filter": {"q": "compiler", "year": "2019"},
    "only a filter": {"year": "2019"},
    "nothing": {"q": "xylophone quagga"},
    "page 5": {"q": "compiler", "page": "5"},
}


class Texts:
    """Titles and texts that look like the blog's: each word is as common as it is there, and many pairs stand side by side as they do."""

    def __init__(self, folder: Path) -> None:
        self._random = random.Random(5)
        everything = [word for path in sorted(folder.rglob("*.md")) for word in path.read_text(encoding="utf-8").split()]
        self._words = everything
        rare = [word for word, times in Counter(words(" ".join(everything))).items() if times < 4 and word.isalpha()]
        self._rare = rare

    def text(self) -> str:
        runs = []
        while len(runs) < LENGTH // 10:
            start = self._random.randrange(len(self._words) - 10)
            runs.append(" ".join(self._words[start : start + 10]))
        return " ".join(runs)

    def title(self, number: int) -> str:
        start = self._random.randrange(len(self._words) - 4)
        return " ".join([*self._words[start : start + 4], self._random.choice(self._rare), str(number)])[:280].replace("\0", "")


def rows(texts: Texts, first: int, last: int, posts: int) -> Iterator[dict[str, Any]]:
    for number in range(first, last):
        at = END - timedelta(minutes=number * DAYS * 1440 / posts)
        yield {"id": number + 1, "at": at, "title": texts.title(number), "text": texts.text()}


async def fill(database_url: str, posts: int, folder: Path) -> None:
    await migrations.upgrade(database_url)
    database, texts = Database(database_url), Texts(folder)
    await _put_off(database, "on")
    async with database.transaction() as work:
        wanted = OwnerInput(site_name="Bench", name="Owner", email="owner@example.org", password="of no importance")
        await accounts.create_owner(work, wanted, "")
    for first in range(0, posts, BATCH):
        async with database.transaction() as work:
            batch = list(rows(texts, first, min(first + BATCH, posts), posts))
            for table, values in (
                (Post, [_post(row) for row in batch]),
                (Revision, [_revision(row) for row in batch]),
                (Published, [_published(row) for row in batch]),
                (SearchDocument, [_document(row) for row in batch]),
            ):
                await work.session.execute(insert(table), values)
    async with database.transaction() as work:
        await search_index.recount_words(work)
    await _put_off(database, "off")
    async with database.writing.connect() as connection:
        await connection.execute(text("ANALYZE"))
        await connection.commit()
    await database.dispose()


async def _put_off(database: Database, state: str) -> None:
    """Whether PostgreSQL's indexes learn many documents at once. Never on a site; here it saves a quarter of an hour."""
    if database.dialect.name == "postgresql":
        async with database.transaction() as work:
            for index in ("search_index_heading_words", "search_index_whole_words"):
                await work.session.execute(text(f"ALTER INDEX {index} SET (fastupdate = {state}, gin_pending_list_limit = 131072)"))
                await work.session.execute(text(f"SELECT gin_clean_pending_list('{index}')"))


def _post(row: dict[str, Any]) -> dict[str, Any]:
    times = {"created_at": row["at"], "updated_at": row["at"], "first_published_at": row["at"]}
    return {"id": row["id"], "kind": "post", "live": "published", "work": "draft", "title": row["title"], "version": 1, **times}


def _revision(row: dict[str, Any]) -> dict[str, Any]:
    return {"id": row["id"], "post_id": row["id"], "reason": "published", "content": "", "fields": {}, "created_at": row["at"]}


def _published(row: dict[str, Any]) -> dict[str, Any]:
    texts = {"title": row["title"], "title_html": row["title"], "excerpt": row["text"][:200], "standfirst": "", "html": row["text"]}
    lists: dict[str, Any] = {"authors": [], "tags": [], "category": None, "picture": None, "trail": [], "toc": []}
    times = {"published_at": row["at"], "updated_at": row["at"], "month": f"{row['at']:%Y-%m}"}
    numbers = {"post_id": row["id"], "revision_id": row["id"], "words": LENGTH, "reading_minutes": 2}
    return {"kind": "post", "path": f"post-{row['id']}", "language": "en", **numbers, **texts, **lists, **times}


def _document(row: dict[str, Any]) -> dict[str, Any]:
    index = {"heading": " ".join(words(row["title"])), "body": " ".join(words(row["text"])), "marks": f"#author1 #year{row['at']:%Y}"}
    plain = {"title": fold(row["title"]), "text": row["text"], "language": "en"}
    return {"id": document_id(row["at"], row["id"]), "kind": "post", "ref": row["id"], **plain, **index}


@dataclass(frozen=True)
class Measured:
    cpu: float  # seconds of a question, ours and the database's
    wall: float  # of the quickest
    posts: list[int]
    total: int

    def __str__(self) -> str:
        return (
            f"{1000 * self.cpu:7.1f} ms CPU {1000 * self.wall:7.1f} ms at best {self.total:5} ranked{'' if self.cpu <= BAR else '   over'}"
        )


async def measure(database_url: str) -> dict[str, Measured]:
    database = Database(database_url)
    server = None
    if database.dialect.name == "postgresql":
        async with database.read() as session:
            server = await session.scalar(text("SELECT pg_backend_pid()"))  # asked one after the other, all use this connection
    measured = {name: await _measure_one(database, SearchInput.model_validate(asked), server) for name, asked in QUERIES.items()}
    await database.dispose()
    return measured


async def _measure_one(database: Database, asked: SearchInput, server: int | None) -> Measured:
    walls = []
    began = 0.0
    for round_ in range(ROUNDS + 2):
        if round_ == 2:  # the first ones read from the disk
            began = _cpu(server)
        at = time.perf_counter()
        async with database.read() as session:
            found = await search.find(session, asked)
        walls.append(time.perf_counter() - at)
    return Measured((_cpu(server) - began) / ROUNDS, min(walls), [hit.card.post_id for hit in found.hits], found.total)


def _cpu(server: int | None) -> float:
    return time.process_time() + (load.cpu_seconds(server) if server else 0)


async def compare(databases: dict[str, str], posts: int, folder: Path) -> bool:
    answers = {}
    for name, url in databases.items():
        began = time.perf_counter()
        await fill(url, posts, folder)
        print(f"{name}: {posts} posts of {LENGTH} words put in ({time.perf_counter() - began:.0f} s)")
        answers[name] = await measure(url)
        print(*(f"  {query:<24}{measured}" for query, measured in answers[name].items()), sep="\n", flush=True)
    is_fast = all(one.cpu <= BAR for measured in answers.values() for one in measured.values())
    different = [query for query in QUERIES if len({str((m[query].posts, m[query].total)) for m in answers.values()}) > 1]
    print(f"Bar: {1000 * BAR:.0f} ms: {'held' if is_fast else 'missed'}. Answered differently: {', '.join(different) or 'none'}.")
    return is_fast and not different


if __name__ == "__main__":
    sys.exit(filled.run(__doc__, compare))
