"""The settings and the menus, as an administrator meets them."""

import io
import json

import pytest
from PIL import Image

from cms.services import site as services
from tests.handlers.admin.pages import by_class, by_id, fields, form_of, title, words
from tests.web import Answer, Browser, Site


async def settings(browser: Browser, part: str = "") -> dict[str, str]:
    page = (await browser.get(f"/admin/site{part}")).page
    form = form_of(page)
    chosen = {each.get("name"): each.get("value") for each in form.iter("input") if each.get("checked") is not None}
    return {
        name: value
        for name, value in {**fields(page, form), **chosen}.items()
        if name not in ("logo", "icon", "remove_logo", "remove_icon")
    }  # type: ignore[misc]


async def menu(browser: Browser, name: str = "main") -> dict[str, str]:
    page = (await browser.get(f"/admin/menus/{name}")).page
    return fields(page, form_of(page))


async def send_file(browser: Browser, content: bytes, name: str = "logo", **form: str) -> Answer:
    return await browser.upload("/admin/site/look", form, name, "../../Logo.svg", "image/svg+xml", content)


def png(size: tuple[int, int] = (60, 20)) -> bytes:
    kept = io.BytesIO()
    Image.new("RGB", size, "teal").save(kept, "PNG")
    return kept.getvalue()


async def test_what_is_saved_is_seen_at_once(site: Site) -> None:
    browser = await site.signed_in("administrator")
    await site.person("owner")
    for part, changes in (
        ("/look", {"accent_hue": "30", "fonts": "sans", "corners": "square"}),
        ("/reading", {"home": "compact", "posts_per_page": "7"}),
    ):
        assert (await browser.post(f"/admin/site{part}", {**await settings(browser, part), **changes})).location == f"/admin/site{part}"
    given = {**await settings(browser), "name": "Mud & Tide", "time_zone": "Asia/Tokyo"}
    given |= {"links-1-label": "Mastodon", "links-1-path": "https://example.social/@x"}
    answer = await browser.post("/admin/site", given)
    assert (answer.status, answer.location) == (303, "/admin/site")
    shown = await browser.get("/admin/site")
    assert "Saved." in shown.words
    again = await settings(browser) | await settings(browser, "/look") | await settings(browser, "/reading")
    assert json.loads((await site.browser().get("/manifest.webmanifest")).body)["theme_color"] == "oklch(0.47 0.13 30)"
    assert (again["name"], again["accent_hue"], again["home"], again["time_zone"]) == ("Mud & Tide", "30", "compact", "Asia/Tokyo")
    assert (again["fonts"], again["width"], again["corners"]) == ("sans", "normal", "square")
    assert (again["links-0-label"], again["links-0-path"]) == ("Mastodon", "https://example.social/@x"), "empty rows are left out"
    home = await site.browser().get("/")
    assert "Mud & Tide" in home.words
    assert "/static/theme/30-sans-normal-square-auto.css" in home.text
    assert "--font-serif:var(--font-sans)" in (await browser.get("/static/theme/30-sans-normal-square-auto.css")).text
    assert (await browser.get("/static/theme/30-sans-normal-oval-auto.css")).status == 404


async def refused(browser: Browser, part: str, **changes: str) -> tuple[dict[str | None, str], dict[str, str]]:
    """What is said at which field, and what is shown in them."""
    answer = await browser.post(f"/admin/site{part}", {**await settings(browser, part), **changes})
    assert answer.status == 422
    assert title(answer).startswith("Error: ")
    said = {link.get("href"): words(row) for row in by_class(answer.page, "problems")[0].iter("li") for link in row.iter("a")}
    assert all(by_id(answer.page, str(name)[1:]) is not None for name in said)
    return said, fields(answer.page)


