"""Popular pages that were forgotten are made again at once, as if a reader had asked: the next one need not wait."""

import asyncio
import contextlib
from collections.abc import Iterable

from tornado.httputil import HTTPConnection, HTTPHeaders, HTTPServerRequest, RequestStartLine, ResponseStartLine
from tornado.web import Application

from cms.page_cache.cache import PageCache

MOST = 50  # pages after one change
PATIENCE = 30  # seconds; then the next one


class Remaking:
    """One page after the other, beside what readers ask for."""

    def __init__(self, application: Application, pages: PageCache) -> None:
        self._application = application
        self._pages = pages
        self._wanted: dict[str, None] = {}
        self._task: asyncio.Task[None] | None = None

    def want(self, keys: Iterable[str]) -> None:
        """``keys`` of the page cache, which are addresses with their queries."""
        self._wanted |= dict.fromkeys(list(keys)[:MOST])
        if self._wanted and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._make())

    async def close(self) -> None:
        self._wanted.clear()
        if self._task is not None:
            await asyncio.wait([self._task])

    async def _make(self) -> None:
        while self._wanted:
            key = next(iter(self._wanted))
            del self._wanted[key]
            if key not in self._pages:
                await self._ask(key)

    async def _ask(self, key: str) -> None:
        nobody = _Nobody()
        request = HTTPServerRequest(
            connection=nobody, headers=HTTPHeaders({"Host": "localhost"}), start_line=RequestStartLine("GET", key, "HTTP/1.1")
        )
        self._application.find_handler(request).execute()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await nobody.is_served.wait()


class _Nobody(HTTPConnection):
    """Who asks, and takes the answer without looking at it."""

    def __init__(self) -> None:
        self.is_served = asyncio.Event()

    def write_headers(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders, chunk: bytes | None = None
    ) -> "asyncio.Future[None]":
        return self.write(chunk or b"")

    def write(self, chunk: bytes) -> "asyncio.Future[None]":
        taken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        taken.set_result(None)
        return taken

    def finish(self) -> None:
        self.is_served.set()

    def set_close_callback(self, callback: object) -> None: ...
