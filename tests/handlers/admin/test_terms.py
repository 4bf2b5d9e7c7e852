"""Categories, tags and series at the desk, as those who run the content meet them."""

import pytest
from sqlalchemy import select

from cms.models import Category, PostSeries, Tag
from cms.models.post import Side
from tests import factories
from tests.handlers.admin.pages import by_id, fields, form_of, words
from tests.web import Browser, Site

LISTS = ("categories", "tags", "series")


async def ids(site: Site, table: type[Tag] | type[Category]) -> dict[str, int]:
    async with site.database.read() as session:
        return {term.name: term.id for term in await session.scalars(select(table))}


@pytest.fixture
async def edna(site: Site) -> Browser:
    await site.person("owner")
    return await site.signed_in("editor")


async def test_empty_lists_teach_and_make_the_first_one(edna: Browser) -> None:
    for path in LISTS:
        page = await edna.get(f"/admin/{path}")
        assert "yet" in words(by_id(page.page, "empty"))
        assert (await edna.post(f"/admin/{path}", {"name": "Low Tide"})).location == f"/admin/{path}"
        assert "Low Tide" in (await edna.get(f"/admin/{path}")).words
    again = await edna.post("/admin/categories", {"name": "Low Tide", "description": "Mud."})
    assert (again.status, by_id(again.page, "description").text) == (422, "Mud.")
    assert "There is one of this name already" in words(by_id(again.page, "name-error"))


async def test_category_is_moved_and_never_below_itself(site: Site, edna: Browser) -> None:
    for name in ("Coast", "World"):
        await edna.post("/admin/categories", {"name": name})
    of = await ids(site, Category)
    await edna.post("/admin/categories", {"name": "North", "parent": of["Coast"]})
    of = await ids(site, Category)
    editor = await factories.person(site.database, "editor")
    await factories.published(site.database, editor, category=of["North"])
    one = f"/admin/categories/{of['Coast']}"
    assert of["North"] not in [int(each.get("value") or 0) for each in by_id((await edna.get(one)).page, "parent").iter("option")]
    wrong = await edna.post(one, {"name": "Shore", "slug": "shore", "parent": of["North"]})
    assert (wrong.status, by_id(wrong.page, "name").get("value")) == (422, "Shore")
    assert "cannot stand below itself" in words(by_id(wrong.page, "parent-error"))
    taken = await edna.post(one, {"name": "Coast", "slug": "world"})
    assert "/category/world is taken" in words(by_id(taken.page, "slug-error"))
    assert (await edna.post(one, {"name": "Shore", "slug": "shore", "parent": of["World"]})).status == 303
    reader = site.browser()
    for feed in ("", "/feed.xml"):
        moved = await reader.get(f"/category/coast/north{feed}")
        assert (moved.status, moved.location) == (301, f"/category/world/shore/north{feed}")
    for act, heir, why in (("merge", "", "Choose where"), ("delete", of["World"], "would not get the posts")):
        undecided = await edna.post(f"{one}/deletion", {"heir": heir, "act": act})
        assert (undecided.status, why in words(by_id(undecided.page, "heir-error"))) == (422, True)
    gone = await edna.post(f"{one}/deletion", {"heir": of["North"], "act": "merge"})
    assert "cannot stand below itself" in words(by_id(gone.page, "heir-error"))
    assert (await edna.post(f"{one}/deletion")).status == 303
    assert (await reader.get("/category/world/shore/north")).location == "/category/world/north"


async def test_chosen_tags_are_merged_and_old_addresses_lead_to_the_one_that_stays(site: Site, edna: Browser) -> None:
    editor = await factories.person(site.database, "editor")
    await factories.published(site.database, editor, title="Low tide", tags=("Sea", "Mud"))
    await factories.published(site.database, editor, title="High tide", tags=("Oceans",))
    of = await ids(site, Tag)
    asked = await edna.get(f"/admin/tags/merging?ids={of['Oceans']}&ids={of['Sea']}")
    assert [each.get("value") for each in asked.page.iter("input") if each.get("type") == "radio"] == [str(of["Oceans"]), str(of["Sea"])]
    for target in ("", "999999", "x"):
        refused = await edna.post("/admin/tags/merging", {"ids": [of["Oceans"], of["Sea"]], "target": target})
        assert (refused.status, bool(by_id(refused.page, "target-error"))) == (422, True)
    alone = await edna.post("/admin/tags/merging", {"ids": [of["Sea"]], "target": of["Sea"]})
    assert alone.status == 422
    merged = await edna.post("/admin/tags/merging", {"ids": [of["Oceans"], of["Sea"]], "target": of["Sea"]})
    assert merged.location == "/admin/tags"
    reader = site.browser()
    assert [(await reader.get(path)).location for path in ("/tag/oceans", "/tag/oceans/feed.xml")] == ["/tag/sea", "/tag/sea/feed.xml"]
    assert "High tide" in (await reader.get("/tag/sea")).words


