"""Files of this machine that are needed for a moment."""

import asyncio
import errno
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from cms.errors import StorageFull


@asynccontextmanager
async def room(folder: Path) -> AsyncIterator[Path]:
    """A folder in this one that is gone afterwards; what a process that was killed has left there is pruned. Raises ``StorageFull``."""
    try:
        await asyncio.to_thread(folder.mkdir, mode=0o700, parents=True, exist_ok=True)
        place = await asyncio.to_thread(tempfile.TemporaryDirectory[str], dir=folder, ignore_cleanup_errors=True)
        try:
            yield Path(place.name)
        finally:
            await asyncio.shield(asyncio.to_thread(place.cleanup))
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull from None
        raise
