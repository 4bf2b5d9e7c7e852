"""Words and addresses of the library's pages."""

from collections.abc import Mapping

from cms.content.renditions import SHAPES, Spec, formats, path
from cms.media.kinds import SVG
from cms.models import Asset
from cms.models.media import MediaKind
from cms.ui.words import Words
from cms.wording import phrases, say

KINDS: Mapping[str, tuple[str, str]] = {  # of an asset: word for several, icon
    "picture": (say("Pictures"), "media"),
    "audio": (say("Sound"), "audio"),
    "video": (say("Films"), "video"),
    "captions": (say("Captions"), "captions"),
    "file": (say("Files"), "file"),
}
DONE: Mapping[str, tuple[str, str]] = phrases(
    {  # act → what is said of one, and of several
        "move": ("%d file was moved.", "%d files were moved."),
        "add_tags": ("Tags were added to %d file.", "Tags were added to %d files."),
        "remove_tags": ("Tags were taken from %d file.", "Tags were taken from %d files."),
        "trash": ("%d file was moved to the trash.", "%d files were moved to the trash."),
        "describe": ("%d alternative text was saved.", "%d alternative texts were saved."),
        "restore": ("%d file was taken out of the trash.", "%d files were taken out of the trash."),
        "delete": ("%d file was deleted for good.", "%d files were deleted for good."),
    }
)
ASKED: Mapping[str, str] = phrases({"trash": "Move to the trash all the same?", "delete": "Delete for good?"})
UNITS = ("B", "kB", "MB", "GB", "TB")
THUMBNAIL = 320  # pixels wide


def file_size(number: int, dates: Words) -> str:
    """412 kB; with a decimal where that says more."""
    value, unit = float(number), 0
    while value >= 999.5 and unit < len(UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{dates.number(round(value, 1) if unit > 1 and value < 100 else round(value))} {UNITS[unit]}"


def thumbnail(asset: Asset) -> str:
    """The address of a small picture of it; "" if it is none. What is small already is shown as it is, as are drawings."""
    if asset.kind is not MediaKind.PICTURE:
        return ""
    offered = formats(asset.content_type, asset.frames)
    if not offered or (asset.width or 0) <= THUMBNAIL:
        return asset.path
    return path(asset.path, Spec(THUMBNAIL, "webp"))


def is_whole(asset: Asset) -> bool:
    """Whether nothing of it is cut off in a grid: a drawing, what is small, and what would lose half of it."""
    width, height = asset.width or 0, asset.height or 0
    return asset.content_type == SVG or min(width, height) < THUMBNAIL // 2 or not 2 / 3 <= width / height <= 8 / 3


def markdown(asset: Asset) -> str:
    """What a text needs to show it. A text that says nothing of a picture has the library's words, as they are then."""
    words, mark = ("", "!") if asset.kind in (MediaKind.PICTURE, MediaKind.AUDIO, MediaKind.VIDEO) else (asset.name, "")
    return f"{mark}[{words}](/media/{asset.id}/{asset.name})"


def crops(asset: Asset) -> list[tuple[str, str]]:
    """Shape, and what of the picture it shows, as a view box: as large as fits, with the focus as near to its middle as it can be."""
    width, height = asset.width or 0, asset.height or 0
    if asset.kind is not MediaKind.PICTURE or not width or not height:
        return []
    found = []
    for name, (across, down) in SHAPES.items():
        inner = min(width, height * across / down)
        size = (inner, inner * down / across)
        places = zip((width, height), size, asset.focus, strict=True)
        corner = (max(0, min(whole - part, whole * at / 100 - part / 2)) for whole, part, at in places)
        found.append((name, " ".join(f"{number:.0f}" for number in (*corner, *size))))
    return found
