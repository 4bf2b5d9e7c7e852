"""Every route × every role × one's own and others' things × every method, against the table of capabilities (``walk.py`` describes them).

What is sent here is sent by people who know all addresses and try them: with slashes too many, in capitals, by another method, with
the numbers of others' things in forms, from other sites, and without a key.
"""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from sqlalchemy import select
from tornado.routing import URLSpec

from cms.models import Base, Post, WorkingCopy
from cms.policy import ANONYMOUS, SYSTEM, Actor, Role
from cms.routes import requirement, routes
from cms.schemas.account import UserInput
from cms.services import accounts, throttling
from cms.services.throttling import Limit, Tally
from tests import factories
from tests.handlers import walk
from tests.handlers.walk import ABSENT, METHODS, SAFE, STOPS, WORDS, Stop, Thing
from tests.web import PASSWORD, Answer, Browser, Site

ROLES = ["signed out", "contributor", "author", "editor", "administrator", "owner", "disabled"]
ROUTES = {str(route.name): route for route in routes()}
FEW = 2  # things, where it is the address or a method that nobody does that is tried: one that is not there, and another's
FEWER = ("signed out", "author", "administrator")  # where it is rows that are looked at: who may what is decided in Python
SPELLERS = ("signed out", "contributor", "owner")  # what no handler does, by spelling or by method, asks nobody who he is
OTHER_SITE = "https://evil.example"


@dataclass
class World:
    """A site with something of each kind in it."""

    site: Site
    asset: str
    other: Actor
    made: dict[tuple[str, str, int], Thing] = field(default_factory=dict)

    @classmethod
    async def on(cls, site: Site) -> "World":
        return cls(site, await walk.upload(site), await factories.person(site.database, "author", "Otto Other"))

    async def things(self, stop: Stop, actor: Actor) -> list[Thing | None]:
        """All that the address can be tried with: one's own, another's, nobody's."""
        if not walk.has_thing(stop):
            return [None]
        kind = next(kind for kind in walk.THINGS if f"{{{kind}}}" in stop.path)
        states, make, _ = walk.THINGS[kind]
        found: list[Thing | None] = [ABSENT]
        for whose in (self.other, *([actor] if actor.is_signed_in else [])):
            for state in states:
                key = (kind, state, whose.user_id or 0)
                if key not in self.made:
                    self.made[key] = await make(self.site, state, whose)
                found.append(self.made[key])
        return found

    def forget(self, thing: Thing | None) -> None:
        """It is not as it was made any more; the next one who asks gets another."""
        self.made = {key: each for key, each in self.made.items() if each is not thing}

    def path(self, stop: Stop, thing: Thing | None) -> str:
        named = dict.fromkeys(walk.THINGS, thing.number if thing else "")
        return stop.path.format(**named, asset=self.asset, revision=thing.revision if thing else "")


@pytest.fixture
async def world(site: Site) -> AsyncIterator[World]:
    """Nobody is throttled here, and no lines are counted: thousands of requests go the same ways."""
    await site.person("owner")
    editor = await factories.person(site.database, "editor", "Edna Reed")
    tide = await factories.published(site.database, editor, title="Low tide", tags=("Sea",), new_category="Coast")
    await factories.series(site.database, "Tides", [tide.post_id])
    parts, without_end = site.application.parts, Limit("none", 10**9, 1)
    parts.searches, parts.writes = Tally(site.database, without_end), Tally(site.database, without_end)
    parts.news.per_person = 0
    return await World.on(site)


async def arrive(site: Site, role: str) -> tuple[Actor, Browser]:
    """Who is asked about in the table, and his browser."""
    if role == "signed out":
        return ANONYMOUS, site.browser()
    if role == "disabled":
        return ANONYMOUS, await disabled(site)
    number = await site.person(role)
    return Actor(number, Role(role)), await site.signed_in(role)


async def disabled(site: Site) -> Browser:
    """An administrator who is not one any more; the browser knows nothing of it."""
    hashed = await site.application.parts.passwords.hash(PASSWORD)
    wanted = UserInput(email="disabled@example.org", name="Dora Disabled", role="administrator")
    async with site.database.transaction() as work:
        user = await accounts.find_by_email(work.session, wanted.email) or await accounts.create(work, SYSTEM, wanted, hashed)
        await accounts.enable(work, SYSTEM, user)
    browser = site.browser()
    assert (await browser.sign_in(wanted.email)).status == 303
    async with site.database.transaction() as work:
        user = await accounts.get_by_email(work.session, wanted.email)
        await accounts.disable(work, SYSTEM, user)
    return browser


