"""What an editor sends about a post or page, and the map of a working copy."""

import json
import re
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from cms.schemas.text import Language, Line, Paragraphs

MAX_TEXT = 2_000_000  # characters of up to four bytes each: what the editor's form may carry (handlers/admin/editing.py)
MAX_TITLE = 300
MAX_SLUG = 200  # characters; imported ones may be longer than those we make
MAX_TAGS = 50
MAX_AUTHORS = 20
MAX_CUSTOM = 1000  # characters of one custom field

META = ("search_title", "search_description", "share_title", "share_description")  # what others show instead of title and excerpt

CUSTOM = "custom."  # before the key of a custom field, in the map of a working copy and in forms: each is written by itself
_CUSTOM_KEY = re.compile(r"custom\.([a-z][a-z0-9_]{0,39})")

RowId = Annotated[int, Field(ge=0, lt=2**63)]  # what a database has room for

CustomText = Annotated[Line, Field(max_length=MAX_CUSTOM)]


def _parts_of(value: Any) -> Any:
    """What a form sends of a field that takes several: one line with commas between; each once, in the order typed."""
    parts = value.split(",") if isinstance(value, str) else value or ()
    stripped = (part.strip() if isinstance(part, str) else part for part in parts)
    return tuple(dict.fromkeys(part for part in stripped if part not in (None, "")))


def _short(tags: tuple[str, ...]) -> tuple[str, ...]:
    if any(len(tag) > 80 for tag in tags):
        raise ValueError("A tag has at most 80 characters.")
    return tags


Parts = BeforeValidator(_parts_of)
Tags = Annotated[tuple[Line, ...], Field(max_length=MAX_TAGS), Parts, AfterValidator(_short)]


def is_custom_key(key: str) -> bool:
    return bool(_CUSTOM_KEY.fullmatch(f"{CUSTOM}{key}"))


def gather_custom(said: Any) -> Any:
    """The fields of a form, which sends each custom field by a name of its own."""
    if not isinstance(said, dict):
        return said
    custom = {found[1]: value for name, value in said.items() if (found := _CUSTOM_KEY.fullmatch(str(name)))}
    return {**said, "custom": custom} if custom else said


def read_shown(value: Any) -> Any:
    """A form as it was shown, in JSON."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except RecursionError:
        raise ValueError from None


class PostInput(BaseModel):
    """The editor's form. ``version`` is that of the working copy the person saw; 0 for a new post.

    ``seen``: the form as it was shown, in JSON; of a page that runs no scripts.
    """

    model_config = ConfigDict(frozen=True, defer_build=True, extra="ignore")

    title: Line = Field("", title="Title", max_length=MAX_TITLE)
    text: Paragraphs = Field("", title="Text", max_length=MAX_TEXT)
    slug: Line = Field("", title="Address", max_length=MAX_SLUG)
    excerpt: Line = Field("", title="Excerpt", max_length=500)
    authors: Annotated[tuple[RowId, ...], Field(max_length=MAX_AUTHORS), Parts] = Field((), title="Authors")
    language: Language = Field("", title="Language", max_length=12)
    date: Line = Field("", title="Date", max_length=30)
    picture: RowId | None = Field(None, title="Picture")
    search_title: Line = Field("", title="Title for search", max_length=300)
    search_description: Line = Field("", title="Description for search", max_length=500)
    share_title: Line = Field("", title="Title when shared", max_length=300)
    share_description: Line = Field("", title="Description when shared", max_length=500)
    tags: Tags = Field((), title="Tags")
    category: RowId | None = Field(None, title="Category")
    new_category: Line = Field("", title="New category", max_length=80)
    parent: RowId | None = Field(None, title="Below the page")
    series: Line = Field("", title="Series", max_length=80)
    part: int | None = Field(None, title="Part", ge=1, lt=100_000)
    featured: bool = Field(False, title="Keep at hand on the home page")
    custom: dict[str, CustomText] = Field({}, title="More")  # by key, as typed
    version: RowId = Field(0, title="Version")
    seen: Self | None = None

    @property
    def typed(self) -> frozenset[str]:
        """The names of the fields that somebody changed; all of them if it is not known what was seen."""
        names = type(self).model_fields.keys() - {"version", "seen"}
        return frozenset(name for name in names if self.seen is None or getattr(self, name) != getattr(self.seen, name))

    @property
    def typed_custom(self) -> dict[str, str]:
        """The custom fields that somebody changed."""
        seen = self.seen.custom if self.seen else None
        return {key: value for key, value in self.custom.items() if seen is None or value != seen.get(key, "")}

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, said: Any) -> Any:
        return gather_custom(said)

    _read = field_validator("seen", mode="before")(read_shown)


class PreviewInput(PostInput):
    """The editor's form as it is sent to be looked at. ``post``: whose text it is; None while it has not been saved."""

    post: RowId | None = None


class PartOfSeries(BaseModel):
    """``position``: parts stand in this order; those with the same one by date."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    id: RowId
    position: int = Field(ge=0, lt=100_000)


class PostFields(BaseModel):
    """The map of a working copy: everything but the text. Keys that this version does not know are kept."""

    model_config = ConfigDict(frozen=True, defer_build=True, extra="allow")

    title: str = ""
    slug: str = ""
    excerpt: str = ""
    authors: tuple[int, ...] = ()
    category: int | None = None
    tags: tuple[int, ...] = ()
    parent: int | None = None
    language: str | None = None
    picture: int | None = None
    series: PartOfSeries | None = None
    featured: bool = False
    date: str = ""  # "2026-11-28T09:30" by the site's clock; "": when it was first published
    search_title: str = ""
    search_description: str = ""
    share_title: str = ""
    share_description: str = ""

    @property
    def custom(self) -> dict[str, str]:
        """Custom fields that are set, by key, as they were typed; also those that nobody defines any more."""
        said = (self.model_extra or {}).items()
        return {key.removeprefix(CUSTOM): value for key, value in said if key.startswith(CUSTOM) and value and isinstance(value, str)}

    @property
    def sent_custom(self) -> dict[str, str]:
        """The same, as a form sends them."""
        return {f"{CUSTOM}{key}": value for key, value in self.custom.items()}

    @property
    def meta(self) -> dict[str, str] | None:
        return {name: said for name in META if (said := getattr(self, name))} or None

    def to_json(self) -> dict[str, Any]:
        return self.model_dump(mode="json")


class TypedFields(PostFields):
    """The same, as far as people may write it into a document."""

    title: Line = Field("", max_length=MAX_TITLE)
    slug: Line = Field("", max_length=MAX_SLUG)
    excerpt: Line = Field("", max_length=500)
    authors: tuple[RowId, ...] = Field((), max_length=MAX_AUTHORS)
    category: RowId | None = None
    tags: tuple[RowId, ...] = Field((), max_length=MAX_TAGS)
    parent: RowId | None = None
    language: Language | None = Field(None, max_length=12)
    picture: RowId | None = None
    date: Line = Field("", max_length=30)
    search_title: Line = Field("", max_length=300)
    search_description: Line = Field("", max_length=500)
    share_title: Line = Field("", max_length=300)
    share_description: Line = Field("", max_length=500)

    @field_validator("category", "language", "parent", "picture", mode="before")
    @classmethod
    def _nothing(cls, value: Any) -> Any:
        """A list to choose from says "" for none."""
        return None if value == "" else value
