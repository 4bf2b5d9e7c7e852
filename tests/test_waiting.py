"""What keeps the loop waiting is found, by whatever means it does; a machine that is busy with something else is not taken for it."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import repeat

import pytest

from tests.waiting import MOST, asks_the_kernel, longest_wait

pytestmark = [asks_the_kernel, pytest.mark.usefixtures("busy_machine")]


@pytest.fixture(scope="module")
def busy_machine() -> Iterator[None]:
    """With more at work than there are processors."""
    others = [subprocess.Popen([sys.executable, "-Sc", "while True: pass"]) for _ in range(4)]
    yield
    for other in others:
        other.kill()
        other.wait()


def _works() -> None:
    until = time.thread_time() + 2 * MOST
    while time.thread_time() < until:
        pass


def _sleeps() -> None:
    time.sleep(2 * MOST)


@pytest.mark.parametrize("act", [_works, _sleeps])
async def test_what_blocks_is_found(act: Callable[[], None]) -> None:
    async def block() -> None:
        act()

    assert await longest_wait(block) >= MOST


async def test_a_thread_that_lets_nobody_in_between_is_found() -> None:
    assert await longest_wait(lambda: asyncio.to_thread(sum, repeat(1, 100_000_000))) >= MOST


async def test_what_a_busy_machine_does_is_not_ours() -> None:
    async def share() -> None:
        for _ in range(20):
            await asyncio.sleep(0.001)
            await asyncio.to_thread(sum, range(1000))

    assert await longest_wait(share) < MOST
