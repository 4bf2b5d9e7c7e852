"""A room: a document that people have open in this process, who they are, and what is passed on between them."""

import asyncio
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from cms import crdt
from cms.collaboration import protocol, updates
from cms.collaboration.protocol import Reader, Refusal
from cms.schemas.post import MAX_TEXT
from cms.services.standing import Standing
from cms.services.stretches import Stretch
from cms.services.working_copies import Stored
from cms.wording import say

MAX_MESSAGE = 4 * 1024 * 1024  # bytes
MAX_DOCUMENT = 10 * 1024 * 1024  # bytes of all that is known of it
MAX_STATE = 4096  # characters of what somebody says of himself
MAX_STATES = 64 * 1024  # bytes of a message of them
MAX_PARTS = 300_000  # of an update
MOST_WRITERS = 50
RATE, BURST = 100.0, 300.0  # messages of one socket: a second, and at once
PARTS, BYTES = 1000, 50_000  # of an update, and of what somebody knows and of what is sent in answer, that count as a message
PAUSE = 60.0  # seconds of silence after which somebody else takes over
COLOURS = 8
GUARDED: dict[str, Any] = {"authors": [], "featured": False}  # fields that are the editors' choice, and what they are where they are not
CROWDED = say("{number} people are writing here; you read along until one of them leaves.", number=MOST_WRITERS)


def shown(user_id: int, name: str) -> dict[str, Any]:
    """Somebody as the others see him. The colour of cursor and words counts from 1 and is the same in every room."""
    return {"id": user_id, "name": name, "colour": user_id % COLOURS + 1}


class Socket(Protocol):
    request_id: str

    @property
    def remote_address(self) -> str: ...

    def send(self, message: bytes) -> None: ...

    def tell(self, kind: str, **words: Any) -> None: ...

    def end(self, code: int, reason: str) -> None: ...


@dataclass(eq=False, slots=True)
class Seat:
    """Somebody at a socket. ``counted``: how many updates came from it. ``asked``: how often it was asked what he may do."""

    socket: Socket
    session_id: int
    standing: Standing
    client: int | None = None
    may_write: bool = False
    counted: int = 0
    asked: int = 0
    has_lost_one: bool = False  # an update was refused, so no later one may be called kept
    tokens: float = BURST
    filled_at: float = field(default_factory=time.monotonic)

    @property
    def user_id(self) -> int:
        return self.standing.actor.user_id or 0

    @property
    def person(self) -> dict[str, Any]:
        return shown(self.user_id, self.standing.actor.name)

    def spend(self, cost: float = 1) -> None:
        """Raise ``Refusal`` if more comes than anybody types. ``cost``: how many messages it is as good as."""
        now = time.monotonic()
        self.tokens = min(BURST, self.tokens + (now - self.filled_at) * RATE) - cost
        self.filled_at = now
        if self.tokens < 0:
            raise Refusal(protocol.TOO_MANY, "Too many messages came at once.")


@dataclass(slots=True)
class Queue:
    """What the log has to write for a room, and what it tells whom then."""

    made: list[bytes] = field(default_factory=list)
    claims: dict[int, int] = field(default_factory=dict)  # Yjs client → person
    counts: dict[Seat, int] = field(default_factory=dict)
    former: int | None = None  # whose text another one takes over, before what is written here

    def __bool__(self) -> bool:
        return bool(self.made or self.claims or self.counts)


