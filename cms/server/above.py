"""A worker's line to the parent above it, which ends with the parent, however that ends."""

import asyncio
import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

ALIVE = 5.0  # seconds between two signs that the loop goes round


class Above:
    """``is_first``: nobody serves yet, so this one binds and migrates. ``sockets``: to be served, from the parent. ``shared``: a folder for
    what workers tell each other."""

    def __init__(self, line: socket.socket, sockets: list[socket.socket], number: int, is_first: bool, shared: Path | None) -> None:
        self._line, self.sockets = line, sockets
        self.number, self.is_first, self.shared = number, is_first, shared

    @classmethod
    def on(cls, descriptor: int) -> Self:
        line = socket.socket(fileno=descriptor)
        line.set_inheritable(False)
        words, descriptors, _, _ = socket.recv_fds(line, 65536, 8)
        for each in descriptors:
            os.set_inheritable(each, False)
        told = json.loads(words)
        sockets = [socket.socket(fileno=each) for each in descriptors]
        return cls(line, sockets, told["number"], told["is_first"], Path(told["shared"]) if told["shared"] else None)

    def is_ready(self, sockets: list[socket.socket], **words: Any) -> None:
        """Say that we answer. ``sockets``: that the parent does not have yet."""
        socket.send_fds(self._line, [json.dumps(words).encode()], [each.fileno() for each in sockets] if self.is_first else [])

    def cannot(self, why: str) -> None:
        self._line.send(json.dumps({"why": why}).encode())

    def follow(self, leave: Callable[[], object]) -> None:
        """Show from now on that the loop goes round, and ``leave`` when the parent is gone."""
        loop = asyncio.get_running_loop()
        self._line.setblocking(False)
        loop.add_reader(self._line, self._is_gone, leave)
        self._show()

    def _is_gone(self, leave: Callable[[], object]) -> None:
        asyncio.get_running_loop().remove_reader(self._line)
        leave()

    def _show(self) -> None:
        try:
            self._line.send(b"{}")
        except BlockingIOError:
            pass  # the parent stands still
        except OSError:
            return
        asyncio.get_running_loop().call_later(ALIVE, self._show)
