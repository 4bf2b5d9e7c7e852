"""A right to look at a text from outside, as it is asked for."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from cms.schemas.post import RowId
from cms.schemas.text import Line


class PreviewLinkInput(BaseModel):
    """``revision``: the one that is shown; None for the text as it is being written. ``name``: whom it is for."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    lifetime: Literal["1h", "24h", "7d", "30d"] = Field(title="Open for")
    name: Line = Field("", title="For whom", max_length=80)
    revision: RowId | None = Field(None, title="What it shows")
