"""Where a text will stand, and what it may refer to."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Picture:
    """What an address of a picture stands for. ``path`` is where it is now; sizes in pixels, 0 if nobody knows."""

    path: str
    width: int = 0
    height: int = 0


@dataclass(frozen=True, slots=True)
class RenderContext:
    """``prefix`` keeps notes of several texts on one page apart; links that leave ``site_host`` are external.

    ``links``: folded title → path, for ``[[Title]]``. ``media``: address as it stands in the text → picture.
    """

    prefix: str = ""
    language: str = "en"
    site_host: str = ""
    links: Mapping[str, str] = field(default_factory=dict)
    media: Mapping[str, Picture] = field(default_factory=dict)
