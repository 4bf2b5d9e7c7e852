"""Tells a page of a preview link that there is something newer (server-sent events, https://html.spec.whatwg.org/#server-sent-events).

``changed`` with the version that is there now, which is its id, too; ``ended`` when the link has. A stream that just closes is taken up
again by the browser.
"""

import asyncio

from tornado.iostream import StreamClosedError

from cms.handlers.live.base import LiveHandler
from cms.handlers.previews import Looker
from cms.services import preview_links

HEARTBEAT = 15.0  # seconds; proxies close what is silent for longer
SLOW = 10.0  # seconds in which a line must be taken


class PreviewStreamHandler(LiveHandler):
    requires = None
    path_is_secret = True

    _looker: Looker | None = None

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.set_header("X-Robots-Tag", "noindex, nofollow")

    async def get(self, carrier: str) -> None:
        async with self.read() as session:
            sight = await preview_links.find(session, carrier, self.parts.database.clock())
        seen = self.request.headers.get("Last-Event-ID") or self.get_query_argument("seen", "")
        looker = self._looker = self.parts.guests.follow(sight, carrier, seen)
        try:
            await self._follow(looker)
        except (StreamClosedError, TimeoutError):
            return  # left, or too slow to be waited for
        finally:
            self.parts.guests.leave(looker)

    async def _follow(self, looker: Looker) -> None:
        self._transforms = []  # each line is wanted at once
        self.set_header("Content-Type", "text/event-stream")
        self.set_header("X-Accel-Buffering", "no")
        await self._send("retry: 2000\n\n")
        while not looker.is_over:
            left = (looker.expires_at - self.parts.database.clock()).total_seconds()
            if left <= 0:
                looker.end(is_link=True)
            elif not await looker.wait(min(HEARTBEAT, left)):
                await self._send(":\n\n")
            elif looker.newest != looker.seen:
                looker.seen = looker.newest
                await self._send(f"id: {looker.seen}\nevent: changed\ndata: {looker.seen}\n\n")
        if looker.has_ended:
            await self._send("event: ended\ndata: \n\n")

    async def _send(self, lines: str) -> None:
        self.write(lines)
        await asyncio.wait_for(self.flush(), SLOW)

    def on_connection_close(self) -> None:
        super().on_connection_close()
        if self._looker:
            self._looker.end()