async def send(browser: Browser, method: str, path: str, form: dict[str, str] | None = None, **headers: str) -> Answer:
    """With the key that the browser has. What comes of compressing is seen where all addresses are looked at."""
    if "xsrf" not in browser.cookies:
        await browser.get("/login")
    body = None if method in ("GET", "HEAD") else {"_xsrf": browser.cookies["xsrf"], **(form or {})}
    kind = {} if body is None else {"Content-Type": "application/x-www-form-urlencoded", "X-Xsrftoken": browser.cookies["xsrf"]}
    return await browser.send(method, path, body, {"Accept-Encoding": "identity", **kind, **headers})


async def rows(site: Site) -> dict[str, list[str]]:
    """All that is in the database."""
    async with site.database.read() as session:
        return {
            table.name: sorted(str(tuple(row)) for row in await session.execute(select(table))) for table in Base.metadata.sorted_tables
        }


def test_every_route_is_described() -> None:
    assert set(STOPS) == set(ROUTES), "tests/handlers/walk.py says what to do"


@pytest.mark.parametrize("name", STOPS)
def test_every_description_leads_to_its_route(name: str) -> None:
    path = (
        STOPS[name]
        .path.format(**dict.fromkeys([*walk.THINGS, "revision"], "7"), asset="media/1/0123456789ab/tide-chart.png")
        .partition("?")[0]
    )
    assert next(each.name for each in routes() if each.regex.match(path)) == name


@pytest.mark.timeout(240)
@pytest.mark.parametrize("role", ROLES)
async def test_each_role_is_answered_as_the_table_says(world: World, role: str) -> None:
    if role not in FEWER and world.site.database.dialect.name != "sqlite":
        pytest.skip("another role is answered by the same statements")
    actor, browser = await arrive(world.site, role)
    wrong, tried = [], 0
    for name, route in ROUTES.items():
        stop = STOPS[name]
        for method in [each for each in METHODS if role in SPELLERS or walk.is_done(route, each)]:
            things = await world.things(stop, actor)
            for thing in things if walk.is_done(route, method) else things[-1:]:
                if name in walk.ENDS_THE_SESSION and actor.is_signed_in and method not in SAFE:
                    _, other = await arrive(world.site, role)
                else:
                    other = browser
                path = world.path(stop, thing)
                answer = await send(other, method, path, dict(stop.form))
                may = walk.expected(route, stop, method, actor, thing)
                tried += 1
                if answer.status not in may:
                    wrong.append((method, path, thing and thing.title, answer.status, sorted(may)))
                if answer.status == 303 and requirement(route) and not actor.is_signed_in and not answer.location.startswith("/login"):
                    wrong.append((method, path, answer.location))
                if thing and thing.is_there and not may & walk.ADMITTED and WORDS in answer.text:
                    wrong.append((method, path, "tells of", thing.title))
                if method not in SAFE and answer.status < 400:
                    world.forget(thing)
    assert wrong == []
    assert tried > (500 if role in SPELLERS else 200)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("role", SPELLERS)
