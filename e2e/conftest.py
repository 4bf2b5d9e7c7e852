"""Browser journeys: the real program, a real Chromium."""

import shutil
import subprocess
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from itertools import chain
from pathlib import Path

import pytest
from selenium.common.exceptions import WebDriverException
from selenium.webdriver import Chrome, ChromeOptions, ChromeService

from cms.db import migrations
from e2e.beginnings import Beginnings, publication
from e2e.pages.first_run import EMAIL, PASSWORD, SetupScreen
from e2e.pages.sign_in import SignInScreen
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


def resize(driver: Chrome, width: int, height: int = 900) -> None:
    """The window of a headless Chromium cannot be narrower than 500 pixels; the emulated screen can."""
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
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


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    """A site on SQLite that nobody owns."""
    program = Program(tmp_path).migrated().start()
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


@contextmanager
def owned(program: Program) -> Iterator[Program]:
    program.start()
    with browsers() as open_one:
        SetupScreen(open_one()).make_owner(program.owner_link)
    yield program
    program.stop()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """A site with an owner, for tests of one file that leave each other in peace."""
    with owned(Program(tmp_path_factory.mktemp("site")).migrated()) as program:
        yield program


@pytest.fixture(scope="module")
def owned_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """The publication of the demo with an owner, for tests of one file that only read."""
    program = Program(tmp_path_factory.mktemp("demo"))
    Beginnings.of_this_run(tmp_path_factory).copy(publication, program.data)
    with owned(program):
        yield program


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
    """A browser in which the owner of the ``site`` is signed in."""
    driver = open_browser()
    SignInScreen(driver).come_in(site.url, EMAIL, PASSWORD)
    return driver


@pytest.fixture
def owner(program: Program, open_browser: OpenBrowser) -> Chrome:
    """A browser in which the owner has just made the account."""
    driver = open_browser()
    SetupScreen(driver).make_owner(program.owner_link)
    return driver
