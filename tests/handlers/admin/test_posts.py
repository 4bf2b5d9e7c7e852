"""Lists and the editor."""

import asyncio
from typing import Any

import pytest

from cms.services import desk_lists
from tests.handlers.admin.pages import (
    TEXT,
    buttons,
    by_class,
    by_id,
    controls,
    editor,
    fields,
    form_of,
    published,
    saved,
    title,
    words,
    written,
)
from tests.web import Site

# --- lists ---


@pytest.mark.parametrize(("kind", "words_of_it"), [("post", "Write the first post"), ("page", "Write the first page")])
async def test_empty_list_teaches(site: Site, kind: str, words_of_it: str) -> None:
    browser = await site.signed_in("owner")
    answer = await browser.get(f"/admin/{kind}s")
    assert answer.status == 200
    assert words_of_it in answer.words
    assert not list(answer.page.iter("table"))


async def test_list_shows_state_authors_and_time(site: Site) -> None:
    browser = await site.signed_in("owner")
    await written(browser, title="A draft")
    await published(browser, await written(browser, title="A public one"))
    page = (await browser.get("/admin/posts")).page
    rows = [words(row) for row in page.iter("tr")]
    assert len(rows) == 3
    assert "A public one" in rows[1], "newest first"
    assert "Published" in rows[1]
    assert "Olga Owner" in rows[1]
    assert "just now" in rows[1]
    assert "Draft" in rows[2]
    assert [words(tab) for tab in by_class(page, "tabs")[0].iter("a")] == [
        "Everything 2", "Drafts 1", "Published 1", "With changes 0", "Withdrawn 0", "Trash 0",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "found"),
    [("q=storm", 1), ("q=STÓRM", 1), ("q=calm", 0), ("status=draft", 1), ("status=published", 0), ("q=%25", 0), ("q=%00storm", 1)],
)
async def test_list_is_searched_and_filtered(site: Site, query: str, found: int) -> None:
    browser = await site.signed_in("owner")
    await written(browser)
    answer = await browser.get(f"/admin/posts?{query}")
    assert answer.status == 200
    assert len(list(answer.page.iter("tr"))) == (found + 1 if found else 0)


@pytest.mark.parametrize("query", ["status=nonsense", "page=0", "page=x", "page=99999999999999999999"])
async def test_list_that_is_not_there_is_not_found(site: Site, query: str) -> None:
    browser = await site.signed_in("owner")
    assert (await browser.get(f"/admin/posts?{query}")).status == 404


async def test_long_list_has_pages(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_lists, "PER_SCREEN", 2)
    browser = await site.signed_in("owner")
    for number in range(5):
        await written(browser, title=f"Night {number}")
    page = (await browser.get("/admin/posts?q=night&page=2")).page
    assert [words(link) for link in by_class(page, "title") if link.tag == "a"] == ["Night 2", "Night 1"]
    pager = by_class(page, "pager")[0]
    assert {link.get("href") for link in pager.iter("a")} == {f"/admin/posts?q=night{more}" for more in ("", "&page=2", "&page=3")}


async def test_titles_are_shown_and_not_run(site: Site) -> None:
    browser = await site.signed_in("owner")
    await written(browser, title="<script>alert(1)</script> & <b>bold</b>", tags='"><img src=x onerror=alert(1)>')
    answer = await browser.get("/admin/posts")
    assert "<script>alert" not in answer.text
    assert "<script>alert(1)</script> & <b>bold</b>" in answer.words


async def test_others_posts_are_listed_without_a_way_in(site: Site) -> None:
    author, contributor = await site.signed_in("author"), await site.signed_in("contributor")
    await published(author, await written(author, title="Public"))
    await written(author, title="Secret")
    page = (await contributor.get("/admin/posts")).page
    assert [(element.tag, words(element)) for element in by_class(page, "title")] == [("span", "Public")]


# --- the editor ---


async def test_new_post_is_written_and_kept(site: Site) -> None:
    browser = await site.signed_in("owner")
    page = (await browser.get("/admin/posts/new")).page
    form = fields(page, form_of(page, "/admin/posts"))
    assert form["version"] == "0"
    answer = await browser.post(
        "/admin/posts", {**form, "title": "Stormy night", "text": TEXT, "tags": "Weather, Sea", "new_category": "Novels"}
    )
    assert answer.status == 303
    stored = await editor(browser, 1)
    assert stored["title"] == "Stormy night"
    assert stored["text"] == TEXT
    assert stored["tags"] == "Weather, Sea"
    assert stored["category"] == "1"
    assert "Saved." not in (await browser.get("/admin/posts/1")).words, "the message was shown"


