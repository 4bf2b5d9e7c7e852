"""What it costs that pictures are made smaller in processes with limits: against Pillow by itself, in one process, in the same run.

``python -m bench.renditions [--rounds 3]``: all renditions of a photograph of 12 Mpx (JPEG) and of a screenshot (PNG), one worker and plain
Pillow by turns; then as many workers as there are cores. Fails if one worker makes fewer than ``RATIO`` times as many in a second.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from cms.content.renditions import Spec, specs
from cms.imaging import Imaging

RATIO = 0.9
WORDS = "The boats lie on their sides until the tide is back"
ENCODED: dict[str, tuple[str, dict[str, Any]]] = {  # as in media/pictures.py
    "avif": ("AVIF", {"quality": 60, "speed": 9, "max_threads": 1}),
    "webp": ("WEBP", {"quality": 80, "method": 2}),
    "jpg": ("JPEG", {"quality": 82, "optimize": True, "progressive": True}),
    "png": ("PNG", {"optimize": True}),
}


def photograph(path: Path) -> None:
    noise = Image.merge("RGB", [Image.effect_noise((1000, 750), 40) for _ in range(3)])
    noise.resize((4000, 3000), Image.Resampling.BICUBIC).save(path, "JPEG", quality=92)


def screenshot(path: Path) -> None:
    image = Image.new("RGB", (2880, 1800), "#f4f1ea")
    draw = ImageDraw.Draw(image)
    for column in range(4):
        draw.rectangle((40 + 710 * column, 40, 700 + 710 * column, 1760), "white", "#1f5f8b", 3)
        for line in range(60):
            draw.text((60 + 710 * column, 60 + 28 * line), f"{line:02} {WORDS}", "#222", font_size=20)
    image.save(path, "PNG")


def plain(path: Path, spec: Spec) -> None:
    """What anybody writes who has Pillow and a file that can be trusted."""
    with Image.open(path) as image:
        size = (spec.width, round(spec.width * image.height / image.width))
        image.draft(None, size)
        form, said = ENCODED[spec.format]
        image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0).save(path.with_name("plain"), form, **said)


async def ours(imaging: Imaging, path: Path, wanted: list[Spec], at_once: int) -> float:
    """Seconds for all."""
    began, waiting = time.perf_counter(), iter(wanted)

    async def work(number: int, waiting: Iterator[Spec]) -> None:
        for spec in waiting:
            await imaging.rendition(path, path.with_name(f"ours{number}"), spec)

    await asyncio.gather(*(work(number, waiting) for number in range(at_once)))
    return time.perf_counter() - began


def theirs(path: Path, wanted: list[Spec]) -> float:
    began = time.perf_counter()
    for spec in wanted:
        plain(path, spec)
    return time.perf_counter() - began


async def measure(name: str, path: Path, content_type: str, size: tuple[int, int], rounds: int) -> bool:
    wanted, cores = list(specs(content_type, *size)), os.cpu_count() or 1
    one, many = Imaging(workers=1), Imaging(workers=cores)
    try:
        for imaging in (one, many):  # their processes start with the first picture
            await asyncio.gather(*(imaging.rendition(path, path.with_name(f"first{number}"), wanted[0]) for number in range(cores)))
        by_turns = [(await ours(one, path, wanted, 1), theirs(path, wanted)) for _ in range(rounds)]
        all_cores = min([await ours(many, path, wanted, cores) for _ in range(rounds)])
    finally:
        await one.close()
        await many.close()
    mine, pillow = (len(wanted) / min(seconds) for seconds in zip(*by_turns, strict=True))  # the least disturbed ones
    print(
        f"{name}: {mine:.2f} renditions a second and core, Pillow by itself {pillow:.2f}: {mine / pillow:.2f} (at least {RATIO}); "
        f"{len(wanted) / all_cores:.2f} a second on {cores} cores"
    )
    return mine / pillow >= RATIO


async def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        photo, screen = Path(folder) / "photo", Path(folder) / "screen"
        photograph(photo)
        screenshot(screen)
        reached = [
            await measure("photograph", photo, "image/jpeg", (4000, 3000), rounds),
            await measure("screenshot", screen, "image/png", (2880, 1800), rounds),
        ]
    return 0 if all(reached) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
