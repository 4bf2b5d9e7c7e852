"""The second step of signing in: asked of those who have one, needed where the site says so, and never right twice."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select

from cms.models import AuditEntry
from cms.policy import SYSTEM
from cms.rendering import Renderer
from cms.sealing import Sealer
from cms.services import accounts
from cms.services import site as sites
from cms.settings import SecretKeys
from tests.handlers.admin.pages import by_id, words
from tests.handlers.admin.signing_in import add_passkey, code_at, turn_on_app, use_passkey
from tests.watching import Clock
from tests.web import PASSWORD, Browser, Site, running_site


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def site(database_url: str, tmp_path: Path, renderer: Renderer, clock: Clock) -> AsyncIterator[Site]:
    async with running_site(database_url, tmp_path / "data", renderer=renderer, clock=clock) as site:
        yield site


async def after_password(site: Site, role: str = "author") -> Browser:
    """A new browser, in which the right password was typed."""
    browser = site.browser()
    answer = await browser.sign_in(f"{role}@example.org")
    assert (answer.status, answer.location) == (303, "/login/second-factor"), answer.words
    return browser


async def require(site: Site, least: str) -> None:
    async with site.database.transaction() as work:
        await sites.configure(work, second_factor_from=least)


async def test_password_alone_opens_nothing(site: Site) -> None:
    await turn_on_app(site, await site.signed_in("author"))
    browser = await after_password(site)
    assert "session" not in browser.cookies
    assert (await browser.get("/admin/posts")).location == "/login?next=%2Fadmin%2Fposts"
    assert "Six digits" in (await browser.get("/login/second-factor")).words


async def test_code_of_the_app_opens_the_desk_where_the_person_wanted_to_go(site: Site, clock: Clock) -> None:
    secret, _ = await turn_on_app(site, await site.signed_in("author"))
    clock.pass_(minutes=1)
    browser = site.browser()
    answer = await browser.post("/login", {"email": "author@example.org", "password": PASSWORD, "next": "/admin/posts/new"})
    assert answer.location == "/login/second-factor?next=%2Fadmin%2Fposts%2Fnew"
    answer = await browser.post("/login/second-factor", {"code": code_at(secret, clock()), "next": "/admin/posts/new"})
    assert (answer.status, answer.location) == (303, "/admin/posts/new")
    assert (await browser.get("/admin/posts")).status == 200
    assert "second-factor" not in browser.cookies


async def test_code_that_was_used_is_wrong_everywhere(site: Site, clock: Clock) -> None:
    secret, _ = await turn_on_app(site, await site.signed_in("author"))
    replayed = await (await after_password(site)).post("/login/second-factor", {"code": code_at(secret, clock())})
    assert replayed.status == 422, "it was used to turn the app on"
    clock.pass_(minutes=1)
    code = code_at(secret, clock())
    first, second = await after_password(site), await after_password(site)
    assert (await first.post("/login/second-factor", {"code": code})).status == 303
    answer = await second.post("/login/second-factor", {"code": code})
    assert answer.status == 422
    assert words(by_id(answer.page, "code-error")) == "This code is not right, or was used already."
    assert "session" not in second.cookies


async def test_recovery_code_lets_in_once(site: Site) -> None:
    _, codes = await turn_on_app(site, await site.signed_in("author"))
    assert len(codes) == 10
    browser = await after_password(site)
    assert (await browser.post("/login/second-factor", {"code": codes[0].upper()})).status == 303
    assert "9 of 10 left" in (await browser.get("/account/security")).words
    assert (await (await after_password(site)).post("/login/second-factor", {"code": codes[0]})).status == 422


async def test_right_to_the_second_step_is_used_once_and_soon(site: Site, clock: Clock) -> None:
    _, codes = await turn_on_app(site, await site.signed_in("author"))
    browser = await after_password(site)
    kept = browser.cookies["second-factor"]
    await browser.post("/login/second-factor", {"code": codes[0]})
    thief = site.browser()
    thief.cookies["second-factor"] = kept
    assert (await thief.post("/login/second-factor", {"code": codes[1]})).location == "/login"
    late = await after_password(site)
    clock.pass_(minutes=11)
    assert (await late.post("/login/second-factor", {"code": codes[1]})).location == "/login"
    assert "session" not in late.cookies


async def test_new_password_ends_what_the_old_one_began(site: Site) -> None:
    _, codes = await turn_on_app(site, await site.signed_in("author"))
    browser = await after_password(site)
    async with site.database.transaction() as work:
        await accounts.set_password(work, SYSTEM, await accounts.get_by_email(work.session, "author@example.org"), "other")
    assert (await browser.post("/login/second-factor", {"code": codes[0]})).location == "/login"


async def test_codes_cannot_be_tried_out(site: Site) -> None:
    _, codes = await turn_on_app(site, await site.signed_in("author"))
    browser = await after_password(site)
    for number in range(5):
        assert (await browser.post("/login/second-factor", {"code": f"00000{number}"})).status == 422
    answer = await browser.post("/login/second-factor", {"code": codes[0]})
    assert (answer.status, "session" in browser.cookies) == (429, False)
    assert int(answer.headers["Retry-After"]) > 0
    assert "Too many tries" in words(by_id(answer.page, "wrong"))
    assert (by_id(answer.page, "code").get("aria-describedby") or "").split()[0] == "wrong"
    async with site.database.read() as session:
        (noted,) = await session.scalars(select(AuditEntry).where(AuditEntry.action == "session.refuse"))
    assert (noted.subject_id, noted.details) == (await site.person("author"), {"limit": "second factors"})


async def test_who_knows_the_password_keeps_nobody_out_of_a_known_browser(site: Site) -> None:
    known = await site.signed_in("author")
    _, codes = await turn_on_app(site, known)
    await known.post("/logout")
    assert (await known.sign_in("author@example.org")).location == "/login/second-factor"
    stranger = await after_password(site)
    for number in range(6):
        await stranger.post("/login/second-factor", {"code": f"00000{number}"})
    assert (await stranger.post("/login/second-factor", {"code": codes[0]})).status == 429
    assert (await known.post("/login/second-factor", {"code": codes[0]})).status == 303
    assert "session" in known.cookies


async def test_code_whose_key_is_lost_is_the_operators_business(site: Site) -> None:
    await turn_on_app(site, await site.signed_in("author"))
    lost = Sealer(SecretKeys({0: "l" * 40}, 0)).seal("JBSWY3DPEHPK3PXP")
    async with site.database.transaction() as work:
        (await accounts.get_by_email(work.session, "author@example.org")).totp_secret = lost
    answer = await (await after_password(site)).post("/login/second-factor", {"code": "123456"})
    assert answer.status == 503
    assert "SQUALL_SECRET_KEYS" not in answer.text


async def test_passkey_is_a_second_factor(site: Site) -> None:
    key = await add_passkey(site, await site.signed_in("author"))
    browser = await after_password(site)
    assert (await use_passkey(browser, key, "/login/second-factor")).status == 303
    assert (await browser.get("/admin/posts")).status == 200


async def test_anothers_passkey_is_none(site: Site) -> None:
    await add_passkey(site, await site.signed_in("author"))
    theirs = await add_passkey(site, await site.signed_in("editor"))
    browser = await after_password(site)
    answer = await use_passkey(browser, theirs, "/login/second-factor")
    assert (answer.status, "session" in browser.cookies) == (422, False)


# --- where the site needs one ---


async def test_role_that_needs_one_is_led_to_set_it_up_and_can_do_nothing_else(site: Site) -> None:
    browser = await site.signed_in("author")
    await require(site, "author")
    for path in ("/admin/posts", "/admin/posts/new", "/account/security", "/account/security/codes", "/account/security/password"):
        answer = await browser.get(path)
        assert (answer.status, answer.location) == (303, "/account/security/second-factor"), path
    refused = await browser.post("/admin/posts/new", {"title": "Low tide"})
    assert (refused.status, "Low tide" in refused.text) == (403, True)
    assert "Your role needs one" in (await browser.get("/account/security/second-factor")).words
    assert (await browser.post("/account/security/codes")).status == 403
    assert (await site.browser().sign_in("author@example.org")).status == 303


@pytest.mark.parametrize("factor", ["app", "passkey"])
async def test_desk_is_open_once_it_is_set_up_with_a_new_token(site: Site, factor: str) -> None:
    browser = await site.signed_in("author")
    await require(site, "contributor")
    before = browser.cookies["session"]
    await (turn_on_app(site, browser) if factor == "app" else add_passkey(site, browser))
    assert browser.cookies["session"] != before
    assert (await browser.get("/admin/posts")).status == 200
    browser.cookies["session"] = before
    assert (await browser.get("/admin/posts")).status == 303


async def test_other_roles_are_left_alone(site: Site) -> None:
    browser, owner = await site.signed_in("author"), await site.signed_in("owner")
    await require(site, "administrator")
    assert (await browser.get("/admin/posts")).status == 200
    assert (await owner.get("/admin/posts")).location == "/account/security/second-factor"


async def test_whoever_lacks_it_can_sign_out(site: Site) -> None:
    browser = await site.signed_in("author")
    await require(site, "author")
    kept = browser.cookies["session"]
    assert (await browser.post("/logout")).status == 303
    browser.cookies["session"] = kept
    assert (await browser.get("/account/security/second-factor")).location.startswith("/login")


async def test_administrator_chooses_who_needs_one(site: Site) -> None:
    from tests.handlers.admin.pages import fields, form_of

    owner = await site.signed_in("owner")
    page = (await owner.get("/admin/site/security")).page
    sent = fields(page, form_of(page, "/admin/site/security"))
    assert sent["second_factor_from"] == ""
    assert (await owner.post("/admin/site/security", {**sent, "second_factor_from": "editor"})).status == 303
    async with site.database.read() as session:
        assert (await sites.get(session)).second_factor == ["owner", "administrator", "editor"]
