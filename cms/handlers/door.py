"""The site's frame, and whether it and its files are open, as this process knows it: asked of the database once, and again when somebody
has changed it."""

import asyncio

from cms.db.session import Database
from cms.models.site import Frame
from cms.services import site


class Door:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._frame: Frame | None = None
        self._asking: asyncio.Task[Frame] | None = None
        self.is_open = False  # to everybody, as is known for sure: no question is needed

    def forget(self) -> None:
        self._frame, self._asking, self.is_open = None, None, False

    async def frame(self) -> Frame:
        """One question for all who wait for it. What was asked before a change is not kept after it."""
        if self._frame is not None:
            return self._frame
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask())
        return await asyncio.shield(self._asking)

    async def _ask(self) -> Frame:
        try:
            async with self._database.read() as session:
                frame = await site.get_frame(session)
            if self._asking is asyncio.current_task():
                self._frame, self.is_open = frame, frame.is_open
            return frame
        finally:
            if self._asking is asyncio.current_task():
                self._asking = None
