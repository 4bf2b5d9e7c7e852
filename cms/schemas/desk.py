"""What is asked of a list at the desk."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from cms.schemas.text import Line

Status = Literal["all", "draft", "published", "changed", "withdrawn", "trashed"]


class ListQuery(BaseModel):
    """Which of the posts: a state, words of the title, a page of fifty."""

    model_config = ConfigDict(frozen=True)

    status: Status = "all"
    q: Line = Field("", title="Search in titles", max_length=200)
    page: int = Field(1, ge=1, le=100_000)
