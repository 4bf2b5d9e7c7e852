"""Signing in and out."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select
from tornado.web import create_signed_value

from cms.models import AuditEntry, Device
from cms.policy import SYSTEM
from cms.services import accounts, signing_in
from tests.handlers.admin.pages import buttons, by_id, fields, form_of, title, words
from tests.watching import Clock
from tests.web import PASSWORD, Browser, Site, running_site


async def test_right_password_opens_the_desk(site: Site) -> None:
    await site.person("owner")
    browser = site.browser()
    answer = await browser.sign_in("owner@example.org")
    assert (answer.status, answer.location) == (303, "/admin")
    assert "Today" in (await browser.get("/admin")).words
    assert (await browser.get("/admin/posts")).status == 200


async def test_email_is_the_same_in_any_case(site: Site) -> None:
    await site.person("owner")
    assert (await site.browser().sign_in(" Owner@Example.ORG ")).status == 303


@pytest.mark.parametrize(
    "email", ["owner@example.org", "author@example.org", "nobody@example.org", "no address", "", "nul\x00@example.org"]
)
async def test_wrong_unknown_and_disabled_get_the_same_answer(site: Site, email: str) -> None:
    await site.person("owner")
    await site.person("author")
    async with site.database.transaction() as work:
        await accounts.disable(work, SYSTEM, await accounts.get_by_email(work.session, "author@example.org"))
    is_disabled = email.startswith("author")
    answer = await site.browser().sign_in(email, PASSWORD if is_disabled else "wrong horse")
    assert answer.status == 422
    assert title(answer).startswith("Error: ")
    assert words(by_id(answer.page, "wrong")) == "This e-mail and password do not go together."
    described = [by_id(answer.page, name).get("aria-describedby") for name in ("email", "password")]
    assert described == ["wrong", "wrong"], "told also to those who only hear the field"
    sent = fields(answer.page)
    assert sent["email"] == email.replace("\x00", "")
    assert sent["password"] == ""
    assert not [cookie for cookie in answer.headers.get_list("Set-Cookie") if cookie.startswith("session=")]


async def test_overlong_password_is_a_wrong_one(site: Site) -> None:
    await site.person("owner")
    answer = await site.browser().sign_in("owner@example.org", "x" * 5000)
    assert answer.status == 422
    assert "do not go together" in answer.words


async def test_session_cookie_is_guarded(site: Site) -> None:
    await site.person("owner")
    answer = await site.browser().sign_in("owner@example.org")
    cookie = next(cookie for cookie in answer.headers.get_list("Set-Cookie") if cookie.startswith("session="))
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/" in cookie
    assert "Secure" not in cookie
    assert re.search(r"expires=", cookie)


async def test_planted_session_is_not_taken_over(site: Site) -> None:
    """Whoever plants a session of his own in a browser must not be in the account of whoever signs in there."""
    await site.person("owner")
    intruder = await site.signed_in("author")
    planted = intruder.cookies["session"]
    victim = site.browser()
    await victim.get("/login")
    victim.cookies["session"] = planted
    answer = await victim.post("/login", {"email": "owner@example.org", "password": PASSWORD})
    assert answer.status == 303
    assert victim.cookies["session"] != planted
    assert (await intruder.get("/admin/posts")).status == 303, "the planted session has ended"


@pytest.mark.parametrize("damage", ["truncated", "forged", "empty", "of another name"])
async def test_damaged_cookie_is_no_session(site: Site, damage: str) -> None:
    browser = await site.signed_in("owner")
    cookie = browser.cookies["session"]
    browser.cookies["session"] = {
        "truncated": cookie[:-10],
        "forged": re.sub(r"\|\d+:([A-Za-z0-9+/=]{10})", lambda found: found[0][:-1] + ("A" if found[0][-1] != "A" else "B"), cookie),
        "empty": '""',
        "of another name": browser.cookies["xsrf"],
    }[damage]
    answer = await browser.get("/admin/posts")
    assert (answer.status, answer.location) == (303, "/login?next=%2Fadmin%2Fposts")


async def test_session_ends_after_thirty_days_and_after_fourteen_idle(site: Site) -> None:
    browser = await site.signed_in("owner")
    clock = site.database.clock
    site.database.clock = lambda: clock() + timedelta(days=13)
    assert (await browser.get("/admin/posts")).status == 200
    site.database.clock = lambda: clock() + timedelta(days=26)
    assert (await browser.get("/admin/posts")).status == 200, "it was used on the thirteenth day"
    site.database.clock = lambda: clock() + timedelta(days=31)
    assert (await browser.get("/admin/posts")).status == 303


async def test_disabled_person_loses_the_desk_at_once(site: Site) -> None:
    await site.person("owner")
    browser = await site.signed_in("author")
    async with site.database.transaction() as work:
        await accounts.disable(work, SYSTEM, await accounts.get_by_email(work.session, "author@example.org"))
    assert (await browser.get("/admin/posts")).status == 303


async def test_old_hash_is_renewed_on_signing_in(site: Site) -> None:
    user_id = await site.person("owner")
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    async with site.database.transaction() as work:
        (await accounts.get_by_email(work.session, "owner@example.org")).password_hash = weak
    assert (await site.browser().sign_in("owner@example.org")).status == 303
    async with site.database.read() as session:
        user = await accounts.get_by_email(session, "owner@example.org")
    assert user.id == user_id
    assert user.password_hash != weak
    assert (await site.browser().sign_in("owner@example.org")).status == 303


@pytest.mark.parametrize("token", ["", "wrong"])
async def test_lost_form_key_brings_the_form_back_with_the_address_in_it(site: Site, token: str) -> None:
    await site.person("owner")
    browser = site.browser()
    sent = {"email": "owner@example.org", "password": PASSWORD, "next": "/admin/pages", "_xsrf": token}
    answer = await browser.post("/login", sent)
    assert answer.status == 403
    assert "its key no longer fits" in answer.words
    assert "cookies" in answer.words
    assert buttons(answer.page) == ["Sign in", "Use a passkey"]
    assert PASSWORD not in answer.text
    form = fields(answer.page)
    assert (form["email"], form["password"], form["next"]) == ("owner@example.org", "", "/admin/pages")
    again = await browser.send("POST", "/login", {**form, "password": PASSWORD})
    assert (again.status, again.location) == (303, "/admin/pages")
    foreign = await browser.send("POST", "/login", {**sent, "_xsrf": "x"}, {"Sec-Fetch-Site": "cross-site"})
    assert foreign.status == 403
    assert "another site" in foreign.words
    assert "Sign in" not in buttons(foreign.page)


async def test_signing_out_ends_the_session_itself(site: Site) -> None:
    browser = await site.signed_in("owner")
    cookie = browser.cookies["session"]
    answer = await browser.get("/logout")
    assert (answer.status, answer.headers["Allow"]) == (405, "POST")
    answer = await browser.post("/logout")
    assert (answer.status, answer.location) == (303, "/login")
    assert "You are signed out." in (await browser.get("/login")).words
    assert "You are signed out." not in (await browser.get("/login")).words
    browser.cookies["session"] = cookie
    assert (await browser.get("/admin/posts")).status == 303


async def test_signed_in_people_pass_the_login_page(site: Site) -> None:
    browser = await site.signed_in("owner")
    assert (await browser.get("/login?next=/admin/pages")).location == "/admin/pages"


SAFE = ["/admin/posts/7?a=b", "/hello/w%C3%B6rld", "/admin/posts?q=a%20b"]
UNSAFE = [
    "//evil.example",
    "/\\evil.example",
    "/\t/evil.example",
    "/%0d%0aSet-Cookie:x",
    "///evil.example",
    "https://evil.example",
    "http:evil.example",
    "javascript:alert(1)",
    "\\\\evil.example",
    " //evil.example",
    "/\n/evil.example",
    "/\r\nX: y",
    "evil.example",
    "/login",
    "/logout",
    "/é",
    "",
]


@pytest.mark.parametrize("wanted", SAFE)
async def test_sign_in_leads_on(site: Site, wanted: str) -> None:
    await site.person("owner")
    browser = site.browser()
    page = (await browser.send("GET", f"/login?next={wanted.replace('%', '%25').replace('?', '%3F').replace('&', '%26')}")).page
    answer = await browser.post("/login", {**fields(page), "email": "owner@example.org", "password": PASSWORD})
    assert answer.location == wanted


async def test_sign_in_leads_nowhere_else(site: Site) -> None:
    await site.person("owner")
    for wanted in UNSAFE:
        if "%0d" not in wanted:
            answer = await site.browser().post("/login", {"email": "owner@example.org", "password": PASSWORD, "next": wanted})
            assert (answer.status, answer.location) == (303, "/admin"), wanted


async def test_refused_sign_in_keeps_a_safe_next_only(site: Site) -> None:
    await site.person("owner")
    for wanted, kept in [("/admin/pages", "/admin/pages"), ("//evil.example", None)]:
        answer = await site.browser().post("/login", {"email": "owner@example.org", "password": "wrong", "next": wanted})
        assert fields(answer.page).get("next") == kept


async def test_login_without_owner_says_how_to_begin(site: Site) -> None:
    assert "no owner yet" in (await site.browser().get("/login")).words
    await site.person("owner")
    assert "no owner yet" not in (await site.browser().get("/login")).words


async def test_lost_form_key_asks_for_the_password_again(site: Site) -> None:
    await site.person("owner")
    browser = site.browser()
    answer = await browser.send("POST", "/login", {"email": "owner@example.org", "password": PASSWORD, "_xsrf": "2|aaaa|bbbb|1"})
    assert answer.status == 403
    assert PASSWORD not in answer.text
    form = fields(answer.page)
    assert (form["email"], form["password"]) == ("owner@example.org", "")
    again = await browser.send("POST", form_of(answer.page).get("action") or "", {**form, "password": PASSWORD})
    assert again.status == 303


async def test_cookies_of_an_https_site_are_bound_to_it(database_url: str, tmp_path: Path) -> None:
    """By the scheme of the site's address: the proxy before it speaks plain HTTP to us."""
    async with running_site(database_url, tmp_path / "data", site_url="https://example.org") as site:
        await site.person("owner")
        browser = site.browser()
        answer = await browser.get("/login")
        form = {**fields(answer.page), "email": "owner@example.org", "password": PASSWORD}
        signed_in = await browser.send("POST", "/login", form)
        assert signed_in.status == 303
        out = await browser.send("POST", "/logout", {"_xsrf": form["_xsrf"]})
        sent = [cookie for each in (answer, signed_in, out) for cookie in each.headers.get_list("Set-Cookie")]
        assert {cookie.split("=")[0] for cookie in sent} == {"__Host-xsrf", "__Host-session", "__Host-flash", "__Host-known"}
        for cookie in sent:
            assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
            assert "Domain" not in cookie


