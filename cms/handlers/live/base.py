"""LiveHandler: who has come, for what stays open. Each one says what it requires. StreamHandler: events for a page."""

import asyncio
from typing import Any

from tornado.http1connection import HTTP1Connection
from tornado.iostream import StreamClosedError

from cms import policy
from cms.errors import NotAuthenticated
from cms.handlers.base import BaseHandler
from cms.handlers.waking import Waking
from cms.ui.languages import Language

HEARTBEAT = 15.0  # seconds; proxies close what is silent for longer
SLOW = 10.0  # seconds in which a line must be taken


class LiveHandler(BaseHandler):
    """Every handler says which capability it ``requires``; None stands for those who are not signed in.

    Sockets ask for it themselves: a browser hears why one was closed, but not why it was not opened.
    """

    face = "live"

    def __init_subclass__(cls, *, is_base: bool = False, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not is_base and "requires" not in vars(cls):
            raise TypeError(f"{cls.__name__} does not say what it requires (a Capability, or None for everybody)")

    async def prepare(self) -> None:
        await super().prepare()
        await self.load_actor()
        if self.request.headers.get("Upgrade", "").lower() == "websocket" or self.requires is None:
            return
        if not self.actor.is_signed_in:
            raise NotAuthenticated
        policy.require(self.actor, self.requires)

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.set_header("Cache-Control", "no-store")

    def get_user_locale(self) -> Language:
        return self.language_of_person()


class StreamHandler(LiveHandler, is_base=True):
    """Server-sent events (https://html.spec.whatwg.org/#server-sent-events). Whoever is cut off comes again by himself."""

    waking: Waking | None = None  # what is waited for, once it is

    async def begin(self) -> None:
        self._transforms = []  # each line is wanted at once
        self.set_header("Content-Type", "text/event-stream")
        self.set_header("X-Accel-Buffering", "no")
        await self.send("retry: 2000\n\n")

    async def send(self, lines: str) -> None:
        """Raises ``StreamClosedError`` if whoever listened has left; who does not take it is not waited for."""
        self.write(lines)
        try:
            async with asyncio.timeout(SLOW):
                await self.flush()
        except TimeoutError:
            if isinstance(self.request.connection, HTTP1Connection):
                self.request.connection.close()
            raise StreamClosedError from None

    def on_connection_close(self) -> None:
        super().on_connection_close()
        if self.waking:
            self.waking.end()
