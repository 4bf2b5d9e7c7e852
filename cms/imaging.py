"""Files that people send are looked at, and pictures made of them, in worker processes with hard limits of time and memory.

What is done there is in ``media/probing.py`` and ``media/pictures.py``, which only the workers import.
"""

import asyncio
import importlib
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cms.content.renditions import Spec
from cms.errors import InvalidInput, Unavailable
from cms.media.kinds import IS_NO_PICTURE, IS_TOO_BIG, IS_TOO_SLOW, Measured, Prepared, Probed, Refused
from cms.processes import LimitedPool, PoolIsClosed, ProcessLost, TooMuchMemory, TooSlow

CPU_SECONDS = 10.0
_OF_IT = 0.9  # for what was just sent: whoever waits is told before all of it is over
WALL_SECONDS = 120.0  # processes share their processor
MEMORY_BYTES = 290_000_000  # that a worker may grow by; with what the others need for it, it stays below 300 MB

_WORK = "cms.media.probing"  # which imports all that the work needs
_PICTURES = "cms.media.pictures"
_FAULTS = {-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS, -signal.SIGFPE, -signal.SIGILL}  # of a decoder, in what it was given
_AWAY = "The file could not be looked at just now. Please try again."
_CLOSED = "The program is closing down. Please try again shortly."


class Imaging:
    """Some look at what was sent, others make what readers look at: nobody who reads waits for what somebody sends, however long that
    takes. Processes start with the first file for them. All raise ``InvalidInput`` (of ``file``) with a sentence for what is broken or
    too large, ``Unavailable`` if a worker was lost; no ``out`` is left behind then."""

    def __init__(self, workers: int = 1, cpu_seconds: float = CPU_SECONDS, memory_bytes: int = MEMORY_BYTES) -> None:
        self._cpu_seconds = cpu_seconds
        self._memory_bytes = memory_bytes
        self._looking, self._making = LimitedPool(workers, _WORK), LimitedPool(workers, _WORK)

    async def probe(self, path: Path) -> Probed:
        """What a file is, by its content."""
        probed: Probed = await self._run(_WORK, "probe", path)
        return probed

    async def prepare(
        self, path: Path, out: Path, *, rotation: int = 0, crop: tuple[int, int, int, int] | None = None, strip_all: bool = False
    ) -> Prepared:
        """A picture as readers get it: upright, in sRGB, without the place where it was taken; with ``strip_all`` without anything but
        who made it and whose it is. ``rotation`` in degrees, clockwise; ``crop`` as left, top, width and height in ten-thousandths."""
        prepared: Prepared = await self._make(out, "prepare", path, out, rotation=rotation, crop=crop, strip_all=strip_all)
        return prepared

    async def rendition(self, path: Path, out: Path, spec: Spec) -> tuple[int, int, int]:
        """Its width, height and bytes."""
        made: tuple[int, int, int] = await self._make(out, "rendition", path, out, spec)
        return made

    async def measure(self, content: bytes) -> Measured:
        """A small picture that is kept as it is."""
        measured: Measured = await self._run(_PICTURES, "measure", content)
        return measured

    async def portrait(self, content: bytes) -> bytes:
        made: bytes = await self._run(_PICTURES, "portrait", content)
        return made

    async def icon(self, content: bytes) -> bytes:
        made: bytes = await self._run(_PICTURES, "icon", content)
        return made

    async def close(self) -> None:
        """End the workers; whoever still waits is told. Can be called more than once."""
        await asyncio.gather(self._looking.close(), self._making.close())

    async def _make(self, out: Path, *task: Any, **options: Any) -> Any:
        try:
            return await self._run(_PICTURES, *task, **options)
        except BaseException:
            out.unlink(missing_ok=True)  # noqa: ASYNC240 - at once, before anybody else looks: what an ended worker had begun
            raise

    async def _run(self, module: str, name: str, *arguments: Any, **options: Any) -> Any:
        is_for_readers = name == "rendition"
        pool, share = (self._making, 1.0) if is_for_readers else (self._looking, _OF_IT)
        try:
            return await pool.run(
                _work, module, name, arguments, options,
                cpu_seconds=share * self._cpu_seconds, memory_bytes=self._memory_bytes, wall_seconds=WALL_SECONDS,
            )  # fmt: skip
        except Refused as error:
            raise InvalidInput({"file": error.args[0]}) from None
        except TooSlow:
            raise InvalidInput({"file": IS_TOO_SLOW}) from None
        except TooMuchMemory:
            raise InvalidInput({"file": IS_TOO_BIG}) from None
        except ProcessLost as error:
            if error.exit_code in _FAULTS:
                raise InvalidInput({"file": IS_NO_PICTURE}) from None
            raise Unavailable(_AWAY) from None
        except PoolIsClosed:
            raise Unavailable(_CLOSED) from None


def _work(module: str, name: str, arguments: tuple[Any, ...], options: Mapping[str, Any]) -> Any:
    """In a worker, which alone imports what opens pictures."""
    return getattr(importlib.import_module(module), name)(*arguments, **options)
