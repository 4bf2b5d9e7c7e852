"""What an administrator says about the site as a whole, and its menus."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from cms.schemas.post import Parts, RowId
from cms.schemas.text import Language, Line, Paragraphs
from cms.wording import say

MAX_LINKS = 8
MAX_ITEMS = 40  # of a menu
DEEPEST = 2  # how many items may stand above one
MOST_A_PAGE = 100  # posts

_MAIL = re.compile(r"[^\s@<>\"]+@[^\s@<>\"]+\.[^\s@<>\"]+")
_UNWRITTEN = re.compile(r"[\s\x00-\x20\\\"<>]")


def _elsewhere(value: str) -> str:
    try:
        parts = urlsplit(value)
        is_whole = parts.scheme == "https" and bool(parts.hostname) and not parts.username and parts.port != 0
    except ValueError:
        is_whole = False
    if not is_whole or _UNWRITTEN.search(value):
        raise ValueError("Write a whole address, beginning with https://.")
    return value


def _place(value: str) -> str:
    return value if value.startswith("/") and not value.startswith("//") else _elsewhere(value)


def _place_by_name(value: str) -> str:
    if not value.startswith("/") and "://" not in value:
        raise ValueError("Choose what is offered below the field, or write an address like /about or https://example.org.")
    return _place(value)


def _contact(value: str) -> str:
    return value if not value or _MAIL.fullmatch(value) else _elsewhere(value)


def _zone(value: str) -> str:
    if value not in time_zones():
        raise ValueError("Choose a time zone of the list.")
    return value


TimeZone = Annotated[Line, AfterValidator(_zone)]
Place = Annotated[Line, AfterValidator(_place)]  # of this site, or a whole address elsewhere


NamedPlace = Annotated[Line, AfterValidator(_place_by_name)]  # where words of a title may have been typed


OWN_PATTERN = "own"
FileGroup = Literal["pictures", "drawings", "sound", "films", "documents", "archives", "others"]
USUAL_GROUPS: tuple[FileGroup, ...] = ("pictures", "drawings", "sound", "films", "documents", "archives")


class PermalinkInput(BaseModel):
    """The pattern of posts' addresses: one of those that are offered, or one's ``own``."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    choice: Line = Field(OWN_PATTERN, title="Addresses of posts", max_length=100)
    own: Line = Field("", title="Your own pattern", max_length=100)

    @property
    def pattern(self) -> str:
        return self.own if self.choice == OWN_PATTERN else self.choice


class LinkInput(BaseModel):
    """To the publication elsewhere."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    label: Line = Field(title="Name", min_length=1, max_length=80)
    path: Annotated[Line, AfterValidator(_elsewhere)] = Field(title="Address", min_length=1, max_length=500)


class SitePart(BaseModel):
    """One of the forms of the settings. ``version`` is the one that the person saw."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    version: RowId = Field(0, title="Version")


class GeneralInput(SitePart):
    name: Line = Field(title="Name", min_length=1, max_length=100)
    description: Line = Field("", title="Description", max_length=300)
    language: Language = Field(title="Language", min_length=1, max_length=12)
    time_zone: TimeZone = Field(title="Time zone", max_length=60)
    footer: Paragraphs = Field("", title="Footer", max_length=2000)
    links: tuple[LinkInput, ...] = Field((), title="Elsewhere", max_length=MAX_LINKS)


class LookInput(SitePart):
    """Those of ``THEME`` are kept in one map, as far as they are not the usual."""

    accent_hue: int = Field(255, title="Accent")
    fonts: Literal["serif", "sans", "mixed"] = Field("serif", title="Typeface")
    width: Literal["normal", "narrow", "wide"] = Field("normal", title="Width of the text")
    corners: Literal["soft", "square", "round"] = Field("soft", title="Corners")
    colours: Literal["auto", "light", "dark"] = Field("auto", title="Light or dark")
    remove_logo: bool = Field(False, title="Remove the logo")
    remove_icon: bool = Field(False, title="Remove the icon")

    @field_validator("accent_hue", mode="before")
    @classmethod
    def _is_hue(cls, value: Any) -> int:
        return _between(value, 0, 359)


