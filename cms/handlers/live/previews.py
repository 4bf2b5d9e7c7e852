"""Tells a page of a preview link that there is something newer.

``changed`` with the version that is there now, which is its id, too; ``ended`` when the link has. A stream that just closes is taken up
again by the browser.
"""

from tornado.iostream import StreamClosedError

from cms.handlers.live.base import HEARTBEAT, StreamHandler
from cms.handlers.previews import Looker
from cms.services import preview_links


class PreviewStreamHandler(StreamHandler):
    requires = None
    path_is_secret = True

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.set_header("X-Robots-Tag", "noindex, nofollow")

    async def get(self, carrier: str) -> None:
        async with self.read() as session:
            sight = await preview_links.find(session, carrier, self.parts.database.clock())
        seen = self.request.headers.get("Last-Event-ID") or self.get_query_argument("seen", "")
        looker = self.waking = self.parts.guests.follow(sight, carrier, seen)
        try:
            await self._follow(looker)
        except StreamClosedError:
            return
        finally:
            self.parts.guests.leave(looker)

    async def _follow(self, looker: Looker) -> None:
        await self.begin()
        while not looker.is_over:
            left = (looker.expires_at - self.parts.database.clock()).total_seconds()
            if left <= 0:
                looker.end_for_good()
            elif not await looker.wait(min(HEARTBEAT, left)):
                await self.send(":\n\n")
            elif looker.newest != looker.seen:
                looker.seen = looker.newest
                await self.send(f"id: {looker.seen}\nevent: changed\ndata: {looker.seen}\n\n")
        if looker.has_ended:
            await self.send("event: ended\ndata: \n\n")
