"""``python -m bench.performance``, or ``squall bench``: see ``--help``."""

import argparse
import json
import sys
import tempfile
import time
import traceback
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.performance import machine, servers
from bench.performance.bars import bars
from bench.performance.page import draw
from bench.performance.parts import PARTS, Bench, posts
from bench.performance.plan import QUICK, Plan

ROOT = Path(__file__).parents[2]
RESULTS = "performance.json"


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="squall bench",
        description="What a page costs, beside what else serves pages. Makes docs/performance.md; needs wrk, nginx and 12 minutes.",
    )
    parser.add_argument("--check", action="store_true", help="end with 1 if a bar is missed")
    parser.add_argument("--quick", action="store_true", help="all of it in a minute, for a look at whether it works; figures mean nothing")
    parser.add_argument("--only", choices=PARTS, action="append", help="this part; can be given several times")
    parser.add_argument("--draw", action="store_true", help=f"measure nothing, draw the page again from docs/{RESULTS}")
    parser.add_argument(
        "--to",
        type=Path,
        metavar="FOLDER",
        help="where the page goes; docs/ when left out; with --quick or --only figures are printed instead",
    )
    parser.add_argument("--wagtail", default="", metavar="PYTHON", help="a Python that has wagtail and gunicorn, to be compared with")
    given = parser.parse_args()
    if given.draw:
        results = json.loads((ROOT / "docs" / RESULTS).read_text(encoding="utf-8"))
    else:
        try:
            results = measure(QUICK if given.quick else Plan(), given.only or list(PARTS), given.wagtail)
        except machine.Missing as missing:
            print(f"squall bench: {missing}", file=sys.stderr)
            return 1
    if folder := given.to or (None if given.quick or given.only else ROOT / "docs"):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / RESULTS).write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        draw(results, folder)
    else:
        print(json.dumps(results, indent=1))
    found = [bar for bar in bars(results) if bar.is_known or not given.only]
    print(*found, sep="\n")
    return 1 if given.check and not all(bar.is_held for bar in found) else 0


def measure(plan: Plan, wanted: list[str], wagtail: str) -> dict[str, Any]:
    """What cannot be measured here is said, and the rest goes on."""
    results: dict[str, Any] = {"machine": machine.described(), "left out": {}}
    if wagtail:
        servers.wagtail_versions(wagtail)  # before minutes are spent
    if posts.__name__ not in wanted:
        plan = replace(plan, posts=(plan.usual,))
    with tempfile.TemporaryDirectory() as name:
        began = time.monotonic()
        say("making sites of " + ", ".join(f"{number:,}" for number in plan.posts) + " posts")
        with Bench.prepared(Path(name), plan, wagtail) as bench:
            machine.leave_to_server()
            for part in wanted:
                say(f"{time.monotonic() - began:4.0f} s  {part}")
                try:
                    results[part] = PARTS[part](bench)
                except machine.Missing as missing:
                    results["left out"][part] = str(missing)
                except Exception as problem:  # one part that fails leaves the others
                    traceback.print_exc()
                    results["left out"][part] = f"It failed: {problem}"
        say(f"{time.monotonic() - began:4.0f} s  done")
    return results


def say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
