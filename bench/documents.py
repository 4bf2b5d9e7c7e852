"""People who write together: how soon they see each other's letters, whether readers notice, and what a document costs.

``python -m bench.documents [--documents 200] [--seconds 20] [--edits 100000]``: one program, two people in each document, five keys a
second each; readers ask for the home page meanwhile and in quiet before. Fails above ``ECHO``, ``READERS`` times the quiet, ``MEMORY``
a document, or ``OPENING`` of a document of so many edits. The clients run beside it on the same machine, and take as much of it.
"""

import argparse
import asyncio
import multiprocessing
import os
import random
import statistics
import sys
import tempfile
import time
from collections import deque
from concurrent.futures import ProcessPoolExecutor
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.request import urlopen

from bench import load
from cms import crdt
from cms.collaboration.room import Room
from cms.db import migrations
from cms.db.session import Database
from cms.models.post import Kind
from cms.policy import Actor
from cms.schemas.account import OwnerInput
from cms.schemas.post import PostInput
from cms.services import accounts, posts, working_copies
from cms.services.passwords import Passwords
from tests.collaboration.writers import Writer, writing
from tests.web import PASSWORD, Browser

ECHO = 0.15  # seconds, for 99 of 100
READERS = 2.0  # times the quiet, for 99 of 100
MEMORY = 1_000_000  # bytes a document
OPENING = 0.2  # seconds
KEYS = 5.0  # a second


class Typist:
    """One at a document; ``sent`` are the moments of the letters that the other has yet to see."""

    def __init__(self, writer: Writer) -> None:
        self.writer, self.sent, self.late = writer, deque[float](), list[float]()

    def watch(self, other: "Typist") -> None:
        usual = self.writer.document.apply

        def apply(update: bytes) -> bytes:
            self.late.append(time.perf_counter() - other.sent.popleft())
            return usual(update)

        self.writer.document.apply = apply  # type: ignore[method-assign]

    async def type(self, until: float) -> None:
        await asyncio.sleep(random.random() / KEYS)
        while time.perf_counter() < until:
            document = self.writer.document
            document._content.insert(0, "x")  # ``edit`` would compare the texts, for which a browser has no reason either
            made = document._taken()
            self.sent.append(time.perf_counter())
            self.writer.update(made)
            await asyncio.sleep(random.uniform(0.5, 1.5) / KEYS)


async def begin(database: Database, number: int) -> tuple[Actor, list[int]]:
    owner = OwnerInput(site_name="Bench", name="Owner", email="owner@example.org", password=PASSWORD)
    hashed = await Passwords(memory=64, passes=1).hash(PASSWORD)
    async with database.transaction() as work:
        actor = (await accounts.create_owner(work, owner, hashed)).actor
        made = [await posts.create(work, actor, Kind.POST, PostInput(title=f"Tide {each}", text="Mud.\n" * 200)) for each in range(number)]
    return actor, [post.id for post in made]


def read(url: str, seconds: float) -> list[float]:
    """How long each answer takes; to be called in a process that does nothing else."""
    late, until = list[float](), time.perf_counter() + seconds
    while time.perf_counter() < until:
        began = time.perf_counter()
        urlopen(url).close()
        late.append(time.perf_counter() - began)
        time.sleep(0.02)
    return late


def resident(pid: int) -> int:
    """Bytes, from /proc (proc(5), statm)."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


async def compare(url: str, pid: int, post_ids: list[int], seconds: float) -> bool:
    browser = Browser(url)
    assert (await browser.sign_in("owner@example.org")).status == 303
    loop, reader = asyncio.get_running_loop(), ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))
    quiet = await loop.run_in_executor(reader, read, url, seconds)
    before = resident(pid)
    os.nice(10)  # those who type have machines of their own
    async with AsyncExitStack() as stack:
        pairs = []
        for post_id in post_ids:
            one, other = [Typist(await stack.enter_async_context(writing(browser, post_id))) for _ in range(2)]
            one.watch(other)
            other.watch(one)
            pairs += [one, other]
        memory = (resident(pid) - before) / len(post_ids)
        print(f"memory of a document that two have open: {memory / 1000:.0f} kB", flush=True)
        cpu, until = load.cpu_seconds(pid), time.perf_counter() + seconds
        readers, *_ = await asyncio.gather(loop.run_in_executor(reader, read, url, seconds), *(each.type(until) for each in pairs))
        cpu = (load.cpu_seconds(pid) - cpu) / seconds
        for each in pairs:
            await each.writer.kept()
        echo = [late for each in pairs for late in each.late]
    echo_99, quiet_99, readers_99 = [statistics.quantiles(some, n=100)[98] for some in (echo, quiet, readers)]
    print(
        f"{len(echo)} letters: seen after {1000 * statistics.median(echo):.0f} ms, 99 % {1000 * echo_99:.0f} ms; {100 * cpu:.0f} % of a CPU"
    )
    print(f"readers, 99 %: {1000 * readers_99:.1f} ms, in quiet {1000 * quiet_99:.1f} ms: {readers_99 / quiet_99:.1f} times")
    return echo_99 <= ECHO and readers_99 <= READERS * quiet_99 and memory <= MEMORY


def edited(number: int) -> tuple[bytes, list[bytes]]:
    """A document after so many edits, twenty letters at a time anywhere in it, and the edits."""
    document, made, at = crdt.Document(), list[bytes](), 0
    for length in range(number):
        at = at + 1 if length % 20 else random.randrange(length + 1)
        document._content.insert(at, "x")  # ``edit`` would compare the texts each time
        made.append(document._taken())
    return document.data(), made


async def open_long(database: Database, actor: Actor, number: int) -> bool:
    """A document as it is after so many edits: all but the last are folded."""
    data, made = edited(number)
    async with database.transaction() as work:
        post = await posts.create(work, actor, Kind.POST, PostInput(title="Long"))
        stored = await working_copies.open_document(work, post.id)
        await working_copies.fold(work, stored, data)
    for update in made[-200:]:
        async with database.transaction() as work:
            await working_copies.append(work, {post.id: update})
    began = time.perf_counter()
    async with database.read() as session:
        found = await working_copies.read_document(session, post.id)
    assert found
    room = Room(found, lambda _: None, writer=None, silent_for=0)
    took = time.perf_counter() - began
    began = time.perf_counter()
    crdt.Document(*made)
    loose = time.perf_counter() - began
    print(f"{number} edits, {len(room.document.data()) / 1000:.0f} kB: open after {1000 * took:.0f} ms; never folded {1000 * loose:.0f} ms")
    return took <= OPENING


async def run(database_url: str, folder: str, wanted: argparse.Namespace) -> bool:
    database = Database(database_url)
    actor, post_ids = await begin(database, wanted.documents)
    opens = await open_long(database, actor, wanted.edits)
    await database.dispose()
    environment = {"SQUALL_DATA": folder, "SQUALL_DATABASE_URL": database_url, "SQUALL_LOG_LEVEL": "warning"}
    port = load.free_port()
    with load.process([sys.executable, "-m", "cms", "serve", "--port", str(port)], port, environment) as pid:
        return await compare(f"http://127.0.0.1:{port}", pid, post_ids, wanted.seconds) and opens


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--documents", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--edits", type=int, default=100_000)
    parser.add_argument("--database-url", default="")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        database_url = wanted.database_url or f"sqlite+aiosqlite:///{folder}/squall.db"
        asyncio.run(migrations.upgrade(database_url))
        return 0 if asyncio.run(run(database_url, folder, wanted)) else 1


if __name__ == "__main__":
    sys.exit(main())
