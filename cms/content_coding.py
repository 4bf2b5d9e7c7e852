"""Content codings (RFC 9110, 8.4.1): which one a client likes best, and how each is made."""

import gzip
import math
from collections.abc import Iterable
from functools import lru_cache

import brotli
import zstandard

CODINGS = ("br", "zstd", "gzip")  # the smallest first
IDENTITY = "identity"

_QUICK = {"br": 5, "zstd": 3, "gzip": 6}
_THOROUGH = {"br": 11, "zstd": 19, "gzip": 9}
_LONG = {"br": 9, "zstd": 15, "gzip": 9}  # the last twelfth of what can be saved takes twenty times as long
_LONG_FROM = 200_000  # bytes; whoever waits for these is the first to ask


def best_coding(accept_encoding: str, available: Iterable[str]) -> str:
    """Of ``available``, the best first, the one that ``Accept-Encoding`` weighs highest; ``identity`` if none is wanted.

    RFC 9110, 12.5.3: ``*`` stands for what is not named, a weight of 0 refuses. Identity has the least weight unless it is named. Who
    refuses everything gets it all the same: plain bytes help more than an error.
    """
    return _best(accept_encoding.lower(), tuple(available))


@lru_cache(maxsize=64)  # there are a few browsers
def _best(accept_encoding: str, available: tuple[str, ...]) -> str:
    weights = dict(filter(None, map(weighed, accept_encoding.split(","))))
    others = weights.get("*", 0.0)
    best, highest = IDENTITY, weights.get(IDENTITY, 0.0)
    for coding in available:
        weight = weights.get(coding, others)
        if weight > 0 and (weight > highest or (weight == highest and best == IDENTITY)):
            best, highest = coding, weight
    return best


@lru_cache(maxsize=64)
def preference(accept_encoding: str) -> str:
    """All of ``CODINGS`` that are taken, the best first, then ``identity``: whatever of them is available, the first is ``best_coding``."""
    best, left = list[str](), list(CODINGS)
    while (coding := best_coding(accept_encoding, left)) != IDENTITY:
        best.append(coding)
        left.remove(coding)
    return " ".join([*best, IDENTITY])


def weighed(member: str) -> tuple[str, float] | None:
    """``gzip;q=0.5`` as ("gzip", 0.5), as headers weigh what is accepted; None for what cannot be read, which is then not wanted."""
    name, *parameters = (part.strip() for part in member.split(";"))
    weight = 1.0
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            try:
                weight = float(value)
            except ValueError:
                return None
    if not name or not math.isfinite(weight) or not 0 <= weight <= 1:
        return None
    return name.removeprefix("x-"), weight  # x-gzip is gzip (RFC 9110, 8.4.1.3)


def encode(content: bytes, coding: str, *, thoroughly: bool = False) -> bytes:
    """Quickly, for what lives for minutes; or thoroughly, for what is made once. Slow for long content: call it in a thread."""
    levels = _QUICK if not thoroughly else _LONG if len(content) >= _LONG_FROM else _THOROUGH
    level = levels[coding]
    if coding == "br":
        return bytes(brotli.compress(content, quality=level))
    if coding == "zstd":
        return zstandard.ZstdCompressor(level=level).compress(content)
    return gzip.compress(content, level, mtime=0)
