"""Password hashes: argon2id, made one at a time in a thread, so that readers never wait for somebody who signs in."""

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from cms.errors import TooManyRequests

# OWASP's first choice for argon2id: 19 MiB, two passes, one lane (https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html).
MEMORY = 19 * 1024  # KiB
PASSES = 2
LANES = 1
MOST_WAITING = 50  # about two seconds of hashing
RETRY_AFTER = 5  # seconds

Result = TypeVar("Result")


class Passwords:
    """Hashes and verifies. One thread: two hashes at once would take twice the memory and starve the event loop."""

    def __init__(self, memory: int = MEMORY, passes: int = PASSES, lanes: int = LANES) -> None:
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory, parallelism=lanes, type=Type.ID)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="argon2")
        self._waiting = 0
        self._nobodys = self._hasher.hash(secrets.token_urlsafe())

    async def hash(self, password: str) -> str:
        return await self._in_turn(self._hasher.hash, password)

    async def verify(self, stored: str | None, password: str) -> bool:
        """Whether it is the password. Without a stored hash the same work is done, so that the time does not tell who exists."""
        right = await self._in_turn(self._verify, stored or self._nobodys, password)
        return right and bool(stored)

    async def _in_turn(self, work: Callable[..., Result], *arguments: str) -> Result:
        """In the one thread. Raises ``TooManyRequests`` rather than let those who guess keep everybody waiting for minutes."""
        if self._waiting >= MOST_WAITING:
            raise TooManyRequests(RETRY_AFTER, "Too many people are signing in at this moment. Please try again in a few seconds.")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)
        finally:
            self._waiting -= 1

    def needs_rehash(self, stored: str) -> bool:
        return self._hasher.check_needs_rehash(stored)

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False
