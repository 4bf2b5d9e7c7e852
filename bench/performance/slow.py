"""Clients that are slow on purpose, and readers beside them."""

import asyncio
import socket
import time
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import urlsplit

from bench import load
from bench.performance.sampling import Server

KINDS = ("headers", "bodies", "answers")  # what they send or take byte by byte
EACH = 1.0  # seconds between two bytes
READERS = 20
PAUSE = 0.1  # seconds between two pages of a reader
GIVES_UP = 10.0  # seconds
PIPELINED = 100  # requests of those who do not read: more than the system keeps for them
OTHERS = 5  # files that the server may open meanwhile for itself


@dataclass
class Beside:
    """What readers waited for each page, in seconds; how many got none; and when the server had closed all slow connections."""

    waited: list[float] = field(default_factory=list)
    failed: int = 0
    gone: float = 0


async def read_beside(server: Server, clients: int, patience: float) -> Beside:
    """Until all slow ones are gone, or ``patience`` is over. They have a process of their own, or readers would wait for it."""
    found, processes = Beside(), get_context("spawn")
    before = _open_files(server.pid)
    come, coming = processes.Pipe(duplex=False)
    slow = processes.Process(target=be_slow, args=(server.url, clients, coming))
    slow.start()
    try:
        await asyncio.to_thread(come.recv)
        began = time.perf_counter()
        readers = [asyncio.create_task(_read(server.url, found)) for _ in range(READERS)]
        while found.gone < patience:
            await asyncio.sleep(0.25)
            found.gone = time.perf_counter() - began
            if _open_files(server.pid) <= before + READERS + OTHERS:
                break
        for reader in readers:
            reader.cancel()
        await asyncio.wait(readers)
    finally:
        slow.terminate()
        slow.join()
    return found


def _open_files(pid: int) -> int:
    """Of a server; whether a client has heard that it is gone does not matter to it, and those who do not read never hear."""
    return sum(len(list(Path(f"/proc/{each}/fd").iterdir())) for each in load.family(pid))


def be_slow(url: str, clients: int, coming: Connection) -> None:
    """Until the process is ended."""
    asyncio.run(_be_slow(url, clients, coming))


async def _be_slow(url: str, clients: int, coming: Connection) -> None:
    parts = urlsplit(url)
    come = [await _come(parts.hostname or "", parts.port or 80) for _ in range(clients)]
    first = {
        "headers": f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nUser-Agent: ",
        "bodies": f"POST /login HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: 10000\r\n\r\n",
        "answers": f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n" * PIPELINED,
    }
    for n, connection in enumerate(come):
        await asyncio.get_running_loop().sock_sendall(connection, first[KINDS[n % 3]].encode())
    coming.send("all")
    await asyncio.gather(*(_slow(KINDS[n % 3], connection) for n, connection in enumerate(come)))
    await asyncio.Event().wait()


async def _come(host: str, port: int) -> socket.socket:
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.setblocking(False)
    await asyncio.get_running_loop().sock_connect(connection, (host, port))
    return connection


async def _slow(kind: str, connection: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    with suppress(OSError):
        while True:
            await asyncio.sleep(EACH)
            if kind == "answers":
                await loop.sock_recv(connection, 1)
            else:
                await loop.sock_sendall(connection, b"x")


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
