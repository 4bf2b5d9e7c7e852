"""The page cache in the running program: what readers get, in one process and in several."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import pytest
from sqlalchemy import make_url, text

from cms.db import postgresql
from cms.handlers.site.posts import PlaceHandler
from cms.models.site import Access
from cms.policy import SYSTEM
from cms.rendering import Renderer
from cms.services import outbox
from cms.services import site as sites
from tests import factories
from tests.handlers.admin.pages import title
from tests.handlers.admin.test_site import settings
from tests.watching import questions
from tests.web import Site, running_site

PATIENCE = 10  # seconds; only a hang takes so long


async def test_a_page_that_is_kept_asks_the_database_nothing(site: Site) -> None:
    editor = await factories.person(site.database, "editor")
    await factories.published(site.database, editor, title="Low tide")
    browser = site.browser()
    for path in ("/", "/low-tide", "/nothing-here", "/archive", "/feed.xml", "/author/edna-reed"):
        first = await browser.get(path)
        with questions(site.database) as asked:
            again = await browser.get(path)
        assert (again.status, again.body, asked) == (first.status, first.body, [])
        assert first.headers["X-Request-Id"] != again.headers["X-Request-Id"]


async def test_the_next_reader_sees_what_was_published_and_withdrawn(site: Site) -> None:
    editor = await factories.person(site.database, "editor")
    browser = site.browser()
    assert (await browser.get("/low-tide")).status == 404
    post = await factories.published(site.database, editor, title="Low tide")
    assert (await browser.get("/low-tide")).status == 200
    assert "Low tide" in (await browser.get("/")).text
    await factories.edited(site.database, editor, post.post_id, title="High tide", slug="high-tide")
    await factories.publish(site.database, editor, post.post_id)
    assert (await browser.get("/low-tide")).location == "/high-tide"
    assert (await browser.get("/low-tide?a=b")).location == "/high-tide?a=b", "kept without the query, answered with it"
    assert "High tide" in (await browser.get("/high-tide")).text
    await factories.withdraw(site.database, editor, post.post_id)
    assert [(await browser.get(path)).status for path in ("/low-tide", "/high-tide")] == [410, 410]
    assert "High tide" not in (await browser.get("/")).text
    await factories.publish(site.database, editor, post.post_id)
    assert [(await browser.get(path)).status for path in ("/low-tide", "/high-tide")] == [301, 200]


async def test_a_page_of_a_list_that_was_not_there_comes(site: Site) -> None:
    editor, browser = await factories.person(site.database, "editor"), site.browser()
    posts = [await factories.published(site.database, editor, title=f"Tide {n}", tags=("Sea",)) for n in range(11)]
    await factories.withdraw(site.database, editor, posts[0].post_id)
    pages = ("/page/2", "/tag/sea/page/2", "/author/edna-reed/page/2")
    assert [(await browser.get(path)).status for path in pages] == [404] * 3
    await factories.publish(site.database, editor, posts[0].post_id)
    assert [(await browser.get(path)).status for path in pages] == [200] * 3
    further = ("/page/3", "/tag/sea/page/3", "/author/edna-reed/page/3")
    assert [(await browser.get(path)).status for path in further] == [404] * 3
    assert len((await browser.get("/search?q=tide")).page.findall(".//article")) == 10
    await configured(site, posts_per_page=5)
    assert [(await browser.get(path)).status for path in further] == [200] * 3
    assert len((await browser.get("/search?q=tide")).page.findall(".//article")) == 5


async def configured(site: Site, **changes: Any) -> None:
    """The site's settings as they are, with these changes."""
    browser = await site.signed_in("administrator")
    answer = await browser.post("/admin/site/reading", {**await settings(browser, "/reading"), **changes})
    assert answer.status == 303, answer.words


async def test_arguments_that_no_page_knows_make_no_other_page(site: Site) -> None:
    for query in ("", "?utm_source=x", "?page=2", "?q=a"):
        assert (await site.browser().get(f"/archive{query}")).status == 200
    assert len(site.application.parts.pages) == 1


async def test_what_is_made_for_somebody_is_not_kept(site: Site) -> None:
    browser = await site.signed_in("editor")
    await browser.get("/")
    await browser.get("/admin/posts")
    await site.browser().get("/login")
    await site.browser().get("/admin/posts")
    assert len(site.application.parts.pages) == 0


