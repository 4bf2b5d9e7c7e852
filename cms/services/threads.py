"""What those who work on a text say about its passages, and what they propose for them.

Whoever may know of the text as it is being written may read, comment and suggest; a suggestion is taken up, or refused, by those who may
edit it. A passage is found by its first and its last sign, wherever they are by now; one that was quoted by hand by its words.
"""

import asyncio
import json
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cms import crdt, policy
from cms.content.folding import fold
from cms.content.plain_text import shorten
from cms.db.session import Work
from cms.errors import Conflict, InvalidInput, NotFound
from cms.events import ThreadChanged
from cms.models import Job, Notification, Post, Remark, Review, Thread, User, WorkingCopy
from cms.models.document import Outcome, ThreadKind
from cms.models.post import Reason
from cms.policy import Actor, Capability, Role
from cms.schemas.threads import RemarkInput, ThreadInput
from cms.services import audit, notifications, outbox, posts, working_copies

MOST_SHOWN = 200  # threads of one text
MOST = 1000
WORDS = 200  # characters of a remark that a notification shows

CHANGED = "The passage has changed since this was proposed, so nothing was done. Compare both, and change the text by hand."
UNCLEAR = "The passage stands there more than once, so nothing was done. Change the text by hand."


@dataclass(frozen=True, slots=True)
class Said:
    remark: Remark
    by: str  # a name, or "" of somebody who is gone


@dataclass(frozen=True, slots=True)
class Shown:
    """``now``: of an open suggestion, what stands in its place today; None if nothing of the passage is left."""

    thread: Thread
    by: str
    said: Sequence[Said]
    ended_by: str = ""
    now: str | None = None

    @property
    def place(self) -> str:
        """Of the passage, as JSON for the editor; "" if it was quoted by hand."""
        return json.dumps(self.thread.anchor) if self.thread.anchor else ""

    @property
    def is_changed(self) -> bool:
        return self.thread.kind is ThreadKind.SUGGESTION and self.thread.outcome is None and self.now != self.thread.quote


# --- reading ---------------------------------------------------------------------------------------------------------------


async def list_of(session: AsyncSession, actor: Actor, post_id: int) -> Sequence[Shown]:
    """Those of a text, the open ones first, the newest of them first."""
    await _discussed(session, actor, post_id)
    wanted = select(Thread).where(Thread.post_id == post_id).order_by(Thread.outcome.is_not(None), Thread.id.desc()).limit(MOST_SHOWN)
    found = (await session.scalars(wanted)).all()
    said = defaultdict(list)
    remarks = select(Remark, User.name).outerjoin(User, User.id == Remark.created_by_id)
    for remark, name in await session.execute(remarks.where(Remark.thread_id.in_([each.id for each in found])).order_by(Remark.id)):
        said[remark.thread_id].append(Said(remark, name or ""))
    people = {each.created_by_id for each in found} | {each.ended_by_id for each in found}
    names = dict((await session.execute(select(User.id, User.name).where(User.id.in_(people - {None})))).all())
    proposed = [each for each in found if each.kind is ThreadKind.SUGGESTION and each.outcome is None]
    now = await _passages(session, post_id, proposed)
    return [
        Shown(each, names.get(each.created_by_id or 0, ""), said[each.id], names.get(each.ended_by_id or 0, ""), now.get(each.id))
        for each in found
    ]


async def count_open(session: AsyncSession, post_id: int) -> int:
    return await session.scalar(select(func.count()).where(Thread.post_id == post_id, Thread.outcome.is_(None))) or 0


async def _discussed(session: AsyncSession, actor: Actor, post_id: int, *, lock: bool = False) -> Post:
    post = await posts.get_visible(session, actor, post_id, lock=lock)
    policy.require(actor, Capability.DRAFT_SEE, post)
    return post


async def _passages(session: AsyncSession, post_id: int, proposed: Sequence[Thread]) -> dict[int, str]:
    if not proposed:
        return {}
    content, data = await _text(session, post_id)
    places = await asyncio.to_thread(lambda: {each.id: _place(content, data, each) for each in proposed})
    return {number: content[place[0] : place[1]] for number, place in places.items() if place}


async def _text(session: AsyncSession, post_id: int, *, lock: bool = False) -> tuple[str, bytes]:
    """The text as it is, and its document as one update; nothing if nobody has opened it to write yet."""
    stored = await working_copies.read_document(session, post_id, lock=lock)
    if stored is None:
        return (await session.get_one(WorkingCopy, post_id)).content, b""
    data = crdt.merged(*stored.all)
    return crdt.Document(data).content, data


