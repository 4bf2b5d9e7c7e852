"""What axe finds on every kind of page, at both widths and in both colour schemes; and no page is wider than its window."""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from selenium.webdriver import Chrome

from cms.db.session import Database
from cms.models import Passkey
from cms.routes import routes
from cms.services import accounts
from cms.services.passwords import Passwords
from e2e.axe import bring, problems
from e2e.conftest import OpenBrowser, resize
from e2e.desk import fill, one_of_each
from e2e.pages.first_run import SetupScreen
from e2e.pages.screen import Screen
from e2e.pages.sign_in import SignInScreen
from e2e.program import Program
from tests import factories
from tests.conftest import Templates
from tests.handlers.walk import is_done

pytestmark = pytest.mark.browser

PHONE, DESK = 375, 1280
SCALE = 0.1  # no picture of the pages is looked at

READERS = (
    "/", "/the-rule-of-twelfths", "/about/how-to-read-a-tide-table", "/tag/tides", "/category/almanac", "/archive", "/nothing-here",
    "/two-moorings-to-let", "/author/ines-falk", "/one-week-six-lights",
    "/series/reading-the-water", "/about", "/archive/2025", "/login", "/search", "/search?q=tide", "/search?q=tide&year=2026",
    "/search?q=zzzz",
)  # fmt: skip
WRITING = (
    "/admin", "/admin/notifications", "/admin/calendar",
    "/admin/posts", "/admin/posts?status=trashed", "/admin/posts?q=zzzz", "/admin/posts/new", "/admin/posts/trash", "/admin/posts/views",
    "/admin/posts/{post}", "/admin/posts/{post}/publication", "/admin/posts/{post}/visibility", "/admin/posts/{post}/threads",
    "/admin/posts/{post}/links", "/admin/posts/{post}/review", "/admin/posts/{draft}/review", "/admin/posts/{post}/revisions",
    "/admin/posts/{post}/revisions/{revision}", "/admin/posts/{post}/revisions/comparison", "/admin/posts/{post}/revisions/playback",
    "/admin/pages", "/admin/pages/new", "/admin/pages/tree",
    "/admin/categories", "/admin/categories/1", "/admin/categories/1/deletion",
    "/admin/tags", "/admin/tags/1", "/admin/tags/1/deletion", "/admin/tags/merging?ids=1&ids=2", "/admin/tags/unused",
    "/admin/series", "/admin/series/1", "/admin/series/1/deletion",
    "/admin/media", "/admin/media?view=list", "/admin/media?view=list&without_alt=on", "/admin/media?q=zzzz", "/admin/media?trash=on",
    "/admin/media/room", "/admin/media/folders", "/admin/media/folders/{folder}", "/admin/media/{asset}", "/admin/media/{film}",
    "/admin/snippets", "/admin/snippets/new", "/admin/snippets/{snippet}", "/admin/templates", "/admin/templates/{template}",
    "/admin/fields", "/admin/fields/{field}", "/admin/trash", "/admin/trash/{trashed}", "/admin/trash/emptying", "/admin/trash?kind=field",
)  # fmt: skip
RUNNING = (
    "/admin/site", "/admin/site/look", "/admin/site/reading", "/admin/site/permalinks", "/admin/site/publishing", "/admin/site/review",
    "/admin/site/access", "/admin/site/crawlers", "/admin/site/security", "/admin/site/mail", "/admin/site/limits", "/admin/site/media",
    "/admin/menus/main", "/admin/menus/footer",
    "/admin/redirects", "/admin/redirects/new", "/admin/redirects/table", "/admin/redirects/{redirect}",
    "/admin/people", "/admin/people/invitations", "/admin/capabilities",
    *(f"/admin/people/1{act}" for act in ("", "/role", "/email", "/password", "/data", "/deletion", "/erasure", "/ownership")),
    "/admin/transfers", "/admin/transfers/{import}", "/admin/transfers/{failed}", "/admin/backups", "/admin/jobs", "/admin/system",
    "/admin/cache", "/admin/audit", "/admin/audit?subject=foo",
    "/account", "/account/email", "/account/notifications", "/account/data", "/account/confirmation", "/account/security",
    "/account/security/password", "/account/security/authenticator", "/account/security/codes", "/account/security/passkeys",
    "/account/security/passkeys/{passkey}", "/invitation/{carrier}", "/password",
)  # fmt: skip
NO_PAGES = {  # files, frames, answers to scripts, and what leads on
    "admin.asset.original", "admin.upload",
    "admin.links", "admin.palette", "admin.snippets.choices", "admin.menus", "admin.menus.targets", "admin.site.look.preview",
    "admin.audit.csv", "admin.audit.json", "admin.redirects.csv", "admin.backup.file", "admin.transfer.file", "admin.transfer.report",
    "admin.imports", "admin.post.revision.page", "admin.post.comparison.page", "account.factor", "login.openid.callback",
}  # fmt: skip
ELSEWHERE = {  # of a link, a provider or a state that this site has not: with its journey, or like another page that is here
    "admin.page", "admin.pages.trash", "admin.pages.views", "admin.welcome",
    "login.factor", "setup", "password.new", "account.email.new", "account.identities",
}  # fmt: skip
WORDY = (
    "/", "/w2", "/long", "/archive", "/nothing-here", "/password", "/admin/people", "/account", "/account/security",
    "/account/security/passkeys/1", "/admin/tags", "/admin/series/1", "/admin/pages/tree",
)  # fmt: skip
ACTS = ("", "/role", "/email", "/deletion", "/erasure", "/data", "/password", "/ownership")  # on a person


