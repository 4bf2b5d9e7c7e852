"""The socket at which people write a text together. docs/decisions/0010-writing-together.md says what goes over it."""

from typing import Any

from tornado.iostream import StreamBufferFullError, StreamClosedError
from tornado.websocket import WebSocketHandler, WebSocketProtocol, WebSocketProtocol13

from cms.collaboration import protocol
from cms.collaboration.protocol import Refusal
from cms.collaboration.room import MAX_MESSAGE, Broken, Room, Seat
from cms.handlers.live.base import LiveHandler
from cms.policy import Capability
from cms.sockets import Frames
from cms.wording import say

MAX_UNSENT = 12 * 1024 * 1024  # bytes that wait for somebody who does not read; the largest document is among them
MAX_REASON = 123  # bytes


def shortened(reason: str) -> str:
    """As long as it may be (RFC 6455, 5.5), in whole characters."""
    if len(data := reason.encode()) <= MAX_REASON:
        return reason
    return data[: MAX_REASON - len("…".encode())].decode(errors="ignore") + "…"


class DocumentHandler(WebSocketHandler, LiveHandler):
    """Browsers tell a page nothing of why a socket was not opened, so it is always opened, and closed with a reason."""

    requires = Capability.POST_EDIT

    _room: Room | None = None
    _seat: Seat | None = None
    _is_gone = False

    async def open(self, number: str) -> None:
        if isinstance(self.ws_connection, Frames):
            await self.ws_connection.begin(MAX_UNSENT, lambda: self._refuse(protocol.too_much()))
        session_id = self.standing.session.id if self.standing else 0
        try:
            entered = await self.parts.rooms.enter(self, session_id, int(number), self.get_query_argument("lineage", ""))
        except Refusal as refusal:
            self._refuse(refusal)
            return
        self._room, self._seat = entered
        if self._is_gone:  # left while it was opened
            self.on_close()

    def on_message(self, message: str | bytes) -> None:
        if self._room is None or self._seat is None:
            return
        room = self._room
        try:
            room.receive(self._seat, message if isinstance(message, bytes) else b"")
        except Refusal as refusal:
            self._refuse(refusal)
            if isinstance(refusal, Broken):
                self.parts.rooms.give_up(room)

    def on_close(self) -> None:
        self._is_gone = True
        if self._room and self._seat:
            self._room.leave(self._seat)
        self._room = self._seat = None

    def _refuse(self, refusal: Refusal) -> None:
        self.end(refusal.code, refusal.reason)

    # --- what the room calls ---

    def send(self, message: bytes) -> None:
        try:
            if isinstance(self.ws_connection, Frames):
                self.ws_connection.send(message)
        except StreamClosedError:
            pass
        except StreamBufferFullError:
            self.end(protocol.TOO_MANY, say("Too much waits to be read here."))

    def tell(self, kind: str, **words: Any) -> None:
        self.send(protocol.told(kind, **self.language.all_of(words)))

    def end(self, code: int, reason: str) -> None:
        """At once for everybody else, whatever the other side says to it."""
        try:
            self.close(code, shortened(self.locale.translate(reason)))
        except StreamBufferFullError:  # no word would reach whoever does not read
            self.on_connection_close()
        self.on_close()

    # --- what Tornado asks ---

    def get_websocket_protocol(self) -> WebSocketProtocol | None:
        usual = super().get_websocket_protocol()
        return Frames(self, mask_outgoing=False, params=usual.params) if isinstance(usual, WebSocketProtocol13) else usual

    def check_origin(self, origin: str) -> bool:
        return self.check_trusted_origin(origin)

    @property
    def max_message_size(self) -> int:
        return 2 * MAX_MESSAGE  # what is a little too much is told so

    @property
    def ping_interval(self) -> float:
        return 25.0
