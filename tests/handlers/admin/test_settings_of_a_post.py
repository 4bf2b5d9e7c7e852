"""The settings beside a text, what is said of them while somebody types, and the check before it goes out."""

import json
from typing import Any

from cms.db.session import Database
from cms.models import User
from cms.services import site as sites
from tests.handlers.admin.pages import buttons, by_class, by_id, editor, fields, published, saved, words, written
from tests.web import Browser, Site

SAID = {
    "search_title": "For search", "search_description": "Found.", "share_title": "For friends", "share_description": "Shared.",
    "date": "2019-03-05T09:30", "language": "ar",
}  # fmt: skip
FLAWED = "## One\n\n![](/media/9/mud.png) [](/nowhere)"


async def demand(database: Database, *codes: str) -> None:
    async with database.transaction() as work:
        await sites.configure(work, compulsory_checks=list(codes))


async def checked(browser: Browser, path: str, **form: str) -> dict[str, Any]:
    answer = await browser.post(path, form)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json; charset=UTF-8")
    found: dict[str, Any] = json.loads(answer.body)
    return found


async def test_settings_are_kept_and_readers_and_programs_get_them(site: Site) -> None:
    browser = await site.signed_in("editor")
    post_id = await written(browser, excerpt="Mud.", **SAID)
    assert {name: value for name, value in (await editor(browser, post_id)).items() if name in SAID} == SAID
    await published(browser, post_id)
    page = (await site.browser().get("/stormy-night")).page
    meta = {each.get("property") or each.get("name"): each.get("content") for each in page.iter("meta")}
    assert words(next(page.iter("title"))).startswith("For search · ")
    assert (meta["description"], meta["og:title"], meta["og:description"]) == ("Found.", "For friends", "Shared.")
    assert meta["article:published_time"] == "2019-03-05T09:30:00+00:00"
    posting = json.loads(next(each for each in page.iter("script") if each.get("type") == "application/ld+json").text or "")["@graph"][0]
    assert (posting["headline"], posting["description"]) == ("For search", "Found.")
    assert words(next(page.iter("h1"))) == "Stormy night"
    assert next(page.iter("article")).get("dir") == "rtl"
    desk = (await browser.get(f"/admin/posts/{post_id}")).page
    assert by_id(desk, "text").get("dir") == "rtl", "and not auto: browsers would look through a megabyte for half a minute"


async def test_authors_are_chosen_one_below_another_and_seen_by_those_who_may_not(site: Site) -> None:
    ana, edna = await site.person("author"), await site.person("editor")
    author, browser = await site.signed_in("author"), await site.signed_in("editor")
    post_id = await written(author)
    await saved(browser, post_id, authors=[edna, "", ana, ""])
    page = (await browser.get(f"/admin/posts/{post_id}")).page
    lists = [each for each in page.iter("select") if each.get("name") == "authors"]
    chosen = [[option.get("value") for option in each.iter("option") if option.get("selected") is not None] for each in lists]
    assert chosen == [[str(edna)], [str(ana)], []]
    async with site.database.read() as session:
        names = [(await session.get_one(User, number)).name for number in (edna, ana)]
    seen = await author.get(f"/admin/posts/{post_id}")
    assert not [each for each in seen.page.iter("select") if each.get("name") == "authors"]
    assert all(name in words(by_id(seen.page, "props")) for name in names)


async def test_what_is_wrong_is_tied_to_its_field_and_its_part_is_open(site: Site) -> None:
    browser = await site.signed_in("editor")
    post_id = await written(browser)
    for name, value, part in (
        ("date", "2999-01-01T09:00", "Address,"),
        ("search_title", "x" * 301, "Search"),
        ("language", "?", "Address,"),
    ):
        answer = await saved(browser, post_id, **{name: value})
        field = by_id(answer.page, name)
        assert (answer.status, field.get("aria-invalid")) == (422, "true")
        assert f"{name}-error" in (field.get("aria-describedby") or "").split()
        assert words(by_id(answer.page, f"{name}-error"))
        groups = [each for each in answer.page.iter("details") if each.get("open") is not None]
        assert [words(next(each.iter("summary"))).split()[0] for each in groups] == [part]
        assert fields(answer.page, by_id(answer.page, "post"))[name] == value or name == "language", "it is there"


async def test_while_somebody_types_the_server_says_what_it_would_say_later(site: Site) -> None:
    browser = await site.signed_in("author")
    post_id = await written(browser, title="Low tide")
    assert (await checked(browser, f"/admin/posts/{post_id}/checks", title="Low tide"))["fields"] == {
        "slug": {"words": "/low-tide is free.", "isWrong": False, "value": "/low-tide"}
    }
    assert (await checked(browser, "/admin/posts/checks", slug="login"))["fields"]["slug"]["isWrong"]
    wrong = await checked(browser, "/admin/posts/checks", excerpt="x" * 501, text="x")
    assert wrong == {"fields": {"excerpt": {"words": "At most 500 characters, please.", "isWrong": True}}}
    await demand(site.database, "alt")
    found = await checked(browser, "/admin/posts/checks", title="T", excerpt="Mud.", text=FLAWED)
    assert found["excerpt"] == "One"
    assert found["flaws"][1:] == [
        {"words": "The picture mud.png has no text that says what it shows.", "line": 3, "offset": 12, "isCompulsory": True},
        {"words": "The link to /nowhere has no words.", "line": 3, "offset": 33, "isCompulsory": False},
        {"words": "The link to /nowhere leads to nothing that readers can see.", "line": 3, "offset": 33, "isCompulsory": False},
    ]


async def test_publication_shows_what_wants_another_look_and_holds_back_what_the_site_does_not_allow(site: Site) -> None:
    browser = await site.signed_in("author")
    post_id = await written(browser, text=FLAWED)
    at = f"/admin/posts/{post_id}/publication"
    page = (await browser.get(at)).page
    assert [words(each) for each in by_class(page, "flaws")[0]] == [
        "There is no excerpt: lists and search engines show the beginning of the text. Add it",
        "There is no picture: what others share of it has words only. Add it",
        "The picture mud.png has no text that says what it shows. Line 3",
        "The link to /nowhere has no words. Line 3",
        "The link to /nowhere leads to nothing that readers can see. Line 3",
    ]
    assert f"/admin/posts/{post_id}#at=12" in [each.get("href") for each in page.iter("a")]
    assert "Publish now" in buttons(page)
    await demand(site.database, "alt")
    held = await browser.get(at)
    assert "Publish now" not in buttons(held.page)
    assert len(by_class(held.page, "needed")) == 1
    assert "You can take it back" not in held.words, "there is nothing to take back"
    refused = await browser.post(at, fields(page))
    assert refused.status == 422
    assert "mud.png has no text" in words(by_class(refused.page, "problems")[0])
    await saved(browser, post_id, text="![Mud](/media/9/mud.png)")
    assert (await published(browser, post_id)).status == 303


async def test_administrator_chooses_what_must_be_right(site: Site) -> None:
    browser = await site.signed_in("administrator")
    await site.person("owner")
    page = (await browser.get("/admin/site/publishing")).page
    answer = await browser.post("/admin/site/publishing", {**fields(page), "compulsory_checks": "alt,links"})
    assert answer.status == 303
    boxes = [each for each in (await browser.get("/admin/site/publishing")).page.iter("input") if each.get("name") == "compulsory_checks"]
    assert [each.get("value") for each in boxes if each.get("checked") is not None] == ["alt", "links"]
    answer = await browser.post("/admin/site/publishing", {**fields(page), "version": "2", "compulsory_checks": "nonsense"})
    assert answer.status == 422
