"""Whether people who sign in keep readers waiting, and whether the time that a refusal takes tells who has an account.

``python -m bench.sign_ins [--rounds 5] [--tries 500] [--database-url postgresql+asyncpg://…]``. ``PEOPLE`` sign in at once while
``READERS`` read: for 99 of 100 pages they may wait ``SLOWER`` times as long as when nobody signs in. Then so many wrong passwords for
somebody known and for nobody, in turn: the medians may differ by ``TELLING``. Fails if a bar is missed.

The server is a process of its own, started by this module, in which nothing is throttled.
"""

import argparse
import asyncio
import http.client
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from multiprocessing.pool import AsyncResult
from pathlib import Path
from statistics import median, quantiles
from urllib.parse import urlencode

from bench import load
from cms.content.pipeline import render
from cms.db import migrations
from cms.db.session import Database
from cms.models.post import Kind
from cms.policy import SYSTEM
from cms.schemas.account import OwnerInput, UserInput
from cms.schemas.post import PostInput
from cms.services import accounts, posts, publishing, throttling
from cms.services.passwords import Passwords
from cms.services.throttling import Limit

PEOPLE = 50
READERS = 20
PAUSE = 0.02  # seconds between two pages of a reader
SLOWER = 4.0
TELLING = 0.05
AT_ONCE = 4  # wrong passwords; fewer than would have to wait for each other's hashing
PREPARED_WITHIN = 3.0  # seconds in which everybody has opened the form
PATHS = ("/", "/archive", *(f"/tide-{number}" for number in range(8)), "/search?q=tide")
PASSWORD = "correct horse battery"


# --- the server ------------------------------------------------------------------------------------------------------------


def serve(port: str) -> None:
    """Squall as it is, but that limits are out of reach: they are asked for, and cost what they cost."""
    from cms import cli

    take = throttling.take

    async def take_of_plenty(database: Database, limit: Limit, who: str) -> None:
        await take(database, replace(limit, most=10**9), who)

    throttling.take = take_of_plenty
    sys.argv = ["squall", "serve", "--port", port]
    cli.main()


async def fill(database_url: str) -> None:
    """People who all have one password, and a few posts."""
    await migrations.upgrade(database_url)
    database, passwords = Database(database_url), Passwords()
    hashed = await passwords.hash(PASSWORD)
    passwords.close()
    owner = OwnerInput(site_name="Bench", name="Owner", email="owner@example.org", password=PASSWORD)
    async with database.transaction() as work:
        actor = (await accounts.create_owner(work, owner, hashed)).actor
        for number in range(PEOPLE):
            wanted = UserInput(email=address(number), name=f"Person {number}", role="author")
            await accounts.create(work, SYSTEM, wanted, hashed)
    for number in range(8):
        async with database.transaction() as work:
            post = await posts.create(work, actor, Kind.POST, PostInput(title=f"Tide {number}", text="Mud, mostly.\n\n" * 20))
            await publishing.publish(work, actor, post.id, publishing.Version(1, render("Mud, mostly.\n\n" * 20)))
    await database.dispose()


def address(number: int) -> str:
    return f"person-{number}@example.org"


# --- signing in ------------------------------------------------------------------------------------------------------------


class Form:
    """The sign-in page, open in a browser that was never here."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("localhost", port, timeout=60)
        self._connection.request("GET", "/login")
        answer = self._connection.getresponse()
        answer.read()
        cookies = answer.headers.get_all("Set-Cookie", ())
        self._cookie = next(sent.partition(";")[0] for sent in cookies if sent.startswith("xsrf="))

    def send(self, email: str, password: str) -> tuple[int, float]:
        """The answer's status, and how many seconds it took."""
        form = urlencode({"email": email, "password": password, "_xsrf": self._cookie.partition("=")[2].strip('"')})
        began = time.perf_counter()
        self._connection.request("POST", "/login", form, {"Cookie": self._cookie, "Content-Type": "application/x-www-form-urlencoded"})
        answer = self._connection.getresponse()
        answer.read()
        took = time.perf_counter() - began
        self._connection.close()
        return answer.status, took


def everybody(port: int, at: float, people: int) -> list[int]:
    """All send their forms at one moment (seconds since 1970); the statuses."""

    def one(number: int) -> int:
        form = Form(port)
        time.sleep(max(0.0, at - time.time()))
        return form.send(address(number), PASSWORD)[0]

    with ThreadPoolExecutor(people) as threads:
        return list(threads.map(one, range(people)))


