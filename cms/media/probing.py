"""What a file is: by its content, never by its name. Whatever is claimed here has been read as that. For a worker (``imaging.py``)."""

import codecs
import contextlib
import json
import math
import re
import zipfile
from pathlib import Path
from typing import BinaryIO

from tinytag import TinyTag

from cms.media import films, pictures, svg
from cms.media.kinds import SVG, UNKNOWN, Probed, Refused

_HEAD = 100_000  # bytes

_PICTURE = re.compile(rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|GIF8[79]a|RIFF....WEBP|....ftyp(avif|avis)", re.DOTALL)
# TIFF, BMP (with the size of its header), Photoshop, JPEG 2000 and XL, HEIF
_FOREIGN_PICTURE = re.compile(
    rb"II\*\0|MM\0\*|BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0|8BPS\0|\0\0\0\x0c(jP  |JXL )|\xff\x0a(?=.*\0)"
    rb"|....ftyp(heic|heix|heim|heis|hevc|hevx|mif1|msf1)",
    re.DOTALL,
)
_AVIF_AMONG_OTHERS = re.compile(rb"....ftyp(mif1|msf1).{4}(.{4})*?avi[fs]", re.DOTALL)
_FOREIGN = "Browsers do not show pictures of this kind. Save it as a JPEG or PNG file, and send that."

_FILM = re.compile(rb"....(ftyp|moov|mdat|wide|free|skip)", re.DOTALL)
_OGG_AUDIO = (b"\x01vorbis", b"OpusHead", b"Speex   ", b"\x7fFLAC")
_MP3 = re.compile(rb"ID3[\x02-\x04]|\xff[\xe2\xe3\xf2\xf3\xfa\xfb]")

_A_BLINK = 0.1  # seconds: what is shorter is bytes that happen to begin so
_LONGEST, _WIDEST = 10_000_000, 65_535  # seconds and pixels: whatever says more of itself says nothing

_OFFICE = {
    "word/": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xl/": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ppt/": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}
_SAYS_ITS_TYPE = {  # in its first member
    "application/epub+zip",
    "application/vnd.oasis.opendocument.text",
    "application/vnd.oasis.opendocument.spreadsheet",
    "application/vnd.oasis.opendocument.presentation",
}
_BOMB = "This archive would grow into far more than it is when it is unpacked, so it is not taken."
_MOST_RATIO, _SMALL_ENOUGH = 200, 100_000_000  # unpacked to packed; bytes that are nobody's harm
_DENSE = 4  # an archive in an archive that can be packed so much again is one of nothing
_DEEPEST = 4  # archives in each other

_MOST_TEXT = 100_000_000  # bytes that are read to see whether it is text
_MOST_JSON = 5_000_000
_NO_TEXT = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")
_RUNS = (b"<", b"#!", b"%!")  # what begins so is markup or a program, whatever else it is


def probe(path: Path) -> Probed:
    """Raises ``Refused`` for pictures that are broken or too large, or that no browser shows, and for archives that are bombs."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(_HEAD)
        if _PICTURE.match(head) or _AVIF_AMONG_OTHERS.match(head[:200]):
            return pictures.look(path)
        if _FOREIGN_PICTURE.match(head):
            raise Refused(_FOREIGN)
        if svg.is_svg(head):
            return _drawing(path)
        found = None
        with contextlib.suppress(Exception):  # what raises is not what it begins like
            found = _recording(path, file, head, size) or _document(file, head, size)
        if head[:4] in (b"PK\3\4", b"PK\5\6"):
            found = _archive(path, size)
        return found or Probed(UNKNOWN)


def _drawing(path: Path) -> Probed:
    with path.open("rb") as file:
        content = file.read(svg.MAX_BYTES + 1)
    svg.cleaned(content)
    width, height = svg.dimensions(content)
    return Probed(SVG, width, height, has_alpha=True)


# --- sound and films -------------------------------------------------------------------------------------------------------


def _recording(path: Path, file: BinaryIO, head: bytes, size: int) -> Probed | None:
    if _FILM.match(head):
        film = films.mp4(file, size)
        return _film(film, "audio/mp4", "video/quicktime" if film.form in ("", "qt") else "video/mp4") if film else None
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        film = films.webm(file, size)
        return _film(film, "audio/webm", "video/webm") if film and film.form == "webm" else None
    if head[:1] == b"\xff" and (lasts := films.aac(file, size)):
        return Probed("audio/aac", duration=lasts)
    content_type = _sound(head)
    lasts = (TinyTag.get(path, tags=False).duration or 0.0) if content_type else 0.0
    return Probed(content_type, duration=_believed(lasts)) if content_type and lasts > _A_BLINK else None


def _film(film: films.Film, sound: str, pictures_too: str) -> Probed:
    if film.size is None:
        return Probed(sound, duration=_believed(film.duration))
    width, height = film.size if all(0 < side <= _WIDEST for side in film.size) else (None, None)
    return Probed(pictures_too, width, height, duration=_believed(film.duration))


def _believed(lasts: float | None) -> float | None:
    """Files say what they like, infinity and what is no number included."""
    return lasts if lasts and 0 < lasts < _LONGEST else None


def _sound(head: bytes) -> str | None:
    if _MP3.match(head):
        return "audio/mpeg"
    if head.startswith(b"fLaC"):
        return "audio/flac"
    if head.startswith(b"RIFF") and head[8:12] == b"WAVE":
        return "audio/wav"
    if head.startswith(b"OggS") and any(name in head[:100] for name in _OGG_AUDIO):
        return "audio/ogg"
    return None


# --- documents and texts ---------------------------------------------------------------------------------------------------


def _document(file: BinaryIO, head: bytes, size: int) -> Probed | None:
    if head.startswith(b"%PDF-"):
        file.seek(max(0, size - 2048))
        return Probed("application/pdf") if b"%%EOF" in file.read() else None
    text = head.removeprefix(codecs.BOM_UTF8)
    if not text.strip() or text.lstrip().startswith(_RUNS) or not _is_text(file):
        return None
    if re.match(rb"WEBVTT(\s|\Z)", text):
        return Probed("text/vtt")
    return Probed("application/json" if text.lstrip()[:1] in (b"{", b"[") and _is_json(file, size) else "text/plain")


def _is_text(file: BinaryIO) -> bool:
    """UTF-8 from beginning to end, with nothing in it that no text has."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    file.seek(0)
    read = 0
    while piece := file.read(1_000_000):
        read += len(piece)
        if read > _MOST_TEXT or _NO_TEXT.search(piece):
            return False
        decoder.decode(piece)
    decoder.decode(b"", final=True)
    return True


def _is_json(file: BinaryIO, size: int) -> bool:
    if size > _MOST_JSON:
        return False
    file.seek(0)
    with contextlib.suppress(ValueError, RecursionError):
        json.loads(file.read())
        return True
    return False


def _archive(path: Path, size: int) -> Probed | None:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if _is_bomb(archive, members, size):
                raise Refused(_BOMB)
            return Probed(_archive_type(archive, members))
    except (zipfile.BadZipFile, NotImplementedError, OSError, RuntimeError, EOFError, UnicodeError):
        return None


def _archive_type(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo]) -> str:
    if members and members[0].filename == "mimetype" and members[0].file_size < 100:
        says = archive.read(members[0]).decode("ascii").strip()
        if says in _SAYS_ITS_TYPE:
            return says
    names = {member.filename for member in members}
    if "[Content_Types].xml" in names:
        for folder, content_type in _OFFICE.items():
            if any(name.startswith(folder) for name in names):
                return UNKNOWN if f"{folder}vbaProject.bin" in names else content_type  # with programs in it
    return "application/zip"


def _is_bomb(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], size: int) -> bool:
    return _unpacked(archive, members, _DEEPEST) > max(_SMALL_ENOUGH, _MOST_RATIO * size)


def _unpacked(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], deep: int) -> float:
    """Bytes, with those of archives that lie in it as they are; more than anything of those that can be packed again, or lie too deep."""
    return sum(member.file_size + _unpacked_inside(archive, member, deep) for member in members)


def _unpacked_inside(archive: zipfile.ZipFile, member: zipfile.ZipInfo, deep: int) -> float:
    is_dense, is_as_it_is = member.file_size >= _DENSE * max(1, member.compress_size), member.compress_type == zipfile.ZIP_STORED
    if member.flag_bits & 1 or not (is_dense or is_as_it_is):
        return 0
    with archive.open(member) as inside:
        if inside.read(4) != b"PK\3\4":
            return 0
        if is_dense or not deep:
            return math.inf
        with contextlib.suppress(zipfile.BadZipFile), zipfile.ZipFile(inside) as packed:
            return _unpacked(packed, packed.infolist(), deep - 1)
    return 0
