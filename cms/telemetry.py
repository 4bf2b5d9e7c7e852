"""Structured logs, and the counters and timings behind /metrics. No personal data in either."""

import logging
import sys
from typing import Any, Literal

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)  # seconds

log: structlog.stdlib.BoundLogger = structlog.get_logger("squall")


def configure_logging(level: str, form: Literal["auto", "pretty", "json"]) -> None:
    """One line an event on stderr: for people on a terminal, JSON for machines. The standard library's logs take the same way."""
    pretty = form == "pretty" or (form == "auto" and sys.stderr.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
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
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for name in ("tornado.access", "alembic", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)


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

    def exposition(self) -> bytes:
        return generate_latest(self.registry)
