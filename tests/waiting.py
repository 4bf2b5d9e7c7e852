"""How long a loop keeps everybody waiting.

A task of the loop wakes up every five milliseconds and looks at the clock. From each gap it takes what the kernel says it kept a thread
of this process waiting for a processor (``/proc/self/task/…/schedstat``, second number), since that is the machine's doing and not ours:
the loop's own thread, or one that just held the interpreter, whichever waited longest. What the loop's thread itself did is never taken
off. What is left is time in which the loop, or a thread that held the interpreter, did something. Garbage is looked for among what comes up
meanwhile only: what the other tests left behind, no program has.
"""

import asyncio
import ctypes
import gc
import os
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

MOST = 0.05  # seconds that another request may wait
_KERNEL = ctypes.PyDLL(None)  # which keeps the interpreter: files that Python reads let other threads in, for longer than is measured here
asks_the_kernel = pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="asks the kernel how long it let threads wait")


class Ticker:
    """The longest time, in seconds, in which the loop did not come round."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._task = asyncio.create_task(self._tick())

    async def _tick(self) -> None:
        before, did, waited = _now()
        while True:
            await asyncio.sleep(0.005)
            now, done, kept = _now()
            longest_kept = max(wait - waited.get(thread, 0.0) for thread, wait in kept.items())
            self.longest = max(self.longest, now - before - 0.005 - longest_kept, done - did)
            before, did, waited = now, done, kept

    async def stop(self) -> float:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        return self.longest


async def longest_wait(act: Callable[[], Awaitable[object]]) -> float:
    """In seconds, while it is done: the least of three times, as what holds the loop up does so each time, and a busy machine does not."""
    gc.collect()
    gc.freeze()
    waits = []
    while len(waits) < 3 and min(waits, default=1.0) >= MOST:
        ticker = Ticker()
        await asyncio.sleep(0.02)
        await act()
        await asyncio.sleep(0.02)
        waits.append(await ticker.stop())
    return min(waits)


def _now() -> tuple[float, float, dict[int | None, float]]:
    """The clock, what this thread has done, and what each has waited, in seconds."""
    return time.perf_counter(), time.thread_time(), _waited()


def _waited() -> dict[int | None, float]:
    """By thread: seconds that it was ready to run and no processor was free."""
    waited, said = {}, ctypes.create_string_buffer(100)
    for thread in threading.enumerate():
        file = _KERNEL.open(b"/proc/self/task/%d/schedstat" % (thread.native_id or 0), os.O_RDONLY)
        if file < 0:  # it has just ended
            continue
        length = _KERNEL.read(file, said, len(said))
        _KERNEL.close(file)
        if length > 0:
            waited[thread.native_id] = int(said.raw[:length].split()[1]) / 1e9
    return waited
