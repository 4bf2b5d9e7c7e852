"""What a page costs when nothing is cached: home and post, against a bare Tornado handler that sends the same bytes.

``python -m bench.pages [--posts 300] [--seconds 1.5] [--database-url postgresql+asyncpg://…]``. Both servers run in this run, one process
each; CPU is theirs, from /proc. A post page may cost ``BAR`` on a machine on which the bare handler costs ``BARE``; elsewhere as many
times what the bare handler costs there. Fails above that.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from urllib.request import urlopen

from bench import load
from cms.content.pipeline import render
from cms.db import migrations
from cms.db.session import Database
from cms.models.post import Kind
from cms.policy import SYSTEM
from cms.schemas.account import OwnerInput
from cms.schemas.post import PostInput
from cms.services import accounts, posts, publishing

# Seconds of CPU for an uncached post page, by database, and for the bare handler on the machine for which they were set.
BAR = {"sqlite": 0.0008, "postgresql": 0.001}
BARE = 0.000127
ROUNDS = 9
PARAGRAPH = (
    "The harbour wall was raised by a course of stone in the year of the long frost, and the marks of the old one can still be seen "
    "at low water, `under the weed`, where the boats from [the other side](/archive) used to wait for the lock.\n\n"
)


@dataclass(frozen=True)
class Line:
    """Rounds of ours and of the bare handler, in turn: a noisy neighbour meets both of a round, so what is compared are rounds."""

    name: str
    rounds: list[tuple[load.Measured, load.Measured]]

    @property
    def times(self) -> float:
        """How many bare handlers' CPU the page costs."""
        return median(ours.cpu / bare.cpu for ours, bare in self.rounds)

    def __str__(self) -> str:
        ours, bare = zip(*self.rounds, strict=True)
        return f"{self.name:<6}{ours[0].size / 1024:6.1f} kB  {_said(ours)}   bare {_said(bare)}   {self.times:5.1f} times bare"


def _said(measured: Sequence[load.Measured]) -> str:
    per_second, cpu = median(each.per_second for each in measured), median(each.cpu for each in measured)
    return f"{per_second:6.0f} req/s  {1000 * cpu:6.3f} ms CPU (least {1000 * min(each.cpu for each in measured):.3f})"


async def fill(database_url: str, number: int) -> None:
    """An owner and ``number`` published posts of about 9 kB of text."""
    await migrations.upgrade(database_url)
    database = Database(database_url)
    wanted = OwnerInput(site_name="Bench", name="Owner", email="owner@example.org", password="of no importance")
    async with database.transaction() as work:
        owner = (await accounts.create_owner(work, wanted, "")).actor
    text = "".join(f"## Part {n}\n\n{PARAGRAPH * 4}" for n in range(8))
    rendered = render(text)
    for n in range(number):
        wanted_post = PostInput(title=f"Post {n} of many", text=text, tags=("harbour", "stone"))
        async with database.transaction() as work:
            post = await posts.create(work, owner, Kind.POST, wanted_post)
            await publishing.publish(work, SYSTEM, post.id, publishing.Version(1, rendered))
    await database.dispose()


def compare(database_url: str, folder: Path, seconds: float) -> list[Line]:
    paths = {"home": "/", "post": "/post-7-of-many"}
    port, bare_port = load.free_port(), load.free_port()
    bodies = folder / "bodies"
    bodies.mkdir()
    environment = {
        "SQUALL_DATA": str(folder / "data"),
        "SQUALL_DATABASE_URL": database_url,
        "SQUALL_LOG_LEVEL": "warning",
        "SQUALL_PAGE_CACHE": "0",
    }
    serve = [sys.executable, "-m", "cms", "serve", "--port", str(port)]
    with load.process(serve, port, environment) as pid:
        for name, path in paths.items():
            bodies.joinpath(name).write_bytes(urlopen(f"http://localhost:{port}{path}").read())
        with load.process([sys.executable, "-m", "bench.bare", str(bare_port), str(bodies)], bare_port, {}) as bare_pid:
            return [_compare_one(name, (pid, port, path), (bare_pid, bare_port, f"/{name}"), seconds) for name, path in paths.items()]


def _compare_one(name: str, ours: tuple[int, int, str], bare: tuple[int, int, str], seconds: float) -> Line:
    return Line(name, [(load.measure(*ours, seconds), load.measure(*bare, seconds)) for _ in range(ROUNDS)])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=1.5)
    parser.add_argument("--database-url", default="", help="an empty database; SQLite in a temporary folder when left out")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "data").mkdir()
        database_url = given.database_url or f"sqlite+aiosqlite:///{folder / 'data' / 'squall.db'}"
        asyncio.run(fill(database_url, given.posts))
        lines = compare(database_url, folder, given.seconds)
    print(f"{given.posts} posts, {database_url.partition('+')[0]}, uncached, {load.CONNECTIONS} connections, medians of {ROUNDS}")
    print(*lines, sep="\n")
    times, most = lines[1].times, BAR[database_url.partition("+")[0]] / BARE
    print(f"Bar: a post page at most {most:.1f} times the bare handler: {'held' if times <= most else 'missed'} ({times:.1f} times)")
    return 0 if times <= most else 1


if __name__ == "__main__":
    sys.exit(main())
