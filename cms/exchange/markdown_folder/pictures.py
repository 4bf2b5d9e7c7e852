"""Files of a folder on their way into the library: read, measured, and looked at for what may not be shown."""

from dataclasses import dataclass
from pathlib import Path

from cms.exchange.markdown_folder import drawings
from cms.exchange.markdown_folder.report import why
from cms.services.media import digest_of
from cms.wording import say

LARGEST = 50_000_000  # bytes
_PICTURES = {".apng", ".avif", ".bmp", ".gif", ".ico", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}
_ALLOWED = {
    *_PICTURES,
    ".svg",
    *(".m4a", ".mp3", ".mp4", ".ogg", ".wav", ".webm"),
    *(".csv", ".pdf", ".txt", ".zip"),
}


@dataclass(frozen=True, slots=True)
class File:
    """``dimensions`` in pixels, where it has any. ``problem``: why it stays out."""

    file: str
    content: bytes = b""
    digest: str = ""
    dimensions: tuple[int, int] | None = None
    problem: str = ""


def read(folder: Path, file: str) -> File:
    """Slow; for a thread. Raises nothing for what a file is."""
    path = folder / file
    suffix = path.suffix.lower()
    if suffix not in _ALLOWED:
        kind = suffix or say("without an ending")
        return File(file, problem=say("files of the kind {kind} are not taken", kind=kind))
    try:
        if path.stat().st_size > LARGEST:
            return File(file, problem=say("is larger than {number} MB", number=LARGEST // 1_000_000))
        content = path.read_bytes()
    except OSError as error:
        return File(file, problem=say("cannot be read: {reason}", reason=error.strerror or error))
    if suffix == ".svg":
        try:
            return File(file, content, digest_of(content), drawings.look(content))
        except drawings.RefusedError as error:
            return File(file, problem=why(error))
    size = _size(path)
    if size is None and suffix in _PICTURES:
        return File(file, problem=say("is no picture, whatever its name says"))
    return File(file, content, digest_of(content), size)


def _size(path: Path) -> tuple[int, int] | None:
    """From the header; the picture itself is not decoded."""
    from PIL import Image  # which nothing else in this process needs

    try:
        with Image.open(path) as image:
            width, height = image.size
            if image.getexif().get(0x0112, 1) >= 5:  # lies on its side (Exif 2.32, 4.6.4: Orientation)
                width, height = height, width
    except Exception:  # Pillow raises what it likes for what is no picture
        return None
    return (width, height) if width and height else None
