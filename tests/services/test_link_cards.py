"""Cards of other sites' pages: fetched once by a job from a real server, kept, looked at again, forgotten; texts never wait for them."""

import io
import re
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import func, select
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler

from cms.content.pipeline import render
from cms.db.session import Database
from cms.events import PostPublished
from cms.imaging import Imaging
from cms.models import Asset, Job, LinkCard, PostCard, Published
from cms.models.post import Visibility
from cms.outgoing import Visitor
from cms.policy import Actor
from cms.rendering import Renderer
from cms.services import link_cards, media, posts, publishing, references, visibility
from cms.telemetry import Metrics
from cms.worker import loop
from cms.worker.tasks import TASKS, Means, PutOff
from tests import factories, watching
from tests.factories import draft, edited, person, publish, published, withdraw
from tests.watching import Clock

HERE = "https://tides.example"
PAGE = (
    '<html><head><title>B</title><meta property="og:title" content="Low &lt;b&gt; tide"><meta name="description" content="Mud.">'
    '<meta property="og:image" content="/p.png"><link rel="alternate" type="application/json+oembed" href="/oembed"></head></html>'
)
OEMBED = '{"type": "video", "provider_name": "Tides", "author_name": "Ana", "html": "<script>alert(1)</script>"}'


@pytest.fixture
def clock() -> Clock:
    return Clock()


def png(colour: str) -> bytes:
    kept = io.BytesIO()
    Image.new("RGB", (1280, 720), colour).save(kept, "PNG")
    return kept.getvalue()


