"""What a script says of a file that it is going to send."""

from pydantic import BaseModel, ConfigDict, Field

from cms.schemas.post import RowId
from cms.schemas.text import Line


class UploadInput(BaseModel):
    """``size`` in bytes; None while nobody knows, as of a form. ``replaces``: the asset whose file it is to be."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    name: Line = Field(title="Name", min_length=1)
    size: RowId | None = Field(None, title="Size")
    folder: RowId | None = Field(None, title="Folder")
    replaces: RowId | None = Field(None, title="What it replaces")
