"""What the desk's lists cost over many posts: server time of the whole page, from the request to the last byte of the answer.

``python -m bench.lists [--posts 100000] [--database-url postgresql+asyncpg://…]``; without an address on SQLite, and on a throwaway
PostgreSQL if its programs are there. The real application runs in this process, and a browser without eyes asks it for each list over
loopback, as an administrator and as an author of half of the posts. In turn with it goes a yardstick of this very run, which reads some
thousand rows by their numbers. A list may take ``BAR`` on a machine on which the yardstick takes ``YARDSTICK``; elsewhere as many times
what the yardstick takes there. Fails above that.
"""

import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from urllib.parse import urlencode

from sqlalchemy import func, select

from bench import filled, newsroom
from cms.db import migrations
from cms.db.session import Database
from cms.models import Category, Post, Series, Tag, WorkingCopy
from cms.models.post import Kind
from cms.telemetry import configure_logging
from tests import bulk, web

BAR = 0.060  # seconds for a list
YARDSTICK = {"sqlite": 0.015, "postgresql": 0.013}  # on the machine for which the bar was set, when it had nothing else to do
ROUNDS = 9
YARDSTICK_ROWS = 10_000

POSTS: dict[str, dict[str, object]] = {
    "everything": {},
    "screen 20": {"page": 20},
    "beyond numbers": {"after": f"{bulk.FIRST + 20_000 * bulk.EVERY:%Y-%m-%dT%H:%M:%S+00:00}~21000"},
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
    "a series": {"series": True},
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


ELSEWHERE = {
    "today": "/admin",
    "calendar": "/admin/calendar?month=2017-05",
    "calendar, this month": "/admin/calendar",
    "notifications": "/admin/notifications",
    "snippets": "/admin/snippets",
    "templates": "/admin/templates",
    "all else in the trash": "/admin/trash",
    "trash, screen 90": "/admin/trash?page=90",
    "trash of one kind": "/admin/trash?kind=folder",
    "revisions": "/admin/posts/{post}/revisions",
}
OF_ADMINISTRATORS = {
    "pages": "/admin/pages",
    "pages by title": "/admin/pages?sort=title",
    "pages as a tree": "/admin/pages/tree",
    "trash, to be emptied": "/admin/posts/trash",
    "categories": "/admin/categories",
    "one category": "/admin/categories/{category}",
    "tags": "/admin/tags",
    "tags, screen 3": "/admin/tags?page=3",
    "tags by a word": "/admin/tags?q=topic+1",
    "unused tags": "/admin/tags?unused=on",
    "one tag": "/admin/tags/{tag}",
    "series": "/admin/series",
    "one series": "/admin/series/{series}",
    "menu": "/admin/menus/main",
    "redirects": "/admin/redirects",
    "redirects, screen 90": "/admin/redirects?page=90",
    "redirects by hits": "/admin/redirects?sort=hits",
    "redirects by a word": "/admin/redirects?q=tide-7",
    "custom fields": "/admin/fields",
    "people": "/admin/people",
    "people by a word": "/admin/people?q=person+1",
    "record of acts": "/admin/audit",
    "acts of somebody": "/admin/audit?person={author}",
    "acts on people": "/admin/audit?kind=user",
    "acts until": "/admin/audit?until=2026-11-01",
    "jobs": "/admin/jobs",
    "imports, exports": "/admin/transfers",
    "backups": "/admin/backups",
}


@dataclass(frozen=True)
class Line:
    """Seconds of a list and of the yardstick, in turn: a noisy neighbour meets both, so what is compared are rounds."""

    name: str
    who: str
    most: float  # times the yardstick
    rounds: list[tuple[float, float]]
    size: int  # bytes of the page

    @property
    def times(self) -> float:
        return median(ours / yardstick for ours, yardstick in self.rounds)

    def __str__(self) -> str:
        ours, yardstick = (median(each) for each in zip(*self.rounds, strict=True))
        verdict = "" if self.times <= self.most else "   over"
        costs = f"{1000 * ours:7.1f} ms   yardstick {1000 * yardstick:5.1f} ms   {self.times:5.2f} times"
        return f"  {self.name:<22}{self.who:<18}{costs}{self.size / 1024:6.0f} kB{verdict}"


async def measure(site: web.Site, role: str, lists: dict[str, str]) -> list[Line]:
    browser, lines = await site.signed_in(role), []
    for name, address in lists.items():

        async def page(address: str = address) -> web.Answer:
            return await browser.get(address)

        answer = await page()  # reads from the disk
        if answer.status != 200:
            raise RuntimeError(f"{address}: {answer.status}")
        rounds = [(await _seconds(page), await _seconds(lambda: _yardstick(site.database))) for _ in range(ROUNDS)]
        lines.append(Line(name, f"an {role}", BAR / YARDSTICK[site.database.dialect.name], rounds, len(answer.body)))
        print(lines[-1], flush=True)
    return lines


async def _seconds(act: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    await act()
    return time.perf_counter() - began


async def _yardstick(database: Database) -> None:
    """Some thousand rows by their numbers."""
    async with database.read() as session:
        (await session.execute(select(WorkingCopy.post_id, WorkingCopy.content).order_by(WorkingCopy.post_id).limit(YARDSTICK_ROWS))).all()


async def addresses(site: web.Site) -> tuple[dict[str, str], dict[str, str]]:
    """Of the lists that everybody at the desk has, and of those that only administrators have."""
    async with site.database.read() as session:
        first = {
            kind: await session.scalar(select(func.min(table.id)))
            for kind, table in (("category", Category), ("tag", Tag), ("series", Series))
        }
        last = await session.scalar(select(func.max(Post.id)).where(Post.kind == Kind.POST))
    known = {"author": await site.person("author"), "post": last, **first}
    posts = {
        name: "/admin/posts?" + urlencode({key: known.get(key, "on") if value is True else value for key, value in asked.items()})
        for name, asked in POSTS.items()
    }
    elsewhere, administrators = ({name: path.format_map(known) for name, path in lists.items()} for lists in (ELSEWHERE, OF_ADMINISTRATORS))
    return {**posts, **elsewhere}, administrators


async def compare(databases: dict[str, str], posts: int, folder: Path) -> bool:
    configure_logging("warning", "auto")
    lines = []
    for name, url in databases.items():
        await migrations.upgrade(url)
        async with web.running_site(url, folder / name) as site:
            began = time.perf_counter()
            await newsroom.fill(site.database, posts, folder)
            print(f"{name}: {posts} posts put in ({time.perf_counter() - began:.0f} s)", flush=True)
            everybodys, administrators = await addresses(site)
            lines += [*await measure(site, "administrator", {**everybodys, **administrators}), *await measure(site, "author", everybodys)]
    over = [line for line in lines if line.times > line.most]
    is_held = not over
    print(f"Bar: {1000 * BAR:.0f} ms: {'held' if is_held else f'missed by {len(over)} of {len(lines)} lists'}.")
    return is_held


if __name__ == "__main__":
    sys.exit(filled.run(__doc__, compare))
