"""What people did who wanted to break in, stop the site, or read what is not theirs."""

import asyncio
import threading

import pytest
from structlog.testing import capture_logs

from cms.app import log_request
from cms.handlers.base import BaseHandler
from cms.server.http import Server
from cms.services.passwords import MOST_WAITING
from tests.web import PASSWORD, Site

HOSTILE = "[a" * 60_000
SHUFFLED = ("\n".join("a b c d " * 28 for _ in range(40)), "\n".join("d c b a " * 28 for _ in range(40)))


async def new_post(browser: object, text: str = "Text.", name: str = "A post") -> str:
    answer = await browser.post("/admin/posts", {"title": name, "text": text})  # type: ignore[attr-defined]
    assert answer.status == 303
    return str(answer.location)


async def test_a_comparison_that_costs_hours_holds_up_nobody(site: Site) -> None:
    browser = await site.signed_in("contributor")
    address = await new_post(browser, SHUFFLED[0] * 3)
    task = asyncio.create_task(browser.post(address, {"title": "A post", "text": SHUFFLED[1] * 3, "version": "0"}))
    turns = 0
    while not task.done():
        await asyncio.sleep(0.01)
        turns += 1
    answer = task.result()
    assert answer.status == 409
    assert SHUFFLED[1][:50] in answer.text
    assert SHUFFLED[0][:20] in answer.words
    assert turns > 10


@pytest.mark.parametrize("value", ["x", "eyJhIjoxfQ.Z1.abc", "2|1:0|10:1|7:session|4:eA==|0"])
async def test_cookies_of_others_are_not_read(site: Site, value: str) -> None:
    browser = site.browser()
    browser.cookies |= {"session": value, "flash": value}
    assert (await browser.get("/login")).status == 200
    assert (await browser.get("/admin/posts")).status == 303


@pytest.mark.parametrize("lists", ["people", "tags", "redirects", "snippets"])
async def test_of_a_long_search_the_beginning_is_looked_for(site: Site, lists: str) -> None:
    browser = await site.signed_in("owner")
    answer = await browser.get(f"/admin/{lists}?q={'x' * 5000}")
    assert answer.status == 200
    assert "x" * 201 not in answer.text


async def test_every_request_is_counted_in_and_out(site: Site) -> None:
    browser = await site.signed_in("owner")
    address = await new_post(browser)
    for path in (
        "/",
        "/static/css/site.css",
        "/admin/posts",
        "/admin/posts/new",
        address,
        f"{address}/publication",
        "/nothing",
        "/feed.xml",
    ):
        await browser.get(path)
    await browser.post("/admin/preview", {"text": "a"})
    await browser.send("BREW", "/")
    assert site.application.parts.under_way == 0


async def test_the_one_time_link_is_not_in_the_log(site: Site) -> None:
    token = site.application.parts.owner_token
    site.application.access_log.is_off = False
    with capture_logs() as lines:
        for path in (f"/setup/{token}", f"/setup/{token}/"):
            await site.browser().get(path)
    assert lines
    assert token not in str(lines)
    assert site.application.settings["log_function"] is log_request


async def test_paths_in_the_log_obey_no_terminal(site: Site) -> None:
    site.application.access_log.is_off = False
    with capture_logs() as lines:
        await site.browser().get("/a%C2%9B2Jb")
    assert lines
    assert "\x9b" not in str(lines)


async def test_invented_methods_do_not_fill_the_metrics(site: Site) -> None:
    for number in range(5):
        await site.browser().send(f"M{number}", "/")
    metrics = site.application.parts.metrics.exposition().decode()
    assert 'method="OTHER"' in metrics
    assert 'method="M1"' not in metrics


async def test_the_desk_shows_of_others_posts_what_readers_see(site: Site) -> None:
    author = await site.signed_in("author")
    address = await new_post(author, name="Known to all")
    await author.post(f"{address}/publication", {"version": "1"})
    await author.post(address, {"title": "Embargoed", "text": "Text.", "version": "1"})
    contributor = await site.signed_in("contributor")
    for query in ("", "?q=embargoed", "?status=changed"):
        assert "Embargoed" not in (await contributor.get(f"/admin/posts{query}")).text
    assert "Known to all" in (await contributor.get("/admin/posts?q=known")).words
    assert "Known to all" in (await contributor.get("/admin/posts?status=published")).words
    assert "Embargoed" in (await author.get("/admin/posts?q=embargoed&status=changed")).words
    assert "Embargoed" in (await (await site.signed_in("editor")).get("/admin/posts?q=embargoed")).words


async def test_of_one_persons_previews_the_newest_is_made(site: Site) -> None:
    browser = await site.signed_in("contributor")
    await browser.get("/admin/posts/new")
    first = asyncio.create_task(browser.post("/admin/preview", {"text": HOSTILE}))
    await asyncio.sleep(0.3)
    second = await browser.post("/admin/preview", {"text": "The newest."})
    assert "The newest." in second.words
    assert (await first).status == 409
    assert site.application.parts.previews == {}


async def test_a_preview_of_anothers_text_is_not_even_rendered(site: Site) -> None:
    editor = await site.signed_in("editor")
    number = (await new_post(editor)).rsplit("/", 1)[-1]
    answer = await (await site.signed_in("contributor")).post("/admin/preview", {"text": HOSTILE, "post": number})
    assert answer.status == 404


async def test_only_those_with_a_session_may_send_much(site: Site) -> None:
    server = Server(site.application)
    owner, stranger = await site.signed_in("owner"), site.browser()
    assert site.application.has_session({"Cookie": f"session={owner.cookies['session']}"})  # type: ignore[arg-type]
    assert not site.application.has_session({"Cookie": "session=x"})  # type: ignore[arg-type]
    server.listen(0, "127.0.0.1")
    port = next(iter(server.accepting)).getsockname()[1]
    owner.url = stranger.url = f"http://127.0.0.1:{port}"
    try:
        long = {"title": "Long", "text": "a" * (2 * BaseHandler.body_limit)}
        assert (await owner.post("/admin/posts", long)).status == 303
        await owner.post("/logout")
        assert "session" not in owner.cookies
        answer = await owner.post("/admin/posts", long)
        assert answer.status == 401  # signed out in another window: the text comes back
        assert long["text"] in answer.text
        assert (await stranger.post("/login", {"email": long["text"]})).status == 413
    finally:
        server.stop()
        await server.close_all_connections()


async def test_guessing_does_not_make_everybody_wait(site: Site) -> None:
    passwords, browser, end = site.application.parts.passwords, site.browser(), threading.Event()
    await browser.get("/login")
    waiting = [asyncio.ensure_future(passwords._in_turn(end.wait)) for _ in range(MOST_WAITING)]
    try:
        await asyncio.sleep(0)
        answer = await browser.post("/login", {"email": "owner@example.org", "password": PASSWORD})
    finally:
        end.set()
        await asyncio.gather(*waiting)
    assert answer.status == 429
    assert answer.headers["Retry-After"] == "5"
    assert "owner@example.org" in answer.text, "what was typed is still there"
    assert (await browser.post("/login", {"email": "owner@example.org", "password": PASSWORD})).status == 422