def _place(content: str, data: bytes, thread: Thread) -> tuple[int, int] | None:
    """None if the passage is gone, or if it was quoted by hand and stands nowhere, or more than once."""
    if thread.anchor:
        return crdt.passage(data, thread.anchor["start"]["item"], thread.anchor["end"]["item"]) if data else None
    at = content.find(thread.quote)
    return (at, at + len(thread.quote)) if at >= 0 and content.find(thread.quote, at + 1) < 0 else None


# --- writing ---------------------------------------------------------------------------------------------------------------


async def begin(work: Work, actor: Actor, post_id: int, wanted: ThreadInput) -> Thread:
    post = await _open_to_talk(work, actor, post_id)
    if (await work.session.scalar(select(func.count()).where(Thread.post_id == post_id)) or 0) >= MOST:
        raise Conflict("There are too many threads on this text.")
    kind = ThreadKind(wanted.kind)
    _refuse_empty(kind, wanted)
    thread = Thread(
        post_id=post_id, kind=kind, anchor=wanted.anchor, quote=wanted.quote,
        replacement=wanted.replacement if kind is ThreadKind.SUGGESTION else None, created_at=work.now, created_by_id=actor.user_id,
    )  # fmt: skip
    work.session.add(thread)
    await work.session.flush()
    if wanted.text.strip():
        await _say(work, actor, post, thread, wanted.text)
    _noted(work, actor, f"{thread.kind}.create", post, thread)
    return thread


def _refuse_empty(kind: ThreadKind, wanted: ThreadInput) -> None:
    if kind is ThreadKind.COMMENT and not wanted.text.strip():
        raise InvalidInput({"text": "This is needed."})
    if kind is ThreadKind.SUGGESTION and not wanted.quote.strip():
        raise InvalidInput({"quote": "A suggestion needs the passage as it stands."})
    if kind is ThreadKind.SUGGESTION and wanted.quote == wanted.replacement:
        raise InvalidInput({"replacement": "This is what stands there already."})


async def answer(work: Work, actor: Actor, post_id: int, thread_id: int, wanted: RemarkInput) -> Thread:
    """Those who wrote in the thread are told, and whoever is mentioned."""
    post = await _open_to_talk(work, actor, post_id)
    thread = await _thread(work, post_id, thread_id)
    await _say(work, actor, post, thread, wanted.text)
    _noted(work, actor, f"{thread.kind}.answer", post, thread)
    return thread


async def resolve(work: Work, actor: Actor, post_id: int, thread_id: int) -> Thread:
    """A comment is dealt with; a suggestion is refused, by those who may edit the text or by whoever made it."""
    post = await _open_to_talk(work, actor, post_id)
    thread = await _open_thread(work, post_id, thread_id)
    if thread.kind is ThreadKind.SUGGESTION and thread.created_by_id != actor.user_id:
        policy.require(actor, Capability.of(post.kind, "edit"), post)
    _end(work, actor, post, thread, Outcome.REFUSED if thread.kind is ThreadKind.SUGGESTION else Outcome.RESOLVED)
    return thread


async def reopen(work: Work, actor: Actor, post_id: int, thread_id: int) -> Thread:
    """Raises ``Conflict`` for what is open, and for a suggestion that was taken up: it stands in the text."""
    post = await _open_to_talk(work, actor, post_id)
    thread = await _thread(work, post_id, thread_id)
    if thread.outcome in (None, Outcome.ACCEPTED):
        raise Conflict("This cannot be opened again.")
    thread.outcome = thread.ended_at = thread.ended_by_id = None
    _noted(work, actor, f"{thread.kind}.reopen", post, thread)
    return thread


async def accept(work: Work, actor: Actor, post_id: int, thread_id: int) -> Thread:
    """Put what is suggested in the place of its passage. Raises ``Conflict`` if the passage is not what it was: nothing is overwritten."""
    post = await _open_to_talk(work, actor, post_id)
    policy.require(actor, Capability.of(post.kind, "edit"), post)
    thread = await _open_thread(work, post_id, thread_id)
    if thread.kind is not ThreadKind.SUGGESTION:
        raise NotFound
    await working_copies.project(work, post_id)
    content, data = await _text(work.session, post_id, lock=True)
    place = _place(content, data, thread)
    if place is None and not thread.anchor and content.count(thread.quote) > 1:
        raise Conflict(UNCLEAR)
    if place is None or content[place[0] : place[1]] != thread.quote:
        raise Conflict(CHANGED)
    after = content[: place[0]] + (thread.replacement or "") + content[place[1] :]
    copy = await working_copies.edit(work, actor, post_id, content=after)
    await working_copies.keep(work, [copy], Reason.SAVED, actor.user_id)
    _end(work, actor, post, thread, Outcome.ACCEPTED)
    return thread


