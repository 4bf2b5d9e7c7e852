"""Clients that are slow on purpose, and readers beside them."""

import asyncio
import random
import socket
import time
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

EACH = 1.0  # seconds between two bytes
WITHIN = 3.0  # seconds in which all have come
READERS = 20
PAUSE = 0.02  # seconds between two pages of a reader
GIVES_UP = 10.0  # seconds
PIPELINED = 100  # requests of those who do not read: more than the system keeps for them


@dataclass
class Beside:
    """What readers waited for each page, in seconds; how many got none; and after how many seconds each slow client was gone."""

    waited: list[float] = field(default_factory=list)
    failed: int = 0
    gone: list[float] = field(default_factory=list)


async def read_beside(url: str, clients: int, patience: float) -> Beside:
    """Until all slow ones are gone, or ``patience`` is over."""
    found = Beside()
    slow = [asyncio.create_task(_slow(kind, url, found)) for kind in [("head", "body", "answer")[n % 3] for n in range(clients)]]
    await asyncio.sleep(min(WITHIN, patience))
    readers = [asyncio.create_task(_read(url, found)) for _ in range(READERS)]
    await asyncio.wait(slow, timeout=patience)
    for task in [*slow, *readers]:
        task.cancel()
    await asyncio.wait([*slow, *readers])
    found.gone += [patience] * (clients - len(found.gone))
    return found


async def _slow(kind: str, url: str, found: Beside) -> None:
    """Sends a request byte by byte, or asks for much and takes it byte by byte; until the server ends it."""
    await asyncio.sleep(random.random() * WITHIN)
    parts, began = urlsplit(url), time.perf_counter()
    with suppress(OSError, asyncio.IncompleteReadError), socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, (parts.hostname, parts.port))
        reader, writer = await asyncio.open_connection(sock=connection, limit=16)
        if kind == "head":
            writer.write(f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nUser-Agent: ".encode())
        elif kind == "body":
            writer.write(f"POST /login HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: 10000\r\n\r\n".encode())
        else:
            writer.write(f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode() * PIPELINED)
        while True:
            if kind == "answer":
                await reader.readexactly(1)
                await asyncio.sleep(EACH)
            else:
                writer.write(b"x")
                await writer.drain()
                with suppress(TimeoutError):
                    async with asyncio.timeout(EACH):
                        await reader.readexactly(1)  # it is told why it is ended
                        while True:
                            await reader.readexactly(1)
    found.gone.append(time.perf_counter() - began)


async def _read(url: str, found: Beside) -> None:
    """One page after the other, each on a connection of its own, as somebody who has just come."""
    parts = urlsplit(url)
    request = f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n".encode()
    while True:
        began = time.perf_counter()
        try:
            async with asyncio.timeout(GIVES_UP):
                reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
                writer.write(request)
                answer = await reader.read(-1)
                writer.close()
                is_answered = answer.startswith(b"HTTP/1.1 200") and answer.endswith(b"</html>\n")
        except (OSError, TimeoutError):
            is_answered = False
        found.waited.append(time.perf_counter() - began)
        found.failed += not is_answered
        await asyncio.sleep(PAUSE)
