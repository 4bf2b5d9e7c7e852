"""Load on one address over loopback, and what it cost: requests answered in a second, CPU of the server for each."""

import multiprocessing
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

CONNECTIONS = 8
TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Measured:
    per_second: float
    cpu: float  # seconds of the server's CPU for one request
    size: int  # bytes of the answer, headers included


@contextmanager
def process(command: list[str], port: int, environment: dict[str, str], log: int | None = None) -> Iterator[int]:
    """Run a server until the block ends, with one process that answers; yields the id of that one once it does. ``log``: where its standard
    error goes, if not to ours."""
    environment = {"SQUALL_WORKERS": "1", **os.environ, **environment}
    server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=log)
    try:
        _wait_for(port, server)
        yield serving(server.pid)[0]
    finally:
        server.terminate()
        server.wait()


def measure(pid: int, port: int, path: str, seconds: float) -> Measured:
    """Ask for ``path`` over ``CONNECTIONS`` kept connections for ``seconds``, after a warm-up of a fifth of that."""
    request = f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n".encode()
    _ask(port, request, seconds / 5)
    cpu, began = cpu_seconds(pid), time.perf_counter()
    answered, size = _ask(port, request, seconds)
    spent, took = cpu_seconds(pid) - cpu, time.perf_counter() - began
    return Measured(answered / took, spent / answered, size)


def cpu_seconds(*pids: int) -> float:
    """User and system time of processes and all their threads, from /proc (proc(5), fields 14 and 15 of stat)."""
    fields = [_stat(pid) for pid in pids]
    return sum(int(of_one[11]) + int(of_one[12]) for of_one in fields) / TICK


def family(pid: int) -> list[int]:
    """A process and all that it has started, and they."""
    above: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has just ended
            above[int(folder.name)] = int(_stat(int(folder.name))[1])
    found = [pid]
    for each in found:  # it grows meanwhile
        found += [child for child, parent in above.items() if parent == each]
    return found


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def serving(pid: int) -> list[int]:
    """Those below a parent that answer; of another server, itself."""
    children = map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    return [child for child in children if b"--under" in Path(f"/proc/{child}/cmdline").read_bytes()] or [pid]


def _ask(port: int, request: bytes, seconds: float) -> tuple[int, int]:
    """In a process of its own, so that the asking does not count as serving."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_keep_asking, (port, request, seconds))


def _keep_asking(port: int, request: bytes, seconds: float) -> tuple[int, int]:
    connections = [socket.create_connection(("127.0.0.1", port)) for _ in range(CONNECTIONS)]
    answered, size, until = 0, 0, time.perf_counter() + seconds
    while time.perf_counter() < until:
        for connection in connections:
            connection.sendall(request)
        for connection in connections:
            size = read_answer(connection)
            answered += 1
    for connection in connections:
        connection.close()
    return answered, size


def read_answer(connection: socket.socket) -> int:
    """Bytes of one answer with a Content-Length; anything but 200 ends the measurement."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(65536)
    head, _, body = received.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(head.decode(errors="replace").splitlines()[0])
    length = int(next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")).split(b":")[1])
    remaining = length - len(body)
    while remaining > 0:
        remaining -= len(connection.recv(min(remaining, 262144)))
    return len(head) + 4 + length


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if server.poll() is not None:
            raise RuntimeError("the server ended by itself")
        try:
            urlopen(f"http://localhost:{port}/healthz").close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the server does not answer")
