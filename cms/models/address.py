"""Every public path ever given out, and what is there now, where it went, or that it is gone."""

import re
import unicodedata
from enum import StrEnum

from sqlalchemy import Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from cms.db.types import Id, enum_type
from cms.models.base import Base, PrimaryKey

MAX_PATH = 400  # characters

# First segments the program answers itself; no post or page may stand there. tests/test_architecture.py compares this with the routes.
RESERVED_SEGMENTS = frozenset(
    [
        "account",
        "admin",
        "api",
        "archive",
        "atom.xml",
        "author",
        "category",
        "favicon.ico",
        "feed.json",
        "feed.xml",
        "healthz",
        "invitation",
        "live",
        "llms.txt",
        "login",
        "logout",
        "manifest.webmanifest",
        "media",
        "metrics",
        "opensearch.xml",
        "page",
        "password",
        "preview",
        "readyz",
        "robots.txt",
        "search",
        "series",
        "setup",
        "sitemap",
        "sitemap.xml",
        "static",
        "tag",
        "unlock",
        ".well-known",
    ]
)


_SCREEN = re.compile(r"[^/]+/.+/page/[1-9][0-9]{0,17}")  # behind the first of a list
_ONE_PLACE = text("state <> 'moved'")
_GONE = text("state = 'gone'")


class AddressState(StrEnum):
    CURRENT = "current"
    MOVED = "moved"
    GONE = "gone"


class TargetKind(StrEnum):
    POST = "post"
    TAG = "tag"
    CATEGORY = "category"
    AUTHOR = "author"
    SERIES = "series"
    MEDIA = "media"  # where an imported picture stood; always *moved*, to the address that has its bytes


class Address(Base):
    """``path`` has no slash at its ends and is decoded (NFC). Of one target at most one row is not *moved*: where it stands, or stood."""

    __tablename__ = "addresses"
    __table_args__ = (
        Index(None, "target_kind", "target_id"),
        Index("ix_addresses_one_place", "target_kind", "target_id", unique=True, postgresql_where=_ONE_PLACE, sqlite_where=_ONE_PLACE),
        Index("ix_addresses_gone", "target_kind", "target_id", postgresql_where=_GONE, sqlite_where=_GONE),
    )

    id: Mapped[PrimaryKey]
    path: Mapped[str] = mapped_column(String(MAX_PATH), unique=True)
    target_kind: Mapped[TargetKind] = mapped_column(enum_type(TargetKind))
    target_id: Mapped[int] = mapped_column(Id)
    state: Mapped[AddressState] = mapped_column(enum_type(AddressState))


def normalise_path(path: str) -> str:
    """The form in which a path is stored and looked up: no slash at the ends, Unicode NFC, and no NUL, which PostgreSQL refuses."""
    return unicodedata.normalize("NFC", path.strip("/")).replace("\0", "\ufffd")


def is_own(path: str, kind: TargetKind) -> bool:
    """Whether the program answers there itself, so that nothing of this kind may stand there: of a list, where another one goes on."""
    return is_reserved(path) if kind is TargetKind.POST else _SCREEN.fullmatch(path) is not None


def is_reserved(path: str) -> bool:
    return path.split("/", 1)[0].casefold() in RESERVED_SEGMENTS
