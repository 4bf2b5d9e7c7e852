"""The page of one's own security, and "confirm it is you" before what could do harm."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cms.db.session import Database
from cms.events import SessionEnded, UserChanged
from cms.rendering import Renderer
from cms.services import accounts, sessions
from tests.handlers.admin.pages import by_class, by_id, fields, form_of, words
from tests.handlers.admin.signing_in import add_passkey, code_at, turn_on_app, use_passkey
from tests.watching import Clock, events, outbox
from tests.web import PASSWORD, Browser, Site, running_site

FIREFOX = "Mozilla/5.0 (Macintosh; Intel Mac OS X 14.7; rv:140.0) Gecko/20100101 Firefox/140.0"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/604.1"
NEW = "slow tide, early boat"
DANGEROUS = ("/account/security/password", "/account/security/authenticator", "/account/security/codes", "/account/security/passkeys")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def site(database_url: str, tmp_path: Path, renderer: Renderer, clock: Clock) -> AsyncIterator[Site]:
    async with running_site(database_url, tmp_path / "data", renderer=renderer, clock=clock) as site:
        yield site


async def signed_in(site: Site, user_agent: str) -> Browser:
    await site.person("author")
    browser = site.browser()
    assert (await browser.post("/login", {"email": "author@example.org", "password": PASSWORD}, **{"User-Agent": user_agent})).status == 303
    return browser


# --- sessions ---


async def test_sessions_are_listed_by_browser_and_this_one_is_marked(site: Site, clock: Clock) -> None:
    await signed_in(site, SAFARI)
    clock.pass_(hours=2)
    here = await signed_in(site, FIREFOX)
    page = (await here.get("/account/security")).page
    rows = [words(row) for row in by_id(page, "signed-in").iter() if row.tag == "li"] or [
        words(row) for section in page.iter("section") if section.get("aria-labelledby") == "signed-in" for row in section.iter("li")
    ]
    assert [row.startswith(name) for row, name in zip(rows, ("Firefox on macOS this one", "Safari on iPhone"), strict=True)] == [True, True]
    assert "127.0.0.1" in rows[1]
    assert "2 hours ago" in rows[1]


async def test_this_browser_stands_first_of_all_that_are_signed_in(site: Site, clock: Clock) -> None:
    here = await signed_in(site, FIREFOX)
    clock.pass_(minutes=5)
    await signed_in(site, SAFARI)
    shown = (await here.get("/account/security")).words.partition("Signed in on")[2]
    assert shown.index("Firefox on macOS this one") < shown.index("Safari on iPhone")


async def test_session_that_is_revoked_ends_with_the_next_request_in_every_process(
    site: Site, tmp_path: Path, database_url: str, renderer: Renderer, clock: Clock
) -> None:
    there, here = await signed_in(site, SAFARI), await signed_in(site, FIREFOX)
    async with running_site(database_url, tmp_path / "other", renderer=renderer, clock=clock) as other:
        elsewhere = Browser(other.url, dict(there.cookies))
        assert (await elsewhere.get("/admin/posts")).status == 200
        page = (await here.get("/account/security")).page
        at = next(form.get("action") for form in page.iter("form") if "/sessions/" in (form.get("action") or ""))
        with events(site.database) as heard:
            assert (await here.post(str(at), {"_method": "delete"})).status == 303
        assert [type(event) for event in heard] == [SessionEnded]
        assert (await elsewhere.get("/admin/posts")).status == 303
        assert (await there.get("/admin/posts")).status == 303
    assert "SessionEnded" in [entry.name for entry in await outbox(site.database)]
    assert (await here.get("/admin/posts")).status == 200


async def test_all_others_are_ended_at_once(site: Site) -> None:
    others, here = [await signed_in(site, SAFARI) for _ in range(3)], await signed_in(site, FIREFOX)
    stranger = await site.signed_in("editor")
    assert (await here.post("/account/security/sessions", {"_method": "delete"})).status == 303
    assert [(await other.get("/admin/posts")).status for other in others] == [303] * 3
    assert [(await each.get("/admin/posts")).status for each in (here, stranger)] == [200, 200]


async def test_anothers_session_is_not_there(site: Site) -> None:
    victim, intruder = await signed_in(site, SAFARI), await site.signed_in("editor")
    async with site.database.read() as session:
        user = await accounts.get_by_email(session, "author@example.org")
        (row,) = await sessions.list_of(session, user.id, site.database.clock())
    for session_id in (row.id, row.id + 100):
        assert (await intruder.post(f"/account/security/sessions/{session_id}", {"_method": "delete"})).status == 404
    assert (await victim.get("/admin/posts")).status == 200


async def test_session_that_was_signed_out_is_of_no_use(site: Site) -> None:
    browser = await signed_in(site, FIREFOX)
    kept = browser.cookies["session"]
    with events(site.database) as heard:
        await browser.post("/logout")
    assert [type(event) for event in heard] == [SessionEnded]
    browser.cookies["session"] = kept
    assert (await browser.get("/account/security")).status == 303


async def test_swapped_cookies_are_none(site: Site) -> None:
    """Each is signed for its own name."""
    browser = await signed_in(site, FIREFOX)
    swapped = Browser(site.url, {**browser.cookies, "session": browser.cookies["known"], "known": browser.cookies["session"]})
    assert (await swapped.get("/account/security")).status == 303


async def test_anothers_form_key_does_nothing(site: Site) -> None:
    here, there = await signed_in(site, FIREFOX), await site.signed_in("editor")
    answer = await here.send("POST", "/account/security/sessions", {"_method": "delete", "_xsrf": there.cookies["xsrf"]})
    assert (answer.status, "key no longer fits" in answer.words) == (403, True)


# --- password ---


async def test_new_password_keeps_this_session_with_a_new_token_and_ends_the_others(site: Site) -> None:
    other, here = await signed_in(site, SAFARI), await signed_in(site, FIREFOX)
    before = here.cookies["session"]
    with events(site.database) as heard:
        assert (await here.post("/account/security/password", {"password": NEW})).status == 303
    assert [event.aspects for event in heard if isinstance(event, UserChanged)] == [("password",)]
    assert here.cookies["session"] != before
    assert (await here.get("/admin/posts")).status == 200
    assert (await Browser(site.url, {"session": before}).get("/admin/posts")).status == 303
    assert (await other.get("/admin/posts")).status == 303
    assert (await site.browser().sign_in("author@example.org")).status == 422
    assert (await site.browser().sign_in("author@example.org", NEW)).status == 303


@pytest.mark.parametrize("password", ["short", "password12", "author@example.org", "Author Person"])
async def test_bad_password_is_refused_with_advice(site: Site, password: str) -> None:
    here = await signed_in(site, FIREFOX)
    answer = await here.post("/account/security/password", {"password": password})
    assert answer.status == 422
    assert "easy to guess" in answer.words or "At least 10 characters" in answer.words
    page = answer.page
    assert fields(page, form_of(page, "/account/security/password"))["password"] == ""
    assert "New password" in [words(label) for label in page.iter("label")]
    assert (await site.browser().sign_in("author@example.org")).status == 303


# --- app and codes ---


async def test_app_is_turned_on_only_with_its_code(site: Site, clock: Clock) -> None:
    here = await signed_in(site, FIREFOX)
    page = await here.get("/account/security/authenticator")
    sealed = next(each.get("value") for each in page.page.iter("input") if each.get("name") == "secret")
    image = next(each.get("src") for each in page.page.iter("img"))
    assert str(image).startswith("data:image/svg+xml")
    link = next(each.get("href") or "" for each in page.page.iter("a") if (each.get("href") or "").startswith("otpauth:"))
    assert words(by_id(page.page, "secret")).replace(" ", "") in link, "a phone cannot scan its own screen"
    answer = await here.post("/account/security/authenticator", {"secret": sealed, "code": "000000"})
    assert answer.status == 422
    assert words(by_id(answer.page, "secret")) == words(by_id(page.page, "secret")), "the app has it already"
    async with site.database.read() as session:
        assert (await accounts.get_by_email(session, "author@example.org")).totp_secret is None


async def test_code_that_is_no_number_is_refused(site: Site) -> None:
    here = await signed_in(site, FIREFOX)
    page = await here.get("/account/security/authenticator")
    sealed = next(each.get("value") for each in page.page.iter("input") if each.get("name") == "secret")
    for code in ("12345é", "１２３４５６", "abc"):
        assert (await here.post("/account/security/authenticator", {"secret": sealed, "code": code})).status == 422


async def test_secret_proposed_to_another_is_not_taken(site: Site, clock: Clock) -> None:
    here, there = await signed_in(site, FIREFOX), await site.signed_in("editor")
    page = (await there.get("/account/security/authenticator")).page
    sealed = next(each.get("value") for each in page.iter("input") if each.get("name") == "secret")
    secret = words(by_id(page, "secret")).replace(" ", "")
    answer = await here.post("/account/security/authenticator", {"secret": sealed, "code": code_at(secret, clock())})
    assert answer.status == 422


async def test_codes_are_shown_once_and_made_anew(site: Site) -> None:
    here = await signed_in(site, FIREFOX)
    _, old = await turn_on_app(site, here)
    page = await here.get("/account/security/codes")
    assert not by_class(page.page, "codes")
    shown = await here.post("/account/security/codes")
    new = [words(each) for each in by_class(shown.page, "codes")[0]]
    assert (len(new), set(new) & set(old)) == (10, set())
    download = next(link for link in shown.page.iter("a") if link.get("download"))
    assert download.get("href") == f"data:text/plain;charset=utf-8,{'%0A'.join(new)}%0A"


async def test_turning_off_leaves_the_password_alone(site: Site) -> None:
    here = await signed_in(site, FIREFOX)
    await turn_on_app(site, here)
    before = here.cookies["session"]
    assert (await here.post("/account/security/authenticator", {"_method": "delete"})).status == 303
    assert here.cookies["session"] != before
    assert (await site.browser().sign_in("author@example.org")).location == "/admin"


# --- "confirm it is you" ---


@pytest.mark.parametrize("path", DANGEROUS)
async def test_dangerous_pages_are_open_for_ten_minutes(site: Site, clock: Clock, path: str) -> None:
    here = await signed_in(site, FIREFOX)
    clock.pass_(minutes=9)
    assert (await here.get(path)).status == 200
    clock.pass_(minutes=2)
    answer = await here.get(path)
    assert (answer.status, answer.location) == (303, f"/account/confirmation?next={path.replace('/', '%2F')}")


async def test_who_does_not_confirm_invites_nobody(site: Site, clock: Clock) -> None:
    """Whoever finds the desk of an administrator open would make an account of his own there."""
    await site.person("owner")
    browser = await site.signed_in("administrator")
    clock.pass_(minutes=11)
    wanted = {"email": "nia@example.org", "role": "administrator"}
    assert (await browser.get("/admin/people/invitations")).location == "/account/confirmation?next=%2Fadmin%2Fpeople%2Finvitations"
    assert (await browser.post("/admin/people/invitations", wanted)).status == 403
    await browser.post("/account/confirmation", {"password": PASSWORD})
    assert (await browser.post("/admin/people/invitations", wanted)).status == 200
    clock.pass_(minutes=11)
    assert (await browser.post("/admin/people/invitations/1", {})).status == 403


async def test_who_does_not_confirm_changes_nothing_of_who_needs_a_second_factor(site: Site, clock: Clock) -> None:
    browser = await site.signed_in("owner")
    clock.pass_(minutes=11)
    answer = await browser.post("/admin/site/security", {"version": "1", "second_factor_from": "editor"})
    assert answer.status == 403
    assert "editor" in answer.text
    sent = {"version": "1", "security_contact": "safe@example.org"}
    assert (await browser.post("/admin/site/security", sent)).status == 303, "whatever else there is, he may"


async def test_what_is_sent_too_late_is_kept_on_the_page_and_not_done(site: Site, clock: Clock) -> None:
    here = await signed_in(site, FIREFOX)
    await add_passkey(site, here)
    clock.pass_(minutes=11)
    answer = await here.post("/account/security/passkeys/1", {"name": "Key in the drawer"})
    assert answer.status == 403
    assert "Confirm first that it is you" in answer.words
    assert "/account/confirmation" in [link.get("href") for link in answer.page.iter("a")]
    again = form_of(answer.page, "/account/security/passkeys/1")
    assert [each.get("value") for each in again.iter("input") if each.get("name") == "name"] == ["Key in the drawer"]
    secret = await here.post("/account/security/password", {"username": "author@example.org", "password": NEW})
    assert by_id(secret.page, "password").get("autocomplete") == "new-password", "or the browser fills in the old one"
    secret = await here.post("/account/security/password", {"password": NEW})
    assert (secret.status, NEW in secret.text) == (403, False)
    assert "/account/confirmation" in [link.get("href") for link in secret.page.iter("a")]
    assert "Laptop" in (await here.get("/account/security")).words
    assert (await here.post("/account/confirmation", {"password": PASSWORD})).location == "/account/security"
    assert "Send from there now what was not done." in (await here.get("/account/security")).words, "in the new tab"


@pytest.mark.parametrize("way", ["password", "app", "passkey"])
async def test_confirmation_opens_them_with_a_new_token(site: Site, clock: Clock, way: str) -> None:
    here = await signed_in(site, FIREFOX)
    if way == "app":
        secret, _ = await turn_on_app(site, here)
    elif way == "passkey":
        key = await add_passkey(site, here)
    clock.pass_(minutes=11)
    before = here.cookies["session"]
    if way == "passkey":
        answer = await use_passkey(here, key, "/account/confirmation", next="/account/security/codes")
    else:
        proof = {"password": PASSWORD} if way == "password" else {"code": code_at(secret, clock())}
        answer = await here.post("/account/confirmation", {**proof, "next": "/account/security/codes"})
    assert (answer.status, answer.location) == (303, "/account/security/codes")
    assert here.cookies["session"] != before
    assert (await here.get("/account/security/codes")).status == 200
    assert (await Browser(site.url, {"session": before}).get("/account/security")).status == 303


async def test_wrong_proof_opens_nothing_and_cannot_be_tried_out(site: Site, clock: Clock) -> None:
    here = await signed_in(site, FIREFOX)
    theirs = await add_passkey(site, await site.signed_in("editor"))
    clock.pass_(minutes=11)
    assert (await here.post("/account/confirmation")).status == 422
    assert (await use_passkey(here, theirs, "/account/confirmation")).status == 422
    for _ in range(10):
        wrong = await here.post("/account/confirmation", {"password": "wrong horse"})
        assert wrong.status == 422
    assert by_id(wrong.page, "password").get("aria-describedby") == "wrong"
    answer = await here.post("/account/confirmation", {"password": PASSWORD})
    assert (answer.status, int(answer.headers["Retry-After"]) > 0) == (429, True)
    assert (await here.get("/account/security/password")).status == 303


async def test_nobody_is_led_to_another_site(site: Site, clock: Clock) -> None:
    here = await signed_in(site, FIREFOX)
    answer = await here.post("/account/confirmation", {"password": PASSWORD, "next": "//evil.example/"})
    assert answer.location == "/account/security"


async def test_database_says_who_is_signed_in_not_the_process(site: Site, database_url: str) -> None:
    """What another process commits counts at once."""
    here = await signed_in(site, FIREFOX)
    elsewhere = Database(database_url)
    async with elsewhere.transaction() as work:
        await accounts.end_sessions(work, await accounts.get_by_email(work.session, "author@example.org"), "role")
    await elsewhere.dispose()
    assert (await here.get("/admin/posts")).status == 303
