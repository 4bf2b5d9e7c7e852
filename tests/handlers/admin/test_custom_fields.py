"""Custom fields at the desk: defining them, and filling them in without scripts."""

import json

from cms.models.desk import FieldType
from cms.models.post import Kind
from cms.services import custom_fields
from tests.handlers.admin.pages import by_class, by_id, editor, fields, form_of, published, saved, words, written
from tests.web import Browser, Site


async def defined(admin: Browser, label: str, type: str = "text", **more: str) -> None:
    answer = await admin.post("/admin/fields", {"kind": "post", "label": label, "type": type, **more})
    assert (answer.status, answer.location.partition("#")[0]) == (303, "/admin/fields"), answer.text


async def test_administrator_defines_orders_changes_and_deletes_and_errors_keep_what_was_typed(site: Site) -> None:
    admin = await site.signed_in("owner")
    assert "Posts have no fields of their own yet." in (await admin.get("/admin/fields")).words
    typed = {"kind": "page", "label": "Sky", "type": "choice", "choices": "only one", "help": "Look up."}
    answer = await admin.post("/admin/fields", typed)
    assert (answer.status, words(by_id(answer.page, "choices-error"))) == (422, "Write at least two, one on each line.")
    assert typed.items() <= fields(answer.page).items()
    for label in ("Tide", "Wind"):
        await defined(admin, label)
    async with site.database.read() as session:
        tide, wind = await custom_fields.list_of(session, Kind.POST)
    assert (await admin.post(f"/admin/fields/{wind.id}/place", {"by": "up"})).status == 303
    assert (await admin.post(f"/admin/fields/{wind.id}/place", {"by": "sideways"})).status == 422
    rows = by_class((await admin.get("/admin/fields")).page, "own-fields")[0]
    assert [words(next(row.iter("strong"))) for row in rows] == ["Wind", "Tide"]
    one = f"/admin/fields/{tide.id}"
    assert (await admin.post(one, {"label": "wind"})).status == 422
    assert (await admin.post(one, {"label": "Tides", "help": "High or low.", "is_required": "on"})).status == 303
    assert fields((await admin.get(one)).page)["help"] == "High or low."
    assert (await admin.post(one, {"_method": "delete"})).status == 303
    assert "“Tides” is in the trash." in (await admin.get("/admin/fields")).words
    assert (await admin.get(one)).status == 404
    acts = (await admin.get("/admin/audit?kind=field")).words
    assert all(each in acts for each in ("Defined the field", "Moved the field Wind", "Changed the field", "Deleted the field"))


async def test_two_who_change_a_field_hear_of_each_other_and_nothing_typed_is_lost(site: Site) -> None:
    admin = await site.signed_in("owner")
    await defined(admin, "Tide", is_required="on")
    async with site.database.read() as session:
        at = f"/admin/fields/{(await custom_fields.list_of(session, Kind.POST))[0].id}"
    seen = fields((page := (await admin.get(at)).page), form_of(page, at))
    await admin.post(at, {**seen, "label": "Tides"})
    await admin.post(at, {name: value for name, value in seen.items() if name != "is_required"})
    told = await admin.post(at, {**seen, "label": "Ebb", "help": "High or low."})
    assert (told.status, "“Tides”" in words(by_id(told.page, "label-error"))) == (422, True)
    assert (await admin.post(at, fields(told.page, form_of(told.page, at)))).status == 303
    async with site.database.read() as session:
        [tide] = await custom_fields.list_of(session, Kind.POST)
    assert (tide.label, tide.help, tide.is_required) == ("Ebb", "High or low.", False)


