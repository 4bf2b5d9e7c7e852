"""Somebody who waits for news in an answer that stays open."""

import asyncio
import contextlib


class Waking:
    def __init__(self) -> None:
        self.is_over = False
        self._woken = asyncio.Event()

    def wake(self) -> None:
        self._woken.set()

    def end(self) -> None:
        self.is_over = True
        self.wake()

    async def wait(self, seconds: float) -> bool:
        """Whether something happened within so many."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        happened = self._woken.is_set()
        self._woken.clear()
        return happened