async def test_saving_again_makes_a_new_version(site: Site) -> None:
    browser = await site.signed_in("owner")
    post_id = await written(browser)
    before = await editor(browser, post_id)
    answer = await saved(browser, post_id, text="Changed.")
    assert (answer.status, answer.location) == (303, f"/admin/posts/{post_id}")
    page = await browser.get(f"/admin/posts/{post_id}")
    assert "Saved." in words(by_class(page.page, "saved")[0])
    after = await editor(browser, post_id)
    assert after["text"].strip() == "Changed."
    assert int(after["version"]) == int(before["version"]) + 1


@pytest.mark.parametrize(
    "text", ["\nbegins with a new line", "  spaces  \n\n\n", "tab\there", "</textarea><script>", "&amp; &lt;", "a\u2028b", "🜂"]
)
async def test_text_comes_back_as_it_was_typed(site: Site, text: str) -> None:
    browser = await site.signed_in("owner")
    post_id = await written(browser, text=text)
    assert (await editor(browser, post_id))["text"] == text


async def test_browsers_line_ends_are_no_change(site: Site) -> None:
    browser = await site.signed_in("owner")
    post_id = await written(browser, text="one\r\ntwo\r\n")
    version = (await editor(browser, post_id))["version"]
    await saved(browser, post_id, text="one\r\ntwo\r\n")
    assert (await editor(browser, post_id))["version"] == version


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"title": "x" * 301}, "title", "At most 300 characters, please."),
    ({"excerpt": "x" * 501}, "excerpt", "At most 500 characters, please."),
    ({"slug": "admin"}, "slug", "/admin is used by Squall itself; choose another address."),
    ({"slug": "???"}, "slug", "An address needs at least one letter or digit."),
    ({"tags": "x" * 81}, "tags", "A tag has at most 80 characters."),
    ({"tags": ",".join(f"t{n}" for n in range(51))}, "tags", "At most 50, please."),
    ({"tags": "!!!"}, "tags", "“!!!” has no letter or digit to make an address from."),
    ({"category": "77"}, "category", "There is no such category any more; choose another."),
    ({"category": "9" * 30}, "category", ""),
    ({"category": "-1"}, "category", ""),
    ({"category": "news"}, "category", "Choose one of the list."),
    ({"part": "0"}, "part", "1 or more, please."),
    ({"part": "100000"}, "part", "A smaller number, please."),
]


@pytest.mark.parametrize(("wrong", "field", "sentence"), WRONG, ids=[f"{next(iter(wrong))}-{n}" for n, (wrong, _, _) in enumerate(WRONG)])
@pytest.mark.parametrize("is_new", [True, False], ids=["new", "old"])
async def test_refused_form_says_what_is_wrong_and_keeps_all(
    site: Site, wrong: dict[str, Any], field: str, sentence: str, is_new: bool
) -> None:
    browser = await site.signed_in("owner")
    address = "/admin/posts" if is_new else f"/admin/posts/{await written(browser)}"
    typed = {"title": "Typed title", "text": "Typed text", "slug": "typed", "excerpt": "Typed excerpt", "tags": "typed", **wrong}
    version = "0" if is_new else (await editor(browser, 1))["version"]
    answer = await browser.post(address, {**typed, "version": version})
    assert answer.status == 422
    assert title(answer).startswith("Error: ")
    page = answer.page
    problems = by_class(page, "problems")[0]
    assert problems.get("autofocus") is not None
    assert problems.get("tabindex") == "-1"
    link = next(problems.iter("a"))
    assert link.get("href") == f"#{field}"
    control = by_id(page, field)
    assert control.get("aria-invalid") == "true"
    described = (control.get("aria-describedby") or "").split()
    assert sentence in words(by_id(page, described[0]))
    shown = fields(page, form_of(page, form_id="post"))
    for name, value in typed.items():
        if name != "category":
            assert shown[name] == value
    panel = next(element for element in page.iter("input") if element.get("id") == "panel")
    assert (panel.get("checked") is not None) is (field != "title"), "the part with the field is open"


