"""What is said about a passage of a text, and what is proposed for it."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from cms.schemas.text import Paragraphs

MAX_QUOTE = 20_000
MAX_REMARK = 5_000
MAX_ANCHOR = 500


class Sign(BaseModel):
    """One sign of a Yjs text: which client wrote it, and as its how-manieth."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    client: int = Field(ge=0, lt=2**53)
    clock: int = Field(ge=0, lt=2**53)


class Position(BaseModel):
    """A relative position of Yjs (https://docs.yjs.dev/api/relative-positions); what else is in it is not kept."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    item: Sign
    assoc: int = Field(0, ge=-1, le=0)


class Anchor(BaseModel):
    """A passage: it begins with one sign and ends with another."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    start: Position
    end: Position


def _read(value: Any) -> Any:
    """The map of a passage, of JSON."""
    if not isinstance(value, str):
        return value
    try:
        if len(value) > MAX_ANCHOR:
            raise ValueError
        return Anchor.model_validate_json(value).model_dump()
    except ValueError:  # of pydantic, too
        raise ValueError("This place cannot be read.") from None


def _something(value: str) -> str:
    if not value.strip():
        raise ValueError("Write what you have to say.")
    return value.strip()


class ThreadInput(BaseModel):
    """``anchor``: a passage, that the editor sends as JSON; empty for a quote that was typed by hand. ``replacement``: what a suggestion
    would put in its place; nothing takes the passage away."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    kind: Literal["comment", "suggestion"] = Field("comment", title="What it is")
    anchor: Annotated[dict[str, Any], BeforeValidator(_read)] = Field({}, title="Place")
    quote: Paragraphs = Field("", title="Passage", max_length=MAX_QUOTE)
    replacement: Paragraphs = Field("", title="Instead", max_length=MAX_QUOTE)
    text: Paragraphs = Field("", title="Comment", max_length=MAX_REMARK)


class RemarkInput(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)

    text: Annotated[Paragraphs, AfterValidator(_something)] = Field(title="Answer", max_length=MAX_REMARK)
