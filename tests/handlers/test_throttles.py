"""Too much at once from one address or one person; and where a request came from, whatever it says."""

import ipaddress
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cms.handlers.operations import HealthHandler
from cms.rendering import Renderer
from cms.schemas.audit import AuditQuery
from cms.services import audit, throttling
from cms.services.throttling import Limit, Tally
from tests.factories import person
from tests.handlers.admin.pages import written
from tests.watching import orders
from tests.web import Site, running_site


@pytest.fixture
async def behind(database_url: str, tmp_path: Path, renderer: Renderer) -> AsyncIterator[Site]:
    """Behind a proxy on this machine, and others in 10.0.0.0/8."""
    networks = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("2001:db8:ffff::/48"))
    async with running_site(database_url, tmp_path / "data", renderer=renderer, trusted_proxies=networks) as site:
        yield site


async def addresses(site: Site) -> list[str]:
    async with site.database.read() as session:
        record = await audit.list_lines(session, await person(site.database, "owner"), AuditQuery(kind="session"), audit.ZoneInfo("UTC"))
    return [line.address for line in record.lines]


@pytest.mark.parametrize(
    ("sent", "known"),
    [
        ("", "127.0.0.1"),
        ("203.0.113.5", "203.0.113.5"),
        ("1.1.1.1, 203.0.113.5", "203.0.113.5"),  # what stands before an address that is not ours may be invented
        ("1.1.1.1, 203.0.113.5, 10.0.0.1, 10.1.2.3", "203.0.113.5"),
        ("2001:db8:1::5, 2001:db8:ffff::1", "2001:db8:1::5"),
        ("10.0.0.9", "10.0.0.9"),
        ("203.0.113.5, garbage", "127.0.0.1"),
        ("203.0.113.5:8080", "127.0.0.1"),
        ("<script>, 203.0.113.5", "203.0.113.5"),
        ("fe80::1%evil", "127.0.0.1"),
        ("203.0.113.5,,", "203.0.113.5"),
        (", ".join(["203.0.113.5"] * 200), "203.0.113.5"),
    ],
)
async def test_only_our_own_proxies_are_believed(behind: Site, sent: str, known: str) -> None:
    await behind.person("owner")
    browser = behind.browser()
    await browser.get("/login")
    form = {"email": "owner@example.org", "password": "correct horse battery"}
    answer = await browser.post("/login", form, **({"X-Forwarded-For": sent} if sent else {}))
    assert answer.status == 303
    assert await addresses(behind) == [known]


async def test_nobody_else_is_believed(site: Site) -> None:
    await site.person("owner")
    browser = site.browser()
    await browser.get("/login")
    await browser.post("/login", {"email": "owner@example.org", "password": "correct horse battery"}, **{"X-Forwarded-For": "203.0.113.5"})
    assert await addresses(site) == ["127.0.0.1"]
    assert HealthHandler.requires is None


async def test_many_searches_of_one_address_are_too_many(behind: Site) -> None:
    behind.application.parts.searches = Tally(behind.database, Limit("search", 4, 60), portion=2)
    browser = behind.browser()

    async def ask(query: str, address: str) -> tuple[int, str]:
        answer = await browser.get(f"/search?q={query}", **{"X-Forwarded-For": address})
        return answer.status, answer.headers.get("Retry-After", "")

    assert [(await ask(f"tide{n}", "203.0.113.5"))[0] for n in range(6)] == [200] * 6
    status, after = await ask("low+tide", "203.0.113.5")
    assert status == 429
    assert 0 < int(after) <= 60
    assert (await ask("low+tide", "203.0.113.6"))[0] == 200
    assert (await ask("low+tide", "203.0.113.5"))[0] == 200, "it is kept by now, and costs nothing"
    refused = await browser.get("/search?q=%22high+tide%22+%3Cb%3E", **{"X-Forwarded-For": "203.0.113.5"})
    assert refused.page.find(".//main//input[@id='q']").get("value") == '"high tide" <b>', "what was typed is still there"
    assert refused.headers["Cache-Control"] == "no-store"


async def test_a_reader_who_searches_costs_no_write(site: Site) -> None:
    browser = site.browser()
    with orders(site.database) as written_down:
        for number in range(throttling.SEARCHES.most // 10):
            assert (await browser.get(f"/search?q=tide{number}")).status == 200
    assert written_down == []


async def test_many_writes_of_one_person_are_too_many_and_nothing_typed_is_lost(site: Site) -> None:
    owner, editor = await site.signed_in("owner"), await site.signed_in("editor")
    await written(owner)
    site.application.parts.writes = Tally(site.database, Limit("write", 1, 60), portion=1)
    assert [(await owner.post("/admin/posts", {"title": "T", "text": "x"})).status for _ in range(2)] == [303, 303]
    answer = await owner.post("/admin/posts", {"title": "Low tide", "text": "All that I wrote."})
    assert answer.status == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert "All that I wrote." in answer.text
    assert (await owner.get("/admin/posts")).status == 200
    assert (await editor.post("/admin/posts", {"title": "T", "text": "x"})).status == 303
