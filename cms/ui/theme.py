"""What the settings make of the theme: stylesheets that come after tokens.css, whose tints all follow from one hue."""

import itertools
from collections.abc import Iterator, Mapping

HUES = range(360)  # degrees of the colour circle in OKLCH

# What can be chosen besides, the usual first: it changes nothing. ``:root:root`` goes before what site.css says.
CHOICES: Mapping[str, Mapping[str, str]] = {
    "fonts": {
        "serif": "",
        "sans": ":root:root{--font-serif:var(--font-sans);--x-height:none}",
        "mixed": ":root:root{--font-title:var(--font-sans)}",
    },
    "width": {"normal": "", "narrow": ":root:root{--column:31rem}", "wide": ":root:root{--column:40rem}"},
    "corners": {
        "soft": "",
        "square": ":root:root{--radius-s:0;--radius-m:0;--radius-l:0}",
        "round": ":root:root{--radius-s:8px;--radius-m:16px;--radius-l:24px}",
    },
    "colours": {"auto": "", "light": ":root{color-scheme:light}", "dark": ":root{color-scheme:dark}"},  # a visitor may choose another
}
USUAL = {name: next(iter(choices)) for name, choices in CHOICES.items()}


def stylesheet(hue: int, theme: Mapping[str, str] | None = None) -> str:
    """The name under which it is asked for: the hue, and what was chosen if that is not all the usual."""
    chosen = {**USUAL, **(theme or {})}
    more = [] if chosen == USUAL else [chosen[name] for name in CHOICES]
    return f"theme/{'-'.join([str(hue), *more])}.css"


class Stylesheets(Mapping[str, str]):
    """One for each combination, by name; made when it is asked for."""

    def __getitem__(self, name: str) -> str:
        hue, *chosen = name.removeprefix("theme/").removesuffix(".css").split("-")
        values = chosen or list(USUAL.values())
        is_known = len(values) == len(CHOICES) and all(value in CHOICES[each] for each, value in zip(CHOICES, values, strict=False))
        if not is_known or not hue.isdecimal() or stylesheet(int(hue), dict(zip(CHOICES, values, strict=True))) != name:
            raise KeyError(name)
        if int(hue) not in HUES:
            raise KeyError(name)
        more = "".join(CHOICES[each][value] for each, value in zip(CHOICES, values, strict=True))
        return f"@layer tokens{{:root{{--hue:{hue}}}{more}}}"

    def __iter__(self) -> Iterator[str]:
        for hue in HUES:
            for values in itertools.product(*CHOICES.values()):
                yield stylesheet(hue, dict(zip(CHOICES, values, strict=True)))

    def __len__(self) -> int:
        return sum(1 for _ in self)
