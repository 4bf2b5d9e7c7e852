"""Where the bytes of uploads are kept, by name: a folder now; anything obstore knows fits behind the same verbs."""

import asyncio
import errno
import os
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore

from cms.errors import CMSError, NotFound, StorageFull, Unavailable
from cms.wording import say

CHUNK = 256 * 1024  # bytes
_CODE = re.compile(r"\bcode: (\d+)")  # of the system's error, in what the store says of it

Item = TypeVar("Item")


class Storage:
    """Names are ours (digests), never a person's, and relative: the store refuses to leave its folder.

    The store's plain calls in threads, not its own coroutines: their threads outlive the loop, and abort a process that ends
    while they still hold one of its objects (https://github.com/PyO3/pyo3-async-runtimes/issues/40).
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._store = LocalStore(folder)

    async def put(self, name: str, content: bytes) -> None:
        """Keep bytes under a name; what is there already under a digest is the same, and stays. Raises ``StorageFull``."""
        try:
            await asyncio.to_thread(obstore.put, self._store, name, content, mode="create")
        except AlreadyExistsError:
            return
        except BaseError as error:
            raise _translated(error) from None

    async def read(self, name: str, span: tuple[int, int] | None = None) -> AsyncIterator[bytes]:
        """The bytes in pieces, all or from ``span[0]`` to before ``span[1]``. Raises ``NotFound``."""
        try:
            result = await asyncio.to_thread(obstore.get, self._store, name, options={"range": span} if span else None)
        except FileNotFoundError:
            raise NotFound from None
        async for piece in _in_threads(iter(result.stream(min_chunk_size=CHUNK))):
            yield bytes(piece)

    async def delete(self, name: str) -> None:
        """What is not there has been deleted."""
        with suppress(FileNotFoundError):
            await asyncio.to_thread(obstore.delete, self._store, name)

    async def list(self) -> AsyncIterator[tuple[str, int]]:
        """Each name with its size in bytes."""
        async for batch in _in_threads(iter(obstore.list(self._store))):
            for meta in batch:
                yield meta["path"], meta["size"]


def _translated(error: BaseError) -> CMSError:
    """The store knows no class for a full disk, and tells its own structures at length."""
    found = _CODE.search(str(error))
    code = int(found[1]) if found else 0
    if code in {errno.ENOSPC, errno.EDQUOT}:
        return StorageFull()
    return Unavailable(
        say("A file could not be stored: {reason}.", reason=os.strerror(code) if code else say("the storage does not answer"))
    )


async def _in_threads(items: Iterator[Item]) -> AsyncIterator[Item]:
    """Each next item from a thread, as the disk may be slow."""
    while (item := await asyncio.to_thread(next, items, None)) is not None:
        yield item
