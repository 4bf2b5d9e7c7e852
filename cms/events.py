"""What happened, as frozen values. Recorded in the outbox with the change itself, told to listeners after the commit.

Ids only, and everything a listener cannot ask for later (what it was before). Tuples, so that an event is hashable.
"""

from dataclasses import dataclass, fields
from typing import Any, get_args

Ids = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """The lists that a post stands in (``home``, ``tag:7``, ``category:2``, ``author:3``, ``series:1``, ``month:2026-11``; of a page
    ``below:5``), and where: at its moment, in seconds since 1970."""

    at: float
    lists: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PostPublished:
    """A live version was made or replaced. ``aspects`` names what readers see changed; ``before`` is None if it was not public."""

    post_id: int
    kind: str
    aspects: tuple[str, ...]
    path: str
    former_path: str
    before: Listed | None
    now: Listed
    months: tuple[str, ...] = ()  # that came into the archive or left it with this post

    @property
    def is_new(self) -> bool:
        return self.before is None


@dataclass(frozen=True, slots=True)
class PostWithdrawn:
    """A live version was taken away from readers: withdrawn on purpose, or trashed."""

    post_id: int
    kind: str
    path: str
    before: Listed
    months: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WorkChanged:
    """A working copy or the work on it changed; readers see nothing of it."""

    post_id: int


@dataclass(frozen=True, slots=True)
class DocumentsChanged:
    """Something was written into documents of working copies: an update each, by post and number."""

    updates: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class ThreadChanged:
    """Something was said about a text, or a thread on it ended or was opened again."""

    post_id: int


@dataclass(frozen=True, slots=True)
class NotificationsChanged:
    """These people were told something at the desk, or have seen what they were told."""

    user_ids: Ids


@dataclass(frozen=True, slots=True)
class SiteChanged:
    """What the frame of every page shows has changed."""

    aspects: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TermChanged:
    """A tag, category or series: its own list says something else (``name``, ``description``), stands in another order (``order``) or at
    another address (``path``), or is no more (``gone``). ``paths``: addresses that answer something else now. The texts that show it
    tell of themselves."""

    kind: str
    term_id: int
    aspects: tuple[str, ...]
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PagesSorted:
    """The pages below one, or at the top of the tree, stand in another order."""

    parent_id: int | None


@dataclass(frozen=True, slots=True)
class UserChanged:
    """A person was made, deleted, erased, disabled, enabled or signed out, given another role, password, second factor or address, or
    changed the profile."""

    user_id: int
    aspects: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """Sessions of a person were ended by hand; what is open in them has to close. Those that ended because of what happened to the
    person go with ``UserChanged``."""

    user_id: int
    session_ids: Ids


@dataclass(frozen=True, slots=True)
class RedirectsChanged:
    """Rules came, went or lead elsewhere: those for these paths alone, or, if there are none, for more than can be named."""

    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class JobsChanged:
    """Work for later came, went on, ended or was given up, or what was asked for by it was forgotten."""


@dataclass(frozen=True, slots=True)
class MediaChanged:
    """Something of the library came, went or is another, or its folders are."""


Event = (
    PostPublished
    | PostWithdrawn
    | WorkChanged
    | DocumentsChanged
    | ThreadChanged
    | NotificationsChanged
    | SiteChanged
    | TermChanged
    | PagesSorted
    | UserChanged
    | SessionEnded
    | RedirectsChanged
    | JobsChanged
    | MediaChanged
)

_KINDS: dict[str, type[Event]] = {kind.__name__: kind for kind in get_args(Event)}


def from_json(name: str, payload: dict[str, Any]) -> Event | None:
    """The event that ``dataclasses.asdict`` made this map of; None if a newer version of the program told of something unknown here."""
    kind = _KINDS.get(name)
    if kind is None or payload.keys() != {field.name for field in fields(kind)}:
        return None
    return kind(**{key: _value(key, value) for key, value in payload.items()})


def _value(key: str, value: Any) -> Any:
    if key in ("before", "now") and value is not None:
        return Listed(value["at"], tuple(value["lists"]))
    if key == "updates":
        return tuple((post_id, update_id) for post_id, update_id in value)
    return tuple(value) if isinstance(value, list) else value
