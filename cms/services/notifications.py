"""What people are told at the desk, and by mail unless they do not want it: mentions, answers in their threads, reviews, and what could not
be done on time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from cms.db.session import Finder, Work
from cms.events import Ids, NotificationsChanged
from cms.models import Notification, Post, User
from cms.policy import Actor
from cms.services import notices, outbox, posts
from cms.services.notices import Notice
from cms.wording import parts, phrases, say, whole

KEPT = 100  # days
MOST_SHOWN = 100
DID = phrases({"mention": "{who} mentioned you in “{title}”", "answer": "{who} answered in “{title}”"})
LETTERS = {  # by kind
    **dict.fromkeys(DID, Notice.MENTION),
    "submitted": Notice.SUBMITTED,
    "approved": Notice.APPROVED,
    "changes_asked": Notice.CHANGES_ASKED,
}


@dataclass(frozen=True, slots=True)
class Told:
    """``by``: a name, or "" of somebody who is gone. ``place``: the page of the post that it is about, as routes name it, and ``thread_id``
    what it is about there."""

    id: int
    kind: str
    by: str
    post: Post
    thread_id: int | None
    words: str
    created_at: datetime
    is_new: bool

    @property
    def place(self) -> str:
        return "threads" if self.kind in DID else "publication" if self.kind == "miss" else "review"


async def tell(work: Work, actor: Actor, user_ids: Iterable[int], kind: str, post: Post, words: str, thread_id: int | None = None) -> None:
    """``words``: the beginning of what was said. Whoever calls knows that these people may see the post."""
    facts = {"who": actor.name, "title": post.title or say("a text without a title"), "words": words}
    facts["did"] = say(DID.get(kind, ""), **facts)
    path = f"/admin/{post.kind}s/{post.id}/" + (f"threads#thread-{thread_id}" if thread_id else "review")
    told = tuple(sorted(set(user_ids) - {actor.user_id or 0}))
    for user_id in told:
        data = {"by": actor.user_id, "thread": thread_id, "words": words}
        work.session.add(Notification(user_id=user_id, kind=kind, data=data, post_id=post.id, created_at=work.now))
        await notices.tell(work, user_id, LETTERS[kind], about=actor.user_id, path=path, **facts)
    _announce(work, told)


async def tell_of_miss(work: Work, user_ids: Iterable[int], post: Post, why: str) -> None:
    """That an act was due and could not be done. Whoever calls knows that these people may see the post."""
    path = f"/admin/{post.kind}s/{post.id}/publication"
    told = tuple(sorted(user_ids))
    for user_id in told:
        work.session.add(Notification(user_id=user_id, kind="miss", data={"words": parts(why)}, post_id=post.id, created_at=work.now))
        await notices.tell(work, user_id, Notice.MISS, path=path, title=post.title or say("a text without a title"), words=why)
    _announce(work, told)


async def count_new(where: Finder, actor: Actor) -> int:
    found = await where.find(_new(actor), {})
    return found[0] if found else 0


@lru_cache(256)  # asked for each page of the desk
def _new(actor: Actor) -> Select[int]:
    return _of(actor).with_only_columns(func.count()).where(Notification.seen_at.is_(None))


async def list_of(session: AsyncSession, actor: Actor) -> Sequence[Told]:
    """One's own, the newest first. What one may not see any more is not there."""
    rows = (await session.execute(_of(actor).order_by(Notification.id.desc()).limit(MOST_SHOWN))).all()
    names = dict((await session.execute(select(User.id, User.name).where(User.id.in_({row.data.get("by") for row, _ in rows})))).all())
    return [
        Told(
            row.id,
            row.kind,
            names.get(row.data.get("by", 0), ""),
            post,
            row.data.get("thread"),
            whole(row.data["words"]),
            row.created_at,
            row.seen_at is None,
        )
        for row, post in rows
    ]


async def mark_seen(work: Work, actor: Actor, up_to: int) -> None:
    """One's own, up to this one."""
    mine = (Notification.user_id == actor.user_id) & Notification.seen_at.is_(None) & (Notification.id <= up_to)
    seen = await work.session.execute(update(Notification).where(mine).values(seen_at=work.now).returning(Notification.user_id))
    _announce(work, tuple(set(seen.scalars())))


async def prune(work: Work) -> None:
    await work.session.execute(delete(Notification).where(Notification.created_at < work.now - timedelta(days=KEPT)))


def _announce(work: Work, user_ids: Ids) -> None:
    if user_ids:
        outbox.record(work, NotificationsChanged(user_ids))


def _of(actor: Actor) -> Select[Notification, Post]:
    wanted = select(Notification, Post).join(Post, Post.id == Notification.post_id)
    return wanted.where(Notification.user_id == actor.user_id, posts.sees_work(actor))
