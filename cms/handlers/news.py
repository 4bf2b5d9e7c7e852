"""What those hear who have the desk open: what becomes of posts, how many notifications are new to them, and that jobs have come or gone.

Of one process; what others do is heard from the outbox. However many listen, a batch of events costs three questions to the database,
and one more for each person who was told something: whom a post may be told to is decided in Python.
"""

import asyncio
from collections.abc import Collection, Iterable
from typing import Any

from cms import policy
from cms.db.session import Database, ReadSession
from cms.errors import TooManyRequests, Unavailable
from cms.events import (
    Event,
    JobsChanged,
    MediaChanged,
    NotificationsChanged,
    PostPublished,
    PostWithdrawn,
    SessionEnded,
    ThreadChanged,
    UserChanged,
    WorkChanged,
)
from cms.handlers.waking import Waking
from cms.policy import Actor, Capability
from cms.services import news, notifications, sessions, surroundings
from cms.services.news import NOTHING
from cms.telemetry import log

PACE = 0.2  # seconds in which what happens is gathered
ASK_EVERY = 60.0  # seconds; sessions end by themselves, too
PER_PERSON, PER_PROCESS = 20, 2000  # streams; the windows of one browser share one
MOST_NAMED = 50  # posts; of more it is only said that there are many
TOPICS = {  # of which it is only said that something is another, and who hears of it
    "jobs": (Capability.SITE_OPERATE, Capability.CONTENT_TRANSFER),
    "media": (Capability.MEDIA_SEE,),
}
TOO_MANY = "Your desk is open in too many browsers to be told of what happens. Close one of them; everything else works."


class Reader(Waking):
    """One stream. What is yet to be told gets no longer than ``MOST_NAMED`` posts, however slowly it is taken."""

    def __init__(self, session_id: int, actor: Actor) -> None:
        super().__init__()
        self.session_id, self.actor = session_id, actor
        self._unseen = self._told_unseen = -1  # notifications; nobody was told yet
        self._posts: dict[int, dict[str, Any]] | None = {}  # None: too many, or it is not known which
        self._changed: set[str] = set()  # of TOPICS

    def count(self, unseen: int) -> None:
        self._unseen = unseen
        if unseen != self._told_unseen:
            self.wake()

    def tell(self, told: Iterable[dict[str, Any] | None]) -> None:
        new = {each["id"]: each for each in told if each is not None}
        if self._posts is None or not new:
            return
        self._posts = self._posts | new if len(self._posts | new) <= MOST_NAMED else None
        self.wake()

    def tell_of_many(self) -> None:
        self._posts = None
        self.wake()

    def tell_of(self, topic: str) -> None:
        if any(policy.allows(self.actor, each) for each in TOPICS[topic]):
            self._changed.add(topic)
            self.wake()

    def take(self) -> list[tuple[str, Any]]:
        """What is to be told now: names of events, and their data. All posts are meant if there is no list of them."""
        changed, self._posts = self._posts, {}
        topics, self._changed = [(topic, None) for topic in sorted(self._changed)], set()
        counted = [("notifications", self._unseen)] if self._unseen != self._told_unseen else []
        self._told_unseen = self._unseen
        posts = [("posts", list(changed.values()) if changed else None)] if changed != {} else []
        return [*counted, *posts, *topics]


