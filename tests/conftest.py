"""What every test may ask for: a migrated database of its own on each backend, a PostgreSQL, a browser that is there.

One backend only: ``./squall test -k sqlite`` or ``-k postgresql``.
"""

import contextlib
import gc
import itertools
import logging
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import hypothesis
import pytest
import structlog
from sqlalchemy import make_url

from cms.db import migrations
from cms.db.session import Clock, Database, utc_now
from cms.imaging import Imaging
from cms.media.storage import Storage, open_storage
from cms.rendering import Renderer
from cms.services import signing_in
from cms.settings import load
from cms.telemetry import log
from tests import postgresql, s3, statements
from tests.cli import forks
from tests.reused import Reused

SERVER = pytest.StashKey[postgresql.Server]()
DOOR = pytest.StashKey[forks.Door]()
TEMPLATE = "squall_template"
EMPTY = "template1"  # PostgreSQL's own, with nothing in it

statements.share()
signing_in.FLOOR = 0.03  # here people mistype by the hundred; bench/sign_ins.py measures the program's own
hypothesis.settings.register_profile("squall", deadline=None)  # how long one example takes is the machine's matter
hypothesis.settings.load_profile("squall")


@pytest.fixture(autouse=True)
def logs_of_this_test_alone() -> Iterator[None]:
    """A command that runs in this process says where its logs go, and the next test would neither hear its own nor write them there."""
    yield
    if structlog.is_configured():
        structlog.reset_defaults()
        vars(log).pop("bind", None)  # kept at its first use
        logging.root.setLevel(logging.WARNING)
        for handler in [each for each in logging.root.handlers if isinstance(each.formatter, structlog.stdlib.ProcessorFormatter)]:
            logging.root.removeHandler(handler)


