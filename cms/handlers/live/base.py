"""LiveHandler: who has come, for what stays open. Each one says what it requires."""

from typing import Any

from cms.handlers.base import BaseHandler


class LiveHandler(BaseHandler):
    """Every handler says which capability it ``requires``; None stands for those who are not signed in."""

    face = "live"

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "requires" not in vars(cls):
            raise TypeError(f"{cls.__name__} does not say what it requires (a Capability, or None for everybody)")

    async def prepare(self) -> None:
        await super().prepare()
        await self.load_actor()

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.set_header("Cache-Control", "no-store")