async def test_another_spelling_or_method_is_no_way_around(world: World, role: str) -> None:
    """Of what not everybody may: no other spelling of its address is answered with more than the right one is.

    Routes go by paths alone: of the spellings that lead to where everybody may, one is tried by both methods."""
    if world.site.database.dialect.name != "sqlite":
        pytest.skip("what is no route is no matter of the database")
    actor, browser = await arrive(world.site, role)
    wrong = []
    for name, route in ROUTES.items():
        if requirement(route) is None:
            continue
        stop = STOPS[name]
        for thing in (await world.things(stop, actor))[:FEW][-1:]:
            path = world.path(stop, thing)
            first, *others = misspelt(path)
            for other in (first, *others):
                is_known = other is first or any(each.regex.match(other) and requirement(each) for each in ROUTES.values())
                for method in ("GET", "POST") if is_known else ("GET",):
                    answer = await send(browser, method, other, dict(stop.form))
                    plain = answer.status == 301 and answer.location == path and method == "GET"
                    if answer.status not in (400, 404, 405) and not plain:
                        wrong.append((method, other, answer.status, answer.location))
            for method in ("put", "PATCH", "delete") if walk.reads_forms(route) else ():
                may = walk.expected(route, stop, method.upper(), actor, thing)
                answer = await send(browser, "POST", path, {**stop.form, "_method": method})
                if answer.status not in may:
                    wrong.append(("_method", method, path, answer.status, sorted(may)))
                if answer.status < 400:
                    world.forget(thing)
            answers = {each: await send(browser, "POST", path, {**stop.form, "_method": each}) for each in ("GET", "POST", "CONNECT", "x")}
            refused = {400} if walk.reads_forms(route) else {401, 403, 405, 415}
            wrong += [("_method", each, path, answer.status) for each, answer in answers.items() if answer.status not in refused]
            answer = await send(browser, "GET", f"{path}?_method=delete", None, **{"X-HTTP-Method-Override": "DELETE"})
            if answer.status not in walk.expected(route, stop, "GET", actor, thing):
                wrong.append(("override", path, answer.status))
    assert wrong == []


def misspelt(path: str) -> list[str]:
    """Other ways to write an address, that something in between or below might take for the same."""
    first, _, rest = path.removeprefix("/").partition("/")
    rest = f"/{rest}" if rest else ""
    return [
        f"{path}/", f"/{path}", f"/{first}/{rest}", f"/.{path}", f"/x/..{path}", f"{path}%00", f"{path};x", f"{path}%2f", path.upper(),
        f"/{first.title()}{rest}", f"/%{ord(first[0]):x}{first[1:]}{rest}",
    ]  # fmt: skip


@pytest.mark.timeout(240)
async def test_nothing_changes_by_looking(world: World) -> None:
    for role in FEWER:
        actor, browser = await arrive(world.site, role)
        await browser.get("/login")
        places = [[world.path(stop, thing) for thing in await world.things(stop, actor)] for stop in STOPS.values()]
        before = await rows(world.site)
        for paths in places:
            for path in paths:
                await browser.send("GET", path)
            await browser.send("HEAD", paths[-1])  # which does as GET does,
            await browser.send("OPTIONS", paths[-1])  # and asks for nothing
        after = await rows(world.site)
        assert {name: after[name] for name in after if after[name] != before[name]} == {}, role


@pytest.mark.timeout(240)
async def test_nothing_changes_without_the_key_or_from_another_site(world: World) -> None:
    if world.site.database.dialect.name != "sqlite":
        pytest.skip("it is refused before the database is asked anything")
    actor, browser = await arrive(world.site, "owner")
    _, other = await arrive(world.site, "editor")
    key, theirs = browser.cookies["xsrf"], other.cookies["xsrf"]
    form = "application/x-www-form-urlencoded"
    tries: list[tuple[dict[str, str], dict[str, str]]] = [
        ({}, {}),
        ({"_xsrf": ""}, {}),
        ({"_xsrf": theirs}, {}),
        ({"_xsrf": f"2|00000000|{key.split('|')[2]}|{key.split('|')[3]}"}, {}),
        ({"_xsrf": key}, {"Origin": OTHER_SITE}),
        ({"_xsrf": key}, {"Origin": "null"}),
        ({"_xsrf": key}, {"Sec-Fetch-Site": "cross-site"}),
        ({"_xsrf": key}, {"Sec-Fetch-Site": "same-site"}),
        ({"_xsrf": key}, {"Sec-Fetch-Site": "cross-site", "Origin": OTHER_SITE}),
    ]
    paths = [(world.path(stop, thing), name) for name, stop in STOPS.items() for thing in (await world.things(stop, actor))[:FEW]]
    before, wrong = await rows(world.site), []
    for path, name in paths:
        stop = STOPS[name]
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            if not stop.needs_key:
                assert all([(await browser.send(method, path, {}, headers)).status in (403, 405) for _, headers in tries if headers])
                continue
            for sent, headers in tries if walk.is_done(ROUTES[name], method) else tries[:1]:
                answer = await browser.send(method, path, {**stop.form, **sent}, {"Content-Type": form, **headers})
                if answer.status not in (403, 405):
                    wrong.append((method, path, sent, headers, answer.status))
            answer = await as_json(browser, method, path, {"_xsrf": key, **stop.form})
            if answer.status not in (403, 405):
                wrong.append((method, path, "JSON as text", answer.status))
    assert wrong == []
    assert await rows(world.site) == before


