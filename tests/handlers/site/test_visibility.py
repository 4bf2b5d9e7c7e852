"""Texts that are not for everybody, and a site that is not open."""

from typing import Any

import pytest

from cms.models import Post
from tests import factories
from tests.handlers.admin.pages import by_class, fields, words
from tests.web import Answer, Browser, Site

HIDDEN: dict[str, Any] = {"title": "Ebb", "text": "Mud and eels.", "tags": ("Sea",), "new_category": "Coast"}
LISTS = ("/", "/archive", "/tag/sea", "/feed.xml", "/feed.json", "/search?q=eels", "/sitemap/1.xml", "/llms.txt", "/flow")


async def texts(site: Site) -> int:
    """Two posts that have a tag and a category in common; the number of the one that is to be hidden."""
    await site.person("owner")
    await site.person("editor")
    editor = await factories.person(site.database, "editor")
    await factories.published(site.database, editor, title="Flow", text="Water.", tags=("Sea",), new_category="Coast")
    return (await factories.published(site.database, editor, **HIDDEN)).post_id


async def choose(browser: Browser, post_id: int, visibility: str, password: str = "") -> Answer:
    return await browser.post(f"/admin/posts/{post_id}/visibility", {"visibility": visibility, "password": password})


async def named_in(browser: Browser) -> set[str]:
    return {path for path in LISTS if "/ebb" in (await browser.get(path)).text}


async def test_unlisted_text_is_at_its_address_and_nowhere_else(site: Site) -> None:
    post_id, desk, reader = await texts(site), await site.signed_in("editor"), site.browser()
    assert await named_in(reader) == set(LISTS)
    assert (await choose(desk, post_id, "unlisted")).status == 303
    assert await named_in(reader) == set()
    answer = await reader.get("/ebb")
    assert (answer.status, answer.headers["X-Robots-Tag"]) == (200, "noindex")
    assert "Mud and eels." in answer.text
    await factories.edited(site.database, await factories.person(site.database, "editor"), post_id, text="More eels.")
    await desk.post(f"/admin/posts/{post_id}/publication", {"version": "99"})
    await factories.publish(site.database, await factories.person(site.database, "editor"), post_id)
    assert "More eels." in (await reader.get("/ebb")).text
    assert await named_in(reader) == set()
    await choose(desk, post_id, "public")
    assert await named_in(reader) == set(LISTS)
    assert "X-Robots-Tag" not in (await reader.get("/ebb")).headers


async def test_password_opens_a_text_until_it_is_changed(site: Site) -> None:
    post_id, desk, reader = await texts(site), await site.signed_in("editor"), site.browser()
    await choose(desk, post_id, "password", "spring tide")
    assert await named_in(reader) == set()
    for path in ("/ebb", "/ebb.md"):
        locked = await reader.get(path)
        assert locked.status == 403
        assert "eels" not in locked.text
    wrong = await reader.send("POST", "/unlock", {"post": post_id, "password": "neap tide"})
    assert wrong.status == 403
    assert "This is not the password." in wrong.words
    right = await reader.send("POST", "/unlock", {"post": post_id, "password": "spring tide"})
    assert (right.status, right.location) == (303, "/ebb")
    opened = await reader.get("/ebb")
    assert "Mud and eels." in opened.text
    assert opened.headers["Cache-Control"] == "private, no-store"
    assert (await site.browser().get("/ebb")).status == 403
    await choose(desk, post_id, "password", "another one")
    assert (await reader.get("/ebb")).status == 403
    assert "Mud and eels." in (await desk.get("/ebb")).text


async def test_password_is_needed_long_enough_and_kept_when_nothing_is_typed(site: Site) -> None:
    post_id, desk = await texts(site), await site.signed_in("editor")
    for password, said in (("", "Readers need a password"), ("short", "At least 6 characters")):
        answer = await choose(desk, post_id, "password", password)
        assert answer.status == 422
        assert said in answer.words
    assert (await site.browser().get("/ebb")).status == 200
    await choose(desk, post_id, "password", "spring tide")
    await choose(desk, post_id, "password")
    assert (await site.browser().send("POST", "/unlock", {"post": post_id, "password": "spring tide"})).status == 303


