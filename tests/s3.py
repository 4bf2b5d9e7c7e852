"""A storage that speaks S3, for the time of a test run: moto, in a process of its own that lives as long as somebody holds its input.

with Server() as server:
    settings = load({**server.new_bucket()})
"""

import asyncio
import itertools
import re
import subprocess
import sys
import urllib.request
from typing import Self
from urllib.parse import urlsplit

SECRET = "a secret/with+signs"
KEY = {"SQUALL_S3_ACCESS_KEY_ID": "squall", "SQUALL_S3_SECRET_ACCESS_KEY": SECRET}
PREFIX = "a/site"


class Server:
    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.s3"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        assert self._process.stdout is not None
        self.address = self._process.stdout.readline().strip()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.communicate()

    def new_bucket(self) -> dict[str, str]:
        """The settings for one with nothing in it."""
        name = f"bucket-{next(self._numbers)}"
        self.ask("PUT", f"/{name}")
        return {"SQUALL_MEDIA_URL": f"s3://{name}/{PREFIX}", "SQUALL_S3_ENDPOINT": self.address, **KEY}

    def ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        """Without a key, which it does not ask for."""
        request = urllib.request.Request(self.address + path, body, {"Content-Type": "text/plain"}, method=method)
        with urllib.request.urlopen(request) as answer:
            return bytes(answer.read())


class Between:
    """On the way to a server: ``mood`` is "open", "silent" (nobody answers) or "slow" (of what is answered a byte comes now and then).

    It is told apart by connection, of which each has one request.
    """

    def __init__(self, server: Server) -> None:
        self._port = urlsplit(server.address).port
        self.mood, self.heard, self.delay = "open", 0, 0.0

    async def __aenter__(self) -> Self:
        self._tasks: set[asyncio.Task[None]] = set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1")
        self.address = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *error: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        try:
            while line := await reader.readline():
                self.heard += 1
                if self.mood == "silent":
                    await asyncio.Event().wait()
                await self._pass(line, reader, writer)
        finally:
            writer.close()

    async def _pass(self, line: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        body = await reader.readexactly(int(length[1])) if length else b""
        there, to = await asyncio.open_connection("127.0.0.1", self._port)
        to.write(line + b"Connection: close\r\n" + head + body)
        answer = await there.read()
        to.close()
        await asyncio.sleep(self.delay)
        begins = answer.index(b"\r\n\r\n") + 4
        writer.write(answer[:begins])
        for piece in [answer[begins:]] if self.mood == "open" else [bytes([each]) for each in answer[begins:]]:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0 if self.mood == "open" else 0.1)
        writer.close()


def main() -> None:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    print(f"http://{host}:{port}", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
