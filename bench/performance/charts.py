"""Charts as SVG files, for light and dark alike. Nothing in them depends on colour alone: every bar and line has its name beside it."""

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape

WIDTH = 760
STYLE = """\
svg { font: 14px system-ui, sans-serif; }
text { fill: #26292d; } .quiet { fill: #5b6168; font-size: 12px; } .head { font-size: 16px; font-weight: 600; }
.page { fill: #ffffff; } .grid { stroke: #dfe2e5; } .ours { fill: #0b5cad; } .other { fill: #8a9199; }
.line { fill: none; stroke-width: 2.5; } .line.ours { fill: none; stroke: #0b5cad; } .line.other { fill: none; stroke: #6d747c; }
@media (prefers-color-scheme: dark) {
  text { fill: #e8eaec; } .quiet { fill: #a5abb2; } .page { fill: #16191d; } .grid { stroke: #343a40; }
  .ours { fill: #6db0f2; } .other { fill: #7c848c; } .line.ours { stroke: #6db0f2; } .line.other { stroke: #9aa1a9; }
}
"""
REMARK = " (each line is ten times the one below)"
DASHES = ("", "7 4", "2 4", "10 4 2 4")


def bars(title: str, about: str, rows: Sequence[tuple[str, float, str, bool]]) -> str:
    """``rows``: name, how long, what is written at the end, and whether it is ours."""
    most, left, step = max(value for _, value, _, _ in rows), 280, 30
    room = WIDTH - left - 110
    drawn = []
    for number, (name, value, label, is_ours) in enumerate(rows):
        top = 52 + number * step
        length = max(1.0, value / most * room)
        drawn += [
            f'<text x="{left - 10}" y="{top + 15}" text-anchor="end">{escape(name)}</text>',
            f'<rect class="{_class(is_ours)}" x="{left}" y="{top}" width="{length:.1f}" height="20" rx="2"/>',
            f'<text x="{left + length + 8:.1f}" y="{top + 15}">{escape(label)}</text>',
        ]
    return _svg(title, about, 52 + len(rows) * step + 10, drawn)


def lines(title: str, about: str, steps: Sequence[int], series: Mapping[str, tuple[Sequence[float], bool]], unit: str, *, of: str) -> str:
    """Values at ``steps``, which stand at equal distances. ``of``: the steps."""
    grid, share, remark = _axis([value for values, _ in series.values() for value in values])
    left, right, top, height = 70, WIDTH - 190, 64, 240
    xs = [left + 20 + number * (right - left - 40) / max(1, len(steps) - 1) for number in range(len(steps))]

    def y(value: float) -> float:
        return top + height * (1 - share(value))

    drawn = [f'<text class="quiet" x="{left}" y="{top - 14}">{escape(unit + remark)}</text>']
    for value in grid:
        at = y(value)
        drawn.append(f'<line class="grid" x1="{left}" x2="{right}" y1="{at:.1f}" y2="{at:.1f}"/>')
        drawn.append(f'<text class="quiet" x="{left - 8}" y="{at + 4:.1f}" text-anchor="end">{value:,.0f}</text>')
    drawn += [
        f'<text class="quiet" x="{x:.1f}" y="{top + height + 20}" text-anchor="middle">{step:,}</text>'
        for x, step in zip(xs, steps, strict=True)
    ]
    drawn.append(f'<text class="quiet" x="{(left + right) / 2:.0f}" y="{top + height + 40}" text-anchor="middle">{escape(of)}</text>')
    ends = _apart([y(values[-1]) for values, _ in series.values()])
    for (name, (values, is_ours)), dash, end in zip(series.items(), DASHES, ends, strict=False):
        points = " ".join(f"{x:.1f},{y(value):.1f}" for x, value in zip(xs, values, strict=True))
        drawn.append(f'<polyline class="line {_class(is_ours)}" points="{points}" stroke-dasharray="{dash or "none"}"/>')
        drawn.append(f'<text x="{right - 12}" y="{end + 5:.1f}">{escape(name)}</text>')
    return _svg(title, about, top + height + 54, drawn)


def _axis(values: Sequence[float]) -> tuple[list[float], Callable[[float], float], str]:
    """Lines of the grid, how high a value stands (0 to 1), and what has to be said of it: from zero, unless the small would lie on the
    ground beside the large."""
    least, most = min(values), max(values)
    if most < 50 * least:
        step = next(step for step in _round_steps() if most <= 5 * step)
        count = math.ceil(most / step)
        return [number * step for number in range(count + 1)], lambda value: value / (count * step), ""
    low, high = math.floor(math.log10(least)), math.ceil(math.log10(most))
    return [10.0**each for each in range(low, high + 1)], lambda value: (math.log10(value) - low) / (high - low), REMARK


def _round_steps() -> Iterator[float]:
    for power in itertools.count(-3):
        yield from (first * 10.0**power for first in (1, 2, 5))


def _apart(places: Sequence[float], least: float = 18) -> list[float]:
    """So that names at the ends of lines do not lie on each other."""
    found: dict[int, float] = {}
    before = -math.inf
    for number in sorted(range(len(places)), key=places.__getitem__):
        before = found[number] = max(places[number], before + least)
    return [found[number] for number in range(len(places))]


def _class(is_ours: bool) -> str:
    return "ours" if is_ours else "other"


def _svg(title: str, about: str, height: float, drawn: Sequence[str]) -> str:
    size = f'viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" height="{height:.0f}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title about">'
    names = f'<title id="title">{escape(title)}</title>\n<desc id="about">{escape(about)}</desc>'
    page = f'<rect class="page" width="{WIDTH}" height="{height:.0f}"/>\n<text class="head" x="16" y="28">{escape(title)}</text>'
    return "\n".join([head, names, f"<style>\n{STYLE}</style>", page, *drawn, "</svg>", ""])
