"""Pictures as readers get them, smaller ones, and those that are refused."""

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageCms, ImageSequence

from cms.content.renditions import Spec
from cms.media.kinds import PORTRAIT, Prepared, Refused
from cms.media.pictures import MAX_LOGO_BYTES, icon, look, measure, portrait, prepare, rendition
from tests.media import made
from tests.media.made import GPS, claim, picture


class Desk:
    """A folder with a picture that was sent, and one that is made of it."""

    def __init__(self, folder: Path) -> None:
        self.sent, self.out = folder / "sent", folder / "out"
        self.kept = b""  # what ``prepared`` made

    def prepare(self, content: bytes, **options: Any) -> Prepared:
        self.sent.write_bytes(content)
        self.out.unlink(missing_ok=True)
        prepared = prepare(self.sent, self.out, **options)
        assert self.out.exists() is not prepared.is_same
        return prepared

    def prepared(self, content: bytes, **options: Any) -> Image.Image:
        """What becomes of it, which would stay as it is."""
        said = self.prepare(content, **options)
        assert not said.is_same
        kept = self.kept = self.out.read_bytes()
        assert (said.width, said.height, said.size) == (*self.made.size, len(kept))
        made = self.made
        assert self.prepare(kept, strip_all=options.get("strip_all", False)).is_same
        return made

    def rendition(self, content: bytes, spec: Spec) -> Image.Image:
        self.sent.write_bytes(content)
        width, height, size = rendition(self.sent, self.out, spec)
        assert size == self.out.stat().st_size
        made = self.made
        assert made.size == (width, height)
        return made

    @property
    def made(self) -> Image.Image:
        return Image.open(io.BytesIO(self.out.read_bytes()))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def seen(image: Image.Image) -> list[str]:
    """The colours in the corners, clockwise from the upper left."""
    names = {(1, 0, 0): "red", (0, 1, 0): "lime", (0, 0, 1): "blue", (1, 1, 1): "white"}
    width, height = image.size
    spots = [(5, 5), (width - 6, 5), (width - 6, height - 6), (5, height - 6)]
    plain = image.convert("RGB")
    return [names.get(tuple(int(value > 127) for value in plain.getpixel(spot)), "?") for spot in spots]


UPRIGHT = ["red", "lime", "blue", "white"]
FORMS = ["JPEG", "PNG", "WEBP", "AVIF"]


# --- as readers get it -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_stand_upright(desk: Desk, form: str, orientation: int) -> None:
    made_upright = desk.prepared(made.saved(made.lying(orientation), form, exif=made.camera(orientation), quality=95))
    assert (made_upright.size, seen(made_upright)) == ((60, 40), UPRIGHT)
    assert made_upright.getexif().get(0x0112, 1) == 1


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("orientation", [1, 6])
def test_the_place_goes_and_whose_it_is_stays(desk: Desk, form: str, orientation: int) -> None:
    sent = made.saved(made.lying(orientation), form, exif=made.camera(orientation))
    exif = desk.prepared(sent).getexif()
    assert (exif.get(0x8298), exif.get(0x010F), GPS in exif) == ("(c) A. Writer", "A camera", False)
    assert dict(desk.prepared(sent, strip_all=True).getexif()) == {0x8298: "(c) A. Writer"}


@pytest.mark.parametrize("form", FORMS)
def test_what_was_cut_away_is_not_in_a_small_picture_beside_it(desk: Desk, form: str) -> None:
    small = made.picture("JPEG")
    sent = made.saved(made.corners(), form, exif=made.with_small_picture(small))
    assert small in sent
    for options in ({}, {"crop": (5000, 5000, 5000, 5000)}):
        assert desk.prepared(sent, **options).getexif()[0x010F] == "Cam"
        assert b"\xff\xd8\xff" not in desk.kept[3:]


@pytest.mark.parametrize("form", [*FORMS, "GIF"])
def test_nothing_is_written_where_nothing_has_to_change(desk: Desk, form: str) -> None:
    sent = made.saved(made.corners(), form)
    said = desk.prepare(sent, strip_all=True)
    assert (said.is_same, said.width, said.height, said.size) == (True, 60, 40, len(sent))
    if form != "GIF":
        assert desk.prepare(made.saved(made.corners(), form, exif=made.camera(place=False))).is_same


@pytest.mark.parametrize("form", [*FORMS, "GIF"])
def test_what_follows_the_picture_goes_and_no_pixel_changes(desk: Desk, form: str) -> None:
    sent = made.saved(made.corners(), form)
    desk.prepared(sent + b"<script>alert(1)</script>")
    if form != "AVIF":
        assert desk.prepare(sent + b"<script>alert(1)</script>").size == len(sent)
        assert desk.out.read_bytes() == sent