async def test_what_is_wrong_is_said_beside_it_and_nothing_typed_is_lost(site: Site) -> None:
    browser = await site.signed_in("owner")
    links = {"links-0-label": "Mastodon", "links-0-path": "http://insecure.example"}
    said, typed = await refused(browser, "", name="", description="Kept.", time_zone="Mars/Base", **links)
    assert said == {
        "#name": "Name: This is needed.",
        "#time_zone": "Time zone: Choose a time zone of the list.",
        "#links-0-path": "Address 1: Write a whole address, beginning with https://.",
    }
    assert (typed["description"].strip(), typed["links-0-path"]) == ("Kept.", "http://insecure.example")
    said, typed = await refused(browser, "/reading", posts_per_page="0")
    assert (said, typed["posts_per_page"]) == ({"#posts_per_page": "Posts on a page: Choose a number from 1 to 100."}, "0")
    assert "Choose a number from 0 to 359." in str((await refused(browser, "/look", accent_hue="400", fonts="wingdings"))[0])
    assert "#home_page_id" in (await refused(browser, "/reading", home="page"))[0], "no page was chosen"


async def test_the_second_administrator_sees_what_the_first_changed_before_replacing_it(site: Site) -> None:
    one, other = await site.signed_in("owner"), await site.signed_in("administrator")
    first, second = await settings(one), await settings(other)
    assert (await one.post("/admin/site", {**first, "name": "Mine", "footer": "My footer."})).status == 303
    answer = await other.post("/admin/site", {**second, "name": "Yours"})
    assert answer.status == 409
    told = words(by_class(answer.page, "problems")[0])
    assert "Name: Mine" in told
    assert "Footer: My footer." in told
    assert "Description" not in told
    typed = fields(answer.page)
    assert typed["name"] == "Yours"
    again = {**second, "name": "Yours", "version": typed["version"]}
    assert (await other.post("/admin/site", again)).status == 303
    assert (await settings(one))["name"] == "Yours"


async def test_a_logo_stands_in_place_of_the_name_until_it_is_removed(site: Site) -> None:
    browser = await site.signed_in("owner")
    given = {**await settings(browser, "/look"), "_xsrf": browser.cookies["xsrf"]}
    assert (await send_file(browser, png(), **given)).status == 303
    home = await browser.get("/archive")
    image = home.page.find(".//a[@rel='home']/img")
    assert (image.get("width"), image.get("height"), image.get("alt")) == ("60", "20", "The Tide Table")
    answer = await browser.get(image.get("src"))
    assert (answer.body, answer.headers["Content-Type"]) == (png(), "image/png")
    assert image.get("src").endswith("/logo.png"), "what somebody called it is of no account"
    block = (await browser.get("/")).page.findtext(".//script[@type='application/ld+json']") or ""
    organization = next(node for node in json.loads(block)["@graph"] if node["@type"] == "Organization")
    assert (organization["logo"]["url"].endswith(image.get("src")), organization["logo"]["width"]) == (True, 60)
    assert (await browser.post("/admin/site/look", {**await settings(browser, "/look"), "remove_logo": "on"})).status == 303
    assert (await browser.get("/archive")).page.find(".//a[@rel='home']/img") is None


async def test_an_icon_is_made_square_and_stands_for_the_site_everywhere(site: Site) -> None:
    browser = await site.signed_in("owner")
    given = {**await settings(browser, "/look"), "_xsrf": browser.cookies["xsrf"]}
    assert (await browser.get("/favicon.ico")).location.startswith("/static/icons/favicon.svg")
    assert (await send_file(browser, png(), "icon", **given)).status == 303
    head = (await browser.get("/archive")).page.find("head")
    links = {link.get("rel"): link.get("href") for link in head.iter("link")}
    assert links["icon"] == links["apple-touch-icon"] == (await browser.get("/favicon.ico")).location
    assert Image.open(io.BytesIO((await browser.get(links["icon"])).body)).size == (512, 512)
    (icon,) = json.loads((await browser.get("/manifest.webmanifest")).body)["icons"]
    assert icon == {"src": links["icon"], "sizes": "512x512", "type": "image/png"}
    assert (await browser.post("/admin/site/look", {**await settings(browser, "/look"), "remove_icon": "on"})).status == 303
    assert (await browser.get("/favicon.ico")).location.startswith("/static/icons/favicon.svg")


