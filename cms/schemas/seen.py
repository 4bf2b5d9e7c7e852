"""Forms of what several people may change at once: what others have changed meanwhile stays, and whoever changed the same is told."""

from collections.abc import Mapping
from typing import Self

from pydantic import BaseModel, ConfigDict, field_validator

from cms.errors import ChangedMeanwhile
from cms.schemas.post import read_shown
from cms.wording import say

Shown = Mapping[str, str | int | None]


class SeenInput(BaseModel):
    """``seen``: the form as it was shown, in JSON."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    seen: dict[str, str | int | None] | None = None

    _read = field_validator("seen", mode="before")(read_shown)

    def beside(self, now: Shown) -> Self:
        """With what others changed since it was ``seen``; ``now``: how it stands. Raises ``ChangedMeanwhile`` for what both changed."""
        seen = now if self.seen is None else self.seen
        theirs = {name: value for name, value in now.items() if value != seen.get(name)}
        both = {name: value for name, value in theirs.items() if getattr(self, name) not in (seen.get(name), value)}
        if both:
            raise ChangedMeanwhile({name: _meanwhile(value) for name, value in both.items()}, {**seen, **both})
        return self.model_copy(update=theirs)


def _meanwhile(theirs: str | int | None) -> str:
    if not isinstance(theirs, str):
        return say("Somebody else has chosen another one meanwhile. Saving now replaces it.")
    lines = " / ".join(theirs.splitlines())
    return say("Somebody else has written “{theirs}” here meanwhile. Saving now replaces it.", theirs=lines)
