"""Somebody at a document: a real socket, and a Yjs document of his own behind it.

async with writing(browser, post_id) as ana:
    await ana.type("Mud.")
    await ana.kept()
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from cms import crdt
from cms.collaboration import protocol
from cms.collaboration.protocol import Reader
from tests.web import Browser


class Writer:
    def __init__(self, socket: WebSocketClientConnection, document: Any = None) -> None:
        self.socket = socket
        self.document = document or crdt.Document()
        self.told: list[dict[str, Any]] = []
        self.states: dict[int, Any] = {}
        self.sent = self.on_disk = 0
        self.is_whole = False  # the document has come
        self.closed: tuple[int | None, str | None] | None = None
        self._news = asyncio.Event()
        self._listening = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        while (message := await self.socket.read_message()) is not None:
            self._hear(bytes(message))
            self._news.set()
        self.closed = (self.socket.close_code, self.socket.close_reason)
        self._news.set()

    def _hear(self, message: bytes) -> None:
        reader = Reader(message)
        match reader.byte():
            case protocol.SYNC:
                step, data = reader.byte(), reader.bytes()
                if step == protocol.STEP_1:
                    self.send(protocol.sync(protocol.STEP_2, self.document.since(data)))
                    self.sent += 1
                    self.send(protocol.sync(protocol.STEP_1, self.document.state()))
                else:
                    self.document.apply(data)
                    self.is_whole = self.is_whole or step == protocol.STEP_2
            case protocol.AWARENESS:
                self.states.update({client: state for client, (_, state) in protocol.read_awareness(reader.bytes()).items()})
            case protocol.STORED:
                self.on_disk = reader.number()
            case protocol.TOLD:
                self.told.append(json.loads(reader.text()))

    def send(self, message: bytes) -> None:
        with suppress(Exception):  # the other side may have gone
            self.socket.write_message(message, binary=True).add_done_callback(lambda sent: sent.cancelled() or sent.exception())

    def update(self, data: bytes) -> None:
        self.send(protocol.sync(protocol.UPDATE, data))
        self.sent += 1

    def type(self, content: str | None = None, **fields: Any) -> None:
        self.update(self.document.edit(content, fields))

    async def until(self, found: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not found():
                self._news.clear()
                await self._news.wait()

    async def kept(self) -> None:
        await self.until(lambda: self.on_disk == self.sent)

    async def reads(self, content: str) -> None:
        await self.until(lambda: self.document.content == content)

    async def end(self) -> tuple[int | None, str | None]:
        await self.until(lambda: self.closed is not None)
        assert self.closed
        return self.closed

    def last_told(self, kind: str) -> dict[str, Any] | None:
        return next((each for each in reversed(self.told) if each["kind"] == kind), None)


@asynccontextmanager
async def writing(browser: Browser, post_id: int, lineage: str = "", *, document: Any = None, **headers: str) -> AsyncIterator[Writer]:
    """Waits until the document is there, or the socket was closed. ``document``: what the browser had before, or the real Yjs."""
    address = browser.url.replace("http", "ws", 1) + f"/live/posts/{post_id}" + (f"?lineage={lineage}" if lineage else "")
    cookies = {"Cookie": "; ".join(f"{name}={value}" for name, value in browser.cookies.items())}
    socket = await websocket_connect(HTTPRequest(address, headers={**cookies, **headers}), max_message_size=64 * 1024 * 1024)
    writer = Writer(socket, document)
    try:
        await writer.until(lambda: writer.is_whole or writer.closed is not None)
        yield writer
    finally:
        socket.close()
        await asyncio.wait_for(writer._listening, 10)
