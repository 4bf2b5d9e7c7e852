"""The headers that protect those who read and write, on every kind of answer of every route."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from cms.handlers.base import NOTHING_RUNS, security_headers
from cms.rendering import Renderer
from cms.routes import routes
from cms.services.throttling import Limit, Tally
from cms.settings import Settings
from tests import factories
from tests.handlers import walk
from tests.handlers.walk import STOPS
from tests.web import Answer, Browser, Site, running_site

HOST = "tides.example.org"
ANYWHERE = {"media", "static", "feed", "atom", "jsonfeed"}  # what others may show: files, and what is there to be read elsewhere


@pytest.fixture
async def secure(database_url: str, tmp_path: Path, renderer: Renderer) -> AsyncIterator[Site]:
    """A site with an address of its own, by HTTPS; a proxy in front passes its name on."""
    async with running_site(database_url, tmp_path / "data", renderer=renderer, site_url=f"https://{HOST}") as site:
        await site.person("owner")
        editor = await factories.person(site.database, "editor", "Edna Reed")
        tide = await factories.published(site.database, editor, title="Low tide", tags=("Sea",), new_category="Coast")
        await factories.series(site.database, "Tides", [tide.post_id])
        yield site


def missing(answer: Answer, *, may_be_shown_elsewhere: bool = False) -> list[str]:
    """What is wrong with an answer's headers."""
    headers, wrong = answer.headers, []
    if headers.get("X-Content-Type-Options") != "nosniff":
        wrong.append("nosniff")
    if headers.get("Strict-Transport-Security") != "max-age=31536000":
        wrong.append("HSTS")
    if headers.get("Referrer-Policy") not in ("strict-origin-when-cross-origin", "no-referrer"):  # the latter where the address is a secret
        wrong.append("Referrer-Policy")
    if "camera=()" not in headers.get("Permissions-Policy", ""):
        wrong.append("Permissions-Policy")
    if headers.get("Cross-Origin-Opener-Policy") != "same-origin":
        wrong.append("COOP")
    if headers.get("Cross-Origin-Resource-Policy") not in ("same-origin", *(["cross-origin"] if may_be_shown_elsewhere else [])):
        wrong.append("CORP")
    policy = headers.get_list("Content-Security-Policy")
    if len(policy) != 1 or "default-src 'none'" not in policy[0] or "frame-ancestors '" not in policy[0] or "unsafe-eval" in policy[0]:
        wrong.append("content policy")
    if "script-src" in policy[0] and "script-src 'self';" not in policy[0]:
        wrong.append("scripts of others")
    if "Server" in headers or not headers.get("X-Request-Id"):
        wrong.append("who answers")
    return wrong


async def ask(browser: Browser, method: str, path: str, **headers: str) -> Answer:
    form = None if method in ("GET", "HEAD") else {"a": "b"}
    return await browser.send(method, path, form, {"Host": HOST, **headers})


async def test_every_route_by_every_method(secure: Site) -> None:
    browser, asset, wrong, seen = secure.browser(), await walk.upload(secure), [], set()
    for route in routes():
        name = str(route.name)
        path = STOPS[name].path.format(**dict.fromkeys([*walk.THINGS, "revision"], "1"), asset=asset)
        shown = name.rpartition(".")[2] in ANYWHERE or name.startswith("media")
        for method in (*walk.METHODS, "BREW"):
            answer = await ask(browser, method, path)
            seen.add(answer.status)
            if found := missing(answer, may_be_shown_elsewhere=shown):
                wrong.append((method, path, answer.status, found))
        first = await ask(browser, "GET", path)
        if etag := first.headers.get("Etag"):
            again = await ask(browser, "GET", path, **{"If-None-Match": etag})
            seen.add(again.status)
            if found := missing(again, may_be_shown_elsewhere=shown):
                wrong.append((path, again.status, found))
        elsewhere = await ask(browser, "GET", path, Host="evil.example")
        seen.add(elsewhere.status)
        if found := missing(elsewhere, may_be_shown_elsewhere=shown):
            wrong.append((path, elsewhere.status, found))
        if elsewhere.status != 421 and not route.handler_class.answers_any_host:
            wrong.append((path, elsewhere.status, "answered under another's name"))
    assert wrong == []
    assert {200, 301, 302, 303, 304, 403, 404, 405, 421} <= seen


async def test_other_answers(secure: Site) -> None:
    browser, parts, owner = secure.browser(), secure.application.parts, await factories.person(secure.database, "owner")
    gone = await factories.published(secure.database, owner, title="Gone")
    await factories.withdraw(secure.database, owner, gone.post_id)
    tries = {410: "/gone", 404: "/nothing", 400: "/login?next=%ff", 301: "/low-tide/"}
    for status, path in tries.items():
        answer = await ask(browser, "GET", path)
        assert (answer.status, missing(answer)) == (status, []), path
    parts.searches = Tally(secure.database, Limit("search", 1, 60), portion=1)
    answers = [await ask(browser, "GET", f"/search?q={number}") for number in range(4)]
    assert (answers[-1].status, missing(answers[-1])) == (429, [])


async def test_answers_while_the_database_is_broken(secure: Site) -> None:
    browser = secure.browser()
    async with secure.database.transaction() as work:
        for table in ("search_misses", "throttles", "published", "sessions"):
            await work.session.execute(text(f"DROP TABLE IF EXISTS {table}" + (" CASCADE" if "postgres" in secure.database.url else "")))
    secure.application.parts.pages.clear()
    for path in ("/archive", "/feed.xml", "/low-tide", "/sitemap.xml"):
        with capture_logs():  # its tracebacks take long to draw
            answer = await ask(browser, "GET", path)
        assert answer.status >= 500, path
        assert missing(answer) == [], path
        assert "Traceback" not in answer.text
        assert not [words for words in ("no such table", "does not exist", "SELECT") if words in answer.text]


def test_answers_before_there_is_a_handler_have_them_as_well() -> None:
    """``tests/server/test_http.py`` sees them on the answers themselves."""
    plain = security_headers(settings("http://localhost:8888"))
    assert set(plain) == set(security_headers(settings(f"https://{HOST}"))) - {"Strict-Transport-Security"}
    assert plain["Content-Security-Policy"] == NOTHING_RUNS


def settings(site_url: str) -> Settings:
    return Settings(site_url=site_url)
