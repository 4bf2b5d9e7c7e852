"""What is measured, each part by itself: it gets a ``Bench`` and gives back what becomes a part of docs/performance.json."""

import asyncio
import resource
import socket
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from bench import load, sign_ins
from bench.performance import content, machine, servers
from bench.performance.editor import Editor
from bench.performance.plan import Plan
from bench.performance.sampling import CONNECTIONS, PLAIN, WAYS, Sample, Server, Way, by_seconds, fetched, sample
from bench.performance.slow import read_beside

FEW = 4  # connections, where one answer may take a tenth of a second


@dataclass
class Bench:
    folder: Path
    plan: Plan
    wagtail: str  # a Python that has it
    newest: dict[int, int]  # ids of the posts that are asked for, by how many there are
    running: ExitStack  # what several parts ask

    @classmethod
    @contextmanager
    def prepared(cls, folder: Path, plan: Plan, wagtail: str) -> "Iterator[Bench]":
        """With sites of each size, made on all cores."""
        sizes = sorted(plan.posts, reverse=True)
        with get_context("spawn").Pool(len(machine.CORES)) as pool:
            ids = pool.starmap(content.fill, [(folder / str(number), number) for number in sizes], chunksize=1)
        with ExitStack() as running:
            yield cls(folder, plan, wagtail, dict(zip(sizes, ids, strict=True)), running)

    @contextmanager
    def squall(self, path: str = content.PATH, *, posts: int = 0, **settings: Any) -> Iterator[Server]:
        with servers.squall(self.folder / str(posts or self.plan.usual), path, **settings) as server:
            yield server

    def sample(self, server: Server, seconds: int, way: Way = PLAIN, connections: int = CONNECTIONS) -> Sample:
        return sample(server, seconds, way, connections, pause=self.plan.pause)

    @cached_property
    def ours(self) -> Server:
        return self.running.enter_context(self.squall())

    @cached_property
    def nginx(self) -> Server:
        return self.running.enter_context(servers.nginx(self.folder / "nginx", self.body))

    @cached_property
    def body(self) -> bytes:
        return servers.body_of(self.ours)


def compared(bench: Bench) -> dict[str, Any]:
    """Each in turn, in several rounds: what disturbs meets all of a round."""
    plain = [bench.nginx, bench.ours, replace(bench.ours, name=servers.SLOW_PATH, headers=servers.SLOW)]
    more = {
        servers.NGINX_OPEN: servers.nginx(bench.folder / "nginx-open", bench.body, is_kept_open=True),
        servers.FOLDER_TIER: servers.folder_tier(bench.folder / "folder", bench.folder / str(bench.plan.usual), content.PATH),
        servers.MADE_ANEW: bench.squall(name=servers.MADE_ANEW, page_cache="0"),
        servers.BARE: servers.bare(bench.folder / "bare", bench.body),
        **(servers.wagtail(bench.wagtail, bench.folder / "wagtail", bench.body) if bench.wagtail else {}),
    }
    with ExitStack() as stack:
        running, left_out = _started(stack, plain, more)
        samples: dict[str, Any] = {server.name: {how: [] for how in WAYS} for server in running}
        for server in running:
            warm_up(bench, server)
        for _ in range(bench.plan.rounds):
            for server in running:
                for how, way in WAYS.items():
                    if how == "browsers" and server.name not in servers.REMEMBER:
                        continue
                    samples[server.name][how].append(asdict(bench.sample(server, bench.plan.seconds, way)))
        sizes = {server.name: {how: fetched(server, way) for how, way in WAYS.items()} for server in running}
    versions = servers.wagtail_versions(bench.wagtail) if bench.wagtail else ""
    return {"samples": samples, "sizes": sizes, "wagtail": versions, "seconds": bench.plan.seconds, "left out": left_out}


def _started(
    stack: ExitStack, running: list[Server], more: dict[str, AbstractContextManager[Server]]
) -> tuple[list[Server], dict[str, str]]:
    """In the order in which they are shown; and why others could not be started."""
    found, left_out = {server.name: server for server in running}, {}
    for name, server in more.items():
        try:
            found[name] = stack.enter_context(server)
        except (machine.Missing, RuntimeError, OSError, subprocess.CalledProcessError) as problem:
            left_out[name] = f"It could not be started: {problem}."
    return [found[name] for name in servers.ORDER if name in found], left_out


def posts(bench: Bench) -> dict[str, Any]:
    """Home and post, kept and made anew, on sites of each size."""
    found: dict[str, Any] = {}
    for number in bench.plan.posts:
        with bench.squall("", posts=number) as kept, bench.squall("", posts=number, page_cache="0") as anew:
            pages = {
                "home, kept": replace(kept, url=f"{kept.url}/"),
                "post, kept": replace(kept, url=kept.url + content.PATH),
                "home, made anew": replace(anew, url=f"{anew.url}/"),
                "post, made anew": replace(anew, url=anew.url + content.PATH),
            }
            found[str(number)] = _in_turn(bench, pages, lambda server: bench.sample(server, bench.plan.growth_seconds, connections=FEW))
    return found


