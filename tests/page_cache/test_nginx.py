"""Pages from the folder, answered by the real nginx with what ``squall nginx`` prints: as the program would, and never what is over."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cms.cli.nginx import configuration
from cms.models.post import Visibility
from cms.policy import SYSTEM, Actor
from cms.rendering import Renderer
from cms.services import visibility
from tests import factories, nginx
from tests.web import Answer, Browser, Site, running_site

pytestmark = nginx.needed

PROXY = """
location @squall {{
    proxy_pass {url};
    proxy_set_header Host $host;
}}
"""
OF_EACH = {"Date", "Server", "Connection", "X-Request-Id", "Etag", "Keep-Alive"}  # answers have their own


@dataclass
class Front:
    """``front``: nginx; ``site``: the program behind it."""

    site: Site
    url: str
    editor: Actor

    async def get(self, path: str, **headers: str) -> Answer:
        return await Browser(self.url).get(path, **headers)

    @property
    def asked(self) -> int:
        """How often readers came through to the cache of the program."""
        counts = self.site.application.parts.pages.counts
        return counts["hits"] + counts["misses"]

    async def from_file(self, path: str, **headers: str) -> Answer:
        """What nginx answers by itself."""
        await self.get(path)
        before = self.asked
        answer = await self.get(path, **{"Accept-Encoding": "identity", **headers})
        assert self.asked == before, f"nginx had no file for {path}"
        return answer


@pytest.fixture
async def front(database_url: str, tmp_path: Path, renderer: Renderer) -> AsyncIterator[Front]:
    async with running_site(database_url, tmp_path / "data", renderer=renderer, pages_folder=tmp_path / "to nginx") as site:
        await site.person("owner")
        editor = await factories.person(site.database, "editor")
        await factories.published(site.database, editor, title="Low tide", text="Mud. " * 100, slug="low-tide", tags=("Sea",))
        server = configuration(site.application.parts.settings) + PROXY.format(url=site.url)
        with nginx.running(tmp_path / "nginx", server) as url:
            yield Front(site, url, editor)


async def test_a_file_is_the_answer_that_the_program_gives(front: Front) -> None:
    program = front.site.browser()
    await factories.published(front.site.database, front.editor, title="潮の満ち引き", slug="潮")
    for path in ("/", "/low-tide", "/tag/sea", "/archive", "/author/edna-reed", "/%E6%BD%AE"):
        for coding in ("identity", "gzip"):
            for method in ("GET", "HEAD"):
                asked = {"Accept-Encoding": coding}
                wanted = await program.send(method, path, headers=asked)
                await front.get(path)
                before = front.asked
                answer = await Browser(front.url).send(method, path, headers=asked)
                assert front.asked == before, path
                assert (answer.status, answer.body) == (wanted.status, wanted.body) == (200, wanted.body)
                assert _common(answer) == _common(wanted), path
                tag = answer.headers["Etag"]
                again = await front.get(path, **asked, **{"If-None-Match": tag})
                known = await program.get(path, **asked, **{"If-None-Match": wanted.headers["Etag"]})
                assert (again.status, again.body, again.headers["Etag"]) == (304, b"", tag)
                assert _of_no_body(again) == _of_no_body(known), path
    assert (await front.from_file("/low-tide", Range="bytes=0-9")).status == 200, "as the program: all of it"
    assert (await front.from_file("/low-tide", **{"If-Modified-Since": "Tue, 19 Jan 2038 03:14:07 GMT"})).status == 200


def _common(answer: Answer) -> dict[str, str]:
    return {name: value for name, value in answer.headers.get_all() if name not in OF_EACH}


def _of_no_body(answer: Answer) -> dict[str, str]:
    of_a_body = ("Vary", "Content-Type", "Content-Encoding", "Content-Length")
    return {name: value for name, value in _common(answer).items() if name not in of_a_body}


async def test_everything_else_is_asked_of_the_program(front: Front) -> None:
    """Whatever somebody thinks of: no file is found by another address than its own."""
    await front.from_file("/low-tide")
    await front.from_file("/")
    program = front.site.browser()
    for target in (
        "/low-tide?a=b", "/low-tide/", "//low-tide", "/./low-tide", "/x/../low-tide", "/%6cow-tide", "/low%2Dtide", "/Low-Tide",
        "/low-tide=.html", "/=.html", "/low-tide=.html.gz", "/low-tide%00", "/low-tide.md", "/nothing-here", "/feed.xml", "/login",
        "/static/css/site.css", "/owners", "/search", "/search?q=mud", "/..%2f..%2fdata/squall.db", "/%2e%2e/data/squall.db", "/?page=2",
    ):  # fmt: skip
        answer, wanted = await front.get(target), await program.get(target)
        if answer.status == 400:  # nginx refuses what it cannot read
            assert wanted.status in (400, 404), target
            continue
        assert (answer.status, answer.location) == (wanted.status, wanted.location.replace(front.site.url, front.url)), target
        assert target == "/login" or answer.status == 404 or answer.body == wanted.body, target
    assert (await Browser(front.url).send("POST", "/low-tide", {})).status == (await program.send("POST", "/low-tide", {})).status
    assert (await program.send("DELETE", "/")).status == (await Browser(front.url).send("DELETE", "/")).status


async def test_whoever_is_somebody_is_asked_for_by_the_program(front: Front) -> None:
    await front.from_file("/low-tide")
    for name in ("session", "opened"):
        for cookie in (f"{name}=x", f"a=b; {name}=x", f"a=b;{name}=x"):
            answer = await front.get("/low-tide", Cookie=cookie)
            assert (answer.status, "X-Request-Id" in answer.headers) == (200, True), cookie
    for cookie in ("theme=dark", "xsession=1", "a=session"):
        assert "X-Request-Id" not in (await front.from_file("/low-tide", Cookie=cookie)).headers


async def test_a_change_is_seen_at_once(front: Front) -> None:
    database, editor = front.site.database, front.editor
    first = await factories.published(database, editor, title="Neap tide", text="At 11.", slug="neap-tide")
    assert "Neap tide" in (await front.from_file("/")).text
    tags = {(await front.from_file("/neap-tide")).headers["Etag"]}
    for text in ("At 12.", "At 13."):  # as long as before, and within the same second
        await factories.edited(database, editor, first.post_id, text=text)
        await factories.publish(database, editor, first.post_id)
        assert text in (await front.get("/neap-tide")).text
        answer = await front.from_file("/neap-tide")
        assert text in answer.text
        tags.add(answer.headers["Etag"])
    assert len(tags) == 3
    await factories.withdraw(database, editor, first.post_id)
    assert (await front.get("/neap-tide")).status == 410
    assert "Neap tide" not in (await front.get("/")).text
    assert "Neap tide" not in (await front.from_file("/")).text


async def test_what_is_not_for_everybody_is_no_file(front: Front, tmp_path: Path) -> None:
    database, editor = front.site.database, front.editor
    for chosen in (Visibility.UNLISTED, Visibility.PASSWORD):
        post = await factories.published(database, editor, title=f"Tide {chosen}", slug=f"{chosen}-tide")
        async with database.transaction() as work:
            await visibility.choose(work, SYSTEM, post.post_id, chosen, "hash" if chosen is Visibility.PASSWORD else None)
        for _ in range(2):
            assert "X-Request-Id" in (await front.get(f"/{chosen}-tide")).headers
    await front.from_file("/low-tide")
    owner = await front.site.signed_in("administrator")
    assert (await owner.post("/admin/site/access", {"access": "private", "password": "spring tide"})).status == 303
    for _ in range(2):
        assert (await front.get("/low-tide")).status == 403
    assert list((tmp_path / "to nginx").rglob("*.html*")) == []
