"""Pictures that people send, looked at before they are kept: decoded once, within limits."""

import io
import warnings
from dataclasses import dataclass

from PIL import Image

EXTENSIONS = {"PNG": "png", "JPEG": "jpg", "WEBP": "webp", "AVIF": "avif"}
MAX_SIZE = 2_000_000  # bytes
MAX_PIXELS = 4_000_000  # what is decoded takes four bytes for each

_ORIENTATION = 0x0112  # Exif 2.32, 4.6.4; from 5 on the picture lies on its side


@dataclass(frozen=True, slots=True)
class Picture:
    extension: str
    dimensions: tuple[int, int]  # pixels, as it is shown


def measure(content: bytes) -> Picture:
    """Slow; for a thread. Raises ``ValueError`` with a sentence for people."""
    if len(content) > MAX_SIZE:
        raise ValueError(f"This is too large: {MAX_SIZE // 1_000_000} MB at most, please.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # Pillow's, of pictures that are bombs
            with Image.open(io.BytesIO(content), formats=tuple(EXTENSIONS)) as image:
                return _decoded(image)
    except _TooManyPixels:
        raise ValueError(f"This has too many pixels: {MAX_PIXELS:,} at most, please, as 2,000 by 2,000 are.") from None
    except Exception:  # Pillow raises what it likes for what is no picture
        raise ValueError("This is no picture that can be shown. Send a PNG, JPEG, WebP or AVIF file.") from None


class _TooManyPixels(Exception):
    pass


def _decoded(image: Image.Image) -> Picture:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise _TooManyPixels
    image.load()
    if image.getexif().get(_ORIENTATION, 1) >= 5:
        width, height = height, width
    return Picture(EXTENSIONS[str(image.format)], (width, height))
