"""What is asked of the record of acts."""

import datetime
import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator

from cms.schemas.text import Line
from cms.wording import say

SUBJECTS = (  # what acts are about
    "post", "page", "user", "asset", "folder", "category", "tag", "series", "menu", "redirect", "site", "field", "snippet", "template",
    "transfer", "job",
)  # fmt: skip

_SUBJECT = re.compile(r"([a-z]*) ?([1-9][0-9]{0,16})?")


def _day(value: Any) -> Any:
    """As browsers send it: nothing else that could be read as a date, such as seconds since 1970."""
    if not isinstance(value, str):
        return value
    try:
        return datetime.datetime.strptime(value, "%Y-%m-%d").date()  # noqa: DTZ007 - a day, not a moment
    except ValueError:
        raise ValueError("Write a day of the calendar, like 2026-11-29.") from None


Day = Annotated[datetime.date, BeforeValidator(_day)]


class AuditQuery(BaseModel):
    """Whose acts, of which kind, on what, and when; ``before``: only lines older than this one."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    person: int | None = Field(None, title="Who", ge=1, le=10**17)
    kind: Line = Field("", title="What", max_length=60)  # the first word of the action
    subject: Line = Field("", title="On what", max_length=60)
    since: Day | None = Field(None, title="From")
    until: Day | None = Field(None, title="Until")  # that day included
    before: int | None = Field(None, ge=1, le=10**17)

    @field_validator("subject")
    @classmethod
    def _is_known(cls, value: str) -> str:
        found = _SUBJECT.fullmatch(value.lower())
        if found is None or found[1] not in ("", *SUBJECTS):
            raise ValueError(say("Write one of {words}, a number, or both, like post 42.", words=", ".join(SUBJECTS)))
        return value.lower()

    @field_validator("until")
    @classmethod
    def _is_not_before(cls, value: datetime.date | None, info: ValidationInfo) -> datetime.date | None:
        since = info.data.get("since")
        if value and since and value < since:
            raise ValueError("Choose the same day as in From, or a later one.")
        return value

    @property
    def subject_kind(self) -> str:
        return self.subject.rstrip("0123456789 ")

    @property
    def subject_id(self) -> int:
        return int(self.subject.removeprefix(self.subject_kind) or 0)
