"""What is written in the rooms of this process, brought to disk: many rooms in one transaction, the more of them the less often."""

import asyncio
import time
from collections.abc import Sequence

from cms import crdt
from cms.collaboration import protocol
from cms.collaboration.room import Room
from cms.db.session import Database
from cms.errors import CMSError, Unavailable
from cms.services import working_copies
from cms.telemetry import Metrics, log
from cms.wording import say

AT_ONCE = 16  # rooms in a transaction; more would keep readers waiting
GATHER = 0.05  # seconds in which others may join a transaction,
FOR_EACH, GATHER_AT_MOST = 0.0025, 0.5  # and as much more for each room of the last one: a crowd is written less often, and more at once
PATIENCE = (0.5, 1.0, 2.0, 5.0)  # seconds until it is tried again; the last one from then on
CANNOT = "Something went wrong on our side; what you typed is kept here and sent again."


class Log:
    def __init__(self, database: Database, metrics: Metrics) -> None:
        self._database, self._metrics = database, metrics
        self._waiting: dict[Room, None] = {}
        self._wake = asyncio.Event()
        self._pause = GATHER

    def want(self, room: Room) -> None:
        self._waiting[room] = None
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled."""
        failed = 0
        while True:
            await self._wake.wait()
            await asyncio.sleep(PATIENCE[min(failed, len(PATIENCE)) - 1] if failed else self._pause)
            failed = 0 if await self.write() else failed + 1

    async def write(self) -> bool:
        """All that waits. Whether it could be done; if not, it goes on waiting."""
        self._wake.clear()
        rooms, is_done = sorted(self._waiting, key=lambda room: room.post_id), True
        self._pause = min(GATHER + FOR_EACH * len(rooms), GATHER_AT_MOST)
        while rooms:
            some, rooms = rooms[:AT_ONCE], rooms[AT_ONCE:]
            for room in some:
                self._waiting.pop(room, None)
            is_done &= await self._write_some(some)
        return is_done

    async def _write_some(self, rooms: Sequence[Room]) -> bool:
        error = await self._try(rooms)
        if error and not isinstance(error, Unavailable) and len(rooms) > 1:  # one of them may be the reason
            return all([not await self._try([room]) for room in rooms])
        return not error

    async def _try(self, rooms: Sequence[Room]) -> Exception | None:
        for room in rooms:
            room.take_queue()
        numbers: dict[int, int] = {}
        writing = asyncio.ensure_future(self._write(rooms, numbers))
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            await asyncio.wait([writing])  # to know what is on disk
            self._settle(rooms, numbers, writing.exception())
            raise
        except Exception as error:
            self._settle(rooms, numbers, error)
            return error
        self._settle(rooms, numbers, None)
        return None

    async def _write(self, rooms: Sequence[Room], numbers: dict[int, int]) -> None:
        for room in rooms:
            if room.on_its_way.former is not None:
                await self._take_over(room)
        writing = [room for room in rooms if room.on_its_way.made or room.on_its_way.claims]
        if not writing:
            return
        async with self._database.transaction() as work:
            made = {room.post_id: crdt.merged(*room.on_its_way.made) for room in writing if room.on_its_way.made}
            numbers.update(await working_copies.append(work, made, {room.post_id: room.lineage for room in writing}))
            there = await working_copies.with_documents(work.session, [room.post_id for room in writing])
            for room in writing:
                if room.post_id not in there:
                    continue
                if room.post_id in numbers:
                    room.mine.add(numbers[room.post_id])
                for client, user_id in room.on_its_way.claims.items():
                    await working_copies.claim(work, room.post_id, client, user_id)

    async def _take_over(self, room: Room) -> None:
        try:
            async with self._database.transaction() as work:
                await working_copies.take_over(work, room.post_id, room.on_its_way.former)
            room.on_its_way.former = None
        except Unavailable:
            raise
        except CMSError:  # somebody saved at this very moment, or it is gone
            log.info("nothing kept of who wrote before", post=room.post_id)

    def _settle(self, rooms: Sequence[Room], numbers: dict[int, int], error: BaseException | None) -> None:
        if error is None:
            self._metrics.updates.inc(len(numbers))
            for room in rooms:
                is_lost = room.on_its_way.made and room.post_id not in numbers
                room.written() if not is_lost else room.end(protocol.TRY_AGAIN, say("This text is not there any more, or another."))
            return
        is_ours = isinstance(error, CMSError)
        log.warning("what is written waits", reason=type(error).__name__, exc_info=None if is_ours else error)
        for room in rooms:
            room.mine.discard(numbers.get(room.post_id, 0))
            room.put_back()
            for seat in list(room.seats):
                seat.socket.tell("unsaved", why=error.message if isinstance(error, CMSError) else CANNOT)
            self.want(room)

    async def flush(self, seconds: float) -> bool:
        """Before the program ends. Whether all could be written in this time."""
        until = time.monotonic() + seconds
        while self._waiting and time.monotonic() < until:
            if not await self.write():
                await asyncio.sleep(0.2)
        return not self._waiting
