"""The bars of the program's speed, and whether a run held them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from bench.performance.servers import FAST_DOOR, FOLDER_TIER, NGINX

Results = dict[str, Any]

NOISE = 0.15


@dataclass(frozen=True)
class Bar:
    name: str
    wanted: str
    reached: str
    is_held: bool
    is_known: bool = True

    def __str__(self) -> str:
        return f"{'held  ' if self.is_held else 'MISSED'}  {self.name}: {self.reached} ({self.wanted})"


def bars(results: Results) -> list[Bar]:
    return [bar for part in (_compared, _idle, _publishing, _slow) for bar in part(results)]


def ratio(results: Results, name: str, how: str, of: str = "per_second") -> float:
    """Compared with nginx in the same round, in the middle of all rounds."""
    ours, theirs = (results["compared"]["samples"][each][how] for each in (name, NGINX))
    return median(one[of] / other[of] for one, other in zip(ours, theirs, strict=True))


def spread(samples: Sequence[dict[str, Any]]) -> float:
    """Half of what lies between the highest and the lowest round, as a share of the middle one."""
    reached = [each["per_second"] for each in samples]
    return float((max(reached) - min(reached)) / 2 / median(reached))


def is_noisy(results: Results) -> bool:
    """Whether something else was at work: nginx itself is steady."""
    return "compared" in results and spread(results["compared"]["samples"][NGINX]["plain"]) > NOISE


def lost(results: Results, what: str) -> float:
    """Share of the throughput that an editor takes who publishes every second: another post than is read, or the same."""
    return 1 - median(whole / quiet for whole, quiet in results["publishing"]["bytes per second"][what])


def _compared(results: Results) -> Iterator[Bar]:
    samples = results.get("compared", {}).get("samples", {})
    for name, how, words, least in (
        (FAST_DOOR, "plain", "plain requests", 0.75),
        (FAST_DOOR, "browser", "requests of a browser", 0.70),
        (FOLDER_TIER, "plain", "plain requests", 0.95),
    ):
        if name in samples:
            reached = ratio(results, name, how)
            yield Bar(f"{name}, {words} in a second", f"at least {least:.2f} of nginx", f"{reached:.2f}", reached >= least)
        else:
            yield _unknown(f"{name}, {words} in a second", f"at least {least:.2f} of nginx")
    if samples:
        reached = ratio(results, FAST_DOOR, "plain", "p99")
        yield Bar("99 of 100 answers with 32 connections", "at most twice nginx’s time", f"{reached:.2f} times", reached <= 2)


def _idle(results: Results) -> Iterator[Bar]:
    name, wanted = "Memory of an idle connection", "at most 4 KiB"
    if "idle" not in results:
        yield _unknown(name, wanted)
        return
    reached = results["idle"]["bytes"][FAST_DOOR] / 1024
    yield Bar(name, wanted, f"{reached:.1f} KiB", reached <= 4)


def _publishing(results: Results) -> Iterator[Bar]:
    name, wanted = "Throughput lost to an editor who publishes every second", "at most 5 %"
    if "publishing" not in results:
        yield _unknown(name, wanted)
        return
    reached = lost(results, "other")
    yield Bar(name, wanted, f"{100 * reached:.1f} %", reached <= 0.05)


def _slow(results: Results) -> Iterator[Bar]:
    """Of readers beside clients that are slow on purpose."""
    for what, name, unit, most in (
        ("p99", "Beside slow clients, 99 of 100 readers are answered within", "ms", 250),
        ("failed", "Beside slow clients, readers who fail", "", 0),
        ("gone", "Slow clients are gone within", "s", 60),
    ):
        wanted = f"at most {most} {unit}".strip()
        if "slow" in results:
            reached = results["slow"][what]
            yield Bar(name, wanted, f"{reached:.0f} {unit}".strip(), reached <= most)
        else:
            yield _unknown(name, wanted)


def _unknown(name: str, wanted: str) -> Bar:
    return Bar(name, wanted, "not measured", is_held=False, is_known=False)
