"""The record of acts as a page and as files, and the page of what each role may do."""

import csv
import io
import json
from urllib.parse import parse_qsl

from cms.db.session import Database
from cms.policy import SYSTEM, Capability
from cms.services import audit
from tests.handlers.admin.pages import by_class, by_id, fields, words, written
from tests.web import Answer, Site


async def note(database: Database, action: str, kind: str = "site", subject_id: int | None = 1, **details: object) -> None:
    async with database.transaction("f" * 32, "198.51.100.7") as work:
        audit.note(work, SYSTEM, action, kind, subject_id, **details)


def acts(answer: Answer) -> list[str]:
    """The sentences of the record, newest first, each with the names of its links."""
    table = next(answer.page.iter("tbody"))
    return [words(next(row.iter("span"))) for row in table.iter("tr")]


async def test_page_tells_who_did_what_and_what_changed(site: Site) -> None:
    browser = await site.signed_in("owner")
    post_id = await written(browser, title="Low tide")
    await note(site.database, "site.configure", before={"name": "Tides"}, after={"name": "Low tides"})
    answer = await browser.get("/admin/audit")
    assert answer.status == 200
    assert acts(answer)[:2] == ["Changed the settings of the site", "Began Low tide"]
    assert "Name: Tides → Low tides" in answer.words
    assert "Olga Owner" in answer.words
    assert "198.51.100.7" in answer.words
    assert {"/admin/site", f"/admin/posts/{post_id}", "/admin/people/1"} <= {link.get("href") for link in answer.page.iter("a")}
    assert "post.create" in [element.get("title") for element in answer.page.iter("span")], "the machine's name is at hand"


async def test_people_are_named_and_those_who_are_gone_are_numbers(site: Site) -> None:
    browser = await site.signed_in("owner")
    author = await site.person("author")
    for action, subject_id, details in (
        ("user.role", author, {"before": "author", "after": "editor"}),
        ("user.delete", 998, {"heir": author}),
        ("invitation.accept", author, {"by": 997}),
        ("invitation.create", None, {"role": "editor"}),
        ("session.refuse", None, {"limit": "wrong passwords"}),
        ("user.teleport", author, {}),
    ):
        await note(site.database, action, "user", subject_id, **details)
    await note(site.database, "page.trash", "page", 996, before="never", after="trashed")
    answer = await browser.get("/admin/audit")
    assert acts(answer)[:7] == [
        "Moved page no. 996 (deleted) to the trash",
        "user.teleport: Author Person",
        "Tried too often to sign in as somebody unknown",
        "Invited somebody",
        "Accepted an invitation: Author Person",
        "Deleted somebody who is gone (no. 998)",
        "Changed the role of Author Person",
    ]
    for told in ("author → editor", "texts given to Author Person", "invited by somebody who is gone (no. 997)", "role: editor"):
        assert told in answer.words
    links = {link.get("href") for link in answer.page.iter("a")}
    assert f"/admin/people/{author}" in links
    assert not {"/admin/people/0", "/admin/people/998", "/admin/pages/996"} & links


async def test_what_is_asked_for_stays_in_the_form_the_pages_and_the_files(site: Site) -> None:
    browser = await site.signed_in("owner")
    for number in range(51):
        await note(site.database, "test.act", step=number)
    answer = await browser.get("/admin/audit?kind=test&subject=site+1")
    links = {" ".join("".join(link.itertext()).split()): link.get("href") or "" for link in answer.page.iter("a")}
    assert links["CSV"] == "/admin/audit.csv?kind=test&subject=site+1"
    assert len(acts(answer)) == 50
    older = await browser.get(links["Older"])
    assert acts(older) == ["test.act"]
    assert "step: 0" in older.words


async def test_who_is_gone_is_found_by_the_number(site: Site) -> None:
    owner = await site.signed_in("owner")
    ana, heir = await site.person("author"), await site.person("editor")
    await written(await site.signed_in("author"), title="Low tide")
    assert (await owner.post(f"/admin/people/{ana}/deletion", {"heir": str(heir)})).status == 303
    answer = await owner.get(f"/admin/audit?person={ana}")
    assert "Began Low tide" in acts(answer)
    assert f"Somebody who is gone (no. {ana})" in answer.words
    assert f'value="{ana}" selected' in answer.text
    assert f"somebody who is gone (no. {ana})" in (await owner.get("/admin/audit")).words


async def test_wrong_question_comes_back_with_a_sentence_at_each_field_and_what_was_typed(site: Site) -> None:
    browser = await site.signed_in("owner")
    for query, sentences in (
        (
            "since=yesterday&subject=%3Cb%3E",
            {"since": "Write a day of the calendar, like 2026-11-29.", "subject": "Write one of post, page, user"},
        ),
        ("subject=foo&kind=kite&person=77", {"subject": "Write one of post, page, user"}),
        ("since=2026-11-29&until=2026-11-28", {"until": "Choose the same day as in From, or a later one."}),
        ("until=2026-02-30&person=me", {"until": "Write a day of the calendar", "person": "Choose one of the list."}),
    ):
        answer = await browser.get(f"/admin/audit?{query}")
        assert answer.status == 422
        form = next(form for form in answer.page.iter("form") if form.get("action") == "/admin/audit")
        typed = {name: value for name, value in fields(answer.page, form).items() if value}
        assert typed == dict(parse_qsl(query))
        for name, sentence in sentences.items():
            field = by_id(answer.page, name)
            assert field.get("aria-invalid") == "true"
            assert f"{name}-error" in (field.get("aria-describedby") or "")
            assert sentence in words(by_id(answer.page, f"{name}-error"))
            assert field.get("type") in (None, "text"), "a browser shows nothing of what is no date"
        assert words(next(answer.page.iter("title"))).startswith("Error:")
        assert len(by_class(answer.page, "error")) == len(sentences)
    assert (await browser.get("/admin/audit.csv?since=yesterday")).status == 404


async def test_who_is_gone_can_still_be_asked_for(site: Site) -> None:
    answer = await (await site.signed_in("owner")).get("/admin/audit?person=77")
    assert answer.status == 200
    assert "Somebody who is gone (no. 77)" in words(by_id(answer.page, "person"))


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