def refusals(port: int, tries: int) -> tuple[list[float], list[float]]:
    """For somebody known and for nobody, in turn, so that both meet the same machine."""

    def refuse(number: int) -> tuple[float, float]:
        emails = address(number % PEOPLE), f"nobody-{number}@example.org"
        pair = [Form(port).send(email, "wrong horse battery") for email in emails]
        statuses = [status for status, _ in pair]
        if statuses != [422, 422]:
            raise RuntimeError(f"refused with {statuses}")
        return pair[0][1], pair[1][1]

    with ThreadPoolExecutor(AT_ONCE) as threads:
        known, unknown = zip(*threads.map(refuse, range(tries)), strict=True)
    return list(known), list(unknown)


# --- reading ---------------------------------------------------------------------------------------------------------------


async def read_while(port: int, act: Callable[[], Awaitable[None]]) -> list[float]:
    """What readers waited for each page until ``act`` had ended, in seconds."""
    waited: list[float] = []
    readers = [asyncio.create_task(_keep_reading(port, number, waited)) for number in range(READERS)]
    await act()
    for reader in readers:
        reader.cancel()
    await asyncio.wait(readers)
    return waited


async def _keep_reading(port: int, number: int, waited: list[float]) -> None:
    reader, writer = await asyncio.open_connection("localhost", port)
    try:
        await asyncio.sleep(PAUSE * number / READERS)
        while True:
            number += 1
            began = time.perf_counter()
            writer.write(f"GET {PATHS[number % len(PATHS)]} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(int(length.split(b":")[1]))
            waited.append(time.perf_counter() - began)
            await asyncio.sleep(PAUSE)
    finally:
        writer.close()


async def compare_readers(port: int, rounds: int, people: int = PEOPLE) -> tuple[list[float], list[float]]:
    """Quiet and busy, in turn, for as long as the signing in takes. What signs in has a process of its own, and readers another."""
    quiet: list[float] = []
    busy: list[float] = []
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        for number in range(rounds + 1):
            at = time.time() + PREPARED_WITHIN
            under_way = pool.apply_async(everybody, (port, at, people))
            await asyncio.sleep(at - time.time())
            began = time.perf_counter()
            waited = await read_while(port, lambda: _all_are_in(under_way))  # noqa: B023 - called before the next round
            took = time.perf_counter() - began
            if number:  # the first was a warm-up
                busy += waited
                quiet += await read_while(port, lambda: asyncio.sleep(took))  # noqa: B023
    return quiet, busy


async def _all_are_in(under_way: AsyncResult[list[int]]) -> None:
    statuses = set(await asyncio.to_thread(under_way.get))
    if statuses != {303}:
        raise RuntimeError(f"signed in with {sorted(statuses)}")


# --- what is printed -------------------------------------------------------------------------------------------------------


def worst(times: Sequence[float]) -> float:
    """What 99 of 100 stay below."""
    return quantiles(times, n=100)[98]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tries", type=int, default=500)
    parser.add_argument("--database-url", default="")
    parser.add_argument("--serve", metavar="PORT", help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.serve:
        serve(wanted.serve)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        database_url = wanted.database_url or f"sqlite+aiosqlite:///{folder}/squall.db"
        asyncio.run(fill(database_url))
        environment = {"SQUALL_DATA": str(Path(folder) / "data"), "SQUALL_DATABASE_URL": database_url, "SQUALL_LOG_LEVEL": "warning"}
        port = load.free_port()
        with load.process([sys.executable, "-m", "bench.sign_ins", "--serve", str(port)], port, environment):
            quiet, busy = asyncio.run(compare_readers(port, wanted.rounds))
            known, unknown = refusals(port, wanted.tries)
    slower = worst(busy) / worst(quiet)
    telling = abs(median(known) / median(unknown) - 1)
    print(f"readers, quiet:    {len(quiet):6} pages, median {1000 * median(quiet):6.2f} ms, 99 % {1000 * worst(quiet):6.2f} ms")
    print(f"{PEOPLE} sign in:        {len(busy):6} pages, median {1000 * median(busy):6.2f} ms, 99 % {1000 * worst(busy):6.2f} ms")
    print(f"readers wait {slower:.2f} times as long (at most {SLOWER:g})")
    print(
        f"wrong password:    {len(known):6} of somebody {1000 * median(known):.1f} ms, of nobody {1000 * median(unknown):.1f} ms (medians)"
    )
    print(f"they differ by {100 * telling:.2f} % (at most {100 * TELLING:g} %)")
    return 0 if slower <= SLOWER and telling <= TELLING else 1


if __name__ == "__main__":
    sys.exit(main())
