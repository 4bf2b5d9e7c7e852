"""What axe finds on every kind of page, at both widths and in both colour schemes; and no page is wider than its window."""

from pathlib import Path

import pytest
from selenium.webdriver import Chrome

from cms.db.session import Database
from cms.models import Passkey
from cms.services import accounts
from cms.services.passwords import Passwords
from e2e.axe import problems
from e2e.conftest import OpenBrowser
from e2e.pages.first_run import SetupScreen
from e2e.pages.screen import Screen
from e2e.pages.sign_in import SignInScreen
from e2e.program import Program
from tests import factories
from tests.conftest import Templates

pytestmark = pytest.mark.browser

READERS = (
    "/", "/the-rule-of-twelfths", "/about/how-to-read-a-tide-table", "/tag/tides", "/category/almanac", "/archive", "/nothing-here",
    "/two-moorings-to-let", "/author/ines-falk",
    "/series/reading-the-water", "/about", "/archive/2025", "/login", "/search", "/search?q=tide", "/search?q=tide&year=2026",
    "/search?q=zzzz",
)  # fmt: skip
DESK = (
    "/admin/posts", "/admin/posts?status=trashed", "/admin/pages", "/admin/posts/new", "/admin/pages/new",
    "/admin/site", "/admin/site/look", "/admin/site/permalinks", "/admin/site/mail", "/admin/site/limits", "/admin/site/review",
    "/admin/redirects", "/admin/redirects/new",
    "/admin/redirects/table",
    "/admin/categories", "/admin/categories/1", "/admin/categories/1/deletion", "/admin/tags", "/admin/tags/merging?ids=1&ids=2",
    "/admin/series", "/admin/series/1", "/admin/pages/tree",
    "/admin/menus/main", "/admin/menus/footer", "/admin/cache", "/admin/audit", "/admin/audit?subject=foo",
    "/admin/fields", "/admin/snippets", "/admin/snippets/new", "/admin/templates",
)  # fmt: skip
WORDY = (
    "/", "/w2", "/long", "/archive", "/nothing-here", "/password", "/admin/people", "/account", "/account/security",
    "/account/security/passkeys/1", "/admin/tags", "/admin/series/1", "/admin/pages/tree",
)  # fmt: skip
ACTS = ("", "/role", "/email", "/deletion", "/erasure", "/data", "/password", "/ownership")  # on a person


@pytest.fixture
def demo(tmp_path: Path) -> Program:
    return Program(tmp_path, "", "--demo")


@pytest.mark.timeout(300)
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


async def test_no_page_is_wider_than_its_window_however_long_its_words(
    tmp_path: Path, templates: Templates, open_browser: OpenBrowser
) -> None:
    data, word = tmp_path / "data", "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz" * 2
    database = Database(await templates.copy_sqlite(data / "squall.db"))
    owner = await factories.person(database, "owner", password_hash=await Passwords().hash(factories.PASSWORD))
    editor = await factories.person(database, "editor", word[:80])
    for part in (1, 2, 3):
        text = f"## {word}\n\n{word}\n\n=== {word}\n\n    Mud.\n"
        await factories.published(
            database, editor, title=f"{word} {part}", text=text, slug=f"w{part}", tags=(word[:80],), series=word[:80], part=part
        )
    await factories.published_page(database, editor, title=word, slug="long")  # which the menu shows
    program = Program(tmp_path).start()
    try:
        drivers = {width: open_browser(width=width) for width in (320, 1280)}
        for driver in drivers.values():
            door = SignInScreen(driver).open(program.url)
            assert not door.is_wider_than_the_window()
            door.sign_in("owner@example.org", factories.PASSWORD)
        await _named(database, owner.user_id or 0, word[:80])
        await database.dispose()
        for width, driver in drivers.items():
            for path in (*WORDY, f"/search?q={word[:80]}", *(f"/admin/people/{editor.user_id}{act}" for act in ACTS)):
                driver.get(program.url + path)
                assert "/login" not in driver.current_url
                assert not Screen(driver).is_wider_than_the_window(), f"{path} at {width}px"
    finally:
        program.stop()


async def _named(database: Database, user_id: int, name: str) -> None:
    """The person and a passkey of this name, once nobody has to show it to come in."""
    async with database.transaction() as work:
        user = await accounts.get(work.session, user_id)
        await accounts.rename(work, user.actor, user, name)
        key = {"credential_id": "x", "public_key": "x", "sign_count": 0, "transports": [], "is_synced": False}
        work.session.add(Passkey(user_id=user_id, name=name, created_at=work.now, **key))
