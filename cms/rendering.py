"""Texts are rendered in worker processes with a limit of CPU time, because a few words of Markdown can cost hours.

A regular expression that has lost its way runs in C and cannot be interrupted from Python; so the worker asks the
kernel to end it (``ITIMER_PROF``) and another takes its place. The event loop never waits for any of this.
"""

import asyncio
import contextlib
import fcntl
import importlib
import logging
import multiprocessing
import os
import resource
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import TimeoutError as RanTooLong
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import Connection
from typing import Any, Literal

from pebble import ProcessExpired, ProcessFuture, ProcessPool

from cms.content.context import RenderContext, Rendered
from cms.content.diff import Row, Span, side_by_side
from cms.errors import InvalidInput, Unavailable

Show = Literal["old", "new", "both"]  # of two texts (content/marks.py)

MAX_SOURCE_BYTES = 10_000_000
_MEGABYTE = 1_000_000
_MAX_ROWS = 2_000  # of a comparison
_START_SECONDS = 60.0  # for a machine that is busy with something else
_WALL_FACTOR = 10.0  # processes share their processor, so the clock is the second belt, and a wide one
_WALL_SECONDS = 30.0
_MEMORY_BYTES = 1_500_000_000  # of address space, and so much more for each byte of source:
_MEMORY_BYTES_PER_BYTE = 300

_TOO_SLOW = "This text takes too long to render: please divide it, or take out what is nested or repeated very often."
_TOO_BIG = "This text is longer than 10 MB: please divide it into several."
_TOO_MUCH_MEMORY = "This text grows too large when it is rendered: please divide it, or repeat less in it."
_AWAY = "The text could not be rendered just now. Please try again."
_CLOSED = "The program is closing down. Please try again shortly."
_NO_START = "The processes that render texts do not start; the log of the program says why."

_log = logging.getLogger(__name__)


class Renderer:
    """Renders off the event loop, within ``cpu_seconds`` and so many more for each megabyte of source."""

    def __init__(self, workers: int = 1, cpu_seconds: float = 2.0, cpu_seconds_per_megabyte: float = 5.0) -> None:
        self._workers = workers
        self._cpu_seconds = cpu_seconds
        self._cpu_seconds_per_megabyte = cpu_seconds_per_megabyte
        self._pool: asyncio.Task[_Pool] | None = None
        self._waiting: set[asyncio.Future[Any]] = set()
        self._closing: set[asyncio.Task[None]] = set()
        self._is_closed = False

    async def start(self) -> None:
        """Start the workers and wait until one has rendered something; raises Unavailable if that does not happen."""
        try:
            async with asyncio.timeout(_START_SECONDS):
                await self.render("*Ready*", RenderContext())
        except TimeoutError:
            raise Unavailable(_NO_START) from None

    async def render(self, source: str, context: RenderContext = RenderContext()) -> Rendered:  # noqa: B008 - frozen
        """The rendered text. Raises InvalidInput for a text beyond the limits, Unavailable if a worker was lost."""
        rendered: Rendered = await self._limited(_size(source), _render, source, context)
        return rendered

    async def render_marked(self, old: str, new: str, show: Show, context: RenderContext = RenderContext()) -> Rendered:  # noqa: B008
        """Two texts in one, with marks where they differ. Raises as ``render`` does."""
        rendered: Rendered = await self._limited(_size(old) + _size(new), _render_marked, old, new, context, show)
        return rendered

    async def compare(self, old: str, new: str) -> list[Row]:
        """Both texts beside each other. If telling the differences costs too much, one row has both texts as they are."""
        try:
            rows: list[Row] = await self._limited(_size(old) + _size(new), _compare, old, new)
        except InvalidInput:
            rows = []
        return rows or [Row("changed", (Span(old, False),), (Span(new, False),))]

    async def _limited(self, size: int, function: Callable[..., Any], *arguments: Any) -> Any:
        """What the function returns in a worker. ``size`` of the texts, in bytes, decides how much time and memory it gets."""
        cpu_seconds = self._cpu_seconds + self._cpu_seconds_per_megabyte * size / _MEGABYTE
        memory = _MEMORY_BYTES + _MEMORY_BYTES_PER_BYTE * size
        try:
            return await self._run(
                _work_within, cpu_seconds, memory, function, *arguments,
                wall_seconds=_WALL_SECONDS + _WALL_FACTOR * cpu_seconds,
            )  # fmt: skip
        except RanTooLong:
            raise InvalidInput({"text": _TOO_SLOW}) from None
        except MemoryError:
            raise InvalidInput({"text": _TOO_MUCH_MEMORY}) from None
        except ProcessExpired as error:
            if error.exitcode == -signal.SIGPROF:
                raise InvalidInput({"text": _TOO_SLOW}) from None
            _log.warning("a rendering worker ended with exit code %s", error.exitcode)
            raise Unavailable(_AWAY) from None

    async def close(self) -> None:
        """End the workers; whoever still waits for a text is told. Can be called more than once."""
        self._is_closed = True
        for future in list(self._waiting):
            future.cancel()
        if self._pool:
            self._discard(self._pool)
        await asyncio.gather(*self._closing)

    async def _run(self, *task: Any, wall_seconds: float) -> Any:
        """Once more if the pool broke: that happens when a waiting worker is ended from outside, no fault of the text."""
        for _ in range(2):
            self._refuse_if_closed()
            making = self._working_pool()
            try:
                pool = await asyncio.shield(making)  # somebody else may be waiting for the same pool
                self._refuse_if_closed()  # a pool that is ended forgets what it was given meanwhile
                return await self._wait(pool.schedule(wall_seconds, *task))
            except (BrokenProcessPool, _PoolIsGone) as error:
                _log.warning("the rendering workers are replaced: %s", error)
                self._discard(making)
        raise Unavailable(_AWAY)

    def _refuse_if_closed(self) -> None:
        if self._is_closed:
            raise Unavailable(_CLOSED)

    async def _wait(self, running: "ProcessFuture[Any]") -> Any:
        future = asyncio.wrap_future(running)  # a cancelled wait ends the worker, and pebble starts another
        self._waiting.add(future)
        try:
            return await future
        except asyncio.CancelledError:
            awaiting = asyncio.current_task()
            if self._is_closed and not (awaiting and awaiting.cancelling()):
                raise Unavailable(_CLOSED) from None
            raise
        finally:
            self._waiting.discard(future)

    def _working_pool(self) -> "asyncio.Task[_Pool]":
        if self._pool is None:
            self._pool = asyncio.create_task(asyncio.to_thread(_Pool, self._workers))
        return self._pool

    def _discard(self, pool: "asyncio.Task[_Pool]") -> None:
        """Forget this pool and close it aside; the next text gets a new one."""
        if self._pool is pool:
            self._pool = None
            closing = asyncio.create_task(_close(pool))
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)