# --- how often, and who is known ---


async def wrong(browser: Browser, email: str = "author@example.org", times: int = 1) -> list[int]:
    return [(await browser.sign_in(email, "wrong horse")).status for _ in range(times)]


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Failed sign-ins answer without waiting; what they say is what is looked at."""
    monkeypatch.setattr(signing_in, "FLOOR", 0)


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("email", ["author@example.org", "nobody@example.org"])
async def test_five_wrong_passwords_at_once_then_a_page_that_keeps_the_address(site: Site, email: str) -> None:
    await site.person("author")
    stranger = site.browser()
    assert await wrong(stranger, email, 5) == [422] * 5
    answer = await stranger.sign_in(email)
    assert answer.status == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    assert fields(answer.page)["email"] == email
    assert "Too many tries. Please wait" in words(by_id(answer.page, "wrong"))
    assert PASSWORD not in answer.text


@pytest.mark.usefixtures("at_once")
async def test_in_no_minute_are_there_more_than_ten_wrong_passwords_for_an_account(site: Site) -> None:
    await site.person("author")
    site.database.clock = clock = Clock()
    answers = []
    for _ in range(60):
        answers += await wrong(site.browser())
        clock.pass_(seconds=1)
    assert answers.count(422) == 9  # the tenth would be a moment later


@pytest.mark.usefixtures("at_once")
async def test_closed_door_is_noted_once_a_minute_and_no_name_that_is_nobodys(site: Site) -> None:
    author, stranger = await site.person("author"), site.browser()
    assert await wrong(stranger, times=5) == [422] * 5
    assert await noted(site) == []
    assert await wrong(stranger, times=2) == [429] * 2
    assert await noted(site) == [(author, "127.0.0.1", {"limit": "wrong passwords"})]
    assert await wrong(stranger, "nobody@example.org", times=7) == [422] * 5 + [429] * 2
    assert (await noted(site))[1:] == [(None, "127.0.0.1", {"limit": "wrong passwords"})]


async def noted(site: Site) -> list[tuple[int | None, str, dict[str, Any]]]:
    wanted = select(AuditEntry.subject_id, AuditEntry.address, AuditEntry.details).where(AuditEntry.action == "session.refuse")
    async with site.database.read() as session:
        found = await session.execute(wanted.where(AuditEntry.user_id.is_(None)).order_by(AuditEntry.id))
        return [(subject_id, address, details) for subject_id, address, details in found]


@pytest.mark.usefixtures("at_once")
async def test_known_browser_gets_in_while_strangers_wait(site: Site) -> None:
    known, stranger = site.browser(), site.browser()
    await site.person("author")
    assert (await known.sign_in("author@example.org")).status == 303
    await known.post("/logout")
    assert await wrong(stranger, times=6) == [422] * 5 + [429]
    others = [status for number in range(6) for status in await wrong(stranger, f"nobody{number}@example.org", times=5)]
    assert others == [422] * 23 + [429] * 7, "the address of the network is used up, too"
    assert (await stranger.sign_in("editor@example.org")).status == 429
    assert (await known.sign_in("author@example.org")).status == 303


@pytest.mark.usefixtures("at_once")
async def test_known_browsers_together_cannot_try_out_passwords_either(site: Site) -> None:
    one, other = await site.signed_in("author"), await site.signed_in("author")
    assert one.cookies["known"] != other.cookies["known"]
    for known in (one, other):
        await known.post("/logout")
    assert await wrong(one, times=3) + await wrong(other, times=3) == [422] * 5 + [429]


@pytest.mark.usefixtures("at_once")
async def test_browser_that_is_known_is_so_to_its_own_people_only(site: Site) -> None:
    await site.person("editor")
    known = await site.signed_in("author")
    await known.post("/logout")
    assert await wrong(site.browser(), "editor@example.org", times=5) == [422] * 5
    assert (await known.sign_in("editor@example.org")).status == 429


@pytest.mark.usefixtures("at_once")
async def test_right_password_forgets_the_wrong_ones(site: Site) -> None:
    await site.person("author")
    browser = site.browser()
    assert await wrong(browser, times=4) == [422] * 4
    assert (await browser.sign_in("author@example.org")).status == 303
    await browser.post("/logout")
    assert await wrong(site.browser(), times=2) == [422] * 2


async def test_second_browser_is_noted_as_new_and_the_same_again_is_not(site: Site) -> None:
    first = await site.signed_in("author")
    await first.post("/logout")
    assert (await first.sign_in("author@example.org")).status == 303
    assert await notes(site, "device.new") == 0
    second = site.browser()
    await second.sign_in("author@example.org")
    assert await notes(site, "device.new") == 1
    assert second.cookies["known"] != first.cookies["known"]


async def test_mark_of_former_versions_is_replaced(site: Site) -> None:
    browser = await site.signed_in("author")
    before = browser.cookies["known"]
    keys = site.application.settings
    browser.cookies["known"] = create_signed_value(keys["cookie_secret"], "known", "yes", key_version=keys["key_version"]).decode()
    await browser.post("/logout")
    assert (await browser.sign_in("author@example.org")).status == 303
    assert browser.cookies["known"] != before
    async with site.database.read() as session:
        assert len((await session.scalars(select(Device))).all()) == 2


async def notes(site: Site, action: str) -> int:
    async with site.database.read() as session:
        return len((await session.scalars(select(AuditEntry).where(AuditEntry.action == action))).all())
