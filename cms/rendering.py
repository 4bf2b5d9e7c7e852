"""Texts are rendered in worker processes with a limit of CPU time, because a few words of Markdown can cost hours."""

import asyncio
from collections.abc import Callable
from typing import Any, Literal

from cms.content.context import PageCard, RenderContext, Rendered
from cms.content.diff import Row, Span, side_by_side
from cms.errors import InvalidInput, Unavailable
from cms.processes import LimitedPool, PoolIsClosed, ProcessLost, TooMuchMemory, TooSlow

Show = Literal["old", "new", "both"]  # of two texts (content/marks.py)

MAX_SOURCE_BYTES = 10_000_000
_MEGABYTE = 1_000_000
_MAX_ROWS = 2_000  # of a comparison
_START_SECONDS = 60.0  # for a machine that is busy with something else
_WALL_FACTOR = 10.0  # processes share their processor, so the clock is the second belt, and a wide one
_WALL_SECONDS = 30.0
_MEMORY_BYTES = 1_500_000_000  # in addition to what the worker has, and so much more for each byte of source:
_MEMORY_BYTES_PER_BYTE = 300

_TOO_SLOW = "This text takes too long to render: please divide it, or take out what is nested or repeated very often."
_TOO_BIG = "This text is longer than 10 MB: please divide it into several."
_TOO_MUCH_MEMORY = "This text grows too large when it is rendered: please divide it, or repeat less in it."
_AWAY = "The text could not be rendered just now. Please try again."
_CLOSED = "The program is closing down. Please try again shortly."
_NO_START = "The processes that render texts do not start; the log of the program says why."


class Renderer:
    """Renders off the event loop, within ``cpu_seconds`` and so many more for each megabyte of source."""

    def __init__(self, workers: int = 1, cpu_seconds: float = 2.0, cpu_seconds_per_megabyte: float = 5.0) -> None:
        self._cpu_seconds = cpu_seconds
        self._cpu_seconds_per_megabyte = cpu_seconds_per_megabyte
        self._pool = LimitedPool(workers, "cms.content.pipeline")

    async def start(self) -> None:
        """Start the workers and wait until one has rendered something; raises Unavailable if that does not happen."""
        try:
            async with asyncio.timeout(_START_SECONDS):
                await self.render("*Ready*", RenderContext())
        except TimeoutError:
            raise Unavailable(_NO_START) from None

    async def render(self, source: str, context: RenderContext = RenderContext()) -> Rendered:  # noqa: B008 - frozen
        """The rendered text. Raises InvalidInput for a text beyond the limits, Unavailable if a worker was lost."""
        rendered: Rendered = await self._limited(_size(source), _render, source, context)
        return rendered

    async def render_marked(self, old: str, new: str, show: Show, context: RenderContext = RenderContext()) -> Rendered:  # noqa: B008
        """Two texts in one, with marks where they differ. Raises as ``render`` does."""
        rendered: Rendered = await self._limited(_size(old) + _size(new), _render_marked, old, new, context, show)
        return rendered

    async def compare(self, old: str, new: str) -> list[Row]:
        """Both texts beside each other. If telling the differences costs too much, one row has both texts as they are."""
        try:
            rows: list[Row] = await self._limited(_size(old) + _size(new), _compare, old, new)
        except InvalidInput:
            rows = []
        return rows or [Row("changed", (Span(old, False),), (Span(new, False),))]

    async def read_page(self, body: bytes, content_type: str, url: str) -> PageCard:
        """What a page of another site says of itself. Raises as ``render`` does; however long it is, it gets no more time than a short
        text."""
        card: PageCard = await self._limited(0, _read_page, body, content_type, url)
        return card

    async def read_oembed(self, body: bytes, page: PageCard, url: str) -> PageCard:
        """The same with what oEmbed says of it."""
        card: PageCard = await self._limited(0, _read_oembed, body, page, url)
        return card

    async def _limited(self, size: int, function: Callable[..., Any], *arguments: Any) -> Any:
        """What the function returns in a worker. ``size`` of the texts, in bytes, decides how much time and memory it gets."""
        cpu_seconds = self._cpu_seconds + self._cpu_seconds_per_megabyte * size / _MEGABYTE
        memory = _MEMORY_BYTES + _MEMORY_BYTES_PER_BYTE * size
        try:
            return await self._pool.run(
                function, *arguments,
                cpu_seconds=cpu_seconds, memory_bytes=memory, wall_seconds=_WALL_SECONDS + _WALL_FACTOR * cpu_seconds,
            )  # fmt: skip
        except TooSlow:
            raise InvalidInput({"text": _TOO_SLOW}) from None
        except TooMuchMemory:
            raise InvalidInput({"text": _TOO_MUCH_MEMORY}) from None
        except ProcessLost:
            raise Unavailable(_AWAY) from None
        except PoolIsClosed:
            raise Unavailable(_CLOSED) from None

    async def close(self) -> None:
        """End the workers; whoever still waits for a text is told. Can be called more than once."""
        await self._pool.close()


def _size(source: str) -> int:
    """Bytes of the source in UTF-8; refuses what is too long without looking at all of it."""
    size = len(source)
    if size <= MAX_SOURCE_BYTES:
        size = len(source.encode("utf-8", "surrogatepass"))
    if size > MAX_SOURCE_BYTES:
        raise InvalidInput({"text": _TOO_BIG})
    return size


# What follows runs in the worker.


def _compare(old: str, new: str) -> list[Row]:
    """Nothing if there would be more rows than anybody looks through: sending them over would hold up the loop."""
    rows = side_by_side(old, new)
    return rows if len(rows) <= _MAX_ROWS else []


def _render(source: str, context: RenderContext) -> Rendered:
    """In a worker, which alone imports what renders."""
    from cms.content.pipeline import render

    return render(source, context)


def _render_marked(old: str, new: str, context: RenderContext, show: Show) -> Rendered:
    from cms.content.pipeline import compare

    return compare(old, new, context, show)


def _read_page(body: bytes, content_type: str, url: str) -> PageCard:
    from cms.content.link_cards import read_page

    return read_page(body, content_type, url)


def _read_oembed(body: bytes, page: PageCard, url: str) -> PageCard:
    from cms.content.link_cards import read_oembed

    return read_oembed(body, page, url)
