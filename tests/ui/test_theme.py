"""Whatever hue somebody chooses, what is written in it can be read: WCAG 2.2, 1.4.3, computed from tokens.css."""

import math
import re
from pathlib import Path

import pytest

from cms.schemas.site import THEME, LookInput
from cms.ui.theme import CHOICES, HUES, USUAL, Stylesheets, stylesheet

TOKENS = (Path(__file__).resolve().parents[2] / "static/css/tokens.css").read_text(encoding="utf-8")
CHROMA = float(re.search(r"--chroma: ([\d.]+)", TOKENS)[1])  # type: ignore[index]
LEAST = 4.5

Lab = tuple[float, float, float]


def lab(name: str, hue: int) -> Lab:
    """A raw colour of tokens.css in OKLab."""
    light, chroma = re.search(rf"--{name}: oklch\(([\d.]+) (calc\(.*?\)|\S+) ", TOKENS).groups()  # type: ignore[union-attr]
    if "var(--chroma)" in chroma:
        chroma = CHROMA * float((re.search(r"\* ([\d.]+)", chroma) or [0, 1])[1])
    turn = math.radians(hue)
    return float(light), float(chroma) * math.cos(turn), float(chroma) * math.sin(turn)


def mixed(one: Lab, other: Lab, share: float) -> Lab:
    """color-mix(in oklab, one share, other)"""
    return tuple(share * a + (1 - share) * b for a, b in zip(one, other, strict=True))  # type: ignore[return-value]


def luminance(colour: Lab) -> float:
    """As browsers show it: what sRGB does not have is cut off (https://bottosson.github.io/posts/oklab/)."""
    light, a, b = colour
    l_, m, s = (
        (light + x * a + y * b) ** 3
        for x, y in ((0.3963377774, 0.2158037573), (-0.1055613458, -0.0638541728), (-0.0894841775, -1.2914855480))
    )
    red = 4.0767416621 * l_ - 3.3077115913 * m + 0.2309699292 * s
    green = -1.2684380046 * l_ + 2.6097574011 * m - 0.3413193965 * s
    blue = -0.0041960863 * l_ - 0.7034186147 * m + 1.7076147010 * s
    red, green, blue = (min(1.0, max(0.0, part)) for part in (red, green, blue))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Lab, other: Lab) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def pairs(hue: int) -> dict[str, tuple[Lab, Lab]]:
    """What is written on what, light and dark."""
    white, night = (1.0, 0.0, 0.0), lab("gray-11", hue)
    strong, soft, mid = lab("accent-strong", hue), lab("accent-soft", hue), lab("accent-mid", hue)
    return {
        "a link on paper": (strong, white),
        "a link on a sunken ground": (strong, lab("gray-2", hue)),
        "a link on its wash": (strong, mixed(strong, white, 0.09)),
        "a button": (white, strong),
        "quiet words": (lab("gray-7", hue), lab("gray-2", hue)),
        "a link at night": (soft, night),
        "a link on a raised ground at night": (soft, lab("gray-10", hue)),
        "a link on its wash at night": (soft, mixed(soft, night, 0.09)),
        "a button at night": (white, mid),
    }


def test_the_reckoning_agrees_with_known_colours() -> None:
    assert contrast((1.0, 0.0, 0.0), (0.0, 0.0, 0.0)) == pytest.approx(21, abs=0.01)
    assert luminance((0.627955, 0.224863, 0.125846)) == pytest.approx(0.2126, abs=0.001)  # red


def test_every_hue_can_be_read() -> None:
    found = {(name, hue): contrast(*colours) for hue in HUES for name, colours in pairs(hue).items()}
    least = min(found, key=lambda key: found[key])
    assert found[least] >= LEAST, (least, found[least])


def test_each_choice_has_a_stylesheet_of_its_own() -> None:
    made = Stylesheets()
    usual = [made[stylesheet(hue)] for hue in HUES]
    assert len(set(usual)) == 360
    assert made[stylesheet(30)] == "@layer tokens{:root{--hue:30}}"
    of_one_hue = [name for name in made if name.startswith(("theme/30.", "theme/30-"))]
    assert len({made[name] for name in of_one_hue}) == len(of_one_hue) == math.prod(map(len, CHOICES.values()))


@pytest.mark.parametrize(
    "name",
    ["theme/360.css", "theme/-1.css", "theme/030.css", "theme/30-serif-normal-soft-auto.css", "theme/30-sans.css", "theme/x.css", ""],
)
def test_no_other_name_has_one(name: str) -> None:
    """One look has one address."""
    assert name not in Stylesheets()


def test_what_the_form_offers_is_what_there_is() -> None:
    offered = {name: LookInput.model_fields[name] for name in THEME}
    assert {name: field.default for name, field in offered.items()} == USUAL
    assert {name: set(field.annotation.__args__) for name, field in offered.items()} == {name: set(CHOICES[name]) for name in CHOICES}  # type: ignore[union-attr]