class Other:
    """Another site: path → type and content. ``asked``: how often for what."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.asked: Counter[str] = Counter()
        self.has: dict[str, tuple[str, str | bytes]] = {
            "/a": ("text/html", PAGE), "/oembed": ("application/json", OEMBED), "/p.png": ("image/png", png("navy")),
        }  # fmt: skip


class Answer(RequestHandler):
    def get(self) -> None:
        other: Other = self.application.settings["other"]
        other.asked[self.request.path] += 1
        kind, content = other.has.get(self.request.path, ("", ""))
        self.set_status(200 if kind else 404)
        self.set_header("Content-Type", kind)
        self.finish(content)


@pytest.fixture
async def other() -> AsyncIterator[Other]:
    listening, port = bind_unused_port()
    other = Other(port)
    server = HTTPServer(Application([(".*", Answer)], other=other, log_function=lambda handler: None))
    server.add_socket(listening)
    yield other
    server.stop()
    await server.close_all_connections()


@pytest.fixture
def worker(database: Database, tmp_path: Path, renderer: Renderer, imaging: Imaging) -> Means:
    return replace(factories.means(database, tmp_path, renderer=renderer), imaging=imaging, visitor=Visitor({"127.0.0.1"}))


@pytest.fixture
async def ana(database: Database) -> Actor:
    return await person(database, "author")


async def work_off(means: Means) -> None:
    while await loop.run_next(means, Metrics()):
        pass


async def card(database: Database) -> LinkCard:
    async with database.read() as session:
        return (await session.scalars(select(LinkCard))).one()


async def number(database: Database, table: type[LinkCard | PostCard | Asset]) -> int:
    async with database.read() as session:
        return await session.scalar(select(func.count()).select_from(table)) or 0


async def waiting(database: Database) -> int:
    async with database.read() as session:
        jobs = select(func.count()).select_from(Job).where(Job.name == link_cards.JOB, Job.finished_at.is_(None))
        return await session.scalar(jobs) or 0


async def shown(database: Database, text: str) -> str:
    async with database.read() as session:
        return render(text, await references.context(session, 1, text, "en", HERE)).html


async def keep_house(means: Means) -> None:
    async with means.database.transaction() as work:
        await link_cards.renew(work)
    await work_off(means)


async def test_a_page_is_looked_at_once_for_all_texts(database: Database, worker: Means, other: Other, ana: Actor) -> None:
    text = f"One.\n\n{other.url}/a"
    assert "card-address" in await shown(database, text)
    for title in ("One", "Two"):
        await published(database, ana, title=title, text=text)
    await work_off(worker)
    assert other.asked == {"/a": 1, "/oembed": 1, "/p.png": 1}
    kept = await card(database)
    assert (kept.title, kept.description, kept.site_name, kept.author, kept.kind) == ("Low <b> tide", "Mud.", "Tides", "Ana", "video")
    html = await shown(database, text)
    assert '<p class="card card-video">' in html
    assert '<span class="card-title">Low &lt;b&gt; tide</span> <span class="card-provider">Tides · Ana</span>' in html
    assert f'<a href="{other.url}/a" rel="noopener"><picture class="card-picture"><source type="image/avif" srcset="/media/' in html
    assert ' width="480" height="270"' in html
    assert "<script" not in html
    async with database.read() as session:
        picture = (await session.scalars(select(Asset))).one()
    assert not picture.in_library
    stored = b"".join([piece async for piece in worker.storage.read(media.storage_name(picture.digest))])
    assert Image.open(io.BytesIO(stored)).format == "WEBP"


async def test_texts_that_readers_have_follow(database: Database, worker: Means, other: Other, ana: Actor, clock: Clock) -> None:
    post = await published(database, ana, text=f"Mud.\n\n{other.url}/a")
    clock.pass_(hours=1)
    with watching.events(database) as heard:
        await work_off(worker)
    async with database.read() as session:
        row = await session.get_one(Published, post.post_id)
    assert '<span class="card-title">Low &lt;b&gt; tide</span>' in row.html
    assert row.updated_at == post.updated_at
    assert [set(event.aspects) for event in heard if isinstance(event, PostPublished)] == [{"body", "length"}]
    clock.pass_(days=30)
    with watching.events(database) as heard:
        await keep_house(worker)
    assert not [event for event in heard if isinstance(event, PostPublished)]


async def test_a_text_that_was_rendered_before_its_page_was_known_follows(
    database: Database, worker: Means, other: Other, ana: Actor
) -> None:
    post = await draft(database, ana)
    await edited(database, ana, post.id, text=f"{other.url}/a")
    await work_off(worker)
    row = await publish(database, ana, post.id)  # its text is rendered without knowing anything
    assert "card-title" not in row.html
    await work_off(worker)
    async with database.read() as session:
        assert "card-title" in (await session.get_one(Published, post.id)).html


async def test_a_draft_that_is_saved_has_its_pages_looked_at_soon(database: Database, worker: Means, other: Other, ana: Actor) -> None:
    post = await draft(database, ana)
    text = f"> {other.url}/a\n\n- b\n\n- {other.url}/b\n\nNot {other.url}/c\n\n{other.url}/d nor\n\n<{other.url}/e>\r\n\n  {other.url}/f"
    await edited(database, ana, post.id, text=text)
    async with database.read() as session:
        assert set(await session.scalars(select(LinkCard.url))) == {f"{other.url}/{name}" for name in "abef"}
    assert await number(database, PostCard) == 0
    await work_off(worker)
    assert '<span class="card-title">' in await shown(database, text)
    assert set(render(text).cards) == {f"{other.url}/{name}" for name in "abef"}


async def test_pages_are_looked_at_again_after_a_month(database: Database, worker: Means, other: Other, ana: Actor, clock: Clock) -> None:
    await published(database, ana, text=f"{other.url}/a")
    await work_off(worker)
    before = await card(database)
    await keep_house(worker)
    assert other.asked["/a"] == 1
    clock.pass_(days=30)
    other.has["/a"] = ("text/html", PAGE.replace("Mud.", "Sand."))
    await keep_house(worker)
    after = await card(database)
    assert (other.asked["/a"], other.asked["/p.png"]) == (2, 1)
    assert (after.description, after.picture_id) == ("Sand.", before.picture_id)
    clock.pass_(days=30)
    other.has |= {"/a": ("text/html", PAGE.replace("/p.png", "/q.png")), "/q.png": ("image/png", png("teal"))}
    await keep_house(worker)
    assert (await card(database)).picture_id not in {before.picture_id, None}
    assert await number(database, Asset) == 1
    assert len([name async for name, _ in worker.storage.list()]) == 1


async def test_what_is_known_stays_while_a_site_is_away(database: Database, worker: Means, other: Other, ana: Actor, clock: Clock) -> None:
    await published(database, ana, text=f"{other.url}/a")
    await work_off(worker)
    clock.pass_(days=30)
    del other.has["/a"]
    for failures, days in enumerate((1, 2, 4, 8, 16, 30, 30), 1):
        await keep_house(worker)
        found = await card(database)
        assert (found.title, found.failures, found.due_at) == ("Low <b> tide", failures, clock() + timedelta(days=days))
        assert found.error == "The host 127.0.0.1 shows nothing there."
        clock.pass_(days=days)
    other.has["/a"] = ("text/html", PAGE)
    await keep_house(worker)
    assert ((await card(database)).failures, (await card(database)).error) == (0, None)


@pytest.mark.parametrize("picture", [("image/png", b"no picture"), ("text/html", "x"), ("image/svg+xml", "<svg/>"), ("", "")])
async def test_a_picture_that_is_none_leaves_the_words(
    database: Database, worker: Means, other: Other, ana: Actor, picture: tuple[str, str]
) -> None:
    other.has |= {"/p.png": picture, "/oembed": ("application/json", "[")}
    await published(database, ana, text=f"{other.url}/a")
    await work_off(worker)
    found = await card(database)
    assert (found.title, found.picture_id, found.failures) == ("Low <b> tide", None, 0)


async def test_nobody_makes_us_call_our_own_network(database: Database, worker: Means, other: Other, ana: Actor) -> None:
    other.has["/a"] = ("text/html", PAGE.replace("/p.png", "http://169.254.169.254/p.png").replace("/oembed", "http://[::1]/oembed"))
    await published(database, ana, text=f"{other.url}/a\n\nhttp://localhost/\n\nhttp://192.168.0.1/admin")
    await work_off(worker)
    async with database.read() as session:
        rows = (await session.scalars(select(LinkCard).order_by(LinkCard.id))).all()
    assert {row.url: row.error for row in rows} == {
        f"{other.url}/a": None,
        "http://localhost/": "The host localhost is in this network, where others may not send us.",
        "http://192.168.0.1/admin": "The host 192.168.0.1 is in this network, where others may not send us.",
    }
    assert {row.url: (row.kind, row.picture_id) for row in rows}[f"{other.url}/a"] == ("link", None)


async def test_a_text_has_so_many_fetched_and_a_site_so_many_in_an_hour(
    database: Database, worker: Means, other: Other, ana: Actor, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await published(database, ana, text="\n\n".join(f"{other.url}/{each}" for each in range(link_cards.MOST + 5)))
    assert await waiting(database) == link_cards.MOST
    monkeypatch.setattr(link_cards, "MOST_PER_HOUR", 3)
    await work_off(worker)
    assert other.asked.total() == 3
    async with database.read() as session:
        job = (await session.scalars(select(Job).where(Job.finished_at.is_(None)).limit(1))).one()
    with pytest.raises(PutOff) as later:
        await TASKS[link_cards.JOB](worker, job.payload)
    assert later.value.until == clock() + link_cards.HOUR


async def test_those_for_whom_too_many_wait_have_their_turn_another_day(
    database: Database, worker: Means, other: Other, ana: Actor, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link_cards, "MOST_WAITING", 3)
    await published(database, ana, text="\n\n".join(f"{other.url}/{each}" for each in range(5)))
    await edited(database, ana, (await draft(database, ana)).id, text=f"{other.url}/draft")
    assert await waiting(database) == 3
    await work_off(worker)
    clock.pass_(days=1)
    await keep_house(worker)
    assert other.asked == {f"/{each}": 1 if each > 2 else 2 for each in range(5)}  # those in vain are tried again, too
    assert await number(database, LinkCard) == 5


async def test_own_pages_are_known_and_not_fetched(database: Database, worker: Means, ana: Actor) -> None:
    await published(database, ana, title="Low tide", slug="low")
    await draft(database, ana, title="Hidden", slug="hidden")
    text = f"{HERE}/low\n\n{HERE}/hidden\n\n{HERE}/\n\nhttp://tides.example/low"
    html = await shown(database, text)
    assert html.count("card-title") == 1
    assert f'<a href="{HERE}/low"><span class="card-title">Low tide</span> <span class="card-provider">tides.example</span></a>' in html
    await edited(database, ana, (await draft(database, ana)).id, text=text)
    await work_off(worker)
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(LinkCard).where(LinkCard.fetched_at.is_not(None))) == 0
        assert set(await session.scalars(select(LinkCard.failures).where(LinkCard.url.startswith(HERE)))) == {0}


async def gone_out(means: Means, actor: Actor, post_id: int) -> None:
    """As the desk does it, knowing the site's own address."""
    async with means.database.read() as session:
        seen = await posts.get_draft(session, actor, post_id)
        context = await references.context(session, post_id, seen.content, "en", HERE)
    version = publishing.Version(seen.version, await means.renderer.render(seen.content, context))
    async with means.database.transaction() as work:
        await publishing.publish(work, actor, post_id, version)


