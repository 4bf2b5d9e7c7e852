"""How soon the program answers after it was started, and what memory it takes.

``python -m bench.start [--posts 500] [--times 7]``: with so many posts in the database and nothing cached, from the start of the command to
the first answer; then each post is read once, as browsers and as programs ask for it, and the worker's memory is read (what it has for
itself and its part of what it shares, without the processes that render), and the parent's. Fails beyond ``SECONDS`` (median) or
``MEGABYTES``.
"""

import argparse
import asyncio
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

from bench import load
from bench.pages import fill

SECONDS, MEGABYTES = 1.0, 150.0


def memory(pid: int) -> float:
    """Megabytes: the proportional part of all that is in memory."""
    found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    assert found
    return int(found[1]) / 1024


def start(environment: dict[str, str], port: int) -> tuple[subprocess.Popen[bytes], float]:
    """The program, and seconds until it had answered."""
    began = time.perf_counter()
    server = subprocess.Popen(
        [sys.executable, "-m", "cms", "serve", "--port", str(port)], env={"PATH": "/usr/bin:/bin", **environment}, stdout=subprocess.DEVNULL
    )
    while True:
        try:
            urlopen(f"http://127.0.0.1:{port}/").read()
        except URLError:
            time.sleep(0.005)
        else:
            return server, time.perf_counter() - began


def stop(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    server.wait()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=int, default=500)
    parser.add_argument("--times", type=int, default=7)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        url = f"sqlite+aiosqlite:///{name}/squall.db"
        asyncio.run(fill(url, given.posts))
        environment = {"SQUALL_DATA": name, "SQUALL_DATABASE_URL": url, "SQUALL_LOG_LEVEL": "warning", "PYTHONPATH": str(Path.cwd())}
        took = []
        for _ in range(given.times):
            port = load.free_port()
            server, seconds = start(environment, port)
            took.append(seconds)
            if len(took) < given.times:
                stop(server)
        try:
            worker = load.serving(server.pid)[0]
            fresh = memory(worker)
            for number in range(given.posts):
                for coding in ("br", "identity"):
                    wanted = Request(f"http://127.0.0.1:{port}/post-{number}-of-many", headers={"Accept-Encoding": coding})
                    urlopen(wanted).read()
            full, above = memory(worker), memory(server.pid)
        finally:
            stop(server)
    seconds = statistics.median(took)
    print(f"First answer after {seconds:.2f} s (median of {given.times}; {min(took):.2f} to {max(took):.2f}).")
    print(f"One worker: {fresh:.0f} MB, with {given.posts} pages kept {full:.0f} MB; its parent {above:.0f} MB.")
    is_held = seconds <= SECONDS and full <= MEGABYTES
    print(f"Bars: {SECONDS} s, {MEGABYTES:.0f} MB: {'held' if is_held else 'missed'}")
    return 0 if is_held else 1


if __name__ == "__main__":
    sys.exit(main())
