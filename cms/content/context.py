"""Where a text will stand and what it may refer to, and what becomes of it: what the rendering process is told, and answers.

The program itself imports nothing of what renders (tests/test_architecture.py): starting would take half a second longer.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cms.wording import phrases

LONGEST_ADDRESS = 600  # characters, of a page that a text shows as a card


@dataclass(frozen=True, slots=True)
class Track:
    """Words for a film or sound in one language."""

    path: str
    language: str
    label: str


@dataclass(frozen=True, slots=True)
class Media:
    """What an address of the library stands for. ``path`` is where it is now; ``kind`` as in ``models.media.MediaKind``; sizes in pixels,
    0 if nobody knows; ``size`` in bytes; ``duration`` in seconds.

    ``alt`` and ``caption`` are the library's own, for where a text says nothing; ``is_decorative``: there is nothing to be said.
    """

    path: str
    kind: str = "picture"
    content_type: str = ""
    width: int = 0
    height: int = 0
    frames: int = 1
    size: int = 0
    duration: float = 0
    alt: str = ""
    is_decorative: bool = False
    caption: str = ""
    credit: str = ""
    licence: str = ""
    poster: str = ""
    tracks: tuple[Track, ...] = ()
    focus: tuple[int, int] = (50, 50)  # of crops, in percent from the left and the top


def rights(credit: str, licence: str) -> str:
    """Whose a picture is, in a line."""
    return ", ".join(filter(None, (credit.strip(), licence.strip())))


@dataclass(frozen=True, slots=True)
class Card:
    """What is known of a page that stands in a text by its address alone. ``kind``: video, photo, article or link."""

    title: str
    description: str = ""
    site_name: str = ""
    author: str = ""
    kind: str = "link"
    picture: Media | None = None


@dataclass(frozen=True, slots=True)
class RenderContext:
    """``prefix`` keeps notes of several texts on one page apart; links that leave ``site_host`` are external.

    ``links``: folded title → path, for ``[[Title]]``. ``media``: address as it stands in the text → what is there; ``cards``: → card.
    """

    prefix: str = ""
    language: str = "en"
    site_host: str = ""
    links: Mapping[str, str] = field(default_factory=dict)
    media: Mapping[str, Media] = field(default_factory=dict)
    cards: Mapping[str, Card] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Heading:
    """An entry of the table of contents: ``level`` 2 to 6, ``id`` as in the HTML, ``text`` plain."""

    level: int
    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something that deserves another look. ``code`` is its kind, one of ``CHECKS``. ``line`` counts from 1, 0 is no place in the text;
    ``offset`` in units of UTF-16, as editors in browsers count."""

    code: str
    words: str
    line: int = 0
    offset: int = 0


CHECKS = phrases(
    {  # the kinds, and what is right if there is no flaw of it
        "alt": "Every picture says what it shows",
        "links": "Every link within the site leads somewhere",
        "headings": "Headings follow one another, and have words",
        "empty": "No link is empty",
        "excerpt": "There is an excerpt",
        "picture": "There is a picture",
    }
)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a link within the site leads, and where it stands, as in ``Flaw``: ``/path#part``, or ``[[Title`` if nothing public has it."""

    address: str
    line: int
    offset: int


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
    cards: tuple[str, ...] = ()  # addresses that it shows as cards; of this site their paths
    nowhere: tuple[str, ...] = ()  # titles in [[…]] that nothing has
    flaws: tuple[Flaw, ...] = ()  # that can be told from the text alone (checks)
    targets: tuple[Target, ...] = ()


@dataclass(frozen=True, slots=True)
class PageCard:
    """What a page of another site says of itself. ``picture`` and ``more`` (what oEmbed has to say of it) are addresses to fetch;
    "" is what nobody said."""

    kind: str = "link"
    title: str = ""
    description: str = ""
    site_name: str = ""
    author: str = ""
    picture: str = ""
    more: str = ""
