"""What is kept about a person: all of it, for whoever has a right to it; and forgotten, while what the person wrote stays."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from cms import policy
from cms.content.slugs import slugify
from cms.db.session import Work
from cms.errors import Conflict, Forbidden, NotFound
from cms.events import UserChanged
from cms.models import (
    Address,
    Asset,
    AuditEntry,
    Base,
    Device,
    Identity,
    Job,
    MenuItem,
    Notification,
    Passkey,
    Post,
    PostAuthor,
    PreviewLink,
    Published,
    RecoveryCode,
    Remark,
    Review,
    Revision,
    SavedView,
    Session,
    Site,
    Thread,
    Token,
    User,
    WorkingCopy,
)
from cms.models.address import TargetKind
from cms.models.post import Side
from cms.models.user import ERASED_DOMAIN
from cms.policy import Actor, Capability, Role
from cms.services import accounts, addresses, audit, bylines, notices, outbox, portraits, posts, site, threads
from cms.services.sealed import SEALED
from cms.wording import say

FORMER_NAME = say("Former author")  # unless the site has chosen another
BATCH = 20  # rows that are read at once: a text may be long

# What leaves, by name: a column that comes later stays here until somebody says otherwise. No hashes, keys or sealed secrets.
_SHOWN: Mapping[type[Base], tuple[str, ...]] = {
    User: ("id", "email", "name", "slug", "role", "bio", "links", "refuses", "created_at", "disabled_at"),
    Session: ("user_agent", "address", "created_at", "seen_at", "expires_at", "confirmed_at"),
    Device: ("created_at", "seen_at"),
    Passkey: ("name", "transports", "is_synced", "created_at", "used_at"),
    Notification: ("kind", "data", "post_id", "created_at", "seen_at"),
    Remark: ("thread_id", "text", "created_at"),
    Review: ("post_id", "revision_id", "act", "words", "created_at"),
    Thread: ("id", "post_id", "kind", "quote", "replacement", "created_at", "outcome", "ended_at"),
    PreviewLink: ("post_id", "revision_id", "name", "created_at", "expires_at", "revoked_at", "seen", "seen_at"),
    Identity: ("issuer", "subject", "created_at", "used_at"),
    Token: ("purpose", "created_at", "expires_at"),
    SavedView: ("kind", "name", "query"),
    Job: ("name", "payload", "created_at", "finished_at"),
    AuditEntry: ("at", "action", "subject_kind", "subject_id", "details", "address", "request_id"),
    Post: ("id", "kind", "title", "live", "work", "language", "created_at", "updated_at", "first_published_at", "trashed_at"),
    Published: ("post_id", "path", "title", "published_at", "updated_at"),
    WorkingCopy: ("post_id", "content", "fields", "updated_at"),
    Revision: ("id", "post_id", "reason", "name", "content", "fields", "created_at"),
    Asset: ("id", "name", "path", "content_type", "size", "width", "height", "alt", "created_at"),
}

Row = dict[str, Any]


# --- taking along ----------------------------------------------------------------------------------------------------------


async def begin_export(work: Work, actor: Actor, user_id: int) -> User:
    """The person, if the actor may have what is kept about him. Noted, as it takes much out of the house at once."""
    policy.require(actor, Capability.ACCOUNT_KEEP if actor.user_id == user_id else Capability.USER_MANAGE)
    user = await _get(work.session, user_id)
    audit.note(work, actor, "user.export", "user", user.id)
    return user


async def kept(session: AsyncSession, user_id: int) -> dict[str, Any]:
    """What there is little of, by the name of the file that it goes into."""
    user = await _get(session, user_id)
    codes = await session.scalar(select(func.count()).where(RecoveryCode.user_id == user_id))
    picture = await portraits.find(session, user_id)
    account = {
        **_row(user),
        "has_password": user.password_hash is not None,
        "has_codes_from_an_app": user.totp_secret is not None,
        "recovery_codes_left": codes,
        "picture": picture.path if picture else None,
    }
    return {
        "account": account,
        **{
            name: [_row(each) for each in await session.scalars(select(table).where(table.user_id == user_id).order_by(table.id))]
            for name, table in (
                ("sessions", Session),
                ("devices", Device),
                ("passkeys", Passkey),
                ("identities", Identity),
                ("one-time-links", Token),
                ("notifications", Notification),
                ("views", SavedView),
            )
        },
        "notices": [_notice(each) for each in await session.scalars(select(Job).where(notices.told(user_id)).order_by(Job.id))],
    }


@dataclass(frozen=True, slots=True)
class Collection:
    """Of what there may be much: read in batches, each from the last one's number on. ``condition``: which rows are of a person."""

    table: type[Any]
    condition: Callable[[User], ColumnElement[bool]]

    async def read(self, session: AsyncSession, user: User, after: int) -> tuple[Sequence[Row], int]:
        """The rows, and the last one's number; none when there are no more."""
        (key,) = self.table.__table__.primary_key
        wanted: Select[Any] = select(self.table).where(self.condition(user), key > after).order_by(key).limit(BATCH)
        rows = (await session.scalars(wanted)).all()
        return [_seen_by(user.id, each) for each in rows], getattr(rows[-1], key.name) if rows else after


