"""Reloads under load: ``python -m bench.reloads [--workers 2] [--reloads 10] [--seconds 120] [--database-url postgresql+asyncpg://…]``.

So many ``squall reload`` in so many seconds, evenly, while others ask without a pause: some over connections that they keep, some that rest
between two requests, some that come anew each time. Fails if one request was not answered with 200, or one connection broke off.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import suppress
from http.client import HTTPConnection

from bench import load
from bench.pages import fill

KINDS = {"kept": (4, True, 0.0), "resting": (4, True, 0.4), "anew": (2, False, 0.0)}  # threads, whether they keep it, seconds of rest
PATHS = [*(f"/post-{number}-of-many" for number in range(20)), "/", "/static/css/site.css", "/healthz"]


class Askers:
    def __init__(self, port: int) -> None:
        self._port = port
        self._is_over = threading.Event()
        self.asked, self.last = Counter[str](), Counter[str]()
        self.failed: list[str] = []
        self._threads = [
            threading.Thread(target=self._ask, args=(kind, keeps, rest)) for kind, (many, keeps, rest) in KINDS.items() for _ in range(many)
        ]

    def __enter__(self) -> "Askers":
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        for each in self._threads:
            each.join()

    def _ask(self, kind: str, keeps: bool, rest: float) -> None:
        connection, number = HTTPConnection("127.0.0.1", self._port, timeout=30), 0
        while not self._is_over.is_set():
            number += 1
            try:
                connection.request("GET", PATHS[number % len(PATHS)])
                answer = connection.getresponse()
                answer.read()
            except OSError as error:
                self.failed.append(f"{kind}: {error!r}")
                connection.close()
                continue
            self.asked[kind] += 1
            self.last[kind] += answer.getheader("Connection") == "close"
            if answer.status != 200:
                self.failed.append(f"{kind}: {answer.status}")
            if not keeps:
                connection.close()
            time.sleep(rest)
        connection.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--reloads", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--database-url", default="", help="an empty database; SQLite in a temporary folder when left out")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        url = given.database_url or f"sqlite+aiosqlite:///{name}/squall.db"
        asyncio.run(fill(url, 20))
        environment = {"SQUALL_DATA": name, "SQUALL_DATABASE_URL": url, "SQUALL_LOG_LEVEL": "warning", "SQUALL_WORKERS": str(given.workers)}
        port, took = load.free_port(), list[float]()
        with load.process([sys.executable, "-m", "cms", "serve", "--port", str(port)], port, environment), Askers(port) as askers:
            began = time.monotonic()
            for number in range(given.reloads):
                with suppress(ValueError):
                    time.sleep(began + number * given.seconds / given.reloads - time.monotonic())
                before = time.monotonic()
                subprocess.run([sys.executable, "-m", "cms", "reload"], env={**os.environ, **environment}, check=True)
                took.append(time.monotonic() - before)
            with suppress(ValueError):
                time.sleep(began + given.seconds - time.monotonic())
    print(f"{len(took)} reloads of {given.workers} workers, each {min(took):.1f} to {max(took):.1f} s, in {given.seconds:.0f} s")
    for kind, number in askers.asked.items():
        print(f"{kind:>8}: {number} answers, {askers.last[kind]} of them the last of their connection")
    print(f"{len(askers.failed)} failed", *askers.failed[:10], sep="\n  ")
    return 1 if askers.failed else 0


if __name__ == "__main__":
    sys.exit(main())
