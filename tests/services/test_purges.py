"""A CDN in front is told what is over: what it shows is what the program shows, whatever failed on the way."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from cms.db.session import Database
from cms.events import RedirectsChanged, SiteChanged, UserChanged
from cms.models import Job, Tag
from cms.models.address import TargetKind
from cms.models.site import Access
from cms.outgoing import OutgoingFailed
from cms.page_cache.marks import EVERYTHING
from cms.policy import SYSTEM, Actor
from cms.purging import MOST_NAMES, Front, front_for
from cms.rendering import Renderer
from cms.schemas.terms import TermInput
from cms.services import catalogue, outbox, purges
from cms.services import site as sites
from cms.settings import Settings
from cms.telemetry import Metrics
from cms.worker import loop
from cms.worker.tasks import Means
from tests import factories
from tests.cdn import CDN, TOKEN, running_cdn
from tests.cli.program import Squall
from tests.watching import Clock
from tests.web import Site, running_site

PATHS = [
    "/", "/low-tide", "/high-tide", "/neap-tide", "/tag/sea", "/tag/mud", "/author/edna-reed", "/archive", "/feed.xml", "/tag/sea/atom.xml",
    "/sitemap.xml", "/llms.txt", "/low-tide.md", "/about", "/about/crew", "/nothing-here", "/search?q=tide", "/new-tide", "/old-tide",
]  # fmt: skip
WAYS: dict[str, dict[str, Any]] = {
    "header": {"surrogate_keys": True, "purge_token_header": "Fastly-Key"},
    "json": {"surrogate_keys": True, "surrogate_header": "Cache-Tag"},
    "address": {},
}
PATIENCE = 10.0  # seconds; only a hang takes so long


@dataclass
class Fronted:
    site: Site
    cdn: CDN
    clock: Clock
    means: Means
    editor: Actor
    posts: dict[str, int]

    @property
    def database(self) -> Database:
        return self.site.database

    async def work_off(self) -> int:
        """All that is due."""
        done = 0
        while await loop.run_next(self.means, Metrics()):
            done += 1
        return done

    async def seen(self) -> dict[str, tuple[int, bytes]]:
        answers = {path: await self.cdn.get(path) for path in PATHS}
        return {path: (answer.status, answer.body) for path, answer in answers.items()}

    async def true(self) -> dict[str, tuple[int, bytes]]:
        answers = {path: await self.site.browser().get(path, Host="127.0.0.1") for path in PATHS}
        return {path: (answer.status, answer.body) for path, answer in answers.items()}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def fronted(way: str, database_url: str, tmp_path: Path, renderer: Renderer) -> AsyncIterator[Fronted]:
    clock = Clock()
    async with running_cdn() as cdn:
        url = cdn.url if way == "address" else f"{cdn.url}/{way}"
        said = {"site_url": "http://tides.example", "cdn_seconds": 86400, "purge_url": url, "purge_by": way, "purge_token": TOKEN}
        async with running_site(database_url, tmp_path / "data", renderer=renderer, clock=clock, **{**said, **WAYS[way]}) as site:
            await site.person("owner")
            editor = await factories.person(site.database, "editor")
            posts = {
                name: (await factories.published(site.database, editor, title=f"{name} tide", tags=(tag,))).post_id
                for name, tag in (("Low", "Sea"), ("High", "Sea"), ("Neap", "Mud"))
            }
            posts["about"] = (await factories.published_page(site.database, editor, title="About")).post_id
            posts["crew"] = (await factories.published_page(site.database, editor, title="Crew", parent=posts["about"])).post_id
            cdn.origin = site.url
            front = front_for(site.application.parts.settings)
            assert front is not None
            means = replace(factories.means(site.database, tmp_path, renderer=renderer), front=front)
            fronted = Fronted(site, cdn, clock, means, editor, posts)
            clock.pass_(minutes=1)
            await fronted.work_off()
            cdn.told.clear()
            yield fronted
            front.close()


async def waiting(database: Database) -> list[list[str]]:
    async with database.read() as session:
        rows = await session.scalars(select(Job).where(Job.name == purges.JOB, Job.finished_at.is_(None)).order_by(Job.id))
        return [job.payload["names"] for job in rows]


async def again(fronted: Fronted, post: str, **changes: Any) -> None:
    await factories.edited(fronted.database, fronted.editor, fronted.posts[post], **changes)
    await factories.publish(fronted.database, fronted.editor, fronted.posts[post])


async def test_after_each_change_the_cdn_shows_what_the_program_shows(fronted: Fronted, way: str) -> None:
    database, editor = fronted.database, fronted.editor

    async def renamed() -> None:
        async with database.transaction() as work:
            tag = (await work.session.scalars(select(Tag).where(Tag.name == "Sea"))).one()
            await catalogue.save(work, SYSTEM, TargetKind.TAG, tag.id, TermInput(name="The Sea", slug="sea"))

    async def closed() -> None:
        async with database.transaction() as work:
            await sites.choose_access(work, SYSTEM, Access.PRIVATE, "hash")

    changes = {
        "a text": lambda: again(fronted, "Low", text="Sand."),
        "a title": lambda: again(fronted, "Low", title="Low water"),
        "an address": lambda: again(fronted, "Neap", slug="new-tide"),
        "a new text": lambda: factories.published(database, editor, title="Old tide", tags=("Sea",)),
        "one less": lambda: factories.withdraw(database, editor, fronted.posts["High"]),
        "a page": lambda: again(fronted, "crew", title="The crew"),
        "a page's text": lambda: again(fronted, "about", text="Us."),
        "a tag's name": renamed,
        "a closed site": closed,
    }
    for name, change in changes.items():
        before = await fronted.seen()
        hits = fronted.cdn.hits
        assert await fronted.seen() == before
        assert fronted.cdn.hits >= hits + (len(PATHS) - 6), "it keeps most of them"
        fronted.cdn.told.clear()
        await change()
        await fronted.work_off()
        seen, true = await fronted.seen(), await fronted.true()
        assert seen == true, (name, [path for path in PATHS if seen[path] != true[path]])
        assert seen != before, name
        told = list(fronted.cdn.told)
        fronted.clock.pass_(seconds=11)
        await fronted.work_off()
        assert fronted.cdn.told == told * 2, "told twice, and no more"
        fronted.clock.pass_(minutes=1)


@pytest.mark.parametrize("way", ["header"], indirect=True)
async def test_only_what_is_over_is_forgotten(fronted: Fronted) -> None:
    await fronted.seen()
    before = set(fronted.cdn.kept)
    await again(fronted, "Low", text="Sand, *mostly*.")  # as long as it was
    await fronted.work_off()
    gone = before - set(fronted.cdn.kept)
    assert {"/low-tide", "/feed.xml", "/low-tide.md", "/search?q=tide"} <= gone
    assert gone.isdisjoint({"/high-tide", "/tag/mud", "/about", "/archive", "/nothing-here"})


@pytest.mark.parametrize("way", ["header", "address"], indirect=True)
async def test_a_cdn_that_is_down_for_an_hour_misses_nothing(fronted: Fronted, way: str) -> None:
    await fronted.seen()
    fronted.cdn.fails = True
    for number in range(4):
        await again(fronted, "Low", text=f"At {number}.")
        for _ in range(3):
            fronted.clock.pass_(minutes=5)
            await fronted.work_off()
    assert (await fronted.seen()) != await fronted.true()
    async with fronted.database.read() as session:
        (error,) = {job.error for job in await session.scalars(select(Job).where(Job.name == purges.JOB)) if job.error}
    assert "127.0.0.1" in error
    assert TOKEN not in error
    fronted.cdn.fails = False
    fronted.cdn.told.clear()
    await again(fronted, "High", text="Sand.")
    assert len(await waiting(fronted.database)) > 2
    assert await fronted.work_off() == 1, "what waited goes along with what is new"
    assert await fronted.seen() == await fronted.true()
    assert len(set(fronted.cdn.told)) == len(fronted.cdn.told)
    fronted.clock.pass_(hours=9)
    await fronted.work_off()
    assert await waiting(fronted.database) == []


@pytest.mark.parametrize("way", ["header"], indirect=True)
async def test_what_was_given_up_is_told_with_the_next_and_every_day(fronted: Fronted) -> None:
    fronted.cdn.fails = True
    for post in ("Low", "High"):
        await fronted.seen()
        await again(fronted, post, text="Sand.")
        for _ in range(10):
            fronted.clock.pass_(hours=3)
            await fronted.work_off()
        assert await waiting(fronted.database) == []
    fronted.cdn.fails = False
    async with fronted.database.transaction() as work:
        await purges.try_again(work)
    assert await fronted.work_off() == 1
    assert await fronted.seen() == await fronted.true()
    async with fronted.database.transaction() as work:
        await purges.try_again(work)
    assert await fronted.work_off() == 0


@pytest.mark.parametrize("way", ["header"], indirect=True)
async def test_a_page_that_was_under_way_during_the_purge_goes_with_the_second(fronted: Fronted) -> None:
    old = await fronted.cdn.fill("/low-tide")
    await again(fronted, "Low", text="Sand.")
    await fronted.work_off()
    fronted.cdn.kept["/low-tide"] = old  # comes a moment too late
    fronted.clock.pass_(seconds=11)
    await fronted.work_off()
    assert await fronted.seen() == await fronted.true()


@pytest.mark.parametrize("way", ["json"], indirect=True)
async def test_it_is_told_once_however_many_hear_of_it(fronted: Fronted, database_url: str, tmp_path: Path, renderer: Renderer) -> None:
    """The job is of the transaction: there if that is, and not once for each process."""
    settings = fronted.site.application.parts.settings
    said = settings.model_dump(include={"site_url", "purge_url", "purge_by", "surrogate_keys", "purge_token"})
    async with running_site(database_url, tmp_path / "other", renderer=renderer, clock=fronted.clock, **said) as other:
        await factories.edited(other.database, fronted.editor, fronted.posts["Low"], text="Sand.")
        with pytest.raises(RuntimeError):
            async with other.database.transaction() as work:
                outbox.record(work, SiteChanged(("name",)))
                raise RuntimeError
        assert await waiting(fronted.database) == []
        await factories.publish(other.database, fronted.editor, fronted.posts["Low"])
        assert len(await waiting(fronted.database)) == 2
        both = [fronted.means, replace(fronted.means, database=other.database)]
        await asyncio.gather(*(loop.run_next(means, Metrics()) for means in both for _ in range(3)))
    names = [name for batch in fronted.cdn.told for name in batch]
    assert len(names) == len(set(names))
    assert f"post/{fronted.posts['Low']}/page" in names
    assert all(len(batch) <= MOST_NAMES for batch in fronted.cdn.told)


@pytest.mark.parametrize("way", ["header"], indirect=True)
async def test_it_is_told_at_once(fronted: Fronted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cms.worker.loop.PAUSE", 3600.0)
    working = asyncio.create_task(loop.run(fronted.means, Metrics()))
    async with asyncio.timeout(PATIENCE):
        for text in ("Sand.", "Stones."):
            fronted.cdn.told.clear()
            await again(fronted, "Low", text=text)
            while not fronted.cdn.told:
                await asyncio.sleep(0.01)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)


def test_what_nobody_can_name_is_everything() -> None:
    assert purges.addresses(SiteChanged(("name",))) == {"/*"}
    assert purges.addresses(UserChanged(1, ("name",))) == {"/*"}
    assert purges.addresses(UserChanged(1, ("password",))) == frozenset()
    assert purges.addresses(RedirectsChanged(())) == {"/*"}
    assert purges.addresses(RedirectsChanged(("a b/ä",))) == {"/a%20b/%C3%A4"}
    assert purges.tags(SiteChanged(("access",))) == {EVERYTHING}
    assert purges.tags(SiteChanged(("name",))) == {"site/name"}
    assert purges._fitting([f"a{n}" for n in range(purges.MOST + 1)], by_address=False) == [EVERYTHING]
    assert purges._fitting(["/a", "b"], by_address=True) == ["/*"], "the settings were changed meanwhile"
    assert purges._fitting(["/a", "b"], by_address=False) == [EVERYTHING]


async def test_pages_that_show_too_much_are_not_kept_in_front(
    database_url: str, tmp_path: Path, renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A header that was cut off would keep a page there after what it shows was changed."""
    monkeypatch.setattr("cms.handlers.site.base.MAX_SURROGATE_KEYS", 100)
    async with running_site(database_url, tmp_path / "data", renderer=renderer, cdn_seconds=300, surrogate_keys=True) as site:
        await site.person("owner")
        answer = await site.browser().get("/archive")
        assert (answer.headers["Cache-Control"], "Surrogate-Key" in answer.headers) == ("no-cache", False)
        assert "s-maxage=300" in (await site.browser().get("/robots.txt")).headers["Cache-Control"]


async def test_whoever_is_away_or_refuses_is_named_without_the_token(way: str) -> None:
    settings = Settings(purge_url="http://127.0.0.1:9/x", purge_by=way, purge_token=TOKEN, surrogate_keys=True)  # type: ignore[arg-type]
    front: Front | None = front_for(settings)
    assert front is not None
    with pytest.raises(OutgoingFailed) as refused:
        await front.forget(["/a"])
    assert TOKEN not in refused.value.message
    front.close()
    assert front_for(Settings()) is None


async def test_nobody_is_told_when_nobody_is_named_any_more(database: Database, tmp_path: Path) -> None:
    async with database.transaction() as work:
        await purges.forget_everything(work)
    assert await loop.run_next(factories.means(database, tmp_path), Metrics())
    assert await waiting(database) == []


def test_everything_can_be_forgotten_by_hand(tmp_path: Path) -> None:
    squall = Squall(tmp_path)
    squall.ok("db", "upgrade")
    assert "SQUALL_PURGE_URL" in squall("purge").sentence
    said = {"SQUALL_PURGE_URL": "http://127.0.0.1:9", "SQUALL_PURGE_BY": "address"}
    assert "All pages will be forgotten" in squall.ok("purge", **said).out