@pytest.mark.parametrize(
    "sent",
    [
        made.saved(made.corners(), "JPEG", xmp=b"<x:xmpmeta>54 N</x:xmpmeta>", comment=b"54 N"),
        made.saved(made.corners(), "WEBP", xmp=b"<x:xmpmeta>54 N</x:xmpmeta>"),
        made.saved(made.corners(), "AVIF", xmp=b"<x:xmpmeta>54 N</x:xmpmeta>"),
        made.saved(made.corners(), "GIF", comment=b"*/=alert(1)// 54 N"),
        made.saved(made.corners(), "PNG")[:33] + made.chunk(b"tEXt", b"Place\x0054 N") + made.saved(made.corners(), "PNG")[33:],
        made.animation("GIF", comment=b"54 N"),
    ],
    ids=["jpeg", "webp", "avif", "gif", "png", "moving"],
)
def test_other_notes_go(desk: Desk, sent: bytes) -> None:
    assert b"54 N" in sent
    prepared = desk.prepared(sent)
    assert b"54 N" not in desk.kept
    with Image.open(io.BytesIO(sent)) as before:
        assert getattr(prepared, "n_frames", 1) == getattr(before, "n_frames", 1)
        if before.format != "AVIF":
            assert list(prepared.convert("RGB").tobytes()) == list(before.convert("RGB").tobytes())


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_colours_are_brought_to_what_browsers_take_for_granted(desk: Desk, form: str, mode: str) -> None:
    if (form, mode) == ("JPEG", "RGBA"):
        return
    sent = picture(form, mode=mode, colour="red", icc_profile=made.wide_profile())
    for made_of in (desk.prepared(sent), desk.rendition(sent, Spec(320, "webp"))):
        assert "icc_profile" not in made_of.info
        red, green, blue = made_of.convert("RGB").getpixel((9, 9))
        assert (red < 20, green > 235, blue < 20) == (True, True, True)


def test_profile_that_says_what_is_so_anyway_may_stay(desk: Desk) -> None:
    usual = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert desk.prepare(picture("JPEG", icc_profile=usual)).is_same
    assert desk.prepare(picture("PNG", icc_profile=b"none")).is_same


def test_colours_of_printers_become_those_of_screens(desk: Desk) -> None:
    prepared = desk.prepared(picture("JPEG", mode="CMYK", colour=(255, 0, 0, 0)))
    assert prepared.mode == "RGB"
    assert prepared.getpixel((9, 9))[0] < 20


@pytest.mark.parametrize("form", [*FORMS, "GIF"])
def test_edits_are_applied_to_the_upright_picture(desk: Desk, form: str) -> None:
    options = {} if form == "GIF" else {"exif": made.camera(6)}
    sent = made.saved(made.corners() if form == "GIF" else made.lying(6), form, **options)
    turned = desk.prepared(sent, rotation=90)
    assert (turned.size, seen(turned)) == ((40, 60), ["white", "red", "lime", "blue"])
    assert set(seen(desk.prepared(sent, rotation=90, crop=(5000, 0, 5000, 5000)))) == {"red"}
    assert desk.prepared(sent, crop=(0, 0, 3333, 10_000)).size == (20, 40)
    assert desk.prepared(sent, crop=(9999, 9999, 1, 1)).size == (1, 1)


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG"])
def test_animations_go_on_moving_when_they_are_turned(desk: Desk, form: str) -> None:
    assert "loop" not in desk.prepared(made.animation("GIF", loop=None), rotation=270).info
    turned = desk.prepared(made.animation(form), rotation=270)
    assert (turned.size, turned.n_frames) == ((30, 40), 4)
    assert [frame.info["duration"] for frame in ImageSequence.Iterator(turned) if not frame.load() or True] == [120] * 4


def test_drawings_are_cleaned(desk: Desk) -> None:
    said = desk.prepare(made.SVG)
    assert (said.is_same, said.width, said.height) == (False, 189, 94)
    kept = desk.out.read_bytes()
    assert b"<rect" in kept
    assert b"DOCTYPE" not in kept
    assert b"tide" not in kept
    assert desk.prepare(kept).is_same


