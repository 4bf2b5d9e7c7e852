"""The real program in processes of its own: commands that end, and a site that serves.

squall = Squall(tmp_path)                       # a working folder; the data folder is ``data`` in it
done = squall("user", "list", "--json")         # Done(code, out, err)
with squall.serving() as site:
    assert site.get("/healthz").status == 200
"""

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Self
from urllib.parse import urlsplit

from tests.cli import forks

ROOT = Path(__file__).resolve().parent.parent.parent
PASSWORD = "correct horse battery"
PATIENCE = 60.0  # seconds; only a hang takes so long
_KEPT: dict[str, bytes] = {}  # databases that take long to make, once they were made: by the method that does


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def sentence(self) -> str:
        """The one line that an error is."""
        assert self.code == 1, self
        lines = self.err.strip().splitlines()
        assert len(lines) == 1, self.err
        return lines[0]


@dataclass
class Squall:
    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    run_as: dict[str, Any] = field(default_factory=dict)  # in ``subprocess``'s words
    has_parent: bool = False  # what serves is below a parent, as ``python -m cms`` has it; else it is the process that was started

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def __call__(self, *arguments: str | Path, given: str = "", **settings: str) -> Done:
        with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
            stdin.write(given.encode())
            stdin.seek(0)
            code = self.start(*arguments, stdin=stdin, stdout=stdout, stderr=stderr, **settings).wait(PATIENCE)
            said = [_read(stream) for stream in (stdout, stderr)]
        done = Done(code, *said)
        assert "Traceback" not in done.err, done.err
        return done

    def ok(self, *arguments: str | Path, given: str = "", **settings: str) -> Done:
        done = self(*arguments, given=given, **settings)
        assert done.code == 0, done
        return done

    def command(self, *arguments: str | Path) -> list[str]:
        return [sys.executable, "-m", "cms", *map(str, arguments)]

    def options(self, settings: dict[str, str]) -> dict[str, Any]:
        plain = {name: value for name, value in os.environ.items() if not name.startswith("SQUALL_")}
        ours = {"SQUALL_LOG_FORMAT": "json", **self.settings, **settings}
        environment = {**plain, "PYTHONPATH": str(ROOT), "COLUMNS": "100", "NO_COLOR": "1", **ours}
        return {"env": environment, "cwd": self.folder, **self.run_as}

    def start(
        self, *arguments: str | Path, stdin: IO[bytes], stdout: IO[bytes], stderr: IO[bytes], **settings: str
    ) -> "forks.Process | subprocess.Popen[bytes]":
        """A process of the program; a new one from its first instruction where somebody else is to run it, or it starts others."""
        streams, options = {"stdin": stdin, "stdout": stdout, "stderr": stderr}, self.options(settings)
        if self.run_as or (self.has_parent and arguments[0] in ("serve", "run")):
            return subprocess.Popen(self.command(*arguments), **streams, **options)
        return forks.start(list(map(str, arguments)), **streams, **options)

    @contextlib.contextmanager
    def serving(self, *arguments: str, is_first: bool = False, **settings: str) -> Iterator["Serving"]:
        """With a database that is up to date, but at the first start of all."""
        if self.is_new and not is_first:
            self.migrate()
        site = Serving(self, *arguments, **settings).start()
        try:
            yield site
        finally:
            site.kill()

    @property
    def is_new(self) -> bool:
        """Nothing was made yet, and what will be lies in the data folder."""
        return not (self.run_as or self.data.exists() or self.settings.keys() & {"SQUALL_DATABASE_URL", "SQUALL_DATA"})

    def migrate(self) -> None:
        """As ``db upgrade`` makes it."""
        self._make_or_copy("migrate", lambda: self.ok("db", "upgrade"))

    def owner(self) -> None:
        self._make_or_copy("owner", self._make_owner)

    def _make_owner(self) -> None:
        self.migrate()
        self.ok("user", "create", "owner@example.org", "--name", "Olga Owner", "--role", "owner", "--password-stdin", given=PASSWORD + "\n")

    def _make_or_copy(self, name: str, make: Callable[[], object]) -> None:
        """A new file is copied from the first that was made so, which took a second."""
        file, is_new = self.data / "squall.db", self.is_new
        if is_new and name in _KEPT:
            self.data.mkdir(mode=0o700)
            file.touch(mode=0o600)
            file.write_bytes(_KEPT[name])
            return
        make()
        if is_new:
            _KEPT[name] = file.read_bytes()


def _read(stream: IO[bytes]) -> str:
    stream.seek(0)
    return stream.read().decode()


@dataclass
class Reply:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


class Serving:
    """``squall serve`` on a free port. What it says is in ``out`` and ``err``."""

    def __init__(self, squall: Squall, *arguments: str, **settings: str) -> None:
        self._squall = squall
        self._out, self._err = squall.folder / "serve.out", squall.folder / "serve.err"
        port = () if "--port" in arguments else ("--port", "0")
        with self._out.open("wb") as out, self._err.open("wb") as err, Path(os.devnull).open("rb") as nothing:
            self.process = squall.start(
                *(arguments if arguments[:1] == ("run",) else ("serve", *arguments)),
                *port,
                stdin=nothing,
                stdout=out,
                stderr=err,
                **settings,
            )
        self.url = ""

    @property
    def out(self) -> str:
        return self._out.read_text()

    @property
    def err(self) -> str:
        return self._err.read_text()

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 0

    def start(self) -> Self:
        """Wait until it says where it is."""
        self.wait_until(lambda: "Stop with Ctrl-C" in self.out and self._said_port())
        self.url = f"http://127.0.0.1:{self._said_port()}"
        return self

    def _said_port(self) -> str:
        """In its greeting, or a moment later in the log where the greeting has another address."""
        found = re.search(r'"port": (\d+)', self.err) or re.search(r"running at http://\S+?:(\d+)", self.out)
        return found[1] if found else ""

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not is_so():
            assert self.process.poll() is None, f"it ended with {self.process.returncode}\n{self.out}\n{self.err}"
            assert time.monotonic() < deadline, f"too long\n{self.out}\n{self.err}"
            time.sleep(0.02)

    def get(self, path: str, method: str = "GET", **headers: str) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
            response = connection.getresponse()
            return Reply(response.status, response.headers, response.read())
        finally:
            connection.close()

    def send(self, number: int) -> None:
        self.process.send_signal(number)

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait; returns the exit code."""
        self.send(number)
        return self.process.wait(PATIENCE)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE)