async def test_two_who_name_a_tag_hear_of_each_other(site: Site, edna: Browser) -> None:
    assert (await edna.post("/admin/tags", {"name": "Sea"})).status == 303
    at = f"/admin/tags/{(await ids(site, Tag))['Sea']}"
    shown = fields((page := (await edna.get(at)).page), form_of(page, at))
    assert (await edna.post(at, {**shown, "description": "Salt."})).status == 303
    assert (await edna.post(at, {**shown, "name": "The Sea"})).status == 303
    refused = await edna.post(at, {**shown, "name": "Seas", "slug": "sea"})
    assert (refused.status, "“The Sea”" in words(by_id(refused.page, "name-error"))) == (422, True)
    assert (await edna.post(at, fields(refused.page, form_of(refused.page, at)))).status == 303
    kept = fields((page := (await edna.get(at)).page), form_of(page, at))
    assert (kept["name"], kept["description"].strip()) == ("Seas", "Salt.")
    assert (await edna.post(at, {**kept, "seen": "{"})).status == 422


async def test_tags_are_searched_and_the_unused_ones_deleted_at_once(site: Site, edna: Browser) -> None:
    editor = await factories.person(site.database, "editor")
    await factories.published(site.database, editor, tags=("Café au lait",))
    for name in ("Ebb", "Flood"):
        await edna.post("/admin/tags", {"name": name})
    assert "Ebb" not in (await edna.get("/admin/tags?q=CAFE+lait")).words
    assert "Café au lait" not in (await edna.get("/admin/tags?unused=on")).words
    assert "Ebb, Flood" in (await edna.get("/admin/tags/unused")).words
    assert (await edna.post("/admin/tags/unused")).location == "/admin/tags"
    assert set(await ids(site, Tag)) == {"Café au lait"}
    for path in ("/admin/tags?page=0", "/admin/tags?page=x", "/admin/tags/999999", "/admin/categories/999999/deletion"):
        assert (await edna.get(path)).status == 404


async def test_parts_are_moved_by_buttons_and_in_whatever_order_is_sent(site: Site, edna: Browser) -> None:
    editor = await factories.person(site.database, "editor")
    one, two, three = [
        (await factories.published(site.database, editor, title=title, series="Tides")).post_id for title in ("One", "Two", "Three")
    ]
    async with site.database.read() as session:
        tides = (await session.scalars(select(PostSeries.series_id).distinct())).one()
    at = f"/admin/series/{tides}"

    async def order() -> list[int]:
        async with site.database.read() as session:
            placed = select(PostSeries.post_id).where(PostSeries.side == Side.LIVE).order_by(PostSeries.position)
            return list(await session.scalars(placed))

    moved = await edna.post(f"{at}/parts", {"order": [one, two, three], "move": "up-2"})
    assert (moved.location, await order()) == (f"{at}#up-1", [one, three, two])
    await edna.post(f"{at}/parts", {"order": [two, one, 999999]})
    assert await order() == [two, one, three]
    page = (await site.browser().get("/series/tides")).words
    assert page.index("Two") < page.index("One") < page.index("Three")


async def test_those_who_only_write_have_no_business_here(site: Site) -> None:
    await site.person("owner")
    ana = await site.signed_in("author")
    for path in LISTS:
        assert (await ana.get(f"/admin/{path}")).status == 403
        assert f"/admin/{path}" not in (await ana.get("/admin/posts")).text


async def test_pages_are_moved_by_buttons_and_by_choosing_what_they_stand_below(site: Site, edna: Browser) -> None:
    assert "No pages yet" in (await edna.get("/admin/pages/tree")).words
    editor = await factories.person(site.database, "editor")
    about, team = [(await factories.published_page(site.database, editor, title=title)).post_id for title in ("About", "Team")]
    moved = await edna.post("/admin/pages/tree", {"move": f"in-{team}"})
    assert moved.location == f"/admin/pages/tree#page-{team}"
    assert ((await site.browser().get("/team")).status, (await site.browser().get("/about/team")).status) == (301, 200)
    chosen = (await edna.get(f"/admin/pages/tree?page={about}")).page
    assert [each.get("value") for each in by_id(chosen, "parent").iter("option")] == ["0"], "not below itself"
    refused = await edna.post("/admin/pages/tree", {"page": about, "parent": team})
    assert (refused.status, words(by_id(refused.page, "parent-error"))) == (422, "A page cannot stand below itself.")
    await edna.post("/admin/pages/tree", {"page": team, "parent": 0, "after": 0})
    assert [each.get("data-post") for each in (await edna.get("/admin/pages/tree")).page.iter("li") if each.get("data-post")] == [
        str(team), str(about),
    ]  # fmt: skip
    for nothing in ({"move": "in-999999"}, {"page": "999999"}, {"move": f"in-{await some_post(site)}"}):
        assert (await edna.post("/admin/pages/tree", nothing)).status == 404
    assert (await edna.post("/admin/pages/tree", {"move": "sideways-1"})).status == 422
    assert (await (await site.signed_in("author")).get("/admin/pages/tree")).status == 403


async def some_post(site: Site) -> int:
    return (await factories.draft(site.database, await factories.person(site.database, "editor"))).id
