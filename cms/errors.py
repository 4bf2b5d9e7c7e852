"""What can go wrong, in the words of the program; nothing here knows HTTP (``handlers/base.py`` maps it to statuses)."""

from collections.abc import Mapping
from typing import Any

from cms.wording import said


class CMSError(Exception):
    """Any failure that is somebody's to understand. ``message`` is one sentence for the person who met it, in whatever language."""

    message: str = "Something went wrong."

    def __init__(self, message: str | None = None) -> None:
        self.message = said(message or self.message)
        super().__init__(self.message)


class NotFound(CMSError):
    message = "There is nothing here."


class Gone(NotFound):
    """It was public once and has been taken back on purpose."""

    message = "This was withdrawn."


class NotAuthenticated(CMSError):
    message = "Please sign in."


class Forbidden(CMSError):
    message = "You may not do that."


class NotConfirmed(Forbidden):
    """It is long ago that the person proved to be who he is, and this could do harm."""

    message = "Confirm first that it is you, as this was ten minutes ago or more; then send this again."


class Conflict(CMSError):
    """Somebody else changed the same thing meanwhile."""

    message = "Somebody else changed this meanwhile."


class Collision(Conflict):
    """Two made the same new thing at one moment. Whoever tries again finds it."""

    message = "Somebody else did the same at the same moment. Please try again."


class InvalidInput(CMSError):
    """Input that is refused. ``errors`` maps a field's name ("" for the whole) to one sentence."""

    message = "Some fields need another look."

    def __init__(self, errors: Mapping[str, str], message: str | None = None) -> None:
        super().__init__(message or next(iter(errors.values()), None))
        self.errors: dict[str, str] = {name: said(sentence) for name, sentence in errors.items()}


class ChangedMeanwhile(InvalidInput):
    """Somebody else changed these very fields. ``seen``: the form as it counts as seen once its sender has been told."""

    def __init__(self, errors: Mapping[str, str], seen: Mapping[str, Any]) -> None:
        super().__init__(errors)
        self.seen = seen


class TooLarge(InvalidInput):
    """More bytes than are taken here."""


class WrongKind(InvalidInput):
    """A file of a kind that is not taken here."""


class TooManyRequests(CMSError):
    message = "Too many tries. Please wait a moment."

    def __init__(self, retry_after: int, message: str | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after  # seconds


class Unavailable(CMSError):
    """A part that is needed is away (database, storage); trying again may help."""

    message = "The site is resting for a moment. Please try again shortly."


class StorageAway(Unavailable):
    """The storage of files does not answer, or refuses."""


class StorageFull(Unavailable):
    """The disk is full; nothing of this was kept."""

    message = "The disk is full, so nothing was saved. Free some space and try again; what you typed is still here."


class OperatorError(CMSError):
    """Something the operator has to mend before the program can go on; ``message`` says what to do."""
