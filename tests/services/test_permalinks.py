"""Another pattern of addresses: what it would change, and the job that writes them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cms.db.session import Database
from cms.errors import Forbidden, InvalidInput
from cms.events import PostPublished
from cms.models import Published
from cms.policy import Actor
from cms.services import jobs, permalinks, reading
from cms.telemetry import Metrics
from cms.worker import loop
from tests import watching
from tests.factories import edited, means, person, publish, published, published_page, withdraw


async def change(database: Database, actor: Actor, pattern: str) -> None:
    async with database.transaction() as work:
        await permalinks.change(work, actor, pattern)


async def work_off(database: Database, folder: Path) -> None:
    while await loop.run_next(means(database, folder), Metrics()):
        pass


async def paths(database: Database, *post_ids: int) -> list[str]:
    async with database.read() as session:
        return [(await session.get_one(Published, post_id)).path for post_id in post_ids]


async def leads_to(database: Database, path: str) -> str:
    async with database.read() as session:
        return (await reading.find_place(session, path)).path


@pytest.mark.parametrize(
    "pattern",
    ["", "{slug}", "/{slug}/", "//{slug}", "/{year}/{month}", "/{slug!r}", "/{name}/{slug}", "/{slug", "/a b/{slug}", "/../{slug}",
     "/tag/{slug}", "/{slug}.md", "/{slug.__class__}", "/%2e/{slug}", "/{slug}?a"],
)  # fmt: skip
def test_a_pattern_that_makes_no_addresses_is_refused(pattern: str) -> None:
    with pytest.raises(InvalidInput):
        permalinks.require(pattern)


async def test_every_address_leads_to_where_the_post_is_after_each_change(database: Database, tmp_path: Path) -> None:
    owner = await person(database, "owner")
    about = await published_page(database, owner, title="About")
    first = await published(database, owner, title="Low tide", date="2020-05-06T07:00", new_category="Coast")
    second = await published(database, owner, title="High tide", date="2021-05-06T07:00", slug="flood")
    gone = await published(database, owner, title="Gone")
    await withdraw(database, owner, gone.post_id)
    ids = (first.post_id, second.post_id)
    for pattern, expected in (
        ("/{year}/{month}/{slug}", ["2020/05/low-tide", "2021/05/flood"]),
        ("/{category}/{slug}", ["coast/low-tide", "uncategorised/flood"]),
        ("/p/{id}-{author}", [f"p/{ids[0]}-olga-owner", f"p/{ids[1]}-olga-owner"]),
        ("/{slug}", ["low-tide", "flood"]),
        ("/notes/{day}/{slug}.html", ["notes/06/low-tide.html", "notes/06/flood.html"]),
    ):
        await change(database, owner, pattern)
        await work_off(database, tmp_path)
        assert await paths(database, *ids, about.post_id) == [*expected, "about"]
    for old in ("low-tide", "2020/05/low-tide", "coast/low-tide", f"p/{ids[0]}-olga-owner"):
        assert await leads_to(database, old) == "/notes/06/low-tide.html"
    assert (await watching.addresses(database))["gone"] == "gone"
    with pytest.raises(InvalidInput):
        await change(database, owner, "/notes/{day}/{slug}.html")
    with pytest.raises(Forbidden):
        await change(database, await person(database, "editor"), "/{slug}")


async def test_what_shows_an_address_changes_with_it(database: Database, tmp_path: Path) -> None:
    owner = await person(database, "owner")
    first = await published(database, owner, title="One", date="2020-05-06T07:00", tags=("Sea",))
    second = await published(database, owner, title="Two", date="2021-05-06T07:00", tags=("Sea",))
    await change(database, owner, "/{year}/{slug}")
    with watching.events(database) as heard:
        await work_off(database, tmp_path)
    moved = {event.post_id: event for event in heard if isinstance(event, PostPublished)}
    assert {"path", "previous", "related"} <= set(moved[second.post_id].aspects)
    assert (moved[first.post_id].former_path, moved[first.post_id].path) == ("one", "2020/one")
    async with database.read() as session:
        row = await session.get_one(Published, second.post_id)
        assert row.previous is not None
        assert (row.previous["path"], [each["path"] for each in row.related]) == ("/2020/one", ["/2020/one"])


async def test_who_wants_what_another_has_is_told_before_and_gets_a_number(database: Database, tmp_path: Path) -> None:
    owner = await person(database, "owner")
    await change(database, owner, "/{year}/{slug}")
    await work_off(database, tmp_path)
    typed = [await published(database, owner, title=f"T{year}", slug="tide", date=f"{year}-05-06T07:00") for year in (2020, 2021)]
    other = await published(database, owner, title="About", date="2019-05-06T07:00")
    await published_page(database, owner, title="About")
    async with database.read() as session:
        seen = await permalinks.preview(session, owner, "/{slug}")
    assert (seen.changed, seen.total, seen.taken_in_all) == (3, 3, 3)
    assert {(each.before, each.after) for each in seen.examples} == {
        ("/2020/tide", "/tide"), ("/2021/tide", "/tide"), ("/2019/about", "/about"),
    }  # fmt: skip
    first, second = typed
    for _ in range(2):
        await edited(database, owner, first.post_id, title="Written on")  # its row lies behind the others now, and is none the newer for it
    await change(database, owner, "/{slug}")
    await work_off(database, tmp_path)
    assert await paths(database, first.post_id, second.post_id, other.post_id) == ["tide", f"tide-{second.post_id}", "about-2"]
    await edited(database, owner, second.post_id, title="Another title")
    assert (await publish(database, owner, second.post_id)).path == f"tide-{second.post_id}", "it can be published as it was"


async def test_broken_off_it_goes_on_where_it_was(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permalinks, "AT_ONCE", 2)
    now = [datetime(2026, 11, 29, 12, tzinfo=UTC)]
    database = Database(database_url, clock=lambda: now[0])
    owner = await person(database, "owner")
    posts = [await published(database, owner, title=f"Tide {number}") for number in range(5)]
    await change(database, owner, "/{year}/{slug}")
    async with database.transaction() as work:
        job = await jobs.claim(work)
    assert job is not None
    async with database.transaction() as work:  # one piece of it, and then its process is killed
        rows = [await work.session.get_one(Published, post.post_id) for post in posts[:2]]
        await permalinks.renew(work, rows)
        await jobs.report(work, job.id, 2, 5)
        await jobs.go_on_from(work, job.id, after=rows[-1].post_id)
    async with database.read() as session:
        assert await permalinks.under_way(session) == permalinks.UnderWay(2, 5)
    assert [len(path.split("/")) for path in await paths(database, *(post.post_id for post in posts))] == [2, 2, 1, 1, 1]
    now[0] += jobs.LEASE + timedelta(seconds=1)
    with watching.orders(database) as sent:
        await work_off(database, tmp_path)
    assert [len(path.split("/")) for path in await paths(database, *(post.post_id for post in posts))] == [2] * 5
    assert sum("FROM published" in statement and "published.post_id >" in statement for statement, _ in sent) == 2, "not from the beginning"
    async with database.read() as session:
        assert await permalinks.under_way(session) is None
    await database.dispose()
