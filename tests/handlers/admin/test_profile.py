"""The profile, as a person keeps it and readers see it; and which letters somebody does without."""

import io
from datetime import timedelta

import pytest
from PIL import Image

from cms.media import pictures
from cms.services import accounts, portraits
from cms.services.notices import REFUSABLE
from cms.worker import tasks
from tests import factories
from tests.handlers.admin.pages import by_class, by_id, fields, form_of, words
from tests.handlers.admin.test_people import work_off
from tests.web import PASSWORD, Answer, Browser, Site

PLACE = 0x8825  # Exif's tag for where a picture was taken


def photo(size: tuple[int, int] = (600, 400), colour: str = "teal") -> bytes:
    exif = Image.Exif()
    exif[0x010F] = "A camera of mine"
    exif.get_ifd(PLACE)[1] = "N"
    kept = io.BytesIO()
    Image.new("RGB", size, colour).save(kept, "JPEG", exif=exif)
    return kept.getvalue()


async def save(browser: Browser, picture: bytes = b"", **changes: str) -> Answer:
    """The profile's form, sent again with these changes."""
    page = (await browser.get("/account")).page
    form = {**fields(page, form_of(page, "/account")), **changes}
    form.pop("picture", None)
    return await browser.upload("/account", form, "picture", "../me.jpg", "image/jpeg", picture)


async def portrait_of(browser: Browser) -> str:
    return by_class((await browser.get("/account")).page, "portrait")[0].get("src") or ""


async def author_with_a_text(site: Site) -> Browser:
    await site.person("owner")
    browser, actor = await site.signed_in("author"), None
    async with site.database.read() as session:
        actor = (await accounts.get(session, await site.person("author"))).actor
    await factories.published(site.database, actor, title="Low tide")
    return browser


async def test_readers_see_what_somebody_says_about_himself(site: Site) -> None:
    browser, reader = await author_with_a_text(site), site.browser()
    hostile = "<script>alert(1)</script>"
    answer = await save(
        browser, photo(), name="Ana & Co", bio=f"Writes of mud. {hostile}",
        **{"links-0-label": f"Elsewhere {hostile}", "links-0-path": "https://social.example/@ana?a=1&b=2"},
    )  # fmt: skip
    assert (answer.status, answer.location) == (303, "/account")
    page = await reader.get("/author/author-person")
    assert "Ana & Co" in page.words
    assert "Writes of mud." in page.words
    assert hostile not in page.text.replace('<script type="application/ld+json">', "")
    (link,) = [each for each in page.page.iter("a") if "me" in (each.get("rel") or "").split()]
    assert (link.get("href"), link.get("rel")) == ("https://social.example/@ana?a=1&b=2", "me nofollow")
    image = by_class(page.page, "portrait")[0]
    assert (image.get("width"), image.get("height"), image.get("alt")) == ("480", "480", "")
    bytes_ = (await reader.get(image.get("src") or "")).body
    with Image.open(io.BytesIO(bytes_)) as shown:
        assert (shown.format, shown.size, dict(shown.getexif())) == ("WEBP", (480, 480), {})
    assert b"camera" not in bytes_
    assert "Writes of mud." in (await reader.get("/low-tide")).words


@pytest.mark.parametrize("role", ["contributor", "author", "editor", "administrator", "owner"])
async def test_everybody_has_a_picture_and_the_former_one_is_gone(site: Site, role: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "JUST_PUT", timedelta(0))  # else its bytes wait for ten minutes
    browser, reader, number = await site.signed_in(role), site.browser(), await site.person(role)
    sources = []
    for colour in ("teal", "tomato"):
        assert (await save(browser, photo(colour=colour))).status == 303
        sources.append(await portrait_of(browser))
    await work_off(site)
    assert [(await reader.get(source)).status for source in sources] == [404, 200]
    assert (await save(browser, remove_picture="on")).status == 303
    await work_off(site)
    assert (await reader.get(sources[1])).status == 404
    assert [name async for name, _ in site.application.parts.storage.list()] == [], "not even its bytes"
    async with site.database.read() as session:
        assert await portraits.find(session, number) is None