# --- smaller ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", [*FORMS, "GIF"])
@pytest.mark.parametrize("extension", ["avif", "webp", "jpg", "png", "gif"])
def test_renditions_of_everything_in_everything(desk: Desk, form: str, extension: str) -> None:
    smaller = desk.rendition(made.saved(made.corners((900, 600)), form), Spec(320, extension))
    assert (smaller.size, seen(smaller)) == ((320, 213), UPRIGHT)
    assert smaller.format == {"jpg": "JPEG"}.get(extension, extension.upper())
    assert not smaller.getexif()


def test_renditions_stand_upright_and_are_never_larger(desk: Desk) -> None:
    smaller = desk.rendition(made.saved(made.lying(8), "JPEG", exif=made.camera(8)), Spec(320, "webp"))
    assert (smaller.size, seen(smaller)) == ((60, 40), UPRIGHT)


@pytest.mark.parametrize(
    ("spec", "size", "colours"),
    [
        (Spec(320, "png", "square", (0, 50)), (320, 320), ["red", "red", "white", "white"]),
        (Spec(320, "png", "square", (100, 50)), (320, 320), ["lime", "lime", "blue", "blue"]),
        (Spec(320, "png", "square", (50, 50)), (320, 320), UPRIGHT),
        (Spec(320, "png", "wide", (50, 0)), (320, 180), UPRIGHT),
        (Spec(320, "png", "card", (50, 100)), (320, 168), UPRIGHT),
        (Spec(1280, "png", "wide"), (900, 506), UPRIGHT),
    ],
)
def test_crops_are_taken_around_the_focus(desk: Desk, spec: Spec, size: tuple[int, int], colours: list[str]) -> None:
    for form in ("PNG", "JPEG"):
        height = 450 if spec.shape == "square" else 600
        made_of = made.saved(made.corners((900, height)), form)
        smaller = desk.rendition(made_of, spec)
        assert (smaller.size, seen(smaller)) == (size, colours)


def test_focus_above_and_below_the_middle(desk: Desk) -> None:
    tall = made.saved(made.corners((400, 1600)), "PNG")
    assert seen(desk.rendition(tall, Spec(320, "png", "square", (50, 0)))) == ["red", "lime", "lime", "red"]
    assert seen(desk.rendition(tall, Spec(320, "png", "square", (50, 90)))) == ["white", "blue", "blue", "white"]


@pytest.mark.parametrize("extension", ["avif", "webp", "png"])
@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_can_be_seen_through_stays_so(desk: Desk, extension: str, mode: str) -> None:
    sent = Image.new("RGBA", (900, 600), (0, 0, 0, 0))
    sent.paste("red", (0, 0, 450, 600))
    kept = made.saved(sent.quantize(16) if mode == "P" else sent.convert(mode), "PNG")
    smaller = desk.rendition(kept, Spec(320, extension)).convert("RGBA")
    assert (smaller.getpixel((20, 20))[3] > 250, smaller.getpixel((300, 20))[3] < 5) == (True, True)


def test_jpegs_stand_on_white(desk: Desk) -> None:
    assert min(desk.rendition(picture("PNG", mode="RGBA", colour=(0, 0, 0, 0)), Spec(320, "jpg")).getpixel((9, 9))) > 250


@pytest.mark.parametrize("form", ["GIF", "WEBP"])
def test_animations_go_on_moving_when_they_are_small(desk: Desk, form: str) -> None:
    first, *others = made.frames(4, (800, 600))
    sent = made.saved(first, form, save_all=True, append_images=others, duration=[40, 80, 120, 160], loop=3)
    smaller = desk.rendition(sent, Spec(320, "webp"))
    assert (smaller.size, smaller.n_frames, smaller.info["loop"]) == ((320, 240), 4, 3)
    assert desk.rendition(sent, Spec(320, "jpg")).size == (320, 240)


def test_few_colours_stay_few(desk: Desk) -> None:
    smaller = desk.rendition(made.saved(made.corners((900, 600)), "PNG"), Spec(320, "png"))
    assert smaller.mode == "P"


@pytest.mark.parametrize("extension", ["avif", "webp", "jpg", "png"])
@pytest.mark.parametrize(("mode", "colour"), [("L", 0xC0), ("I;16", 0xC000)])
def test_grey_and_deep_pictures(desk: Desk, extension: str, mode: str, colour: int) -> None:
    grey = desk.rendition(picture("PNG", (900, 600), mode, colour), Spec(320, extension)).convert("L")
    assert grey.getpixel((9, 9)) == pytest.approx(0xC0, abs=3)


