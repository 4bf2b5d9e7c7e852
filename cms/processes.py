"""Work that may cost far more than it should is done in worker processes, within limits of processor time and memory.

C code that has lost its way cannot be interrupted from Python; so the worker asks the kernel to end it (``ITIMER_PROF``) and another
takes its place. The event loop never waits for any of this.
"""

import asyncio
import contextlib
import fcntl
import importlib
import logging
import multiprocessing
import os
import resource
import select
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import TimeoutError as RanTooLong
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from pebble import ProcessExpired, ProcessFuture, ProcessPool

_log = logging.getLogger(__name__)

_UNTOLD = 1_000_000_000  # bytes: the address space of a worker where the system does not tell it


class TooSlow(Exception):
    """The processor time is used up, or far too much time altogether."""


class TooMuchMemory(Exception):
    pass


class ProcessLost(Exception):
    """The worker is gone. ``exit_code`` as ``subprocess`` has it, None if there never was one."""

    def __init__(self, exit_code: int | None = None) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code


class PoolIsClosed(Exception):
    pass


class LimitedPool:
    """Processes that start with the first task. ``module`` is what they import then, before any task's time is counted."""

    def __init__(self, workers: int, module: str) -> None:
        self._workers = workers
        self._module = module
        self._pool: asyncio.Task[_Pool] | None = None
        self._waiting: set[asyncio.Future[Any]] = set()
        self._closing: set[asyncio.Task[None]] = set()
        self._is_closed = False

    @property
    def is_started(self) -> bool:
        return self._pool is not None

    async def run(self, function: Callable[..., Any], *arguments: Any, cpu_seconds: float, memory_bytes: int, wall_seconds: float) -> Any:
        """What the function returns in a worker, which may take so much memory in addition to what it had before its first task.

        Raises ``TooSlow``, ``TooMuchMemory``, ``ProcessLost``, ``PoolIsClosed`` and whatever the function does.
        """
        try:
            return await self._run(_work_within, cpu_seconds, memory_bytes, function, *arguments, wall_seconds=wall_seconds)
        except RanTooLong:
            raise TooSlow from None
        except MemoryError:
            raise TooMuchMemory from None
        except ProcessExpired as error:
            if error.exitcode == -signal.SIGPROF:
                raise TooSlow from None
            _log.warning("a worker (%s) ended with exit code %s", self._module, error.exitcode)
            raise ProcessLost(error.exitcode) from None

    async def close(self) -> None:
        """End the workers; whoever still waits is told. Can be called more than once."""
        self._is_closed = True
        for future in list(self._waiting):
            future.cancel()
        if self._pool:
            self._discard(self._pool)
        await asyncio.gather(*self._closing)

    async def _run(self, *task: Any, wall_seconds: float) -> Any:
        """Once more if the pool broke: that happens when a waiting worker is ended from outside, no fault of the task."""
        for _ in range(2):
            self._refuse_if_closed()
            making = self._working_pool()
            try:
                pool = await asyncio.shield(making)  # somebody else may be waiting for the same pool
                self._refuse_if_closed()  # a pool that is ended forgets what it was given meanwhile
                return await self._wait(pool.schedule(wall_seconds, *task))
            except (BrokenProcessPool, _PoolIsGone) as error:
                _log.warning("the workers (%s) are replaced: %s", self._module, error)
                self._discard(making)
        raise ProcessLost

    def _refuse_if_closed(self) -> None:
        if self._is_closed:
            raise PoolIsClosed

    async def _wait(self, running: "ProcessFuture[Any]") -> Any:
        future = asyncio.wrap_future(running)  # a cancelled wait ends the worker, and pebble starts another
        self._waiting.add(future)
        try:
            return await future
        except asyncio.CancelledError:
            awaiting = asyncio.current_task()
            if self._is_closed and not (awaiting and awaiting.cancelling()):
                raise PoolIsClosed from None
            raise
        finally:
            self._waiting.discard(future)

    def _working_pool(self) -> "asyncio.Task[_Pool]":
        if self._pool is None:
            self._pool = asyncio.create_task(asyncio.to_thread(_Pool, self._workers, self._module))
        return self._pool

    def _discard(self, pool: "asyncio.Task[_Pool]") -> None:
        """Forget this pool and close it aside; the next task gets a new one."""
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

    def __init__(self, workers: int, module: str) -> None:
        context = multiprocessing.get_context("spawn")  # not fork: locks held by other threads would be copied
        try:
            self._watched, self._held = context.Pipe(duplex=False)
        except OSError as error:
            raise _PoolIsGone("no more files can be opened") from error
        self._pool = ProcessPool(workers, initializer=_prepare_worker, initargs=(self._watched, module), context=context)
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


# What follows runs in the worker.

_had = _UNTOLD  # bytes of address space before the first task


def _prepare_worker(watched: Connection, module: str) -> None:
    """Follow the parent into death, end at once when asked, and say nothing on the terminal."""
    global _had
    silence = os.open(os.devnull, os.O_RDWR)
    for descriptor in (1, 2):
        os.dup2(silence, descriptor)
    os.close(silence)
    for number in (signal.SIGTERM, signal.SIGPROF, signal.SIGIO):
        signal.signal(number, signal.SIG_DFL)  # the kernel ends the process; Python would wait for C code to return
    end_with(watched.fileno())
    importlib.import_module(module)  # here, so that it does not count as the first task's time
    _had = _address_space()


def end_with(descriptor: int) -> None:
    """End this process with the one that holds the other end of this pipe, and nobody else does: when it closes, the kernel sends SIGIO,
    whose default is the end.

    PR_SET_PDEATHSIG would follow the thread that started the worker, not the process.
    """
    fcntl.fcntl(descriptor, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(descriptor, fcntl.F_SETFL, fcntl.fcntl(descriptor, fcntl.F_GETFL) | os.O_ASYNC)
    if select.select([descriptor], [], [], 0)[0]:  # it had closed before we listened
        os._exit(1)


def _work_within(cpu_seconds: float, memory_bytes: int, function: Callable[..., Any], *arguments: Any) -> Any:
    """Do it, or be ended by the kernel when the processor time is used up."""
    _limit_memory(_had + memory_bytes)
    signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
    try:
        return function(*arguments)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _limit_memory(size: int) -> None:
    """A task may not take the machine's memory: a few bytes can ask for a thousandfold."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (size if hard == resource.RLIM_INFINITY else min(size, hard), hard))


def _address_space() -> int:
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except OSError:
        return _UNTOLD


def _nothing() -> None:
    """The task that makes pebble start its processes."""