async def as_json(browser: Browser, method: str, path: str, content: dict[str, str]) -> Answer:
    """As a form of another site can send it without asking (https://fetch.spec.whatwg.org/#cors-safelisted-request-header)."""
    return await browser.send(method, f"{path}", {json.dumps(content): ""}, {"Content-Type": "text/plain"})


@pytest.mark.parametrize("role", ["contributor", "author"])
async def test_numbers_of_others_things_in_a_form_lead_nowhere(world: World, role: str) -> None:
    site = world.site
    actor, browser = await arrive(site, role)
    owner = await factories.person(site.database, "owner")
    secret = await factories.draft(site.database, owner, title=f"{WORDS} secret", text=f"{WORDS} text", new_category="Hidden")
    page = await factories.page(site.database, owner, title=f"{WORDS} page")
    mine = await factories.draft(site.database, actor, title="Mine")
    untouched = [await stored(site, each.id) for each in (secret, page)]

    stolen = {
        "id": str(secret.id), "post": str(secret.id), "post_id": str(secret.id), "kind": "page", "authors": str(owner.user_id),
        "created_by_id": str(owner.user_id), "owner_ids": str(owner.user_id), "parent": str(page.id), "live": "published", "featured": "on",
        "published_at": "2020-01-01", "role": "owner", "user_id": str(owner.user_id),
    }  # fmt: skip
    answer = await send(browser, "POST", f"/admin/posts/{mine.id}", {"title": "Mine", "text": "x", "version": "1", **stolen})
    assert answer.status == 303
    kept, post = await stored(site, mine.id)
    assert kept.fields["authors"] == [actor.user_id]
    assert (kept.fields.get("parent"), kept.fields.get("featured", False)) == (None, False)
    assert (post.kind, post.live, post.created_by_id) == ("post", "never", actor.user_id)
    assert [await stored(site, each.id) for each in (secret, page)] == untouched

    for form, status in (
        ({"post": str(secret.id), "text": "x"}, 404),
        ({"post": str(page.id), "kind": "page", "text": "x"}, 403),
        ({"post": "0", "kind": "page", "text": "x"}, 403),
    ):
        answer = await send(browser, "POST", "/admin/preview", form)
        assert answer.status == status, form
        assert WORDS not in answer.text
    for form in ({"new_category": "Mine"}, {"series": "Mine"}, {"category": "999999"}):
        answer = await send(browser, "POST", f"/admin/posts/{mine.id}", {"title": "Mine", "text": "y", "version": "2", **form})
        assert answer.status == 422, form
    for version in ("-1", "1e9", "99999999999999999999", "0 OR 1=1", "\x00"):
        answer = await send(browser, "POST", f"/admin/posts/{mine.id}", {"title": "Mine", "text": "y", "version": version})
        assert answer.status in (400, 409, 422), version
    answer = await send(browser, "POST", f"/admin/posts/{secret.id}", {"title": "Mine", "text": "x", "version": "0", "then": "publish"})
    assert answer.status == 404
    assert [await stored(site, each.id) for each in (secret, page)] == untouched


async def stored(site: Site, number: int) -> tuple[WorkingCopy, Post]:
    async with site.database.read() as session:
        copy, post = await session.get_one(WorkingCopy, number), await session.get_one(Post, number)
    return _Same.of(copy), _Same.of(post)  # type: ignore[return-value]


class _Same(dict[str, object]):
    """A row's values, compared as such."""

    __getattr__ = dict.__getitem__

    @classmethod
    def of(cls, row: object) -> "_Same":
        return cls({column.name: getattr(row, column.name) for column in type(row).__table__.columns})  # type: ignore[attr-defined]


def test_what_is_walked_is_what_is_served(site: Site) -> None:
    served = {spec.name for spec in ROUTES.values() if isinstance(spec, URLSpec)}
    assert served == {str(route.name) for route in site.application._routes}
    assert throttling.SEARCHES.most > 0
