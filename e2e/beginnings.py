"""Sites as they are when a journey begins: each is made once in a run, and copied for the journeys that begin with it."""

import fcntl
import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pytest

from e2e.program import Program

PATIENCE = 60  # seconds


@dataclass(frozen=True)
class Beginnings:
    """Those that are made, in a folder of the whole run: the first process that needs one makes it, the others wait."""

    folder: Path

    @classmethod
    def of_this_run(cls, folders: pytest.TempPathFactory) -> Self:
        own = folders.getbasetemp()
        return cls(own.parent if "PYTEST_XDIST_WORKER" in os.environ else own)

    def copy(self, make: Callable[[Path], None], data: Path) -> None:
        """``make`` is given a folder, and leaves in it what a program has in its own."""
        kept, unfinished = self.folder / f"begin-{make.__name__}", self.folder / f"begin-{make.__name__}-unfinished"
        with kept.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not kept.exists():
                shutil.rmtree(unfinished, ignore_errors=True)
                unfinished.mkdir()
                make(unfinished)
                unfinished.rename(kept)
        shutil.copytree(kept / "data", data)


def publication(folder: Path) -> None:
    """What ``--demo`` begins with, when its pictures are there in all their sizes: ten seconds of a processor."""
    program = Program(folder, "", "--demo").start()
    try:
        deadline = time.monotonic() + PATIENCE
        with closing(sqlite3.connect(program.data / "squall.db")) as database:
            waiting = "SELECT count(*) FROM jobs WHERE finished_at IS NULL AND due_at <= strftime('%Y-%m-%d %H:%M:%f', 'now')"
            while database.execute(waiting).fetchone()[0]:
                assert time.monotonic() < deadline, "the pictures take too long"
                time.sleep(0.1)
    finally:
        program.stop()
