"""Pictures that people send: looked at, made fit for readers, made smaller. Slow and greedy; for a worker (``imaging.py``).

Files in, files out; raises ``Refused`` with a sentence for people, ``MemoryError`` where the worker's limit is met.
"""

import hashlib
import io
import math
import mmap
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from PIL import AvifImagePlugin, Image, ImageOps, ImageSequence, JpegImagePlugin

from cms.content.renditions import SHAPES, Spec
from cms.media import colours, exif, films, svg
from cms.media.kinds import IS_BROKEN, IS_TOO_BIG, IS_TOO_SLOW, PORTRAIT, Measured, Prepared, Probed, Refused
from cms.media.stripping import notes_size, scan_count, stripped
from cms.wording import say

FORMATS = {"PNG": "png", "JPEG": "jpg", "WEBP": "webp", "AVIF": "avif", "GIF": "gif"}
STILL = ("PNG", "JPEG", "WEBP", "AVIF")  # that logos, icons and portraits may be

MAX_BYTES = 100_000_000
MAX_NOTES = 16_000_000  # bytes that a JPEG may have before the picture begins
MAX_PIXELS = 50_000_000
MAX_PIXELS_OF = {
    "JPEG": 70_000_000,  # as cameras take them; a part of it can be decoded
    **dict.fromkeys(("WEBP", "AVIF"), 16_000_000),  # their decoders keep several copies
}
MAX_FRAMES = 1000
MAX_ANIMATED_PIXELS = 100_000_000  # in all frames: so many can be made into a WebP in ten seconds, even of noise
MAX_SCANNED = 1_000_000_000  # pixels of a JPEG, times that it goes over them
ROOMY = 25_000_000  # pixels: of what has more, no two copies fit into a worker's memory

MAX_LOGO_BYTES = 2_000_000
MAX_LOGO_PIXELS = 4_000_000
MAX_PORTRAIT_BYTES = 8_000_000  # as a phone takes it
MAX_PORTRAIT_PIXELS = 25_000_000
ICON = 512  # pixels, each side

UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
CLOCKWISE = {90: Image.Transpose.ROTATE_270, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_90}

_AVIF_BOXES = {b"ftyp", b"meta", b"moov", b"mdat"}
_NO_SMALL_PICTURE = "This is no picture that can be shown. Send a PNG, JPEG, WebP or AVIF file."

Crop = tuple[int, int, int, int]  # left, top, width, height in ten-thousandths
Edit = Callable[[Image.Image], Image.Image]
Result = TypeVar("Result")

AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # a thread's stack and heap count as memory that the worker takes


# --- looking ---------------------------------------------------------------------------------------------------------------


def look(path: Path) -> Probed:
    """Decodes all of it, so that what is broken is not kept."""
    with _opened(path) as image:
        width, height = _upright_size(image)
        has_alpha = image.has_transparency_data
        image.draft("RGB", (1, 1))  # of a JPEG all is read, but an eighth is kept
        return Probed(str(Image.MIME[str(image.format)]), width, height, _count_frames(image), has_alpha=has_alpha)


