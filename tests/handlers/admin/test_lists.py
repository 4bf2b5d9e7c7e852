"""Lists over HTTP: filters in the address, views that are kept, columns, and what is done to what is chosen, without scripts."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree.ElementTree import Element

import pytest

from cms.db.session import utc_now
from cms.services import desk_lists
from tests import factories
from tests.handlers.admin.pages import by_class, by_id, fields, form_of, published, saved, title, words, written
from tests.watching import Clock
from tests.web import Answer, Browser, Site

BULK = "/admin/posts/bulk"


async def do(browser: Browser, act: str, *ids: int, **more: Any) -> Answer:
    return await browser.post(BULK, {"act": act, "id": list(ids), **more})


def undo_form(answer: Answer) -> Element:
    return next(form for form in answer.page.iter("form") if (form.get("action") or "").endswith("/undo"))


async def undo(browser: Browser, answer: Answer) -> Answer:
    """The button on the page that follows the act, pressed."""
    form = undo_form(answer)
    return await browser.post(form.get("action") or "", fields(answer.page, form))


async def titles(browser: Browser, query: str = "") -> list[str]:
    page = (await browser.get(f"/admin/posts?{query}")).page
    return [words(link) for link in by_class(page, "title") if link.tag == "a"]


async def test_filters_stand_in_the_address_and_are_taken_off_one_by_one(site: Site) -> None:
    browser = await site.signed_in("owner")
    await written(browser, title="Tides", tags="Sea")
    await written(browser, title="Other")
    page = (await browser.get("/admin/posts?tag=sea&mine=on&q=tide&sort=title")).page
    assert [words(each) for each in by_class(page, "title")] == ["Tides"]
    chips = {words(chip): chip.get("href") for chip in by_class(page, "chip") if chip.tag == "a"}
    assert chips == {
        "“tide”, remove this filter": "/admin/posts?tag=sea&mine=on&sort=title",
        "Tag: sea, remove this filter": "/admin/posts?q=tide&mine=on&sort=title",
        "Only what I wrote, remove this filter": "/admin/posts?q=tide&tag=sea&sort=title",
    }
    (sorted_by,) = [head for head in page.iter("th") if head.get("aria-sort")]
    assert (words(sorted_by), sorted_by.get("aria-sort")) == ("Title", "ascending")
    turned = next(sorted_by.iter("a")).get("href") or ""
    assert parse_qs(urlsplit(turned).query)["reverse"] == ["on"]
    empty = (await browser.get("/admin/posts?q=xylophone")).page
    assert words(by_id(empty, "empty")) == "Nothing is like that"


async def test_date_that_is_none_is_said_by_its_field(site: Site) -> None:
    browser = await site.signed_in("owner")
    await written(browser, title="Tides")
    answer = await browser.get("/admin/posts?since=soon&tag=sea")
    assert answer.status == 422
    since = by_id(answer.page, "since")
    assert (since.get("value"), since.get("aria-invalid")) == ("soon", "true")
    assert "write a day of the calendar" in answer.words.lower()


async def test_search_that_is_too_long_is_said_by_its_field(site: Site) -> None:
    browser = await site.signed_in("owner")
    await written(browser, title="Tides")
    answer = await browser.get("/admin/posts?q=" + 3000 * "x")
    assert (answer.status, by_id(answer.page, "q").get("maxlength")) == (422, "200")
    assert "Search in title and text: " in answer.words
    assert "Tides" in answer.words


async def test_list_that_became_shorter_leads_to_its_last_screen(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_lists, "PER_SCREEN", 1)
    browser = await site.signed_in("owner")
    for number in range(2):
        await written(browser, title=f"Night {number}")
    answer = await browser.get("/admin/posts?q=night&page=9")
    assert (answer.status, answer.location) == (303, "/admin/posts?q=night&page=2")


async def test_columns_are_chosen_and_remembered(site: Site) -> None:
    browser = await site.signed_in("owner")
    await written(browser, tags="Weather")
    assert "Weather" not in words((await browser.get("/admin/posts")).page.find(".//table"))
    for path in ("/admin/posts?columns=title&columns=tags", "/admin/posts"):
        table = (await browser.get(path)).page.find(".//table")
        assert [words(head) for head in table.iter("th") if head.get("scope") == "col"] == ["Title", "Tags"]
    assert (await browser.get("/admin/posts?columns=password_hash")).status == 404


async def test_date_of_days_ago_is_not_said_twice(site: Site) -> None:
    browser = await site.signed_in("owner")
    await written(browser, title="Tides")
    table = words((await browser.get("/admin/posts")).page.find(".//tbody"))
    site.database.clock = Clock(utc_now() + timedelta(days=3))
    (cell,) = [cell for cell in (await browser.get("/admin/posts")).page.iter("td") if cell.get("class") == "sm end"]
    time = next(cell.iter("time"))
    assert "just now" in table
    assert words(cell) == time.get("data-near") == time.get("data-full")


async def test_views_are_kept_renamed_and_deleted_by_their_owner_alone(site: Site) -> None:
    browser, other = await site.signed_in("editor"), await site.signed_in("author")
    await written(browser, title="Tides", tags="Sea")
    page = (await browser.get("/admin/posts?tag=sea&status=draft&page=1")).page
    form = fields(page, form_of(page, "/admin/posts/views"))
    answer = await browser.post("/admin/posts/views", {**form, "name": "Sea drafts"})
    assert (answer.status, answer.location) == (303, "/admin/posts?status=draft&tag=sea")
    page = (await browser.get(answer.location)).page
    (view,) = by_class(page, "view")
    assert (words(view), view.get("aria-current")) == ("Sea drafts", "true")
    again = await browser.post("/admin/posts/views", {**form, "name": "Sea drafts"})
    assert (again.status, by_id(again.page, "name").get("value")) == (422, "Sea drafts")
    assert "You have a view of this name" in again.words
    page = (await browser.get("/admin/posts/views")).page
    at = next(form.get("action") for form in page.iter("form") if "/views/" in (form.get("action") or ""))
    assert at is not None
    assert not by_class((await other.get("/admin/posts")).page, "view")
    assert {(await other.post(at, {"name": "Mine"})).status, (await other.post(at, {"_method": "delete"})).status} == {404}
    assert (await browser.post(at, {"name": ""})).status == 422
    assert (await browser.post(at, {"name": "Drafts of the sea"})).status == 303
    assert "Drafts of the sea" in words(by_class((await browser.get("/admin/posts")).page, "tabs")[0])
    assert (await browser.post(at, {"_method": "delete"})).status == 303
    assert "You keep no lists yet" in (await browser.get("/admin/posts/views")).words


# --- what is done ---


async def test_many_are_published_and_trashed_and_come_back(site: Site) -> None:
    browser = await site.signed_in("owner")
    ids = [await written(browser, title=f"Night {number}") for number in range(2)]

    async def readers_find() -> list[int]:
        return [(await site.browser().get(f"/night-{number}")).status for number in range(2)]

    answer = await do(browser, "publish", *ids, list="q=night")
    assert (answer.status, answer.location) == (303, "/admin/posts?q=night")
    assert "2 are public now." in (await browser.get(answer.location)).words
    assert await readers_find() == [200, 200]
    for act in ("withdraw", "trash"):
        answer = await do(browser, act, *ids, list="q=night")
        assert await readers_find() == [410, 410]
        undone = await undo(browser, await browser.get(answer.location))
        assert undone.location == "/admin/posts?q=night"
        assert "Undone: everything is as it was before." in (await browser.get(undone.location)).words
        assert await readers_find() == [200, 200]


async def test_many_that_were_published_are_taken_back(site: Site) -> None:
    browser = await site.signed_in("owner")
    old, new = [await written(browser, title=title, text="First.") for title in ("Old", "New")]
    await published(browser, old)
    await saved(browser, old, text="Second.")
    answer = await do(browser, "publish", old, new)
    assert "Second." in (await site.browser().get("/old")).words
    await undo(browser, await browser.get(answer.location))
    assert "First." in (await site.browser().get("/old")).words
    assert (await site.browser().get("/new")).status == 404
    assert await titles(browser, "status=changed") == ["Old"]


async def test_pages_come_back_below_each_other(site: Site) -> None:
    browser, editor = await site.signed_in("owner"), await factories.person(site.database, "owner")
    above = (await factories.page(site.database, editor, title="Above")).id
    below = (await factories.page(site.database, editor, title="Below", parent=above)).id
    bulk = "/admin/pages/bulk"
    assert "2 are public now." in (await browser.get((await browser.post(bulk, {"act": "publish", "id": [below, above]})).location)).words
    answer = await browser.post(bulk, {"act": "trash", "id": [below, above]})
    assert (await site.browser().get("/above/below")).status == 410
    await undo(browser, await browser.get(answer.location))
    assert (await site.browser().get("/above/below")).status == 200


async def test_of_many_those_to_which_something_else_happened_stay_and_the_others_come_back(site: Site) -> None:
    browser = await site.signed_in("owner")
    one, two = [await written(browser, title=f"Night {number}") for number in range(2)]
    answer = await do(browser, "trash", one, two, 999_999)
    assert "2 were moved to the trash." in answer.words
    await do(browser, "restore", two)
    report = await undo(browser, answer)
    assert "1 is as it was before." in report.words
    assert "Night 1 Something else happened to it meanwhile" in report.words
    assert not await titles(browser, "status=trashed")


async def test_what_was_done_to_many_is_undone_for_seconds_and_by_whoever_did_it(site: Site) -> None:
    browser, other = await site.signed_in("owner"), await site.signed_in("editor")
    ids = [await written(browser, title=f"Night {number}") for number in range(2)]
    page = await browser.get((await do(browser, "trash", *ids)).location)
    form = {"ticket": fields(page.page, undo_form(page))["ticket"]}
    assert (await other.post("/admin/posts/undo", form)).status == 404
    assert (await browser.post("/admin/pages/undo", form)).status == 404
    site.database.clock = Clock(utc_now() + timedelta(seconds=16))
    report = await browser.post("/admin/posts/undo", form)
    assert report.words.count("It is too late to undo this") == 2
    assert "Nothing was changed." in report.words
    assert await titles(browser, "status=trashed") == ["Night 1", "Night 0"]


async def test_one_that_is_trashed_or_withdrawn_comes_back_to_readers(site: Site) -> None:
    browser, reader = await site.signed_in("owner"), site.browser()
    number = await written(browser, title="Night")
    await published(browser, number)
    for act in ("trash", "withdraw"):
        answer = await do(browser, act, number, list="q=night")
        assert (await reader.get("/night")).status == 410
        undone = await undo(browser, await browser.get(answer.location))
        assert (undone.status, undone.location) == (303, "/admin/posts?q=night")
        assert "everything is as it was" in (await browser.get(undone.location)).words
        assert (await reader.get("/night")).status == 200


@pytest.mark.parametrize("role", ["contributor", "author"])
async def test_foreign_number_is_refused_and_betrays_nothing(site: Site, role: str) -> None:
    owner, browser = await site.signed_in("owner"), await site.signed_in(role)
    secret, public, mine = await written(owner, title="Secret"), await written(owner, title="Public"), await written(browser, title="Mine")
    await published(owner, public)
    await owner.post(f"/admin/posts/{public}", {"title": "Embargoed", "text": "x", "version": "1"})
    answer = await do(browser, "trash", secret, public, mine, 999_999)
    assert answer.status == 200
    assert "1 was moved to the trash." in answer.words
    assert f"No. {secret} This is not yours, or not there." in answer.words
    assert "Public This is not yours, or not there." in answer.words
    assert "No. 999999 This is not yours, or not there." in answer.words
    assert "Secret" not in answer.text
    assert "Embargoed" not in answer.text
    assert set(await titles(owner)) == {"Secret", "Embargoed"}


async def test_what_was_typed_and_chosen_is_kept_when_it_is_refused(site: Site) -> None:
    browser = await site.signed_in("owner")
    number = await written(browser, title="Night")
    answer = await do(browser, "add_tags", number, tags="", list="q=night")
    assert answer.status == 422
    assert "Write the tags, with commas between." in answer.words
    (box,) = [box for box in answer.page.iter("input") if box.get("name") == "id"]
    assert box.get("checked") is not None
    answer = await do(browser, "add_tags", tags="Sea")
    assert (answer.status, by_id(answer.page, "tags").get("value")) == (422, "Sea")
    assert "Nothing was chosen" in answer.words
    assert (await do(browser, "trash", *range(1, 102))).status == 422
    assert (await browser.post(BULK, {"act": "explode", "id": "1"})).status == 422


async def test_list_that_no_browser_sent_undoes_nothing_and_breaks_nothing(site: Site) -> None:
    browser = await site.signed_in("owner")
    number = await written(browser, title="Night")
    for page in ("second", "9" * 30):
        assert (await do(browser, "add_tags", number, tags="Kelp", page=page)).status == 422, "before anything is done"
    assert "Kelp" not in (await browser.get("/admin/tags")).words
    assert (await do(browser, "add_tags", number, tags="Kelp", list="a=b&" * 300)).location == "/admin/posts"


async def test_deleting_for_good_is_asked_about(site: Site) -> None:
    browser = await site.signed_in("owner")
    number = await written(browser, title="Night")
    await published(browser, number)
    await do(browser, f"trash-{number}")
    answer = await do(browser, "delete", number)
    assert title(answer).startswith("Delete for good")
    page = answer.page
    assert await titles(browser, "status=trashed") == ["Night"]
    answer = await browser.post(BULK, fields(page, form_of(page, BULK)))
    assert answer.status == 303
    assert await titles(browser, "status=trashed") == []
    assert (await site.browser().get("/night")).status == 410
    await do(browser, "trash", await written(browser, title="Another"))
    assert "1 text is in it" in (await browser.get("/admin/posts/trash")).words
    assert (await browser.post("/admin/posts/trash")).location == "/admin/posts?status=trashed"
    assert "The trash is empty" in (await browser.get("/admin/posts?status=trashed")).words


async def test_copy_opens_in_the_editor(site: Site) -> None:
    browser = await site.signed_in("owner")
    number = await written(browser, title="Night")
    form = by_id((await browser.get(f"/admin/posts/{number}")).page, "copying")
    assert form is not None, "in the editor's menu, too"
    answer = await browser.post(form.get("action") or "", {"id": "1"})
    assert answer.status == 303
    assert "This is the copy" in (await browser.get(answer.location)).words
    assert set(await titles(browser)) == {"Night", "Night (copy)"}
