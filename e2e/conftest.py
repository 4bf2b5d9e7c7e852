"""Browser journeys: the real program, a real Chromium."""

import shutil
import sqlite3
import subprocess
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from selenium.common.exceptions import WebDriverException
from selenium.webdriver import Chrome, ChromeOptions, ChromeService

from cms.db import migrations
from e2e.beginnings import Beginnings, publication
from e2e.pages.first_run import SetupScreen
from e2e.program import Program
from tests.conftest import Templates, pytest_runtest_setup, templates

__all__ = ["pytest_runtest_setup", "templates"]

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SHELL = Path("/usr/lib/chromium/chromium-headless-shell")  # what is in $PATH only starts it, and leaves it running when it is told to end
OPTIONS = (
    "--headless=new",
    "--kiosk",  # no frame is drawn around the pages
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--in-process-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--disable-field-trial-config",
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup",  # or a process draws a menu that nobody opens
    "--js-flags=--no-maglev --no-opt",  # no page is open for so long that it is worth while
    "--force-color-profile=srgb",
    "--lang=en-GB",
    "--window-size=800,600",
)

OpenBrowser = Callable[..., Chrome]


def resize(driver: Chrome, width: int, height: int = 900, *, scale: float = 1) -> None:
    """The window of a headless Chromium cannot be narrower than 500 pixels; the emulated screen can. With a ``scale`` it is drawn so small,
    and to the page all is as before; nothing can be clicked on then."""
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False, "scale": scale}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


class Browsers:
    """Opens browsers, and keeps those that are as new after a test: starting one takes as long as a short test."""

    def __init__(self) -> None:
        self._idle: defaultdict[tuple[bool, bool], list[Chrome]] = defaultdict(list)  # by ``scripts`` and ``is_logged``

    @contextmanager
    def lent(self) -> Iterator[OpenBrowser]:
        """What opens browsers with ``width`` in CSS pixels, ``scripts`` on or off, ``dark`` or light, a ``profile`` to come back to (always
        with scripts and without the log), and a log of what they ask for."""
        with ExitStack() as stack:

            def open_one(
                *, width: int = 1280, height: int = 900, scripts: bool = True, dark: bool = False, profile: Path | None = None,
                is_logged: bool = False,
            ) -> Chrome:  # fmt: skip
                if profile is None:
                    idle = self._idle[scripts, is_logged]
                    driver = idle.pop() if idle else _started(scripts=scripts, is_logged=is_logged)
                    stack.callback(self._take_back, driver, idle)
                else:
                    driver = _started(profile=profile)
                    stack.callback(driver.quit)
                resize(driver, width, height)
                scheme = {"features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]}
                driver.execute_cdp_cmd("Emulation.setEmulatedMedia", scheme)
                return driver

            yield open_one

    def _take_back(self, driver: Chrome, idle: list[Chrome]) -> None:
        """As new, or not at all."""
        try:
            before = driver.window_handles
            driver.switch_to.window(before[0])
            driver.switch_to.new_window("tab")  # what was emulated, watched or cut off was so in the tab
            fresh = driver.current_window_handle
            for handle in before:
                driver.switch_to.window(handle)
                driver.close()
            driver.switch_to.window(fresh)
            driver.set_window_size(800, 600)
            for command in ("Network.clearBrowserCookies", "Network.clearBrowserCache"):
                driver.execute_cdp_cmd(command, {})
            driver.execute_cdp_cmd("Storage.clearDataForOrigin", {"origin": "*", "storageTypes": "all"})
            driver.get_log("browser")  # type: ignore[no-untyped-call]
            idle.append(driver)
        except WebDriverException:
            driver.quit()

    def close(self) -> None:
        for driver in chain(*self._idle.values()):
            driver.quit()


def _started(*, scripts: bool = True, profile: Path | None = None, is_logged: bool = False) -> Chrome:
    options = ChromeOptions()
    shell = _shell() if scripts and not profile else None
    options.binary_location = shell or next(filter(None, map(shutil.which, BROWSERS)))
    for argument in (*OPTIONS, *([f"--user-data-dir={profile}"] if profile else [])):
        options.add_argument(argument)
    if not scripts:
        options.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
    if is_logged:
        options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    return Chrome(options=options, service=ChromeService(shutil.which("chromedriver")))


@cache
def _shell() -> str | None:
    """Chromium without windows, menus and tabs, which nobody sees here: a third of what pages cost. It keeps no profile, and has no
    setting for scripts. None if there is none that the driver can drive."""
    is_driven = SHELL.exists() and _version(str(SHELL)) == _version("chromedriver")
    return str(SHELL) if is_driven else None


def _version(program: str) -> str:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    return next(word for word in said.split() if "." in word)


_KEPT = Browsers()
browsers = _KEPT.lent


@pytest.fixture(scope="session", autouse=True)
def closed_browsers() -> Iterator[None]:
    yield
    _KEPT.close()


@pytest.fixture
def open_browser() -> Iterator[OpenBrowser]:
    with browsers() as open_one:
        yield open_one


class _Owned:
    """A new site whose owner has just made the account: made once by each process, which takes half a second, and copied from then on."""

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}
        self._cookies: list[dict[str, Any]] = []  # of the owner's browser

    def start(self, program: Program) -> Program:
        """This one, in whose folder there is nothing yet."""
        if not self._files:
            self._make(program)
        program.data.mkdir(mode=0o700, exist_ok=True)
        for name, content in self._files.items():
            file = program.data / name
            file.touch(mode=0o600)
            file.write_bytes(content)
        with closing(sqlite3.connect(program.data / "squall.db")) as database, database:
            now = "strftime('%Y-%m-%d %H:%M:%f000', 'now')"
            database.execute(f"UPDATE sessions SET created_at = {now}, seen_at = {now}, confirmed_at = {now}")
        return program.start()

    def _make(self, program: Program) -> None:
        program.migrated().start()
        with browsers() as open_one:
            driver = open_one()
            SetupScreen(driver).make_owner(program.owner_link)
            self._cookies = driver.execute_cdp_cmd("Network.getCookies", {"urls": [program.url]})["cookies"]
        program.stop()
        assert not (program.data / "squall.db-wal").exists(), "somebody still has it open"
        self._files = {name: (program.data / name).read_bytes() for name in ("squall.db", "secret.key")}

    def let_in(self, driver: Chrome) -> Chrome:
        """A browser of the owner's."""
        driver.execute_cdp_cmd("Network.setCookies", {"cookies": self._cookies})
        return driver


