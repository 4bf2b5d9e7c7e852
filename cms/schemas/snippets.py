"""Pieces of text that are kept to be used again: snippets, and templates of new texts."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cms.schemas.post import CustomText, RowId, Tags, gather_custom
from cms.schemas.text import Language, Name, Paragraphs, Sought

MAX_SNIPPET = 20_000  # characters
MAX_TEMPLATE = 200_000


class SnippetsQuery(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)

    q: Sought = Field("", title="Search")


class SnippetInput(BaseModel):
    """``version``: of the snippet that was seen; 0 for a new one."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    name: Name = Field(title="Name")
    text: Paragraphs = Field(title="Text", min_length=1, max_length=MAX_SNIPPET)
    version: RowId = Field(0, title="Version")


class TemplateInput(BaseModel):
    """What a new text begins with."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    name: Name = Field(title="Name")
    text: Paragraphs = Field("", title="Text", max_length=MAX_TEMPLATE)
    language: Language = Field("", title="Language", max_length=12)
    category: RowId | None = Field(None, title="Category")
    tags: Tags = Field((), title="Tags")
    custom: dict[str, CustomText] = Field({}, title="More")
    version: RowId = Field(0, title="Version")

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, said: Any) -> Any:
        return gather_custom(said)
