"""Whatever goes wrong, what was typed is in the answer, in a form that can be sent again."""

from typing import Any

import pytest

from cms.db.session import Database
from cms.errors import StorageFull, Unavailable
from cms.services import posts
from tests.handlers.admin.pages import TEXT, buttons, by_class, editor, fields, form_of, title, words, written
from tests.web import Answer, Browser, Site

TYPED = {
    "title": "Three hours' work",
    "text": "\n  First line\n\n</textarea><b>not bold</b>\n",
    "slug": "three-hours",
    "excerpt": "Two\nlines & <more>",
    "tags": "One, Two",
    "category": "3",
    "version": "1",
}


def kept(answer: Answer) -> dict[str, str]:
    """What the offered form would send; fails if anything typed is missing."""
    assert "Everything you typed is here." in answer.words
    assert title(answer).startswith("Error: ")
    assert "Send again" in buttons(answer.page)
    page = answer.page
    form = fields(page, form_of(page))
    for name, value in TYPED.items():
        assert form[name] == value, name
    return form


async def test_ended_session_keeps_the_text_and_it_can_be_sent_after_signing_in(site: Site) -> None:
    browser = await site.signed_in("owner")
    post_id = await written(browser)
    token = browser.cookies["xsrf"]
    await browser.post("/logout")
    answer = await browser.post(f"/admin/posts/{post_id}", TYPED)
    assert answer.status == 401
    form = kept(answer)
    link = next(link for link in answer.page.iter("a") if link.get("target") == "_blank")
    assert link.get("href") == "/login"
    assert browser.cookies["xsrf"] == token
    await browser.sign_in("owner@example.org")
    form["category"] = ""
    again = await browser.send("POST", form_of(answer.page).get("action") or "", form)
    assert again.status == 303
    assert (await editor(browser, post_id))["text"] == TYPED["text"]


async def test_all_that_were_chosen_of_one_name_are_kept(site: Site) -> None:
    browser = await site.signed_in("owner")
    post_id = await written(browser)
    await browser.post("/logout")
    assert kept(await browser.post(f"/admin/posts/{post_id}", {**TYPED, "authors": ["3", "7", ""]}))["authors"] == "3,7,"


@pytest.mark.parametrize("token", ["", "wrong", "2|ffffffff|deadbeef|1700000000"])
async def test_wrong_form_key_keeps_the_text_and_offers_a_fresh_one(site: Site, token: str) -> None:
    browser = await site.signed_in("owner")
    post_id = await written(browser)
    answer = await browser.post(f"/admin/posts/{post_id}", {**TYPED, "_xsrf": token})
    assert answer.status == 403
    assert "its key no longer fits" in answer.words
    form = kept(answer)
    assert form["_xsrf"] != token
    again = await browser.send("POST", f"/admin/posts/{post_id}", {**form, "category": ""})
    assert again.status == 303
    assert (await editor(browser, post_id))["title"] == TYPED["title"]


async def test_lost_cookies_keep_the_text(site: Site) -> None:
    browser = await site.signed_in("owner")
    await written(browser)
    token = browser.cookies["xsrf"]
    browser.cookies.clear()
    answer = await browser.send("POST", "/admin/posts/1", {**TYPED, "_xsrf": token})
    assert answer.status == 403
    again = await browser.send("POST", "/admin/posts/1", kept(answer))
    assert again.status == 401, "the fresh key fits; who it is must still be said"
    kept(again)


async def test_key_of_another_browser_does_not_fit(site: Site) -> None:
    browser, other = await site.signed_in("owner"), site.browser()
    await other.get("/login")
    answer = await browser.send("POST", "/admin/posts", {**TYPED, "_xsrf": other.cookies["xsrf"]})
    assert answer.status == 403
    kept(answer)


def _raising(error: Exception) -> Any:
    async def fail(*_: Any, **__: Any) -> None:
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (Unavailable(), 503, "The site is resting for a moment."),
        (StorageFull(), 507, "The disk is full, so nothing was saved."),
        (RuntimeError("bug"), 500, "Something went wrong on our side"),
    ],
)
@pytest.mark.parametrize("address", ["/admin/posts", "/admin/posts/1"])
async def test_failing_program_keeps_the_text(
    site: Site, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, sentence: str, address: str
) -> None:
    browser = await site.signed_in("owner")
    await written(browser)
    for name in ("save", "create"):
        monkeypatch.setattr(posts, name, _raising(error))
    answer = await browser.post(address, TYPED)
    assert answer.status == status
    assert sentence in answer.words
    assert "bug" not in answer.text
    kept(answer)
    if status == 503:
        assert answer.headers["Retry-After"] == "5"


