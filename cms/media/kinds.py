"""What files can be, and what is said of one that was looked at. Needs nothing that opens them."""

from dataclasses import dataclass
from typing import Literal

from cms.wording import say

Kind = Literal["picture", "audio", "video", "captions", "file"]

UNKNOWN = "application/octet-stream"
SVG = "image/svg+xml"

# Content type → kind and the endings that a name may have; the first one is given where it has another.
TYPES: dict[str, tuple[Kind, tuple[str, ...]]] = {
    "image/jpeg": ("picture", ("jpg", "jpeg")),
    "image/png": ("picture", ("png",)),
    "image/gif": ("picture", ("gif",)),
    "image/webp": ("picture", ("webp",)),
    "image/avif": ("picture", ("avif",)),
    SVG: ("picture", ("svg",)),
    "audio/mpeg": ("audio", ("mp3",)),
    "audio/mp4": ("audio", ("m4a",)),
    "audio/aac": ("audio", ("aac",)),
    "audio/ogg": ("audio", ("ogg", "oga", "opus")),
    "audio/flac": ("audio", ("flac",)),
    "audio/wav": ("audio", ("wav",)),
    "audio/webm": ("audio", ("weba",)),
    "video/mp4": ("video", ("mp4", "m4v")),
    "video/quicktime": ("video", ("mov",)),
    "video/webm": ("video", ("webm",)),
    "text/vtt": ("captions", ("vtt",)),
    "application/pdf": ("file", ("pdf",)),
    "application/zip": ("file", ("zip",)),
    "application/epub+zip": ("file", ("epub",)),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ("file", ("docx",)),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ("file", ("xlsx",)),
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ("file", ("pptx",)),
    "application/vnd.oasis.opendocument.text": ("file", ("odt",)),
    "application/vnd.oasis.opendocument.spreadsheet": ("file", ("ods",)),
    "application/vnd.oasis.opendocument.presentation": ("file", ("odp",)),
    "application/json": ("file", ("json",)),
    "text/plain": ("file", ("txt", "csv", "md", "log")),
    UNKNOWN: ("file", ("bin",)),
}

PORTRAIT = 480  # pixels, each side

IS_TOO_SLOW = say("This takes too long to look at: it is larger than it seems. Please send it smaller or simpler.")
IS_TOO_BIG = say("This needs too much memory: it is larger than it seems. Please send it smaller or simpler.")
IS_BROKEN = say("This picture is broken, or cut off in the middle. Please send it again.")
IS_NO_PICTURE = say("This is no picture that can be shown. Send a JPEG, PNG, GIF, WebP, AVIF or SVG file.")


class Refused(ValueError):
    """``args[0]`` is a sentence for people."""


@dataclass(frozen=True, slots=True)
class Probed:
    """What a file is, by its content. ``width`` and ``height`` in pixels, as it is shown; ``duration`` in seconds."""

    content_type: str
    width: int | None = None
    height: int | None = None
    frames: int = 1
    duration: float | None = None
    has_alpha: bool = False

    @property
    def kind(self) -> Kind:
        return TYPES[self.content_type][0]

    @property
    def extension(self) -> str:
        return TYPES[self.content_type][1][0]

    def extension_for(self, name: str) -> str:
        """The one that the name has, if it says what the file is."""
        own = name.rpartition(".")[2].lower()
        return own if own in TYPES[self.content_type][1] else self.extension


@dataclass(frozen=True, slots=True)
class Prepared:
    """A picture as readers get it. ``is_same``: as it was sent, and no file was written."""

    is_same: bool
    width: int
    height: int
    size: int  # bytes
    digest: str  # SHA-256


@dataclass(frozen=True, slots=True)
class Measured:
    extension: str
    dimensions: tuple[int, int]  # pixels, as it is shown
