"""Snippets and templates at the desk: who uses and who keeps them, and two who change one at once."""

import json

from cms.models import WorkingCopy
from cms.schemas.post import PostFields
from tests.handlers.admin.pages import by_class, by_id, editor, fields, form_of, saved, words, written
from tests.handlers.admin.test_custom_fields import defined
from tests.web import Browser, Site, path_of


async def kept(browser: Browser, name: str, text: str) -> str:
    """Its address."""
    answer = await browser.post("/admin/snippets/new", {"name": name, "text": text, "version": "0"})
    assert answer.status == 303, answer.text
    page = (await browser.get("/admin/snippets")).page
    return next(link.get("href") or "" for link in page.iter("a") if words(link) == name)


async def test_editors_keep_snippets_and_all_who_write_find_them(site: Site) -> None:
    edna, cem = await site.signed_in("editor"), await site.signed_in("contributor")
    assert "Editors write them; everybody uses them." in (await cem.get("/admin/snippets")).words
    at = await kept(edna, "Note on sources", "*Über* the gauge at Faro.")
    await kept(edna, "Table", "| a |\n| - |")
    for query, names in (("uber FARO", ["Note on sources"]), ("", ["Note on sources", "Table"]), ("nothing", [])):
        found = json.loads((await cem.get(f"/admin/snippets/choices?q={query.replace(' ', '+')}")).body)["snippets"]
        assert [each["name"] for each in found] == names
        page = (await cem.get(f"/admin/snippets?q={query.replace(' ', '+')}")).page
        assert [words(each) for each in by_class(page, "title")] == names
    copied = await cem.get(at)
    assert fields(copied.page, by_id(copied.page, "snippet"))["text"].strip() == "*Über* the gauge at Faro."
    assert by_id(copied.page, "text").get("readonly") is not None
    for form in ({"name": "Mine", "text": "x", "version": "1"}, {"_method": "delete"}):
        assert (await cem.post(at, form)).status == 403
    assert (await cem.post("/admin/snippets/new", {"name": "Mine", "text": "x"})).status == 403
    answer = await edna.post("/admin/snippets/new", {"name": "Table", "text": "typed", "version": "0"})
    assert (answer.status, words(by_id(answer.page, "name-error"))) == (422, "There is a snippet of this name already.")
    assert fields(answer.page)["text"].strip() == "typed"
    assert (await edna.post("/admin/snippets/new", {"name": "Empty", "text": ""})).status == 422
    assert (await edna.post(at, {"_method": "delete"})).status == 303
    assert (await edna.get(at)).status == 404


async def test_two_who_change_one_snippet_see_both_texts_and_nothing_is_lost(site: Site) -> None:
    edna, olga = await site.signed_in("editor"), await site.signed_in("owner")
    at = await kept(edna, "Note", "The tide is high.")
    seen = {name: value for name, value in fields((await edna.get(at)).page).items() if name != "_xsrf"}
    assert (await olga.post(at, {**seen, "text": "The tide is low."})).status == 303
    answer = await edna.post(at, {**seen, "name": "Notes", "text": "The tide is slack."})
    assert answer.status == 409
    differing = words(by_class(answer.page, "diff")[0])
    assert "The tide is low." in differing
    assert "The tide is slack." in differing
    mine = fields(answer.page, by_id(answer.page, "snippet"))
    assert (mine["name"], mine["text"].strip()) == ("Notes", "The tide is slack.")
    assert (await edna.post(at, mine)).status == 303
    assert "Notes" in (await olga.get("/admin/snippets")).words


async def test_template_is_made_of_a_text_changed_and_begins_new_ones(site: Site) -> None:
    owner, ana = await site.signed_in("owner"), await site.signed_in("author")
    await defined(owner, "Tide", "number")
    post_id = await written(owner, title="Review", tags="Sea, Mud", new_category="Books", **{"custom.tide": "3"})
    for _ in range(2):
        answer = await owner.post("/admin/templates/new", {"post": str(post_id)})
    at = path_of(answer.location)
    form = fields((await owner.get(at)).page)
    assert (form["name"], form["tags"].strip(), form["custom.tide"]) == ("Review 2", "Sea, Mud", "3")
    answer = await owner.post(at, {**form, "custom.tide": "high"})
    assert (answer.status, words(by_id(answer.page, "custom.tide-error"))) == (422, "Write a number, like 12 or 3.5.")
    assert (await owner.post(at, {**form, "name": "Review"})).status == 422
    assert (await owner.post(at, {**form, "name": "Book review", "text": "## The book"})).status == 303
    assert (await owner.post(at, {**form, "name": "Late"})).status == 409

    new = await ana.get("/admin/posts/new")
    offered = {words(link): link.get("href") or "" for link in by_class(new.page, "starts")[0].iter("a")}
    assert list(offered) == ["Book review", "Review"]
    assert not by_class((await owner.get("/admin/pages/new")).page, "starts"), "it is of another kind"
    begun = await ana.get(offered["Book review"])
    typed = fields(begun.page, by_id(begun.page, "post"))
    assert (typed["text"].strip(), typed["tags"].strip(), typed["custom.tide"]) == ("## The book", "Sea, Mud", "3")
    plain = await ana.post("/admin/posts", {**typed, "title": "Low tide", "category": ""})
    assert (await editor(ana, int(path_of(plain.location).rpartition("/")[2])))["category"] == "", "what was cleared stays clear"
    born = await ana.post(by_id(begun.page, "post").get("data-create") or "", {"title": "", "text": "", "version": "0"})
    stored = await fields_of(site, born.location)
    assert (len(stored.tags), stored.category is not None, stored.custom) == (2, True, {"tide": "3"})
    assert stored.authors == (await site.person("author"),)

    assert (await ana.get("/admin/pages/new?template=1")).status == 403
    assert (await owner.get("/admin/pages/new?template=1")).status == 404
    assert (await ana.get("/admin/posts/new?template=999999")).status == 404
    assert (await ana.post("/admin/templates/new", {"post": str(post_id)})).status == 403
    assert (await ana.get(at)).status == 403
    assert "Start from it (Book review)" in (await ana.get("/admin/templates")).words
    assert (await owner.post(at, {"_method": "delete"})).status == 303
    assert (await owner.get(at)).status == 404


async def test_template_of_what_one_may_not_see_cannot_be_made_and_the_editor_offers_it_to_editors(site: Site) -> None:
    owner, ana = await site.signed_in("owner"), await site.signed_in("author")
    post_id = await written(ana)
    assert by_id((await owner.get(f"/admin/posts/{post_id}")).page, "templating").get("action") == "/admin/templates/new"
    assert not [each for each in (await ana.get(f"/admin/posts/{post_id}")).page.iter("form") if each.get("id") == "templating"]
    assert (await owner.post("/admin/templates/new", {"post": "999999"})).status == 404
    assert (await owner.post("/admin/templates/new", {"post": "x"})).status == 404
    assert (await saved(owner, post_id)).status == 303
    assert form_of((await owner.get(f"/admin/posts/{post_id}")).page, form_id="post").get("data-snippets") == "/admin/snippets/choices"


async def fields_of(site: Site, location: str) -> PostFields:
    async with site.database.read() as session:
        return PostFields.model_validate((await session.get_one(WorkingCopy, int(path_of(location).rpartition("/")[2]))).fields)
