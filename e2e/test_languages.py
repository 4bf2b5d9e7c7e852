"""A person of another language at the desk, and readers of a site in it."""

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.support.ui import Select

from e2e.conftest import OpenBrowser, resize
from e2e.pages.editor import EditorScreen
from e2e.pages.first_run import SetupScreen
from e2e.program import Program

pytestmark = pytest.mark.browser

DESK = (
    "/admin", "/admin/posts", "/admin/pages", "/admin/pages/tree", "/admin/calendar", "/admin/tags",
    "/admin/series", "/admin/menus/main", "/admin/redirects", "/admin/snippets", "/admin/fields", "/admin/people", "/admin/site",
    "/admin/site/look", "/admin/jobs", "/admin/cache", "/admin/system", "/admin/audit", "/admin/transfers", "/admin/notifications",
    "/account/security",
)  # fmt: skip


@pytest.mark.timeout(180)
def test_person_has_the_desk_in_german(demo: Program, open_browser: OpenBrowser) -> None:
    driver = open_browser(width=375)
    screen = EditorScreen(driver)
    SetupScreen(driver).make_owner(demo.owner_link)
    driver.get(f"{demo.url}/account")
    Select(screen.field("Language of the desk")).select_by_visible_text("Deutsch")
    screen.press("Save")
    assert screen.heading == "Dein Konto"
    for path in DESK:
        driver.get(demo.url + path)
        assert not screen.is_wider_than_the_window(), path
        assert driver.find_element("tag name", "html").get_attribute("lang") == "de", path
    screen.open_new(demo.url).type("Ebbe")
    screen.wait_for("Gespeichert gerade eben")
    assert not screen.is_wider_than_the_window()
    size = driver.find_element("css selector", ".desk-acts").size
    assert size["height"] < 60, "in one line"


def test_readers_have_the_site_in_german(program: Program, owner: Chrome) -> None:
    screen = EditorScreen(owner)
    resize(owner, 375)
    owner.get(f"{program.url}/admin/site")
    Select(screen.field("Language")).select_by_value("de")
    screen.press("Save")
    owner.get(f"{program.url}/search?q=zzzz")
    assert owner.find_element("tag name", "html").get_attribute("lang") == "de"
    assert "Suchen" in screen.text
    assert not screen.is_wider_than_the_window()
