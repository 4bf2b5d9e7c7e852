"""What is asked of a list at the desk, and what is done to what is chosen in it."""

from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from cms.schemas.audit import Day
from cms.schemas.post import MAX_AUTHORS, Parts, RowId, Tags
from cms.schemas.text import Language, Line, Name, Paragraphs
from cms.wording import say

MAX_STEPS = 5  # of a review

Status = Literal["all", "draft", "in_review", "approved", "scheduled", "published", "changed", "withdrawn", "trashed"]
Sort = Literal["changed", "title", "authors", "published"]
Column = Literal["title", "status", "authors", "category", "tags", "published", "changed"]

FILTERS = ("author", "category", "tag", "series", "language", "visibility", "since", "until", "mine")
PLACES = ("page", "after")


class ListQuery(BaseModel):
    """Which of the posts or pages, and in which order: the address of a list, and of a view that somebody saved.

    ``after``: of a screen beyond those that have numbers, the last row of the one before it.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    status: Status = "all"
    q: Line = Field("", title="Search in title and text", max_length=200)
    author: RowId | None = Field(None, title="Author")
    category: RowId | None = Field(None, title="Category")
    tag: Line = Field("", title="Tag", max_length=80)
    series: RowId | None = Field(None, title="Series")
    language: Language = Field("", title="Language", max_length=12)
    visibility: Literal["", "public", "unlisted", "password"] = Field("", title="Visible to")
    since: Day | None = Field(None, title="Published from")
    until: Day | None = Field(None, title="Published to")  # that day included
    mine: bool = Field(False, title="Only what I wrote")
    sort: Sort = "changed"
    reverse: bool = False
    columns: Annotated[tuple[Column, ...], Field(max_length=20), Parts] = ()  # (): those that the person had before
    page: int = Field(1, ge=1, le=100_000)
    after: str = Field("", max_length=500)

    @property
    def filters(self) -> dict[str, Any]:
        """Those that are set, by their names."""
        return {name: value for name in FILTERS if (value := getattr(self, name))}

    @property
    def is_narrowed(self) -> bool:
        """Beyond its state."""
        return bool(self.q or self.filters)

    def address(self, **changes: Any) -> str:
        """Its query with these changes, shortest first screen; what is as usual is not in it."""
        usual = type(self).model_validate({})
        chosen = {name: getattr(self, name) for name in type(self).model_fields if name not in (*PLACES, "columns")} | changes
        said = {name: "on" if value is True else value for name, value in chosen.items() if value and value != getattr(usual, name)}
        return urlencode(said)


class ViewInput(BaseModel):
    """A name for a list as it is. ``query``: of its address."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    name: Name = Field(title="Name")
    query: str = Field("", max_length=1000)


BulkAct = Literal["publish", "withdraw", "draft", "add_tags", "remove_tags", "category", "authors", "trash", "restore", "delete"]
MOST_AT_ONCE = 100


class ChosenInput(BaseModel):
    """What was chosen in a list; the menu of a row says "trash-42" as its ``act``, whatever else is chosen."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    id: Annotated[tuple[RowId, ...], Parts] = Field((), title="What to do it to")
    tags: Tags = Field((), title="Tags")
    is_confirmed: bool = False
    page: int = Field(1, ge=1, le=100_000)  # of the list

    @model_validator(mode="before")
    @classmethod
    def _of_a_row(cls, sent: Any) -> Any:
        act, is_of_row, number = str(sent.get("act", "")).partition("-")
        return {**sent, "act": act, "id": number} if is_of_row else sent

    @field_validator("id")
    @classmethod
    def _few(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if len(value) > MOST_AT_ONCE:
            raise ValueError(say("Choose at most {most} at once; you can do it again with the next ones.", most=MOST_AT_ONCE))
        return value


class BulkInput(ChosenInput):
    act: BulkAct = Field(title="What to do")
    to_category: RowId | None = Field(None, title="To the category")
    to_authors: Annotated[tuple[RowId, ...], Field(max_length=MAX_AUTHORS), Parts] = Field((), title="New authors")


VersionKey = Annotated[str, StringConstraints(pattern=r"^(now|newest|live|[1-9][0-9]{0,17})$")]  # services/revisions.py


class TrashQuery(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)

    kind: Literal["category", "tag", "series", "snippet", "template", "field", "redirect", "folder"] | None = None
    page: int = Field(1, ge=1, le=1_000_000)


class RevisionsQuery(BaseModel):
    page: int = Field(1, ge=1, le=100_000)


class ComparisonQuery(BaseModel):
    """Which two, and how. ``show``: of the rendered text, what one frame shows."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    old: VersionKey = "newest"
    new: VersionKey = "now"
    how: Literal["side", "line"] = "side"
    what: Literal["source", "read"] = "source"
    show: Literal["old", "new", "both"] = "both"


class PlaybackQuery(BaseModel):
    at: int | None = Field(None, ge=1, lt=2**63)


class RevisionInput(BaseModel):
    """What somebody says of a revision."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    name: Line = Field("", title="Name", max_length=100)
    is_pinned: bool = Field(False, title="Keep it for good")


class ReviewInput(BaseModel):
    """An act of a review. ``version`` of the working copy, and ``last``, the number of the newest act, are those that the page showed."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    words: Paragraphs = Field("", title="Words", max_length=2000)
    version: RowId = Field(0, title="Version")
    last: RowId = Field(0, title="Last act")


class ReviewStepInput(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)

    name: Line = Field(title="Step", min_length=1, max_length=40)
    role: Literal["editor", "administrator", "owner"] = Field("editor", title="Done by")


class ReviewRulesInput(BaseModel):
    """Who needs a review, and by whom it is done. ``version``: of the site's settings, that the page showed."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    roles: Annotated[tuple[Literal["contributor", "author", "editor", "administrator"], ...], Parts] = Field((), title="Texts of")
    categories: Annotated[tuple[RowId, ...], Parts] = Field((), title="Texts in these categories")
    steps: tuple[ReviewStepInput, ...] = Field((), title="Steps", max_length=MAX_STEPS)
    is_waivable: bool = Field(False, title="Administrators may publish without a review")
    version: RowId = Field(0, title="Version")
