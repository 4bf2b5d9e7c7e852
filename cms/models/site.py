"""What an administrator edits about the whole site: one row, and its menus."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from cms.db.types import Id, enum_type
from cms.models.address import TargetKind
from cms.models.base import Base, JsonMap, PrimaryKey

SITE_ID = 1
UNNAMED = "Squall"  # what a site is called until somebody names it (migrations write the same)


class Site(Base):
    """One row. ``frame`` is the read document of what every page shows around its text; ``services/site.py`` makes it."""

    __tablename__ = "sites"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    identity: Mapped[str] = mapped_column(String(43))  # random; what the owner's one-time link is derived from
    name: Mapped[str] = mapped_column(String(100))
    description: Mapped[str] = mapped_column(String(300))
    language: Mapped[str] = mapped_column(String(12))
    time_zone: Mapped[str] = mapped_column(String(60))
    permalink: Mapped[str] = mapped_column(String(100))
    posts_per_page: Mapped[int]
    footer: Mapped[str] = mapped_column(Text)
    crawlers: Mapped[JsonMap]  # {"search": whether search engines may read it, "training": whether those who train models may}
    security_contact: Mapped[str] = mapped_column(String(300))  # an address of mail or of a page; "": nobody named
    frame: Mapped[JsonMap]


@dataclass(frozen=True, slots=True)
class Link:
    label: str
    path: str  # with a slash before it, or an address elsewhere


@dataclass(frozen=True)
class Frame:
    """What every page shows around its text, and what making a page needs to know of the site."""

    name: str = "Squall"
    description: str = ""
    language: str = "en"
    time_zone: str = "UTC"
    permalink: str = "/{slug}"
    posts_per_page: int = 10
    footer: str = ""
    crawlers: Mapping[str, bool] = field(default_factory=dict)
    security_contact: str = ""
    menu: tuple[Link, ...] = ()

    @cached_property
    def zone(self) -> ZoneInfo:
        return _zone(self.time_zone)

    def allows(self, crawlers: str) -> bool:
        """Whether crawlers for "search" or "training" may read the site; both may until somebody says otherwise."""
        return self.crawlers.get(crawlers, True)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Frame":
        return cls(**{**stored, "menu": tuple(Link(**link) for link in stored.get("menu", ()))})


@lru_cache(maxsize=8)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


class Menu(Base):
    __tablename__ = "menus"

    id: Mapped[PrimaryKey]
    name: Mapped[str] = mapped_column(String(40), unique=True)  # "main", "footer"


class MenuItem(Base):
    """Leads to a thing of ours (kind and id, so that it follows a moved address) or to ``url``."""

    __tablename__ = "menu_items"

    id: Mapped[PrimaryKey]
    menu_id: Mapped[int] = mapped_column(Id, ForeignKey("menus.id", ondelete="CASCADE"), index=True)
    parent_id: Mapped[int | None] = mapped_column(Id, ForeignKey("menu_items.id", ondelete="CASCADE"))
    position: Mapped[int]
    label: Mapped[str] = mapped_column(String(80))
    target_kind: Mapped[TargetKind | None] = mapped_column(enum_type(TargetKind))
    target_id: Mapped[int | None] = mapped_column(Id)
    url: Mapped[str] = mapped_column(String(500), default="")
