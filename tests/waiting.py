"""How long a loop keeps everybody waiting.

A task of the loop wakes up every five milliseconds and looks at the clock. From each gap it takes what the kernel says it kept
this thread waiting for a processor (``/proc/thread-self/schedstat``, second number), since that is the machine's doing and not
ours. What is left is time in which the loop, or a thread that held the interpreter, did something.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

MOST = 0.05  # seconds that another request may wait
_SCHEDSTAT = Path("/proc/thread-self/schedstat")
asks_the_kernel = pytest.mark.skipif(not _SCHEDSTAT.exists(), reason="asks the kernel how long it let the thread wait")


class Ticker:
    """The longest time, in seconds, in which the loop did not come round."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._task = asyncio.create_task(self._tick())

    async def _tick(self) -> None:
        while True:
            before, waited = time.perf_counter(), _waited()
            await asyncio.sleep(0.005)
            self.longest = max(self.longest, time.perf_counter() - before - 0.005 - (_waited() - waited))

    async def stop(self) -> float:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        return self.longest


async def longest_wait(act: Callable[[], Awaitable[object]]) -> float:
    """In seconds, while it is done: the least of three times, as what holds the loop up does so each time, and a busy machine does not."""
    waits = []
    while len(waits) < 3 and min(waits, default=1.0) >= MOST:
        ticker = Ticker()
        await asyncio.sleep(0.02)
        await act()
        await asyncio.sleep(0.02)
        waits.append(await ticker.stop())
    return min(waits)


def _waited() -> float:
    """Seconds that this thread was ready to run and no processor was free."""
    return int(_SCHEDSTAT.read_text().split()[1]) / 1e9
