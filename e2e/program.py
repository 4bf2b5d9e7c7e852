"""The real program under a browser, as a person at a terminal starts it."""

import re
from pathlib import Path
from typing import Self

from tornado.testing import bind_unused_port

from tests.cli.program import Serving, Squall


class Program:
    """``squall serve`` on ``data`` in a folder, always on the same port; ``out`` is what the terminal shows."""

    def __init__(self, folder: Path, database_url: str = "", *arguments: str, **settings: str) -> None:
        if database_url:
            settings["SQUALL_DATABASE_URL"] = database_url
        self._squall = Squall(folder, settings)
        socket, port = bind_unused_port()
        socket.close()
        self._arguments = ("--port", str(port), *arguments)
        self.url = f"http://localhost:{port}"

    def migrated(self) -> Self:
        """Its database is there before it starts, which saves it a second."""
        self._squall.migrate()
        return self

    def start(self) -> Self:
        self._serving = Serving(self._squall, *self._arguments).start()
        return self

    @property
    def data(self) -> Path:
        return self._squall.data

    @property
    def out(self) -> str:
        return self._serving.out

    def stop(self) -> None:
        if self._serving.process.poll() is None:
            self._serving.end()

    def kill(self) -> None:
        self._serving.kill()

    def make_person(self, email: str, name: str, role: str, password: str) -> None:
        """An account, made at the terminal."""
        self._squall.ok("user", "create", email, "--name", name, "--role", role, "--password-stdin", given=password)

    @property
    def owner_link(self) -> str:
        """The one-time link, as it is printed."""
        found = re.search(r"http://\S+/setup/\S+", self.out)
        assert found, self.out
        return found.group()
