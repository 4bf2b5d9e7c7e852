"""Structured logs, and the counters and timings behind /metrics. No personal data in either."""

import asyncio
import logging
import math
import re
import sys
import time
import traceback
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, MutableMapping
from contextlib import suppress
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, TextIO, cast
from urllib.parse import quote

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

sys.modules.setdefault("rich", None)  # type: ignore[arg-type]  # structlog would import it, to draw tracebacks that we draw ourselves:
import structlog  # noqa: E402 - a twelfth of all that is imported at a start

if not sys.modules["rich"]:
    del sys.modules["rich"]  # whoever wants it imports it

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)  # seconds
SHARE_EVERY = 5.0  # seconds after which the other workers have our numbers
STALE = 30.0  # seconds after which those are of a worker that is gone

LONGEST_PATH = 1000  # letters, in the log
SAMPLE = 100  # answers at the fast door, of which one has a line

_SECRET = re.compile(r"(?<![A-Za-z0-9_-])(?=[a-z0-9_-]*+[A-Z])[A-Za-z0-9_-]{40,}+")  # as one-time links carry; slugs are in small letters
_LAST_PART = re.compile(r"(?<![a-z0-9_%-])[a-z0-9_%-]+\Z", re.IGNORECASE)  # half a secret looks like none
_BREAKS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")

_worker = 0  # of which the lines are, if there are several

log: structlog.stdlib.BoundLogger = structlog.get_logger("squall")


def is_pretty(form: Literal["auto", "pretty", "json"]) -> bool:
    return form == "pretty" or (form == "auto" and sys.stderr.isatty())


