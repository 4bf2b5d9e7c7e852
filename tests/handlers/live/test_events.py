"""What a signed-in person hears of the desk while it is open: of what he may know of, and of nothing else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from cms.errors import Unavailable
from cms.events import NotificationsChanged, WorkChanged
from cms.handlers import news as hub
from cms.handlers.live import base, events
from cms.models import Post, User
from cms.models.desk import TransferKind
from cms.models.post import Visibility
from cms.policy import SYSTEM, Actor, Role
from cms.rendering import Renderer
from cms.schemas.desk import ReviewInput
from cms.schemas.library import FolderInput, LibraryBulk
from cms.schemas.threads import ThreadInput
from cms.services import (
    accounts,
    folders,
    jobs,
    library_acts,
    news,
    notifications,
    page_tree,
    posts,
    publishing,
    reviews,
    threads,
    transfer_runs,
    visibility,
)
from cms.services.news import NOTHING
from cms.services.page_tree import Place
from tests import factories, streams, watching
from tests.streams import Stream
from tests.web import Browser, Site, running_site

AT_ONCE = 1.0  # seconds in which a stream has to be over


def listening(site: Site, browser: Browser) -> AbstractAsyncContextManager[Stream]:
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    return streams.following(site.url, "/live/events", Cookie=cookies)


@asynccontextmanager
async def desk_of(site: Site, role: str) -> AsyncIterator[Stream]:
    """Open, with what is told at the beginning behind."""
    async with listening(site, await site.signed_in(role)) as stream:
        assert await stream.event() == ("notifications", 0)
        yield stream


async def person(site: Site, role: str) -> Actor:
    await site.person(role)
    return await factories.person(site.database, role)


async def told_of(stream: Stream) -> dict[int, tuple[str, str]]:
    """What the next event says of posts: what was done, and by whom."""
    name, said = await stream.event()
    assert name == "posts"
    return {each["id"]: (each["act"], each.get("by", "")) for each in said}


async def is_over(stream: Stream) -> bool:
    async with asyncio.timeout(AT_ONCE):
        return await stream.line("event:") == ""


# --- of what ---------------------------------------------------------------------------------------------------------------


async def test_editor_hears_what_becomes_of_a_post_and_who_did_it(site: Site) -> None:
    ana, edna = await person(site, "author"), await person(site, "editor")
    async with desk_of(site, "editor") as stream:
        post_id = (await factories.draft(site.database, ana, title="Low tide")).id
        assert await told_of(stream) == {post_id: ("create", "Author Person")}
        await factories.publish(site.database, edna, post_id)
        name, (said,) = await stream.event()
        assert (name, said) == (
            "posts",
            {
                "id": post_id, "kind": "post", "act": "publish", "by": "Editor Person", "by_id": edna.user_id,
                "status": "published", "work": "draft",
            },
        )  # fmt: skip
        async with site.database.transaction() as work:
            await threads.begin(work, edna, post_id, ThreadInput(text="Which mud?"))
        assert (await told_of(stream))[post_id][0] not in ("publish", "create"), "what was told is not told again"
        await factories.trash(site.database, ana, post_id)
        assert await told_of(stream) == {post_id: ("trash", "Author Person")}
        await factories.restore(site.database, ana, post_id)
        assert await told_of(stream) == {post_id: ("restore", "Author Person")}


@pytest.mark.parametrize("role", ["author", "contributor"])
async def test_nobody_hears_of_drafts_of_others(site: Site, role: str) -> None:
    other, edna = await factories.person(site.database, "author", "Otto Other"), await person(site, "editor")
    me = await person(site, role)
    async with desk_of(site, role) as stream:
        secret = (await factories.draft(site.database, other, title="Secret")).id
        async with site.database.transaction() as work:
            await reviews.submit(work, other, secret, ReviewInput())
        await factories.trash(site.database, edna, secret)
        await factories.restore(site.database, edna, secret)
        hidden = (await factories.draft(site.database, other, title="Listed nowhere")).id
        async with site.database.transaction() as work:
            await visibility.choose(work, edna, hidden, Visibility.UNLISTED, None)
        await factories.publish(site.database, edna, hidden)
        await factories.withdraw(site.database, edna, hidden)
        mine = (await factories.draft(site.database, me, title="Mine")).id
        assert await told_of(stream) == {mine: ("create", me.name)}, "the first that is heard"

        await factories.publish(site.database, edna, secret)
        assert await stream.event() == ("posts", [{"id": secret, "kind": "post", "act": "publish"}]), "readers see it, too"
        await factories.edited(site.database, other, secret, text="Not yet for readers.")
        await factories.trash(site.database, other, secret)
        assert await stream.event() == ("posts", [{"id": secret, "kind": "post", "act": "withdraw"}]), "and not whether it is in the trash"
        await factories.restore(site.database, other, secret)
        await factories.edited(site.database, me, mine, title="Mine, again")
        assert set(await told_of(stream)) == {mine}


async def test_who_is_told_of_a_post_is_who_may_see_it(site: Site) -> None:
    """By Python as by the condition of every query."""
    roles = [role.value for role in Role if role not in (Role.OWNER, Role.READER)] * 2
    people = [await factories.person(site.database, role, f"{role} {number}") for number, role in enumerate(roles)]
    for each in people:
        await factories.draft(site.database, each)
        await factories.publish(site.database, SYSTEM, (await factories.draft(site.database, each)).id)
    async with site.database.read() as session:
        found = await news.find(session, list(await session.scalars(select(Post.id))))
        for each in people:
            seen = set(await session.scalars(select(Post.id).where(posts.sees_work(each))))
            assert {post.id for post in found if news.told(each, post, NOTHING, "")} == seen
            shown = set(await session.scalars(select(Post.id).where(posts.visible_to(each))))
            public = [(post, "publish" if post.is_published else "") for post in found]
            assert {post.id for post, became in public if news.told(each, post, NOTHING, became)} == shown


async def test_neighbours_of_what_was_published_are_no_news(site: Site) -> None:
    edna = await person(site, "editor")
    first = await factories.published(site.database, edna, title="First")
    async with desk_of(site, "editor") as stream:
        second = await factories.draft(site.database, edna, title="Second")
        await factories.publish(site.database, edna, second.id)
        heard = await told_of(stream)
        if heard[second.id][0] == "create":
            heard |= await told_of(stream)
        assert first.post_id not in heard
        assert heard[second.id][0] == "publish"


async def test_many_posts_at_once_are_not_named(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "MOST_NAMED", 2)
    edna = await person(site, "editor")
    made = [(await factories.draft(site.database, edna, title=f"No. {number}")).id for number in range(3)]
    async with desk_of(site, "editor") as stream:
        async with site.database.transaction() as work:
            for post_id in made:
                await publishing.trash(work, edna, post_id)
        assert await stream.event() == ("posts", None)


def test_what_a_slow_reader_has_yet_to_take_does_not_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = hub.Reader(1, SYSTEM)
    for number in range(hub.MOST_NAMED):
        reader.tell([{"id": number}, {"id": 1}, None])
    ((name, said),) = reader.take()
    assert (name, len(said)) == ("posts", hub.MOST_NAMED)
    assert reader.take() == []
    for number in range(hub.MOST_NAMED + 5):
        reader.tell([{"id": number}])
    assert reader.take() == [("posts", None)]


async def test_another_order_of_pages_is_news_of_the_page_that_was_moved(site: Site) -> None:
    edna = await person(site, "editor")
    _, second = [(await factories.page(site.database, edna, title=title)).id for title in ("First", "Second")]
    async with desk_of(site, "editor") as stream:
        async with site.database.transaction() as work:
            await page_tree.move(work, edna, Place(second, None, 0))
        assert await told_of(stream) == {second: ("place", "Editor Person")}


@pytest.mark.parametrize("role", ["owner", "author"])
async def test_jobs_that_come_and_go_are_told_to_those_who_see_them(site: Site, role: str) -> None:
    me = await person(site, role)
    async with desk_of(site, role) as stream:
        async with site.database.transaction() as work:
            await jobs.enqueue(work, "keep_idle", key="once")
        if role == "owner":
            assert await stream.event() == ("jobs", None)
        async with site.database.transaction() as work:
            await jobs.enqueue(work, "keep_idle", key="once")  # which is nothing new
        async with site.database.transaction() as work:
            assert await jobs.claim(work)
        if role == "owner":
            assert await stream.event() == ("jobs", None)
        site.application.parts.news.missed()
        assert await stream.event() == ("posts", None)
        if role == "owner":
            assert await stream.event() == ("jobs", None)
        mine = (await factories.draft(site.database, me)).id
        assert set(await told_of(stream)) == {mine}, "and nothing besides"


@pytest.mark.parametrize("role", ["author", "contributor"])
async def test_what_becomes_of_the_library_is_told_to_those_who_see_it(site: Site, role: str) -> None:
    edna, me = await person(site, "editor"), await person(site, role)
    async with desk_of(site, role) as stream:
        async with site.database.transaction() as work:
            folder = await folders.create(work, edna, FolderInput(name="Maps"))
            asset = factories.asset_row(name="a.png", created_at=work.now)
            work.session.add(asset)
        if role == "author":
            assert await stream.event() == ("media", None)
        for act, to in (("move", folder.id), ("move", folder.id), ("trash", 0)):  # the second is nothing new
            wanted = LibraryBulk.model_validate({"act": act, "id": [asset.id], "to_folder": to})
            assert (await library_acts.apply(site.database.run, edna, wanted)).done
            if role == "author" and act == "trash":
                assert await stream.event() == ("media", None)
        mine = (await factories.draft(site.database, me)).id
        assert mine in await told_of(stream), "and nothing besides"


async def test_what_becomes_of_an_import_is_told_while_it_goes_on(site: Site) -> None:
    olga = await person(site, "owner")
    async with desk_of(site, "owner") as stream:
        async with site.database.transaction() as work:
            row = await transfer_runs.ask(work, olga, TransferKind.EXPORT)
        assert await stream.event() == ("jobs", None)
        for act in (
            lambda work: transfer_runs.begin(work, row.id),
            lambda work: transfer_runs.note_progress(work, row.id, {"done": 1, "of": 2, "words": "texts"}),
            lambda work: transfer_runs.end(work, row.id),
            lambda work: transfer_runs.forget(work, olga, row.id, [TransferKind.EXPORT]),
        ):
            async with site.database.transaction() as work:
                await act(work)
            assert await stream.event() == ("jobs", None)


# --- notifications ---------------------------------------------------------------------------------------------------------


async def test_number_of_notifications_is_told_when_it_changes(site: Site) -> None:
    edna, browser = await person(site, "editor"), await site.signed_in("editor")
    ana = await person(site, "author")
    async with listening(site, browser) as stream, desk_of(site, "contributor") as elsewhere:
        assert await stream.event() == ("notifications", 0)
        post_id = (await factories.draft(site.database, ana, title="Low tide", text="Mud.")).id
        async with site.database.transaction() as work:
            await reviews.submit(work, ana, post_id, ReviewInput(words="Please."))
        while (said := await stream.event())[0] == "posts":
            pass
        assert said == ("notifications", 1)
        async with site.database.read() as session:
            (told,) = await notifications.list_of(session, edna)
        assert (await browser.post("/admin/notifications", {"up_to": str(told.id)})).status == 303
        while (said := await stream.event())[0] == "posts":
            pass
        assert said == ("notifications", 0)
        cora = await person(site, "contributor")
        await factories.draft(site.database, cora)
        assert (await elsewhere.event())[0] == "posts", "who was told nothing is told no number"


# --- the end ---------------------------------------------------------------------------------------------------------------


async def _sign_out(site: Site, browser: Browser) -> None:
    await browser.post("/logout")


async def _end_session(site: Site, browser: Browser) -> None:
    async with site.database.transaction() as work:
        user = await accounts.get_by_email(work.session, "editor@example.org")
        await accounts.sign_out(work, SYSTEM, user)


async def _disable(site: Site, browser: Browser) -> None:
    async with site.database.transaction() as work:
        await accounts.disable(work, SYSTEM, await accounts.get_by_email(work.session, "editor@example.org"))


async def _demote(site: Site, browser: Browser) -> None:
    async with site.database.transaction() as work:
        await accounts.change_role(work, SYSTEM, await accounts.get_by_email(work.session, "editor@example.org"), Role.CONTRIBUTOR)


@pytest.mark.parametrize("end", [_sign_out, _end_session, _disable, _demote])
async def test_stream_ends_with_the_session_or_the_standing_at_once(site: Site, end: Any) -> None:
    browser = await site.signed_in("editor")
    async with listening(site, browser) as stream, desk_of(site, "author") as other:
        await stream.event()
        await end(site, browser)
        assert await is_over(stream)
        ana = await person(site, "author")
        await factories.draft(site.database, ana)
        assert await told_of(other), "others go on hearing"


async def test_session_that_ends_by_itself_ends_the_stream(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "HEARTBEAT", 0.05)
    monkeypatch.setattr(events, "ASK_EVERY", 0.1)
    async with desk_of(site, "editor") as stream:
        assert await stream.line(":") == ":"
        async with site.database.transaction() as work:
            await work.session.execute(update(User).values(disabled_at=work.now))  # and nobody tells
        assert await is_over(stream)


async def test_who_is_not_signed_in_hears_nothing_and_who_comes_too_often_is_told(site: Site) -> None:
    assert (await site.browser().get("/live/events")).status == 401
    site.application.parts.news.per_person = 1
    async with desk_of(site, "editor"):
        answer = await (await site.signed_in("editor")).get("/live/events")
        assert (answer.status, answer.headers["Retry-After"]) == (429, "60")
        assert hub.TOO_MANY in answer.text
        async with desk_of(site, "author"):
            pass
    async with asyncio.timeout(streams.PATIENCE):  # there is room again
        while site.application.parts.news._readers:
            await asyncio.sleep(0.01)


async def test_who_does_not_read_is_dropped(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "SLOW", 0.05)
    async with desk_of(site, "editor") as stream:
        monkeypatch.setattr(events.EventsHandler, "flush", lambda *_, **__: asyncio.Future())
        edna = await person(site, "editor")
        await factories.draft(site.database, edna)
        async with asyncio.timeout(streams.PATIENCE):
            while site.application.parts.news._readers:
                await asyncio.sleep(0.01)
        assert await stream.line("nothing more") == "", "the connection is closed"


async def test_end_of_the_program_ends_the_streams_and_they_are_to_come_again(site: Site) -> None:
    async with listening(site, await site.signed_in("editor")) as stream:
        assert await stream.line("Content-Type") == "Content-Type: text/event-stream"
        assert await stream.line("retry") == "retry: 2000"
        await stream.event()
        await site.application.hang_up()
        assert await is_over(stream)


async def test_database_that_is_away_ends_the_streams(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: Any) -> None:
        raise Unavailable

    async with desk_of(site, "editor") as stream:
        monkeypatch.setattr(news, "acts", fail)
        await factories.draft(site.database, await person(site, "editor"))
        assert await is_over(stream)


# --- several ---------------------------------------------------------------------------------------------------------------


async def test_other_processes_hear_of_it(site: Site, database_url: str, tmp_path: Path, renderer: Renderer) -> None:
    """Two applications on one database, as two processes are."""
    edna, browser = await person(site, "editor"), await site.signed_in("editor")
    async with running_site(database_url, tmp_path / "data", renderer=renderer) as other, listening(other, browser) as stream:
        assert await stream.event() == ("notifications", 0)
        await asyncio.sleep(0.2)  # for it to listen
        post_id = (await factories.draft(site.database, edna)).id
        while post_id not in await told_of(stream):
            pass
        await factories.publish(site.database, edna, post_id)
        assert await told_of(stream) == {post_id: ("publish", "Editor Person")}
        other.application.parts.news.missed()
        assert await stream.event() == ("posts", None)
        await browser.post("/logout")
        assert await is_over(stream)


async def test_many_who_listen_cost_no_more_than_one(site: Site) -> None:
    edna, browsers = await person(site, "editor"), [await site.signed_in("editor"), await site.signed_in("author")]
    post_id = (await factories.published(site.database, edna)).post_id
    async with AsyncExitStack() as stack:
        listeners = [await stack.enter_async_context(listening(site, browsers[number % 2])) for number in range(10)]
        for each in listeners:
            await each.event()
        await asyncio.sleep(3 * hub.PACE)
        with watching.questions(site.database) as asked:
            site.application.parts.news.hear(WorkChanged(post_id))
            for each in listeners[::2]:
                await told_of(each)
        assert len(asked) == 3
        with watching.questions(site.database) as asked:
            site.application.parts.news.hear(NotificationsChanged((edna.user_id or 0,)))
            await asyncio.sleep(2 * hub.PACE)
        assert len(asked) == 1
