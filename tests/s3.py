"""A storage that speaks S3, for the time of a test run: moto, in a process of its own that lives as long as somebody holds its input.

with Server() as server:
    settings = load({**server.new_bucket()})
"""

import itertools
import subprocess
import sys
import urllib.request
from typing import Self

from tests.measuring import unmeasured_environment

SECRET = "a secret/with+signs"
KEY = {"SQUALL_S3_ACCESS_KEY_ID": "squall", "SQUALL_S3_SECRET_ACCESS_KEY": SECRET}
PREFIX = "a/site"


class Server:
    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.s3"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env=unmeasured_environment(),
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


def main() -> None:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    print(f"http://{host}:{port}", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