# --- refused ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "broken"),
        (picture("JPEG", (300, 300))[:-200], "broken"),
        (picture("PNG", (300, 300))[:-40], "broken"),
        (picture("WEBP", (300, 300))[:-40], "broken"),
        (made.animation("GIF")[:-60], "broken"),
        (claim(100, 100), "broken"),
        (claim(20_000, 20_000), "too many pixels"),
        (claim(65_535, 65_535), "too many pixels"),
        (claim(9000, 9000), "too many pixels"),
        (made.png_bomb(20_000, 20_000), "too many pixels"),
        (made.long_gif(100_000), "animation is too long"),
        (made.many_scans(2000, (1000, 800)), "too long to look at"),
        (b"GIF89a/*" + bytes(20) + b"*/=1;alert(1)", "broken"),
    ],
    ids=["nothing", "jpeg", "png", "webp", "gif", "short", "wide", "widest", "large", "bomb", "frames", "scans", "polyglot"],
)  # fmt: skip
def test_others_are_refused_in_a_sentence(desk: Desk, content: bytes, why: str) -> None:
    desk.sent.write_bytes(content)
    with pytest.raises(Refused, match=why):
        look(desk.sent)
    assert not desk.out.exists()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>', "script"),
        (b'<svg xmlns="http://www.w3.org/2000/svg" onload="go()"/>', "script"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"><a href=" java&#10;script:go()"/></svg>', "script"),
        (b'<s:svg xmlns:s="http://www.w3.org/2000/svg"><s:script/></s:svg>', "script"),
        (b'<!DOCTYPE svg [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><svg xmlns="http://www.w3.org/2000/svg">&b;</svg>', "entities"),
        (b'<!DOCTYPE svg [<!ENTITY % a SYSTEM "file:///etc/passwd">]><svg xmlns="http://www.w3.org/2000/svg"/>', "entities"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"><rect>', "broken"),
        (b"<?xml version='1.0' encoding='gb2312'?><svg xmlns='http://www.w3.org/2000/svg'/>", "broken"),
        (b"<?xml version='1.0' encoding='UTF-7'?><svg xmlns='http://www.w3.org/2000/svg'/>", "broken"),
        (b"<svg>" + bytes(5_000_000), "too large"),
    ],
)
def test_drawings_that_do_something_are_refused(desk: Desk, content: bytes, why: str) -> None:
    with pytest.raises(Refused, match=why):
        desk.prepare(content)
    assert not desk.out.exists()


# --- of people and sites ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("form", "extension"), [("PNG", "png"), ("JPEG", "jpg"), ("WEBP", "webp"), ("AVIF", "avif")])
def test_logos_are_measured_and_named_by_what_they_are(form: str, extension: str) -> None:
    found = measure(made.saved(made.lying(6), form, exif=made.camera(6)))
    assert (found.extension, found.dimensions) == (extension, (60, 40))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", "no picture"),
        (picture("GIF"), "no picture"),
        (picture("BMP"), "no picture"),
        (picture("PNG")[:60], "no picture"),
        (claim(100, 100), "no picture"),
        (claim(3000, 3000), "too many pixels"),
        (claim(60_000, 60_000), "too many pixels"),
        (bytes(MAX_LOGO_BYTES + 1), "too large"),
    ],
    ids=["nothing", "svg", "gif", "bmp", "half", "short", "wide", "bomb", "heavy"],
)
def test_other_logos_are_refused_in_a_sentence(content: bytes, why: str) -> None:
    for look_at in (measure, icon):
        with pytest.raises(Refused, match=why):
            look_at(content)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("size", [(30, 20), (2000, 500), (1, 1)])
def test_portraits_are_square_and_of_our_own_making(form: str, size: tuple[int, int]) -> None:
    with Image.open(io.BytesIO(portrait(picture(form, size)))) as image:
        assert (image.format, image.mode, image.size) == ("WEBP", "RGB", (PORTRAIT, PORTRAIT))


def test_a_portrait_stands_upright_and_tells_nothing_of_its_camera() -> None:
    with Image.open(io.BytesIO(portrait(made.saved(made.lying(6), "JPEG", exif=made.camera(6), quality=95)))) as image:
        assert not image.getexif()
        assert seen(image) == UPRIGHT


def test_a_portrait_that_is_seen_through_stands_on_white() -> None:
    with Image.open(io.BytesIO(portrait(picture("PNG", mode="RGBA", colour=(0, 0, 0, 0))))) as image:
        assert min(image.getpixel((9, 9))) > 250


@pytest.mark.parametrize(
    ("content", "why"), [(b"x", "no picture"), (claim(6000, 6000), "too many pixels"), (bytes(8_000_001), "too large")]
)
def test_other_portraits_are_refused_in_a_sentence(content: bytes, why: str) -> None:
    with pytest.raises(Refused, match=why):
        portrait(content)