async def test_text_whose_password_is_yet_to_be_chosen_is_closed(site: Site) -> None:
    post_id, desk, reader = await texts(site), await site.signed_in("editor"), site.browser()
    await choose(desk, post_id, "password", "spring tide")
    async with site.database.transaction() as work:
        (await work.session.get_one(Post, post_id)).password_hash = None
    for path in ("/ebb", "/ebb.md"):
        assert (await reader.get(path)).status == 403
    assert (await reader.send("POST", "/unlock", {"post": post_id, "password": "spring tide"})).status == 404
    assert "Mud and eels." in (await desk.get("/ebb")).text


async def test_copy_of_a_closed_text_is_as_closed(site: Site) -> None:
    post_id, desk = await texts(site), await site.signed_in("editor")
    await choose(desk, post_id, "password", "spring tide")
    copy = int((await desk.post(f"/admin/posts/{post_id}/copy")).location.rsplit("/", 1)[1])
    path = (await factories.publish(site.database, await factories.person(site.database, "editor"), copy)).path
    reader = site.browser()
    assert (await reader.get(f"/{path}")).status == 403
    assert (await reader.send("POST", "/unlock", {"post": copy, "password": "spring tide"})).location == f"/{path}"
    assert await named_in(reader) == set()


@pytest.mark.parametrize("visibility", ["unlisted", "password"])
async def test_pages_below_a_page_do_not_name_it_while_it_is_not_for_everybody(site: Site, visibility: str) -> None:
    await site.person("editor")
    editor, desk, reader = await factories.person(site.database, "editor"), await site.signed_in("editor"), site.browser()
    about = (await factories.published_page(site.database, editor, title="About")).post_id
    secret = (await factories.published_page(site.database, editor, title="Dossier", slug="team", parent=about)).post_id
    await factories.published_page(site.database, editor, title="History", parent=secret)

    async def named() -> list[str]:
        answer = await reader.get("/about/team/history")
        assert ("Dossier" in answer.text) is ("Dossier" in answer.words), "nor in what programs read"
        return [title for title in ("About", "Dossier") if title in words(by_class(answer.page, "trail")[0])]

    assert await named() == ["About", "Dossier"]
    form = {"visibility": visibility, "password": "spring tide"}
    assert (await desk.post(f"/admin/pages/{secret}/visibility", form)).status == 303
    assert await named() == ["About"]
    later = (await factories.published_page(site.database, editor, title="Later", parent=secret)).path
    assert "Dossier" not in (await reader.get(f"/{later}")).text
    await desk.post(f"/admin/pages/{secret}/visibility", {"visibility": "public"})
    assert await named() == ["About", "Dossier"]
    assert "Dossier" in (await reader.get(f"/{later}")).text


