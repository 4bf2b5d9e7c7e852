"""Files of every kind, and some that nobody should have to open: made here, so that what is in them can be read."""

import io
import json
import zipfile
import zlib
from struct import pack
from typing import Any

from PIL import Image, ImageCms, ImageDraw

GPS = 0x8825


def saved(image: Image.Image, form: str, **options: Any) -> bytes:
    kept = io.BytesIO()
    image.save(kept, form, **options)
    return kept.getvalue()


def picture(form: str, size: tuple[int, int] = (60, 40), mode: str = "RGB", colour: Any = "teal", **options: Any) -> bytes:
    return saved(Image.new(mode, size, colour), form, **options)


def corners(size: tuple[int, int] = (60, 40)) -> Image.Image:
    """Red, green, blue and white, clockwise from the upper left, so that one sees how it lies."""
    image, (width, height) = Image.new("RGB", size), size
    draw = ImageDraw.Draw(image)
    for box, colour in (
        ((0, 0, width // 2 - 1, height // 2 - 1), "red"),
        ((width // 2, 0, width - 1, height // 2 - 1), "lime"),
        ((width // 2, height // 2, width - 1, height - 1), "blue"),
        ((0, height // 2, width // 2 - 1, height - 1), "white"),
    ):
        draw.rectangle(box, colour)
    return image


def lying(orientation: int) -> Image.Image:
    """``corners`` as a camera that was held in this way keeps them."""
    turned = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE, 8: Image.Transpose.ROTATE_270,
    }  # fmt: skip
    return corners() if orientation == 1 else corners().transpose(turned[orientation])


def camera(orientation: int = 1, *, place: bool = True) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x8298] = orientation, "A camera", "(c) A. Writer"
    if place:
        exif[GPS] = {1: "N", 2: (54.0, 19.0, 0.0), 3: "E", 4: (8.0, 36.0, 0.0)}
    return exif


def with_small_picture(small: bytes) -> bytes:
    """What a camera wrote, with a small picture of all that it saw."""
    beside = pack("<HHHI4sI", 1, 0x010F, 2, 4, b"Cam\0", 26) + pack("<HHHIIHHIII", 2, 0x0201, 4, 1, 56, 0x0202, 4, 1, len(small), 0)
    return b"Exif\0\0II*\0" + pack("<I", 8) + beside + small


def wide_profile() -> bytes:
    """One whose red, green and blue are others: those of sRGB in another order."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for tag in range(int.from_bytes(profile[128:132])):
        entry = profile[132 + 12 * tag :][:4]
        profile[132 + 12 * tag : 136 + 12 * tag] = {b"rXYZ": b"gXYZ", b"gXYZ": b"rXYZ"}.get(bytes(entry), bytes(entry))
    return bytes(profile)


def frames(count: int, size: tuple[int, int] = (40, 30)) -> list[Image.Image]:
    return [Image.new("RGB", size, (number * 40 % 256, 80, 200 - number * 20 % 200)) for number in range(count)]


def animation(form: str, count: int = 4, **options: Any) -> bytes:
    first, *others = frames(count)
    return saved(first, form, save_all=True, append_images=others, duration=120, **{"loop": 0, **options})


def chunk(name: bytes, content: bytes) -> bytes:
    return pack(">I", len(content)) + name + content + pack(">I", zlib.crc32(name + content))


def claim(width: int, height: int, rows: bytes = b"") -> bytes:
    """A PNG that says it is this large, with little in it, or with these packed rows."""
    header = pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows or zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def png_bomb(width: int, height: int) -> bytes:
    """All of its pixels are there, packed a thousandfold; a bit for each."""
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(bytes(1 + width // 8)) for _ in range(height)) + packer.flush()
    header = pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def long_gif(count: int) -> bytes:
    whole = picture("GIF", (1, 1))
    start = 13 + (3 << ((whole[10] & 7) + 1))
    return whole[:start] + whole[start:-1] * count + b";"


def many_scans(count: int, size: tuple[int, int] = (1000, 800)) -> bytes:
    """A progressive JPEG whose last scan comes again and again."""
    kept = io.BytesIO()
    Image.new("L", size, 90).save(kept, "JPEG", progressive=True)
    jpeg = kept.getvalue()
    return jpeg[:-2] + jpeg[jpeg.rindex(b"\xff\xda") : -2] * count + jpeg[-2:]


def with_segments(jpeg: bytes, count: int, content: bytes = b"Exif\0\0" + bytes(65_000)) -> bytes:
    return jpeg[:2] + (b"\xff\xe1" + pack(">H", len(content) + 2) + content) * count + jpeg[2:]


def zipped(members: dict[str, bytes], *, stored: str = "") -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content, zipfile.ZIP_STORED if name == stored else zipfile.ZIP_DEFLATED)
    return kept.getvalue()


def nested_zip() -> bytes:
    inner = zipped({"0": bytes(10_000_000)})
    return zipped({f"{number}.zip": zipped({f"{each}.zip": inner for each in range(16)}) for number in range(16)})


def stored_zip(deep: int, content: bytes = bytes(60_000_000)) -> bytes:
    """Archives in each other, two in each, that cannot be packed any more but for what lies at the bottom."""
    inner = zipped({"0": content})
    for _ in range(deep):
        kept = io.BytesIO()
        with zipfile.ZipFile(kept, "w") as archive:
            for number in range(2):
                archive.writestr(f"{number}.zip", inner)
        inner = kept.getvalue()
    return inner


def office(folder: str) -> bytes:
    return zipped({"[Content_Types].xml": b"<Types/>", f"{folder}/document.xml": b"<d/>"})


def declared(content_type: str) -> bytes:
    return zipped({"mimetype": content_type.encode(), "content.xml": b"<c/>"}, stored="mimetype")


def box(name: bytes, *contents: bytes) -> bytes:
    inside = b"".join(contents)
    return pack(">I", 8 + len(inside)) + name + inside


def mp4(brand: bytes, *, pictures: bool = True, turned: bool = False, seconds: float = 2.5) -> bytes:
    """The headers of a film of 640 x 360, or of sound alone."""
    matrix = pack(">9i", *(0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30) if turned else (65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30))
    header = box(b"mvhd", bytes(12) + pack(">II", 1000, int(1000 * seconds)) + bytes(80))
    track = box(b"tkhd", bytes(40) + matrix + pack(">II", 640 << 16, 360 << 16))
    handler = box(b"mdia", box(b"hdlr", bytes(8) + (b"vide" if pictures else b"soun") + bytes(12)))
    return box(b"ftyp", brand + bytes(4)) + box(b"mdat", bytes(100)) + box(b"moov", header, box(b"trak", track, handler))


def element(name: str, *contents: bytes) -> bytes:
    inside = b"".join(contents)
    return bytes.fromhex(name) + pack(">Q", 1 << 56 | len(inside)) + inside


def webm(document: bytes = b"webm", *, lasts: float = 4.5, width: bytes = (320).to_bytes(2)) -> bytes:
    info = element("1549a966", element("2ad7b1", (1_000_000).to_bytes(3)), element("4489", pack(">d", 1000 * lasts)))
    video = element("e0", element("b0", width), element("ba", (240).to_bytes(2)))
    tracks = element("1654ae6b", element("ae", element("83", b"\x01"), video))
    unknown_length = bytes.fromhex("18538067") + b"\x01" + b"\xff" * 7  # as browsers write it while they record
    return element("1a45dfa3", element("4282", document)) + unknown_length + info + tracks + element("1f43b675", bytes(50))


def wav(seconds: float = 0.5) -> bytes:
    sound = bytes(int(8000 * seconds))
    return (
        b"RIFF"
        + pack("<I", 36 + len(sound))
        + b"WAVEfmt "
        + pack("<IHHIIHH", 16, 1, 1, 8000, 8000, 1, 8)
        + b"data"
        + pack("<I", len(sound))
        + sound
    )


def mp3(count: int = 40) -> bytes:
    """MPEG 1, layer III, 128 kbit/s, 44100 Hz: 417 bytes and 26 ms each."""
    return (b"\xff\xfb\x90\x00" + bytes(413)) * count


def aac(count: int = 40) -> bytes:
    """44100 Hz, frames of 100 bytes."""
    return (bytes((0xFF, 0xF1, 0x50, 0x80, 100 >> 3, (100 & 7) << 5 | 0x1F, 0xFC)) + bytes(93)) * count


def flac(seconds: int = 3) -> bytes:
    rate, samples = 8000, 8000 * seconds
    info = pack(">HH", 4096, 4096) + bytes(6) + (rate << 44 | 0 << 41 | 15 << 36 | samples).to_bytes(8) + bytes(16)
    return b"fLaC" + b"\x80" + len(info).to_bytes(3) + info + b"\xff\xf8" + bytes(50)


def opus(seconds: int = 3) -> bytes:
    def page(kind: int, granule: int, number: int, content: bytes) -> bytes:
        return b"OggS\0" + bytes((kind,)) + pack("<qIIIBB", granule, 1, number, 0, 1, len(content)) + content

    head = b"OpusHead" + pack("<BBHIhB", 1, 1, 0, 48000, 0, 0)
    tags = b"OpusTags" + pack("<I", 1) + b"x" + pack("<I", 0)
    return page(2, 0, 0, head) + page(0, 0, 1, tags) + page(4, 48000 * seconds, 2, bytes(20))


SVG = b"""<?xml version="1.0"?>
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 100" width="5cm"><!-- tide --><rect width="9" height="9"/></svg>"""


def drawing(attributes: str) -> bytes:
    return f'<svg xmlns="http://www.w3.org/2000/svg" {attributes}/>'.encode()


PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\nstartxref\n9\n%%EOF\n"
JSON = json.dumps({"tide": "high"}).encode()
