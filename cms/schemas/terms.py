"""What is typed about categories, tags, series and the order of things."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from cms.errors import InvalidInput
from cms.schemas.post import Parts, RowId
from cms.schemas.seen import SeenInput
from cms.schemas.text import Line, Paragraphs, Sought

MAX_NAME = 80
MAX_DESCRIPTION = 2000
MOST_AT_ONCE = 100


class TermInput(SeenInput):
    """``slug``: the last part of its address; empty: made from the name. ``parent``: of a category, the one above."""

    name: Line = Field(title="Name", min_length=1, max_length=MAX_NAME)
    slug: Line = Field("", title="Address", max_length=MAX_NAME)
    description: Paragraphs = Field("", title="Description", max_length=MAX_DESCRIPTION)
    parent: RowId | None = Field(None, title="Below")


class TagsQuery(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)

    q: Sought = ""
    unused: bool = False
    page: int = Field(1, ge=1, le=1_000_000)


class MergeInput(BaseModel):
    """Several tags that become one of them."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    ids: Annotated[tuple[RowId, ...], Field(max_length=MOST_AT_ONCE), Parts] = Field((), title="Tags")
    target: RowId | None = Field(None, title="The one that stays")


class HeirInput(BaseModel):
    """Whose the texts are from now on, and the button that was pressed: one that is chosen and then deleted would be a mistake."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    heir: RowId | None = Field(None, title="Its posts go to")
    act: Literal["merge", "delete"] = "delete"

    def agreed(self) -> int | None:
        """The heir. Raises ``InvalidInput`` if one is chosen and not meant, or meant and not chosen."""
        if self.act == "merge" and not self.heir:
            raise InvalidInput({"heir": "Choose where its posts go, or delete it."})
        if self.act == "delete" and self.heir:
            raise InvalidInput({"heir": "This one would not get the posts: merge, or choose none and delete."})
        return self.heir


class OrderInput(BaseModel):
    """The parts of a series, posts by number, in their order. ``move``: "up-2", which one is to change places with its neighbour."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    order: Annotated[tuple[RowId, ...], Field(max_length=1000), Parts] = ()
    move: Line = Field("", max_length=20)


class PlaceInput(BaseModel):
    """Where a page is to stand in the tree: ``parent`` 0 is the top, ``after`` 0 the first place, and without it the last. ``move``:
    "up-12", one step of a page by its number."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    page: RowId = Field(0, title="Page")
    parent: RowId = Field(0, title="Below")
    after: RowId | None = None
    move: Literal[""] | Annotated[str, Field(pattern=r"^(up|down|in|out)-[1-9][0-9]{0,17}$")] = ""
