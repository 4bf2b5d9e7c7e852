"""What files are, told by what is in them."""

import math
from pathlib import Path

import pytest

from cms.media.kinds import UNKNOWN, Probed, Refused
from cms.media.probing import probe
from tests.media import made


@pytest.fixture
def of(tmp_path: Path):
    def of(content: bytes) -> Probed:
        path = tmp_path / "sent"
        path.write_bytes(content)
        return probe(path)

    return of


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (made.picture("JPEG"), Probed("image/jpeg", 60, 40)),
        (made.saved(made.lying(6), "JPEG", exif=made.camera(6)), Probed("image/jpeg", 60, 40)),
        (made.picture("PNG"), Probed("image/png", 60, 40)),
        (made.picture("PNG", mode="RGBA", colour=(1, 2, 3, 4)), Probed("image/png", 60, 40, has_alpha=True)),
        (made.picture("WEBP"), Probed("image/webp", 60, 40)),
        (made.picture("AVIF"), Probed("image/avif", 60, 40)),
        (made.picture("GIF"), Probed("image/gif", 60, 40)),
        (made.animation("GIF", 5), Probed("image/gif", 40, 30, frames=5)),
        (made.animation("WEBP", 3), Probed("image/webp", 40, 30, frames=3)),
        (made.animation("PNG", 3), Probed("image/png", 40, 30, frames=3)),
        (made.SVG, Probed("image/svg+xml", 189, 94, has_alpha=True)),
        *(
            (made.drawing(size), Probed("image/svg+xml", *seen, has_alpha=True))
            for size, seen in (
                ("", (300, 150)),
                ('width="100%"', (300, 150)),
                ('width="90" viewBox="0 0 0 0"', (90, 150)),
                (f'width="{"9" * 400}" height="9"', (300, 150)),
                (f'width="{"9" * 300_000}x" height="9"', (300, 9)),
            )
        ),
        (made.drawing('viewBox="0 0 80000000000 40000000000"'), Probed("image/svg+xml", 10_000, 5000, has_alpha=True)),
        (made.mp3(), Probed("audio/mpeg", duration=1.045)),
        (made.aac(), Probed("audio/aac", duration=0.929)),
        (made.wav(), Probed("audio/wav", duration=0.5)),
        (made.flac(), Probed("audio/flac", duration=3.0)),
        (made.opus(), Probed("audio/ogg", duration=3.0)),
        (made.mp4(b"M4A ", pictures=False), Probed("audio/mp4", duration=2.5)),
        (made.mp4(b"isom"), Probed("video/mp4", 640, 360, duration=2.5)),
        (made.mp4(b"isom", turned=True), Probed("video/mp4", 360, 640, duration=2.5)),
        (made.mp4(b"qt  "), Probed("video/quicktime", 640, 360, duration=2.5)),
        (made.webm(), Probed("video/webm", 320, 240, duration=4.5)),
        *((made.webm(lasts=lasts), Probed("video/webm", 320, 240)) for lasts in (math.inf, math.nan, -4.5, 1e300)),
        *((made.webm(width=width), Probed("video/webm", duration=4.5)) for width in (b"", b"\xff" * 5, b"\xff" * 4000)),
        (made.PDF, Probed("application/pdf")),
        (made.zipped({"a.txt": b"a"}), Probed("application/zip")),
        (made.office("word"), Probed("application/vnd.openxmlformats-officedocument.wordprocessingml.document")),
        (made.office("xl"), Probed("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")),
        (made.office("ppt"), Probed("application/vnd.openxmlformats-officedocument.presentationml.presentation")),
        *((made.declared(name), Probed(name)) for name in ("application/epub+zip", "application/vnd.oasis.opendocument.text")),
        (b"WEBVTT\n\n00:00.000 --> 00:01.000\nTide\n", Probed("text/vtt")),
        (made.JSON, Probed("application/json")),
        ("Tide, höher\n1,2\n".encode(), Probed("text/plain")),
    ],
)  # fmt: skip
def test_content_says_what_a_file_is(of, content: bytes, expected: Probed) -> None:
    found = of(content)
    assert (found.content_type, found.width, found.height, found.frames, found.has_alpha) == (
        expected.content_type, expected.width, expected.height, expected.frames, expected.has_alpha,
    )  # fmt: skip
    assert found.duration == pytest.approx(expected.duration, abs=0.1)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<!doctype html><script>1</script>",
        b"\xef\xbb\xbf \n<HTML>",
        b"<!-- <svg --><html><svg></svg></html>",
        b"#!/bin/sh\nrm -rf /\n",
        b"<?php phpinfo();",
        b"\x7fELF" + bytes(60),
        b"MZ" + bytes(60),
        b"text with a zero \0 in it",
        b"latin \xe9",
        made.PDF[:20],
        made.mp3()[:4],
        b"ID3\x04" + bytes(60),
        made.mp4(b"isom")[:-80],
        made.webm(b"matroska"),
        b"PK\3\4" + bytes(60),
        made.zipped({"[Content_Types].xml": b"", "word/document.xml": b"", "word/vbaProject.bin": b"programs"}),
        b"RIFF\x10\0\0\0WAVEfmt ",
    ],
)
def test_what_only_begins_like_something_is_nothing(of, content: bytes) -> None:
    assert of(content) == Probed(UNKNOWN)


def test_name_keeps_an_ending_that_says_what_the_file_is() -> None:
    assert Probed("image/jpeg").extension_for("harbour.JPEG") == "jpeg"
    assert Probed("image/jpeg").extension_for("harbour.png") == "jpg"
    assert Probed("text/plain").extension_for("tides.csv") == "csv"
    assert Probed("text/plain").extension_for("tides.html") == "txt"
    assert (Probed("video/webm").kind, Probed("text/vtt").kind, Probed(UNKNOWN).extension_for("a.exe")) == ("video", "captions", "bin")


@pytest.mark.parametrize("form", ["TIFF", "BMP", "JPEG2000"])
def test_pictures_that_no_browser_shows_are_refused(of, form: str) -> None:
    with pytest.raises(Refused, match="Save it as a JPEG or PNG"):
        of(made.picture(form))


def test_photographs_of_phones_are_refused_with_what_to_send(of) -> None:
    with pytest.raises(Refused, match="Save it as a JPEG or PNG"):
        of(made.box(b"ftyp", b"heic\0\0\0\0mif1heic") + bytes(100))


@pytest.mark.parametrize("content", [made.nested_zip(), made.stored_zip(3), made.stored_zip(6), made.zipped({"0": bytes(150_000_000)})])
def test_archives_that_grow_without_end_are_refused(of, content: bytes) -> None:
    with pytest.raises(Refused, match="unpacked"):
        of(content)


def test_archives_in_archives_are_taken(of) -> None:
    assert of(made.stored_zip(3, bytes(1000))) == Probed("application/zip")
