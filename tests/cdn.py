"""A CDN on loopback: keeps what it may, and forgets what it is told.

async with running_cdn() as cdn:
    cdn.origin = site.url
    answer = await cdn.get("/low-tide")
    assert cdn.hits == 0
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, HTTPError, RequestHandler

from tests.http_client import fetch
from tests.web import Answer, Browser

TOKEN = "a token with: signs"
TAGS = ("Surrogate-Key", "Cache-Tag")


@dataclass
class CDN:
    """``told``: each request to forget something, in order. ``fails``: it answers those with 503, or with nothing."""

    url: str
    origin: str = ""
    fails: bool = False
    hits: int = 0
    kept: dict[str, Answer] = field(default_factory=dict)
    told: list[tuple[str, ...]] = field(default_factory=list)

    async def get(self, path: str, **headers: str) -> Answer:
        return await Browser(self.url).get(path, **headers)

    async def fill(self, path: str) -> Answer:
        """From the origin, kept if that is allowed to those in between."""
        answer = Answer(*await fetch("GET", self.origin + path, {"Accept-Encoding": "identity", "Host": "127.0.0.1"}))
        if "s-maxage" in answer.headers.get("Cache-Control", ""):
            self.kept[path] = answer
        return answer

    def forget_tags(self, tags: list[str]) -> None:
        self.told.append(tuple(tags))
        for path, answer in list(self.kept.items()):
            shown = {tag for name in TAGS for tag in answer.headers.get(name, "").replace(",", " ").split()}
            if shown & set(tags):
                del self.kept[path]

    def forget_address(self, address: str) -> None:
        self.told.append((address,))
        for path in list(self.kept):
            if path == address or (address.endswith("*") and path.startswith(address[:-1])):
                del self.kept[path]


class _Handler(RequestHandler):
    SUPPORTED_METHODS = ("GET", "POST", "PURGE")  # type: ignore[assignment]

    def initialize(self, cdn: CDN) -> None:
        self.cdn = cdn

    async def get(self) -> None:
        path = self.request.uri or ""
        found = self.cdn.kept.get(path)
        self.cdn.hits += found is not None
        found = found or await self.cdn.fill(path)
        self.set_status(found.status)
        self.clear_header("Content-Type")
        if "Location" in found.headers:
            self.set_header("Location", found.headers["Location"])
        self.finish(found.body)

    def post(self) -> None:
        self._admit()
        if self.request.path == "/header":
            self.cdn.forget_tags(self.request.headers["Surrogate-Key"].split())
        else:
            self.cdn.forget_tags(json.loads(self.request.body)["tags"])

    def purge(self) -> None:
        self._admit()
        if self.request.host != "tides.example":
            raise HTTPError(421)
        self.cdn.forget_address(self.request.uri or "")

    def _admit(self) -> None:
        if self.request.headers.get("Authorization") != f"Bearer {TOKEN}" and self.request.headers.get("Fastly-Key") != TOKEN:
            raise HTTPError(403)
        if self.cdn.fails:
            raise HTTPError(503)


@asynccontextmanager
async def running_cdn() -> AsyncIterator[CDN]:
    listening, port = bind_unused_port()
    cdn = CDN(f"http://127.0.0.1:{port}")
    server = HTTPServer(Application([(r".*", _Handler, {"cdn": cdn})], log_function=lambda handler: None))
    server.add_socket(listening)
    yield cdn
    server.stop()
    await server.close_all_connections()
