"""Links with which somebody outside looks at a text: made, listed, taken back, counted. A link is good for as long as its maker could
make it: it ends with its time, when it is revoked, when the text goes into the trash, and when its maker may not edit the text any more.
"""

import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import load_only

from cms.db.session import Work
from cms.errors import Conflict, Forbidden, Gone, InvalidInput, NotFound, OperatorError
from cms.events import WorkChanged
from cms.models import Asset, Post, PreviewLink, Revision, User, WorkingCopy
from cms.policy import Actor
from cms.schemas.links import PreviewLinkInput
from cms.schemas.post import PostFields
from cms.sealing import Sealer
from cms.services import audit, media_places, outbox, posts, site, tokens
from cms.wording import say

LIFETIMES = {"1h": timedelta(hours=1), "24h": timedelta(hours=24), "7d": timedelta(days=7), "30d": timedelta(days=30)}
KEPT = timedelta(days=90)  # after its end, to say that it has ended and not that it never was
MOST_LISTED = 1000  # of one text
MOST_OFFERED = 100  # revisions

ENDED = "This preview has ended. If you still need to see the text, ask the person who sent you the link for a new one."


@dataclass(frozen=True, slots=True)
class Shown:
    """A link as its makers see it. ``carrier``: what the address ends in; "" if the key it was sealed with is lost."""

    row: PreviewLink
    carrier: str
    by: str  # a name, or ""
    revision: Revision | None


@dataclass(frozen=True, slots=True)
class Sight:
    """What a link lets somebody see."""

    link: PreviewLink
    post: Post


@dataclass(frozen=True, slots=True)
class Text:
    """``version``: another one for another text. ``kept_at``: None for what is being written."""

    content: str
    fields: PostFields
    version: str
    kept_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Openness:
    """How many links of a text are open, and how often they were used."""

    links: int = 0
    seen: int = 0


# --- by those who write ----------------------------------------------------------------------------------------------------


async def make(work: Work, sealer: Sealer, actor: Actor, post_id: int, wanted: PreviewLinkInput) -> PreviewLink:
    """Raises ``InvalidInput`` if the text has no such revision, ``Conflict`` if it is in the trash or has too many links already."""
    post = await posts.get_editable(work.session, actor, post_id, lock=True)
    if post.is_trashed:
        raise Conflict("This is in the trash; take it out to show it to somebody.")
    most = (await site.get_limits(work.session)).preview_links
    if not most:
        raise Conflict("This site gives no links to people outside.")
    if (await openness(work.session, post_id, work.now)).links >= most:
        raise Conflict(say("As many links are open as this site allows ({most}); revoke some that nobody needs.", most=most))
    if wanted.revision and await _revision(work.session, post_id, wanted.revision) is None:
        raise InvalidInput({"revision": "Choose one of the list."})
    carrier = secrets.token_urlsafe(32)
    link = PreviewLink(
        token_hash=tokens.digest(carrier), sealed=sealer.seal(carrier), post_id=post_id, revision_id=wanted.revision, name=wanted.name,
        created_at=work.now, created_by_id=actor.user_id, expires_at=work.now + LIFETIMES[wanted.lifetime],
    )  # fmt: skip
    work.session.add(link)
    await work.session.flush()
    audit.note(work, actor, "preview_link.create", post.kind, post_id, link=link.id, lifetime=wanted.lifetime, revision=wanted.revision)
    return link


async def list_of(session: AsyncSession, sealer: Sealer, actor: Actor, post_id: int) -> Sequence[Shown]:
    """Those of a text, the newest first."""
    await posts.get_editable(session, actor, post_id)
    wanted = select(PreviewLink, User.name, Revision).outerjoin(User, User.id == PreviewLink.created_by_id)
    wanted = wanted.outerjoin(Revision, Revision.id == PreviewLink.revision_id).where(PreviewLink.post_id == post_id)
    rows = await session.execute(wanted.order_by(PreviewLink.id.desc()).limit(MOST_LISTED))
    return [Shown(row, _carrier(sealer, row), name or "", revision) for row, name, revision in rows]


async def revisions(session: AsyncSession, actor: Actor, post_id: int) -> Sequence[Revision]:
    """That may be shown, the newest first; without their texts."""
    await posts.get_editable(session, actor, post_id)
    wanted = select(Revision).options(load_only(Revision.created_at, Revision.name)).where(Revision.post_id == post_id)
    return (await session.scalars(wanted.order_by(Revision.id.desc()).limit(MOST_OFFERED))).all()