async def test_bytes_that_are_no_text_are_not_lost(site: Site) -> None:
    browser = await site.signed_in("owner")
    post_id = await written(browser, title=b"caf\xe9", text=b"\xff\x00\x07ok")
    form = await editor(browser, post_id)
    assert (form["title"], form["text"]) == ("caf\ufffd", "\ufffdok")


async def test_each_field_has_a_label_and_every_control_a_form(site: Site) -> None:
    browser = await site.signed_in("owner")
    for path in ("/admin/posts/new", f"/admin/pages/{await written(browser, 'page')}"):
        page = (await browser.get(path)).page
        labelled = {label.get("for") for label in page.iter("label")}
        for control in controls(page, form_of(page, form_id="post")):
            if control.tag != "button" and control.get("type") != "hidden":
                assert control.get("id") in labelled, control.attrib
        ids = [element.get("id") for element in page.iter() if element.get("id")]
        assert len(ids) == len(set(ids))
        assert len(list(page.iter("h1"))) == 1


async def test_saved_and_sent_on_to_be_published(site: Site) -> None:
    browser = await site.signed_in("owner")
    answer = await browser.post("/admin/posts", {"title": "Straight on", "then": "publish"})
    assert (answer.status, answer.location) == (303, "/admin/posts/1/publication")
    assert (await saved(browser, 1, title="And on", then="publish")).location == "/admin/posts/1/publication"
    assert (await editor(browser, 1))["title"] == "And on"


async def test_fields_that_go_by_themselves_make_no_revision(site: Site) -> None:
    browser = await site.signed_in("owner")
    post_id = await written(browser)
    await saved(browser, post_id, tags="Sea", then="go-on")
    assert (await editor(browser, post_id))["tags"] == "Sea"
    history = f"/admin/posts/{post_id}/revisions"
    assert len(by_class((await browser.get(history)).page, "what")) == 1
    await saved(browser, post_id, tags="Sea, Weather")
    assert len(by_class((await browser.get(history)).page, "what")) == 2


async def test_an_empty_post_has_no_revision_and_its_history_says_so(site: Site) -> None:
    browser = await site.signed_in("owner")
    address = (await browser.post("/admin/posts", {"title": "", "text": ""})).location
    history = await browser.get(f"{address}/revisions")
    assert "There is none yet." in history.words
    assert "Play it back" not in history.words
    await saved(browser, 1, title="High tide")
    assert "Play it back" in (await browser.get(f"{address}/revisions")).words


async def test_page_has_a_place_below_another(site: Site) -> None:
    browser = await site.signed_in("owner")
    above = await written(browser, "page", title="About")
    below = await written(browser, "page", title="Imprint", parent=above)
    assert (await editor(browser, below, "page"))["parent"] == str(above)
    answer = await saved(browser, above, "page", parent=below)
    assert answer.status == 422
    assert "A page cannot stand below itself." in answer.words
    page = (await browser.get("/admin/posts/new")).page
    assert "parent" not in fields(page, form_of(page, form_id="post"))


async def test_a_page_stays_below_one_that_is_in_the_trash(site: Site) -> None:
    browser = await site.signed_in("owner")
    above = await written(browser, "page", title="About")
    below = await written(browser, "page", title="Imprint", parent=above)
    seen = await editor(browser, above, "page")
    assert (await browser.post(f"/admin/pages/{above}", {**seen, "_method": "delete"})).status == 303
    assert (await saved(browser, below, "page", text="More.")).status == 303
    assert (await editor(browser, below, "page"))["parent"] == str(above)


async def test_page_does_not_open_among_posts(site: Site) -> None:
    browser = await site.signed_in("owner")
    page_id = await written(browser, "page", title="About")
    form = await editor(browser, page_id, "page")
    assert (await browser.get(f"/admin/posts/{page_id}")).status == 404
    assert (await browser.get(f"/admin/posts/{page_id}/publication")).status == 404
    assert (await browser.post(f"/admin/posts/{page_id}", {**form, "title": "Other"})).status == 404
    assert (await browser.post(f"/admin/posts/{page_id}", {"_method": "delete"})).status == 404
    assert (await browser.post(f"/admin/posts/{page_id}/publication", {"version": form["version"]})).status == 404
    assert (await editor(browser, page_id, "page"))["title"] == "About"


