"""The record of acts as a page and as files, and the page of what each role may do."""

import csv
import io
import json

from cms.db.session import Database
from cms.policy import SYSTEM, Capability
from cms.services import audit
from tests.handlers.admin.pages import by_class, written
from tests.web import Site


async def note(database: Database, action: str, **details: object) -> None:
    async with database.transaction("f" * 32, "198.51.100.7") as work:
        audit.note(work, SYSTEM, action, "site", 1, **details)


async def test_page_tells_who_did_what_and_what_changed(site: Site) -> None:
    browser = await site.signed_in("owner")
    post_id = await written(browser, title="Low tide")
    await note(site.database, "site.configure", before={"name": "Tides"}, after={"name": "Low tides"})
    answer = await browser.get("/admin/audit")
    assert answer.status == 200
    assert "name: Tides → Low tides" in answer.words
    assert "Olga Owner" in answer.words
    assert "198.51.100.7" in answer.words
    assert f"/admin/posts/{post_id}" in [link.get("href") for link in answer.page.iter("a")]


async def test_what_is_asked_for_stays_in_the_form_the_pages_and_the_files(site: Site) -> None:
    browser = await site.signed_in("owner")
    for number in range(51):
        await note(site.database, "test.act", number=number)
    answer = await browser.get("/admin/audit?kind=test&subject=site+1")
    links = {" ".join("".join(link.itertext()).split()): link.get("href") or "" for link in answer.page.iter("a")}
    assert links["CSV"] == "/admin/audit.csv?kind=test&subject=site+1"
    assert len(by_class(answer.page, "title")) == 50
    older = await browser.get(links["Older"])
    assert len(by_class(older.page, "title")) == 1
    assert "number: 0" in older.words


async def test_who_is_gone_is_found_by_the_number(site: Site) -> None:
    owner = await site.signed_in("owner")
    ana, heir = await site.person("author"), await site.person("editor")
    await written(await site.signed_in("author"), title="Low tide")
    assert (await owner.post(f"/admin/people/{ana}/deletion", {"heir": str(heir)})).status == 303
    answer = await owner.get(f"/admin/audit?person={ana}")
    assert "post.create" in answer.words
    assert f"Somebody who is gone ({ana})" in answer.words
    assert f'value="{ana}" selected' in answer.text
    assert (await owner.get("/admin/audit")).words.count("Somebody who is gone") == 2 * len(by_class(answer.page, "title"))


async def test_wrong_question_comes_back_with_what_was_typed(site: Site) -> None:
    browser = await site.signed_in("owner")
    answer = await browser.get("/admin/audit?since=yesterday&subject=%3Cb%3E")
    assert answer.status == 422
    assert 'value="yesterday"' in answer.text
    assert "&lt;b&gt;" in answer.text
    assert (await browser.get("/admin/audit.csv?since=yesterday")).status == 404


async def test_files_have_every_line(site: Site) -> None:
    browser = await site.signed_in("owner")
    for number in range(1003):
        await note(site.database, "test.act", number=number)
    table = list(csv.DictReader(io.StringIO((await browser.get("/admin/audit.csv?kind=test")).text)))
    assert [json.loads(row["details"])["number"] for row in table] == list(range(1002, -1, -1))
    file = await browser.get("/admin/audit.json?kind=test")
    assert file.headers["Content-Type"] == "application/json; charset=utf-8"
    rows = json.loads(file.text)
    assert [row["details"]["number"] for row in rows] == list(range(1002, -1, -1))
    assert rows[0]["address"] == "198.51.100.7"
    assert json.loads((await browser.get("/admin/audit.json?kind=nothing")).text) == []


async def test_nothing_in_a_table_is_a_formula(site: Site) -> None:
    browser = await site.signed_in("owner")
    for title in ("=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", '=1;"x"\n'):
        await written(browser, title=title)
    table = list(csv.reader(io.StringIO((await browser.get("/admin/audit.csv")).text)))
    cells = [cell for row in table for cell in row]
    assert "'=HYPERLINK(1)" in cells
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))] == []


async def test_everybody_at_the_desk_may_look_up_the_roles(site: Site) -> None:
    answer = await (await site.signed_in("contributor")).get("/admin/capabilities")
    assert answer.status == 200
    assert all(capability.value in answer.words for capability in Capability)
    assert "Contributor (yours)" in answer.words
