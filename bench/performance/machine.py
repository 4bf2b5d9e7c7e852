"""The machine: which core is the server's and which the load's, what is installed, how it is called."""

import os
import platform
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

WRK, NGINX, TASKSET = "wrk", "nginx", "taskset"
CORES = sorted(os.sched_getaffinity(0))


class Missing(Exception):
    """A part cannot be measured here; a sentence says why."""


def tool(name: str) -> str:
    """Its path; Debian keeps servers where only root looks."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise Missing(f"{name} is not installed.")
    return found


def for_server(command: list[str]) -> list[str]:
    """The command on the server's core alone, and all that it starts."""
    return [tool(TASKSET), "--cpu-list", str(CORES[0]), *command]


def leave_to_server() -> None:
    """From here on this process, and what it starts, is on another core than the servers; if there is one."""
    os.sched_setaffinity(0, {CORES[-1]})


def described() -> dict[str, str]:
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "processor": _processor(),
        "cores": str(len(CORES)),
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "Python": platform.python_version(),
        "nginx": _version([tool(NGINX), "-v"]),
        "wrk": _version([tool(WRK), "-v"]),
    }


def _processor() -> str:
    found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1].strip() if found else platform.machine()


def _version(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # wrk says it and fails
    found = re.search(r"\d+(\.\d+)+", done.stdout + done.stderr)
    return found[0] if found else "?"