def test_each_page_of_the_desk_is_among_them() -> None:
    shown = [re.sub(r"{\w+}", "1" * 20, path).partition("?")[0] for path in (*READERS, *WRITING, *RUNNING)]
    shown = [path.replace("1" * 20, "1") if path.startswith(("/admin", "/account")) else path for path in shown]
    like = [route for route in routes() if route.handler_class.face == "admin" and not str(route.name).startswith("admin.page.")]
    pages = [route for route in like if route.name not in NO_PAGES | ELSEWHERE and is_done(route, "GET")]
    assert [route.name for route in pages if not any(route.regex.match(path) for path in shown)] == []


@pytest.mark.timeout(300)
def test_axe_finds_nothing_before_readers(demo: Program, open_browser: OpenBrowser) -> None:
    driver = open_browser()
    bring(driver)
    _look_at(driver, demo.url, ["/"])  # before there is an owner
    _look_at(driver, "", [demo.owner_link])
    first = SetupScreen(driver)
    first.sign_up(demo.owner_link)
    _look_at(driver, demo.url, ["/admin/welcome"])
    first.begin()
    _look_at(driver, demo.url, READERS)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("pages", [WRITING, RUNNING], ids=["writing", "running"])
def test_axe_finds_nothing_at_the_desk(demo: Program, open_browser: OpenBrowser, pages: tuple[str, ...]) -> None:
    driver = open_browser()
    bring(driver)
    SetupScreen(driver).make_owner(demo.owner_link)
    made = fill(demo, "", one_of_each)
    driver.get(f"{demo.url}/admin/posts/{made['post']}/links")
    Screen(driver).press("Make the link")
    _look_at(driver, demo.url, [path.format(**made) for path in pages])


def _look_at(driver: Chrome, url: str, paths: Iterable[str]) -> None:
    """At both widths, each page as it comes at one and as it becomes at the other: none is wider than the window, or begins further down
    than need be."""
    first, other = PHONE, DESK
    for path in paths:
        for width in (first, other):
            resize(driver, width, scale=SCALE)
            if width == first:
                driver.get(url + path)
                assert "/login" in path or "/login" not in driver.current_url, path
            assert problems(driver) == [], f"{path} at {width}px"
            assert not Screen(driver).is_wider_than_the_window(), f"{path} at {width}px"
            for heading in driver.find_elements("css selector", ".shell .page h1"):
                assert heading.location["y"] < 200, f"{path} at {width}px"
        first, other = other, first
    resize(driver, DESK)


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
