"""Real Yjs, real sockets, two processes on one database, and a process that is killed."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from cms import crdt
from cms.collaboration import rooms
from cms.collaboration.log import Log
from cms.db.session import Database
from cms.errors import StorageFull
from cms.rendering import Renderer
from cms.services import working_copies
from tests import factories
from tests.cli.program import Serving, Squall
from tests.collaboration.writers import Writer, writing
from tests.collaboration.yjs import YjsDocument, converge, edit_anyhow
from tests.web import Browser, running_site


@pytest.fixture
async def yjs() -> AsyncIterator[list[YjsDocument]]:
    documents = [YjsDocument(1001), YjsDocument(1002)]
    yield documents
    for document in documents:
        document.close()


async def agree(writers: Sequence[Writer]) -> str:
    """Wait until all have the same text, and everything is on disk; the text."""
    async with asyncio.timeout(30):
        while len({writer.document.content for writer in writers}) > 1 or any(writer.on_disk < writer.sent for writer in writers):
            await asyncio.sleep(0.05)
    return str(writers[0].document.content)


def edit(writer: Writer, seed: int) -> None:
    made = writer.document.edit_anyhow(seed) if isinstance(writer.document, YjsDocument) else [edit_anyhow(writer.document, seed)]
    for each in made:
        writer.update(each)


async def test_yjs_and_pycrdt_agree_in_two_processes_on_one_database(
    database_url: str, tmp_path: Path, renderer: Renderer, yjs: list[YjsDocument]
) -> None:
    async with AsyncExitStack() as stack:
        here, there = [await stack.enter_async_context(running_site(database_url, tmp_path / "data", renderer=renderer)) for _ in range(2)]
        browsers = [await here.signed_in("author"), await there.signed_in("editor")]
        post = await factories.draft(here.database, await factories.person(here.database, "author"), text="Mud 😀.\n")
        documents: list[Any] = [yjs[0], yjs[1], crdt.Document()]
        writers = [
            await stack.enter_async_context(writing(browsers[number % 2], post.id, document=document))
            for number, document in enumerate(documents)
        ]
        for turn in range(120):
            edit(writers[turn % 3], turn)
            if turn % 10 == 0:
                await asyncio.sleep(0.02)
        text = await agree(writers)
        assert all(writer.document.fields == writers[0].document.fields for writer in writers)
        await working_copies.catch_up(here.database, post.id)
        async with here.database.read() as session:
            stored = await working_copies.read_document(session, post.id)
        assert stored
        assert crdt.Document(*stored.all).content == text
        async with writing(browsers[0], post.id) as late:
            await late.reads(text)


async def test_nothing_that_was_acknowledged_is_lost_when_a_process_is_killed(tmp_path: Path, yjs: list[YjsDocument]) -> None:
    """Typed in two processes; one is killed again and again. What it had not kept, the browser still has."""
    squall = Squall(tmp_path)
    await asyncio.to_thread(squall.owner)
    steady = await asyncio.to_thread(Serving(squall).start)
    browser = Browser(steady.url)
    try:
        assert (await browser.sign_in("owner@example.org")).status == 303
        made = await browser.post("/admin/posts", {"title": "Tide", "text": "Mud."})
        post_id = int(made.location.rsplit("/", 1)[1])
        async with writing(browser, post_id, document=yjs[0]) as one:
            for kill in range(3):
                shaky = await asyncio.to_thread(Serving(squall).start)
                try:
                    async with writing(Browser(shaky.url, browser.cookies), post_id, document=yjs[1]) as other:
                        for turn in range(40):
                            edit(one, turn)
                            edit(other, 1000 * kill + turn)
                            await asyncio.sleep(0.005)
                        kept = other.on_disk
                        shaky.kill()
                        await other.end()
                finally:
                    shaky.kill()
                assert kept > 0
            async with writing(browser, post_id, document=yjs[1]) as other:
                text = await agree([one, other])
        assert steady.end() == 0
    finally:
        steady.kill()
    database = Database(f"sqlite+aiosqlite:///{squall.data / 'squall.db'}")
    try:
        async with database.read() as session:
            stored = await working_copies.read_document(session, post_id)
            copy = await session.get_one(working_copies.WorkingCopy, post_id)
        assert stored
        assert crdt.Document(*stored.all).content == text
        assert not stored.is_ahead, "who ends in peace leaves the working copy as the document"
        assert copy.content == text
    finally:
        await database.dispose()


async def test_room_that_is_just_entered_is_not_closed_as_an_empty_one(
    database_url: str, tmp_path: Path, renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "LOOK_EVERY", 0.0)
    async with running_site(database_url, tmp_path / "data", renderer=renderer) as site:
        browser = await site.signed_in("author")
        post = await factories.draft(site.database, await factories.person(site.database, "author"), text="One.")
        for _ in range(10):
            async with writing(browser, post.id) as ana:
                assert ana.closed is None
                assert ana.document.content == "One."


async def test_full_disk_is_told_and_what_was_typed_is_kept_when_there_is_room(
    database_url: str, tmp_path: Path, renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_site(database_url, tmp_path / "data", renderer=renderer) as site:
        browser = await site.signed_in("author")
        post = await factories.draft(site.database, await factories.person(site.database, "author"), text="One.")
        async with writing(browser, post.id) as ana:
            await ana.kept()

            async def full(*_: Any) -> None:
                raise StorageFull

            with monkeypatch.context() as disk:
                disk.setattr(Log, "_write", full)
                ana.type("Two.")
                await ana.until(lambda: ana.last_told("unsaved") is not None)
                assert "disk is full" in (ana.last_told("unsaved") or {})["why"]
                ana.type("Two. Three.")
                assert ana.on_disk < ana.sent
            await ana.kept()
            async with site.database.read() as session:
                stored = await working_copies.read_document(session, post.id)
            assert stored
            assert crdt.Document(*stored.all).content == "Two. Three."


def test_thousands_of_edits_with_emoji_end_in_one_text(yjs: list[YjsDocument]) -> None:
    """``bench/convergence.py`` does this ten thousand times."""
    converge(yjs, rounds=300)
