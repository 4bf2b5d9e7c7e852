"""Everything that is checked, in one go: ``./squall test``. With arguments it is pytest alone: ``./squall test -k sqlite -x``."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = sys.executable
SCRIPTS = Path(PYTHON).parent
WORKERS = str(min(8, (os.cpu_count() or 1) + 1))  # one more than there are processors: some tests wait for a browser, a clock or a process

CHECKS: dict[str, list[str | Path]] = {
    "ruff check": [SCRIPTS / "ruff", "check"],
    "ruff format": [SCRIPTS / "ruff", "format", "--check"],
    "mypy": [SCRIPTS / "mypy"],
    "import-linter": [SCRIPTS / "lint-imports"],
}
PYTEST: list[str | Path] = [PYTHON, "-m", "pytest", "-n", WORKERS, "--dist", "worksteal"]
CLOSING = re.compile(r"=*( \d+ (passed|failed|skipped|errors?|xfailed|xpassed|deselected|warnings?)\b.*| no tests ran.*)")
SILENCE = 600  # seconds in which nothing is said: whoever waits that long waits for ever
COLOURS = re.compile(r"\x1b\[[\d;]*m")


def main(arguments: list[str]) -> int:
    os.chdir(ROOT)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # or each process that reads the tests translates all of them, every time
    if arguments:
        return subprocess.call([PYTHON, "-m", "pytest", *arguments])
    subprocess.call(
        [PYTHON, "-m", "compileall", "-q", "cms", "migrations"]
    )  # or each of many processes does it, where none may write down that it did
    closing = "0 passed, 1 failed"  # if pytest does not even say how it ended
    results = []
    with ThreadPoolExecutor(1) as beside, tempfile.TemporaryDirectory() as seen:  # the tests wait now and then, for a disk or a clock
        checks = {name: beside.submit(check, command) for name, command in CHECKS.items()}
        os.environ["COUNTED_IN"] = seen
        for name, command in {"pytest": PYTEST, "coverage": [PYTHON, "-m", "tests.counting", seen]}.items():
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
    """Show what the command prints as it comes; returns its exit code and the line in which pytest says how it ended.

    One that says nothing for ``SILENCE`` seconds is ended with all that it has started; pytest and its workers then say where they stand.
    """
    closing = ""
    with (
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", process_group=0
        ) as process,
        _Patience(process.pid) as patience,
    ):
        assert process.stdout is not None
        for line in process.stdout:
            patience.renew()
            print(line, end="", flush=True)
            if CLOSING.fullmatch(plain := COLOURS.sub("", line).strip()):
                closing = plain
        return process.wait(), closing


class _Patience:
    """With a group of processes: until it is renewed no more. Ctrl-C reaches only us, and is handed on."""

    def __init__(self, group: int) -> None:
        self._group = group
        self._timers: list[threading.Timer] = []

    def renew(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers = [
            threading.Timer(seconds, self._end, [number]) for seconds, number in [(SILENCE, signal.SIGABRT), (SILENCE + 30, signal.SIGKILL)]
        ]
        for timer in self._timers:
            timer.daemon = True
            timer.start()

    def _end(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._group, number)

    def __enter__(self) -> "_Patience":
        self.renew()
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        for timer in self._timers:
            timer.cancel()
        if kind is not None and issubclass(kind, KeyboardInterrupt):
            self._end(signal.SIGINT)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