def _count_frames(image: Image.Image) -> int:
    """Decodes each. Some formats say beforehand how many there are."""
    width, height = image.size
    most = max(1, min(MAX_FRAMES, MAX_ANIMATED_PIXELS // (width * height)))
    count = 0
    for frame in ImageSequence.Iterator(image):
        count += 1
        if count > most or (image.format != "GIF" and getattr(image, "n_frames", 1) > most):
            raise Refused(
                say("This animation is too long: {frames} pictures of this size at most, please. A video is smaller.", frames=most)
            )
        frame.load()
    return count


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """A picture within the limits."""
    if path.stat().st_size > MAX_BYTES:
        raise Refused(_too_large(MAX_BYTES))
    with path.open("rb") as file:
        if notes_size(file) > MAX_NOTES:
            raise Refused("There is far more in this file than the picture. Save it without its notes, and send that.")
    with _refusing(), Image.open(path, formats=tuple(FORMATS)) as image:
        _limit_pixels(image, MAX_PIXELS_OF.get(str(image.format), MAX_PIXELS))
        if image.format == "JPEG" and _scan_count(path) * math.prod(image.size) > MAX_SCANNED:
            raise Refused(IS_TOO_SLOW)
        yield image


def _scan_count(path: Path) -> int:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return scan_count(content)


@contextmanager
def _refusing(otherwise: str = IS_BROKEN) -> Iterator[None]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    except (Refused, MemoryError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Refused(_too_many_pixels(MAX_PIXELS)) from None
    except Exception as error:  # Pillow raises what it likes for what is no picture
        raise Refused(IS_TOO_BIG if "memory" in str(error) else otherwise) from None


def _limit_pixels(image: Image.Image, most: int) -> None:
    if image.width * image.height > most:
        raise Refused(_too_many_pixels(most))


def _too_large(most: int) -> str:
    return say("This is too large: {size} MB at most, please.", size=most // 1_000_000)


def _too_many_pixels(most: int) -> str:
    return say("This has too many pixels: {most} at most, please, as {side} by {side} are.", most=most, side=int(most**0.5))


def _upright_size(image: Image.Image) -> tuple[int, int]:
    width, height = image.size
    return (height, width) if exif.orientation(image) >= 5 else (width, height)


# --- as readers get it -----------------------------------------------------------------------------------------------------


def prepare(path: Path, out: Path, *, rotation: int = 0, crop: Crop | None = None, strip_all: bool = False) -> Prepared:
    content = _read(path)
    if svg.is_svg(content):
        return _prepared(content, svg.cleaned(content), out, svg.dimensions(content))
    with _opened(path) as image:
        stays_whole = not crop and not rotation and _stays_whole(image)
        profile, kept = colours.foreign_profile(image), exif.kept(image, strip_all=strip_all, keeps_turn=stays_whole)
        moves = [move for move in (UPRIGHT.get(exif.orientation(image)), CLOCKWISE.get(rotation)) if move is not None]
        has_other_pixels = not stays_whole and (bool(moves or crop or profile) or image.mode == "CMYK")
        if not has_other_pixels and image.format != "AVIF":
            return _prepared(content, stripped(content, str(image.format), kept), out, _upright_size(image))
        if not has_other_pixels and not _has_more(image, content, kept):
            return _prepared(content, content, out, image.size)

        def edit(frame: Image.Image) -> Image.Image:
            for move in moves:
                frame = frame.transpose(move)
            return colours.in_srgb(frame.crop(_pixels(crop, frame.size)) if crop else frame, profile)

        if image.width * image.height > ROOMY:
            image.draft(None, (image.width // 2, image.height // 2))  # of a JPEG; of others there is no half
        made, size = _saved_alike(image, content, edit, kept)
        return _prepared(content, made, out, size)


def _stays_whole(image: Image.Image) -> bool:
    """Of what is so large no second copy fits into memory. Browsers turn it as it says and know its colours, and hardly anybody loads it:
    smaller ones are made of it, upright and in sRGB."""
    if image.width * image.height <= ROOMY or image.mode == "CMYK":
        return False
    return image.format == "JPEG" or (image.format == "PNG" and exif.orientation(image) == 1)


def _read(path: Path) -> bytes:
    if path.stat().st_size > MAX_BYTES:
        raise Refused(_too_large(MAX_BYTES))
    return path.read_bytes()


def _prepared(content: bytes, made: bytes, out: Path, size: tuple[int, int]) -> Prepared:
    is_same = made == content
    if not is_same:
        out.write_bytes(made)
    return Prepared(is_same, *size, len(made), hashlib.sha256(made).hexdigest())


def _has_more(image: Image.Image, content: bytes, kept: bytes | None) -> bool:
    """Whether an AVIF, whose parts refer to each other by place, has to be written anew to be without them."""
    boxes = list(films.boxes(io.BytesIO(content), 0, len(content)))
    is_all = bool(boxes) and boxes[-1].end == len(content) and {box.name for box in boxes} <= _AVIF_BOXES
    return kept is not None or "xmp" in image.info or not is_all


def _pixels(crop: Crop, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """At least one pixel, and none outside."""
    left, top = (min(side - 1, round(part * side / 10_000)) for part, side in zip(crop[:2], size, strict=True))
    right, bottom = (
        max(low + 1, min(side, round((at + part) * side / 10_000)))
        for low, at, part, side in zip((left, top), crop[:2], crop[2:], size, strict=True)
    )
    return left, top, right, bottom


def _saved_alike(image: Image.Image, content: bytes, edit: Edit, kept: bytes | None) -> tuple[bytes, tuple[int, int]]:
    """In the format that it had, as like it as can be."""
    form = str(image.format)
    said: dict[str, Any] = {"exif": image.info.get("exif", b"") if kept is None else exif.marked(kept)}
    if form == "JPEG":
        sampling = JpegImagePlugin.get_sampling(image)
        said |= {"quality": 92, "subsampling": sampling if sampling in (0, 1, 2) else 2}
    elif form == "WEBP":
        said |= {"lossless": True} if content[12:16] == b"VP8L" else {"quality": 92}
    elif form == "AVIF":
        said |= {"quality": 85, "speed": 8, "max_threads": 1}
    if getattr(image, "n_frames", 1) > 1:
        return _animated(image, edit, form, **said)
    made = edit(image)
    return _saved(made, form, **said), made.size


def _saved(image: Image.Image, form: str, **said: Any) -> bytes:
    image.info = {name: value for name, value in image.info.items() if name == "transparency"}  # the rest is written unasked by some
    kept = io.BytesIO()
    image.save(kept, form, **said)
    return kept.getvalue()


class _Frames(Image.Image):
    """An animation whose frames are made when they are asked for: all at once would not fit into memory."""

    def __init__(self, source: Image.Image, edit: Edit) -> None:
        super().__init__()
        self.source, self.edit = source, edit
        self.n_frames, self.is_animated = getattr(source, "n_frames", 1), True
        self.durations: list[int] = []
        self.at = -1
        self.seek(0)

    def seek(self, frame: int) -> None:
        if frame >= self.n_frames:
            raise EOFError
        if frame == self.at:
            return
        self.source.seek(frame)
        made = self.edit(self.source.convert("RGBA"))
        self.im, self._mode, self._size = made.im, made.mode, made.size
        self.at = frame
        if frame == len(self.durations):
            self.durations.append(int(self.source.info.get("duration", 0)))

    def tell(self) -> int:
        return self.at


def _animated(image: Image.Image, edit: Edit, form: str, **said: Any) -> tuple[bytes, tuple[int, int]]:
    frames = _Frames(image, edit)
    kept = io.BytesIO()
    if form != "GIF" or "loop" in image.info:  # a GIF that does not say plays once
        said["loop"] = image.info.get("loop", 1)
    frames.save(kept, form, save_all=True, duration=frames.durations, **said)
    return kept.getvalue(), frames.size


# --- smaller ---------------------------------------------------------------------------------------------------------------


def rendition(path: Path, out: Path, spec: Spec) -> tuple[int, int, int]:
    """Width, height, bytes."""
    with _opened(path) as image:
        upright, profile = UPRIGHT.get(exif.orientation(image)), colours.foreign_profile(image)
        whole = _upright_size(image)
        part = _part(whole, spec)
        size = _size(whole, part, spec.width)

        def edit(frame: Image.Image) -> Image.Image:
            return colours.in_srgb(_resized(frame if upright is None else frame.transpose(upright), part, size), profile)

        if spec.format == "webp" and getattr(image, "n_frames", 1) > 1:
            made, _ = _animated(image, edit, "WEBP", quality=75, method=0)
        else:
            _draft(image, part, size)
            has_few_colours = spec.format == "png" and _has_few_colours(image)
            there_is = (part[2] - part[0]) * _upright_size(image)[0]
            made = _encoded(edit(_lessened(image, int(there_is / size[0]))), spec.format, has_few_colours)
    out.write_bytes(made)
    return (*size, len(made))


Part = tuple[float, float, float, float]  # left, top, right, bottom, of 1


def _part(whole: tuple[int, int], spec: Spec) -> Part:
    """As much as there is of this shape, as near the focus as can be."""
    if not spec.shape:
        return (0.0, 0.0, 1.0, 1.0)
    shape = SHAPES[spec.shape]
    ratio = whole[0] * shape[1] / (whole[1] * shape[0])  # over 1: wider than wanted
    width, height = min(1.0, 1 / ratio), min(1.0, ratio)
    left, top = (min(max(at / 100 - side / 2, 0.0), 1.0 - side) for at, side in zip(spec.focus, (width, height), strict=True))
    return (left, top, left + width, top + height)


def _size(whole: tuple[int, int], part: Part, wanted: int) -> tuple[int, int]:
    """Never more than there is."""
    has_width, has_height = (part[2] - part[0]) * whole[0], (part[3] - part[1]) * whole[1]
    width = max(1, min(wanted, round(has_width)))
    return width, max(1, round(width * has_height / has_width))


def _draft(image: Image.Image, part: Part, size: tuple[int, int]) -> None:
    """Of a JPEG no more is decoded than is needed."""
    needed = (math.ceil(size[0] / (part[2] - part[0])), math.ceil(size[1] / (part[3] - part[1])))
    image.draft(None, needed if exif.orientation(image) < 5 else needed[::-1])


def _lessened(image: Image.Image, factor: int) -> Image.Image:
    """What can be made smaller within a worker's memory. Of a large picture that is one in strips, as no second copy of all of it fits."""
    image.load()
    vars(image).pop("_decoder", None)  # that of WebP and AVIF keeps copies of its own
    if factor < 2 or image.width * image.height < ROOMY:
        return image
    made = None
    for top in range(0, image.height, 64 * factor):
        strip = _plain(image.crop((0, top, image.width, min(image.height, top + 64 * factor)))).reduce(factor)
        made = made or Image.new(strip.mode, (strip.width, math.ceil(image.height / factor)))
        made.paste(strip, (0, top // factor))
    image.close()
    return made or image


def _resized(image: Image.Image, part: Part, size: tuple[int, int]) -> Image.Image:
    image = _plain(image)
    box = (part[0] * image.width, part[1] * image.height, part[2] * image.width, part[3] * image.height)
    return image.resize(size, Image.Resampling.LANCZOS, box, reducing_gap=2.0)


def _plain(image: Image.Image) -> Image.Image:
    """In a mode in which it can be made smaller."""
    if image.mode.startswith("I"):
        return image.point(lambda value: value * (1 / 256)).convert("L")
    if image.mode in ("RGBA", "LA", "CMYK") or (image.mode in ("RGB", "L") and not image.has_transparency_data):
        return image
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _encoded(image: Image.Image, form: str, has_few_colours: bool) -> bytes:
    match form:
        case "avif":
            return _saved(image, "AVIF", quality=60, speed=9, max_threads=1)  # at 8 it takes four times as long, and is no smaller
        case "webp":
            return _saved(image, "WEBP", quality=80, method=2)
        case "jpg":
            return _saved(_on_white(image), "JPEG", quality=82, optimize=True, progressive=True)
        case "gif":
            return _saved(image, "GIF")
        case _:
            return _saved(_with_palette(image) if has_few_colours and image.mode in ("RGB", "RGBA") else image, "PNG", optimize=True)


def _has_few_colours(image: Image.Image) -> bool:
    return image.mode == "P" or (image.mode in ("RGB", "RGBA") and image.getcolors(256) is not None)


def _with_palette(image: Image.Image) -> Image.Image:
    method = Image.Quantize.FASTOCTREE if image.mode == "RGBA" else Image.Quantize.MEDIANCUT
    return image.quantize(256, method, dither=Image.Dither.NONE)


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode not in ("RGBA", "LA"):
        return image
    plain = Image.new("RGB", image.size, "white")
    plain.paste(image.convert("RGB"), mask=image.getchannel("A"))
    return plain


# --- of people and sites ---------------------------------------------------------------------------------------------------


def measure(content: bytes) -> Measured:
    """A picture that is kept as it is."""

    def measured(image: Image.Image) -> Measured:
        image.load()
        return Measured(FORMATS[str(image.format)], _upright_size(image))

    return _small(content, MAX_LOGO_BYTES, MAX_LOGO_PIXELS, measured)


def portrait(content: bytes) -> bytes:
    """The middle of a picture, square and small, as a WebP of our own: what else was in the file (where it was taken, and by whom) is not
    in this one."""
    return _small(content, MAX_PORTRAIT_BYTES, MAX_PORTRAIT_PIXELS, _portrait)


def icon(content: bytes) -> bytes:
    """The middle of a picture, square, as a PNG that keeps what can be seen through."""
    return _small(content, MAX_LOGO_BYTES, MAX_LOGO_PIXELS, _icon)


def _small(content: bytes, most_bytes: int, most_pixels: int, made: Callable[[Image.Image], Result]) -> Result:
    if len(content) > most_bytes:
        raise Refused(_too_large(most_bytes))
    with _refusing(_NO_SMALL_PICTURE), Image.open(io.BytesIO(content), formats=STILL) as image:
        _limit_pixels(image, most_pixels)
        return made(image)


def _icon(image: Image.Image) -> bytes:
    fitted = ImageOps.fit(ImageOps.exif_transpose(image).convert("RGBA"), (ICON, ICON), Image.Resampling.LANCZOS)
    return _saved(fitted, "PNG", optimize=True)


def _portrait(image: Image.Image) -> bytes:
    image.draft("RGB", (2 * PORTRAIT, 2 * PORTRAIT))
    upright = ImageOps.exif_transpose(image).convert("RGBA")
    return _saved(_on_white(ImageOps.fit(upright, (PORTRAIT, PORTRAIT), Image.Resampling.LANCZOS)), "WEBP", quality=82)
