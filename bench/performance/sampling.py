"""One sample: wrk asks for an address for some seconds, and /proc says what the server spent on it."""

import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import Request, urlopen

from bench import load
from bench.performance import machine

CONNECTIONS = 32
LOOPBACK = Path("/sys/class/net/lo/statistics/rx_bytes")
REPORT = Path(__file__).with_name("report.lua")

# What a browser sends when somebody follows a link, besides Host.
BROWSER = {
    "Connection": "keep-alive",
    "sec-ch-ua": '"Chromium";v="142", "Not_A Brand";v="99"',
    "sec-ch-ua-mobile": "?0",
    "sec-ch-ua-platform": '"Linux"',
    "Upgrade-Insecure-Requests": "1",
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "Sec-Fetch-Site": "same-origin",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-User": "?1",
    "Sec-Fetch-Dest": "document",
    "Accept-Encoding": "gzip, deflate, br, zstd",
    "Accept-Language": "en-GB,en;q=0.9,de;q=0.8",
}


@dataclass(frozen=True)
class Way:
    """How it is asked. ``browsers``: so many that differ in their headers."""

    headers: dict[str, str] = field(default_factory=dict)
    browsers: int = 0


PLAIN = Way()
WAYS = {"plain": PLAIN, "browser": Way(BROWSER), "browsers": Way(BROWSER, 10_000)}


@dataclass(frozen=True)
class Server:
    """Something that answers at ``url``, by a process and what that has started. ``headers``: what each request has besides."""

    name: str
    pid: int
    url: str
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Sample:
    per_second: float
    cpu: float  # microseconds of the server's CPU for one request
    busy: float  # share of its core: well below 1, the load was the limit
    p50: float  # milliseconds
    p99: float
    failed: int


def sample(server: Server, seconds: int, way: Way = PLAIN, connections: int = CONNECTIONS, *, pause: int = 0) -> Sample:
    before = load.cpu_seconds(*load.family(server.pid))
    said = _wrk(server, seconds, way, connections, pause)
    spent = load.cpu_seconds(*load.family(server.pid)) - before
    if said["answered"] <= said["failed"]:
        raise RuntimeError(f"{server.name} did not answer")
    took = said["microseconds"] / 1e6
    return Sample(
        per_second=round(said["answered"] / took, 1),
        cpu=round(1e6 * spent / said["answered"], 2),
        busy=round(spent / took, 3),
        p50=said["p50"] / 1000,
        p99=said["p99"] / 1000,
        failed=said["failed"],
    )


def _wrk(server: Server, seconds: int, way: Way, connections: int, pause: int) -> dict[str, int]:
    done = subprocess.run(_command(server, seconds, way, connections, pause), capture_output=True, text=True, check=True)
    said: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
    return said


def _command(server: Server, seconds: int, way: Way, connections: int, pause: int) -> list[str]:
    headers = [each for name, value in {**server.headers, **way.headers}.items() for each in ("-H", f"{name}: {value}")]
    command = [machine.tool(machine.WRK), "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", str(REPORT), *headers]
    return [*command, server.url, "--", str(way.browsers), str(pause)]


def by_seconds(server: Server, number: int, act: Callable[[], None], *, pause: int = 0) -> list[tuple[float, float]]:
    """Of each of so many seconds in which wrk asks, and at whose beginning ``act`` is called: bytes a second that came over loopback,
    which nobody else should use, in all of it and in its second half, which waits for the end of ``act``."""
    found = []
    with subprocess.Popen(_command(server, number + 2, PLAIN, CONNECTIONS, pause), stdout=subprocess.DEVNULL):
        time.sleep(1)
        for _ in range(number):
            began = _look()
            act()
            time.sleep(max(0.0, began[0] + 0.5 - time.monotonic()))
            middle = _look()
            time.sleep(0.5)
            ended = _look()
            found.append((_rate(began, ended), _rate(middle, ended)))
    return found


def _rate(before: tuple[float, int], after: tuple[float, int]) -> float:
    return (after[1] - before[1]) / (after[0] - before[0])


def _look() -> tuple[float, int]:
    return time.monotonic(), int(LOOPBACK.read_text())


def fetched(server: Server, way: Way = PLAIN) -> tuple[int, int]:
    """Bytes of the body and of the headers of one answer."""
    with urlopen(Request(server.url, headers={**server.headers, **way.headers})) as answer:
        return len(answer.read()), len(str(answer.headers).encode())
