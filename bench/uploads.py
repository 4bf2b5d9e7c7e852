"""A large file on its way in: how much more memory the program takes meanwhile, and how long readers wait.

``python -m bench.uploads [--megabytes 2000]``: a document as one form, then another in pieces, each with its completion; a reader asks for
the home page meanwhile. Fails above ``MEMORY`` or ``WAIT``. The data folder needs three times the room of the file.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from http.client import HTTPConnection
from urllib.parse import urlencode
from urllib.request import urlopen

from bench import load
from bench.documents import begin, resident
from cms.db import migrations
from cms.db.session import Database
from cms.services.uploads import PIECE
from tests.web import Browser

MEMORY = 30_000_000  # bytes more than before
WAIT = 0.25  # seconds, the longest
CHUNK = 1_000_000  # bytes
BOUNDARY = "x"


def document(number: int, megabytes: int) -> Iterator[bytes]:
    """A PDF by its beginning and its end."""
    yield b"%PDF-1.7".ljust(CHUNK, b" ")
    for each in range(megabytes - 2):
        yield (number * 10**9 + each).to_bytes(8, "big") * (CHUNK // 8)
    yield b"%%EOF".rjust(CHUNK, b" ")


class Client:
    def __init__(self, port: int, browser: Browser) -> None:
        self._port, self._browser = port, browser

    def send(self, method: str, path: str, body: bytes | Iterator[bytes] = b"", **headers: str) -> tuple[int, bytes]:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=1800)
        cookies = "; ".join(f"{name}={value}" for name, value in self._browser.cookies.items())
        own = {"Cookie": cookies, "X-Xsrftoken": self._browser.cookies["xsrf"], "Content-Type": "application/octet-stream"}
        connection.request(method, path, body, {**own, **headers})
        answer = connection.getresponse()
        return answer.status, answer.read()

    def form(self, megabytes: int) -> None:
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="files"; filename="one.pdf"\r\n\r\n'.encode()
        tail = f"\r\n--{BOUNDARY}--\r\n".encode()

        def body() -> Iterator[bytes]:
            yield head
            yield from document(1, megabytes)
            yield tail

        kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        status, _ = self.send("POST", "/admin/media", body(), **kind, **{"Content-Length": str(len(head) + megabytes * CHUNK + len(tail))})
        assert status == 200, status

    def pieces(self, megabytes: int) -> None:
        form = urlencode({"name": "two.pdf", "size": megabytes * CHUNK}).encode()
        upload = json.loads(self.send("POST", "/admin/media/uploads", form, **{"Content-Type": "application/x-www-form-urlencoded"})[1])
        at, waiting = f"/admin/media/uploads/{upload['id']}", bytearray()
        offset = 0
        for chunk in document(2, megabytes):
            waiting += chunk
            while len(waiting) >= PIECE or (waiting and offset + len(waiting) == megabytes * CHUNK):
                piece = bytes(waiting[:PIECE])
                assert self.send("PUT", f"{at}?offset={offset}", piece)[0] == 200
                offset += len(piece)
                del waiting[:PIECE]
        status, _ = self.send("POST", f"{at}/completion")
        assert status == 200, status


class Watch:
    """The most memory that a process takes until ``end``."""

    def __init__(self, pid: int) -> None:
        self._pid, self._is_over, self.most = pid, threading.Event(), 0
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def _look(self) -> None:
        while not self._is_over.wait(0.05):
            self.most = max(self.most, resident(self._pid))

    def end(self) -> int:
        self._is_over.set()
        self._thread.join()
        return self.most


def longest_wait(url: str, seconds: float) -> float:
    """To be called in a process that does nothing else."""
    longest, until = 0.0, time.perf_counter() + seconds
    while time.perf_counter() < until:
        began = time.perf_counter()
        urlopen(url).close()
        longest = max(longest, time.perf_counter() - began)
        time.sleep(0.02)
    return longest


async def measure(port: int, pid: int, megabytes: int) -> bool:
    url = f"http://127.0.0.1:{port}"
    browser = Browser(url)
    assert (await browser.sign_in("owner@example.org")).status == 303
    client, is_well = Client(port, browser), True
    await asyncio.to_thread(client.form, 20)  # what is needed once is there
    loop, reader = asyncio.get_running_loop(), ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))
    for name, act in (("one form", client.form), ("pieces", client.pieces)):
        before, watch, began = resident(pid), Watch(pid), time.perf_counter()
        sending = asyncio.create_task(asyncio.to_thread(act, megabytes))
        longest = 0.0
        while not sending.done():
            longest = max(longest, await loop.run_in_executor(reader, longest_wait, url, 1.0))
        await sending
        more, took = watch.end() - before, time.perf_counter() - began
        print(
            f"{megabytes} MB, {name}: {took:.0f} s, {more / 1e6:+.1f} MB of memory; readers wait {1000 * longest:.0f} ms at most",
            flush=True,
        )
        is_well = is_well and more <= MEMORY and longest <= WAIT
    reader.shutdown()
    return is_well


async def run(database_url: str, folder: str, megabytes: int) -> bool:
    database = Database(database_url)
    await begin(database, 0)
    await database.dispose()
    environment = {"SQUALL_DATA": folder, "SQUALL_DATABASE_URL": database_url, "SQUALL_LOG_LEVEL": "warning"}
    port = load.free_port()
    command = [sys.executable, "-m", "cms", "serve", "--port", str(port), "--workers", "1"]
    with load.process(command, port, {**os.environ, **environment}) as pid:
        return await measure(port, pid, megabytes)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--megabytes", type=int, default=2000)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        database_url = f"sqlite+aiosqlite:///{folder}/squall.db"
        asyncio.run(migrations.upgrade(database_url))
        return 0 if asyncio.run(run(database_url, folder, wanted.megabytes)) else 1


if __name__ == "__main__":
    sys.exit(main())
