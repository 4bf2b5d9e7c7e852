"""What happened, as frozen values. Recorded in the outbox with the change itself, told to listeners after the commit.

Ids only, and everything a listener cannot ask for later (what it was before). Tuples, so that an event is hashable.
"""

from dataclasses import dataclass

Ids = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PostPublished:
    """A live version was made or replaced. ``aspects`` names what readers see changed; empty terms mean none, before or after."""

    post_id: int
    kind: str
    is_new: bool  # it was not public a moment ago
    aspects: tuple[str, ...]
    path: str
    authors: Ids = ()
    tags: Ids = ()
    categories: Ids = ()
    neighbours: Ids = ()  # posts next to it by date, before and after


@dataclass(frozen=True, slots=True)
class PostWithdrawn:
    """A live version was taken away from readers: withdrawn on purpose, or trashed."""

    post_id: int
    kind: str
    path: str
    authors: Ids = ()
    tags: Ids = ()
    categories: Ids = ()
    neighbours: Ids = ()


@dataclass(frozen=True, slots=True)
class WorkChanged:
    """A working copy or the work on it changed; readers see nothing of it."""

    post_id: int


@dataclass(frozen=True, slots=True)
class SiteChanged:
    """What the frame of every page shows has changed."""

    aspects: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UserChanged:
    """A person was made, renamed, disabled, enabled, or given another role or password."""

    user_id: int
    aspects: tuple[str, ...]


Event = PostPublished | PostWithdrawn | WorkChanged | SiteChanged | UserChanged