class Room:
    """``changed``: called when there is something for the log. ``silent_for``: seconds since ``writer`` wrote last."""

    def __init__(self, stored: Stored, changed: Callable[["Room"], None], *, writer: int | None, silent_for: float) -> None:
        self.post_id, self.lineage = stored.post_id, stored.lineage
        self.seats: set[Seat] = set()
        self.writers: dict[int, tuple[int, str]] = {}  # Yjs client → person and name
        self.silent: set[int] = set()  # those of them that have not written; nobody need remember whose they were
        self.states: dict[int, tuple[int, Any]] = {}  # Yjs client → clock and what it says of itself
        self.queue = Queue()
        self.on_its_way = Queue()  # what the log is writing just now
        self.mine: set[int] = set()  # numbers of updates that this room wrote itself
        self.unread: list[int] = []  # numbers of updates that others have written
        self.is_reading = False
        self.projecting: asyncio.Task[Any] | None = None  # who is just bringing the working copy up to date
        self.stretches: dict[int, Stretch] = {}  # by person
        self.last_writer, self.changed_at = writer, time.monotonic() - silent_for
        self.compared_at = self.changed_at  # when what it says was compared last with what whoever opens it reads
        self.ahead_since: float | None = time.monotonic() if stored.is_ahead else None
        self.loose, self.loose_bytes = len(stored.updates), sum(map(len, stored.updates))  # updates that are not folded
        self._changed = changed
        self.document = crdt.Document(*stored.all)
        self.authors = self.document.fields.get("authors")  # when it was asked last who may do what
        data = self.document.data()
        has_pairs = max(self.document.content, default="") > "\uffff"
        self.known = updates.known_by(self.document.state(), data if has_pairs else None)
        self._chosen = self._chosen_now()
        self._bytes = len(data)  # at most what it takes

    # --- people ---

    def enter(self, seat: Seat) -> None:
        self.seats.add(seat)
        seat.may_write = self._may_write(seat)
        hello = {"lineage": self.lineage, "clientId": None, "person": seat.person, "mayWrite": seat.may_write, "why": self._why(seat)}
        seat.socket.tell("hello", **hello)
        seat.socket.send(protocol.sync(protocol.STEP_1, self.document.state()))
        self._tell_writers([seat], self.writers)
        if self.states:
            seat.socket.send(protocol.awareness(self.states))

    def leave(self, seat: Seat) -> None:
        if seat not in self.seats:
            return
        self.seats.discard(seat)
        if seat.client is not None and all(each.client != seat.client for each in self.seats):
            self._forget_state(seat.client)
            if seat.client in self.silent:
                self.silent.discard(seat.client)
                del self.writers[seat.client]
        self._seat_the_next()

    def settle(self, seat: Seat, standing: Standing) -> None:
        """What somebody may do has been asked again."""
        seat.standing = standing
        if self._may_write(seat) != seat.may_write:
            self._tell_standing(seat)
        self._seat_the_next()

    def _may_write(self, seat: Seat) -> bool:
        others = sum(each.may_write for each in self.seats if each is not seat)
        return seat.standing.may_write and (seat.may_write or others < MOST_WRITERS)

    def _why(self, seat: Seat) -> str:
        return "" if seat.may_write else seat.standing.why or CROWDED

    def _seat_the_next(self) -> None:
        for seat in self.seats:
            if not seat.may_write and self._may_write(seat):
                self._tell_standing(seat)

    def _tell_standing(self, seat: Seat) -> None:
        seat.may_write = self._may_write(seat)
        seat.socket.tell("standing", mayWrite=seat.may_write, why=self._why(seat))

    def _tell_writers(self, seats: Iterable[Seat], clients: Iterable[int]) -> None:
        people = {str(client): shown(*self.writers[client]) for client in clients}
        message = protocol.told("writers", clients=people)
        for seat in seats:
            seat.socket.send(message)

    def tell(self, message: bytes, but: Seat | None = None) -> None:
        for seat in list(self.seats):
            if seat is not but:
                seat.socket.send(message)

    def end(self, code: int, reason: str) -> None:
        for seat in list(self.seats):
            seat.socket.end(code, reason)

    # --- messages ---

    def receive(self, seat: Seat, message: bytes) -> None:
        """Raises ``Refusal`` if the socket has to end."""
        seat.spend()
        if len(message) > MAX_MESSAGE:
            raise protocol.too_much()
        reader = Reader(message)
        match reader.byte():
            case protocol.SYNC:
                self._synchronise(seat, reader.byte(), reader.bytes())
            case protocol.AWARENESS:
                self._note_states(seat, reader.bytes())
            case protocol.IS:
                self._claim(seat, reader.number())
            case _:
                raise protocol.unreadable()

    def _synchronise(self, seat: Seat, step: int, data: bytes) -> None:
        match step:
            case protocol.STEP_1:
                seat.spend(len(data) / BYTES)
                updates.known_by(data)  # whether it can be read
                answer = self.document.since(data)
                seat.spend(len(answer) / BYTES)
                seat.socket.send(protocol.sync(protocol.STEP_2, answer))
            case protocol.STEP_2 | protocol.UPDATE:
                self._write(seat, data)
            case _:
                raise protocol.unreadable()

    def _claim(self, seat: Seat, client: int) -> None:
        owner, _ = self.writers.get(client, (seat.user_id, ""))
        if owner != seat.user_id or seat.client not in (None, client):
            raise Refusal(protocol.UNREADABLE, "A window has one number, which nobody else has.")
        seat.client = client
        if client not in self.writers:
            self.writers[client] = (seat.user_id, seat.standing.actor.name)
            self.silent.add(client)
            self._tell_writers(self.seats, [client])

    def _note_states(self, seat: Seat, data: bytes) -> None:
        """Whatever is said of another client is passed over."""
        if len(data) > MAX_STATES:
            raise protocol.too_much()
        said = protocol.read_awareness(data)
        if seat.client is None or seat.client not in said:
            return
        clock, state = said[seat.client]
        if state is None:
            self.states.pop(seat.client, None)
        elif isinstance(state, dict) and len(json.dumps(state)) <= MAX_STATE:
            state = {**state, "user": seat.person}
            self.states[seat.client] = (clock, state)
        else:
            raise protocol.unreadable()
        self.tell(protocol.awareness({seat.client: (clock, state)}), but=seat)

    def _forget_state(self, client: int) -> None:
        if found := self.states.pop(client, None):
            self.tell(protocol.awareness({client: (found[0] + 1, None)}))

    # --- writing ---

    def _write(self, seat: Seat, data: bytes) -> None:
        shape = updates.read(data, MAX_PARTS)
        seat.spend(shape.parts / PARTS)
        seat.counted += 1
        if seat.may_write:
            self._refuse_anothers(seat, shape)
            self._refuse_too_much(data, shape)
            self.known.check(shape)
            self._take_in(seat, data, shape)
        elif self.known.brings_news(shape) or shape.deleted:
            seat.has_lost_one = True
            self._tell_standing(seat)
        if not seat.has_lost_one:
            self.queue.counts[seat] = seat.counted
            self._changed(self)

    def _refuse_anothers(self, seat: Seat, shape: updates.Shape) -> None:
        """After a restored backup a browser brings back what others wrote. But whoever is here brings his own, and what he is just writing
        must not be taken for something else."""
        if shape.ends.keys() <= {seat.client}:
            return
        theirs = {other.client for other in self.seats if other.client is not None and other.user_id != seat.user_id}
        if any(client in theirs and end > self.known.clocks.get(client, 0) for client, end in shape.ends.items()):
            raise Refusal(protocol.TRY_AGAIN, "Somebody else is just writing that.")

    def _refuse_too_much(self, data: bytes, shape: updates.Shape) -> None:
        """Looked at closely only where it comes near. Deleting is never too much."""
        if self._bytes + len(data) <= min(MAX_TEXT, MAX_DOCUMENT):
            return  # the text is a part of that
        if self._bytes + len(data) > MAX_DOCUMENT:
            self._bytes = len(self.document.data())
        is_large = self._bytes + len(data) > MAX_DOCUMENT
        is_long = self.document.size + shape.characters > MAX_TEXT and len(self.document.content) + shape.characters > MAX_TEXT
        if (is_large or is_long) and shape.ends:
            raise Refusal(protocol.TOO_MUCH, "The text would be longer than a text may be here.")

    def _take_in(self, seat: Seat, data: bytes, shape: updates.Shape) -> None:
        stretch = self.stretches.get(seat.user_id) or Stretch(
            seat.standing.actor, seat.socket.request_id, seat.socket.remote_address, self.document.fields, 0
        )
        made = self._apply(data, shape)
        if made == crdt.NOTHING:
            return
        if seat.user_id != self.last_writer and time.monotonic() - self.changed_at >= PAUSE:
            self.queue.former = self.last_writer
        self.last_writer = seat.user_id
        if seat.client is not None and seat.client in self.silent & shape.ends.keys():
            self.silent.discard(seat.client)
            self.queue.claims[seat.client] = seat.user_id
        self._pass_on(made, seat)
        changed = self.document.changed_keys()
        stretch.changed |= changed if changed and not shape.characters else changed | {crdt.CONTENT}
        stretch.at = self.changed_at
        self.stretches[seat.user_id] = stretch
        if guarded := changed & GUARDED.keys():
            self._guard(seat, guarded)

    def _apply(self, data: bytes, shape: updates.Shape) -> bytes:
        """What of it was new. What may be more than it looks is tried beside first."""
        if shape.has_values or len(shape.ends) > 1:
            trial = crdt.Document(self.document.data())
            _apply_whole(trial, updates.Known(dict(self.known.clocks)), data, shape)
            if not trial.is_plain:
                raise Refusal(protocol.UNREADABLE, "A text is text and nothing else.")
        try:
            made = _apply_whole(self.document, self.known, data, shape)
        except Refusal:
            raise Broken from None
        self._bytes += len(made)
        return made

    def _chosen_now(self) -> dict[str, Any]:
        return {**GUARDED, **{key: value for key, value in self.document.fields.items() if key in GUARDED}}

    def _guard(self, seat: Seat, changed: set[str]) -> None:
        """What is not this writer's to choose is set back, however it was set or deleted."""
        if seat.standing.chooses:
            self._chosen = self._chosen_now()
            return
        back = self.document.edit(fields={key: self._chosen[key] for key in changed})
        self.document.changed_keys()
        if back != crdt.NOTHING:
            self.known.take(updates.read(back))
            self._pass_on(back)

    def _pass_on(self, made: bytes, author: Seat | None = None) -> None:
        self.tell(protocol.sync(protocol.UPDATE, made), but=author)
        self.queue.made.append(made)
        self._note_change()
        self._changed(self)

    def _note_change(self) -> None:
        self.changed_at = time.monotonic()
        self.ahead_since = self.ahead_since or self.changed_at

    def hear(self, data: bytes) -> None:
        """What others have written: another process, or a form. It is on disk, and whoever wrote it has looked at it.

        Raises ``Refusal`` or ``ValueError`` if it cannot be put into the document.
        """
        self.known.check(updates.read(data))
        if (news := self.document.apply(data)) == crdt.NOTHING:
            return
        self.known.take(updates.read(news))
        if self.document.changed_keys() & GUARDED.keys():
            self._chosen = self._chosen_now()
        self._bytes += len(news)
        self._note_change()
        self.tell(protocol.sync(protocol.UPDATE, news))

    def ended_stretches(self) -> list[int]:
        """Who has fallen silent, or left, since he wrote."""
        here, now = {seat.user_id for seat in self.seats}, time.monotonic()
        return [user_id for user_id, each in self.stretches.items() if user_id not in here or now - each.at >= PAUSE]

    # --- for the log ---

    @property
    def is_written(self) -> bool:
        return not self.queue and not self.on_its_way

    def take_queue(self) -> None:
        self.on_its_way, self.queue = self.queue, Queue()

    def put_back(self) -> None:
        """It could not be written."""
        old, new = self.on_its_way, self.queue
        former = old.former if old.former is not None else new.former
        self.queue = Queue(old.made + new.made, old.claims | new.claims, old.counts | new.counts, former)
        self.on_its_way = Queue()

    def written(self) -> None:
        """It is on disk: everybody is told how much of his is."""
        done, self.on_its_way = self.on_its_way, Queue()
        self.loose += bool(done.made)
        self.loose_bytes += sum(map(len, done.made))
        for seat, count in done.counts.items():
            if seat in self.seats:
                seat.socket.send(protocol.stored(count))


def _apply_whole(document: crdt.Document, known: updates.Known, data: bytes, shape: updates.Shape) -> bytes:
    """Raises ``Refusal`` if it cannot be read, or not all of it came in."""
    try:
        made = document.apply(data)
    except ValueError:
        raise protocol.unreadable() from None
    known.take(shape if made == data else updates.read(made))
    if known.brings_news(shape):
        raise protocol.unreadable()
    return made


class Broken(Refusal):
    """The document in memory may be half of what it was, and has to be read again."""

    def __init__(self) -> None:
        super().__init__(protocol.UNREADABLE, say("What came could not be put into the document."))