owned_site = _Owned()


@pytest.fixture
def program(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Program]:
    """A site on SQLite that nobody owns, if the test has not its ``owner``."""
    program = Program(tmp_path)
    if "owner" in request.fixturenames:
        owned_site.start(program)
    else:
        program.migrated().start()
    yield program
    program.stop()


@pytest.fixture
def demo(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """The publication of the demo, which nobody owns yet."""
    program = Program(tmp_path)
    Beginnings.of_this_run(tmp_path_factory).copy(publication, program.data)
    program.start()
    yield program
    program.stop()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """A site with an owner, for tests of one file that leave each other in peace."""
    program = owned_site.start(Program(tmp_path_factory.mktemp("site")))
    yield program
    program.stop()


@pytest.fixture(scope="module")
def owned_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """The publication of the demo with an owner, for tests of one file that only read."""
    program = Program(tmp_path_factory.mktemp("demo"))
    Beginnings.of_this_run(tmp_path_factory).copy(publication, program.data)
    program.start()
    with browsers() as open_one:
        SetupScreen(open_one()).make_owner(program.owner_link)
    yield program
    program.stop()


@pytest.fixture
async def empty_postgresql_url(templates: Templates) -> AsyncIterator[str]:
    async with templates.on_postgresql() as url:
        await migrations.downgrade(url, "base")
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def program_on_each(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Program]:
    """A new site on each database, made on the way."""
    url = request.getfixturevalue("empty_postgresql_url") if request.param == "postgresql" else ""
    program = Program(tmp_path, url).start()
    yield program
    program.stop()


@pytest.fixture
def at_desk(site: Program, open_browser: OpenBrowser) -> Chrome:
    """A browser in which the owner of the ``site`` is signed in, as in those of other tests."""
    return owned_site.let_in(open_browser())


@pytest.fixture
def owner(program: Program, open_browser: OpenBrowser) -> Chrome:
    """A browser in which the owner has just made the account."""
    return owned_site.let_in(open_browser())
