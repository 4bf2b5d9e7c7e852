"""Pictures without what is not picture: read piece by piece, of which those are kept that are needed to show it. No pixel is touched.

``exif``: what stands in the place of the file's own; None leaves that as it is. Whatever follows the end of the picture goes.
"""

import re
from collections.abc import Callable, Iterator
from mmap import mmap
from struct import pack, unpack_from
from typing import BinaryIO
from zlib import crc32

from cms.media.kinds import IS_BROKEN, Refused

Strip = Callable[[memoryview, bytes | None], Iterator[bytes | memoryview]]

_EXIF = b"Exif\0\0"

# JPEG: ISO/IEC 10918-1, Annex B. JFIF without its thumbnail, colour profile, Adobe's colour transform; no other application's segments.
_JPEG_KEPT = {0xE0: b"JFIF\0", 0xE2: b"ICC_PROFILE\0", 0xEE: b"Adobe"}
_AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # neither a stuffed byte nor a restart

# PNG: W3C, Portable Network Graphics (Third Edition), 11 "Chunk specifications".
_PNG_KEPT = {
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP", b"mDCV", b"cLLI", b"bKGD", b"pHYs",
    b"acTL", b"fcTL", b"fdAT",
}  # fmt: skip

# WebP: RFC 9649, 2.7.
_WEBP_KEPT = {b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"ICCP"}
_WEBP_EXIF, _WEBP_XMP = 0x08, 0x04  # flags of VP8X

# GIF: GIF89a specification, 23 and 26; of applications' blocks only those that say how often it is played.
_GIF_LOOPS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")


def jpeg(content: memoryview, exif: bytes | None) -> Iterator[bytes | memoryview]:
    yield content[:2]
    position, wants_exif = 2, True
    while (marker := _jpeg_marker(content, position)) != 0xD9:
        if marker == 0xDA:
            found = _AFTER_SCAN.search(content, position + 2)
            end = found.start() if found else len(content)
        else:
            end = position + 2 + int(unpack_from(">H", content, position + 2)[0])
        segment = content[position:end]
        if marker == 0xE1 and bytes(segment[4:10]) == _EXIF:
            if wants_exif:
                yield from (segment,) if exif is None else (_jpeg_exif(exif),)
            wants_exif = False
        elif (not 0xE0 <= marker <= 0xEF and marker != 0xFE) or _jpeg_keeps(marker, segment):
            yield segment
        position = end
    yield b"\xff\xd9"


def _jpeg_marker(content: memoryview, position: int) -> int:
    """That of the end, if there is no more."""
    if position >= len(content):
        return 0xD9
    if content[position] != 0xFF:
        raise Refused(IS_BROKEN)
    return content[position + 1]


def notes_size(file: BinaryIO) -> int:
    """How much stands before the picture itself, if it is a JPEG."""
    position = 2
    while True:
        file.seek(position)
        head = file.read(4)
        if len(head) < 4 or head[0] != 0xFF or head[1] in (0xD9, 0xDA):
            return position
        position += 2 + int.from_bytes(head[2:])


def scan_count(content: memoryview | mmap) -> int:
    """How often a JPEG goes over its pixels: a progressive one does ten times or so, a hostile one thousands of times in a few bytes.
    What is no marker is passed over, as decoders do."""
    number, position = 0, 2
    while (found := _AFTER_SCAN.search(content, position)) and (marker := found[0][1]) != 0xD9:
        number += marker == 0xDA
        position = found.end() + int.from_bytes(content[found.end() : found.end() + 2])
    return number


def _jpeg_keeps(marker: int, segment: memoryview) -> bool:
    begins = _JPEG_KEPT.get(marker)
    return begins is not None and bytes(segment[4 : 4 + len(begins)]) == begins and (marker != 0xE0 or len(segment) <= 18)


def _jpeg_exif(exif: bytes) -> bytes:
    return b"\xff\xe1" + pack(">H", len(exif) + 8) + _EXIF + exif if exif else b""


def png(content: memoryview, exif: bytes | None) -> Iterator[bytes | memoryview]:
    yield content[:8]
    position, name = 8, b""
    while name != b"IEND":
        length, name = unpack_from(">I4s", content, position)
        chunk = content[position : position + 12 + length]
        if name in _PNG_KEPT or (name == b"eXIf" and exif is None):
            yield chunk
        elif name == b"eXIf" and exif:
            yield pack(">I", len(exif)) + name + exif + pack(">I", crc32(name + exif))
        position += 12 + length


def webp(content: memoryview, exif: bytes | None) -> Iterator[bytes | memoryview]:
    pieces = list(_webp_chunks(content, exif))
    yield b"RIFF" + pack("<I", 4 + sum(map(len, pieces))) + b"WEBP"
    yield from pieces


def _webp_chunks(content: memoryview, exif: bytes | None) -> Iterator[bytes | memoryview]:
    position, end = 12, 8 + int(unpack_from("<I", content, 4)[0])
    while position + 8 <= end:
        name, length = unpack_from("<4sI", content, position)
        chunk = content[position : position + 8 + length + length % 2]
        if name == b"VP8X":
            yield bytes((*chunk[:8], chunk[8] & ~_WEBP_XMP & ~(_WEBP_EXIF if exif == b"" else 0), *chunk[9:]))
        elif name in _WEBP_KEPT or (name == b"EXIF" and exif is None):
            yield chunk
        elif name == b"EXIF" and exif:
            yield name + pack("<I", len(exif)) + exif + b"\0" * (len(exif) % 2)
        position += len(chunk)


def gif(content: memoryview, _exif: bytes | None) -> Iterator[bytes | memoryview]:
    position = 13 + _gif_table(content[10])
    yield content[:position]
    while (label := content[position]) != 0x3B:
        if label == 0x21:
            end = _gif_blocks_end(content, position + 2)
            kind = content[position + 1]
            if kind == 0xF9 or (kind == 0xFF and bytes(content[position + 3 : position + 14]) in _GIF_LOOPS):
                yield content[position:end]
        elif label == 0x2C:
            end = _gif_blocks_end(content, position + 11 + _gif_table(content[position + 9]))
            yield content[position:end]
        else:
            raise Refused(IS_BROKEN)
        position = end
    yield b";"


def _gif_table(flags: int) -> int:
    """Bytes of a table of colours."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _gif_blocks_end(content: memoryview, position: int) -> int:
    while size := content[position]:
        position += 1 + size
    return position + 1


STRIPS: dict[str, Strip] = {"JPEG": jpeg, "PNG": png, "WEBP": webp, "GIF": gif}


def stripped(content: bytes, form: str, exif: bytes | None) -> bytes:
    return b"".join(STRIPS[form](memoryview(content), exif))
