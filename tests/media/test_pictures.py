"""Which pictures are taken, and what is said of the others."""

import io
import zlib
from struct import pack

import pytest
from PIL import Image

from cms.media.pictures import MAX_SIZE, measure


def picture(kind: str, size: tuple[int, int] = (30, 20), **options: object) -> bytes:
    kept = io.BytesIO()
    Image.new("RGB", size, "teal").save(kept, kind, **options)
    return kept.getvalue()


def chunk(name: bytes, content: bytes) -> bytes:
    return pack(">I", len(content)) + name + content + pack(">I", zlib.crc32(name + content))


def claim(width: int, height: int) -> bytes:
    """A PNG that says it is this large, with little in it."""
    header = pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("kind", "extension"), [("PNG", "png"), ("JPEG", "jpg"), ("WEBP", "webp"), ("AVIF", "avif")])
def test_pictures_are_measured_and_named_by_what_they_are(kind: str, extension: str) -> None:
    found = measure(picture(kind))
    assert (found.extension, found.dimensions) == (extension, (30, 20))


def test_a_picture_on_its_side_is_measured_as_it_is_shown() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert measure(picture("JPEG", exif=exif)).dimensions == (20, 30)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", "no picture"),
        (picture("GIF"), "no picture"),
        (picture("BMP"), "no picture"),
        (picture("PNG")[:60], "no picture"),
        (claim(100, 100), "no picture"),
        (claim(3000, 3000), "too many pixels"),
        (claim(60_000, 60_000), "no picture"),
        (bytes(MAX_SIZE + 1), "too large"),
    ],
    ids=["nothing", "svg", "gif", "bmp", "half", "short", "wide", "bomb", "heavy"],
)
def test_others_are_refused_in_a_sentence(content: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        measure(content)
