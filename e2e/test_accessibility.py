"""What axe finds on every kind of page, at both widths and in both colour schemes; and no page is wider than its window."""

from pathlib import Path

import pytest
from selenium.webdriver import Chrome

from e2e.axe import problems
from e2e.conftest import OpenBrowser
from e2e.pages.first_run import SetupScreen
from e2e.pages.screen import Screen
from e2e.program import Program

pytestmark = pytest.mark.browser

READERS = (
    "/", "/the-rule-of-twelfths", "/about/how-to-read-a-tide-table", "/tag/tides", "/category/almanac", "/archive", "/nothing-here",
    "/two-moorings-to-let", "/author/ines-falk",
    "/series/reading-the-water", "/about", "/archive/2025", "/login", "/search", "/search?q=tide", "/search?q=tide&year=2026",
    "/search?q=zzzz",
)  # fmt: skip
DESK = (
    "/admin/posts", "/admin/posts?status=trashed", "/admin/pages", "/admin/posts/new", "/admin/pages/new", "/admin/site",
    "/admin/menus/main", "/admin/menus/footer", "/admin/cache",
)  # fmt: skip


@pytest.fixture
def demo(tmp_path: Path) -> Program:
    return Program(tmp_path / "data", "", "--demo")


def test_axe_finds_nothing(demo: Program, open_browser: OpenBrowser) -> None:
    demo.start()
    try:
        for width in (375, 1280):
            driver = open_browser(width=width)
            if width == 375:
                driver.get(demo.url)
                assert problems(driver) == [], "before there is an owner"
                driver.get(demo.owner_link)
                assert problems(driver) == [], "the one-time link"
                SetupScreen(driver).make_owner(demo.owner_link)
                cookies = driver.get_cookies()
            else:
                driver.get(demo.url)
                for cookie in cookies:
                    driver.add_cookie({key: cookie[key] for key in ("name", "value", "path")})
            for path in (*READERS, *DESK, *_of_one_post(driver, demo.url)):
                driver.get(path if path.startswith("http") else demo.url + path)
                assert problems(driver) == [], f"{path} at {width}px"
                assert not Screen(driver).is_wider_than_the_window(), f"{path} at {width}px"
    finally:
        demo.stop()


def _of_one_post(driver: Chrome, url: str) -> list[str]:
    """Its editor, and the page from which it is published."""
    driver.get(f"{url}/admin/posts?status=changed")
    driver.find_element("css selector", "td a, th a").click()
    editor = driver.current_url.partition("?")[0]
    return [editor, f"{editor}/publication"]
