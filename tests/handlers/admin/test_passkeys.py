"""Passkeys: signing in with nothing else, and everything that must not let anybody in."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from cms.models import AuditEntry, Passkey
from cms.policy import SYSTEM
from cms.rendering import Renderer
from cms.services import accounts, identities
from tests.authenticator import Authenticator
from tests.handlers.admin.pages import by_class
from tests.handlers.admin.signing_in import add_passkey, send_new_key, use_passkey
from tests.web import Browser, Site, running_site


async def rows(site: Site) -> list[Passkey]:
    async with site.database.read() as session:
        return list(await session.scalars(select(Passkey).order_by(Passkey.id)))


async def challenge(browser: Browser, at: str = "/login/passkey/challenge") -> Any:
    return json.loads((await browser.post(at)).text)


async def test_passkey_signs_in_without_name_and_password(site: Site) -> None:
    key = await add_passkey(site, await site.signed_in("author"))
    browser = site.browser()
    answer = await use_passkey(browser, key, next="/admin/posts/new")
    assert (answer.status, answer.location) == (303, "/admin/posts/new")
    assert "author" in (await browser.get("/admin/posts")).words
    (row,) = await rows(site)
    assert (row.sign_count, row.used_at is not None, row.name) == (1, True, "Laptop")


async def test_options_ask_for_what_signing_in_without_a_name_needs(site: Site) -> None:
    browser = await site.signed_in("author")
    options = await challenge(browser, "/account/security/passkeys/challenge")
    assert options["authenticatorSelection"] | {"requireResidentKey": True} == {
        "residentKey": "required", "requireResidentKey": True, "userVerification": "required",
    }  # fmt: skip
    assert (options["rp"]["id"], options["user"]["name"]) == ("localhost", "author@example.org")
    assert options["user"]["id"] not in ("1", "author@example.org"), "it is told to authenticators, and says nothing"
    again = await challenge(browser, "/account/security/passkeys/challenge")
    assert again["user"]["id"] == options["user"]["id"]
    assert again["challenge"] != options["challenge"]
    alone = await challenge(site.browser())
    assert (alone.get("allowCredentials", []), alone["userVerification"]) == ([], "required")


async def test_answer_is_right_once(site: Site) -> None:
    key = await add_passkey(site, await site.signed_in("author"))
    browser = site.browser()
    answer = key.use(await challenge(browser))
    assert (await browser.post("/login/passkey", {"credential": answer})).location == "/admin"
    thief = site.browser()
    assert (await thief.post("/login/passkey", {"credential": answer})).location == "/login"
    assert "session" not in thief.cookies


async def test_names_of_passkeys_are_not_in_the_record(site: Site) -> None:
    """They are often people's, and no erasure looks for them there."""
    browser = await site.signed_in("author")
    await add_passkey(site, browser, "Ana's phone")
    await browser.post("/account/security/passkeys/1", {"name": "Ana's old phone"})
    await browser.post("/account/security/passkeys/1", {"_method": "delete"})
    async with site.database.read() as session:
        noted = await session.execute(select(AuditEntry.action, AuditEntry.details).where(AuditEntry.action.startswith("passkey.")))
    assert [tuple(row) for row in noted] == [(f"passkey.{act}", {"passkey": 1}) for act in ("add", "rename", "remove")]


async def test_refused_answer_uses_its_challenge_up(site: Site) -> None:
    key = await add_passkey(site, await site.signed_in("author"))
    browser = site.browser()
    options = await challenge(browser)
    key.is_verified = False
    assert (await browser.post("/login/passkey", {"credential": key.use(options)})).location == "/login"
    key.is_verified = True
    assert (await browser.post("/login/passkey", {"credential": key.use(options)})).location == "/login"
    assert "session" not in browser.cookies
    assert "not accepted" in (await browser.get("/login")).words


@pytest.mark.parametrize(
    "fault", ["unverified", "elsewhere", "unknown", "forged", "own challenge", "for another", "rubbish", "of registration"]
)
async def test_wrong_answers_let_nobody_in(site: Site, fault: str) -> None:
    owner = await site.signed_in("author")
    key, browser = await add_passkey(site, owner), site.browser()
    options = await challenge(browser)
    if fault == "unverified":
        key.is_verified = False
    elif fault == "elsewhere":
        key.origin = "https://squa11.example"
    elif fault == "unknown":
        key.id = b"?" * 32
    elif fault == "forged":
        key.key = Authenticator("").key
    elif fault == "own challenge":
        options["challenge"] = "A" * 58
    elif fault == "for another":
        options = await challenge(owner, "/account/confirmation/challenge")
    elif fault == "of registration":
        options["challenge"] = (await challenge(owner, "/account/security/passkeys/challenge"))["challenge"]
    sent = '{"id": "\\u0000"}' if fault == "rubbish" else key.use(options)
    answer = await browser.post("/login/passkey", {"credential": sent})
    assert (answer.status, answer.location, "session" in browser.cookies) == (303, "/login", False)


async def test_copied_key_is_found_by_its_count(site: Site) -> None:
    key = await add_passkey(site, await site.signed_in("author"))
    assert (await use_passkey(site.browser(), key)).location == "/admin"
    assert (await use_passkey(site.browser(), key)).location == "/admin"
    key.count = 1
    assert (await use_passkey(site.browser(), key)).location == "/login"
    async with site.database.read() as session:
        assert "passkey.refuse" in (await session.scalars(select(AuditEntry.action))).all()


