"""The trash at the desk: into it with a way back, its list, out of it, and for good."""

import pytest

from cms.models import Tag
from tests import factories
from tests.handlers.admin.pages import by_class, fields, form_of, words
from tests.handlers.admin.test_snippets import kept
from tests.handlers.admin.test_terms import ids
from tests.web import Browser, Site


def rows(page: object) -> list[str]:
    return [words(link) for link in by_class(page, "title") if "/admin/trash/" in (link.get("href") or "")]  # type: ignore[arg-type]


async def test_what_is_deleted_can_be_had_back_at_once_or_later_or_goes_for_good(site: Site) -> None:
    edna = await site.signed_in("editor")
    editor = await factories.person(site.database, "editor")
    await factories.published(site.database, editor, title="Low tide", tags=("Sea",))
    tag, snippet = f"/admin/tags/{(await ids(site, Tag))['Sea']}", await kept(edna, "Note", "*High* <b>at</b> noon.")
    assert (await site.browser().get("/tag/sea")).status == 200
    assert (await edna.post(f"{tag}/deletion", {"act": "delete"})).location == "/admin/tags"
    assert (await site.browser().get("/tag/sea")).status == 404
    told = await edna.get("/admin/tags")
    assert "It is in the trash. Its posts stay, without it." in told.words
    form = next(each for each in told.page.iter("form") if (each.get("action") or "").endswith("/restoration"))
    assert (await edna.post(form.get("action") or "", fields(told.page, form))).location == "/admin/tags"
    assert "“Sea” is out of the trash again." in (await edna.get("/admin/tags")).words
    assert "Low tide" in (await site.browser().get("/tag/sea")).words
    await edna.post(f"{tag}/deletion", {"act": "delete"})
    await edna.post(snippet, {"_method": "delete"})
    listed = await edna.get("/admin/trash")
    assert rows(listed.page) == ["Note", "Sea"]
    assert rows((await edna.get("/admin/trash?kind=tag")).page) == ["Sea"]
    for nowhere in ("/admin/trash?kind=post", "/admin/trash?page=0", "/admin/trash/999999"):
        assert (await edna.get(nowhere)).status == 404
    note = next(link.get("href") or "" for link in by_class(listed.page, "title") if words(link) == "Note")
    assert "*High* <b>at</b> noon." in (await edna.get(note)).words
    await kept(edna, "Note", "Another.")
    assert (await edna.post(f"{note}/restoration")).location == note
    assert "“Note” stays in the trash. There is a snippet of this name already." in (await edna.get(note)).words
    assert (await edna.post(note, {"_method": "delete"})).location == "/admin/trash"
    assert "“Note” is deleted for good." in (await edna.get("/admin/trash")).words
    assert "Tags1" in (await edna.get("/admin/trash/emptying")).words
    assert (await edna.post("/admin/trash/emptying")).location == "/admin/trash"
    emptied = await edna.get("/admin/trash")
    assert "1 thing is deleted for good." in emptied.words
    assert "Nothing is in it" in emptied.words
    owner = await site.signed_in("owner")
    acts = (await owner.get("/admin/audit?kind=trash")).words
    assert all(each in acts for each in ("Took Sea out of the trash", "Deleted Note for good", "Deleted Sea for good")), acts


async def test_each_is_led_to_the_trash_of_what_he_may_empty(site: Site, edna: Browser) -> None:
    for role, places in (("contributor", ["Posts"]), ("author", ["Posts", "Files"]), ("editor", ["Posts", "Pages", "Files"])):
        page = (await (await site.signed_in(role)).get("/admin/trash")).page
        assert [words(link) for link in by_class(page, "title")] == places
    assert form_of((await edna.get("/admin/trash")).page, "/logout") is not None


@pytest.fixture
async def edna(site: Site) -> Browser:
    return await site.signed_in("editor")