def _stands_above(user: User, side: Side) -> Select[int]:
    return select(PostAuthor.post_id).where(PostAuthor.user_id == user.id, PostAuthor.side == side)


def _has_in_work(user: User) -> ColumnElement[bool]:
    """The texts that the person began or stands above as they are now: whoever only did so once sees no more of them than readers."""
    return or_(Post.created_by_id == user.id, Post.id.in_(_stands_above(user, Side.WORK)))


def _may_see(user: User) -> ColumnElement[bool]:
    wrote_last = (WorkingCopy.updated_by_id == user.id) & WorkingCopy.post_id.in_(select(Post.id).where(posts.sees_work(user.actor)))
    return or_(wrote_last, WorkingCopy.post_id.in_(select(Post.id).where(_has_in_work(user))))


COLLECTIONS: Mapping[str, Collection] = {
    "audit-by": Collection(AuditEntry, lambda user: AuditEntry.user_id == user.id),
    "audit-about": Collection(AuditEntry, lambda user: (AuditEntry.subject_kind == "user") & (AuditEntry.subject_id == user.id)),
    "posts": Collection(Post, _has_in_work),
    "working-copies": Collection(WorkingCopy, _may_see),
    "bylines": Collection(Published, lambda user: Published.post_id.in_(_stands_above(user, Side.LIVE))),
    "revisions": Collection(Revision, lambda user: Revision.created_by_id == user.id),
    "threads": Collection(Thread, lambda user: Thread.created_by_id == user.id),
    "remarks": Collection(Remark, lambda user: Remark.created_by_id == user.id),
    "reviews": Collection(Review, lambda user: Review.created_by_id == user.id),
    "preview-links": Collection(PreviewLink, lambda user: PreviewLink.created_by_id == user.id),
    "media": Collection(Asset, lambda user: Asset.created_by_id == user.id),
}


def _row(row: Any) -> Row:
    return {name: getattr(row, name) for name in _SHOWN[type(row)]}


def _notice(job: Job) -> Row:
    return {**_row(job), "payload": {name: value for name, value in job.payload.items() if name != SEALED}}


def _seen_by(user_id: int, row: Any) -> Row:
    """From where somebody else did something to the person, or tried to, is kept about that other one."""
    is_others = isinstance(row, AuditEntry) and row.user_id != user_id
    return {**_row(row), "address": ""} if is_others else _row(row)


# --- forgetting ------------------------------------------------------------------------------------------------------------