async def test_disabled_person_stays_outside(site: Site) -> None:
    key = await add_passkey(site, await site.signed_in("author"))
    async with site.database.transaction() as work:
        await accounts.disable(work, SYSTEM, await accounts.get_by_email(work.session, "author@example.org"))
    assert (await use_passkey(site.browser(), key)).location == "/login"


async def test_session_is_a_new_one(site: Site) -> None:
    """Whoever plants a session of his own in a browser must not be in the account of whoever signs in there."""
    key = await add_passkey(site, await site.signed_in("author"))
    intruder, victim = await site.signed_in("editor"), site.browser()
    await victim.get("/login")
    victim.cookies["session"] = planted = intruder.cookies["session"]
    assert (await use_passkey(victim, key)).status == 303
    assert victim.cookies["session"] != planted
    assert (await intruder.get("/admin/posts")).status == 303


# --- adding, naming, removing ---


async def test_first_key_brings_recovery_codes_and_the_second_none(site: Site) -> None:
    browser = await site.signed_in("author")
    first = await send_new_key(browser, Authenticator(site.application.parts.settings.public_url))
    assert (first.status, len(list(by_class(first.page, "codes")[0]))) == (200, 10)
    second = await send_new_key(browser, Authenticator(site.application.parts.settings.public_url), "Phone")
    assert (second.status, second.location) == (303, "/account/security")
    page = await browser.get("/account/security")
    assert "Laptop" in page.words
    assert "Phone" in page.words
    options = await challenge(browser, "/account/security/passkeys/challenge")
    assert len(options["excludeCredentials"]) == 2


async def test_answer_for_another_registers_nothing(site: Site) -> None:
    author, editor = await site.signed_in("author"), await site.signed_in("editor")
    options = await challenge(author, "/account/security/passkeys/challenge")
    key = Authenticator(site.application.parts.settings.public_url)
    sent = key.make(options)
    assert (await editor.post("/account/security/passkeys", {"name": "Mine", "credential": sent})).status == 422
    assert (await author.post("/account/security/passkeys", {"name": "Mine", "credential": sent})).status == 422, "it is used up"
    assert await rows(site) == []
    assert (await author.get("/account/security")).status == 200


async def test_key_that_somebody_has_is_not_taken_over(site: Site) -> None:
    key = await add_passkey(site, await site.signed_in("author"))
    answer = await send_new_key(await site.signed_in("editor"), key)
    assert (answer.status, len(await rows(site))) == (422, 1)


async def test_key_is_renamed_and_removed(site: Site) -> None:
    browser = await site.signed_in("author")
    key = await add_passkey(site, browser)
    (row,) = await rows(site)
    at = f"/account/security/passkeys/{row.id}"
    assert (await browser.post(at, {"name": " "})).status == 422
    assert (await browser.post(at, {"name": "Key in the drawer"})).status == 303
    assert "Key in the drawer" in (await browser.get("/account/security")).words
    before = browser.cookies["session"]
    assert (await browser.post(at, {"_method": "delete"})).status == 303
    assert browser.cookies["session"] != before
    assert await rows(site) == []
    assert (await use_passkey(site.browser(), key)).location == "/login"
    assert (await site.browser().sign_in("author@example.org")).location == "/admin", "no second factor is left to ask for"


async def test_anothers_key_is_not_there(site: Site) -> None:
    await add_passkey(site, await site.signed_in("author"))
    (row,) = await rows(site)
    browser = await site.signed_in("owner")
    at = f"/account/security/passkeys/{row.id}"
    assert (await browser.get(at)).status == 404
    assert (await browser.post(at, {"name": "Mine"})).status == 404
    assert (await browser.post(at, {"_method": "delete"})).status == 404
    assert [each.name for each in await rows(site)] == ["Laptop"]


async def test_last_way_in_cannot_be_removed(site: Site) -> None:
    browser = await site.signed_in("author")
    await add_passkey(site, browser)
    (row,) = await rows(site)
    async with site.database.transaction() as work:
        (await accounts.get_by_email(work.session, "author@example.org")).password_hash = None
    answer = await browser.post(f"/account/security/passkeys/{row.id}", {"_method": "delete"})
    assert answer.status == 409
    assert "Set a password first" in answer.words
    assert len(await rows(site)) == 1
    async with site.database.transaction() as work:
        author = await accounts.get_by_email(work.session, "author@example.org")
        await identities.link(work, author, "https://id.example.org", "author")
    assert (await browser.post(f"/account/security/passkeys/{row.id}", {"_method": "delete"})).status == 303
    owner = await site.signed_in("owner")
    assert "account elsewhere (no second factor)" in (await owner.get(f"/admin/people/{author.id}")).words


async def test_any_process_can_check_the_answer_once(site: Site, tmp_path: Path, database_url: str, renderer: Renderer) -> None:
    key = await add_passkey(site, await site.signed_in("author"))
    async with running_site(database_url, tmp_path / "other", renderer=renderer, site_url=key.origin) as other:
        here, there = site.browser(), other.browser()
        answer = key.use(await challenge(here))
        assert (await there.post("/login/passkey", {"credential": answer})).location == "/admin"
        assert (await here.post("/login/passkey", {"credential": answer})).location == "/login"


@pytest.mark.parametrize("path", ["/login/passkey", "/login/passkey/challenge", "/login/second-factor/challenge"])
async def test_lost_key_is_said_where_a_button_is_all_that_there_is(site: Site, path: str) -> None:
    await site.person("owner")
    answer = await site.browser().send("POST", path, {"_xsrf": "lost"}, {"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status == 403
    assert "its key no longer fits" in answer.words
