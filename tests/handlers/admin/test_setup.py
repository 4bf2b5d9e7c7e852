"""The one-time link."""

import asyncio

import pytest

from cms.services import site as site_service
from tests.handlers.admin.pages import fields, title
from tests.web import PASSWORD, Site

OWNER = {"site_name": "The Tide Table", "name": "Olga Owner", "email": "olga@example.org", "password": PASSWORD}


async def test_link_makes_the_owner_and_signs_in(site: Site) -> None:
    browser, link = site.browser(), f"/setup/{site.application.parts.owner_token}"
    page = await browser.get(link)
    assert page.status == 200
    assert set(fields(page.page)) == {"_xsrf", "site_name", "name", "email", "password"}
    answer = await browser.post(link, OWNER)
    assert (answer.status, answer.location) == (303, "/admin/posts")
    desk = await browser.get("/admin/posts")
    assert "Welcome." in desk.words
    assert "The Tide Table" in title(desk)
    assert "Olga Owner" in desk.words
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
    assert fields(answer.page)["site_name"] == "The Tide Table"


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


async def test_a_site_that_has_a_name_is_asked_about_it(site: Site) -> None:
    """The demo's publication is called something already."""
    async with site.database.transaction() as work:
        await site_service.configure(work, name="The Tide Table")
    answer = await site.browser().get(f"/setup/{site.application.parts.owner_token}")
    assert fields(answer.page)["site_name"] == "The Tide Table"
