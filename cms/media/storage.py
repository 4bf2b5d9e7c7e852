"""Where the bytes of uploads are kept, by name: a folder now; anything obstore knows fits behind the same five verbs."""

from collections.abc import AsyncIterator
from pathlib import Path

import obstore
from obstore.exceptions import AlreadyExistsError
from obstore.store import LocalStore

from cms.errors import NotFound

CHUNK = 256 * 1024  # bytes


class Storage:
    """Names are ours (digests), never a person's, and relative: the store refuses to leave its folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._store = LocalStore(folder)

    async def put(self, name: str, content: bytes) -> None:
        """Keep bytes under a name; what is there already under a digest is the same, and stays."""
        try:
            await obstore.put_async(self._store, name, content, mode="create")
        except AlreadyExistsError:
            return

    async def read(self, name: str, span: tuple[int, int] | None = None) -> AsyncIterator[bytes]:
        """The bytes in pieces, all or from ``span[0]`` to before ``span[1]``. Raises ``NotFound``."""
        try:
            result = await obstore.get_async(self._store, name, options={"range": span} if span else None)
        except FileNotFoundError:
            raise NotFound from None
        async for piece in result.stream(min_chunk_size=CHUNK):
            yield bytes(piece)

    async def list(self) -> AsyncIterator[tuple[str, int]]:
        """Each name with its size in bytes."""
        async for batch in obstore.list(self._store):
            for meta in batch:
                yield meta["path"], meta["size"]