async def test_view_and_scheme_come_from_cookies(site: Site) -> None:
    browser = await site.signed_in("owner")
    browser.cookies |= {"desk": "read.open", "scheme": "dark"}
    page = (await browser.get("/admin/posts/new")).page
    assert by_id(page, "view-read").get("checked") is not None
    assert by_id(page, "panel").get("checked") is not None
    assert page.get("data-scheme") == "dark"
    browser.cookies |= {"desk": "<x>.<y>", "scheme": "pink"}
    page = (await browser.get("/admin/posts/new")).page
    assert by_id(page, "view-both").get("checked") is not None
    assert page.get("data-scheme") is None


# --- trash ---


async def test_trash_and_back(site: Site) -> None:
    browser = await site.signed_in("owner")
    post_id = await written(browser)
    form = await editor(browser, post_id)
    answer = await browser.post(f"/admin/posts/{post_id}", {**form, "text": "The last words.", "_method": "delete"})
    assert (answer.status, answer.location) == (303, "/admin/posts")
    desk = await browser.get("/admin/posts")
    assert "Moved to the trash." in desk.words
    assert f"/admin/posts/{post_id}" in [link.get("href") for link in desk.page.iter("a")]
    page = (await browser.get(f"/admin/posts/{post_id}")).page
    assert by_id(page, "text").get("readonly") is not None
    assert words(by_id(page, "text")) == "The last words.", "what was typed went along"
    assert "Take out of the trash" in buttons(page)
    assert not {"Save", "Publish…"} & set(buttons(page))
    answer = await browser.post(f"/admin/posts/{post_id}/restoration")
    assert (answer.status, answer.location) == (303, f"/admin/posts/{post_id}")
    assert "Save" in buttons((await browser.get(f"/admin/posts/{post_id}")).page)


async def test_what_was_public_comes_back_unseen_and_is_published_where_one_publishes(site: Site) -> None:
    browser = await site.signed_in("owner")
    await published(browser, post_id := await written(browser, title="Low tide"))
    here = f"/admin/posts/{post_id}"
    for then, place in (({}, here), ({"then": "publish"}, f"{here}/publication")):
        assert (await browser.post(here, {"_method": "DELETE"})).status == 303
        assert "Take out and publish again…" in buttons((await browser.get(here)).page)
        answer = await browser.post(f"{here}/restoration", then)
        assert (answer.status, answer.location) == (303, place)
        shown = await browser.get(place)
        assert ("Readers do not see it until you publish it." in shown.words) == (not then)
        links = [words(link) for link in shown.page.iter("a") if link.get("href") == f"{here}/publication"]
        assert ("Publish it again…" in links) == (not then)
    assert (await site.browser().get("/low-tide")).status == 410
    draft = await written(browser, title="Never seen")
    assert (await browser.post(f"/admin/posts/{draft}", {"_method": "DELETE"})).status == 303
    assert "Take out and publish again…" not in buttons((await browser.get(f"/admin/posts/{draft}")).page)


async def test_act_without_typed_text_keeps_what_is_stored(site: Site) -> None:
    browser = await site.signed_in("owner")
    post_id = await written(browser)
    assert (await browser.post(f"/admin/posts/{post_id}", {"_method": "DELETE"})).status == 303
    assert (await editor(browser, post_id))["text"].strip() == TEXT


async def test_trashing_twice_is_a_conflict(site: Site) -> None:
    browser = await site.signed_in("owner")
    post_id = await written(browser)
    await browser.post(f"/admin/posts/{post_id}", {"_method": "delete"})
    answer = await browser.post(f"/admin/posts/{post_id}", {"_method": "delete"})
    assert answer.status == 409
    assert "in the trash already" in answer.words
    assert (await browser.post(f"/admin/posts/{post_id}/restoration")).status == 303
    assert (await browser.post(f"/admin/posts/{post_id}/restoration")).status == 409


# --- two people ---