async def test_a_site_without_an_owner_is_not_kept(database_url: str, tmp_path: Path, renderer: Renderer) -> None:
    async with running_site(database_url, tmp_path / "data", renderer=renderer) as site:
        assert "terminal" in (await site.browser().get("/")).text
        await site.person("owner")
        assert "terminal" not in (await site.browser().get("/")).text


@pytest.mark.parametrize("coding", ["br", "gzip", "zstd", "identity"])
async def test_every_coding_is_a_strong_version_of_one_page(site: Site, coding: str) -> None:
    editor = await factories.person(site.database, "editor")
    await factories.published(site.database, editor, title="Low tide")
    plain = await site.browser().get("/low-tide", **{"Accept-Encoding": "identity"})
    answer = await site.browser().get("/low-tide", **{"Accept-Encoding": coding})
    assert answer.headers.get("Content-Encoding", "identity") == coding
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert not answer.headers["Etag"].startswith("W/")
    assert (answer.headers["Etag"] == plain.headers["Etag"]) is (coding == "identity")
    again = await site.browser().get("/low-tide", **{"Accept-Encoding": coding, "If-None-Match": answer.headers["Etag"]})
    assert (again.status, again.body) == (304, b"")
    for other in {plain.headers["Etag"], '"another"'} - {answer.headers["Etag"]}:
        again = await site.browser().get("/low-tide", **{"Accept-Encoding": coding, "If-None-Match": other})
        assert (again.status, again.body) == (200, answer.body), "what is in between may have kept it for other readers"
    own = await (await site.signed_in("administrator")).get("/low-tide", **{"Accept-Encoding": coding})
    assert (own.headers["Etag"], own.body) == (answer.headers["Etag"], answer.body), "made for one reader, but no other version"
    head = await site.browser().send("HEAD", "/low-tide", headers={"Accept-Encoding": "identity"})
    assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", str(len(plain.body)))


async def test_a_page_that_was_being_made_during_a_publish_is_not_kept(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    editor = await factories.person(site.database, "editor")
    post = await factories.published(site.database, editor, title="Low tide", text="Mud.")
    read, publish = asyncio.Event(), asyncio.Event()
    show = PlaceHandler.show

    def note(handler: PlaceHandler, *arguments: Any, **values: Any) -> None:
        read.set()
        show(handler, *arguments, **values)

    find = PlaceHandler.get

    async def held(handler: PlaceHandler, *path: str) -> None:
        await find(handler, *path)
        if not publish.is_set():
            await publish.wait()  # rendered, and about to be stored

    monkeypatch.setattr(PlaceHandler, "show", note)
    monkeypatch.setattr(PlaceHandler, "get", held)
    early = asyncio.create_task(site.browser().get("/low-tide"))
    await asyncio.wait_for(read.wait(), PATIENCE)
    await factories.edited(site.database, editor, post.post_id, text="Sand.")
    await factories.publish(site.database, editor, post.post_id)
    publish.set()
    assert "Sand." in (await site.browser().get("/low-tide")).text
    assert "Mud." in (await early).text, "who asked before sees what was public then"
    assert "Sand." in (await site.browser().get("/low-tide")).text


async def test_a_hundred_readers_of_a_forgotten_page_ask_once(site: Site) -> None:
    editor = await factories.person(site.database, "editor")
    await factories.published(site.database, editor, title="Low tide")
    async with site.database.transaction() as work:
        await sites.configure(work, name="Ebb")
    with questions(site.database) as asked:
        answers = await asyncio.gather(*(site.browser().get("/low-tide") for _ in range(100)))
    assert {answer.status for answer in answers} == {200}
    assert len(asked) == 2, "for the page, and for what is around all of them, which has changed"


async def test_popular_pages_are_made_again_before_anybody_asks(site: Site) -> None:
    editor = await factories.person(site.database, "editor")
    post = await factories.published(site.database, editor, title="Low tide", text="Mud.")
    for _ in range(5):
        await site.browser().get("/low-tide")
    await site.browser().get("/archive")
    await factories.edited(site.database, editor, post.post_id, title="Low water", text="Sand.", slug="low-tide")
    await factories.publish(site.database, editor, post.post_id)
    async with asyncio.timeout(PATIENCE):
        while "/low-tide" not in site.application.parts.pages:
            await asyncio.sleep(0.01)
    assert "/archive" not in site.application.parts.pages
    with questions(site.database) as asked:
        assert "Sand." in (await site.browser().get("/low-tide")).text
    assert asked == []


async def test_other_processes_hear_of_it(site: Site, database_url: str, tmp_path: Path, renderer: Renderer) -> None:
    """Two applications on one database, as two processes are: each has its own cache, and its own connections."""
    editor = await factories.person(site.database, "editor")
    post = await factories.published(site.database, editor, title="Low tide", text="Mud.")
    async with running_site(database_url, tmp_path / "data", renderer=renderer) as other:
        await asyncio.sleep(0.2)  # for it to listen
        for page in ("/low-tide", "/archive"):
            assert (await other.browser().get(page)).status == 200
        for text in ("Sand.", "Water."):
            await factories.edited(site.database, editor, post.post_id, text=text)
            await factories.publish(site.database, editor, post.post_id)
            async with asyncio.timeout(PATIENCE):
                while text not in (await other.browser().get("/low-tide")).text:
                    await asyncio.sleep(0.01)
        assert "/archive" in other.application.parts.pages, "nothing that it shows has changed"


@pytest.mark.parametrize("access", [Access.OPEN, Access.PRIVATE])
async def test_other_processes_have_the_new_name_where_nothing_is(
    site: Site, database_url: str, tmp_path: Path, renderer: Renderer, access: Access
) -> None:
    """Also if nothing else is asked there, from which they would know it; and also above the lock."""
    async with running_site(database_url, tmp_path / "data", renderer=renderer) as other:
        await asyncio.sleep(0.2)  # for it to listen
        async with site.database.transaction() as work:
            await sites.choose_access(work, SYSTEM, access, "hash")
        places = ("/page/2", "/tag/unknown", "/nothing-here")
        for name in ("Ebb", "Flood"):
            for place in places:
                await other.browser().get(place)
            async with site.database.transaction() as work:
                await sites.configure(work, name=name)
            async with asyncio.timeout(PATIENCE):
                for place in places:
                    while not title(await other.browser().get(place)).endswith(f" · {name}"):
                        await asyncio.sleep(0.01)


async def test_a_process_that_lost_its_connection_forgets_everything(site: Site) -> None:
    if site.database.dialect.name != "postgresql":
        pytest.skip("SQLite has no connection to lose")
    await site.browser().get("/archive")
    assert "/archive" in site.application.parts.pages
    async with site.database.writing.connect() as connection:
        await connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()"
        )
    async with asyncio.timeout(PATIENCE):
        while "/archive" in site.application.parts.pages:
            await asyncio.sleep(0.02)


