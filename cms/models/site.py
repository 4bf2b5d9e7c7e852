"""What an administrator edits about the whole site: one row, and its menus."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic_core import from_json
from sqlalchemy import CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from cms.db.types import Id, enum_type
from cms.models.address import TargetKind
from cms.models.base import Base, JsonList, JsonMap, PrimaryKey
from cms.policy import Role

SITE_ID = 1
ACCENT_HUE = 255  # degrees; what tokens.css says unless somebody chooses (migrations write the same)
UNNAMED = "Squall"  # what a site is called until somebody names it (migrations write the same)


class HomeVariant(StrEnum):
    LEAD = "lead"  # the newest post large, the rest below
    COMPACT = "compact"  # titles only
    PAGE = "page"  # a page that was chosen; the newest posts begin at /page/1


class Access(StrEnum):
    """Who may read the site."""

    OPEN = "open"
    COMING_SOON = "coming_soon"  # whoever has the password; others are told that it comes
    PRIVATE = "private"  # whoever has the password


class Site(Base):
    """One row. ``frame`` is the read document of what every page shows around its text; ``services/site.py`` makes it.

    ``version`` counts changes, so that of two administrators the second hears of the first. ``links``: maps of ``label`` and ``path``.
    """

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
    logo_id: Mapped[int | None] = mapped_column(Id, ForeignKey("assets.id", ondelete="SET NULL"))
    accent_hue: Mapped[int]
    home: Mapped[HomeVariant] = mapped_column(enum_type(HomeVariant))
    home_page_id: Mapped[int | None] = mapped_column(Id, ForeignKey("posts.id", ondelete="SET NULL"))
    links: Mapped[JsonList]
    version: Mapped[int]
    crawlers: Mapped[JsonMap]  # {"search": whether search engines may read it, "training": whether those who train models may}
    security_contact: Mapped[str] = mapped_column(String(300))  # an address of mail or of a page; "": nobody named
    second_factor: Mapped[JsonList] = mapped_column(default=list)  # roles that need one
    compulsory_checks: Mapped[JsonList] = mapped_column(default=list)  # what a text must pass before it is published (content/checks.py)
    former_name: Mapped[str] = mapped_column(String(80), default="")  # above texts of those who were erased; "": nobody's
    access: Mapped[Access] = mapped_column(enum_type(Access), default=Access.OPEN)
    access_hash: Mapped[str | None] = mapped_column(String(200))  # of the password that opens a site that is not open
    icon_id: Mapped[int | None] = mapped_column(Id, ForeignKey("assets.id", ondelete="SET NULL"))
    theme: Mapped[JsonMap] = mapped_column(default=dict)  # what was chosen of the theme's look
    review: Mapped[JsonMap] = mapped_column(default=dict)  # who needs one, and by whom (services/reviews.py)
    backups: Mapped[JsonMap] = mapped_column(default=dict)  # how often one is made, and how many are kept
    limits: Mapped[JsonMap] = mapped_column(
        default=dict
    )  # of what there may be of something (schemas/site.py), where they are not the usual
    media: Mapped[JsonMap] = mapped_column(default=dict)  # what may be brought, and what is kept of it, where it is not the usual
    is_set_up: Mapped[bool] = mapped_column(default=False)  # the questions of the first run were answered
    frame: Mapped[JsonMap]

    @property
    def second_factor_from(self) -> str:
        """The least of the roles that need a second factor, with all above it; "" while nobody does."""
        return next((role.value for role in reversed(Role) if role in self.second_factor), "")

    @second_factor_from.setter
    def second_factor_from(self, least: str) -> None:
        ranks = [str(role) for role in Role]
        self.second_factor = ranks[: ranks.index(least) + 1] if least else []

    @property
    def search_crawlers(self) -> bool:
        return bool(self.crawlers.get("search", True))

    @search_crawlers.setter
    def search_crawlers(self, may_read: bool) -> None:
        self._let_read("search", may_read)

    @property
    def training_crawlers(self) -> bool:
        return bool(self.crawlers.get("training", True))

    @training_crawlers.setter
    def training_crawlers(self, may_read: bool) -> None:
        self._let_read("training", may_read)

    def _let_read(self, crawlers: str, may_read: bool) -> None:
        """Only what was refused is kept."""
        self.crawlers = {kind: may for kind, may in {**self.crawlers, crawlers: may_read}.items() if not may}


@dataclass(frozen=True, slots=True)
class Link:
    label: str
    path: str  # with a slash before it, or an address elsewhere
    children: tuple["Link", ...] = ()

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Link":
        return cls(stored["label"], stored["path"], links(stored.get("children", ())))


def links(stored: Sequence[Mapping[str, Any]]) -> tuple[Link, ...]:
    return tuple(map(Link.from_json, stored))


@dataclass(frozen=True)
class Frame:
    """What every page shows around its text, and what making a page needs to know of the site."""

    uuid: str = str(UUID(int=0))  # the site's own, for whatever has to keep its name when the site moves
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
    footer_menu: tuple[Link, ...] = ()
    links: tuple[Link, ...] = ()  # to the publication elsewhere
    logo: dict[str, Any] | None = None  # path, width, height
    icon: str = ""  # path of a square PNG; "": the program's own
    theme: Mapping[str, str] = field(default_factory=dict)  # what was chosen of the look (ui/theme.py)
    accent_hue: int = ACCENT_HUE
    home: str = HomeVariant.LEAD
    home_path: str = ""  # of the page that stands at "/"; "" while there is none, or it is not public
    access: str = Access.OPEN
    private_media: bool = False  # files are for those at the desk until something public shows them
    access_mark: str = ""  # what a browser keeps that was given the password of the site (services/visibility.py)

    @property
    def is_open(self) -> bool:
        return self.access == Access.OPEN

    @cached_property
    def zone(self) -> ZoneInfo:
        return _zone(self.time_zone)

    def allows(self, crawlers: str) -> bool:
        """Whether crawlers for "search" or "training" may read the site; both may until somebody says otherwise."""
        return self.crawlers.get(crawlers, True)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Frame":
        """What a newer version of the program added is left out: for a while both may run."""
        known = {name: stored[name] for name in stored.keys() & _FRAME_NAMES}
        return cls(**{**known, **{name: links(stored.get(name, ())) for name in ("menu", "footer_menu", "links")}})

    @property
    def posts_path(self) -> str:
        """Where the newest posts begin."""
        return "/page/1" if self.home_path else "/"


@lru_cache(maxsize=4)
def frame_of(stored: str) -> Frame:
    """The frame as the database keeps it: for each reader the same until somebody changes the site."""
    return Frame.from_json(from_json(stored))


_FRAME_NAMES = {each.name for each in fields(Frame)}


@lru_cache(maxsize=8)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


class Menu(Base):
    __tablename__ = "menus"

    id: Mapped[PrimaryKey]
    name: Mapped[str] = mapped_column(String(40), unique=True)  # "main", "footer"
    version: Mapped[int] = mapped_column(default=0)


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
