"""People: signing in, the first owner, a new person."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, EmailStr, Field

from cms.schemas.text import Line, Name

MIN_PASSWORD = 10  # characters
MAX_PASSWORD = 1000


def _lower(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


Email = Annotated[EmailStr, BeforeValidator(_lower), Field(max_length=254)]
Password = Annotated[str, Field(min_length=MIN_PASSWORD, max_length=MAX_PASSWORD)]


class LoginInput(BaseModel):
    """Nothing here is judged but length: a wrong address and a wrong password get the same answer."""

    model_config = ConfigDict(frozen=True)

    email: Annotated[Line, BeforeValidator(_lower)] = Field("", title="E-mail", max_length=254)
    password: str = Field("", title="Password", max_length=MAX_PASSWORD)


class OwnerInput(BaseModel):
    """The first account, with what a site cannot do without: a name."""

    model_config = ConfigDict(frozen=True)

    site_name: Line = Field(title="Name of the site", min_length=1, max_length=100)
    name: Name = Field(title="Your name")
    email: Email = Field(title="E-mail")
    password: Password = Field(title="Password")


class NameInput(BaseModel):
    model_config = ConfigDict(frozen=True)

    name: Name = Field(title="Name")


class UserInput(NameInput):
    email: Email = Field(title="E-mail")
    role: Literal["administrator", "editor", "author", "contributor"] = Field(title="Role")
