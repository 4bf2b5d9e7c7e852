"""Passwords: whether one is good enough, and their hashes.

argon2id, one at a time in a thread, so that readers never wait for somebody who signs in. How easily a new one is guessed is estimated by
zxcvbn (https://www.usenix.org/conference/usenixsecurity16/technical-sessions/presentation/wheeler), which brings its own lists of the
passwords and words that people take.
"""

import asyncio
import base64
import re
import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from itertools import chain
from typing import TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import ARGON2_VERSION

from cms.errors import InvalidInput, TooManyRequests
from cms.settings import Settings
from cms.wording import say, sentences

# OWASP's first choice for argon2id: 19 MiB, two passes, one lane (https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html).
MEMORY = 19 * 1024  # KiB
PASSES = 2
LANES = 1
MOST_WAITING = 50  # about two seconds of hashing
AT_ONCE = 2  # who sign in: one is hashed while another asks the database
RETRY_AFTER = 5  # seconds
LEAST_SCORE = 2  # of 0 to 4: at least 100 million guesses
JUDGED = 72  # characters that zxcvbn takes; longer ones are judged by their beginning
# What people put a number behind where they must have a new one each season, and what became too well known.
TAKEN = (
    "spring", "summer", "autumn", "winter", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "january",
    "february", "march", "april", "june", "july", "august", "september", "october", "november", "december", "welcome", "changeme",
    "correcthorsebatterystaple", "zaq12wsxcde",
)  # fmt: skip
_ENDS = re.compile(r"^[\W\d_]+|[\W\d_]+$")
EASY = "This is easy to guess."
FORGETTABLE = 3  # characters; shorter parts of names are parts of everything

Result = TypeVar("Result")


class Passwords:
    """Hashes and verifies. One thread: two hashes at once would take twice the memory and starve the event loop."""

    def __init__(self, memory: int = MEMORY, passes: int = PASSES, lanes: int = LANES) -> None:
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory, parallelism=lanes, type=Type.ID)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="argon2")
        # Of its own, as odd texts take seconds; and only one, as zxcvbn keeps what it was told about the person in a place that is shared.
        self._judge = ThreadPoolExecutor(1, thread_name_prefix="zxcvbn")
        self._hashing = _Queue()
        self._signing_in = _Queue()
        self._turns = asyncio.Semaphore(AT_ONCE)
        cost = f"m={memory},t={passes},p={lanes}"
        self._nobodys = f"$argon2id$v={ARGON2_VERSION}${cost}${_noise(self._hasher.salt_len)}${_noise(self._hasher.hash_len)}"

    @classmethod
    def of(cls, settings: Settings) -> "Passwords":
        return cls(settings.argon2_memory * 1024, settings.argon2_passes, settings.argon2_lanes)

    async def choose(self, password: str, *about: str) -> str:
        """The hash of a new password. ``about``: what others know of the person and the site, which makes a bad password.

        Raises ``InvalidInput`` on ``password``, with advice, if it is easy to guess.
        """
        if advice := await self.advise(password, *about):
            raise InvalidInput({"password": advice})
        return await self.hash(password)

    async def advise(self, password: str, *about: str) -> str:
        """What is wrong with a password, and how to choose another; "" if it will do."""
        return await asyncio.get_running_loop().run_in_executor(self._judge, _advice, password, about)

    async def hash(self, password: str) -> str:
        return await self._in_turn(self._hasher.hash, password)

    async def verify(self, stored: str | None, password: str) -> bool:
        """Whether it is the password. Without a stored hash the same work is done, so that the time does not tell who exists."""
        right = await self._in_turn(self._verify, stored or self._nobodys, password)
        return right and bool(stored)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Around all of signing in. A crowd waits here and not for the database, where readers find a connection free.

        Raises ``TooManyRequests`` like hashing.
        """
        with self._signing_in.place():
            async with self._turns:
                yield

    async def _in_turn(self, work: Callable[..., Result], *arguments: str) -> Result:
        """In the one thread. Raises ``TooManyRequests``."""
        with self._hashing.place():
            return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)

    def needs_rehash(self, stored: str) -> bool:
        return self._hasher.check_needs_rehash(stored)

    def close(self) -> None:
        for thread in (self._thread, self._judge):
            thread.shutdown(wait=False, cancel_futures=True)

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False


class _Queue:
    """So many may wait; those who guess do not keep everybody waiting for minutes."""

    def __init__(self) -> None:
        self._waiting = 0

    @contextmanager
    def place(self) -> Iterator[None]:
        """Raises ``TooManyRequests`` if there is none left."""
        if self._waiting >= MOST_WAITING:
            raise TooManyRequests(RETRY_AFTER, "Too many people are signing in at this moment. Please try again in a few seconds.")
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1


def _noise(size: int) -> str:
    """So many bytes, as a hash is written. What hashes to them nobody knows, and nobody need have hashed anything for them."""
    return base64.b64encode(secrets.token_bytes(size)).decode().rstrip("=")


def _advice(password: str, about: Sequence[str]) -> str:
    if _ENDS.sub("", password).casefold() in TAKEN:
        return sentences(EASY, say("Many people take this word, with a number or without. Add another word or two."))
    from zxcvbn import zxcvbn  # its lists take as long to load as the rest of the program, and few ask

    judged = zxcvbn(password[:JUDGED], user_inputs=_words(about))
    if judged["score"] >= LEAST_SCORE:
        return ""
    feedback = judged["feedback"]
    return " ".join([EASY, *filter(None, [feedback["warning"], *feedback["suggestions"]])])


def _words(about: Sequence[str]) -> list[str]:
    """Each thing as a whole, without what stands between its parts, and its parts; of an address of mail also what is before the @."""
    told = [word for text in about for word in (text, text.partition("@")[0])]
    parts = [re.findall(r"[^\W_]+", text) for text in told]
    return sorted({word for word in (*told, *("".join(each) for each in parts), *chain(*parts)) if len(word) >= FORGETTABLE})
