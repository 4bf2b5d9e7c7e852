"""``kill -9`` of one of two processes, and of both, while they write pages into one folder: in the end no file says what is over."""

import asyncio
import contextlib
import random
import signal
from pathlib import Path

import pytest
from tornado.httpclient import HTTPClientError

from cms.db.session import Database
from cms.policy import Actor
from cms.rendering import Renderer
from tests import factories
from tests.cli.program import Serving, Squall
from tests.web import Browser, running_site

EDITED = 4  # posts, again and again
ROUNDS = 6
READERS = 4  # of each process
PATIENCE = 20.0  # seconds; only a hang takes so long
URL = "http://tides.example"  # that all of them say is theirs
PATHS = ["/", "/archive", "/tag/sea", "/author/olga-owner", "/author/edna-reed", *(f"/low-tide-{number}" for number in range(EDITED))]


@pytest.mark.timeout(300)
async def test_no_file_is_out_of_date_whoever_is_killed(database_url: str, tmp_path: Path, renderer: Renderer) -> None:
    chance, pages, compared = random.Random(), tmp_path / "squall", 0
    done: list[str] = []  # what was published or tried
    both = [_program(tmp_path / name, database_url, pages) for name in ("one", "two")]
    await asyncio.to_thread(both[0].owner)
    serving = [await asyncio.to_thread(Serving(squall).start) for squall in both]
    database = Database(database_url)  # of a third process, which makes no pages
    try:
        editor = await factories.person(database, "editor", "Edna Reed")
        posts = [await factories.published(database, editor, slug=f"low-tide-{number}", tags=("Sea",)) for number in range(EDITED)]
        browsers = [Browser(site.url) for site in serving]
        assert (await browsers[0].sign_in("owner@example.org")).status == 303
        browsers[1].cookies = browsers[0].cookies
        async with running_site(database_url, tmp_path / "fresh", renderer=renderer, site_url=URL, page_cache=0) as truth:
            for turn in range(ROUNDS):
                busy = [asyncio.create_task(_publish(browser, done)) for browser in browsers for _ in range(2)]
                busy += [asyncio.create_task(_read(browser)) for browser in browsers for _ in range(READERS)]
                busy += [asyncio.create_task(_edit(database, editor, posts[turn % EDITED].post_id, done))]
                await asyncio.sleep(chance.uniform(0.3, 0.6))  # any moment of a publish
                killed = (0, 1) if turn % 3 == 2 else (turn % 2,)
                for which in killed:
                    for path in PATHS:
                        await Browser(browsers[which].url).get(path)
                    serving[which].send(signal.SIGSTOP)  # hears nothing, so what it wrote is over when the others have gone on
                await asyncio.sleep(chance.uniform(0.0, 0.2))
                for which in killed:
                    serving[which].kill()
                await _goes_on(done)
                for task in busy:
                    task.cancel()
                await asyncio.gather(*busy, return_exceptions=True)
                for which in killed:
                    serving[which] = await asyncio.to_thread(Serving(both[which]).start)
                    browsers[which].url = serving[which].url
                for path in PATHS:
                    await Browser(browsers[chance.randrange(2)].url).get(path)
                compared += await _agree(pages / "pages", truth.browser())
        assert compared > ROUNDS * len(PATHS) // 2, "there were files"
        assert [site.end() for site in serving] == [0, 0]
    finally:
        for site in serving:
            site.kill()
        await database.dispose()


def _program(folder: Path, database_url: str, pages: Path) -> Squall:
    folder.mkdir()
    settings = {"SQUALL_DATA": str(folder.parent / "data"), "SQUALL_DATABASE_URL": database_url, "SQUALL_SECRET_KEYS": "k" * 40}
    return Squall(folder, {**settings, "SQUALL_SITE_URL": URL, "SQUALL_PAGES_FOLDER": str(pages)})


async def _publish(browser: Browser, done: list[str]) -> None:
    """New posts through the forms of the desk: whoever is killed may be the one that has just committed."""
    with contextlib.suppress(HTTPClientError, OSError):
        while True:
            saved = await browser.post("/admin/posts", {"title": f"Tide {len(done)}", "text": "Mud.", "tags": "Sea"})
            await browser.post(f"{saved.location}/publication", {"version": 1})
            done.append("new")


async def _edit(database: Database, editor: Actor, post_id: int, done: list[str]) -> None:
    """From a process that makes no pages, as commands do."""
    while True:
        await factories.edited(database, editor, post_id, title=f"Tide at {len(done)}")
        await factories.publish(database, editor, post_id)
        done.append("edited")


async def _goes_on(done: list[str]) -> None:
    """Whoever is left publishes more."""
    before = len(done)
    async with asyncio.timeout(PATIENCE):
        while len(done) < before + 3:
            await asyncio.sleep(0.01)


async def _read(browser: Browser) -> None:
    """As somebody who is not signed in, so that pages are made all the time."""
    reader, chance = Browser(browser.url), random.Random()
    with contextlib.suppress(HTTPClientError, OSError):
        while True:
            await reader.get(chance.choice(PATHS))


async def _agree(pages: Path, truth: Browser) -> int:
    """How many files there are, once each is what a program without a cache answers."""
    async with asyncio.timeout(PATIENCE):
        while True:
            wrong, found = [], 0
            for file in pages.rglob("*=.html"):
                with contextlib.suppress(FileNotFoundError):  # removed meanwhile, as it should be
                    there, path = file.read_bytes(), f"/{file.relative_to(pages).as_posix().removesuffix('=.html')}"
                    answer = await truth.get(path, **{"Accept-Encoding": "identity"})
                    found += 1
                    if there != answer.body or answer.status != 200:
                        wrong.append(path)
            if not wrong:
                return found
            await asyncio.sleep(0.1)
