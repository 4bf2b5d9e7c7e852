"""Connections taken as they come, for as long as the system has room for them."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

from cms.telemetry import log

AT_ONCE = 128  # before others have a turn
PAUSE = 0.5  # seconds


class Accepting:
    """Gives each connection with its address to ``take``. When there are no more files to be opened it tries again after a pause: who
    waits is still there then, and asking at once, as Tornado does, would take all the time there is, and fill the log."""

    def __init__(self, listening: socket.socket, take: Callable[[socket.socket, Any], None]) -> None:
        self._listening, self._take = listening, take
        self._loop = asyncio.get_running_loop()
        self._pause: asyncio.TimerHandle | None = None
        self._begin()

    def _begin(self) -> None:
        self._loop.add_reader(self._listening, self._accept)

    def stop(self) -> None:
        self._loop.remove_reader(self._listening)
        if self._pause:
            self._pause.cancel()

    def _accept(self) -> None:
        for _ in range(AT_ONCE):
            try:
                connection, address = self._listening.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError as error:
                log.warning("no room for another connection", reason=error.strerror)
                self._loop.remove_reader(self._listening)
                self._pause = self._loop.call_later(PAUSE, self._begin)
                return
            self._take(connection, address)
