"""What somebody sees first at the desk: what waits for him, what he has begun, what goes out next, what went wrong.

Each part is one bounded query, or two, of what the actor may see, and each has an index that it goes along (tests look at it).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, String, exists, func, or_, select, true, type_coerce
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from cms import policy
from cms.models import Job, Post, PostAuthor, Published, Remark, Review, Schedule, Thread
from cms.models.desk import ReviewAct
from cms.models.post import Kind, Live, ScheduledAct, Side, Visibility, WorkState
from cms.policy import Actor, Capability, Scope
from cms.services import dead_links, posts, reviews, site
from cms.services.dead_links import DeadLink
from cms.services.reviews import Rules

SHOWN = 6  # of each part
LOOKED_AT = 60  # texts in review, of which those that wait for the actor are shown


@dataclass(frozen=True, slots=True)
class Waiting:
    """A text in review. ``step``: the name of the one that waits; "" where there is but one."""

    post: Post
    authors: tuple[str, ...]
    step: str


@dataclass(frozen=True, slots=True)
class Going:
    """An act that waits for its time. ``error``: why it could not be done."""

    post: Post
    act: ScheduledAct
    due_at: datetime
    error: str


@dataclass(frozen=True, slots=True)
class Discussed:
    """A thread in which somebody else had the last word. ``words``: what was said last, or what is proposed."""

    thread: Thread
    post: Post
    words: str


@dataclass(frozen=True, slots=True)
class SentBack:
    """A text that was reviewed, and what has to be changed in it."""

    post: Post
    words: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Today:
    waiting: Sequence[Waiting]  # for the actor
    submitted: Sequence[Waiting]  # his own, which wait for others
    drafts: Sequence[Post]  # his own first
    next: Sequence[Going]
    failed: Sequence[Going]
    jobs: Sequence[Job]  # that were given up
    sent_back: Sequence[SentBack]
    threads: Sequence[Discussed]
    changed: Sequence[Post]  # with changes that readers do not see
    published: Sequence[Published]  # newest first
    dead_links: Sequence[DeadLink]  # in texts that the actor may change
    is_new: bool  # nothing is here yet

    @property
    def needs_attention(self) -> bool:
        return bool(self.failed or self.jobs or self.sent_back or self.threads or self.changed or self.dead_links)


async def today(session: AsyncSession, actor: Actor) -> Today:
    policy.require(actor, Capability.POST_EDIT)
    waiting, submitted = await _in_review(session, actor)
    drafts, published = await _drafts(session, actor), await _published(session)
    going, failed = await _scheduled(session, actor, has_failed=False), await _scheduled(session, actor, has_failed=True)
    jobs, threads, changed = await _jobs(session, actor), await _threads(session, actor), await _changed(session, actor)
    sent_back = await _sent_back(session, actor)
    dead = await dead_links.find(session, None if _sees_all(actor) else _is_own(actor), SHOWN)
    is_new = not (drafts or published or waiting or submitted) and not await session.scalar(select(Post.id).limit(1))
    return Today(waiting, submitted, drafts, going, failed, jobs, sent_back, threads, changed, published, dead, is_new)


async def _in_review(session: AsyncSession, actor: Actor) -> tuple[list[Waiting], list[Waiting]]:
    """Those that the actor may deal with, and his own; who waits longest first."""
    wanted = select(Post).where(Post.work == WorkState.IN_REVIEW, Post.live != Live.TRASHED, _sees(actor))
    found = await _with_owners(session, wanted.order_by(Post.updated_at, Post.id).limit(LOOKED_AT))
    if not found:
        return [], []
    rules, numbers = Rules.of(await site.get(session)), await reviews.numbers(session, [post.id for post, _ in found])
    waiting, submitted = list[Waiting](), list[Waiting]()
    for post, authors in found:
        step = rules.step(numbers.get(post.id, 0))
        if actor.user_id in post.owner_ids:
            submitted.append(Waiting(post, authors, step.name))
        elif reviews.may_decide(actor, post, step):
            waiting.append(Waiting(post, authors, step.name))
    return waiting, submitted[:SHOWN]


async def _drafts(session: AsyncSession, actor: Actor) -> Sequence[Post]:
    begun = select(Post).where(Post.work == WorkState.DRAFT, Post.live == Live.NEVER).order_by(Post.updated_at.desc(), Post.id.desc())
    own = (await session.scalars(begun.where(_is_own(actor)).limit(SHOWN))).all()
    if len(own) == SHOWN or not _sees_all(actor):
        return own
    return [*own, *await session.scalars(begun.where(~_is_own(actor)).limit(SHOWN - len(own)))]


async def _scheduled(session: AsyncSession, actor: Actor, *, has_failed: bool) -> list[Going]:
    wanted = select(Schedule, Post).join(Post, Post.id == Schedule.post_id).where(_sees(actor), Post.live != Live.TRASHED)
    wanted = wanted.where(Schedule.error.is_not(None) if has_failed else Schedule.error.is_(None)).order_by(Schedule.due_at).limit(SHOWN)
    return [Going(post, row.act, row.due_at, row.error or "") for row, post in await session.execute(wanted)]


async def _jobs(session: AsyncSession, actor: Actor) -> Sequence[Job]:
    """Given up, for those who run the site."""
    if not policy.allows(actor, Capability.SITE_CONFIGURE):
        return ()
    wanted = select(Job).where(Job.error.is_not(None), Job.finished_at.is_not(None))
    return (await session.scalars(wanted.order_by(Job.finished_at.desc()).limit(SHOWN))).all()


async def _sent_back(session: AsyncSession, actor: Actor) -> list[SentBack]:
    """Texts of the actor for which whoever reviewed them asked for changes, and nothing came of it yet; the newest first."""
    later = aliased(Review)
    is_last = ~exists().where(later.post_id == Review.post_id, later.id > Review.id)
    wanted = select(Post, Review).join(Review, Review.post_id == Post.id).where(Review.act == ReviewAct.CHANGES_ASKED, is_last)
    # The sum keeps SQLite from beginning with all drafts.
    is_draft = type_coerce(Post.work, String) + "" == WorkState.DRAFT.value
    is_open = is_draft & (Post.live != Live.TRASHED) & ((Post.live != Live.PUBLISHED) | Post.has_changes)
    rows = await session.execute(wanted.where(is_open, _is_own(actor)).order_by(Review.id.desc()).limit(SHOWN))
    return [SentBack(post, review.words, review.created_at) for post, review in rows]


async def _threads(session: AsyncSession, actor: Actor) -> list[Discussed]:
    """Open ones on texts of the actor, or that he began, in which another had the last word; newest first."""
    newest = select(func.max(Remark.id)).where(Remark.thread_id == Thread.id).correlate(Thread).scalar_subquery()
    last_by = func.coalesce(Remark.created_by_id, Thread.created_by_id)
    mine: ColumnElement[bool] = or_(_is_own(actor), Thread.created_by_id == actor.user_id)
    wanted = select(Thread, Post, Remark.text).join(Post, Post.id == Thread.post_id).outerjoin(Remark, Remark.id == newest)
    wanted = wanted.where(Thread.outcome.is_(None), Post.live != Live.TRASHED, _sees(actor), mine, last_by != actor.user_id)
    rows = await session.execute(wanted.order_by(Thread.id.desc()).limit(SHOWN))
    return [Discussed(thread, post, words or thread.replacement or "") for thread, post, words in rows]


async def _changed(session: AsyncSession, actor: Actor) -> Sequence[Post]:
    wanted = select(Post).where(Post.has_changes, Post.live == Live.PUBLISHED, Post.work == WorkState.DRAFT, _sees(actor))
    return (await session.scalars(wanted.order_by(Post.updated_at.desc(), Post.id.desc()).limit(SHOWN))).all()


async def _published(session: AsyncSession) -> Sequence[Published]:
    """What stands in readers' lists."""
    wanted = (
        select(Published)
        .where(Published.kind == Kind.POST, Published.visibility == Visibility.PUBLIC)
        .order_by(Published.published_at.desc(), Published.post_id.desc())
    )
    return (await session.scalars(wanted.limit(SHOWN))).all()


def _sees(actor: Actor) -> ColumnElement[bool]:
    """The posts whose working copy the actor may know of."""
    return true() if _sees_all(actor) else _is_own(actor)


def _sees_all(actor: Actor) -> bool:
    return policy.scope(actor, Capability.DRAFT_SEE) is Scope.ANY


def _is_own(actor: Actor) -> ColumnElement[bool]:
    """Asked of each post, as few of them are: to gather all that somebody wrote costs more (``posts.is_own`` does, for lists of many).
    A row in place of ``EXISTS`` keeps PostgreSQL from gathering them."""
    wrote = select(PostAuthor.post_id).where(
        PostAuthor.post_id == Post.id, PostAuthor.side == Side.WORK, PostAuthor.user_id == actor.user_id
    )
    return or_(Post.created_by_id == actor.user_id, wrote.scalar_subquery().is_not(None))


async def _with_owners(session: AsyncSession, wanted: Select[Post]) -> list[tuple[Post, tuple[str, ...]]]:
    found = (await session.scalars(wanted)).all()
    names = await posts.named_authors(session, found)
    return [(post, names[post.id]) for post in found]