async def test_two_savers_see_both_texts_and_lose_none(site: Site) -> None:
    author = await site.signed_in("author")
    post_id = await written(author, title="Stormy night", text="One line.\n\nIt was dark.\n\nThe end.")
    owner = await site.signed_in("owner")
    seen = {**await editor(author, post_id), "seen": ""}
    assert (await saved(owner, post_id, text="One line.\n\nIt was very dark.\n\nThe end.", tags="Weather")).status == 303
    answer = await author.post(f"/admin/posts/{post_id}", {**seen, "text": "One line.\n\nIt was pitch dark.\n\nThe end.", "title": "Night"})
    assert answer.status == 409
    page = answer.page
    assert "Olga Owner saved this while you were writing" in words(next(page.iter("h1")))
    assert [words(element) for element in page.iter("del")] == ["very", "Stormy night", "Weather"]
    assert [words(element) for element in page.iter("ins")] == ["pitch", "Night", "empty"]
    mine = fields(page, form_of(page, form_id="post"))
    assert mine["text"].strip() == "One line.\n\nIt was pitch dark.\n\nThe end."
    assert mine["title"] == "Night"
    assert (await editor(author, post_id))["text"].strip() == "One line.\n\nIt was very dark.\n\nThe end.", "nothing was overwritten"
    again = await author.post(f"/admin/posts/{post_id}", mine)
    assert again.status == 303
    assert (await editor(author, post_id))["title"] == "Night"
    async with site.database.read() as session:
        from sqlalchemy import select

        from cms.models import Revision

        kept = list(await session.scalars(select(Revision.content).where(Revision.post_id == post_id)))
    assert "One line.\n\nIt was very dark.\n\nThe end." in kept, "theirs stays a revision"


async def test_two_without_scripts_change_one_text_and_both_changes_stay(site: Site) -> None:
    author = await site.signed_in("author")
    post_id = await written(author, title="Stormy night", text="One line.\n\nIt was dark.\n\nThe end. 😀")
    owner = await site.signed_in("owner")
    seen = await editor(author, post_id)
    await saved(owner, post_id, text="One line.\n\nIt was very dark.\n\nThe end. 😀", tags="Weather")
    answer = await author.post(f"/admin/posts/{post_id}", {**seen, "text": "Line one.\n\nIt was dark.\n\nThe end. 😀😀", "title": "Night"})
    assert answer.status == 303
    now = await editor(owner, post_id)
    assert now["text"].strip() == "Line one.\n\nIt was very dark.\n\nThe end. 😀😀"
    assert (now["title"], now["tags"]) == ("Night", "Weather")


@pytest.mark.parametrize(("name", "theirs", "mine"), [("title", "Ebb", "Flood"), ("tags", "Mud", "Sand"), ("excerpt", "Wet.", "Dry.")])
async def test_who_changes_without_scripts_what_somebody_else_has_changed_is_told(site: Site, name: str, theirs: str, mine: str) -> None:
    author, owner = await site.signed_in("author"), await site.signed_in("owner")
    post_id = await written(author, title="Tide", text="It was dark.")
    seen = await editor(author, post_id)
    await saved(owner, post_id, **{name: theirs})
    answer = await author.post(f"/admin/posts/{post_id}", {**seen, name: mine, "text": "It was very dark."})
    assert answer.status == 409
    assert theirs in answer.words
    now = await editor(owner, post_id)
    assert (now[name], now["text"].strip()) == (theirs, "It was dark.")
    again = fields(answer.page, form_of(answer.page, form_id="post"))
    assert (again[name], again["text"].strip()) == (mine, "It was very dark.")
    assert (await author.post(f"/admin/posts/{post_id}", again)).status == 303
    assert (await editor(owner, post_id))[name] == mine


async def test_form_that_is_sent_twice_is_saved_once(site: Site) -> None:
    owner = await site.signed_in("owner")
    post_id = await written(owner, text="It was dark.")
    typed = {**await editor(owner, post_id), "text": "It was very dark. And stormy.", "slug": "In the Dark", "tags": "Mud, mud"}
    answers = await asyncio.gather(*(owner.post(f"/admin/posts/{post_id}", typed) for _ in range(2)))
    assert [answer.status for answer in answers] == [303, 303]
    assert (await editor(owner, post_id))["text"].strip() == "It was very dark. And stormy."


async def test_third_saver_makes_the_conflict_again(site: Site) -> None:
    owner = await site.signed_in("owner")
    post_id = await written(owner)
    seen = {**await editor(owner, post_id), "seen": ""}
    await saved(owner, post_id, text="Second.")
    answer = await owner.post(f"/admin/posts/{post_id}", {**seen, "text": "Mine."})
    page = answer.page
    mine = fields(page, form_of(page, form_id="post"))
    await saved(owner, post_id, text="Third.")
    answer = await owner.post(f"/admin/posts/{post_id}", mine)
    assert answer.status == 409
    assert "Third." in answer.words
    assert "Mine." in answer.words