def configure_logging(level: str, form: Literal["auto", "pretty", "json"], worker: int = 0) -> None:
    """One line an event on stderr: for people on a terminal, JSON for machines. The standard library's logs take the same way.

    ``worker``: its number, if there are several.
    """
    global _worker
    _worker = worker
    shared: list[Any] = [
        _in_one_line,
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        _numbered,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(_traceback),
    ]
    renderer = (
        structlog.dev.ConsoleRenderer(pad_event_to=0, exception_formatter=structlog.dev.plain_traceback)
        if is_pretty(form)
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    # What others say below a warning may be anything: a driver's statements with what people typed in them.
    logging.basicConfig(handlers=[handler], level=max(logging.WARNING, logging.getLevelName(level.upper())), force=True)
    logging.getLogger("squall").setLevel(level.upper())
    unreadable = logging.getLogger("tornado.general")
    unreadable.setLevel(logging.INFO)
    unreadable.filters = [_Unreadable()]


def first_line(message: str) -> str:
    """Of what an error says: in a database's the rest is parameters and rows, which may be about people."""
    return message.partition("\n")[0]


def _numbered(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {**line, "worker": _worker} if _worker else line


def _in_one_line(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Nobody writes lines of his own by a name with a line break in it, nor moves a terminal's cursor."""
    return {name: _BREAKS.sub(_escaped, value) if isinstance(value, str) else value for name, value in line.items()}


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()


def _traceback(exc_info: tuple[type[BaseException], BaseException, TracebackType | None]) -> str:
    """As Python writes it, with the first line of each message."""
    parts = traceback.TracebackException(*exc_info).format()
    kept = [part if part.startswith((" ", "\n", "Traceback")) else first_line(part) + "\n" for part in parts]
    return "".join(kept).rstrip("\n")


class _Unreadable(logging.Filter):
    """In place of what Tornado says of each request that it cannot read, with its address and a part of it: how many there were, once a
    second at most."""

    def __init__(self) -> None:
        super().__init__()
        self._number = 0
        self._told_at = float("-inf")

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno >= logging.ERROR:
            return True
        self._number += 1
        if (now := time.monotonic()) - self._told_at >= 1:
            log.info("unreadable requests", number=self._number)
            self._number, self._told_at = 0, now
        return False


def shown_path(path: str) -> str:
    """Of a request, as it stands in the log: without what looks like a secret, wherever it was sent, and nothing that moves a cursor. So
    much of it as anybody reads."""
    return _shown(path if len(path) <= LONGEST_PATH else _LAST_PART.sub("", path[:LONGEST_PATH]) + "…")


@lru_cache(maxsize=1024)
def _shown(path: str) -> str:
    return quote(_SECRET.sub("…", path), safe="/%")


class AccessLog:
    """One line for each answer. No query, no address of the reader. ``kept``: all of them, or of those at the fast door that went well one
    in a hundred, or none."""

    def __init__(self, kept: Literal["full", "sampled", "off"]) -> None:
        self._every = SAMPLE if kept == "sampled" else 1
        self._number = 0
        self._stream = _json_stream()
        self.is_off = kept == "off" or (self._stream is not None and not logging.getLogger("squall").isEnabledFor(logging.INFO))
        self._whose = f' "worker": {_worker},' if _worker else ""
        self._waiting: list[str] = []
        self._second, self._moment = 0, ""

    def wants(self, status: int) -> bool:
        """Whether a line is written of this answer at the fast door."""
        self._number += 1
        return not self.is_off and (status >= 400 or self._number % self._every == 0)

    def note(self, method: str, path: str, status: int, seconds: float, request_id: str) -> None:
        """The line, as ``log`` would write it. In JSON it is put together here, and written with the others of this turn of the loop:
        that takes a tenth of the time."""
        ms = round(1000 * seconds, 1)
        if self._stream is None:
            log.info("answered", method=method, path=shown_path(path), status=status, ms=ms, request_id=request_id)
            return
        now = time.time()
        if int(now) != self._second:
            self._second = int(now)
            self._moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(self._second))
        self._waiting.append(
            f'{_beginning(method, path, status)}{ms}, "request_id": "{request_id}", "event": "answered", "level": "info",'
            f'{self._whose} "timestamp": "{self._moment}.{int(1_000_000 * (now - self._second)):06}Z"}}\n'
        )
        if len(self._waiting) == 1:
            asyncio.get_running_loop().call_soon(self._write)

    def _write(self) -> None:
        lines, self._waiting = "".join(self._waiting), []
        if self._stream is not None:
            self._stream.write(lines)
            self._stream.flush()


@lru_cache(maxsize=256)  # a path may have 16 kB
def _beginning(method: str, path: str, status: int) -> str:
    """Of a line in JSON: no sign in it would be written otherwise there."""
    return f'{{"method": "{method}", "path": "{shown_path(path)}", "status": {status}, "ms": '


def _json_stream() -> TextIO | None:
    """Where lines go, if they are for machines."""
    for handler in logging.root.handlers:
        form = handler.formatter.processors[-1] if isinstance(handler.formatter, structlog.stdlib.ProcessorFormatter) else None
        if isinstance(handler, logging.StreamHandler) and isinstance(form, structlog.processors.JSONRenderer):
            return cast(TextIO, handler.stream)
    return None


class Answers(Collector):
    """How many there were of each kind, and how long they took. Plain numbers that are put together when somebody asks: some answers take
    a few microseconds, and what the library's own counters would cost is not little beside that."""

    def __init__(self) -> None:
        self.at_the_door = 0  # of them, given below the HTTP parser
        self.numbers: defaultdict[tuple[str, str, int], int] = defaultdict(int)
        self._buckets: defaultdict[str, list[int]] = defaultdict(lambda: [0] * (len(BUCKETS) + 1))
        self._seconds: defaultdict[str, float] = defaultdict(float)

    def note(self, face: str, method: str, status: int, seconds: float) -> None:
        self.numbers[face, method, status] += 1
        self._buckets[face][bisect_left(BUCKETS, seconds)] += 1
        self._seconds[face] += seconds

    def collect(self) -> Iterator[Metric]:
        numbers = CounterMetricFamily("squall_requests", "Answered requests", labels=("face", "method", "status"))
        for (face, method, status), number in list(self.numbers.items()):
            numbers.add_metric((face, method, str(status)), number)
        yield numbers
        yield CounterMetricFamily("squall_door_answers", "Of them, answered below the HTTP parser", value=self.at_the_door)
        seconds = HistogramMetricFamily("squall_request_seconds", "Time from the parsed request to the answer", labels=("face",))
        for face, counted in list(self._buckets.items()):
            buckets = list(zip(map(floatToGoString, (*BUCKETS, math.inf)), map(float, accumulate(counted)), strict=True))
            seconds.add_metric((face,), buckets, self._seconds[face])
        yield seconds


class Metrics:
    """The counters of one application; a registry of its own, so that several can live in one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.answers = Answers()
        self.registry.register(self.answers)
        self.events = Counter("squall_events_total", "Committed events", ("name",), registry=self.registry)
        self.jobs = Counter("squall_jobs_total", "Jobs that were run", ("name", "result"), registry=self.registry)
        self.rooms = Gauge("squall_rooms", "Documents that people have open", registry=self.registry)
        self.sockets = Gauge("squall_sockets", "Windows in which a document is open", registry=self.registry)
        self.updates = Counter("squall_document_updates_total", "Updates of documents that were kept", registry=self.registry)
        self._worker, self._folder = 0, Path()

    def exposition(self) -> bytes:
        return _merged([self._own(), *self._of_others()]) if self._worker else generate_latest(self.registry)

    async def share(self, folder: Path, worker: int) -> None:
        """With the other workers, until cancelled: whichever is asked answers for all, by what each has last written into the folder."""
        self._worker, self._folder = worker, folder
        mine, draft = folder / str(worker), folder / f"{worker}.draft"
        while True:
            with suppress(OSError):  # the disk is full; what is old is not told any more
                draft.write_bytes(self._own())
                draft.replace(mine)
            await asyncio.sleep(SHARE_EVERY)

    def _own(self) -> bytes:
        return generate_latest(_Labelled(self.registry, self._worker))

    def _of_others(self) -> Iterator[bytes]:
        for path in sorted(self._folder.glob("[0-9]*")):
            if path.name.isdigit() and int(path.name) != self._worker and time.time() - path.stat().st_mtime < STALE:
                yield path.read_bytes()


class _Labelled(Collector):
    """Says of each number which worker's it is."""

    def __init__(self, registry: CollectorRegistry, worker: int) -> None:
        self._registry, self._label = registry, {"worker": str(worker)}

    def collect(self) -> Iterator[Metric]:
        for metric in self._registry.collect():
            metric.samples = [sample._replace(labels={**sample.labels, **self._label}) for sample in metric.samples]
            yield metric


def _merged(expositions: Iterable[bytes]) -> bytes:
    """One text, in which all that belongs to a name stands together, as it has to."""
    by_head: dict[bytes, bytes] = {}
    for text in expositions:
        for block in text.split(b"# HELP ")[1:]:
            words, kind, samples = block.split(b"\n", 2)
            head = b"# HELP " + words + b"\n" + kind + b"\n"
            by_head[head] = by_head.get(head, b"") + samples
    return b"".join(head + samples for head, samples in by_head.items())
