"""Somebody without an account looks at a text that is not public, and follows it while it is written."""

import asyncio
from contextlib import AbstractAsyncContextManager
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from cms.handlers import previews
from cms.handlers.live import previews as live
from cms.models import PreviewLink
from tests import streams
from tests.handlers.admin.pages import by_class, by_id, fields, form_of, saved, words, written
from tests.streams import Stream
from tests.web import Browser, Site, path_of


async def link(browser: Browser, post_id: int, kind: str = "post", **form: str) -> str:
    """The path of a new one, as the page shows it."""
    at = f"/admin/{kind}s/{post_id}/links"
    answer = await browser.post(at, {"lifetime": "24h", **form})
    assert answer.status == 303, answer.text
    where, _, anchor = answer.location.partition("#")
    page = (await browser.get(where)).page
    return path_of(by_id(page, f"link{anchor.removeprefix('link-')}").get("value") or "")


def following(site: Site, path: str, **headers: str) -> AbstractAsyncContextManager[Stream]:
    return streams.following(site.url, "/live" + path.replace("/preview/", "/previews/"), **headers)


async def version_at(guest: Browser, path: str) -> str:
    return by_class((await guest.get(path)).page, "guest")[0].get("data-version") or ""


async def counted(site: Site) -> int:
    """How often the one link was seen, when all that was under way is written down."""
    while site.application.parts.guests._tasks:
        await asyncio.wait(site.application.parts.guests._tasks)
    async with site.database.read() as session:
        return (await session.scalars(select(PreviewLink.seen))).one()


async def test_outsider_sees_the_sites_own_page_with_a_bar(site: Site) -> None:
    owner, guest = await site.signed_in("owner"), site.browser()
    post_id = await written(owner, title="Low tide", text="Mud, *mostly*.")
    page_id = await written(owner, "page", title="About", text="Us.")
    at, of_page = await link(owner, post_id), await link(owner, page_id, "page")
    answer = await guest.get(at)
    assert answer.status == 200
    assert "<em>mostly</em>" in answer.text
    assert words(by_class(answer.page, "guest")[0]).startswith("Preview as it is being written open until")
    for name, value in (
        ("Cache-Control", "no-store, private"), ("X-Robots-Tag", "noindex, nofollow"), ("Referrer-Policy", "no-referrer"),
    ):  # fmt: skip
        assert answer.headers[name] == value
    assert "Set-Cookie" not in answer.headers
    assert "Us." in (await guest.get(of_page)).words
    assert (await guest.get("/low-tide")).status == 404
    await saved(owner, post_id, text="Sand, *partly*.")
    assert "Sand" in (await guest.get(at)).text


async def test_link_that_has_ended_says_so(site: Site) -> None:
    owner, guest = await site.signed_in("owner"), site.browser()
    post_id = await written(owner)
    at = await link(owner, post_id)
    page = (await owner.get(f"/admin/posts/{post_id}/links")).page
    form = next(each for each in page.iter("form") if "/links/" in (each.get("action") or ""))
    assert (await owner.post(form.get("action") or "", {"_method": "delete"})).status == 303
    answer = await guest.get(at)
    assert answer.status == 410
    assert "This preview has ended" in answer.words
    assert "dark and stormy" not in answer.text
    assert answer.headers["Cache-Control"] == "no-store, private"
    assert (await guest.get("/live" + at.replace("/preview/", "/previews/"))).status == 410
    assert (await guest.get("/preview/" + "x" * 43)).status == 404


async def test_people_who_open_it_are_counted_and_nobody_else(site: Site) -> None:
    owner, guest = await site.signed_in("owner"), site.browser()
    at = await link(owner, await written(owner))
    await guest.get(at)
    await guest.get(at, **{"Sec-Fetch-Mode": "navigate"})
    assert await counted(site) == 2
    await owner.get(at)  # its maker
    await guest.get(at, **{"User-Agent": "Slackbot-LinkExpanding 1.0"})
    await guest.get(at, **{"Sec-Fetch-Mode": "cors"})  # the page itself, for what is newer
    await guest.send("HEAD", at)
    assert await counted(site) == 2
    assert "1 link is open, seen 2 times" in (await owner.get("/admin/posts/1")).words


