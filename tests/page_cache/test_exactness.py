"""What is made again after a change: the pages that show it, never more and never fewer.

Pages are asked for, something changes, and the keys that the cache has forgotten are compared with the pages whose bytes are others
when all are made anew.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from cms.db.session import Work
from cms.models import MenuItem, Published, User
from cms.models.address import TargetKind
from cms.models.post import Visibility
from cms.models.site import Menu
from cms.page_cache.marks import sitemap_part
from cms.policy import SYSTEM, Role
from cms.rendering import Renderer
from cms.schemas.account import ProfileInput
from cms.schemas.terms import TermInput
from cms.services import accounts, catalogue, page_tree, passing_on, profiles, publishing, taxonomies, visibility
from cms.services import site as sites
from cms.telemetry import Metrics
from cms.worker import loop
from tests import bulk, factories
from tests.watching import Clock
from tests.web import Answer, Site, running_site

POSTS = 10_000
TAGS = 20
NOWHERE = {"/nothing-here", "/tag/nobody-has-this"}  # which shows what is near: any title may change that, so it is asked again more often

# The list of the sitemap's parts has the newest change of each, which need not be that of the text that comes or leaves.
ONCE_MORE = {name: {"/sitemap.xml"} for name in ("what is listed nowhere", "what everybody may read again")}


@dataclass
class Reading:
    """Readers of a site, and what is in its cache."""

    site: Site
    clock: Clock
    paths: list[str]
    made: dict[str, bytes] = field(default_factory=dict)  # those that were made last: nothing has changed since

    async def pages(self) -> dict[str, bytes]:
        """Every page, as it is made now or kept."""
        browser = self.site.browser()
        return {path: _shown(await browser.get(path)) for path in self.paths}

    async def after(self, change: Callable[[], Awaitable[Any]], never_kept: Collection[str] = ()) -> tuple[set[str], set[str]]:
        """What was forgotten, and what became another page."""
        cache = self.site.application.parts.pages
        before = self.made or await self.pages()
        assert {path for path in self.paths if path not in cache} == set(never_kept)
        self.clock.pass_(hours=1)
        await change()
        forgotten = {path for path in self.paths if path not in cache}
        cache.clear()
        self.made = await self.pages()
        return forgotten, {path for path in self.paths if before[path] != self.made[path]}


def _shown(answer: Answer) -> bytes:
    return answer.body + str((answer.status, answer.location, answer.headers.get("X-Robots-Tag"))).encode()


@pytest.fixture
def number() -> int:
    """Of posts; so many lie over nine years, however many they are."""
    return POSTS


@pytest.fixture
async def reading(database_url: str, tmp_path: Path, renderer: Renderer, number: int) -> AsyncIterator[Reading]:
    clock = Clock()
    async with running_site(database_url, tmp_path / "data", renderer=renderer, clock=clock) as site:
        await site.person("owner")
        authors = [await factories.person(site.database, "author", name) for name in ("Ana Silva", "Ines Falk")]
        editor = await factories.person(site.database, "editor")
        await bulk.publish(site.database, authors, number, tags=TAGS, every=bulk.EVERY * (POSTS / number))
        about = await factories.published_page(site.database, editor, title="About")
        for title in ("Crew", "Team"):
            await factories.published_page(site.database, editor, title=title, parent=about.post_id)
        gone = await factories.published(site.database, editor, title="Gone")
        await factories.withdraw(site.database, editor, gone.post_id)
        moved = await factories.published(site.database, editor, title="Moved", slug="moved", tags=("Tag 3",))
        await factories.edited(site.database, editor, moved.post_id, slug="moved-on")
        await factories.publish(site.database, editor, moved.post_id)
        last = number // 10 + 1
        newest = [f"/tide-{number - n}" for n in range(1, 16)]
        site.editor = editor  # type: ignore[attr-defined]
        yield Reading(
            site,
            clock,
            [
                "/", "/page/2", "/page/3", f"/page/{last // 2}", f"/page/{last - 1}", f"/page/{last}", *newest,
                *(f"/tide-{number // 2 + n}" for n in (0, 1, -1)),
                "/tide-0", "/about", "/about/crew", "/about/team", "/moved-on", "/moved", "/gone", "/nothing-here", "/tag/tag-3",
                "/tag/tag-4", "/tag/tag-19", "/tag/tag-19/page/2", f"/tag/tag-0/page/{number // 500}",
                "/category/coast", "/category/coast/page/2",
                "/author/ana-silva", "/author/ines-falk", "/author/ines-falk/page/3", "/archive", "/archive/2016",
                "/archive/2016/01", "/archive/2025/02", "/archive/2025/01", "/feed.xml", "/atom.xml", "/feed.json",
                "/tag/tag-3/feed.xml", "/author/ana-silva/atom.xml", "/sitemap.xml",
                *(f"/sitemap/{part}.xml" for part in range(1, sitemap_part(1000 + number) + 1)),
                "/sitemap/lists.xml", "/robots.txt", "/llms.txt", f"/tide-{number - 3}.md", "/about.md",
                "/moved.md", "/manifest.webmanifest", "/opensearch.xml", "/tag/nobody-has-this",
            ],
        )  # fmt: skip


@pytest.mark.timeout(600)
async def test_a_change_meets_the_pages_that_show_it_and_no_other(reading: Reading) -> None:
    database, editor = reading.site.database, reading.site.editor  # type: ignore[attr-defined]
    newest, middle = 1000 + POSTS - 3, 1000 + 5001

    def again(post_id: int, **changes: Any) -> Callable[[], Awaitable[Any]]:
        async def change() -> None:
            await factories.edited(database, editor, post_id, **changes)
            await factories.publish(database, editor, post_id)

        return change

    def transaction(act: Callable[[Work], Awaitable[Any]]) -> Callable[[], Awaitable[Any]]:
        async def change() -> None:
            async with database.transaction() as work:
                await act(work)

        return change

    async def dated(days: int) -> None:
        """Its date is another, as an import of the same text would have it."""
        async with database.read() as session:
            row = (await session.scalars(select(Published).where(Published.post_id == newest))).one()
        await factories.edited(database, editor, newest, text="Mud, on another day.")
        seen = (await _draft(database, editor, newest)).version
        async with database.transaction() as work:
            at = row.published_at - bulk.timedelta(days=days)
            version = publishing.Version(seen, factories.render("Mud, on another day."))
            await publishing.publish(work, SYSTEM, newest, version, publishing.Dates(at, row.updated_at))

    async def menu(work: Work) -> None:
        chosen = Menu(name="main")
        work.session.add(chosen)
        await work.session.flush()
        work.session.add(MenuItem(menu_id=chosen.id, position=0, label="Harbour", url="https://example.org"))
        await work.session.flush()
        await sites.renew_frame(work)

    ana = await factories.person(database, "author", "Ana Silva")

    def profile(name: str = "Ana da Silva", **changes: Any) -> Callable[[], Awaitable[Any]]:
        return transaction(lambda work: profiles.save(work, ana, ProfileInput(name=name, **changes)))

    async def portrait() -> None:
        async with database.transaction() as work:
            face = factories.asset_row("a" * 64, "face.webp", in_library=False, width=480, height=480, created_at=work.now)
            work.session.add(face)
            await work.session.flush()
            links = ({"label": "Elsewhere", "path": "https://example.org"},)
            await profiles.save(work, ana, ProfileInput(name="Ana da Silva", bio="Writes of mud.", links=links), face)

    def shown_to(wanted: Visibility, password_hash: str | None = None) -> Callable[[], Awaitable[Any]]:
        return transaction(lambda work: visibility.choose(work, SYSTEM, newest, wanted, password_hash))

    about, team = [await _page(database, path) for path in ("about", "about/team")]
    made = await factories.draft(database, editor, title="Brand new", tags=("Tag 4",))
    changes: dict[str, Callable[[], Awaitable[Any]]] = {
        "what is listed nowhere": shown_to(Visibility.UNLISTED),
        "what has a password": shown_to(Visibility.PASSWORD, "hash"),
        "what everybody may read again": shown_to(Visibility.PUBLIC),
        "a typo in a text": again(newest, text=f"Mud of dey {POSTS - 3}.", excerpt=f"Mud of day {POSTS - 3}."),
        "a text, and its excerpt": again(newest, text="Sand of another day.", excerpt=""),
        "a title": again(newest, title="Another title", slug=f"tide-{POSTS - 3}"),
        "a title in the middle": again(middle, title="A title of the middle", slug="tide-5001"),
        "an address": again(newest, slug="another-address"),
        "a tag": again(newest, tags=("Tag 3",)),
        "a category": again(middle, category=None),
        "a date": lambda: dated(1),
        "a date, by much": lambda: dated(400),
        "a new post": lambda: factories.publish(database, editor, made.id),
        "a withdrawn post": lambda: factories.withdraw(database, editor, middle),
        "a page at another place": transaction(lambda work: page_tree.move(work, SYSTEM, page_tree.Place(team, about, 0))),
        "a page": again(about, title="About us"),
        "an author's name": transaction(lambda work: _rename(work, "ana.silva@example.org", "Ana da Silva")),
        "an author's words": profile(bio="Writes of mud."),
        "an author's links": profile(bio="Writes of mud.", links=({"label": "Elsewhere", "path": "https://example.org"},)),
        "an author's picture": portrait,
        "an author's name and words": profile(name="Ana Souza", bio=""),
        "an author's letters": transaction(lambda work: profiles.refuse(work, ana, ["role"])),
        "an author's role": transaction(lambda work: _with(work, ana, accounts.change_role, Role.EDITOR)),
        "a menu": transaction(menu),
        "a footer": transaction(lambda work: sites.configure(work, footer="Printed on water.")),
        "the site's description": transaction(lambda work: sites.configure(work, description="Tides, daily.")),
        "posts on a page": transaction(lambda work: sites.configure(work, posts_per_page=9)),
        "nothing": again(newest),
        "a working copy": lambda: factories.edited(database, editor, newest, text="Not yet."),
    }
    wrong = {}
    for name, change in changes.items():
        with_password = {f"/tide-{POSTS - 3}", f"/tide-{POSTS - 3}.md"} if name == "what everybody may read again" else ()
        forgotten, changed = await reading.after(change, with_password)
        forgotten -= (NOWHERE | ONCE_MORE.get(name, set())) - changed
        if forgotten != changed:
            wrong[name] = {"more": sorted(forgotten - changed), "fewer": sorted(changed - forgotten)}
        assert changed or name in ("nothing", "a working copy", "an author's letters", "an author's role"), name
    assert wrong == {}, "\n".join(f"{name}: {what}" for name, what in wrong.items())


async def _draft(database: Any, actor: Any, post_id: int) -> Any:
    from cms.services import posts

    async with database.read() as session:
        return await posts.get_draft(session, actor, post_id)


async def _page(database: Any, path: str) -> int:
    async with database.read() as session:
        return (await session.scalars(select(Published.post_id).where(Published.path == path))).one()


async def _with(work: Work, actor: Any, act: Callable[..., Awaitable[Any]], *rest: Any) -> None:
    await act(work, SYSTEM, await work.session.get_one(User, actor.user_id), *rest)


async def _rename(work: Work, email: str, name: str) -> None:
    user = await accounts.get_by_email(work.session, email)
    await accounts.rename(work, SYSTEM, user, name)


@pytest.mark.parametrize("number", [1000])  # a person's texts are looked at, not how many others there are
@pytest.mark.timeout(600)
async def test_who_is_deleted_leaves_no_page_with_the_old_name(reading: Reading) -> None:
    """Made again is what showed one of the two lists or the name above a text, and addresses at which no list was."""
    database = reading.site.database
    ana, ines = [await factories.person(database, "author", name) for name in ("Ana Silva", "Ines Falk")]
    hers = await factories.published(database, ana, title="The last of hers")
    alone = await factories.person(database, "author", "Bo Lund")  # whose texts are few, so that most pages stay
    await factories.published(database, alone, title="All of his")
    reading.paths += ["/all-of-his", "/author/bo-lund", "/the-last-of-hers"]

    async def leave() -> None:
        async with database.transaction() as work:
            gone, heir = await work.session.get_one(User, alone.user_id), await work.session.get_one(User, ines.user_id)
            await accounts.delete(work, SYSTEM, gone, heir)

    forgotten, changed = await reading.after(leave)
    assert changed - forgotten == set()
    assert {"/all-of-his", "/author/bo-lund", "/", "/author/ines-falk"} <= changed
    assert forgotten - NOWHERE - changed == set()
    assert f"/{hers.path}" not in changed
    for path, page in (await reading.pages()).items():
        assert b"Bo Lund" not in page, path


async def test_a_term_that_changes_meets_its_lists_and_the_texts_that_show_it(
    database_url: str, tmp_path: Path, renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Renamed, moved, merged and sorted; partly by jobs, as where there are many texts."""
    monkeypatch.setattr(passing_on, "SLICE", 2)
    clock = Clock()
    async with running_site(database_url, tmp_path / "data", renderer=renderer, clock=clock) as site:
        database, editor = site.database, await factories.person(site.database, "editor")
        await site.person("owner")
        posts = {
            title: (await factories.published(database, editor, title=title, tags=tags, **fields)).post_id
            for title, tags, fields in (
                ("Ebb", ("Sea", "Mud"), {"series": "Tides", "new_category": "Coast"}),
                ("Flood", ("Sea",), {"series": "Tides"}),
                ("Rain", ("Oceans", "Mud"), {}),
                ("Snow", ("Oceans",), {}),
                ("Wind", ("Oceans", "Sea"), {}),
                ("Alone", ("Sand",), {}),
            )
        }
        lists = ("tag/sea", "tag/the-sea", "tag/oceans", "tag/mud", "tag/sand", "category/coast", "category/shore", "series/tides")
        paths = [f"/{title.lower()}" for title in posts]
        paths += [f"/{path}{feed}" for path in lists for feed in ("", "/feed.xml")]
        paths += [
            "/",
            "/feed.xml",
            "/archive",
            "/sitemap.xml",
            "/sitemap/1.xml",
            "/sitemap/lists.xml",
            "/ebb.md",
            "/alone.md",
            "/robots.txt",
        ]
        reading, means = Reading(site, clock, paths), factories.means(database, tmp_path)

        def act(function: Callable[..., Awaitable[Any]], kind: str, name: str, *rest: Any) -> Callable[[], Awaitable[Any]]:
            async def change() -> None:
                async with database.transaction() as work:
                    table = passing_on.SHELVES[TargetKind(kind)].table
                    term = (await work.session.scalars(select(table.id).where(table.name == name))).one()
                    await function(work, kind, term, *rest)
                while await loop.run_next(means, Metrics()):
                    pass

            return change

        async def save(work: Work, kind: str, term: int, **said: str) -> None:
            await catalogue.save(work, SYSTEM, TargetKind(kind), term, TermInput(**said))

        async def merge(work: Work, kind: str, term: int, name: str) -> None:
            (target,) = await taxonomies.ensure_tags(work, [name])
            await catalogue.merge(work, SYSTEM, TargetKind(kind), [term], target)

        async def turn(work: Work, _kind: str, term: int) -> None:
            await catalogue.sort_series(work, SYSTEM, term, [posts["Flood"], posts["Ebb"]])

        changes = {
            "a name": act(partial(save, name="The Sea", slug="the-sea"), "tag", "Sea"),
            "words": act(partial(save, name="Mud", slug="mud", description="Wet."), "tag", "Mud"),
            "an address": act(partial(save, name="Shore", slug="shore"), "category", "Coast"),
            "two that become one": act(merge, "tag", "Oceans", "The Sea"),
            "an order": act(turn, "series", "Tides"),
            "a series' name": act(partial(save, name="Of tides", slug="tides"), "series", "Tides"),
        }
        wrong = {}
        for name, change in changes.items():
            forgotten, changed = await reading.after(change)
            assert changed, name
            for path in forgotten - changed:  # what is not here is asked again more often
                forgotten -= {path} if (await site.browser().get(path)).status in (301, 404) else set()
            if forgotten != changed:
                wrong[name] = {"more": sorted(forgotten - changed), "fewer": sorted(changed - forgotten)}
        assert wrong == {}, "\n".join(f"{name}: {what}" for name, what in wrong.items())