async def _open_to_talk(work: Work, actor: Actor, post_id: int) -> Post:
    post = await _discussed(work.session, actor, post_id, lock=True)
    if post.is_trashed:
        raise Conflict("This is in the trash; take it out to go on.")
    return post


async def _thread(work: Work, post_id: int, thread_id: int) -> Thread:
    thread = await work.session.scalar(select(Thread).where(Thread.id == thread_id, Thread.post_id == post_id).with_for_update())
    if thread is None:
        raise NotFound
    return thread


async def _open_thread(work: Work, post_id: int, thread_id: int) -> Thread:
    thread = await _thread(work, post_id, thread_id)
    if thread.outcome is not None:
        raise Conflict("Somebody has dealt with this meanwhile.")
    return thread


def _end(work: Work, actor: Actor, post: Post, thread: Thread, outcome: Outcome) -> None:
    thread.outcome, thread.ended_at, thread.ended_by_id = outcome, work.now, actor.user_id
    _noted(work, actor, f"{thread.kind}.{outcome}", post, thread)


def _noted(work: Work, actor: Actor, action: str, post: Post, thread: Thread) -> None:
    audit.note(work, actor, action, post.kind, post.id, thread=thread.id)
    outbox.record(work, ThreadChanged(post.id))


# --- who is told -----------------------------------------------------------------------------------------------------------


async def _say(work: Work, actor: Actor, post: Post, thread: Thread, text: str) -> None:
    people = await _who_may_see(work.session, post)
    mentioned = mentions(text, people)
    earlier = set(await work.session.scalars(select(Remark.created_by_id).where(Remark.thread_id == thread.id))) | {thread.created_by_id}
    work.session.add(Remark(thread_id=thread.id, text=text, created_at=work.now, created_by_id=actor.user_id))
    words = shorten(text, WORDS)
    await notifications.tell(work, actor, mentioned, "mention", post, words, thread.id)
    await notifications.tell(work, actor, (earlier & people.keys()) - mentioned, "answer", post, words, thread.id)  # type: ignore[arg-type]


async def _who_may_see(session: AsyncSession, post: Post) -> dict[int, str]:
    """Names of those who may know of the text as it is being written."""
    far = [role for role in Role if policy.TABLE[Capability.DRAFT_SEE].get(role) is policy.Scope.ANY]
    wanted = select(User.id, User.name).where(User.disabled_at.is_(None), User.role.in_(far) | User.id.in_(post.owner_ids))
    return dict((await session.execute(wanted)).all())


def mentions(text: str, people: dict[int, str]) -> set[int]:
    """Whom ``@Name`` names: a whole name, whatever its case and accents, or a first name that only one of them has."""
    calls: dict[str, set[int]] = defaultdict(set)
    for user_id, name in people.items():
        for call in {fold(name), fold(name.split()[0]) if name.split() else ""} - {""}:
            calls[call].add(user_id)
    found: set[int] = set()
    for at in re.finditer(r"(?<!\w)@", text):
        rest = fold(text[at.end() : at.end() + WORDS])
        fitting = [call for call in calls if rest.startswith(call) and not rest[len(call) : len(call) + 1].isalnum()]
        if fitting and len(whom := calls[max(fitting, key=len)]) == 1:
            found |= whom
    return found


async def rename_mentioned(work: Work, user: User, name: str) -> None:
    """Where somebody is mentioned by his whole name, in whatever case, there is this one; others whose names begin like it keep theirs."""
    others = await work.session.scalars(select(User.name).where(User.id != user.id, User.name.istartswith(user.name, autoescape=True)))
    longer = "|".join(re.escape(other) for other in sorted(others, key=len, reverse=True)) or "(?!)"
    mention = re.compile(rf"(?<!\w)@(?:(?P<other>{longer})|{re.escape(user.name)})(?!\w)", re.IGNORECASE)

    def renamed(text: str) -> str:
        return mention.sub(lambda found: found[0] if found["other"] else f"@{name}", text)

    for remark in await work.session.scalars(select(Remark).where(Remark.text.icontains(f"@{user.name}", autoescape=True))):
        remark.text = renamed(remark.text)
    for review in await work.session.scalars(select(Review).where(Review.words.icontains(f"@{user.name}", autoescape=True))):
        review.words = renamed(review.words)
    words = Notification.data["words"].as_string()
    for told in await work.session.scalars(select(Notification).where(words.icontains(f"@{user.name}", autoescape=True))):
        told.data = {**told.data, "words": renamed(told.data["words"])}
    words = Job.payload["facts"]["words"].as_string()
    for job in await work.session.scalars(select(Job).where(words.icontains(f"@{user.name}", autoescape=True))):
        facts = job.payload["facts"]
        job.payload = {**job.payload, "facts": {**facts, "words": renamed(facts["words"])}}
