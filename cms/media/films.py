"""How long and how large a film or a recording is, read from its container; nothing of it is decoded."""

from collections.abc import Iterator
from dataclasses import dataclass
from struct import unpack
from typing import BinaryIO

MOST_PARTS = 10_000  # boxes or elements that are looked at in one place


@dataclass(slots=True)
class Film:
    """``form``: the brand of an MP4, or the document type of a Matroska file. ``size`` in pixels, as it is shown; none without pictures."""

    form: str
    duration: float | None = None  # seconds
    size: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Part:
    name: bytes
    start: int  # of what is in it
    end: int


# --- MP4 and QuickTime: ISO/IEC 14496-12 -----------------------------------------------------------------------------------


def mp4(file: BinaryIO, size: int) -> Film | None:
    """None if it says nothing of itself."""
    film = Film("")
    for box in boxes(file, 0, size):
        if box.name == b"ftyp":
            film.form = _read(file, box)[:4].decode("latin-1").strip()
        elif box.name == b"moov":
            _read_movie(file, box, film)
            return film
    return None


def _read_movie(file: BinaryIO, movie: Part, film: Film) -> None:
    scale = 0
    for box in boxes(file, movie.start, movie.end):
        if box.name == b"mvhd":
            scale, duration = _movie_header(_read(file, box))
            film.duration = duration / scale if scale and duration else None
        elif box.name == b"mvex" and scale and film.duration is None:  # in fragments
            whole = next((_read(file, each) for each in boxes(file, box.start, box.end) if each.name == b"mehd"), None)
            film.duration = int.from_bytes(whole[4:12] if whole[0] else whole[4:8]) / scale if whole else None
        elif box.name == b"trak":
            film.size = film.size or _track_size(file, box)


def _movie_header(content: bytes) -> tuple[int, int]:
    """Units in a second, and how many it lasts. All ones: nobody knew."""
    scale, duration = unpack(">IQ", content[20:32]) if content[0] else unpack(">II", content[12:20])
    return scale, 0 if duration in (0xFFFF_FFFF, 0xFFFF_FFFF_FFFF_FFFF) else duration


def _track_size(file: BinaryIO, track: Part) -> tuple[int, int] | None:
    """That of a picture, turned as a phone says it was held."""
    size = None
    for box in boxes(file, track.start, track.end):
        if box.name == b"tkhd":
            content = _read(file, box)
            first, second = unpack(">ii", content[-44:-36])  # of the matrix
            width, height = (side >> 16 for side in unpack(">II", content[-8:]))
            size = (height, width) if first == 0 and second != 0 else (width, height)
        elif box.name == b"mdia":
            handler = next((_read(file, each)[8:12] for each in boxes(file, box.start, box.end) if each.name == b"hdlr"), b"")
            return size if handler == b"vide" else None
    return None


def boxes(file: BinaryIO, start: int, end: int) -> Iterator[Part]:
    for _ in range(MOST_PARTS):
        if start + 8 > end:
            return
        file.seek(start)
        size, name = unpack(">I4s", file.read(8))
        inside = start + 8
        if size == 1:
            size, inside = int.from_bytes(file.read(8)), start + 16
        stop = end if size == 0 else start + size
        if stop < inside or stop > end:
            return
        yield Part(name, inside, stop)
        start = stop


# --- WebM: RFC 8794 (EBML), RFC 9559 (Matroska) ----------------------------------------------------------------------------

_EBML, _DOC_TYPE = b"\x1a\x45\xdf\xa3", b"\x42\x82"
_SEGMENT, _INFO, _TRACKS, _CLUSTER = b"\x18\x53\x80\x67", b"\x15\x49\xa9\x66", b"\x16\x54\xae\x6b", b"\x1f\x43\xb6\x75"
_TIMESTAMP_SCALE, _DURATION = b"\x2a\xd7\xb1", b"\x44\x89"
_TRACK, _VIDEO, _WIDTH, _HEIGHT = b"\xae", b"\xe0", b"\xb0", b"\xba"


def webm(file: BinaryIO, size: int) -> Film | None:
    film = None
    for element in _elements(file, 0, size):
        if element.name == _EBML:
            film = Film(_value(file, element, _DOC_TYPE).rstrip(b"\0").decode("latin-1"))
        elif element.name == _SEGMENT and film:
            _read_segment(file, element, film)
            return film
    return None


def _read_segment(file: BinaryIO, segment: Part, film: Film) -> None:
    for element in _elements(file, segment.start, segment.end):
        if element.name == _INFO:
            scale = int.from_bytes(_value(file, element, _TIMESTAMP_SCALE)) or 1_000_000
            lasts = _value(file, element, _DURATION)
            if len(lasts) in (4, 8):
                film.duration = unpack(">f" if len(lasts) == 4 else ">d", lasts)[0] * scale / 1e9
        elif element.name == _TRACKS:
            tracks = [each for each in _elements(file, element.start, element.end) if each.name == _TRACK]
            videos = [each for track in tracks for each in _elements(file, track.start, track.end) if each.name == _VIDEO]
            if videos:
                width, height = (int.from_bytes(_value(file, videos[0], name)) for name in (_WIDTH, _HEIGHT))
                film.size = (width, height)
        elif element.name == _CLUSTER:
            return


def _value(file: BinaryIO, parent: Part, name: bytes) -> bytes:
    found = next((each for each in _elements(file, parent.start, parent.end) if each.name == name), None)
    return _read(file, found) if found else b""


def _elements(file: BinaryIO, start: int, end: int) -> Iterator[Part]:
    for _ in range(MOST_PARTS):
        if start + 2 > end:
            return
        file.seek(start)
        head = file.read(12)
        name = head[: _length(head[0])]
        length = _length(head[len(name)])
        digits = head[len(name) : len(name) + length]
        size = int.from_bytes(digits) & ((1 << 7 * length) - 1)
        inside = start + len(name) + length
        stop = end if size == (1 << 7 * length) - 1 else min(end, inside + size)  # all ones: it was not known yet
        yield Part(name, inside, stop)
        start = stop


def _length(first: int) -> int:
    """Bytes of a number, by the zeros that it begins with."""
    return 9 - first.bit_length()


def _read(file: BinaryIO, part: Part) -> bytes:
    file.seek(part.start)
    return file.read(min(part.end - part.start, 4096))


# --- AAC by itself: ISO/IEC 13818-7, 6.2 (ADTS) ----------------------------------------------------------------------------

_AAC_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
_AAC_SAMPLES = 1024  # in a frame


def aac(file: BinaryIO, size: int) -> float | None:
    """Seconds; None unless it is frames from beginning to end."""
    position = frames = rate = 0
    while position + 7 <= size:
        file.seek(position)
        head = file.read(7)
        rate = (head[2] >> 2) & 15
        length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
        if head[0] != 0xFF or head[1] & 0xF6 != 0xF0 or rate >= len(_AAC_RATES) or length < 7:
            return None
        position, frames = position + length, frames + 1
    return frames * _AAC_SAMPLES / _AAC_RATES[rate] if frames >= 3 else None
