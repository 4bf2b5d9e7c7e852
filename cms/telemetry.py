"""Structured logs, and the counters and timings behind /metrics. No personal data in either."""

import logging
import re
import sys
import time
import traceback
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any, Literal

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)  # seconds

_BREAKS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")

log: structlog.stdlib.BoundLogger = structlog.get_logger("squall")


def configure_logging(level: str, form: Literal["auto", "pretty", "json"]) -> None:
    """One line an event on stderr: for people on a terminal, JSON for machines. The standard library's logs take the same way."""
    pretty = form == "pretty" or (form == "auto" and sys.stderr.isatty())
    shared: list[Any] = [
        _in_one_line,
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(_traceback),
    ]
    renderer = (
        structlog.dev.ConsoleRenderer(pad_event_to=0, exception_formatter=structlog.dev.plain_traceback)
        if pretty
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


class Metrics:
    """The counters of one application; a registry of its own, so that several can live in one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter("squall_requests_total", "Answered requests", ("face", "method", "status"), registry=self.registry)
        self.seconds = Histogram(
            "squall_request_seconds", "Time from the parsed request to the answer", ("face",), registry=self.registry, buckets=BUCKETS
        )
        self.events = Counter("squall_events_total", "Committed events", ("name",), registry=self.registry)
        self.jobs = Counter("squall_jobs_total", "Jobs that were run", ("name", "result"), registry=self.registry)
        self.rooms = Gauge("squall_rooms", "Documents that people have open", registry=self.registry)
        self.sockets = Gauge("squall_sockets", "Windows in which a document is open", registry=self.registry)
        self.updates = Counter("squall_document_updates_total", "Updates of documents that were kept", registry=self.registry)

    def exposition(self) -> bytes:
        return generate_latest(self.registry)
