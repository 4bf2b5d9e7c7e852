"""All rooms of this process: who comes and goes, what is heard of elsewhere, and what has to be done now and then."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Coroutine, Iterable
from dataclasses import replace
from typing import Any

from cms import crdt
from cms.collaboration import protocol
from cms.collaboration.log import Log
from cms.collaboration.protocol import Refusal
from cms.collaboration.room import Room, Seat, Socket
from cms.db.session import Database
from cms.errors import CMSError, Forbidden, NotAuthenticated, NotFound, Unavailable
from cms.events import DocumentsChanged, Event, PostPublished, PostWithdrawn, SessionEnded, ThreadChanged, UserChanged, WorkChanged
from cms.services import standing, stretches, working_copies
from cms.services.working_copies import Stored
from cms.telemetry import Metrics, log
from cms.wording import say

LOOK_EVERY = 0.5  # seconds
REST, AT_LATEST = 1.5, 5.0  # seconds after the last change, and after the first, until the working copy says what the document says;
FOR_EACH = 0.05  # and as much more after the first for each room: in a crowd that goes on writing, lists may wait, readers may not
ASK_EVERY = 60.0  # seconds; sessions end by themselves, too
MOST_LOOSE, MOST_LOOSE_BYTES = 200, 256 * 1024  # updates of a document that are not folded
CLOSING = 5.0  # seconds for what waits to be written when the program ends
_CODES = {NotAuthenticated: protocol.SIGNED_OUT, Forbidden: protocol.NOT_ALLOWED, NotFound: protocol.GONE, Unavailable: protocol.TRY_AGAIN}
GONE = "This text is not there any more."


class Rooms:
    """``start`` before the first socket, ``close`` after the last and before the database."""

    def __init__(self, database: Database, metrics: Metrics) -> None:
        self._database = database
        self._rooms: dict[int, Room] = {}
        self._opening: dict[int, asyncio.Task[Room]] = {}
        self._heard: set[int] = set()  # posts of which something was heard while they were being opened
        self._coming = Counter[int]()  # by post
        self._changed = set[int]()  # posts of which something was heard while somebody was coming
        self._people = 0  # how often something was heard of people
        self._asked_at = time.monotonic()
        self._tasks: set[asyncio.Task[None]] = set()
        self._running: list[asyncio.Task[None]] = []
        self._is_closed = False
        self._log = Log(database, metrics)
        metrics.rooms.set_function(lambda: len(self._rooms))
        metrics.sockets.set_function(lambda: sum(len(room.seats) for room in self._rooms.values()))
        database.listen(self.hear)

    def start(self) -> None:
        self._running = [asyncio.create_task(self._log.run()), asyncio.create_task(self._look_around())]

    async def close(self) -> None:
        """Can be called more than once."""
        if self._is_closed:
            return
        self._is_closed = True
        for task in (*self._running, *self._tasks, *self._opening.values()):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        if not await self._log.flush(CLOSING):
            log.error("what was written last is not on disk; the browsers have it")
        for room in list(self._rooms.values()):
            room.end(protocol.GOING_AWAY, say("The program is being started again."))
            await self._in_peace(self._project(room))
            await self._in_peace(self._note_stretches(room))

    # --- coming and going ---

    async def enter(self, socket: Socket, session_id: int, post_id: int, lineage: str = "") -> tuple[Room, Seat]:
        """Raises ``Refusal``."""
        self._coming[post_id] += 1  # nobody closes the room meanwhile
        try:
            return await self._enter(socket, session_id, post_id, lineage)
        except CMSError as error:
            raise _refusal(error) from error
        finally:
            self._coming -= Counter({post_id: 1})
            if post_id not in self._coming:
                self._changed.discard(post_id)

    async def _enter(self, socket: Socket, session_id: int, post_id: int, lineage: str) -> tuple[Room, Seat]:
        room = await self._open(post_id, session_id)
        if lineage and lineage != room.lineage:
            raise Refusal(protocol.OTHER_LINEAGE, say("This text has begun anew since."))
        seat = Seat(socket, session_id, await self._ask(session_id, post_id))
        if self._is_closed or self._rooms.get(post_id) is not room:
            raise Refusal(protocol.TRY_AGAIN, "Please try again in a moment.")
        room.enter(seat)
        if post_id in self._changed:
            self._doubt(room, [seat])
        return room, seat

    async def _open(self, post_id: int, session_id: int) -> Room:
        await self._ask(session_id, post_id)  # whoever may not see it opens nothing
        if room := self._rooms.get(post_id):
            return room
        if post_id not in self._opening:
            self._opening[post_id] = asyncio.create_task(self._make(post_id))
        return await asyncio.shield(self._opening[post_id])

    async def _make(self, post_id: int) -> Room:
        try:
            stored = await self._stored(post_id)
            async with self._database.read() as session:
                writer, at = await working_copies.last_written(session, post_id)
                people = await working_copies.writers(session, post_id)
            silent_for = (self._database.clock() - at).total_seconds()
            room = Room(await _lightened(stored), self._log.want, writer=writer, silent_for=silent_for)
            room.writers, room.loose = people, len(stored.updates)
            self._rooms[post_id] = room
        finally:
            del self._opening[post_id]
        if post_id in self._heard:
            self._heard.discard(post_id)
            self._do(self._reload(room))
        return room

    async def _stored(self, post_id: int) -> Stored:
        async with self._database.read() as session:
            if stored := await working_copies.read_document(session, post_id):
                return stored
        async with self._database.transaction() as work:
            return await working_copies.open_document(work, post_id)

    async def _ask(self, session_id: int, post_id: int) -> standing.Standing:
        """Once more if something happened to people while it was asked."""
        while True:
            people = self._people
            async with self._database.read() as session:
                found = await standing.standing(session, session_id, post_id, self._database.clock())
            if people == self._people:
                return found

    def give_up(self, room: Room) -> None:
        """What is in memory cannot be trusted: everybody comes anew, and it is read from the disk. What waits is written before."""
        if self._rooms.get(room.post_id) is room:
            del self._rooms[room.post_id]
        room.end(protocol.TRY_AGAIN, say("The text is being read again."))
        self._do(self._note_stretches(room))

    # --- what happens elsewhere ---

    def hear(self, event: Event) -> None:
        match event:
            case DocumentsChanged():
                for post_id, update_id in event.updates:
                    self._note(post_id, update_id)
            case UserChanged() | SessionEnded():
                self._people += 1
                for room in self._rooms.values():
                    self._doubt(room, [seat for seat in room.seats if seat.user_id == event.user_id])
            case ThreadChanged():
                if room_of := self._rooms.get(event.post_id):
                    room_of.tell(protocol.told("threads"))
            case WorkChanged() | PostPublished() | PostWithdrawn():
                if event.post_id in self._coming:
                    self._changed.add(event.post_id)
                room_of = self._rooms.get(event.post_id)
                if room_of and (room_of.projecting is None or room_of.projecting is not asyncio.current_task()):  # not our own doing
                    self._doubt(room_of, room_of.seats)

    def missed(self) -> None:
        """Others may have written, and changed who may do what, and nobody told us."""
        self._people += 1
        for room in self._rooms.values():
            self._do(self._reload(room))
            self._doubt(room, room.seats)

    def _note(self, post_id: int, update_id: int) -> None:
        room = self._rooms.get(post_id)
        if room is None:
            if post_id in self._opening:
                self._heard.add(post_id)
        elif update_id in room.mine:
            room.mine.discard(update_id)
        else:
            room.unread.append(update_id)
            if not room.is_reading:
                room.is_reading = True
                self._do(self._read(room))

    async def _read(self, room: Room) -> None:
        try:
            while room.unread:
                ids, room.unread = room.unread, []
                async with self._database.read() as session:
                    found = await working_copies.read_updates(session, ids)
                room.loose += len(found)
                if len(found) < len(ids) or not _heard(room, found):
                    await self._reload(room)
        finally:
            room.is_reading = False

    async def _reload(self, room: Room) -> None:
        """All of it again, which takes nothing away."""
        async with self._database.read() as session:
            stored = await working_copies.read_document(session, room.post_id)
        if stored is None:
            room.end(protocol.GONE, GONE)
        elif stored.lineage != room.lineage:
            if self._rooms.get(room.post_id) is room:
                del self._rooms[room.post_id]
            room.end(protocol.OTHER_LINEAGE, say("This text has begun anew since."))
        elif not _heard(room, [crdt.merged(*(await _lightened(stored)).all)]):
            self.give_up(room)

    def _doubt(self, room: Room, seats: Iterable[Seat]) -> None:
        for seat in list(seats):
            seat.asked += 1
            self._do(self._settle(room, seat, seat.asked))

    async def _settle(self, room: Room, seat: Seat, asked: int) -> None:
        try:
            found = await self._ask(seat.session_id, room.post_id)
        except Unavailable:
            raise
        except CMSError as error:
            refusal = _refusal(error)
            seat.socket.end(refusal.code, refusal.reason)
            return
        if seat.asked == asked and seat in room.seats:
            room.settle(seat, found)

    # --- now and then ---

    async def _look_around(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            for room in list(self._rooms.values()):
                await self._in_peace(self._look_after(room))
            if time.monotonic() - self._asked_at >= ASK_EVERY:
                self._asked_at = time.monotonic()
                for room in self._rooms.values():
                    self._doubt(room, room.seats)

    async def _look_after(self, room: Room) -> None:
        now = time.monotonic()
        is_empty = self._is_empty(room)
        at_latest = AT_LATEST + FOR_EACH * len(self._rooms)
        is_silent = is_empty or now - room.changed_at >= REST
        try:
            if is_silent or (room.ahead_since is not None and now - room.ahead_since >= at_latest):
                await self._project(room)
                await self._note_stretches(room)
            if is_silent:
                await self._compare(room)
            if room.loose > MOST_LOOSE or room.loose_bytes > MOST_LOOSE_BYTES or (is_empty and room.loose):
                await self._fold(room)
        except NotFound:
            room.end(protocol.GONE, GONE)
            self._rooms.pop(room.post_id, None)
        if is_empty and self._is_empty(room) and not room.stretches:
            self._rooms.pop(room.post_id, None)

    def _is_empty(self, room: Room) -> bool:
        return not room.seats and not self._coming[room.post_id] and room.is_written

    async def _project(self, room: Room) -> None:
        since, is_written = room.ahead_since, room.is_written
        if since is None:
            return
        room.ahead_since, room.projecting = None if is_written else since, asyncio.current_task()
        try:
            async with self._database.transaction() as work:
                await working_copies.project(work, room.post_id, room.last_writer)
        except BaseException:
            room.ahead_since = since
            raise
        finally:
            room.projecting = None
        if room.authors != (authors := room.document.fields.get("authors")):
            room.authors = authors
            self._doubt(room, room.seats)

    async def _compare(self, room: Room) -> None:
        """No browser makes an update that says one thing in the order in which it came and another in the order in which it is kept, but
        somebody could. Then what is kept holds, and everybody begins anew with it."""
        if not room.is_written or room.compared_at == room.changed_at:
            return
        changed_at, said = room.changed_at, (room.document.data(), room.document.content, room.document.fields)
        if await asyncio.to_thread(crdt.is_whole, *said):
            room.compared_at = changed_at
        elif room.changed_at == changed_at:
            log.warning("a document says two things, and begins anew", post=room.post_id)
            async with self._database.transaction() as work:
                await working_copies.begin_anew(work, room.post_id, room.lineage)
            await self._reload(room)

    async def _note_stretches(self, room: Room) -> None:
        """In the audit, what those wrote who have left off."""
        for user_id in room.ended_stretches() if room.is_written else ():
            stretch = room.stretches.pop(user_id)  # whoever goes on meanwhile begins another
            try:
                async with self._database.transaction(stretch.request_id, stretch.address) as work:
                    await stretches.note(work, room.post_id, stretch)
            except BaseException:
                room.stretches.setdefault(user_id, stretch)
                raise

    async def _fold(self, room: Room) -> None:
        async with self._database.read() as session:
            stored = await working_copies.read_document(session, room.post_id)
        if stored is None:
            raise NotFound
        room.loose = room.loose_bytes = 0
        data = await asyncio.to_thread(crdt.folded, *stored.all)
        async with self._database.transaction() as work:
            await working_copies.fold(work, stored, data)

    # --- tasks ---

    def _do(self, act: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(self._until_done(act))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _until_done(self, act: Coroutine[Any, Any, None]) -> None:
        try:
            await act
        except Unavailable:  # when the database comes back, something may have been missed
            await asyncio.sleep(1)
            self.missed()
        except Exception:
            log.exception("a document was not looked after")

    async def _in_peace(self, act: Awaitable[None]) -> None:
        """The others are looked after whatever happens to one."""
        try:
            await act
        except CMSError as error:
            log.info("a document waits", reason=type(error).__name__)
        except Exception:
            log.exception("a document was not looked after")


def _heard(room: Room, said: Iterable[bytes]) -> bool:
    """Whether all of it could be put into the document; if not, something was missed."""
    try:
        for data in said:
            room.hear(data)
    except (Refusal, ValueError):
        return False
    return True


async def _lightened(stored: Stored) -> Stored:
    """Many updates are made one in another thread, as the loop would stand still for it."""
    if sum(map(len, stored.updates)) <= MOST_LOOSE_BYTES:
        return stored
    return replace(stored, data=await asyncio.to_thread(crdt.folded, *stored.all), updates=())


def _refusal(error: CMSError) -> Refusal:
    code = next((code for kind, code in _CODES.items() if isinstance(error, kind)), protocol.NOT_ALLOWED)
    return Refusal(code, GONE if code == protocol.GONE else error.message)