async def revoke(work: Work, actor: Actor, post_id: int, link_id: int) -> None:
    """Whoever looks at it now is told. Raises ``NotFound`` if there is no such link, or it has ended already."""
    post = await posts.get_editable(work.session, actor, post_id)
    mine = (PreviewLink.id == link_id) & (PreviewLink.post_id == post_id)
    if not await _end(work, mine, post_id):
        raise NotFound("This link has ended already.")
    audit.note(work, actor, "preview_link.revoke", post.kind, post_id, link=link_id)


async def end_all(work: Work, post_id: int) -> None:
    """As the text goes into the trash."""
    await _end(work, PreviewLink.post_id == post_id, post_id)


async def openness(session: AsyncSession, post_id: int, now: datetime) -> Openness:
    counted = select(func.count(), func.coalesce(func.sum(PreviewLink.seen), 0)).where(PreviewLink.post_id == post_id, *_is_open(now))
    return Openness(*(await session.execute(counted)).one())


async def _revision(session: AsyncSession, post_id: int, revision_id: int) -> Revision | None:
    return await session.scalar(select(Revision).where(Revision.id == revision_id, Revision.post_id == post_id))


async def _end(work: Work, which: ColumnElement[bool], post_id: int) -> bool:
    ended = update(PreviewLink).where(which, *_is_open(work.now)).values(revoked_at=work.now).returning(PreviewLink.id)
    is_any = bool((await work.session.scalars(ended)).all())
    if is_any:
        outbox.record(work, WorkChanged(post_id))
    return is_any


def _is_open(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return PreviewLink.revoked_at.is_(None), PreviewLink.expires_at > now


def _carrier(sealer: Sealer, link: PreviewLink) -> str:
    try:
        return sealer.open(link.sealed)
    except OperatorError:
        return ""


# --- by those who look -----------------------------------------------------------------------------------------------------


async def find(session: AsyncSession, carrier: str, now: datetime) -> Sight:
    """Raises ``NotFound`` if there never was such a link, or it ended long ago, ``Gone`` if it has ended."""
    link = await session.scalar(select(PreviewLink).where(PreviewLink.token_hash == tokens.digest(carrier)))
    if link is None:
        raise NotFound
    return await _sight(session, link, now)


async def _sight(session: AsyncSession, link: PreviewLink, now: datetime) -> Sight:
    maker = await session.get(User, link.created_by_id) if link.created_by_id else None
    if maker is None or maker.is_disabled or not link.is_open_at(now):
        raise Gone(ENDED)
    try:
        post = await posts.get_editable(session, maker.actor, link.post_id)
    except (NotFound, Forbidden):
        raise Gone(ENDED) from None
    return Sight(link, post)


async def shown_by(session: AsyncSession, sight: Sight) -> Text:
    """The text as it is; of one that is being written, as far as the working copy knows it."""
    number = sight.link.revision_id
    if number is None:
        copy = await session.get_one(WorkingCopy, sight.post.id)
        return Text(copy.content, PostFields.model_validate(copy.fields), str(copy.version))
    revision = await session.get_one(Revision, number)
    return Text(revision.content, PostFields.model_validate(revision.fields), f"r{number}", revision.created_at)


def file_pass(sealer: Sealer, link_id: int, asset_id: int) -> str:
    """What an address of a file carries in a page that a link shows: good for this file, and as long as the link is."""
    return f"{link_id}-{sealer.mark(f'file {asset_id} of preview {link_id}')}"


async def opens_file(session: AsyncSession, sealer: Sealer, given: str, asset_id: int, now: datetime) -> bool:
    """Whether we gave out this ``file_pass``, the link has not ended, and what it shows still has the file."""
    number = given.partition("-")[0]
    if not number.isdecimal() or not hmac.compare_digest(given.encode(), file_pass(sealer, int(number), asset_id).encode()):
        return False
    link, asset = await session.get(PreviewLink, int(number)), await session.get(Asset, asset_id)
    if link is None or asset is None:
        return False
    try:
        sight = await _sight(session, link, now)
    except Gone:
        return False
    return await media_places.are_in_text(session, asset, sight.post.id, link.revision_id)


async def count(work: Work, looks: Mapping[int, int]) -> None:
    """``looks``: how often each was used since the last time."""
    for link_id, number in sorted(looks.items()):
        counted = update(PreviewLink).where(PreviewLink.id == link_id)
        await work.session.execute(counted.values(seen=PreviewLink.seen + number, seen_at=work.now))


async def prune(work: Work) -> None:
    long_ago = work.now - KEPT
    await work.session.execute(delete(PreviewLink).where(or_(PreviewLink.expires_at < long_ago, PreviewLink.revoked_at < long_ago)))