class LimitsInput(SitePart):
    """What there may be of something, kept in one map as far as it is not the usual."""

    mail_per_hour: int = Field(1000, title="Letters in an hour")
    trash_days: int = Field(30, title="Days in the trash")
    daily_revisions: int = Field(90, title="Days with a revision each")
    preview_links: int = Field(50, title="Open preview links of one text")

    @field_validator("*", mode="before")
    @classmethod
    def _is_bounded(cls, value: Any, info: ValidationInfo) -> Any:
        return _between(value, *LIMITS[info.field_name]) if info.field_name in LIMITS else value


class MediaInput(SitePart):
    """What may be brought into the library, and what is kept of it; in one map as far as it is not the usual."""

    kinds: Annotated[tuple[FileGroup, ...], Parts] = Field(USUAL_GROUPS, title="What may be uploaded")
    largest: int = Field(2000, title="Largest file, in megabytes")
    strips_all: bool = Field(False, title="Remove all that cameras write into pictures, but for the copyright")
    is_private: bool = Field(False, title="Files are private until a published text shows them")

    @field_validator("largest", mode="before")
    @classmethod
    def _is_large(cls, value: Any) -> int:
        return _between(value, 1, 100_000)

    @property
    def largest_bytes(self) -> int:
        return self.largest * 1_000_000


LIMITS = {"mail_per_hour": (1, 1_000_000), "trash_days": (1, 3650), "daily_revisions": (7, 3650), "preview_links": (0, 500)}
THEME = ("fonts", "width", "corners", "colours")
MAPS: Mapping[str, tuple[type[SitePart], tuple[str, ...]]] = {
    "theme": (LookInput, THEME),
    "limits": (LimitsInput, tuple(LIMITS)),
    "media": (MediaInput, ("kinds", "largest", "strips_all", "is_private")),
}  # columns of the site's row that have several settings


class ReadingInput(SitePart):
    home: Literal["lead", "compact", "page"] = Field("lead", title="At the front")
    home_page_id: RowId | None = Field(None, title="Page at the front")
    posts_per_page: int = Field(10, title="Posts on a page")

    @field_validator("posts_per_page", mode="before")
    @classmethod
    def _is_page(cls, value: Any) -> int:
        return _between(value, 1, MOST_A_PAGE)

    @field_validator("home_page_id")
    @classmethod
    def _is_page_or_none(cls, value: int | None) -> int | None:
        return value or None


class PublishingInput(SitePart):
    compulsory_checks: Annotated[tuple[Literal["alt", "links", "headings", "empty", "excerpt"], ...], Parts] = Field(
        (), title="Before a text is published"
    )
    former_name: Line = Field("", title="Name above texts of people who were erased", max_length=80)


class CrawlersInput(SitePart):
    search_crawlers: bool = Field(False, title="Search engines may read the site")
    training_crawlers: bool = Field(False, title="Crawlers that collect texts to train models may read the site")


class SecurityInput(SitePart):
    second_factor_from: Literal["", "administrator", "editor", "author", "contributor"] = Field("", title="Second factor")
    security_contact: Annotated[Line, AfterValidator(_contact)] = Field("", title="Whom to tell of a weakness", max_length=300)


class SiteInput(GeneralInput, LookInput, ReadingInput, PublishingInput, CrawlersInput, SecurityInput, LimitsInput, MediaInput):
    """All of them."""


class WelcomeInput(BaseModel):
    """The questions of the first run."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    name: Line = Field(title="Name of the site", min_length=1, max_length=100)
    time_zone: TimeZone = Field(title="Time zone", max_length=60)
    begin: Literal["fresh", "import"] = Field("fresh", title="How do you begin?")


class MenuItemInput(BaseModel):
    """``target``: a path of this site, or an address elsewhere. ``level``: how many items stand above it; it is below the last one before
    it that is less deep."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    label: Line = Field(title="Words", min_length=1, max_length=80)
    target: NamedPlace = Field(title="Leads to", min_length=1, max_length=500)
    level: int = Field(0, title="Level", ge=0, le=DEEPEST)


class MenuInput(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)

    items: tuple[MenuItemInput, ...] = Field((), title="Items", max_length=MAX_ITEMS)
    version: RowId = Field(0, title="Version")


@cache
def time_zones() -> frozenset[str]:
    """Places and UTC; without the many old names of the same."""
    return frozenset(zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "SystemV/", "US/"))) | {"UTC"}


def _between(value: Any, least: int, most: int) -> int:
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = least - 1
    if not least <= number <= most:
        raise ValueError(say("Choose a number from {least} to {most}.", least=least, most=most))
    return number
