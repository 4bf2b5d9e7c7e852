"""What is asked of a list at the desk."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from cms.schemas.text import Line

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
