"""Clients that are slow on purpose, and readers beside them."""

import asyncio
import random
import socket
import time
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from urllib.parse import urlsplit

KINDS = ("headers", "bodies", "answers")  # what they send or take byte by byte
EACH = 1.0  # seconds between two bytes
WITHIN = 3.0  # seconds in which all have come
READERS = 20
PAUSE = 0.1  # seconds between two pages of a reader
GIVES_UP = 10.0  # seconds
PIPELINED = 100  # requests of those who do not read: more than the system keeps for them


@dataclass
class Beside:
    """What readers waited for each page, in seconds; how many got none; and after how many seconds the last slow client of each kind was
    gone."""

    waited: list[float] = field(default_factory=list)
    failed: int = 0
    gone: dict[str, float] = field(default_factory=dict)


async def read_beside(url: str, clients: int, patience: float) -> Beside:
    """Until all slow ones are gone, or ``patience`` is over. They have a process of their own, or readers would wait for it."""
    found = Beside()
    with get_context("spawn").Pool(1) as pool:
        under_way = pool.apply_async(be_slow, (url, clients, patience))
        await asyncio.sleep(min(2 * WITHIN, patience))
        readers = [asyncio.create_task(_read(url, found)) for _ in range(READERS)]
        found.gone = await asyncio.to_thread(under_way.get)
    for reader in readers:
        reader.cancel()
    await asyncio.wait(readers)
    return found


def be_slow(url: str, clients: int, patience: float) -> dict[str, float]:
    return asyncio.run(_be_slow(url, clients, patience))


async def _be_slow(url: str, clients: int, patience: float) -> dict[str, float]:
    gone: dict[str, list[float]] = {kind: [0.0] for kind in KINDS}
    tasks = {asyncio.create_task(_slow(KINDS[n % 3], url, gone)): KINDS[n % 3] for n in range(clients)}
    _, others = await asyncio.wait(tasks, timeout=patience)
    for task in others:
        gone[tasks[task]].append(patience)
        task.cancel()
    if others:
        await asyncio.wait(others)
    return {kind: max(seconds) for kind, seconds in gone.items()}


async def _slow(kind: str, url: str, gone: dict[str, list[float]]) -> None:
    """Sends a request byte by byte, or asks for much and takes it byte by byte; until the server ends it."""
    await asyncio.sleep(random.random() * WITHIN)
    parts, began = urlsplit(url), time.perf_counter()
    with suppress(OSError, asyncio.IncompleteReadError), socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, (parts.hostname, parts.port))
        reader, writer = await asyncio.open_connection(sock=connection, limit=16)
        if kind == "headers":
            writer.write(f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nUser-Agent: ".encode())
        elif kind == "bodies":
            writer.write(f"POST /login HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: 10000\r\n\r\n".encode())
        else:
            writer.write(f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode() * PIPELINED)
        while True:
            if kind == "answers":
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
    gone[kind].append(time.perf_counter() - began)


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
