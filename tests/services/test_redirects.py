"""Rules that lead on: which one it is, what is refused, many at once, and counting."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import func, select

from cms.db.session import Database
from cms.errors import Forbidden, InvalidInput
from cms.models import Redirect
from cms.policy import Actor
from cms.schemas.redirects import RedirectInput, RedirectsQuery, read_table
from cms.services import redirects
from cms.services.redirects import Hits, Plan
from cms.telemetry import Metrics
from cms.worker import loop
from tests.factories import means, person, published


@pytest.fixture
async def owner(database: Database) -> Actor:
    return await person(database, "owner")


async def lead(database: Database, actor: Actor, path: str, target: str, match: str = "exact") -> int:
    async with database.transaction() as work:
        return (await redirects.save(work, actor, RedirectInput(path=path, target=target, match=match))).id  # type: ignore[arg-type]


async def leads_to(database: Database, path: str) -> str:
    async with database.read() as session:
        way = await redirects.follow(session, path)
    return way.elsewhere or way.path + way.tail if way else ""


async def refused(database: Database, actor: Actor, path: str, target: str, match: str = "exact") -> str:
    with pytest.raises(InvalidInput) as error:
        await lead(database, actor, path, target, match)
    return error.value.message


async def take(database: Database, actor: Actor, table: str) -> Plan:
    async with database.read() as session:
        planned = await redirects.plan(session, actor, read_table(table.encode()))
    async with database.transaction() as work:
        await redirects.take(work, actor, planned)
    return planned


async def test_what_two_change_of_a_rule_is_both_kept_and_of_one_field_the_second_is_told(database: Database, owner: Actor) -> None:
    rule_id = await lead(database, owner, "/old", "/new")

    async def save(path: str, target: str, match: str) -> None:
        seen = {"path": "/old", "target": "/new", "match": "exact"}
        wanted = RedirectInput.model_validate({"path": path, "target": target, "match": match, "seen": seen})
        async with database.transaction() as work:
            await redirects.save(work, owner, wanted, rule_id)

    await asyncio.gather(save("/older", "/new", "exact"), save("/old", "/new", "prefix"))
    assert await leads_to(database, "older/one") == "/new/one"
    told = await asyncio.gather(save("/old", "/one", "exact"), save("/old", "/two", "exact"), return_exceptions=True)
    now = await leads_to(database, "older")
    assert [each.errors for each in told if isinstance(each, InvalidInput)] == [
        {"target": f"Somebody else has written “{now}” here meanwhile. Saving now replaces it."}
    ]


async def test_the_nearest_rule_leads_and_what_is_below_goes_along(database: Database, owner: Actor) -> None:
    for path, target, match in (
        ("/old", "/new?from=old#top", "prefix"),
        ("/old/blog", "https://blog.example/a/", "prefix"),
        ("/old/blog/one", "/one", "exact"),
        ("/root", "/", "prefix"),
        ("/caf%C3%A9", "/kaffee", "exact"),
    ):
        await lead(database, owner, path, target, match)
    expected = {
        "/old": "/new?from=old#top",
        "/old/": "/new?from=old#top",
        "/old/x/y z": "/new/x/y z?from=old#top",
        "/older": "",
        "/old/blog/two/ü?": "https://blog.example/a/two/%C3%BC%3F",
        "/old/blog/one": "/one",
        "/old/blog/one/": "/one",
        "/root//evil.example": "/evil.example",
        "/root/\r\nSet-Cookie: a=b": "/\r\nSet-Cookie: a=b",  # encoded where it is sent (handlers/site)
        "/café": "/kaffee",
        f"/old/{'x/' * 900}": f"/new/{'x/' * 899}x?from=old#top",
        "/nowhere": "",
    }
    assert {path: await leads_to(database, path) for path in expected} == expected


async def test_rules_that_lead_to_each_other_are_one_step_and_an_address_ends_them(database: Database, owner: Actor) -> None:
    await lead(database, owner, "/a", "/b")
    await lead(database, owner, "/b", "/c")
    assert await leads_to(database, "/a") == "/c"
    post = await published(database, owner, slug="b")
    assert await leads_to(database, "/a") == "/b", "an address wins"
    async with database.read() as session:
        found = await redirects.list_redirects(session, owner, RedirectsQuery())
    assert [(row.redirect.path, row.waits) for row in found.rows] == [("a", False), ("b", True)]
    assert post.path == "b"


async def test_what_would_go_round_in_a_circle_is_refused_with_the_circle(database: Database, owner: Actor) -> None:
    await lead(database, owner, "/a", "/b")
    await lead(database, owner, "/b", "/c/d")
    assert await refused(database, owner, "/c/d", "/a") == "This would go round in a circle: /c/d → /a → /b → /c/d"
    assert await refused(database, owner, "/self", "/self/") == "This would go round in a circle: /self → /self"
    assert (await refused(database, owner, "/down", "/down/below", "prefix")).startswith("This leads below itself")
    await lead(database, owner, "/x", "/y", "prefix")
    assert await refused(database, owner, "/y", "/x", "prefix") == "This would go round in a circle: /y → /x → /y"
    for number in range(8):
        await lead(database, owner, f"/step-{number}", f"/step-{number + 1}")
    assert (await refused(database, owner, "/far", "/step-0")).startswith("This leads over more than 8 redirects")


async def test_way_whose_end_is_led_on_again_and_again_still_arrives(database: Database, owner: Actor) -> None:
    for number in range(32):
        await lead(database, owner, f"/step-{number}", f"/step-{number + 1}")
    assert await leads_to(database, "/step-0") == "/step-32"


async def test_a_circle_that_came_about_all_the_same_leads_nowhere(database: Database, owner: Actor) -> None:
    async with database.transaction() as work:
        for path, target in (("a", "/b"), ("b", "/a")):
            work.session.add(Redirect(match="exact", path=path, target=target, created_at=work.now))
    assert await leads_to(database, "/a") == ""


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/", "/x"),
        ("/admin/posts", "/x"),
        ("/x?id=1", "/y"),
        ("/x", "javascript:alert(1)"),
        ("/x", "//evil.example"),
        ("/x", "http://plain.example"),
        ("/x", "https://user@evil.example"),
        ("/x", ""),
        (f"/{'x' * 401}", "/y"),
    ],
)
async def test_what_no_rule_can_be_is_refused(database: Database, owner: Actor, path: str, target: str) -> None:
    with pytest.raises((InvalidInput, ValueError)):
        await lead(database, owner, path, target)


async def test_a_rule_is_shown_so_that_saving_it_unchanged_changes_nothing(database: Database, owner: Actor) -> None:
    for path in ("/what%3F", "/100%25", "/a%2541", "/x%23y"):
        rule_id = await lead(database, owner, path, "/archive")
        async with database.transaction() as work:
            row = await redirects.get(work.session, owner, rule_id)
            before, shown = row.path, dict(redirects.shown(row))
            saved = await redirects.save(work, owner, RedirectInput.model_validate({**shown, "seen": shown}), rule_id)
            assert saved.path == before


async def test_one_path_has_one_rule_and_only_administrators_make_them(database: Database, owner: Actor) -> None:
    first = await lead(database, owner, "https://old.example/a/", "/x")
    assert await refused(database, owner, "/a", "/y") == "There is a redirect from /a already."
    async with database.transaction() as work:
        await redirects.save(work, owner, RedirectInput(path="/a", target="/z", match="prefix"), first)
    assert await leads_to(database, "/a/b") == "/z/b"
    with pytest.raises(Forbidden):
        await lead(database, await person(database, "editor"), "/b", "/y")


async def test_of_a_table_good_lines_are_taken_and_bad_ones_told_by_number(database: Database, owner: Actor) -> None:
    await lead(database, owner, "/kept", "/as-it-is")
    table = [
        "match;target;path",
        "exact;/new;/old",
        ";https://x.example/;'=odd",
        "prefix;/section;/part",
        "",
        "sideways;/a;/b",
        'exact;"/unclosed;/c',
        "exact;/d;/admin",
        "exact;/e;/old",
        "exact;/old;/new",
        "exact;/as-it-is;/kept",
        "exact;/now;/kept",
    ]
    planned = await take(database, owner, "\ufeff" + "\r\n".join(table))
    assert [(each.line, each.reason) for each in planned.problems] == [
        (6, "“match” is neither “exact” nor “prefix”."),
        (7, "The path is missing."),
        (8, "/admin is used by Squall itself, so nothing can lead away from there."),
        (9, "Line 2 is for the same path already."),
        (10, "This would go round in a circle: /new → /old → /new"),
        (12, "Line 11 is for the same path already."),
    ]
    assert planned.unchanged == 1
    for path, target in (("/old", "/new"), ("/=odd", "https://x.example/"), ("/part/x", "/section/x"), ("/kept", "/as-it-is")):
        assert await leads_to(database, path) == target
    with pytest.raises(InvalidInput):
        await take(database, owner, "\n" * 100_010)
    again = await take(database, owner, "/kept,/elsewhere")
    assert (len(again.rules), await leads_to(database, "/kept")) == (1, "/elsewhere"), "one for the same path takes its place"


async def test_ten_thousand_bad_lines_keep_no_good_one_from_being_taken(database: Database, owner: Actor) -> None:
    bad = [f"/old-{number},ftp://x.example," for number in range(10_000)]
    planned = await take(database, owner, "\n".join(["path,target,match", *bad[:5000], "/good,/there,exact", *bad[5000:]]))
    assert [each.line for each in planned.problems] == [*range(2, 5002), *range(5003, 10_003)]
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(Redirect)) == 1


async def test_the_worker_writes_down_how_often_each_led(database: Database, owner: Actor, tmp_path: Path) -> None:
    rule, gone, hits = await lead(database, owner, "/a", "/b"), await lead(database, owner, "/c", "/d"), Hits()
    for each in (rule, rule, gone):
        hits.note(each)
    async with database.transaction() as work:
        await redirects.remove(work, owner, gone)
    working = asyncio.create_task(loop.run(means(database, tmp_path), Metrics(), hits=hits))
    while hits:
        await asyncio.sleep(0.02)
    working.cancel()
    await asyncio.wait([working])
    async with database.read() as session:
        rows = [(row.id, row.hits, row.hit_at is None) for row in await session.scalars(select(Redirect))]
    assert rows == [(rule, 2, False)]
