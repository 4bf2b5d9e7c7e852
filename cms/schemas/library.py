"""What is asked of the library, and what is done to what is chosen in it."""

from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from cms.schemas.audit import Day
from cms.schemas.desk import ChosenInput
from cms.schemas.post import Parts, RowId, Tags
from cms.schemas.text import Language, Line, Name, Paragraphs
from cms.wording import say

MAX_ALT = 1000  # characters
LEAST_LEFT = 5  # percent of a side that a crop leaves
WHOLE = 10_000  # a side, in the parts that crops are kept in
MediaSort = Literal["newest", "name", "size"]
FILTERS = ("kind", "tag", "by", "since", "until", "unused", "without_alt", "large")


class LibraryQuery(BaseModel):
    """Which of the library, and in which order: the address of its page. ``pick``: it is shown to choose one of it for a text."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    folder: RowId | None = Field(None, title="Folder")
    trash: bool = Field(False, title="Trash")
    q: Line = Field("", title="Search in names and texts", max_length=200)
    kind: Literal["", "picture", "audio", "video", "captions", "file"] = Field("", title="Kind")
    tag: Line = Field("", title="Tag", max_length=80)
    by: RowId | None = Field(None, title="Uploaded by")
    since: Day | None = Field(None, title="Uploaded from")
    until: Day | None = Field(None, title="Uploaded until")  # that day included
    unused: bool = Field(False, title="In no text")
    without_alt: bool = Field(False, title="Without alternative text")
    large: bool = Field(False, title="Over 1 MB")
    sort: MediaSort = "newest"
    reverse: bool = False
    view: Literal["grid", "list"] = "grid"
    pick: Literal["", "picture", "captions", "any"] = ""
    page: int = Field(1, ge=1, le=100_000)

    @model_validator(mode="before")
    @classmethod
    def _of_picker(cls, sent: Any) -> Any:
        wanted = sent.get("pick")
        return {**sent, "kind": wanted} if wanted in ("picture", "captions") else sent

    @property
    def filters(self) -> dict[str, Any]:
        """Those that are set, by their names; what a picker is for is none."""
        is_fixed = self.pick in ("picture", "captions")
        return {name: value for name in FILTERS if (value := getattr(self, name)) and not (is_fixed and name == "kind")}

    @property
    def is_narrowed(self) -> bool:
        """Beyond its folder."""
        return bool(self.q or self.filters)

    def address(self, **changes: Any) -> str:
        """Its query with these changes, on the first screen unless they say otherwise; what is as usual is not in it."""
        usual = type(self).model_validate({})
        chosen = {name: getattr(self, name) for name in type(self).model_fields if name != "page"} | changes
        said = {name: "on" if value is True else value for name, value in chosen.items() if value and value != getattr(usual, name)}
        return urlencode(said)


LibraryAct = Literal["move", "add_tags", "remove_tags", "trash", "restore", "delete"]


class LibraryBulk(ChosenInput):
    """``knowing``: posts of which somebody was told that they show it, before it goes to the trash all the same."""

    act: LibraryAct = Field(title="What to do")
    to_folder: RowId = Field(0, title="To the folder")  # 0: beside the folders, in none
    knowing: Annotated[tuple[RowId, ...], Parts] = ()


class FolderInput(BaseModel):
    """``parent``: the folder in which it lies; 0 for none."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    name: Name = Field(title="Name")
    parent: RowId = Field(0, title="Inside")


Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]


class AssetInput(BaseModel):
    """All that can be changed of one. ``version``: of what was seen. The crop in percent of the upright, rotated picture."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    name: Line = Field(title="Name", min_length=1, max_length=150)
    alt: Paragraphs = Field("", title="Alternative text", max_length=MAX_ALT)
    is_decorative: bool = Field(False, title="Decorative")
    caption: Paragraphs = Field("", title="Caption", max_length=1000)
    credit: Line = Field("", title="Credit", max_length=200)
    licence: Line = Field("", title="Licence", max_length=200)
    description: Paragraphs = Field("", title="Description", max_length=5000)
    tags: Tags = Field((), title="Tags")
    folder: RowId = Field(0, title="Folder")
    poster: RowId = Field(0, title="Picture before it plays")
    focus_x: int = Field(50, title="From the left, in percent", ge=0, le=100)
    focus_y: int = Field(50, title="From the top, in percent", ge=0, le=100)
    rotation: Literal[0, 90, 180, 270] = Field(0, title="Turned")
    crop_left: Percent = Field(0, title="Cut off at the left, in percent")
    crop_top: Percent = Field(0, title="Cut off at the top, in percent")
    crop_width: Percent = Field(100, title="Width that stays, in percent")
    crop_height: Percent = Field(100, title="Height that stays, in percent")
    version: RowId = Field(0, title="Version")

    @field_validator("rotation", mode="before")
    @classmethod
    def _number(cls, value: Any) -> Any:
        return int(value) if isinstance(value, str) and value.isdecimal() else value

    @field_validator("crop_width", "crop_height")
    @classmethod
    def _something(cls, value: float) -> float:
        if value < LEAST_LEFT:
            raise ValueError(say("At least {number} percent have to stay.", number=LEAST_LEFT))
        return value

    @property
    def words(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("name", "alt", "is_decorative", "caption", "credit", "licence", "description")}

    @property
    def edits(self) -> dict[str, Any]:
        """As the asset keeps them: what changes nothing is not in it."""
        left, top = round(100 * self.crop_left), round(100 * self.crop_top)
        width, height = min(round(100 * self.crop_width), WHOLE - left), min(round(100 * self.crop_height), WHOLE - top)
        crop = [left, top, width, height]
        is_whole = crop == [0, 0, WHOLE, WHOLE]
        return {**({"rotation": self.rotation} if self.rotation else {}), **({} if is_whole else {"crop": crop})}


class DescriptionInput(BaseModel):
    """What is asked of a picture right after it was brought."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    alt: Paragraphs = Field("", title="Alternative text", max_length=MAX_ALT)
    is_decorative: bool = Field(False, title="Decorative")


class TrackInput(BaseModel):
    """Words for a film or sound, in one language; ``track``: a WebVTT file of the library."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    language: Language = Field(title="Language", min_length=1, max_length=12)
    label: Name = Field(title="Label")
    track: RowId = Field(title="File", ge=1)