async def test_the_look_is_shown_before_it_is_saved(site: Site) -> None:
    browser = await site.signed_in("owner")
    given = {**await settings(browser, "/look"), "accent_hue": "30", "colours": "dark"}
    shown = await browser.post("/admin/site/look/preview", given)
    assert "/static/theme/30-serif-normal-soft-dark.css" in shown.text
    assert "frame-ancestors 'self'" in shown.headers["Content-Security-Policy"]
    assert "/static/theme/255.css" in (await site.browser().get("/")).text
    assert "/static/theme/255.css" in (await browser.post("/admin/site/look/preview", {**given, "fonts": "wingdings"})).text


@pytest.mark.parametrize(
    "content", [b"<svg xmlns='http://www.w3.org/2000/svg'/>", png((3000, 3000)), bytes(2_000_001)], ids=["svg", "wide", "large"]
)
async def test_a_file_that_is_no_small_picture_is_refused(site: Site, content: bytes) -> None:
    browser = await site.signed_in("owner")
    given = {**await settings(browser, "/look"), "_xsrf": browser.cookies["xsrf"], "accent_hue": "77"}
    answer = await send_file(browser, content, **given)
    assert answer.status == 422
    assert by_id(answer.page, "logo-error") is not None
    assert fields(answer.page)["accent_hue"] == "77"
    assert (await settings(browser, "/look"))["accent_hue"] == "255"


async def test_text_that_does_not_belong_in_a_page_does_nothing_there(site: Site) -> None:
    browser = await site.signed_in("owner")
    given = await settings(browser)
    hostile = "<script>alert(1)</script>"
    typed = {**given, "name": hostile, "description": hostile, "footer": hostile, "links-0-label": hostile}
    assert (await browser.post("/admin/site", {**typed, "links-0-path": 'https://x.example/"onmouseover=x'})).status == 422
    assert (await browser.post("/admin/site", {**typed, "links-0-path": "https://x.example/?a=1&b=2"})).status == 303
    for path in ("/", "/admin/site", "/feed.xml"):
        assert hostile not in (await browser.get(path)).text


async def test_the_menu_begins_with_what_readers_see_without_one(site: Site) -> None:
    browser = await site.signed_in("owner")
    assert (await menu(browser))["items-0-label"] == ""


async def test_a_menu_is_made_ordered_and_shown(site: Site) -> None:
    browser = await site.signed_in("owner")
    given = await menu(browser)
    given |= {"items-0-label": "All", "items-0-target": "/archive", "items-2-label": "Else", "items-2-target": "https://example.org"}
    moved = await browser.post("/admin/menus/main", {**given, "move": "down-0"})
    assert moved.status == 200
    assert "not saved yet" in moved.words
    typed = fields(moved.page)
    assert (typed["items-0-label"], typed["items-1-label"], typed["items-1-target"]) == ("Else", "All", "/archive")
    assert (await menu(browser))["items-0-label"] == "", "moving saves nothing"
    inside = fields((await browser.post("/admin/menus/main", {**typed, "move": "in-1"})).page)
    assert (inside["items-0-level"], inside["items-1-level"]) == ("0", "1")
    assert (await browser.post("/admin/menus/main", inside)).status == 303
    nav = (await browser.get("/archive")).page.find(".//nav[@aria-label='Main']")
    assert [link.get("href") for link in nav.find(".//details").iter("a")] == ["https://example.org", "/archive"]
    again = await menu(browser)
    removed = await browser.post("/admin/menus/main", {**again, "move": "remove-0"})
    assert fields(removed.page)["items-0-label"] == "All"


