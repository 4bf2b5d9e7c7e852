"""Tells a signed-in person what happens at the desk (server-sent events, https://html.spec.whatwg.org/#server-sent-events).

``notifications`` with the number of those that are new, at the beginning and whenever it is another; ``posts`` with a list of those to
which something happened, or ``null`` if everything is to be looked at again; ``jobs``, to those who see them, that some came or
went on, and imports and exports with them; ``media``, to those who see the library, that something of it is another. A browser that was
away looks at everything again, so there are no ids. The stream closes when the session ends or the person is somebody else than before;
it is taken up again by the browser, which hears then what it may hear now, or that it has to sign in.
"""

import json
import time

from tornado.iostream import StreamClosedError

from cms.errors import NotAuthenticated
from cms.handlers.live.base import HEARTBEAT, StreamHandler
from cms.handlers.news import ASK_EVERY, Reader
from cms.policy import Capability


class EventsHandler(StreamHandler):
    requires = Capability.ACCOUNT_KEEP

    async def get(self) -> None:
        if self.standing is None:
            raise NotAuthenticated
        reader = self.waking = await self.parts.news.enter(self.standing.session.id, self.actor)
        try:
            await self._follow(reader)
        except StreamClosedError:
            return
        finally:
            self.parts.news.leave(reader)

    async def _follow(self, reader: Reader) -> None:
        await self.begin()
        asked_at = time.monotonic()
        while not reader.is_over:
            if not await reader.wait(HEARTBEAT):
                await self.send(":\n\n")
            for name, data in () if reader.is_over else reader.take():
                await self.send(f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n")
            if time.monotonic() - asked_at > ASK_EVERY:
                asked_at = time.monotonic()
                self.parts.news.doubt([reader])
