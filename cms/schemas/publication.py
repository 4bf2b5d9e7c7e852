"""What somebody decides on the page from which a text goes out, and ends."""

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from cms.schemas.post import RowId
from cms.schemas.text import Line


class PublicationInput(BaseModel):
    """``version``: of the working copy whose summary the person saw. ``what``: that, or the ``revision`` that is scheduled already.
    ``day`` and ``time`` by the site's clock, if it is to go out ``later``."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    version: RowId = Field(title="Version")
    what: Literal["editor", "scheduled"] = Field("editor", title="What")
    revision: RowId | None = Field(None, title="The revision that is scheduled")
    when: Literal["now", "later"] = Field("now", title="When")
    day: Line = Field("", title="Day", max_length=10)
    time: Line = Field("", title="Time", max_length=8)
    without_review: bool = Field(False, title="Without a review")


class EndInput(BaseModel):
    """``when``: readers lose it at once, or at a time. ``redirect_to``: where its address leads then; "": it says that it is gone."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    end_when: Literal["now", "later"] = Field("later", title="When")
    end_day: Line = Field("", title="Day", max_length=10)
    end_time: Line = Field("", title="Time", max_length=8)
    redirect_to: Line = Field("", title="Lead readers to", max_length=500)


class CalendarQuery(BaseModel):
    """``month``: "2026-12"; None: the present one."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    month: str | None = Field(None, pattern=r"^[12]\d{3}-(0[1-9]|1[0-2])$")

    @property
    def first(self) -> date | None:
        return date.fromisoformat(f"{self.month}-01") if self.month else None


class MoveInput(BaseModel):
    """What waits, and the day that it is to go to."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    post: RowId
    act: Literal["publish", "withdraw"]
    day: date = Field(title="Day")


class UndoInput(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)

    ticket: RowId
