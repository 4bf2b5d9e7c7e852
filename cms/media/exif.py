"""What a camera wrote into a picture (CIPA DC-008, Exif): which way is up, and what of it readers may get."""

import contextlib

from PIL import ExifTags, Image

ORIENTATION = 0x0112
ARTIST, COPYRIGHT = 0x013B, 0x8298
PLACE = 0x8825  # all that says where
DETAILS, MAKERS_OWN = 0x8769, 0x927C  # how it was taken; therein what nobody but the camera's maker can read, which may say where
OTHERS = {0x02BC, 0x83BB, 0x8649}  # XMP, IPTC and Photoshop's, which may say where, too

_MARK = b"Exif\0\0"


def orientation(image: Image.Image) -> int:
    """From 5 on it lies on its side."""
    value = _of(image).get(ORIENTATION, 1)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def kept(image: Image.Image, *, strip_all: bool, keeps_turn: bool = False) -> bytes | None:
    """What is left for readers: None if all of it may stay as it is, nothing if what is there cannot be read. ``keeps_turn``: also which
    way is up, as the picture stays as it lies."""
    if "exif" not in image.info:
        return None
    found = _of(image)
    stays = {tag: found[tag] for tag in found if (tag in (ARTIST, COPYRIGHT) if strip_all else tag not in {PLACE, ORIENTATION, *OTHERS})}
    if keeps_turn and ORIENTATION in found:
        stays[ORIENTATION] = orientation(image)
    is_turned = orientation(image) != 1 and not keeps_turn
    has_more = set(found) - set(stays) - {ORIENTATION}
    has_more |= found.get_ifd(ExifTags.IFD.IFD1).keys()  # a small picture of all that was there before it was cropped
    if DETAILS in stays:
        stays[DETAILS] = dict(found.get_ifd(DETAILS))
        has_more |= {MAKERS_OWN} & set(stays[DETAILS])
        stays[DETAILS].pop(MAKERS_OWN, None)
    if found and not has_more and not is_turned:
        return None
    return _written(stays) if stays else b""


def marked(content: bytes) -> bytes:
    """As it stands in a JPEG, and as Pillow takes it for all."""
    return _MARK + content if content else b""


def _of(image: Image.Image) -> Image.Exif:
    with contextlib.suppress(Exception):  # Pillow raises what it likes for what is none
        return image.getexif()
    return Image.Exif()


def _written(tags: dict[int, object]) -> bytes:
    exif = Image.Exif()
    exif.update(tags)
    with contextlib.suppress(Exception):
        return exif.tobytes().removeprefix(_MARK)
    return b""