async def test_revision_is_shown_as_it_was(site: Site) -> None:
    owner, guest = await site.signed_in("owner"), site.browser()
    post_id = await written(owner, text="At first.")
    page = (await owner.get(f"/admin/posts/{post_id}/links")).page
    revision = next(each.get("value") or "" for each in by_id(page, "revision").iter("option") if each.get("value"))
    at = await link(owner, post_id, revision=revision)
    await saved(owner, post_id, text="Then.")
    answer = await guest.get(at)
    assert "At first." in answer.words
    assert "Preview as it was on" in answer.words


async def test_wrong_form_is_shown_again(site: Site) -> None:
    owner = await site.signed_in("owner")
    post_id = await written(owner)
    answer = await owner.post(f"/admin/posts/{post_id}/links", {"lifetime": "31d", "name": "Jun"})
    assert answer.status == 422
    assert fields(answer.page, form_of(answer.page, f"/admin/posts/{post_id}/links"))["name"] == "Jun"
    assert (await owner.post(f"/admin/pages/{post_id}/links", {"lifetime": "24h"})).status == 404


async def test_open_page_is_told_of_what_is_newer_and_of_the_end(site: Site) -> None:
    owner, guest = await site.signed_in("owner"), site.browser()
    post_id = await written(owner)
    at = await link(owner, post_id)
    version = await version_at(guest, at)
    async with following(site, f"{at}?seen={version}") as stream, following(site, f"{at}?seen=1", Last_Event_ID="0") as late:
        assert await stream.line("Content-Type") == "Content-Type: text/event-stream"
        assert await late.line() == "event: changed"  # at once: it has an older one
        await saved(owner, post_id, text="Newer.")
        assert await stream.line() == "event: changed"
        assert await stream.line("data") != f"data: {version}"
        assert "Newer." in (await guest.get(at)).words
        await owner.post(f"/admin/posts/{post_id}", {"_method": "delete"})
        assert await stream.line() == "event: ended"
        assert await stream.line() == ""


async def test_stream_ends_with_the_links_time_and_with_the_program(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, guest = await site.signed_in("owner"), site.browser()
    at = await link(owner, await written(owner))
    monkeypatch.setattr(live, "HEARTBEAT", 0.1)
    seen = await version_at(guest, at)
    await expire(site, timedelta(seconds=1))
    async with following(site, f"{at}?seen={seen}") as stream:
        assert await stream.line("event") == "event: ended"
    await expire(site, timedelta(days=1))
    async with following(site, f"{at}?seen={seen}") as stream:
        assert await stream.line(":") == ":"
        await site.application.hang_up()
        assert await stream.line() == ""  # no end of the link: the browser comes again


async def expire(site: Site, after: timedelta) -> None:
    async with site.database.transaction() as work:
        await work.session.execute(update(PreviewLink).values(expires_at=work.now + after))


async def test_too_many_followers_are_turned_away_and_those_who_left_make_room(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, guest = await site.signed_in("owner"), site.browser()
    at = await link(owner, await written(owner))
    monkeypatch.setattr(previews, "PER_LINK", 1)
    async with following(site, at) as stream:
        await stream.line("retry")
        refused = await guest.get("/live" + at.replace("/preview/", "/previews/"))
        assert refused.status == 429
        assert (await guest.get(at)).status == 200
    while site.application.parts.guests._lookers:
        await asyncio.sleep(0.01)


async def test_those_who_look_at_once_share_one_rendering(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, guest = await site.signed_in("owner"), site.browser()
    at = await link(owner, await written(owner, text="Many."))
    renderer, made = site.application.parts.renderer, []
    real = renderer.render

    async def render(source: str, *rest: object) -> object:
        made.append(source)
        return await real(source, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(renderer, "render", render)
    answers = await asyncio.gather(*(guest.get(at) for _ in range(8)))
    assert {answer.status for answer in answers} == {200}
    assert made == ["Many."]