async def test_database_that_is_away_keeps_the_text(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even the session can be looked up then."""
    browser = await site.signed_in("owner")
    await written(browser)

    def away(self: Database) -> None:
        raise Unavailable

    monkeypatch.setattr(Database, "read", away)
    answer = await browser.post("/admin/posts/1", TYPED)
    assert answer.status == 503
    kept(answer)


async def test_conflict_in_an_odd_place_keeps_the_text(site: Site) -> None:
    browser = await site.signed_in("owner")
    post_id = await written(browser)
    await browser.post(f"/admin/posts/{post_id}", {"_method": "delete"})
    answer = await browser.post(f"/admin/posts/{post_id}", {**TYPED, "category": ""})
    assert answer.status == 409
    assert "This is in the trash; take it out to go on writing." in answer.words
    page = answer.page
    assert fields(page, form_of(page))["text"] == TYPED["text"]


async def test_missing_permission_keeps_the_text(site: Site) -> None:
    contributor, owner = await site.signed_in("contributor"), await site.signed_in("owner")
    post_id = await written(contributor)
    page = (await owner.get(f"/admin/posts/{post_id}/publication")).page
    await owner.post(f"/admin/posts/{post_id}/publication", fields(page, form_of(page)))
    answer = await contributor.post(f"/admin/posts/{post_id}", TYPED)
    assert answer.status == 403
    assert "You may not do that." in answer.words
    kept(answer)


async def test_post_that_is_gone_keeps_the_text(site: Site) -> None:
    browser = await site.signed_in("owner")
    answer = await browser.post("/admin/posts/77", TYPED)
    assert answer.status == 404
    kept(answer)


async def test_unknown_method_keeps_the_text(site: Site) -> None:
    browser = await site.signed_in("owner")
    answer = await browser.post("/admin/posts", {**TYPED, "_method": "brew"})
    assert answer.status == 400
    kept(answer)
    answer = await browser.post("/admin/posts", {**TYPED, "_method": "put"})
    assert answer.status == 405
    kept(answer)


async def test_control_characters_do_not_break_the_page(site: Site) -> None:
    browser = await site.signed_in("owner")
    answer = await browser.post("/admin/posts/77", {"title": "a\x00b\x0bc\x85d\ufffee", "text": b"\xff\xfe"})
    assert answer.status == 404
    page = answer.page
    assert fields(page, form_of(page))["title"] == "abcde"


async def _from_elsewhere(browser: Browser, headers: dict[str, str]) -> Answer:
    return await browser.send("POST", "/admin/posts", {**TYPED, "_xsrf": browser.cookies["xsrf"]}, headers)


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
async def test_form_of_another_site_is_refused_and_not_offered_again(site: Site, headers: dict[str, str]) -> None:
    """Offering it again would put our own key into a form whose words an attacker chose."""
    browser = await site.signed_in("owner")
    for token in (browser.cookies["xsrf"], ""):
        answer = await browser.send("POST", "/admin/posts", {**TYPED, "_xsrf": token}, headers)
        assert answer.status == 403
        assert "This was sent from another site, so nothing was done." in answer.words
        assert TYPED["title"] not in answer.text
        assert not list(answer.page.iter("form"))
    assert "Nothing written yet" in (await browser.get("/admin/posts")).words


async def test_own_pages_are_not_another_site(site: Site) -> None:
    browser = await site.signed_in("owner")
    for headers in ({"Sec-Fetch-Site": "same-origin"}, {"Origin": site.url}, {"Sec-Fetch-Site": "none"}):
        assert (await _from_elsewhere(browser, headers)).status != 403


async def test_act_without_words_gets_a_plain_page(site: Site) -> None:
    browser = await site.signed_in("owner")
    post_id = await written(browser)
    token = browser.cookies["xsrf"]
    await browser.post("/logout")
    answer = await browser.send("POST", f"/admin/posts/{post_id}", {"_method": "delete", "_xsrf": token})
    assert answer.status == 401
    assert "Send again" not in buttons(answer.page)
    assert words(next(answer.page.iter("h1"))) == "Your session has ended, so this was not done."


async def test_error_pages_are_not_kept_and_have_the_policy(site: Site) -> None:
    browser = await site.signed_in("owner")
    for answer in (await browser.post("/admin/posts/77", TYPED), await browser.get("/admin/posts/77")):
        assert answer.status == 404
        assert answer.headers["Cache-Control"] == "no-store"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]


async def test_unsaved_text_stands_in_the_refused_form(site: Site) -> None:
    browser = await site.signed_in("owner")
    post_id = await written(browser)
    answer = await browser.post(f"/admin/posts/{post_id}", {**TYPED, "title": "x" * 400, "category": ""})
    assert answer.status == 422
    assert TEXT not in answer.words
    assert by_class(answer.page, "problems")
