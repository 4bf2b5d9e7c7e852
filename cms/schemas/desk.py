"""What is asked of a list at the desk."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from cms.schemas.post import RowId, parts_of
from cms.schemas.text import Line, Paragraphs

MAX_STEPS = 5  # of a review

Status = Literal["all", "draft", "published", "changed", "withdrawn", "trashed"]


class ListQuery(BaseModel):
    """Which of the posts: a state, words of the title, a page of fifty."""

    model_config = ConfigDict(frozen=True)

    status: Status = "all"
    q: Line = Field("", title="Search in titles", max_length=200)
    page: int = Field(1, ge=1, le=100_000)


VersionKey = Annotated[str, StringConstraints(pattern=r"^(now|newest|live|[1-9][0-9]{0,17})$")]  # services/revisions.py


class RevisionsQuery(BaseModel):
    page: int = Field(1, ge=1, le=100_000)


class ComparisonQuery(BaseModel):
    """Which two, and how. ``show``: of the rendered text, what one frame shows."""

    model_config = ConfigDict(frozen=True)

    old: VersionKey = "newest"
    new: VersionKey = "now"
    how: Literal["side", "line"] = "side"
    what: Literal["source", "read"] = "source"
    show: Literal["old", "new", "both"] = "both"


class PlaybackQuery(BaseModel):
    at: int | None = Field(None, ge=1, lt=2**63)


class RevisionInput(BaseModel):
    """What somebody says of a revision."""

    model_config = ConfigDict(frozen=True)

    name: Line = Field("", title="Name", max_length=100)
    is_pinned: bool = Field(False, title="Keep it for good")


class ReviewInput(BaseModel):
    """An act of a review. ``version`` of the working copy, and ``step``, are those that the page showed."""

    model_config = ConfigDict(frozen=True)

    words: Paragraphs = Field("", title="Words", max_length=2000)
    version: RowId = Field(0, title="Version")
    step: int = Field(0, title="Step", ge=0, le=100)


class ReviewStepInput(BaseModel):
    model_config = ConfigDict(frozen=True)

    name: Line = Field(title="Step", min_length=1, max_length=40)
    role: Literal["editor", "administrator", "owner"] = Field("editor", title="Done by")


class ReviewRulesInput(BaseModel):
    """Who needs a review, and by whom it is done. ``version``: of the site's settings, that the page showed."""

    model_config = ConfigDict(frozen=True)

    roles: tuple[Literal["contributor", "author", "editor", "administrator"], ...] = Field((), title="Texts of")
    categories: tuple[RowId, ...] = Field((), title="Texts in these categories")
    steps: tuple[ReviewStepInput, ...] = Field((), title="Steps", max_length=MAX_STEPS)
    is_waivable: bool = Field(False, title="Administrators may publish without a review")
    version: RowId = Field(0, title="Version")

    @field_validator("roles", "categories", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return parts_of(value)
