"""The limit: a Tornado handler that does nothing but send the bytes it was given. ``python -m bench.bare PORT FOLDER``."""

import asyncio
import sys
from pathlib import Path

from tornado.web import Application, RequestHandler


class BareHandler(RequestHandler):
    def get(self, name: str) -> None:
        self.write(self.settings["bodies"].get(name, b"alive"))


async def main(port: int, folder: Path) -> None:
    bodies = {path.name: path.read_bytes() for path in folder.iterdir()}  # noqa: ASYNC240 - before anything is served
    Application([(r"/(.*)", BareHandler)], bodies=bodies).listen(port, "127.0.0.1")
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2])))
