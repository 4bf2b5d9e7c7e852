"""The site's frame, and whether it and its files are open, as this process knows it: asked of the database once, and again when somebody
has changed it."""

from cms.db.session import Database
from cms.models.site import Frame
from cms.services import site


class Door:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._frame: Frame | None = None
        self._changes = 0
        self.is_open = False  # to everybody, as is known for sure: no question is needed

    def forget(self) -> None:
        self._changes += 1
        self._frame, self.is_open = None, False

    async def frame(self) -> Frame:
        """What was asked before a change is not kept after it."""
        if self._frame is not None:
            return self._frame
        changes = self._changes
        async with self._database.read() as session:
            frame = await site.get_frame(session)
        if changes == self._changes:
            self._frame, self.is_open = frame, frame.is_open
        return frame
