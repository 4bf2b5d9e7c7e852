"""What administrators say of custom fields."""

from typing import Literal

from pydantic import BaseModel, Field, field_validator

from cms.schemas.seen import SeenInput
from cms.schemas.text import Line, Name, Paragraphs, clean_line
from cms.wording import say

MAX_CHOICES = 100
MAX_CHOICE = 80  # characters

Type = Literal["text", "number", "date", "choice", "link", "picture"]


class FieldInput(SeenInput):
    """``choices``: one on each line."""

    label: Name = Field(title="Label")
    help: Line = Field("", title="Help", max_length=300)
    choices: Paragraphs = Field("", title="Choices", max_length=MAX_CHOICES * (MAX_CHOICE + 1))
    is_required: bool = Field(False, title="Needed before a text goes out")

    @property
    def offered(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(line for each in self.choices.splitlines() if (line := clean_line(each))))

    @field_validator("choices")
    @classmethod
    def _short(cls, choices: str) -> str:
        lines = choices.splitlines()
        if len(lines) > MAX_CHOICES or any(len(line) > MAX_CHOICE for line in lines):
            raise ValueError(
                say("at most {choices} choices of at most {characters} characters each, please", choices=MAX_CHOICES, characters=MAX_CHOICE)
            )
        return choices


class NewFieldInput(FieldInput):
    kind: Literal["post", "page"] = Field("post", title="For")
    type: Type = Field("text", title="Type")


class PlaceInput(BaseModel):
    """Where something goes in its list."""

    by: Literal["up", "down"]
