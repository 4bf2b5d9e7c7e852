"""People: signing in, the first owner, a new person, and what somebody says about himself."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, validate_email

from cms.schemas.post import RowId
from cms.schemas.site import LinkInput
from cms.schemas.text import Line, Name, Paragraphs, Sought

MIN_PASSWORD = 10  # characters
MAX_PASSWORD = 1000
MAX_LINKS = 6  # of a profile
RoleName = Literal["administrator", "editor", "author", "contributor"]  # all that can be given


def _lower(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


def _address(value: str) -> str:
    """As ``EmailStr`` has it, but what it needs is imported with the first address, and not with the program."""
    return validate_email(value)[1]


Email = Annotated[str, BeforeValidator(_lower), AfterValidator(_address), Field(max_length=254)]
Password = Annotated[str, Field(min_length=MIN_PASSWORD, max_length=MAX_PASSWORD)]


class LoginInput(BaseModel):
    """Nothing here is judged but length: a wrong address and a wrong password get the same answer."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    email: Annotated[Line, BeforeValidator(_lower)] = Field("", title="E-mail", max_length=254)
    password: str = Field("", title="Password", max_length=MAX_PASSWORD)


class OwnerInput(BaseModel):
    """The first account. ``site_name``: if it is known already."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    site_name: Line = Field("", title="Name of the site", max_length=100)
    name: Name = Field(title="Your name")
    email: Email = Field(title="E-mail")
    password: Password = Field(title="Password")


class PasswordInput(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)

    password: Password = Field(title="New password")


class CodeInput(BaseModel):
    """A code of the app, or a recovery code."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    code: Line = Field(title="Code", min_length=1, max_length=60)


class AuthenticatorInput(CodeInput):
    """``secret``: the one that was proposed, sealed."""

    secret: str = Field("", title="Secret", max_length=1000)


class ConfirmationInput(BaseModel):
    """One of the two, or a passkey."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    password: str = Field("", title="Password", max_length=MAX_PASSWORD)
    code: Line = Field("", title="Code of your authenticator app", max_length=60)


class PasskeyInput(BaseModel):
    """``credential``: what the authenticator answered, as the browser writes it down."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    name: Name = Field(title="Name")
    credential: str = Field("", title="Answer of the authenticator", max_length=20_000)


class NameInput(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)

    name: Name = Field(title="Name")


class UserInput(NameInput):
    email: Email = Field(title="E-mail")
    role: RoleName = Field(title="Role")


class InvitationInput(BaseModel):
    """``by_mail``: sent to the person; else the link is shown, to be passed on."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    email: Email = Field(title="E-mail")
    name: Line = Field("", title="Name", max_length=80)
    role: RoleName = Field("author", title="Role")
    by_mail: bool = Field(False, title="Send the link by mail")


class WelcomeInput(NameInput):
    """How an invitation is accepted."""

    password: Password = Field(title="Password")


class EmailInput(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)

    email: Email = Field(title="E-mail")


class RoleInput(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)

    role: RoleName = Field(title="Role")


class HeirInput(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)

    heir: RowId = Field(title="Texts go to")


class ProfileInput(NameInput):
    """What readers see of a person, and the language that the desk speaks to him; "": the one that his browser asks for."""

    name: Name = Field(title="Name")
    bio: Paragraphs = Field("", title="About you", max_length=1000)
    links: tuple[LinkInput, ...] = Field((), title="Elsewhere", max_length=MAX_LINKS)
    remove_picture: bool = Field(False, title="Remove the picture")
    locale: str = Field("", title="Language of the desk", max_length=12)


class PeopleQuery(BaseModel):
    """Which people the list shows."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    q: Sought = ""
    role: Literal["", "owner", "administrator", "editor", "author", "contributor", "disabled"] = ""
    page: int = Field(1, ge=1, le=100_000)
