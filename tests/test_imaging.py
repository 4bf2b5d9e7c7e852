"""Pictures are looked at in processes with hard limits, and whoever sends a bomb is told so."""

import asyncio
import os
import resource
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image

from cms import imaging as imaging_module
from cms.content.renditions import Spec
from cms.errors import InvalidInput, Unavailable
from cms.imaging import MEMORY_BYTES, Imaging
from tests.media import made

_MEGABYTE = 1_000_000


@pytest.fixture
async def imaging() -> AsyncIterator[Imaging]:
    imaging = Imaging()
    yield imaging
    await imaging.close()


def _workers(imaging: Imaging) -> list[int]:
    assert imaging._looking._pool
    return list(imaging._looking._pool.result()._pool._pool_manager.worker_manager.workers)


def _kept(folder: Path, content: bytes) -> Path:
    path = folder / "sent"
    path.write_bytes(content)
    return path


async def test_workers_do_what_is_done_to_pictures(imaging: Imaging, tmp_path: Path) -> None:
    assert not imaging._looking.is_started, "a site without pictures has no process for them"
    sent, out = _kept(tmp_path, made.saved(made.lying(6), "JPEG", exif=made.camera(6))), tmp_path / "out"
    probed = await imaging.probe(sent)
    assert (probed.content_type, probed.kind, probed.extension, probed.width, probed.height) == ("image/jpeg", "picture", "jpg", 60, 40)
    prepared = await imaging.prepare(sent, out, rotation=90)
    assert (prepared.is_same, prepared.width, prepared.height, prepared.size) == (False, 40, 60, out.stat().st_size)
    assert await imaging.rendition(out, tmp_path / "small", Spec(320, "avif")) == (40, 60, (tmp_path / "small").stat().st_size)
    assert (await imaging.measure(sent.read_bytes())).dimensions == (60, 40)
    assert (await imaging.portrait(sent.read_bytes()))[8:12] == b"WEBP"
    assert (await imaging.icon(sent.read_bytes()))[1:4] == b"PNG"


HOSTILE = {
    "400 Mpx": made.png_bomb(20_000, 20_000),
    "65,535 x 65,535": made.claim(65_535, 65_535),
    "100,000 frames": made.long_gif(100_000),
    "nested ZIP": made.nested_zip(),
    "huge EXIF": made.with_segments(made.picture("JPEG"), 1400),
    "truncated": made.picture("JPEG", (300, 300))[:-200],
    "script": b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>',
    "entities": b'<!DOCTYPE svg [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><svg xmlns="http://www.w3.org/2000/svg">&b;</svg>',
    "nested SVG": b'<svg xmlns="http://www.w3.org/2000/svg">' + b"<g>" * 200_000 + b"</g>" * 200_000 + b"</svg>",
    "GIF and JS": b"GIF89a/*" + bytes(20) + b"*/=1;alert(1)",
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_bombs_are_refused_in_a_sentence_and_leave_nothing(imaging: Imaging, tmp_path: Path, name: str) -> None:
    sent = _kept(tmp_path, HOSTILE[name])
    with pytest.raises(InvalidInput) as caught:
        await imaging.probe(sent)
    assert caught.value.errors["file"].endswith((".", "smaller."))
    assert list(tmp_path.iterdir()) == [sent]
    assert (await imaging.probe(_kept(tmp_path, made.picture("PNG")))).width == 60


async def test_memory_of_a_worker_is_bounded_whatever_it_opens(imaging: Imaging, tmp_path: Path) -> None:
    await imaging.probe(_kept(tmp_path, made.picture("PNG")))
    (worker,) = _workers(imaging)
    limit, _ = resource.prlimit(worker, resource.RLIMIT_AS)
    had = int(Path(f"/proc/{worker}/statm").read_text().split()[0]) * resource.getpagesize()
    assert limit <= had + MEMORY_BYTES
    small = Imaging(memory_bytes=20 * _MEGABYTE)
    try:
        with pytest.raises(InvalidInput, match="needs too much memory"):
            await small.prepare(_kept(tmp_path, made.picture("PNG", (3000, 3000))), tmp_path / "out", rotation=90)
    finally:
        await small.close()
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("form", "size", "mode", "options"),
    [
        ("JPEG", (9504, 6336), "RGB", {}),
        ("PNG", (7000, 7000), "RGBA", {"compress_level": 1}),
        ("WEBP", (4000, 4000), "RGB", {"method": 0}),
        ("AVIF", (4000, 4000), "RGB", {"speed": 10}),
    ],
)
async def test_the_largest_pictures_that_are_taken_become_smaller_ones(
    imaging: Imaging, tmp_path: Path, form: str, size: tuple[int, int], mode: str, options: dict[str, int]
) -> None:
    sent = _kept(tmp_path, made.picture(form, size, mode, **options))
    assert ((await imaging.probe(sent)).width) == size[0]
    assert (await imaging.rendition(sent, tmp_path / "out", Spec(2560, "avif")))[0] == 2560


