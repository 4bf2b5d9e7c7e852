"""Pictures outside of texts: what others show of one with a link."""

from typing import Any

import pytest

from cms.ui.pictures import shared

PICTURE = {
    "id": 1,
    "path": "/media/1/abc/low tide.jpg",
    "width": 2400,
    "height": 1600,
    "alt": "Mud",
    "type": "image/jpeg",
    "frames": 1,
    "focus": [20, 70],
}
WHOLE = "/media/1/abc/low%20tide.jpg"


@pytest.mark.parametrize(
    ("changes", "address", "size"),
    [
        ({}, "/media/1/abc/card-1280-20-70/low%20tide.jpg", (1280, 672)),
        ({"width": 900, "height": 900}, "/media/1/abc/card-640-20-70/low%20tide.jpg", (640, 336)),
        ({"width": 500, "height": 400}, WHOLE, (500, 400)),
        ({"frames": 3, "type": "image/gif"}, WHOLE, (2400, 1600)),
        ({"type": "image/svg+xml"}, WHOLE, (2400, 1600)),
        ({"width": None, "height": None}, WHOLE, (None, None)),
    ],
)
def test_a_card_is_a_crop_around_what_matters_where_one_can_be_made(changes: dict[str, Any], address: str, size: tuple[Any, Any]) -> None:
    made = shared(PICTURE | changes)
    assert (made["address"], made["width"], made["height"], made["alt"]) == (address, *size, "Mud")


def test_a_document_of_before_has_its_picture_whole() -> None:
    old = {name: PICTURE[name] for name in ("id", "path", "width", "height", "alt")}
    assert shared(old)["address"] == WHOLE
