"""LiveHandler: who has come, for what stays open. Each one says what it requires."""

from typing import Any

from cms import policy
from cms.errors import NotAuthenticated
from cms.handlers.base import BaseHandler


class LiveHandler(BaseHandler):
    """Every handler says which capability it ``requires``; None stands for those who are not signed in.

    Sockets ask for it themselves: a browser hears why one was closed, but not why it was not opened.
    """

    face = "live"

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "requires" not in vars(cls):
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
