"""The one-time link."""

import asyncio

import pytest
from sqlalchemy import func, select

from cms.errors import Conflict
from cms.models import AuditEntry
from cms.services import site as site_service
from tests import factories
from tests.handlers.admin.pages import by_class, fields, title, words
from tests.web import PASSWORD, Site

OWNER = {"name": "Olga Owner", "email": "olga@example.org", "password": PASSWORD}


async def test_link_makes_the_owner_and_signs_in(site: Site) -> None:
    browser, link = site.browser(), f"/setup/{site.application.parts.owner_token}"
    page = await browser.get(link)
    assert page.status == 200
    assert set(fields(page.page)) == {"_xsrf", "name", "email", "password"}
    answer = await browser.post(link, OWNER)
    assert (answer.status, answer.location) == (303, "/admin/welcome")
    assert "Welcome." in (await browser.get("/admin/welcome")).words
    assert "Olga Owner" in (await browser.get("/admin/posts")).words
    assert "Welcome." not in (await browser.get("/admin/posts")).words
    assert site.application.parts.has_owner


async def test_lost_form_key_brings_the_form_back(site: Site) -> None:
    browser, link = site.browser(), f"/setup/{site.application.parts.owner_token}"
    answer = await browser.post(link, {**OWNER, "_xsrf": "wrong"})
    assert answer.status == 403
    assert "its key no longer fits" in answer.words
    form = fields(answer.page)
    assert {name: form[name] for name in OWNER} == {**OWNER, "password": ""}
    assert "Make it mine" not in (await browser.post("/setup/wrong", {**OWNER, "_xsrf": "wrong"})).words
    assert (await browser.send("POST", link, {**form, "password": PASSWORD})).status == 303
    assert "Make it mine" not in (await browser.post(link, {**OWNER, "_xsrf": "wrong"})).words


async def test_link_is_of_no_use_afterwards(site: Site) -> None:
    await site.person("owner")
    link = f"/setup/{site.application.parts.owner_token}"
    assert (await site.browser().get(link)).status == 404
    answer = await site.browser().post(link, OWNER)
    assert answer.status == 404
    assert "has an owner already" in answer.words


@pytest.mark.parametrize("token", ["wrong", "A" * 43, "-"])
async def test_wrong_link_is_not_found(site: Site, token: str) -> None:
    assert (await site.browser().get(f"/setup/{token}")).status == 404
    assert (await site.browser().post(f"/setup/{token}", OWNER)).status == 404


async def test_what_is_wrong_is_said_at_its_field(site: Site) -> None:
    link = f"/setup/{site.application.parts.owner_token}"
    answer = await site.browser().post(link, {**OWNER, "email": "olga", "password": "short", "name": ""})
    assert answer.status == 422
    assert title(answer).startswith("Error: ")
    assert "short" not in answer.text.replace("shortly", "")
    assert "At least 10 characters, please." in answer.words
    assert "This is not an e-mail address." in answer.words
    assert fields(answer.page)["email"] == "olga"


@pytest.mark.parametrize(("name", "words"), [("  ", "This is needed."), ("x" * 81, "At most 80 characters, please.")])
async def test_easy_password_is_told_in_the_same_round_as_the_rest(site: Site, name: str, words: str) -> None:
    answer = await site.browser().post(f"/setup/{site.application.parts.owner_token}", {**OWNER, "name": name, "password": "password12"})
    assert answer.status == 422
    assert words in answer.words
    assert "This is easy to guess." in answer.words


async def test_of_two_at_once_one_wins(site: Site) -> None:
    link = f"/setup/{site.application.parts.owner_token}"
    browsers = [site.browser(), site.browser()]
    for browser in browsers:
        await browser.get(link)
    people = [{**OWNER, "email": f"{name}@example.org", "name": name} for name in ("olga", "anna")]
    answers = await asyncio.gather(*(browser.post(link, person) for browser, person in zip(browsers, people, strict=True)))
    assert sorted(answer.status for answer in answers) in ([303, 404], [303, 409])
    loser = next(answer for answer in answers if answer.status != 303)
    assert "has an owner already" in loser.words


# --- three questions ---


async def test_the_first_run_asks_three_questions_once(site: Site) -> None:
    browser = await site.signed_in("owner")
    given = fields((await browser.get("/admin/welcome")).page)
    assert (given["name"], given["time_zone"], given["begin"]) == ("The Tide Table", "UTC", "fresh"), "a name that is known is proposed"
    answer = await browser.post("/admin/welcome", {**given, "name": "", "time_zone": "Mars/Base"})
    assert answer.status == 422
    assert [words(row).partition(":")[0] for row in by_class(answer.page, "problems")[0].iter("li")] == ["Name of the site", "Time zone"]
    assert (await browser.post("/admin/welcome", {**given, "name": "Mud", "time_zone": "Asia/Tokyo"})).location == "/admin/posts/new"
    assert (await browser.get("/admin/welcome")).location == "/admin"
    async with site.database.read() as session:
        row = await site_service.get(session)
    assert (row.name, row.time_zone, row.is_set_up) == ("Mud", "Asia/Tokyo", True)


@pytest.mark.parametrize("again", [{"name": "Sand", "time_zone": "UTC", "begin": "fresh"}, {"later": "on"}, {"name": ""}])
async def test_what_was_answered_is_not_answered_again(site: Site, again: dict[str, str]) -> None:
    browser = await site.signed_in("owner")
    await browser.post("/admin/welcome", {"name": "Mud", "time_zone": "Asia/Tokyo", "begin": "fresh"})
    answer = await browser.post("/admin/welcome", again)
    assert (answer.status, answer.location) == (303, "/admin")
    assert "These questions were answered already; the settings of the site have it all." in (await browser.get("/admin")).words
    async with site.database.read() as session:
        row = await site_service.get(session)
        noted = await session.scalar(select(func.count()).where(AuditEntry.action == "site.set_up"))
    assert (row.name, row.time_zone, noted) == ("Mud", "Asia/Tokyo", 1)
    olga = await factories.person(site.database, "owner")
    with pytest.raises(Conflict, match="answered already"):  # by two at one moment
        async with site.database.transaction() as work:
            await site_service.set_up(work, olga, None)


@pytest.mark.parametrize(
    ("form", "leads_to"),
    [({"later": "on", "name": ""}, "/admin"), ({"name": "Mud", "time_zone": "UTC", "begin": "import"}, "/admin/transfers")],
)
async def test_the_questions_can_be_left_for_later_or_lead_to_an_import(site: Site, form: dict[str, str], leads_to: str) -> None:
    browser = await site.signed_in("owner")
    assert (await browser.post("/admin/welcome", form)).location == leads_to
    assert (await browser.get(leads_to)).status == 200
    assert (await browser.get("/admin/welcome")).status == 303
    assert (await (await site.signed_in("editor")).get("/admin/welcome")).status == 403