async def test_a_card_of_an_own_text_follows_it(database: Database, worker: Means, ana: Actor, clock: Clock) -> None:
    low = await published(database, ana, title="Low tide", slug="low")
    text = "\n\n".join(f"{HERE}/{path}" for path in ("low", "low/?a=b#c", "ebb", ""))
    post = await draft(database, ana, text=text)

    async def titles() -> list[str]:
        await work_off(worker)
        async with database.read() as session:
            return re.findall('card-title">([^<]+)', (await session.get_one(Published, post.id)).html)

    await gone_out(worker, ana, post.id)
    assert await titles() == ["Low tide", "Low tide"]
    await edited(database, ana, low.post_id, title="High tide")
    await publish(database, ana, low.post_id)
    assert await titles() == ["High tide", "High tide"]
    ebb = await published(database, ana, title="Ebb", slug="ebb")
    assert await titles() == ["High tide", "High tide", "Ebb"]
    async with database.transaction() as work:
        await visibility.choose(work, ana, low.post_id, Visibility.PASSWORD, "hash")
    assert await titles() == ["Ebb"]
    await withdraw(database, ana, ebb.post_id)
    assert await titles() == []
    clock.pass_(days=2)
    await edited(database, ana, low.post_id, text="More mud.")
    await publish(database, ana, low.post_id)
    async with database.read() as session:
        jobs = select(func.count()).select_from(Job).where(Job.name == link_cards.SHOWING, Job.finished_at.is_(None))
        assert await session.scalar(jobs) == 0, "its title is the same"
    await keep_house(worker)
    assert await waiting(database) == 0, "nobody looks at it from outside"


async def test_what_no_text_shows_is_forgotten(database: Database, worker: Means, other: Other, ana: Actor, clock: Clock) -> None:
    post = await published(database, ana, text=f"{other.url}/a")
    await work_off(worker)
    await withdraw(database, ana, post.post_id)
    assert await number(database, PostCard) == 0
    await keep_house(worker)
    assert await number(database, LinkCard) == 1
    clock.pass_(days=30)
    await keep_house(worker)
    assert (await number(database, LinkCard), await number(database, Asset)) == (0, 0)
    assert [name async for name, _ in worker.storage.list()] == []
    await published(database, ana, text=f"{other.url}/a")
    await work_off(worker)
    assert other.asked["/a"] == 2