async def test_one_picture_of_two_people_stays_until_both_have_another(site: Site) -> None:
    one, other = await site.signed_in("author"), await site.signed_in("editor")
    for browser in (one, other):
        await save(browser, photo())
    source = await portrait_of(one)
    await save(one, remove_picture="on")
    await work_off(site)
    assert (await site.browser().get(source)).status == 200


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"name": ""}, "name"),
        ({"bio": "x" * 1001}, "bio"),
        ({"links-0-label": "Home", "links-0-path": "http://insecure.example"}, "links-0-path"),
        ({"links-0-label": "Home", "links-0-path": "javascript:alert(1)"}, "links-0-path"),
    ],
)
async def test_what_is_wrong_is_said_beside_it_and_nothing_typed_is_lost(site: Site, changes: dict[str, str], wrong: str) -> None:
    browser = await site.signed_in("contributor")
    answer = await save(browser, **{"name": "Typed", **changes})
    assert answer.status == 422
    assert [link.get("href") for row in by_class(answer.page, "problems") for link in row.iter("a")] == [f"#{wrong}"]
    typed = fields((page := answer.page), form_of(page, "/account"))
    assert {name: typed[name].strip() for name in changes} == changes


@pytest.mark.parametrize(
    "content", [b"<svg xmlns='http://www.w3.org/2000/svg'/>", bytes(pictures.MAX_PORTRAIT_BYTES + 1)], ids=["svg", "large"]
)
async def test_a_file_that_is_no_picture_is_refused(site: Site, content: bytes) -> None:
    browser = await site.signed_in("contributor")
    answer = await save(browser, content, name="Typed")
    assert answer.status == 422
    assert by_id(answer.page, "picture-error") is not None
    assert by_id(answer.page, "picture").get("aria-invalid") == "true"
    assert "Choose the picture again" in words(by_id(answer.page, "picture-hint"))
    assert fields((page := answer.page), form_of(page, "/account"))["name"] == "Typed"


async def test_nobody_is_named_for_a_draft(site: Site) -> None:
    """With picture and links, or without."""
    await site.person("owner")
    browser = await site.signed_in("contributor")
    await save(browser, photo(), bio="I am here.")
    await browser.post("/admin/posts", {"title": "Not yet", "text": "x"})
    for path in ("/author/contributor-person", "/author/contributor-person/feed.xml"):
        answer = await site.browser().get(path)
        assert answer.status == 404
        assert "Contributor Person" not in answer.text


async def test_letters_that_can_be_refused_are_and_others_are_said_so(site: Site) -> None:
    browser = await site.signed_in("author")
    page = await browser.get("/account/notifications")
    assert "cannot be switched off" in page.words
    boxes = [each for each in page.page.iter("input") if each.get("name") == "wanted"]
    assert {each.get("value") for each in boxes} == set(REFUSABLE)
    assert all(each.get("checked") is not None for each in boxes)
    assert (await browser.post("/account/notifications", {"wanted": "role"})).status == 303
    page = await browser.get("/account/notifications")
    assert [each.get("value") for each in page.page.iter("input") if each.get("checked") is not None] == ["role"]
    async with site.database.read() as session:
        assert (await accounts.get(session, await site.person("author"))).refuses == [each for each in REFUSABLE if each != "role"]


async def test_account_is_for_those_who_are_signed_in(site: Site) -> None:
    for path in ("/account", "/account/notifications", "/account/email"):
        assert (await site.browser().get(path)).location == "/login?next=" + path.replace("/", "%2F")
        assert (await site.browser().post(path, {"name": "X"})).status == 401


async def test_sidebar_leads_to_people_and_account(site: Site) -> None:
    for role, expected in (("administrator", {"/admin/people", "/account"}), ("author", {"/account"})):
        links = {each.get("href") for each in (await (await site.signed_in(role)).get("/admin/posts")).page.iter("a")}
        assert links & {"/admin/people", "/account"} == expected


async def test_door_leads_to_a_new_password(site: Site) -> None:
    page = await site.browser().get("/login")
    assert "/password" in {each.get("href") for each in page.page.iter("a")}
    assert (await site.browser().sign_in("nobody@example.org", PASSWORD)).status == 422