async def test_nobody_who_reads_keeps_a_process_from_hearing(site: Site, database_url: str, tmp_path: Path, renderer: Renderer) -> None:
    """Readers who have all its connections would keep what is over before everybody else."""
    editor = await factories.person(site.database, "editor")
    post = await factories.published(site.database, editor, title="Low tide")
    async with running_site(database_url, tmp_path / "data", renderer=renderer) as other, AsyncExitStack() as readers:
        assert (await other.browser().get("/low-tide")).status == 200
        for _ in range(other.database.reading.pool.size()):  # type: ignore[attr-defined]  # a queue, which has one
            await (await readers.enter_async_context(other.database.read())).execute(text("SELECT 1"))
        await factories.withdraw(site.database, editor, post.post_id)
        async with asyncio.timeout(PATIENCE / 2):
            while "/low-tide" in other.application.parts.pages:
                await asyncio.sleep(0.01)


async def test_a_process_goes_on_hearing_whatever_fails(
    site: Site, database_url: str, tmp_path: Path, renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor = await factories.person(site.database, "editor")
    monkeypatch.setattr(outbox, "AGAIN", 0.05)
    async with running_site(database_url, tmp_path / "data", renderer=renderer) as other:
        for turn in range(2):
            post = await factories.published(site.database, editor, title=f"Tide {turn}")
            await asyncio.sleep(0.1)  # for it to have heard
            assert (await other.browser().get(f"/tide-{turn}")).status == 200
            with monkeypatch.context() as odd:
                if turn == 0:
                    odd.setattr(outbox, "from_json", lambda name, payload: payload["what a newer version says otherwise"])
                await factories.withdraw(site.database, editor, post.post_id)
                async with asyncio.timeout(PATIENCE):
                    while f"/tide-{turn}" in other.application.parts.pages:
                        await asyncio.sleep(0.01)


async def test_a_process_whose_connection_fell_silent_listens_anew(
    database_url: str, tmp_path: Path, renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network that forgets a connection tells nobody, and what is committed then is not heard."""
    if database_url.startswith("sqlite"):
        pytest.skip("SQLite has no connection to lose")
    monkeypatch.setattr(postgresql, "SIGN_EVERY", 0.1)
    monkeypatch.setattr(postgresql, "SIGN_WITHIN", 0.5)
    url = make_url(database_url)
    with TemporaryDirectory(prefix="squall-", dir="/tmp") as folder:  # a socket's path has at most 107 characters
        async with Between(Path(folder), str(url.query["host"])) as between:
            passed = url.update_query_dict({"host": folder}).render_as_string(hide_password=False)
            async with running_site(passed, tmp_path / "data", renderer=renderer) as site:
                await site.person("owner")
                await site.browser().get("/archive")
                await asyncio.sleep(0.3)
                assert "/archive" in site.application.parts.pages, "nothing is forgotten while there is a sign of life"
                between.falls_silent()
                async with asyncio.timeout(PATIENCE):
                    while "/archive" in site.application.parts.pages:
                        await asyncio.sleep(0.02)
                between.hangs_up()  # or each connection would be waited for as the program ends


class Between:
    """Passes on what is sent to a PostgreSQL, until it falls silent; then what comes anew."""

    def __init__(self, folder: Path, to: str) -> None:
        self._folder, self._to = folder, to
        self._passing: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_unix_server(self._accept, self._folder / ".s.PGSQL.5432")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.falls_silent()
        self.hangs_up()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(Path(self._to, ".s.PGSQL.5432"))
        self._writers += [writer, back]
        for source, target in ((reader, back), (there, writer)):
            passing = asyncio.create_task(self._pass(source, target))
            self._passing.add(passing)

    async def _pass(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            target.write(data)
        target.close()

    def falls_silent(self) -> None:
        for each in self._passing:
            each.cancel()
        self._passing.clear()

    def hangs_up(self) -> None:
        for writer in self._writers:
            writer.close()


async def test_a_cdn_is_told_how_long_and_what_the_page_shows(database_url: str, tmp_path: Path, renderer: Renderer) -> None:
    async with running_site(database_url, tmp_path / "data", renderer=renderer, cdn_seconds=300, surrogate_keys=True) as site:
        await site.person("owner")
        editor = await factories.person(site.database, "editor")
        post = await factories.published(site.database, editor, title="Low tide")
        answer = await site.browser().get("/low-tide")
        assert answer.headers["Cache-Control"] == "public, max-age=0, s-maxage=300, stale-while-revalidate=60, stale-if-error=86400"
        keys = answer.headers["Surrogate-Key"].split()
        assert {f"post/{post.post_id}/page", f"author/{editor.user_id}", "site/name", "at/low-tide"} <= set(keys)
        assert "list/home" in (await site.browser().get("/")).headers["Surrogate-Key"].split()


async def test_what_is_no_page_is_kept_by_no_cdn(database_url: str, tmp_path: Path, renderer: Renderer) -> None:
    """It does not say what it shows, and so nobody could tell later that it is over."""
    async with running_site(database_url, tmp_path / "data", renderer=renderer, cdn_seconds=300, surrogate_keys=True) as site:
        await site.person("owner")
        for path in ("/.well-known/security.txt", "/static/css/newer.css", "/tag/%00", "/unlock"):
            assert "s-maxage" not in (await site.browser().get(path)).headers["Cache-Control"], path
        async with site.database.transaction() as work:
            await sites.configure(work, security_contact="mailto:safe@tides.example")
        answer = await site.browser().get("/.well-known/security.txt")
        assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-cache")


async def test_numbers_of_the_cache_are_in_the_metrics(site: Site) -> None:
    for _ in range(3):
        await site.browser().get("/archive")
    said = (await site.browser().get("/metrics")).text
    assert 'squall_page_cache_total{what="hits"} 2.0' in said
    assert 'squall_page_cache_total{what="misses"} 1.0' in said
    assert "squall_page_cache_pages 1.0" in said


async def test_a_search_is_kept_until_a_text_changes_and_what_it_misses_is_counted_each_time(site: Site) -> None:
    editor = await factories.person(site.database, "editor")
    await factories.published(site.database, editor, title="Low tide", text="Mud.")
    browser = site.browser()
    for _ in range(3):
        assert "Low tide" not in (await browser.get("/search?q=mussels&utm_source=x")).text
    assert list(site.application.parts.pages._by_tag["words"]) == ["/search?q=mussels"]
    assert site.application.parts.misses.take() == {"mussels": 3}
    await factories.published(site.database, editor, title="High tide", text="Mussels.")
    assert "High tide" in (await browser.get("/search?q=mussels")).text
