"""Pictures that people send, looked at before they are kept: decoded once, within limits."""

import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from PIL import Image, ImageOps

from cms.wording import say

EXTENSIONS = {"PNG": "png", "JPEG": "jpg", "WEBP": "webp", "AVIF": "avif"}
MAX_SIZE = 2_000_000  # bytes
MAX_PIXELS = 4_000_000  # what is decoded takes four bytes for each

MAX_PORTRAIT_SIZE = 8_000_000  # bytes: as a phone takes it
MAX_PORTRAIT_PIXELS = 25_000_000
PORTRAIT = 480  # pixels, each side
ICON = 512

Result = TypeVar("Result")

_ORIENTATION = 0x0112  # Exif 2.32, 4.6.4; from 5 on the picture lies on its side


@dataclass(frozen=True, slots=True)
class Picture:
    extension: str
    dimensions: tuple[int, int]  # pixels, as it is shown


def measure(content: bytes) -> Picture:
    """Slow; for a thread. Raises ``ValueError`` with a sentence for people."""
    return _opened(content, MAX_SIZE, MAX_PIXELS, _decoded)


def portrait(content: bytes) -> bytes:
    """The middle of a picture, square and small, as a WebP of our own: what else was in the file (where it was taken, and by whom) is not
    in this one. Slow; for a thread. Raises ``ValueError`` with a sentence for people."""
    return _opened(content, MAX_PORTRAIT_SIZE, MAX_PORTRAIT_PIXELS, _portrait)


def icon(content: bytes) -> bytes:
    """The middle of a picture, square, as a PNG that keeps what can be seen through. Slow; for a thread. Raises ``ValueError`` with a
    sentence for people."""
    return _opened(content, MAX_SIZE, MAX_PIXELS, _icon)


def _opened(content: bytes, most_bytes: int, most_pixels: int, look: Callable[[Image.Image], Result]) -> Result:
    if len(content) > most_bytes:
        raise ValueError(say("This is too large: {size} MB at most, please.", size=most_bytes // 1_000_000))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # Pillow's, of pictures that are bombs
            with Image.open(io.BytesIO(content), formats=tuple(EXTENSIONS)) as image:
                if image.width * image.height > most_pixels:
                    raise _TooManyPixels
                return look(image)
    except _TooManyPixels:
        raise ValueError(
            say("This has too many pixels: {most} at most, please, as {side} by {side} are.", most=most_pixels, side=int(most_pixels**0.5))
        ) from None
    except Exception:  # Pillow raises what it likes for what is no picture
        raise ValueError("This is no picture that can be shown. Send a PNG, JPEG, WebP or AVIF file.") from None


class _TooManyPixels(Exception):
    pass


def _decoded(image: Image.Image) -> Picture:
    width, height = image.size
    image.load()
    if image.getexif().get(_ORIENTATION, 1) >= 5:
        width, height = height, width
    return Picture(EXTENSIONS[str(image.format)], (width, height))


def _icon(image: Image.Image) -> bytes:
    fitted = ImageOps.fit(ImageOps.exif_transpose(image).convert("RGBA"), (ICON, ICON), Image.Resampling.LANCZOS)
    kept = io.BytesIO()
    fitted.save(kept, "PNG", optimize=True)
    return kept.getvalue()


def _portrait(image: Image.Image) -> bytes:
    image.draft("RGB", (2 * PORTRAIT, 2 * PORTRAIT))  # of a JPEG no more is decoded than is needed
    upright = ImageOps.exif_transpose(image).convert("RGBA")
    fitted = ImageOps.fit(upright, (PORTRAIT, PORTRAIT), Image.Resampling.LANCZOS)
    plain = Image.new("RGB", fitted.size, "white")
    plain.paste(fitted, mask=fitted.getchannel("A"))
    kept = io.BytesIO()
    plain.save(kept, "WEBP", quality=82)
    return kept.getvalue()
