"""Which pictures are taken, and what is said of the others."""

import io
import zlib
from struct import pack

import pytest
from PIL import Image

from cms.media.pictures import MAX_SIZE, PORTRAIT, measure, portrait


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


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF"])
@pytest.mark.parametrize("size", [(30, 20), (2000, 500), (1, 1)])
def test_portraits_are_square_and_of_our_own_making(kind: str, size: tuple[int, int]) -> None:
    with Image.open(io.BytesIO(portrait(picture(kind, size)))) as made:
        assert (made.format, made.mode, made.size) == ("WEBP", "RGB", (PORTRAIT, PORTRAIT))


def test_a_portrait_stands_upright_and_tells_nothing_of_its_camera() -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "A camera"
    lying = Image.new("RGB", (40, 20), "white")
    lying.paste("black", (0, 0, 20, 20))  # the left half, which is the upper one when it is turned
    kept = io.BytesIO()
    lying.save(kept, "JPEG", exif=exif, quality=95)
    with Image.open(io.BytesIO(portrait(kept.getvalue()))) as made:
        assert not made.getexif()
        middle = PORTRAIT // 2
        assert sum(made.getpixel((middle, 40))) < 60  # type: ignore[arg-type]
        assert sum(made.getpixel((middle, PORTRAIT - 40))) > 700  # type: ignore[arg-type]


def test_a_portrait_that_is_seen_through_stands_on_white() -> None:
    kept = io.BytesIO()
    Image.new("RGBA", (50, 50), (0, 0, 0, 0)).save(kept, "PNG")
    with Image.open(io.BytesIO(portrait(kept.getvalue()))) as made:
        assert min(made.getpixel((9, 9))) > 250  # type: ignore[type-var]


@pytest.mark.parametrize(
    ("content", "why"), [(b"x", "no picture"), (claim(6000, 6000), "too many pixels"), (bytes(8_000_001), "too large")]
)
def test_other_portraits_are_refused_in_a_sentence(content: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        portrait(content)
