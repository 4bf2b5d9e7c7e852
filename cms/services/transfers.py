"""Texts that come from elsewhere, many at a time: found again by their key, told apart from what somebody has edited here since."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cms import policy
from cms.content.folding import fold
from cms.content.pipeline import Rendered, plain_title
from cms.db.session import Work
from cms.events import WorkChanged
from cms.models import Address, Post, Revision, WorkingCopy
from cms.models.address import AddressState, TargetKind
from cms.models.post import Kind, Reason, Side
from cms.policy import Actor, Capability
from cms.schemas.post import PostFields
from cms.services import addresses, audit, outbox, posts, publishing

MAX_KEY = 500


@dataclass(frozen=True, slots=True)
class Known:
    """What an earlier import brought in. ``path``: where it stands; "" if it was never public. ``is_edited``: by somebody, since."""

    post_id: int
    digest: str
    path: str
    is_edited: bool


@dataclass(frozen=True, slots=True)
class Incoming:
    """A text with everything that is known of it. ``dates``: None for a draft. ``former``: old paths that are to lead to it."""

    key: str
    digest: str
    kind: Kind
    content: str
    fields: PostFields
    dates: publishing.Dates | None
    former: tuple[str, ...] = ()
    is_over: bool = False  # it was public, and is not any more


async def known(session: AsyncSession, prefix: str) -> dict[str, Known]:
    """What came in under keys that begin so."""
    newest = (
        select(Revision.post_id, func.max(Revision.id).label("id")).where(Revision.reason == Reason.IMPORTED).group_by(Revision.post_id)
    ).subquery()
    wanted = (
        select(Post.import_key, Post.id, Post.import_digest, Address.path, WorkingCopy, Revision)
        .join(WorkingCopy, WorkingCopy.post_id == Post.id)
        .join(newest, newest.c.post_id == Post.id)
        .join(Revision, Revision.id == newest.c.id)
        .outerjoin(
            Address,
            (Address.target_kind == TargetKind.POST) & (Address.target_id == Post.id) & (Address.state != AddressState.MOVED),
        )
        .where(Post.import_key.startswith(prefix, autoescape=True))
    )
    return {
        key: Known(post_id, digest or "", path or "", is_edited=not revision.is_same_as(copy))
        for key, post_id, digest, path, copy, revision in await session.execute(wanted)
        if key
    }


async def has_own_posts(session: AsyncSession) -> bool:
    return bool(await session.scalar(select(exists().where(Post.id.is_not(None)))))


async def taken_paths(session: AsyncSession, but: Iterable[int]) -> set[str]:
    """Paths at which something of this site stands or stood, but not these posts."""
    mine = set(but)
    rows = await session.execute(select(Address.path, Address.target_kind, Address.target_id))
    return {path for path, kind, target in rows if kind is not TargetKind.POST or target not in mine}


async def bring_in(work: Work, actor: Actor, incoming: Incoming, rendered: Rendered | None, before: Known | None) -> int:
    """Make a text of it, or bring what an earlier import made up to date; its id. ``rendered``: what readers get; None for a draft."""
    policy.require(actor, Capability.of(incoming.kind, "publish"))
    post, copy = await (_renew(work, actor, incoming, before.post_id) if before else _make(work, actor, incoming))
    if rendered is not None:
        await publishing.publish(work, actor, post.id, publishing.Version(copy.version, rendered), incoming.dates)
        for path in incoming.former:
            await addresses.lead(work, path, TargetKind.POST, post.id)
        if incoming.is_over:
            await publishing.withdraw(work, actor, post.id)
    return post.id


async def _make(work: Work, actor: Actor, incoming: Incoming) -> tuple[Post, WorkingCopy]:
    title = plain_title(incoming.fields.title)
    post = Post(
        kind=incoming.kind,
        created_by_id=actor.user_id,
        created_at=work.now,
        updated_at=work.now,
        title=title,
        folded_title=fold(title)[:400],
        language=incoming.fields.language,
        import_key=incoming.key,
        import_digest=incoming.digest,
    )
    work.session.add(post)
    await work.session.flush()
    copy = WorkingCopy(
        post_id=post.id,
        content=incoming.content,
        fields=incoming.fields.to_json(),
        updated_at=work.now,
        updated_by_id=actor.user_id,
    )
    work.session.add(copy)
    await _follow(work, actor, post, copy, incoming)
    return post, copy


async def _renew(work: Work, actor: Actor, incoming: Incoming, post_id: int) -> tuple[Post, WorkingCopy]:
    post = await work.session.get_one(Post, post_id)
    copy = await work.session.get_one(WorkingCopy, post_id)
    post.title = plain_title(incoming.fields.title)
    post.folded_title = fold(post.title)[:400]
    post.import_digest, post.updated_at, post.has_changes = incoming.digest, work.now, post.is_published
    copy.content, copy.fields, copy.updated_at = incoming.content, incoming.fields.to_json(), work.now
    await _follow(work, actor, post, copy, incoming)
    return post, copy


async def _follow(work: Work, actor: Actor, post: Post, copy: WorkingCopy, incoming: Incoming) -> None:
    await work.session.flush()
    await posts.set_terms(work, post.id, Side.WORK, incoming.fields)
    work.session.add(
        Revision(
            post_id=post.id,
            reason=Reason.IMPORTED,
            content=copy.content,
            fields=copy.fields,
            created_at=work.now,
            created_by_id=actor.user_id,
        )
    )
    audit.note(work, actor, f"{post.kind}.import", post.kind, post.id, key=incoming.key)
    outbox.record(work, WorkChanged(post.id))


def as_dates(published: datetime, updated: datetime | None) -> publishing.Dates:
    """A change before the publication is none."""
    return publishing.Dates(published, max(published, updated or published))
