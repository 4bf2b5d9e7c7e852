"""Whom a text or the site is for, and the password that is asked for."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from cms.schemas.post import RowId
from cms.schemas.text import clean_text

LONGEST = 200  # characters of a password
Password = Annotated[str, BeforeValidator(clean_text)]


class VisibilityInput(BaseModel):
    """``password``: a new one; "" leaves the one that is there."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    visibility: Literal["public", "unlisted", "password"] = Field(title="Who may read it")
    password: Password = Field("", title="Password for readers", min_length=6, max_length=LONGEST)


class AccessInput(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)

    access: Literal["open", "coming_soon", "private"] = Field(title="Who may read the site")
    password: Password = Field("", title="Password for readers", min_length=6, max_length=LONGEST)


class UnlockInput(BaseModel):
    """``post``: which text; None for the site."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    post: RowId | None = None
    password: Password = Field(title="Password", min_length=1, max_length=LONGEST)
