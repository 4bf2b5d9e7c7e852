"""The real program as a process of its own, as a person at a terminal starts it."""

import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from queue import Empty, Queue

from tornado.testing import bind_unused_port

from tests.measuring import unmeasured_environment

START = 60  # seconds a cold machine may take


class Program:
    """``python -m cms serve`` on a data folder; ``lines`` is what the terminal shows.

    It runs at its own speed: what a browser meets was counted where the same is asked for without one.
    """

    def __init__(self, data: Path, database_url: str = "", *arguments: str, **settings: str) -> None:
        self.data = data
        self._environment = {"SQUALL_DATA": str(data), "SQUALL_LOG_FORMAT": "json", **settings}
        if database_url:
            self._environment["SQUALL_DATABASE_URL"] = database_url
        self._arguments = arguments
        socket, self.port = bind_unused_port()
        socket.close()
        self.url = f"http://localhost:{self.port}"
        self.lines: list[str] = []

    def start(self) -> "Program":
        command = [sys.executable, "-m", "cms", "serve", "--port", str(self.port), *self._arguments]
        inherited = {name: value for name, value in unmeasured_environment().items() if not name.startswith("SQUALL_")}
        self._process = subprocess.Popen(
            command, env={**inherited, **self._environment}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self._shown: Queue[str] = Queue()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        self._read_until("Stop with Ctrl-C.")
        return self

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        self._gone()

    def kill(self) -> None:
        self._process.kill()
        self._gone()

    def make_person(self, email: str, name: str, role: str, password: str) -> None:
        """An account, made at the terminal."""
        command = [sys.executable, "-m", "cms", "user", "create", email, "--name", name, "--role", role, "--password-stdin"]
        environment = {**unmeasured_environment(), **self._environment}
        subprocess.run(command, env=environment, input=password, text=True, check=True, capture_output=True)

    def _gone(self) -> None:
        self._process.wait(30)
        self._listener.join(10)
        if self._process.stdout:
            self._process.stdout.close()

    @property
    def owner_link(self) -> str:
        """The one-time link, as it is printed."""
        found = re.search(r"http://\S+/setup/\S+", "\n".join(self.lines))
        assert found, self.lines
        return found.group()

    def _listen(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self._shown.put(line.rstrip("\n"))

    def _read_until(self, words: str) -> None:
        deadline = time.monotonic() + START
        while words not in "".join(self.lines[-1:]):
            assert self._process.poll() is None, f"it ended: {self.lines}"
            assert time.monotonic() < deadline, f"it does not start: {self.lines}"
            try:
                self.lines.append(self._shown.get(timeout=0.1))
            except Empty:
                continue
