"""What is asked of the record of acts."""

import datetime
import re

from pydantic import BaseModel, ConfigDict, Field

from cms.schemas.text import Line


class AuditQuery(BaseModel):
    """Whose acts, of which kind, on what, and when; ``before``: only lines older than this one."""

    model_config = ConfigDict(frozen=True)

    person: int | None = Field(None, title="Who", ge=1, le=10**17)
    kind: Line = Field("", title="What", max_length=60)  # the first word of the action
    subject: Line = Field("", title="On what", pattern=r"^\s*([a-z_]+)?\s*([1-9][0-9]{0,16})?\s*$", max_length=60)
    since: datetime.date | None = Field(None, title="From")
    until: datetime.date | None = Field(None, title="To")  # that day included
    before: int | None = Field(None, ge=1, le=10**17)

    @property
    def subject_kind(self) -> str:
        return _first("[a-z_]+", self.subject)

    @property
    def subject_id(self) -> int:
        return int(_first("[0-9]+", self.subject) or 0)


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    return found[0] if found else ""
