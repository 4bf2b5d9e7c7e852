"""Server-sent events, as a browser reads them."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

PATIENCE = 10  # seconds


class Stream:
    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader

    async def line(self, beginning: str = "event:") -> str:
        """The next that begins so; "" at the end."""
        while line := (await asyncio.wait_for(self._reader.readline(), PATIENCE)).decode():
            if line.startswith(beginning):
                return line.strip()
        return ""

    async def event(self) -> tuple[str, Any]:
        """The next one's name, and its data; "" at the end."""
        name = (await self.line()).removeprefix("event: ")
        return name, json.loads((await self.line("data:")).removeprefix("data: ")) if name else None


@asynccontextmanager
async def following(url: str, path: str, **headers: str) -> AsyncIterator[Stream]:
    netloc = urlsplit(url).netloc
    host, port = netloc.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    sent = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {netloc}\r\nConnection: close\r\n{sent}\r\n".encode())
    try:
        yield Stream(reader)
    finally:
        writer.close()