class News:
    """``close`` ends what is open, and whatever is opened after it."""

    def __init__(self, database: Database) -> None:
        self._database, self._is_closed = database, False
        self.per_person = PER_PERSON
        self._readers: set[Reader] = set()
        self._changed: dict[int, str] = {}  # posts of which something was heard, and what became of them in public
        self._counted: set[int] = set()  # people whose notifications are others
        self._topics: set[str] = set()  # of which something is another
        self._doubted: set[Reader] = set()  # whose session or standing may be another
        self._behind = 0  # what stands in the audit up to here, somebody who listens was told or had seen;
        self._told: dict[int, int] = {}  # or up to here, of these posts
        self._telling: asyncio.Task[None] | None = None
        database.listen(self.hear)

    # --- coming and going ---

    async def enter(self, session_id: int, actor: Actor) -> Reader:
        """Raises ``TooManyRequests`` if too many listen already."""
        behind = await self._last_line() if not self._readers else 0
        if sum(each.actor.user_id == actor.user_id for each in self._readers) >= self.per_person or len(self._readers) >= PER_PROCESS:
            raise TooManyRequests(60, TOO_MANY)
        if not self._readers:
            self._behind, self._told, self._changed, self._topics = behind, {}, {}, set()
        reader = Reader(session_id, actor)
        self._readers.add(reader)
        self._counted.add(actor.user_id or 0)
        self.doubt([reader])  # it may have ended since the request was let in
        if self._is_closed:
            reader.end()
        return reader

    def leave(self, reader: Reader) -> None:
        self._readers.discard(reader)

    def doubt(self, readers: Iterable[Reader]) -> None:
        """Ask again who these are."""
        self._doubted.update(readers)
        self._begin()

    async def close(self) -> None:
        self._is_closed = True
        for reader in self._readers:
            reader.end()
        if self._telling:
            await self._telling

    async def _last_line(self) -> int:
        async with self._database.read() as session:
            return await news.last_line(session)

    # --- what happens ---

    def hear(self, event: Event) -> None:
        if not self._readers:
            return
        match event:
            case JobsChanged():
                self._topics.add("jobs")
            case MediaChanged():
                self._topics.add("media")
            case NotificationsChanged():
                self._counted.update(event.user_ids)
            case UserChanged() | SessionEnded():
                self._doubted.update(each for each in self._readers if each.actor.user_id == event.user_id)
            case PostPublished() if not event.is_new and set(event.aspects) <= set(surroundings.ASPECTS):
                return  # a post beside it changed, which tells of itself
            case PostPublished() | PostWithdrawn():
                self._changed[event.post_id] = _in_public(event)
            case WorkChanged() | ThreadChanged():
                self._changed.setdefault(event.post_id, "")
            case _:
                return
        self._begin()

    def missed(self) -> None:
        """Something may have happened that was not heard of."""
        for reader in self._readers:
            reader.tell_of_many()
            reader.tell_of("jobs")  # whoever shows media looks again when posts are told of
            self._counted.add(reader.actor.user_id or 0)
        if self._readers:
            self.doubt(self._readers)

    def _begin(self) -> None:
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell_all())

    async def _tell_all(self) -> None:
        while self._readers and (self._changed or self._counted or self._doubted or self._topics):
            changed, counted, doubted = self._changed, self._counted, self._doubted
            topics, self._topics = self._topics, set()
            self._changed, self._counted, self._doubted = {}, set(), set()
            try:
                async with self._database.read() as session:
                    await self._ask_again(session, doubted & self._readers)
                    await self._count(session, counted)
                    await self._tell(session, changed)
                for reader in self._readers if topics else ():
                    for topic in topics:
                        reader.tell_of(topic)
            except Unavailable:
                self._end_all()
            except Exception:
                log.exception("the desk was not told")
                self._end_all()
            if self._readers:
                await asyncio.sleep(PACE)

    def _end_all(self) -> None:
        """They come again, and look at everything anew."""
        for reader in self._readers:
            reader.end()

    async def _ask_again(self, session: ReadSession, readers: Collection[Reader]) -> None:
        now = self._database.clock()
        for session_id in {each.session_id for each in readers}:
            found = await sessions.find_again(session, session_id, now)
            actor = found.user.actor if found and not found.lacks_factor else None
            for reader in readers:
                if reader.session_id == session_id and reader.actor != actor:
                    reader.end()

    async def _count(self, session: ReadSession, user_ids: Collection[int]) -> None:
        for actor in {each.actor for each in self._readers if each.actor.user_id in user_ids}:
            unseen = await notifications.count_new(session, actor)
            for reader in self._readers:
                if reader.actor == actor:
                    reader.count(unseen)

    async def _tell(self, session: ReadSession, changed: dict[int, str]) -> None:
        if len(changed) > MOST_NAMED:
            for reader in self._readers:
                reader.tell_of_many()
            return
        if not changed:
            return
        after = {post_id: self._told.get(post_id, self._behind) for post_id in changed}
        acts = await news.acts(session, changed, min(after.values()))
        found = {post: acts.get(post.id, NOTHING) for post in await news.find(session, changed)}
        for actor in {each.actor for each in self._readers}:
            told = [news.told(actor, post, act if act.id > after[post.id] else NOTHING, changed[post.id]) for post, act in found.items()]
            for reader in self._readers:
                if reader.actor == actor:
                    reader.tell(told)
        self._told.update({post_id: act.id for post_id, act in acts.items()})


def _in_public(event: PostPublished | PostWithdrawn) -> str:
    """What readers see of it in their lists; "" of a text that is in none."""
    if isinstance(event, PostPublished) and event.now.lists:
        return "publish"
    return "withdraw" if event.before and event.before.lists else ""
