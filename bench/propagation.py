"""How soon other processes show what one has published.

``python -m bench.propagation [--processes 4] [--times 100] [--database-url postgresql+asyncpg://…]``: so many programs on one database,
each with its page in the cache; this process publishes, and asks all of them until they show it. Fails if the 99th of a hundred takes
longer than ``LIMIT``. The time in which the machine answers at all is printed beside it.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tornado.httpclient import AsyncHTTPClient

from bench import load
from cms.content.pipeline import render
from cms.db import migrations
from cms.db.session import Database
from cms.models.post import Kind
from cms.policy import SYSTEM
from cms.schemas.account import OwnerInput
from cms.schemas.post import PostInput
from cms.services import accounts, posts, publishing

LIMIT = 0.05  # seconds, for 99 of 100
PATIENCE = 10.0  # seconds


async def publish(database: Database, post_id: int, version: int, text: str) -> None:
    rendered = render(text)
    async with database.transaction() as work:
        if version:
            wanted = PostInput(title="Low tide", text=text, version=version)
            await posts.save(work, SYSTEM, post_id, wanted)
    async with database.transaction() as work:
        await publishing.publish(work, SYSTEM, post_id, publishing.Version(version + 1, rendered))


async def shown(url: str, text: bytes, since: float) -> float:
    """Seconds until the page has the text."""
    while text not in (await AsyncHTTPClient().fetch(url)).body:
        if time.perf_counter() - since > PATIENCE:
            raise SystemExit(f"{url} never showed it")
        await asyncio.sleep(0.002)
    return time.perf_counter() - since


async def measure(database_url: str, ports: list[int], times: int) -> tuple[list[float], list[float]]:
    database = Database(database_url)
    owner = OwnerInput(site_name="Bench", name="Owner", email="owner@example.org", password="of no importance")
    async with database.transaction() as work:
        actor = (await accounts.create_owner(work, owner, "")).actor
        post = await posts.create(work, actor, Kind.POST, PostInput(title="Low tide", text="Mud."))
    await publish(database, post.id, 0, "Mud.")
    urls = [f"http://127.0.0.1:{port}/low-tide" for port in ports]
    late: list[float] = []
    usual: list[float] = []
    for number in range(times):
        for url in urls:
            began = time.perf_counter()
            await AsyncHTTPClient().fetch(url)
            usual.append(time.perf_counter() - began)
        await publish(database, post.id, number + 1, f"Mud of the tide number {number}.")
        since = time.perf_counter()
        late += await asyncio.gather(*(shown(url, f"number {number}.".encode(), since) for url in urls))
    await database.dispose()
    return late, usual


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--database-url", default="")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        database_url = wanted.database_url or f"sqlite+aiosqlite:///{folder}/squall.db"
        asyncio.run(migrations.upgrade(database_url))
        environment = {"SQUALL_DATA": str(Path(folder) / "data"), "SQUALL_DATABASE_URL": database_url, "SQUALL_LOG_LEVEL": "warning"}
        ports = [load.free_port() for _ in range(wanted.processes)]
        for port in ports:
            stack.enter_context(load.process([sys.executable, "-m", "cms", "serve", "--port", str(port)], port, environment))
        late, usual = asyncio.run(measure(database_url, ports, wanted.times))
    worst = statistics.quantiles(late, n=100)[98]
    print(f"{len(late)} pages in {wanted.processes} processes: median {1000 * statistics.median(late):.1f} ms, 99 % {1000 * worst:.1f} ms")
    print(f"an answer from the cache: median {1000 * statistics.median(usual):.1f} ms")
    return 0 if worst <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
