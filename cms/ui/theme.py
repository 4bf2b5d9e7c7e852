"""What the settings make of the theme: stylesheets that come after tokens.css, whose tints all follow from one hue."""

from collections.abc import Mapping

HUES = range(360)  # degrees of the colour circle in OKLCH


def stylesheets() -> Mapping[str, str]:
    """One for each hue, by the name under which it is asked for."""
    return {stylesheet(hue): f"@layer tokens{{:root{{--hue:{hue}}}}}" for hue in HUES}


def stylesheet(hue: int) -> str:
    return f"theme/{hue}.css"
