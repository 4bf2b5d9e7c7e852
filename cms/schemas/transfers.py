"""What somebody asks for at the desk: to bring a site in, to take it out, to keep copies of it."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from cms.schemas.text import Line


class ImportInput(BaseModel):
    """``permalink``: of posts, for a site that has none yet; "" to have it guessed."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    program: Literal["", "zola", "hugo", "jekyll"] = Field("", title="Made by")
    permalink: Line = Field("", title="Addresses of posts", max_length=100)
    rehearsal: bool = Field(False, title="Only say what would happen")


class BackupPlan(BaseModel):
    """``keep``: how many of those that are made by themselves."""

    model_config = ConfigDict(frozen=True, defer_build=True, extra="ignore")

    every: Literal["", "day", "week"] = Field("", title="A backup by itself")
    keep: int = Field(7, title="How many of these are kept", ge=1, le=100)
