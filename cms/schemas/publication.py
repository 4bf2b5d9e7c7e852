"""What somebody decides on the page from which a text goes out, and ends."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from cms.schemas.post import RowId
from cms.schemas.text import Line


class PublicationInput(BaseModel):
    """``version``: of the working copy whose summary the person saw. ``what``: that, or the revision that is scheduled already.
    ``day`` and ``time`` by the site's clock, if it is to go out ``later``."""

    model_config = ConfigDict(frozen=True)

    version: RowId = Field(title="Version")
    what: Literal["editor", "scheduled"] = Field("editor", title="What")
    when: Literal["now", "later"] = Field("now", title="When")
    day: Line = Field("", title="Day", max_length=10)
    time: Line = Field("", title="Time", max_length=8)


class EndInput(BaseModel):
    """``when``: readers lose it at once, or at a time. ``redirect_to``: where its address leads then; "": it says that it is gone."""

    model_config = ConfigDict(frozen=True)

    end_when: Literal["now", "later"] = Field("later", title="When")
    end_day: Line = Field("", title="Day", max_length=10)
    end_time: Line = Field("", title="Time", max_length=8)
    redirect_to: Line = Field("", title="Lead readers to", max_length=500)


class UndoInput(BaseModel):
    model_config = ConfigDict(frozen=True)

    ticket: str = Field(max_length=4000)
