"""What outsiders look at: rendered once for all who look, and followed while it is being written.

A text is rendered by one of them at a time: whoever comes meanwhile waits, and finds the newest one made.
"""

import asyncio
import contextlib
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cms.content.context import RenderContext, Rendered
from cms.db.session import Database, ReadSession
from cms.errors import NotFound, StorageFull, TooManyRequests, Unavailable
from cms.events import DocumentsChanged, Event, PostPublished, PostWithdrawn, UserChanged, WorkChanged
from cms.handlers.waking import Waking
from cms.rendering import Renderer
from cms.services import desk, preview_links, references, site, working_copies
from cms.services.preview_links import Sight
from cms.services.reading import Article

KEPT = 20  # texts whose rendering is remembered
PACE = 0.2  # seconds from a change to when lookers are told, so that who types is not followed by each key
PER_LINK, PER_PROCESS = 100, 1000  # pages that follow


class Looker(Waking):
    """An open page that follows its text. ``seen``: the version it shows."""

    def __init__(self, carrier: str, post_id: int, expires_at: datetime, seen: str) -> None:
        super().__init__()
        self.carrier, self.post_id, self.expires_at = carrier, post_id, expires_at
        self.seen = self.newest = seen
        self.has_ended = False  # the link; False as well if only this connection is over

    def tell(self, version: str) -> None:
        self.newest = version
        if version != self.seen:
            self.wake()

    def end_for_good(self) -> None:
        self.has_ended = True
        self.end()


@dataclass(eq=False)
class _Text:
    source: tuple[str, RenderContext] | None = None
    rendered: Rendered | None = None
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Previews:
    """Of one process. ``close`` ends what is open, and whatever is opened after it."""

    def __init__(self, database: Database, renderer: Renderer, public_url: str) -> None:
        self._database, self._renderer, self._public_url = database, renderer, public_url
        self._texts: OrderedDict[tuple[int, int | None], _Text] = OrderedDict()
        self._lookers: defaultdict[int, set[Looker]] = defaultdict(set)  # by post
        self._stale: set[int] = set()  # posts whose lookers have yet to be told
        self._tasks: set[asyncio.Task[None]] = set()
        self._telling: set[int] = set()
        self._looks: Counter[int] = Counter()
        self._is_counting = self._is_closed = False
        database.listen(self._hear)

    # --- the page ---

    async def article(self, sight: Sight) -> tuple[Article, str]:
        """What a link shows now, and its version."""
        now, post = self._database.clock(), sight.post
        if sight.link.revision_id is None:
            await working_copies.catch_up(self._database, post.id)
        text = self._text(post.id, sight.link.revision_id)
        async with text.turn:
            async with self._database.read() as session:
                shown = await preview_links.shown_by(session, sight)
                language = shown.fields.language or (await site.get_frame(session)).language
                context = await references.context(session, post.id, shown.content, language, self._public_url)
            if text.rendered is None or text.source != (shown.content, context):
                text.rendered = await self._renderer.render(shown.content, context)
                text.source = (shown.content, context)
            rendered = text.rendered
        async with self._database.read() as session:
            return await desk.looked_at(session, post, shown.fields, rendered, now), shown.version

    def _text(self, post_id: int, revision_id: int | None) -> _Text:
        key = (post_id, revision_id)
        text = self._texts.setdefault(key, _Text())
        self._texts.move_to_end(key)
        if len(self._texts) > KEPT:
            self._texts.popitem(last=False)
        return text

    # --- counting ---

    def count(self, link_id: int) -> None:
        """Written down aside: nobody waits for it."""
        self._looks[link_id] += 1
        if not self._is_counting:
            self._is_counting = True
            self._do(self._write_down())

    async def _write_down(self) -> None:
        try:
            while self._looks:
                looks, self._looks = self._looks, Counter()
                async with self._database.transaction() as work:
                    await preview_links.count(work, looks)
        except (Unavailable, StorageFull):
            return  # a number that is too small does no harm
        finally:
            self._is_counting = False

    # --- following ---

    def follow(self, sight: Sight, carrier: str, seen: str) -> Looker:
        """Raises ``TooManyRequests`` if too many do so already."""
        others = self._lookers[sight.post.id]
        of_link = sum(each.carrier == carrier for each in others)
        if of_link >= PER_LINK or sum(map(len, self._lookers.values())) >= PER_PROCESS:
            raise TooManyRequests(retry_after=60)
        looker = Looker(carrier, sight.post.id, sight.link.expires_at, seen)
        others.add(looker)
        self._touch(sight.post.id)  # it may have changed since the page was made
        if self._is_closed:
            looker.end()
        return looker

    def leave(self, looker: Looker) -> None:
        self._lookers[looker.post_id].discard(looker)
        if not self._lookers[looker.post_id]:
            del self._lookers[looker.post_id]

    def missed(self) -> None:
        """Something may have happened that was not heard of."""
        for post_id in list(self._lookers):
            self._touch(post_id)

    async def close(self) -> None:
        self._is_closed = True
        for looker in [each for lookers in self._lookers.values() for each in lookers]:
            looker.end()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _hear(self, event: Event) -> None:
        match event:
            case DocumentsChanged():
                for post_id, _ in event.updates:
                    self._touch(post_id)
            case WorkChanged(post_id=post_id) | PostPublished(post_id=post_id) | PostWithdrawn(post_id=post_id):
                self._touch(post_id)
            case UserChanged():
                self.missed()

    def _touch(self, post_id: int) -> None:
        if post_id not in self._lookers:
            return
        self._stale.add(post_id)
        if post_id not in self._telling:
            self._telling.add(post_id)
            self._do(self._tell_all(post_id))

    async def _tell_all(self, post_id: int) -> None:
        try:
            while post_id in self._stale and post_id in self._lookers:
                await asyncio.sleep(PACE)
                self._stale.discard(post_id)
                with contextlib.suppress(Unavailable, NotFound):
                    await self._tell(post_id)
        finally:
            self._stale.discard(post_id)
            self._telling.discard(post_id)

    async def _tell(self, post_id: int) -> None:
        await working_copies.catch_up(self._database, post_id)
        now, lookers = self._database.clock(), list(self._lookers.get(post_id, ()))
        async with self._database.read() as session:
            versions = {carrier: await _version(session, carrier, now) for carrier in {each.carrier for each in lookers}}
        for looker in lookers:
            version = versions[looker.carrier]
            looker.tell(version) if version is not None else looker.end_for_good()

    def _do(self, what: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(what)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _version(session: ReadSession, carrier: str, now: datetime) -> str | None:
    """None if the link has ended."""
    try:
        sight = await preview_links.find(session, carrier, now)
    except NotFound:
        return None
    return (await preview_links.shown_by(session, sight)).version