async def erase(work: Work, actor: Actor, user_id: int) -> None:
    """Forget who somebody was. The texts stay, under the name that the site has for such people; an empty row holds them together.

    Nothing of the name is kept, not even that there was a list at its address: that answers 404, and is free for somebody else.
    Raises ``Forbidden`` for the owner and for oneself, ``Conflict`` for who was erased before.
    """
    policy.require(actor, Capability.USER_MANAGE)
    await site.hold(work)  # as whatever changes what readers see
    user = await _get(work.session, user_id)
    await accounts.hold_both(work, actor, user)
    _refuse(actor, user)
    former = await former_name(work.session)
    await _rename_in_menus(work, user, former)
    await threads.rename_mentioned(work, user, former)
    await portraits.replace(work, user.id, None)
    await _forget_rows(work, user.id)
    await audit.forget(work, user.id)
    for name, value in _husk(work, user.id, former).items():
        setattr(user, name, value)
    user.slug = await _move_list(work, user.id, former)
    await work.session.flush()
    await bylines.renew(work, user)
    await site.renew_frame(work)  # a menu may lead to the list
    audit.note(work, actor, "user.erase", "user", user.id)
    outbox.record(work, UserChanged(user.id, ("name", "bio", "links", "picture", "erased")))


async def get_erasable(session: AsyncSession, actor: Actor, user_id: int) -> User:
    """Somebody whom the actor may erase, as far as can be said beforehand. Raises like ``erase``."""
    user = await get_person(session, actor, user_id)
    _refuse(actor, user)
    return user


async def get_person(session: AsyncSession, actor: Actor, user_id: int) -> User:
    policy.require(actor, Capability.USER_MANAGE)
    return await _get(session, user_id)


async def former_name(session: AsyncSession) -> str:
    return await session.scalar(select(Site.former_name)) or FORMER_NAME


def _refuse(actor: Actor, user: User) -> None:
    if user.role is Role.OWNER:
        raise Forbidden("The owner cannot be erased; ownership is handed over first.")
    if user.id == actor.user_id:
        raise Forbidden("You cannot erase yourself; another administrator does it.")
    if user.is_erased:
        raise Conflict("This person was erased before.")


async def _get(session: AsyncSession, user_id: int) -> User:
    user = await session.get(User, user_id)
    if user is None:
        raise NotFound
    return user


def _husk(work: Work, user_id: int, name: str) -> Row:
    return {
        "email": f"erased-{user_id}@{ERASED_DOMAIN}",
        "name": name,
        "role": Role.CONTRIBUTOR,
        "password_hash": None,
        "bio": "",
        "links": [],
        "refuses": [],
        "handle": None,
        "totp_secret": None,
        "totp_step": 0,
        "disabled_at": work.now,
    }


async def _forget_rows(work: Work, user_id: int) -> None:
    session = work.session
    for table in (Session, Device, Passkey, RecoveryCode, Identity, Token, Notification, SavedView):
        await session.execute(delete(table).where(table.user_id == user_id))
    await notices.forget(work, user_id)


async def _rename_in_menus(work: Work, user: User, former: str) -> None:
    """Where a menu leads to the list by the person's name, and where it is written down that it does."""
    theirs = (MenuItem.target_kind == TargetKind.AUTHOR) & (MenuItem.target_id == user.id)
    named = theirs & MenuItem.label.contains(user.name, autoescape=True)
    await work.session.execute(update(MenuItem).where(named).values(label=former).execution_options(synchronize_session=False))
    for entry in await work.session.scalars(select(AuditEntry).where(AuditEntry.action == "menu.edit")):
        sides = {side: entry.details[side] for side in ("before", "after") if f"(/author/{user.slug})" in str(entry.details.get(side))}
        entry.details = {**entry.details, **{side: [_unnamed(line, user, former) for line in lines] for side, lines in sides.items()}}


def _unnamed(line: str, user: User, former: str) -> str:
    return f"{former} (/author)" if line.endswith(f"(/author/{user.slug})") else line


async def _move_list(work: Work, user_id: int, name: str) -> str:
    """The last part of the list's new address."""
    old = (Address.target_kind == TargetKind.AUTHOR) & (Address.target_id == user_id)
    await work.session.execute(delete(Address).where(old))
    path = await addresses.free_path(work.session, f"author/{slugify(name) or 'former-author'}", TargetKind.AUTHOR)
    await addresses.assign(work, path, TargetKind.AUTHOR, user_id)
    return path.removeprefix("author/")