class Templates:
    """A migrated database for each backend, made when it is first asked for; tests work on copies of it."""

    def __init__(self, config: pytest.Config, folder: Path) -> None:
        self._config = config
        self._sqlite = folder / "template.db"
        self._connection: asyncpg.Connection | None = None
        self._numbers = itertools.count(1)
        self._reused: Reused | None = None  # and nobody has it

    async def copy_sqlite(self, target: Path) -> str:
        """Its folder is made, as the program makes it, if it is not there."""
        if not self._sqlite.exists():
            await migrations.upgrade(f"sqlite+aiosqlite:///{self._sqlite}")
            assert not self._sqlite.with_name("template.db-wal").exists(), "somebody still has the template open"
        target.parent.mkdir(mode=0o700, exist_ok=True)
        shutil.copyfile(self._sqlite, target)
        return f"sqlite+aiosqlite:///{target}"

    @contextlib.asynccontextmanager
    async def on(self, kind: str, folder: Path) -> AsyncIterator[str]:
        """The address of a copy on this kind of database; a SQLite file is in the folder."""
        if kind == "sqlite":
            yield await self.copy_sqlite(folder / "squall.db")
            return
        async with self._reusing_postgresql() as url:
            yield url

    @contextlib.asynccontextmanager
    async def _reusing_postgresql(self) -> AsyncIterator[str]:
        reused, self._reused = self._reused or await Reused.of(await self._copy_postgresql(TEMPLATE)), None
        yield reused.url
        if self._reused is None and await reused.empty():
            self._reused = reused
        else:
            await reused.close()
            await self._drop_postgresql(reused.url)

    @contextlib.asynccontextmanager
    async def on_postgresql(self, *, template: str = TEMPLATE) -> AsyncIterator[str]:
        """The address of a copy that is dropped afterwards, for tests that do more with it than read and write."""
        url = await self._copy_postgresql(template)
        yield url
        await self._drop_postgresql(url)

    async def _copy_postgresql(self, template: str) -> str:
        try:
            folder = server_folder(self._config)
        except postgresql.Missing as missing:
            pytest.skip(str(missing))
        if self._connection is None:
            self._connection = await asyncpg.connect(host=folder, user="squall", database="postgres")
            await self._make_postgresql(self._connection, folder)
        name = f"squall_{os.getpid()}_{next(self._numbers)}"
        # The newer way, through the log, is several times slower for a database as small as this.
        strategy = "STRATEGY file_copy" if self._connection.get_server_version().major >= 15 else ""
        await self._connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} {strategy}")
        return postgresql.url(folder, name)

    async def _make_postgresql(self, connection: asyncpg.Connection, folder: str) -> None:
        """Once a run: the first worker makes it, the others wait. Its last name tells that it is complete."""
        await connection.execute("SELECT pg_advisory_lock(1)")
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", TEMPLATE):
            await connection.execute("CREATE DATABASE unfinished")
            await migrations.upgrade(url := postgresql.url(folder, "unfinished"))
            await _pack(url)
            await connection.execute(f"ALTER DATABASE unfinished RENAME TO {TEMPLATE}")
        await connection.execute("SELECT pg_advisory_unlock(1)")

    async def _drop_postgresql(self, url: str) -> None:
        assert self._connection is not None
        await self._connection.execute(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")

    async def close(self) -> None:
        if self._reused is not None:
            await self._reused.close()
        if self._connection is not None:
            await self._connection.close()


async def _pack(postgresql_url: str) -> None:
    """Into fewer files: each of them is copied for each test."""
    connection = await asyncpg.connect(postgresql_url.replace("+asyncpg", ""))
    await connection.execute("VACUUM FULL")
    await connection.close()


@pytest.fixture(scope="session")
async def templates(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Templates]:
    templates = Templates(pytestconfig, tmp_path_factory.mktemp("templates"))
    yield templates
    await templates.close()


@pytest.fixture(params=["sqlite", "postgresql"])
async def database_url(request: pytest.FixtureRequest, templates: Templates, tmp_path: Path) -> AsyncIterator[str]:
    """The address of a fresh, migrated database; the test runs once on each backend."""
    async with templates.on(request.param, tmp_path) as url:
        yield url


@pytest.fixture
def clock() -> Clock:
    """What the database goes by; tests that move it have one of their own (tests/watching.py)."""
    return utc_now


@pytest.fixture
async def database(database_url: str, clock: Clock) -> AsyncIterator[Database]:
    database = Database(database_url, clock=clock)
    yield database
    await database.dispose()


@pytest.fixture(scope="session")
async def renderer() -> AsyncIterator[Renderer]:
    """One for all tests that are not about it: its process takes a second to start."""
    renderer = Renderer()
    await renderer.start()
    yield renderer
    await renderer.close()


@pytest.fixture(scope="session")
def s3_server() -> Iterator[s3.Server]:
    with s3.Server() as server:
        yield server


@pytest.fixture(params=["folder", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    """An empty one of each kind."""
    bucket = request.getfixturevalue("s3_server").new_bucket() if request.param == "s3" else {}
    return open_storage(load({"SQUALL_DATA": str(tmp_path / "data"), **bucket}))


@pytest.fixture(scope="session")
async def imaging() -> AsyncIterator[Imaging]:
    """One for all tests that are not about it; its process starts with the first picture."""
    imaging = Imaging()
    yield imaging
    await imaging.close()


def server_folder(config: pytest.Config) -> str:
    """The socket folder of the run's one PostgreSQL server, which xdist's controller or else this process starts."""
    if handed := getattr(config, "workerinput", {}).get("postgresql"):
        return str(handed)
    if SERVER not in config.stash:
        server = postgresql.Server()
        config.add_cleanup(server.close)
        config.stash[SERVER] = server.start()
    return str(config.stash[SERVER].folder)


def forks_address(config: pytest.Config) -> str:
    """Where xdist's workers ask for programs: each would import, and have counted, all that one can."""
    if DOOR not in config.stash:
        folder = tempfile.TemporaryDirectory(prefix="squall-forks-", dir="/tmp")  # a socket's path has at most 107 characters
        door = config.stash[DOOR] = forks.Door(Path(folder.name))
        door.start_when_asked()
        config.add_cleanup(folder.cleanup)
        config.add_cleanup(door.close)
    return config.stash[DOOR].address


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput["forks"] = forks_address(node.config)
    with contextlib.suppress(postgresql.Missing):  # the workers find that out, too, and skip
        node.workerinput["postgresql"] = server_folder(node.config)


def pytest_configure(config: pytest.Config) -> None:
    """Folders of tests are in memory where there is room: each commit waits for the disk. Workers get theirs from the controller.

    What a script starts in the background ignores Ctrl-C, and so would the programs that tests stop with it."""
    gc.disable()  # while all is imported, which stays
    forks.Forks.address = getattr(config, "workerinput", {}).get("forks", "")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if postgresql.is_roomy(postgresql.MEMORY):
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", postgresql.MEMORY)


def pytest_collection_finish() -> None:
    """Garbage is looked for less often, and not among what is there now: it was imported, and stays. To look through that takes so long
    that whoever measures what keeps others waiting would find it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long comes first, so that at the end there is something left for each worker."""
    items.sort(key=_length, reverse=True)


def _length(item: pytest.Item) -> float:
    """By the time that it is given, if that is not the usual; a browser comes before what needs none."""
    timeout = item.get_closest_marker("timeout")
    return timeout.args[0] if timeout else 1.0 if item.get_closest_marker("browser") else 0.0


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("browser") and (reason := missing_browser()):
        pytest.skip(reason)


def missing_browser() -> str:
    if not any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))):
        return "no Chromium (Debian: apt-get install chromium)"
    if not shutil.which("chromedriver"):
        return "no driver for Chromium (Debian: apt-get install chromium-driver)"
    return ""
