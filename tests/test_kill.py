"""``kill -9`` in the middle of the work: what was answered is there and whole, and of nothing there is a half."""

import asyncio
import random
from dataclasses import dataclass, field
from pathlib import Path

from tornado.httpclient import HTTPClientError

from cms.cli.doctor import examine
from tests.cli.program import Serving, Squall
from tests.web import Browser

PUBLISHES = 200
KILLS = 8
WRITERS = 3  # at once, so that a kill finds requests in every state


def title(number: int) -> str:
    return f"Tide {number} of many"


def text(number: int) -> str:
    return f"First word of {number}.\n\n" + "Mud, *mostly*, as far as one can see. " * 200 + f"\n\nLast word of {number}."


def is_whole(number: int, page: str) -> bool:
    return all(words in page for words in (title(number), f"First word of {number}.", f"Last word of {number}.", "</html>"))


@dataclass
class Log:
    """What the writers were told."""

    begun: int = 0
    published: set[int] = field(default_factory=set)  # those that were answered


async def test_published_is_published_whatever_happens(tmp_path: Path) -> None:
    squall = Squall(tmp_path)
    await asyncio.to_thread(squall.owner)
    told, browser, chance = Log(), Browser(""), random.Random()
    for kill in range(KILLS + 1):
        site = await asyncio.to_thread(Serving(squall).start)
        try:
            browser.url = site.url
            await _check(told, browser, squall.data)
            if not browser.cookies.get("session"):
                assert (await browser.sign_in("owner@example.org")).status == 303
            goal = PUBLISHES * (kill + 1) // (KILLS + 1)
            writers = [asyncio.create_task(_write(browser, told)) for _ in range(WRITERS)]
            while len(told.published) < goal:
                await asyncio.sleep(0.01)
                assert not any(writer.done() for writer in writers), [writer.exception() for writer in writers if writer.done()]
            await asyncio.sleep(chance.random() * 0.1)  # any moment of a publish, which takes about half of that
        finally:
            site.kill()
        await asyncio.gather(*writers)
    site = await asyncio.to_thread(Serving(squall).start)
    try:
        browser.url = site.url
        assert len(told.published) >= PUBLISHES
        assert told.begun - len(told.published) > KILLS, "each kill met somebody in the middle of something"
        await _check(told, browser, squall.data, everything=True)
        assert site.end() == 0
    finally:
        site.kill()


async def _write(browser: Browser, told: Log) -> None:
    """One post after the other through the forms of the desk, until nobody answers."""
    while True:
        told.begun += 1
        number = told.begun
        typed = {"title": title(number), "text": text(number), "slug": f"tide-{number}", "tags": f"Tide {number % 7}"}
        try:
            saved = await browser.post("/admin/posts", typed)
            assert saved.status == 303, (saved.status, saved.text)
            published = await browser.post(f"{saved.location}/publication", {"version": 1})
            assert published.status == 303, (published.status, published.text)
        except (HTTPClientError, OSError):
            return  # killed
        told.published.add(number)


async def _check(told: Log, browser: Browser, data: Path, *, everything: bool = False) -> None:
    """The newest that were answered (or all), those that were not, and every rule that the doctor knows."""
    problems = [str(result) for result in [result async for result in examine(data)] if not result.ok]
    assert not problems, problems
    first = 1 if everything else max(1, told.begun - 40)
    reader = Browser(browser.url)
    for number in range(first, told.begun + 1):
        answer = await reader.get(f"/tide-{number}")
        assert answer.status == 200 or (answer.status == 404 and number not in told.published), (number, answer.status)
        assert answer.status == 404 or is_whole(number, answer.text), number
