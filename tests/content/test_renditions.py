"""Which smaller pictures there may be, and what they are called."""

import pytest

from cms.content.renditions import Spec, formats, parse, path, specs, widths


@pytest.mark.parametrize("spec", [Spec(640, "avif"), Spec(320, "gif"), Spec(960, "webp", "wide"), Spec(320, "jpg", "square", (0, 100))])
def test_name_says_all_that_it_depends_on(spec: Spec) -> None:
    assert parse(spec.name, spec.format) == spec


@pytest.mark.parametrize(
    ("name", "extension"),
    [("641", "avif"), ("640", "exe"), ("0640", "avif"), ("tall-640-50-50", "avif"), ("wide-640", "avif"), ("640-50-50", "avif"),
     ("wide-640-101-0", "avif"), ("wide-640-050-0", "avif"), ("", "avif"), ("640\n", "avif")],
)  # fmt: skip
def test_nothing_else_is_made(name: str, extension: str) -> None:
    assert parse(name, extension) is None


def test_nothing_is_enlarged() -> None:
    assert widths(640, 5000) == (320, 480)
    assert widths(2000, 450, "wide") == (320, 480, 640)
    assert list(specs("image/png", 300, 300)) == []


def test_formats_go_from_the_smallest_to_what_every_browser_knows() -> None:
    assert formats("image/jpeg") == ("avif", "webp", "jpg")
    assert formats("image/webp") == ("avif", "webp")
    assert formats("image/gif", frames=8) == ("webp",)
    assert formats("image/svg+xml") == formats("video/mp4") == ()


def test_address_stands_beside_that_of_the_whole_picture() -> None:
    assert path("/media/7/0123456789ab/harbour.jpg", Spec(640, "avif")) == "/media/7/0123456789ab/640/harbour.avif"
    assert path("/media/7/0123456789ab/h.png", Spec(320, "png", "square", (1, 2))) == "/media/7/0123456789ab/square-320-1-2/h.png"
