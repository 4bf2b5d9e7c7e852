"""Everything that is checked, in one go: ``./squall test``. With arguments it is pytest alone: ``./squall test -k sqlite -x``."""

import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = sys.executable
SCRIPTS = Path(PYTHON).parent
WORKERS = str(max(2, min(8, os.cpu_count() or 2)))

CHECKS: dict[str, list[str | Path]] = {
    "ruff check": [SCRIPTS / "ruff", "check"],
    "ruff format": [SCRIPTS / "ruff", "format", "--check"],
    "mypy": [SCRIPTS / "mypy"],
    "import-linter": [SCRIPTS / "lint-imports"],
}
TESTS: dict[str, list[str | Path]] = {
    "pytest": [PYTHON, "-m", "coverage", "run", "-m", "pytest", "-n", WORKERS, "--dist", "worksteal"],
    "coverage data": [PYTHON, "-m", "coverage", "combine", "-q"],
    "coverage": [PYTHON, "-m", "coverage", "report"],
}
CLOSING = re.compile(r"=*( \d+ (passed|failed|skipped|errors?|xfailed|xpassed|deselected|warnings?)\b.*| no tests ran.*)")
COLOURS = re.compile(r"\x1b\[[\d;]*m")


def main(arguments: list[str]) -> int:
    os.chdir(ROOT)
    if arguments:
        return subprocess.call([PYTHON, "-m", "pytest", *arguments])
    subprocess.call([PYTHON, "-m", "coverage", "erase"])
    subprocess.call([PYTHON, "-m", "compileall", "-q", "cms"])  # or each of many processes does it, where none may write down that it did
    closing = "0 passed, 1 failed"  # if pytest does not even say how it ended
    results = []
    with ThreadPoolExecutor(1) as beside:  # the tests wait now and then, for a disk or a clock
        checks = {name: beside.submit(check, command) for name, command in CHECKS.items()}
        for name, command in TESTS.items():
            print(f"\n── {name}", flush=True)
            started = time.monotonic()
            code, last = run(command)
            results.append((name, code, time.monotonic() - started))
            if name == "pytest" and last:
                closing = last
    for name, checked in checks.items():
        code, said, seconds = checked.result()
        print(f"\n── {name}\n{said}", end="", flush=True)
        results.append((name, code, seconds))
    print("\n── summary")
    for name, code, seconds in results:
        print(f"{'failed' if code else 'ok':>6}  {name} ({seconds:.0f} s)")
    failed = [name for name, code, _ in results if code]
    print(f"\nFailed: {', '.join(failed)}." if failed else "\nAll is well.")
    print(closing)
    return 1 if failed else 0


def check(command: list[str | Path]) -> tuple[int, str, float]:
    """Exit code, what was said, and how many seconds it took."""
    started = time.monotonic()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    return done.returncode, done.stdout, time.monotonic() - started


def run(command: list[str | Path]) -> tuple[int, str]:
    """Show what the command prints as it comes; returns its exit code and the line in which pytest says how it ended."""
    closing = ""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace") as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            if CLOSING.fullmatch(plain := COLOURS.sub("", line).strip()):
                closing = plain
        return process.wait(), closing


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