async def _close(making: "asyncio.Task[_Pool]") -> None:
    with contextlib.suppress(_PoolIsGone):  # it could not even be made
        pool = await making
        await asyncio.to_thread(pool.close)


class _PoolIsGone(Exception):
    """pebble takes no more tasks for this pool."""


class _Pool:
    """pebble's pool with workers that follow their parent. Made and closed in a thread: both may wait."""

    def __init__(self, workers: int) -> None:
        context = multiprocessing.get_context("spawn")  # not fork: locks held by other threads would be copied
        try:
            self._watched, self._held = context.Pipe(duplex=False)
        except OSError as error:
            raise _PoolIsGone("no more files can be opened") from error
        self._pool = ProcessPool(workers, initializer=_prepare_worker, initargs=(self._watched,), context=context)
        # A RuntimeError says that the pool is broken already; schedule() will say so again.
        with _without_interrupts(), contextlib.suppress(RuntimeError):
            self._pool.schedule(_nothing)

    def schedule(self, wall_seconds: float, function: Callable[..., Any], *arguments: Any) -> "ProcessFuture[Any]":
        try:
            return self._pool.schedule(function, arguments, timeout=wall_seconds)
        except RuntimeError as error:
            raise _PoolIsGone from error

    def close(self) -> None:
        self._pool.stop()  # type: ignore[no-untyped-call]
        self._pool.join()
        self._held.close()
        self._watched.close()


@contextlib.contextmanager
def _without_interrupts() -> Iterator[None]:
    """Threads and processes made in here never see Ctrl-C, from their first instruction: it is the parent's to handle."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _size(source: str) -> int:
    """Bytes of the source in UTF-8; refuses what is too long without looking at all of it."""
    size = len(source)
    if size <= MAX_SOURCE_BYTES:
        size = len(source.encode("utf-8", "surrogatepass"))
    if size > MAX_SOURCE_BYTES:
        raise InvalidInput({"text": _TOO_BIG})
    return size


# What follows runs in the worker.


def _prepare_worker(watched: Connection) -> None:
    """Follow the parent into death, end at once when asked, and say nothing on the terminal."""
    silence = os.open(os.devnull, os.O_RDWR)
    for descriptor in (1, 2):
        os.dup2(silence, descriptor)
    os.close(silence)
    for number in (signal.SIGTERM, signal.SIGPROF, signal.SIGIO):
        signal.signal(number, signal.SIG_DFL)  # the kernel ends the process; Python would wait for C code to return
    _end_with_parent(watched)
    importlib.import_module("cms.content.pipeline")  # here, so that it does not count as the first text's time


def _end_with_parent(watched: Connection) -> None:
    """A pipe whose other end only the parent holds: when it closes, the kernel sends SIGIO, whose default is the end.

    PR_SET_PDEATHSIG would follow the thread that started the worker, not the process.
    """
    descriptor = watched.fileno()
    fcntl.fcntl(descriptor, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(descriptor, fcntl.F_SETFL, fcntl.fcntl(descriptor, fcntl.F_GETFL) | os.O_ASYNC)
    if watched.poll(0):  # it had closed before we listened
        os._exit(1)


def _work_within(cpu_seconds: float, memory_bytes: float, function: Callable[..., Any], *arguments: Any) -> Any:
    """Do it, or be ended by the kernel when the processor time is used up."""
    _limit_memory(int(memory_bytes))
    signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
    try:
        return function(*arguments)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _compare(old: str, new: str) -> list[Row]:
    """Nothing if there would be more rows than anybody looks through: sending them over would hold up the loop."""
    rows = side_by_side(old, new)
    return rows if len(rows) <= _MAX_ROWS else []


def _limit_memory(size: int) -> None:
    """A text may not take the machine's memory: repeated references can multiply it a thousandfold."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (size if hard == resource.RLIM_INFINITY else min(size, hard), hard))


def _render(source: str, context: RenderContext) -> Rendered:
    """In a worker, which alone imports what renders."""
    from cms.content.pipeline import render

    return render(source, context)


def _render_marked(old: str, new: str, context: RenderContext, show: Show) -> Rendered:
    from cms.content.pipeline import compare

    return compare(old, new, context, show)


def _nothing() -> None:
    """The task that makes pebble start its processes."""
