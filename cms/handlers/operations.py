"""For operators: alive, ready, metrics."""

import hmac
import ipaddress
import json

from cms.db import migrations
from cms.errors import Forbidden, Unavailable
from cms.handlers.base import BaseHandler


class OperationsHandler(BaseHandler):
    """Asked by load balancers under whatever name; answers are for programs."""

    face = "operations"
    requires = None  # of people; what may be asked from where, each says itself
    answers_any_host = True

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.set_header("Cache-Control", "no-store")

    def answer(self, code: int, /, **content: object) -> None:
        self.set_status(code)
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.finish(json.dumps(content) + "\n")


class HealthHandler(OperationsHandler):
    """The process is alive; says nothing of its database, or a restart storm would follow each of its pauses."""

    def get(self) -> None:
        self.answer(200, status="alive")

    head = get


class ReadyHandler(OperationsHandler):
    """Requests can be answered: the database is there and at the program's revision."""

    async def get(self) -> None:
        head = self.parts.revision
        try:
            async with self.read() as session:
                current = await migrations.revision_of(session)
        except Unavailable:
            self.set_header("Retry-After", "5")
            return self.answer(503, status="the database is away")
        if current != head:
            return self.answer(503, status="the database is at another revision", current=current, head=head)
        return self.answer(200, status="ready", revision=head)

    head = get


class MetricsHandler(OperationsHandler):
    """Prometheus' text format. By token; without one set, from loopback when the request came through no proxy."""

    def get(self) -> None:
        token = self.parts.settings.metrics_token.get_secret_value()
        if not (self._has_token(token) if token else self._is_direct_and_local()):
            raise Forbidden("Metrics are read with a token, or directly from this machine.")
        self.set_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.finish(self.parts.metrics.exposition())

    def _has_token(self, token: str) -> bool:
        return hmac.compare_digest(self.request.headers.get("Authorization", "").encode(), f"Bearer {token}".encode())

    def _is_direct_and_local(self) -> bool:
        proxied = any(name in self.request.headers for name in ("Forwarded", "Via", "X-Forwarded-For", "X-Real-Ip", "X-Forwarded-Host"))
        proxied = proxied or self.request.host_name not in ("localhost", "127.0.0.1", "[::1]")  # a proxy that only passes on the name
        try:
            return not proxied and ipaddress.ip_address(self.request.remote_ip or "").is_loopback
        except ValueError:
            return False