async def test_writer_fills_them_in_by_a_plain_form_and_readers_see_those_that_are_set(site: Site) -> None:
    admin, ana = await site.signed_in("owner"), await site.signed_in("author")
    await defined(admin, "Height of the tide", "number", help="In metres.", is_required="on")
    await defined(admin, "Sky", "choice", choices="clear\ncloudy")
    await defined(admin, "Chart", "link")
    await defined(admin, "Seen on", "date")
    post_id = await written(ana)
    answer = await ana.post(f"/admin/posts/{post_id}/publication", {"version": "1"})
    assert answer.status == 422
    assert "Height of the tide: This is needed before it goes out." in answer.words
    assert any((link.get("href") or "").endswith("#custom.height_of_the_tide") for link in answer.page.iter("a"))
    wrong = {"custom.height_of_the_tide": "three", "custom.sky": "cloudy", "custom.chart": "javascript:x"}
    answer = await saved(ana, post_id, title="Renamed", **wrong)
    form = fields(answer.page, by_id(answer.page, "post"))
    assert (answer.status, form["title"]) == (422, "Renamed")
    assert wrong.items() <= form.items(), "nothing is lost"
    assert words(by_id(answer.page, "custom.height_of_the_tide-error")) == "Write a number, like 12 or 3.5."
    assert "Height of the tide" in words(by_class(answer.page, "problems")[0])
    right = {"custom.height_of_the_tide": "1234.5", "custom.chart": "https://example.org/charts/", "custom.seen_on": "2026-11-29"}
    assert (await saved(ana, post_id, **{**wrong, **right})).status == 303
    stored = await editor(ana, post_id)
    assert {**wrong, **right}.items() <= stored.items()
    await published(ana, post_id)
    own = by_class((await site.browser().get("/stormy-night")).page, "own")[0]
    shown = [(words(row[0]), words(row[1])) for row in own]
    day = "29 November 2026"
    assert shown == [("Height of the tide", "1,234.5"), ("Sky", "cloudy"), ("Chart", "example.org/charts"), ("Seen on", day)]
    assert next(own.iter("a")).get("href") == "https://example.org/charts/"
    await saved(ana, post_id, **{"custom.sky": "clear"})
    assert "its own fields" in (await ana.get(f"/admin/posts/{post_id}/publication")).words
    comparison = await ana.get(f"/admin/posts/{post_id}/revisions/comparison?old=live&new=now")
    assert "Skycloudyclear" in comparison.words


async def test_number_of_any_size_is_shown(site: Site) -> None:
    owner = await site.signed_in("owner")
    await defined(owner, "Grains", "number")
    for typed, shown in (("1e308", "100,000,000,000"), ("12345678901234567890.5", "12,345,678,901,234,567")):
        post_id = await written(owner, title=f"Sand {typed[:3]}", **{"custom.grains": typed})
        address = f"/{(await published(owner, post_id)).status == 303 and 'sand-' + typed[:3].replace('.', '-')}"
        assert shown in (await site.browser().get(address)).words


async def test_while_somebody_types_each_is_checked_and_the_preview_has_it(site: Site) -> None:
    admin = await site.signed_in("owner")
    await defined(admin, "Tide", "number")
    answer = await admin.post("/admin/posts/checks", {"title": "New", "custom.tide": "high"})
    assert json.loads(answer.body)["fields"]["custom.tide"] == {"words": "Write a number, like 12 or 3.5.", "isWrong": True, "value": ""}
    for typed, shown in (("3", ["3"]), ("high", [])):
        answer = await admin.post("/admin/preview", {"title": "New", "text": "x", "custom.tide": typed})
        assert [words(each) for each in answer.page.iter("dd")] == shown
    answer = await admin.post("/admin/posts", {"title": "New", "text": "x", "custom.tide": "x" * 1001, "custom.Odd key": "x"})
    assert (answer.status, words(by_id(answer.page, "custom.tide-error"))) == (422, "At most 1,000 characters, please.")


async def test_two_who_save_without_scripts_see_both_values_of_a_field(site: Site) -> None:
    owner, edna = await site.signed_in("owner"), await site.signed_in("editor")
    await defined(owner, "Tide")
    post_id = await written(owner)
    seen = {name: value for name, value in (await editor(edna, post_id)).items() if name != "seen"}
    await saved(owner, post_id, **{"custom.tide": "high"})
    answer = await edna.post(f"/admin/posts/{post_id}", {**seen, "custom.tide": "low"})
    assert answer.status == 409
    assert "Tidehighlow" in answer.words


def test_every_type_has_a_word() -> None:
    from cms.ui.custom_fields import TYPES

    assert set(TYPES) == {each.value for each in FieldType}