@pytest.mark.parametrize("strip_all", [False, True])
async def test_a_photograph_of_which_no_two_copies_fit_into_memory_stays_whole(imaging: Imaging, tmp_path: Path, strip_all: bool) -> None:
    """48 Mpx, of a camera that lay on its side: smaller ones are upright."""
    sent, out = _kept(tmp_path, made.picture("JPEG", (8064, 6048), exif=made.camera(6), icc_profile=made.wide_profile())), tmp_path / "out"
    prepared = await imaging.prepare(sent, out, strip_all=strip_all)
    assert (prepared.is_same, prepared.width, prepared.height) == (False, 6048, 8064)
    with Image.open(out) as image, Image.open(sent) as before:
        assert (image.size, image.info["icc_profile"]) == (before.size, before.info["icc_profile"])
        tags = {0x0112: 6, 0x8298: "(c) A. Writer", **({} if strip_all else {0x010F: "A camera"})}
        assert dict(image.getexif()) == tags, "and no place"
    assert sent.read_bytes()[-100_000:] == out.read_bytes()[-100_000:]
    assert (await imaging.prepare(out, tmp_path / "again", strip_all=strip_all)).is_same
    assert (await imaging.rendition(out, tmp_path / "small", Spec(640, "webp")))[:2] == (640, 853)
    cut = await imaging.prepare(sent, tmp_path / "cut", crop=(0, 0, 5000, 10_000))
    assert (cut.width, cut.height) == (1512, 4032), "of what is cut, half the pixels"


async def test_work_without_end_is_ended_by_the_kernel(imaging: Imaging, tmp_path: Path) -> None:
    hasty = Imaging(cpu_seconds=0.2)
    try:
        with pytest.raises(InvalidInput, match="takes too long"):
            await hasty.rendition(_kept(tmp_path, made.picture("PNG", (7000, 7000))), tmp_path / "out", Spec(2560, "avif"))
        assert (await hasty.probe(_kept(tmp_path, made.picture("PNG")))).width == 60
    finally:
        await hasty.close()
    assert not (tmp_path / "out").exists()


async def test_the_clock_is_a_second_limit(imaging: Imaging, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imaging_module, "_work", os_pause)
    monkeypatch.setattr(imaging_module, "WALL_SECONDS", 0.1)
    with pytest.raises(InvalidInput, match="takes too long"):
        await imaging.probe(tmp_path)


def os_pause(*_arguments: object) -> None:
    """For ever, and without any work."""
    signal.pause()


async def test_a_worker_that_is_ended_is_replaced(imaging: Imaging, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = _kept(tmp_path, made.picture("PNG"))
    await imaging.probe(sent)
    os.kill(_workers(imaging)[0], signal.SIGKILL)
    assert (await imaging.probe(sent)).width == 60
    for number, error in ((signal.SIGKILL, Unavailable), (signal.SIGSEGV, InvalidInput)):
        with monkeypatch.context() as broken:
            broken.setattr(imaging_module, "_work", {signal.SIGKILL: be_killed, signal.SIGSEGV: crash}[number])
            with pytest.raises(error):
                await imaging.prepare(sent, tmp_path / "out")
        assert (await imaging.probe(sent)).width == 60


def be_killed(*_arguments: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def crash(*_arguments: object) -> None:
    """As a decoder does that trusts what it reads."""
    os.kill(os.getpid(), signal.SIGSEGV)


async def test_readers_never_wait_for_what_somebody_sends(imaging: Imaging, tmp_path: Path) -> None:
    """Which is looked at until somebody writes into the other end."""
    picture, endless = _kept(tmp_path, made.picture("PNG")), tmp_path / "endless"
    os.mkfifo(endless)
    sent = [asyncio.create_task(imaging.probe(each)) for each in (endless, picture)]
    assert (await imaging.rendition(picture, tmp_path / "out", Spec(320, "webp")))[:2] == (60, 40)
    assert not any(task.done() for task in sent)
    await asyncio.to_thread(endless.write_bytes, b"")
    assert [(await task).content_type for task in sent] == ["application/octet-stream", "image/png"]


async def test_closing_tells_whoever_still_waits(imaging: Imaging, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await imaging.probe(_kept(tmp_path, made.picture("PNG")))
    monkeypatch.setattr(imaging_module, "_work", os_pause)
    waiting = asyncio.create_task(imaging.prepare(tmp_path / "sent", tmp_path / "out"))
    while not imaging._looking._waiting:
        await asyncio.sleep(0.01)
    await imaging.close()
    await imaging.close()
    with pytest.raises(Unavailable, match="closing down"):
        await waiting
    with pytest.raises(Unavailable, match="closing down"):
        await imaging.probe(tmp_path / "sent")