async def test_savers_at_the_same_moment(site: Site) -> None:
    owner = await site.signed_in("owner")
    post_id = await written(owner)
    seen = {**await editor(owner, post_id), "seen": ""}
    answers = await asyncio.gather(*(owner.post(f"/admin/posts/{post_id}", {**seen, "text": f"Text {n}."}) for n in range(4)))
    assert sorted(answer.status for answer in answers) == [303, 409, 409, 409]
    for number, answer in enumerate(answers):
        assert answer.status == 303 or f"Text {number}." in answer.words


async def test_hostile_words_of_others_are_shown_and_not_run(site: Site) -> None:
    owner = await site.signed_in("owner")
    post_id = await written(owner)
    seen = {**await editor(owner, post_id), "seen": ""}
    await saved(owner, post_id, text="<script>alert('theirs')</script>", excerpt="</td><script>")
    answer = await owner.post(f"/admin/posts/{post_id}", {**seen, "text": "<img src=x onerror=alert('mine')>"})
    assert answer.status == 409
    assert "<script>alert" not in answer.text
    assert "<img src=x" not in answer.text


async def test_conflict_while_trashing_loses_nothing(site: Site) -> None:
    owner = await site.signed_in("owner")
    post_id = await written(owner)
    seen = {**await editor(owner, post_id), "seen": ""}
    await saved(owner, post_id, text="Theirs.")
    answer = await owner.post(f"/admin/posts/{post_id}", {**seen, "text": "Mine.", "_method": "delete"})
    assert answer.status == 409
    assert "Mine." in answer.text
    assert "Take out of the trash" not in buttons((await owner.get(f"/admin/posts/{post_id}")).page)


async def test_draft_of_somebody_else_is_seen_by_nobody_below_editors(site: Site) -> None:
    owner = await site.signed_in("owner")
    post_id = await written(owner)
    for role, status in [("editor", 200), ("author", 404), ("contributor", 404)]:
        browser = await site.signed_in(role)
        assert (await browser.get(f"/admin/posts/{post_id}")).status == status
        if status == 404:
            assert (await browser.post(f"/admin/posts/{post_id}", {"text": "x", "version": 1})).status == 404
            assert (await browser.post(f"/admin/posts/{post_id}", {"_method": "delete"})).status == 404


async def test_editor_has_the_buttons_that_policy_allows(site: Site) -> None:
    owner, contributor = await site.signed_in("owner"), await site.signed_in("contributor")
    post_id = await written(contributor)
    for browser, can_publish in [(owner, True), (contributor, False)]:
        page = (await browser.get(f"/admin/posts/{post_id}")).page
        assert ("Publish…" in buttons(page)) is can_publish
        assert "Move to the trash" in buttons(page)
        assert ("new_category" in fields(page, form_of(page, form_id="post"))) is can_publish
    await published(owner, post_id)
    assert "Withdraw from readers" in buttons((await owner.get(f"/admin/posts/{post_id}")).page)
    assert (await contributor.get(f"/admin/posts/{post_id}")).status == 403, "it is public, and no longer the contributor's to change"


async def test_contributor_cannot_make_categories(site: Site) -> None:
    contributor = await site.signed_in("contributor")
    answer = await contributor.post("/admin/posts", {"title": "T", "text": "Kept.", "new_category": "Mine"})
    assert answer.status == 422
    assert "Only editors can make new categories" in answer.words
    assert "Kept." in answer.words


async def test_text_may_be_as_long_as_its_limit(site: Site) -> None:
    browser = await site.signed_in("owner")
    post_id = await written(browser, text="ä" * 1_000_000)
    assert len((await editor(browser, post_id))["text"]) == 1_000_000


async def test_posts_with_the_same_new_tags_at_once_are_all_saved(site: Site) -> None:
    """Each is another post, so nobody is told that somebody else was quicker."""
    owner = await site.signed_in("owner")
    names = ["Sea", "Mud", "Rope", "Tar"]
    for round_ in range(3):
        forms = [
            {
                "title": f"Same {round_}",
                "tags": ", ".join(f"{tag} {round_}" for tag in names[n:] + names[:n]),
                "new_category": f"Coast {round_}",
            }
            for n in range(4)
        ]
        answers = await asyncio.gather(*(owner.post("/admin/posts", form) for form in forms))
        assert [answer.status for answer in answers] == [303] * 4
