"""Where a text will stand and what it may refer to, and what becomes of it: what the rendering process is told, and answers.

The program itself imports nothing of what renders (tests/test_architecture.py): starting would take half a second longer.
"""

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


@dataclass(frozen=True, slots=True)
class Heading:
    """An entry of the table of contents: ``level`` 2 to 6, ``id`` as in the HTML, ``text`` plain."""

    level: int
    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """What is stored of a text: safe HTML, and what is known of its words."""

    html: str
    excerpt: str
    toc: tuple[Heading, ...]
    plain_text: str
    words: int
    reading_minutes: int
    links: tuple[str, ...] = ()  # paths of this site that it leads to
    media: tuple[str, ...] = ()  # addresses of pictures, sound and films in it
    nowhere: tuple[str, ...] = ()  # titles in [[…]] that nothing has
