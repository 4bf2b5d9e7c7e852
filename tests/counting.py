"""Which lines and branches of the program are run. Whoever imports this before the program has it counted, if ``COUNTED_IN`` names the
folder where each process then writes down what it saw: ``tests/run.py`` sets it.

``python -m tests.counting FOLDER`` says what was seen by nobody, and fails if that is too much.
"""

import atexit
import json
import os
import secrets
import sys
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

from slipcover import FileMatcher, ImportManager, Slipcover, print_coverage

ROOT = Path(__file__).resolve().parent.parent
FOLDER = "COUNTED_IN"
LEAST = 95  # percent
EXCLUDED = [r"@overload", r"\.\.\.$"]
_NEVER = 1_000_000_000  # times that a line is seen before it is left alone, in the midst of whatever is done: here that is between tests
_TESTS = 200
_FORKS = 4  # that have ended; and then again whenever there are twice as many

_counts: Slipcover | None = None
_numbers = count(1)
_heeded = set[Path]()  # what was written by others


def begin(folder: str | None = os.environ.get(FOLDER)) -> None:
    global _counts
    if folder and _counts is None:
        _counts = Slipcover(branch=True, d_miss_threshold=_NEVER)
        ImportManager(_counts, FileMatcher(sources=[ROOT / "cms"])).__enter__()
        atexit.register(_write, _counts, Path(folder))


def pytest_runtest_logfinish() -> None:
    """What was seen costs nothing from now on. (SlipCover has no such method where the interpreter counts, from Python 3.12 on.)"""
    if _counts and next(_numbers) % _TESTS == 0 and hasattr(_counts, "deinstrument_seen"):
        _counts.deinstrument_seen()


def heed_forks() -> None:
    """In a process that forks for each command: what those who have ended saw costs nothing in those who come."""
    if _counts and (ended := next(_numbers)) >= _FORKS and ended & (ended - 1) == 0 and hasattr(_counts, "deinstrument_seen"):
        for file, seen in _written(set(Path(os.environ[FOLDER]).glob("*.json")) - _heeded):
            _counts.newly_seen[file].update(seen)
        _counts.deinstrument_seen()


def begin_anew() -> None:
    """In a process that was forked: what was seen before is its parent's to tell."""
    if _counts:
        _counts.signal_child_process()


def _write(counts: Slipcover, folder: Path) -> None:
    seen = {file: [*counts.all_seen[file], *counts.newly_seen[file]] for file in {*counts.all_seen, *counts.newly_seen}}
    unfinished = folder / secrets.token_hex(8)
    unfinished.write_text(json.dumps(seen))
    unfinished.rename(unfinished.with_suffix(".json"))


def _written(files: Iterable[Path]) -> Iterator[tuple[str, set[Any]]]:
    for written in files:
        _heeded.add(written)
        for file, seen in json.loads(written.read_text()).items():
            yield file, {tuple(each) if isinstance(each, list) else each for each in seen}


def report(folder: Path) -> int:
    """Exit code."""
    counts = Slipcover(branch=True, source=[str(ROOT / "cms")], exclude_also=EXCLUDED)
    for file, seen in _written(folder.glob("*.json")):
        counts.all_seen[file].update(seen)
    coverage = counts.get_coverage()
    print_coverage(coverage, skip_covered=True)
    percent = coverage["summary"]["percent_covered"]
    print(f"{percent:.1f} % of lines and branches; {LEAST} are asked for.")
    return int(percent < LEAST)


if __name__ == "__main__":
    sys.exit(report(Path(sys.argv[1])))
begin()
