"""The program in an empty folder, on each database."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.cli.program import Squall
from tests.conftest import Templates


@pytest.fixture
def squall(tmp_path: Path) -> Squall:
    """On SQLite, which is what it takes if nobody says anything."""
    return Squall(tmp_path)


@pytest.fixture(params=["sqlite", "postgresql"])
async def migrated(request: pytest.FixtureRequest, templates: Templates, tmp_path: Path) -> AsyncIterator[Squall]:
    """With a database that is up to date and has nothing in it; once on each kind."""
    squall = Squall(tmp_path)
    if request.param == "sqlite":
        await templates.copy_sqlite(squall.data / "squall.db")
        yield squall
        return
    squall.data.mkdir(mode=0o700)
    async with templates.on_postgresql() as url:
        squall.settings["SQUALL_DATABASE_URL"] = url
        yield squall


@pytest.fixture
def ordinary() -> Iterator[Squall]:
    """Run by somebody who is not root, to whom files can be closed. Not below pytest's folder, which it keeps to itself."""
    folder = Path(tempfile.mkdtemp(prefix="squall-cli-", dir="/tmp"))
    squall = Squall(folder)
    try:
        if os.geteuid() == 0:
            user = pwd.getpwnam("nobody")
            os.chown(folder, user.pw_uid, user.pw_gid)
            squall.run_as = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
            if not may_run(squall):
                pytest.skip("the program is in a folder that is closed to others")
        yield squall
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def may_run(squall: Squall) -> bool:
    try:
        return subprocess.run([sys.executable, "-c", "import cms.cli"], capture_output=True, **squall.options({})).returncode == 0
    except OSError:
        return False
