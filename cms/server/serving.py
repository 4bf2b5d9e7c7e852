"""A process that serves, from its first answer to its last."""

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable
from typing import Any

from cms.app import Squall
from cms.server.above import Above
from cms.server.http import Server
from cms.server.listening import Listening
from cms.telemetry import log

DRAIN = 10.0  # seconds that requests under way are given to finish
HEAD_START = 0.1  # seconds: readers who have waited for us come before all that is done beside them
LEFT = 5.0  # seconds for the end of their connections; whoever waits for a storage that hangs is waited for no longer


async def serve(
    application: Squall,
    listening: Listening,
    above: Above | None,
    ready: Callable[[], Awaitable[None]],
    background: Callable[[], Awaitable[Any]],
) -> None:
    """Answer until SIGTERM or SIGINT, or until the parent is gone; then finish what is under way and leave. ``background`` runs meanwhile
    and is cancelled; it is not begun if the application cannot start."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if above:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # is for the parent; a terminal that closes tells everybody
        above.follow(stop.set)
    server = Server(application)
    try:
        await application.start()
        work = asyncio.create_task(_beside(background))
        try:
            server.add_sockets(listening.sockets)
            await ready()
            await stop.wait()
        finally:
            work.cancel()  # what is under way of it comes to its end meanwhile
            await _drain(server, application)
            with contextlib.suppress(asyncio.CancelledError):
                await work
    finally:
        await application.close()


async def _beside(background: Callable[[], Awaitable[Any]]) -> None:
    await asyncio.sleep(HEAD_START)
    await background()


async def _drain(server: Server, application: Squall) -> None:
    server.stop()
    log.info("stopping", under_way=application.parts.under_way)
    deadline = asyncio.get_running_loop().time() + DRAIN
    await application.hang_up()
    while not (server.is_left() and application.parts.under_way == 0) and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LEFT):
            await server.close_all_connections()