def connections(bench: Bench) -> dict[str, Any]:
    asked, seconds = {each.name: each for each in (bench.nginx, bench.ours)}, bench.plan.growth_seconds
    return {
        str(number): _in_turn(bench, asked, lambda server: bench.sample(server, seconds, connections=number))  # noqa: B023 - called at once
        for number in bench.plan.connections
    }


def _in_turn(bench: Bench, running: dict[str, Server], measure: Callable[[Server], Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {name: [] for name in running}
    for server in running.values():
        warm_up(bench, server)
    for _ in range(bench.plan.growth_rounds):
        for name, server in running.items():
            found[name].append(asdict(measure(server)))
    return found


def warm_up(bench: Bench, server: Server, connections: int = CONNECTIONS) -> None:
    if bench.plan.warm_up:
        for way in (WAYS["plain"], WAYS["browser"]):
            bench.sample(server, bench.plan.warm_up, way, connections)


def publishing(bench: Bench) -> dict[str, Any]:
    """What readers get while somebody publishes another post every second; and while it is the very one that they read.

    A machine is not equally fast for long: each second is compared with its own second half, when the publish is over.
    """
    places = {
        "other": (content.OTHER, content.OTHER_TITLE, content.OTHER_PATH),
        "same": (bench.newest[bench.plan.usual], content.TITLE, content.PATH),
    }
    found = {}
    warm_up(bench, bench.ours)
    for what, (post, title, path) in places.items():
        editor = Editor(bench.ours.url, post, title)
        found[what] = by_seconds(bench.ours, bench.plan.publishing_seconds, editor.publish, pause=bench.plan.pause)
        if editor.newest not in servers.body_of(replace(bench.ours, url=urljoin(bench.ours.url, path))):
            raise RuntimeError("what was published last is not shown")
    return {"bytes per second": found}


def idle(bench: Bench) -> dict[str, Any]:
    """What a connection costs that has got a page and is kept open: the memory of the server's process."""
    number = bench.plan.idle
    room = number + number // 10 + 100
    _open_files(room)
    found = {}
    with bench.squall(connections=str(room)) as ours, servers.nginx(bench.folder / "nginx-idle", bench.body) as nginx:
        for server in (ours, nginx):
            with ExitStack() as stack:
                for _ in range(number // 20):
                    _read_once(stack, server)
                before = _memory(server.pid)
                for _ in range(number):
                    _read_once(stack, server)
                found[server.name] = round((_memory(server.pid) - before) / number)
    return {"bytes": found, "connections": number}


def _open_files(number: int) -> None:
    """So many may be open in this process, and in what it starts."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < number:
        raise machine.Missing(f"It needs {number} open files, and {hard} are allowed (ulimit -n).")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, number), hard))


def _read_once(stack: ExitStack, server: Server) -> None:
    parts = urlsplit(server.url)
    connection = stack.enter_context(socket.create_connection((parts.hostname, parts.port)))
    connection.sendall(f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
    load.read_answer(connection)


def _memory(pid: int) -> int:
    """Bytes in memory of a process and all that it has started."""
    status = [Path(f"/proc/{each}/status").read_text() for each in load.family(pid)]
    return sum(1024 * int(text.partition("VmRSS:")[2].split()[0]) for text in status)


def signing_in(bench: Bench) -> dict[str, Any]:
    """People sign in at once, while others read (bench/sign_ins.py)."""
    folder = bench.folder / "sign-ins"
    folder.mkdir()
    environment, port = content.environment(folder), load.free_port()
    asyncio.run(sign_ins.fill(environment["SQUALL_DATABASE_URL"]))
    command = machine.for_server([sys.executable, "-m", "bench.sign_ins", "--serve", str(port)])
    with load.process(command, port, environment, subprocess.DEVNULL):
        quiet, busy = asyncio.run(sign_ins.compare_readers(port, bench.plan.sign_in_rounds, bench.plan.people))
    ways = {"quiet": quiet, "busy": busy}
    return {
        "people": bench.plan.people,
        "readers": sign_ins.READERS,
        **{name: {"p50": 1000 * statistics.median(waited), "p99": 1000 * sign_ins.worst(waited)} for name, waited in ways.items()},
    }


def slow(bench: Bench) -> dict[str, Any]:
    """Readers beside many who send or read a byte in a second."""
    number = bench.plan.slow
    _open_files(number + 500)
    with bench.squall(connections=str(number + 500)) as ours:
        found = asyncio.run(read_beside(ours, number, bench.plan.patience))
    waited = [1000 * seconds for seconds in found.waited]
    return {
        "clients": number,
        "p50": statistics.median(waited),
        "p99": sign_ins.worst(waited),
        "failed": found.failed,
        "gone": found.gone,
    }


PARTS: dict[str, Callable[[Bench], dict[str, Any]]] = {
    each.__name__: each for each in (compared, posts, connections, publishing, idle, signing_in, slow)
}