async def test_a_menu_that_leads_nowhere_is_shown_again(site: Site) -> None:
    browser = await site.signed_in("owner")
    given = {**await menu(browser, "footer"), "items-0-label": "Gone", "items-0-target": "/nothing", "items-1-label": "No address"}
    answer = await browser.post("/admin/menus/footer", given)
    assert answer.status == 422
    assert by_id(answer.page, "items-1-target-error") is not None
    answer = await browser.post("/admin/menus/footer", {**given, "items-1-label": ""})
    assert words(by_id(answer.page, "items-0-target-error")) == "Nothing that readers have stands at this address."
    typed = fields(answer.page)
    assert (typed["items-0-label"], typed["items-0-target"]) == ("Gone", "/nothing")
    answer = await browser.post("/admin/menus/footer", {**typed, "items-0-target": "About us"})
    assert words(by_id(answer.page, "items-0-target-error")).startswith("Choose what is offered below the field, or write an address")


async def test_the_second_administrator_hears_that_the_menu_was_changed(site: Site) -> None:
    browser = await site.signed_in("owner")
    given = {**await menu(browser, "footer"), "items-0-label": "All", "items-0-target": "/archive"}
    assert (await browser.post("/admin/menus/footer", given)).status == 303
    answer = await browser.post("/admin/menus/footer", {**given, "items-0-label": "Mine"})
    assert answer.status == 409
    typed = fields(answer.page)
    assert (typed["items-0-label"], typed["version"]) == ("Mine", "1")
    assert "As somebody else has saved it All /archive" in answer.words


async def test_what_somebody_else_chose_of_several_is_told_in_words(site: Site) -> None:
    browser = await site.signed_in("owner")
    given = await settings(browser, "/media")
    assert (await browser.post("/admin/site/media", {**given, "kinds": ["pictures", "sound"]})).status == 303
    answer = await browser.post("/admin/site/media", {**given, "kinds": ["drawings"]})
    assert answer.status == 409
    assert "What may be uploaded: Pictures (JPEG, PNG, GIF, WebP, AVIF), Sound" in words(by_class(answer.page, "problems")[0])


async def test_limits_are_bounded_and_those_that_are_as_usual_are_not_kept(site: Site) -> None:
    browser = await site.signed_in("owner")
    given = await settings(browser, "/limits")
    assert (given["mail_per_hour"], given["trash_days"]) == ("1000", "30")
    for wrong in ("0", "1000001", "many"):
        answer = await browser.post("/admin/site/limits", {**given, "mail_per_hour": wrong})
        assert (answer.status, "choose a number from 1 to 1,000,000" in answer.words.lower()) == (422, True)
    assert (await browser.post("/admin/site/limits", {**given, "trash_days": "7"})).location == "/admin/site/limits"
    async with site.database.read() as session:
        assert (await services.get(session)).limits == {"trash_days": 7}
    assert "in the trash for 7 days is deleted" in (await browser.get("/admin/posts/trash")).words
    assert "Days in the trash" in (await browser.get("/admin/audit")).words


async def test_all_settings_have_the_same_head_and_one_navigation(site: Site) -> None:
    browser = await site.signed_in("owner")
    (nav,) = by_class((await browser.get("/admin/site")).page, "subnav")
    for path in [link.get("href") or "" for link in nav.iter("a")]:
        if path.startswith("/admin/site"):
            page = (await browser.get(path)).page
            (there,) = by_class(page, "subnav")
            (here,) = [link for link in there.iter("a") if link.get("aria-current")]
            assert (here.get("href"), words(next(page.iter("h1")))) == (path, "Site settings")


@pytest.mark.parametrize("move", ["up-0", "down-99", "remove-999", "up-x", "sideways-1", ""])
async def test_any_move_is_answered(site: Site, move: str) -> None:
    browser = await site.signed_in("owner")
    answer = await browser.post("/admin/menus/main", {**await menu(browser), "move": move})
    assert answer.status in (200, 303)


async def test_the_numbers_of_the_page_cache_are_shown_to_administrators(site: Site) -> None:
    owner = await site.signed_in("owner")
    for _ in range(3):
        await site.browser().get("/archive")
    answer = await owner.get("/admin/cache")
    assert "Kept now1 page" in answer.words
    assert "66.7 %" in answer.words
    assert (await (await site.signed_in("editor")).get("/admin/cache")).status == 403