async def test_no_password_is_hashed_for_who_may_not_choose_it(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    post_id, hashed = await texts(site), []
    passwords = site.application.parts.passwords

    async def note(password: str) -> str:
        hashed.append(password)
        return "$argon2id$x"

    author, editor = await site.signed_in("author"), await site.signed_in("editor")
    monkeypatch.setattr(passwords, "hash", note)
    assert (await choose(author, post_id, "password", "spring tide")).status == 403
    assert (await choose(editor, 999_999, "password", "spring tide")).status == 404
    await factories.trash(site.database, await factories.person(site.database, "editor"), post_id)
    assert (await choose(editor, post_id, "password", "spring tide")).status == 409
    assert hashed == []


async def test_who_may_not_publish_a_text_does_not_choose_its_readers(site: Site) -> None:
    post_id = await texts(site)
    for role in ("author", "contributor"):
        assert (await choose(await site.signed_in(role), post_id, "unlisted")).status == 403
    assert (await site.browser().get("/ebb")).headers.get("X-Robots-Tag") is None


async def test_guessing_ends_after_ten_tries(site: Site) -> None:
    post_id = await texts(site)
    await choose(await site.signed_in("editor"), post_id, "password", "spring tide")
    reader = site.browser()
    tries = [(await reader.send("POST", "/unlock", {"post": post_id, "password": f"guess {n}"})).status for n in range(11)]
    assert tries == [*[403] * 10, 429]
    assert (await reader.send("POST", "/unlock", {"post": 999_999, "password": "guess"})).status == 404
    assert (await reader.send("POST", "/unlock", {"password": "guess"})).status == 404  # the site is open


@pytest.mark.parametrize("access", ["private", "coming_soon"])
async def test_closed_site_shows_nothing_but_its_name(site: Site, access: str) -> None:
    await texts(site)
    owner, reader = await site.signed_in("owner"), site.browser()
    assert (await reader.get("/ebb")).status == 200  # and is in the page cache
    assert (await owner.post("/admin/site/access", {"access": access})).status == 422
    assert (await owner.post("/admin/site/access", {"access": access, "password": "spring tide"})).status == 303
    for path in (
        "/",
        "/ebb",
        "/nothing-here",
        "/ebb.md",
        "/archive",
        "/feed.xml",
        "/feed.json",
        "/sitemap.xml",
        "/llms.txt",
        "/search?q=mud",
    ):
        answer = await reader.get(path)
        assert answer.status == (200 if (access, path) == ("coming_soon", "/") else 403), path
        assert not {"Ebb", "Flow", "eels", "/tag/", "Archive"} & set(answer.text.replace("<", " ").replace(">", " ").split()), path
    assert "Disallow: /\n" in (await reader.get("/robots.txt")).text
    assert (await reader.get("/login")).status == 200
    assert "eels" in (await owner.get("/ebb")).text
    assert (await reader.send("POST", "/unlock", {"password": "spring tide"})).status == 303
    opened = await reader.get("/ebb")
    assert (opened.status, opened.headers["Cache-Control"]) == (200, "private, no-store")
    assert (await site.browser().get("/ebb")).status == 403
    await owner.post("/admin/site/access", {"access": "open"})
    assert (await site.browser().get("/ebb")).status == 200


@pytest.mark.parametrize(
    ("came_to", "goes_on"),
    [
        ("/search?q=mud&page=1", "/search?q=mud&page=1"),
        ("/caf%C3%A9/a%20b", "/caf%C3%A9/a%20b"),
        (f"/search?q={'x' * 4000}", f"/search?q={'x' * 4000}"),
        ("//evil.example/ebb", "/"),
    ],
)
async def test_reader_of_a_private_site_goes_on_to_where_he_came(site: Site, came_to: str, goes_on: str) -> None:
    owner, reader = await site.signed_in("owner"), site.browser()
    await owner.post("/admin/site/access", {"access": "private", "password": "spring tide"})
    locked = await reader.get(came_to)
    wrong = await reader.send("POST", "/unlock", {**fields(locked.page), "password": "neap tide"})
    right = await reader.send("POST", "/unlock", {**fields(wrong.page), "password": "spring tide"})
    assert (right.status, right.location) == (303, goes_on)


@pytest.mark.parametrize("access", ["private", "coming_soon"])
async def test_closed_site_has_no_menu_on_pages_that_answer_to_all(site: Site, access: str) -> None:
    await site.person("owner")
    owner, reader = await site.signed_in("owner"), site.browser()
    editor = await factories.person(site.database, "editor")
    await factories.published_page(site.database, editor, title="Eelgrass")
    for path in ("/", "/static/nothing"):
        assert "Eelgrass" in (await reader.get(path)).text
    await owner.post("/admin/site/access", {"access": access, "password": "spring tide"})
    carrier = "a" * 40
    for path in ("/static/nothing", f"/preview/{carrier}", "/.well-known/security.txt", "/media/1/x.png", "/%00", "/live/nothing"):
        answer = await reader.get(path)
        assert answer.status in (403, 404), path
        assert "Eelgrass" not in answer.text, path
    for form in ({"password": "neap tide"}, {"password": ""}, {"post": "999", "password": "neap tide"}, {"post": "x"}):
        assert "Eelgrass" not in (await reader.send("POST", "/unlock", form)).text, form
    await reader.send("POST", "/unlock", {"password": "spring tide"})
    assert "Eelgrass" in (await reader.get("/")).text


@pytest.mark.parametrize("role", ["author", "contributor"])
@pytest.mark.parametrize("visibility", ["unlisted", "password"])
async def test_desk_names_no_hidden_text_to_those_who_may_not_see_drafts(site: Site, role: str, visibility: str) -> None:
    post_id, desk = await texts(site), await site.signed_in(role)
    places = (
        "/admin/posts",
        "/admin/posts?q=eels",
        "/admin/posts?q=ebb",
        "/admin/calendar",
        "/admin/links",
        "/admin/links?q=ebb",
        "/admin",
    )
    for path in places:
        assert "Ebb" in (await desk.get(path)).text, path
    await choose(await site.signed_in("editor"), post_id, visibility, "spring tide")
    for path in places:
        answer = await desk.get(path)
        assert answer.status == 200
        assert "Ebb" not in answer.text, path
    assert (await desk.get(f"/admin/posts/{post_id}")).status == 404
    assert "Ebb" in (await (await site.signed_in("editor")).get("/admin/posts?q=eels")).text
