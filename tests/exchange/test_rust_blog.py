"""A real blog moves in, on both databases: every old address answers, and everything that the source had is there."""

import asyncio
import html
import json
import os
import re
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from sqlalchemy import func, select

from cms.content.titles import plain_title
from cms.exchange.markdown_folder import plan
from cms.exchange.markdown_folder.readers import read_folder
from cms.exchange.markdown_folder.report import Report
from cms.models import Asset, Post, Revision, User
from cms.models.post import Kind
from cms.models.site import Frame
from cms.rendering import Renderer
from cms.services import inspection, permalinks, reading
from cms.telemetry import Metrics
from cms.worker import loop
from tests import rust_blog, specifications
from tests.factories import means, person
from tests.web import Browser, Site, running_site

PERMALINK = "/{year}/{month}/{day}/{slug}"


@pytest.fixture(scope="module")
def blog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return rust_blog.unpack(tmp_path_factory.mktemp("blog"))


@pytest.fixture
async def site(database_url: str, tmp_path: Path, renderer: Renderer) -> AsyncIterator[Site]:
    """At its own speed, which counting lines would halve."""
    async with running_site(database_url, tmp_path / "data", renderer=renderer) as site:
        await site.person("owner")
        yield site


async def move_in(database_url: str, data: Path, folder: Path) -> dict[str, Any]:
    """By the command, beside the running site; at its own speed, too."""
    environment = os.environ | {"SQUALL_DATABASE_URL": database_url, "SQUALL_DATA": str(data), "SQUALL_LOG_LEVEL": "error"}
    command = [sys.executable, "-m", "cms", "import", "markdown", str(folder), "--json"]
    running = await asyncio.create_subprocess_exec(*command, env=environment, stdout=PIPE, stdin=DEVNULL)
    said, _ = await running.communicate()
    assert running.returncode == 0
    answer: dict[str, Any] = json.loads(said)
    return answer


async def follow(browser: Browser, path: str, seen: dict[str, str]) -> tuple[int, int, str]:
    """Status at the end, moves on the way, and the page; ``seen`` keeps pages by address, so that each is asked for once."""
    moves, address = 0, quote(path)
    answer = await browser.get(address)
    while answer.status == 301 and moves < 5:
        moves, address = moves + 1, urlsplit(answer.location).path
        if address in seen:
            return 200, moves, seen[address]
        answer = await browser.get(address)
    if answer.status == 200:
        seen[address] = answer.text
    return answer.status, moves, answer.text


@pytest.mark.timeout(400)
async def test_a_real_blog_moves_in_with_every_address(site: Site, database_url: str, tmp_path: Path, blog: Path) -> None:
    report = await move_in(database_url, tmp_path / "data", blog)
    addresses = [(path, text.title) for text in rust_blog.old_site(blog) for path in text.addresses]
    assert len(addresses) == 832
    assert report["found"]["texts"] == report["brought_in"]["posts"] == 381
    assert not [finding for finding in report["findings"] if finding["outcome"] in ("refused", "not understood")]

    browser, pages, seen = site.browser(), {}, {}
    for path, title in addresses:
        status, moves, page = await follow(browser, f"/{path}", seen)
        assert (status, moves <= 1) == (200, True), path
        words = re.search(r"<h1[^>]*>(.*?)</h1>", page, re.DOTALL)
        assert words, path
        assert html_words(words[1]) == plain_title(title), path
        pages[path] = page

    await everything_is_there(site, browser, pages)
    again = await move_in(database_url, tmp_path / "data", blog)
    assert again["brought_in"] == {"unchanged": 381}
    async with site.database.read() as session:
        assert await session.scalar(select(func.count()).select_from(Post)) == 381
        assert await session.scalar(select(func.count()).select_from(Revision)) == 381
        assert not (await inspection.address_of_nothing(session)).number
        assert not (await inspection.public_without_document(session)).number
    await everything_moves(site, tmp_path, [path for path, _ in addresses])


async def everything_moves(site: Site, folder: Path, addresses: list[str]) -> None:
    """Another pattern of addresses, and all old ones lead to where the texts are now."""
    owner = await person(site.database, "owner")
    async with site.database.transaction() as work:
        await permalinks.change(work, owner, "/{category}/{slug}-{id}")
    while await loop.run_next(means(site.database, folder), Metrics()):
        pass
    async with site.database.read() as session:
        found = [await reading.find_place(session, path) for path in addresses]
        assert not (await inspection.address_of_nothing(session)).number
    assert all(place.article and place.path.endswith(f"-{place.article.post_id}") for place in found)
    answers = [await site.browser().get(quote(f"/{path}")) for path in addresses[:: len(addresses) // 5]]
    assert {answer.status for answer in answers} == {301}
    assert {(await site.browser().get(answer.location)).status for answer in answers} == {200}


def html_words(markup: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", markup))


async def everything_is_there(site: Site, browser: Browser, pages: dict[str, str]) -> None:
    """Pictures, feeds, the site map, and people above the texts who cannot sign in."""
    pictures = {source for page in pages.values() for source in re.findall(r'<img[^>]+src="(/[^"]+)"', page)}
    assert len(pictures) > 190
    for picture in pictures:
        assert (await browser.get(picture)).status == 200, picture
    specifications.rss((await browser.get("/feed.xml")).body)
    specifications.atom((await browser.get("/atom.xml")).body)
    specifications.json_feed((await browser.get("/feed.json")).body)
    listed = re.findall(r"<loc>[^<]*//[^/<]+(/[^<]*)</loc>", (await browser.get("/sitemap/1.xml")).text)
    assert len(listed) == len(set(listed))
    assert len([path for path in listed if re.match(r"/\d{4}/", path)]) == 381
    async with site.database.read() as session:
        people = list(await session.scalars(select(User).where(User.disabled_at.is_not(None))))
        assert len(people) > 90
        assert not any(person.password_hash for person in people)
        assert not await session.scalar(select(func.count()).select_from(Post).where(Post.kind == Kind.PAGE))
        assert await session.scalar(select(func.count()).select_from(Asset)) > 300


def test_its_permalinks_are_guessed(blog: Path) -> None:
    assert plan.guess_permalink(read_folder(blog, Report()), Frame().zone) == (PERMALINK, 381, 381)
