"""People as those see them who run them: lists, and what is known of an account."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from cms import policy
from cms.models import Asset, Identity, Passkey, Portrait, Post, PostAuthor, Session, User
from cms.models.post import Kind, Side
from cms.policy import Actor, Capability, Role
from cms.wording import say

PER_SCREEN = 50


@dataclass(frozen=True, slots=True)
class Row:
    """A person. ``seen_at``: when a session that is still there was last used."""

    user: User
    seen_at: datetime | None
    sessions: int
    passkeys: int
    linked: int  # accounts elsewhere
    picture: Asset | None
    texts: int

    @property
    def has_factor(self) -> bool:
        """Something besides the password."""
        return bool(self.passkeys or self.user.totp_secret)

    @property
    def ways_in(self) -> list[str]:
        """What the person signs in by, in words that are still to be translated."""
        has_password = self.user.password_hash is not None
        ways = {
            say("password"): has_password,
            say("passkey"): self.passkeys,
            say("code from a phone"): has_password and self.user.totp_secret,
            say("account elsewhere"): self.linked,
        }
        return [words for words, has in ways.items() if has]


@dataclass(frozen=True, slots=True)
class Slice:
    rows: Sequence[Row]
    counts: dict[str, int]  # role, "" for everybody, "disabled" → how many
    page: int
    total: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PER_SCREEN))


async def list_people(session: AsyncSession, actor: Actor, *, words: str = "", role: str = "", page: int = 1) -> Slice:
    """By name. ``words``: those whose name or address has each of these. A page beyond the last is the last."""
    policy.require(actor, Capability.USER_MANAGE)
    named = [_has(word) for word in words.replace("\0", " ").lower().split()[:8]]
    counts = await _counts(session, named)
    total = counts[role]
    page = max(1, min(page, -(-total // PER_SCREEN)))
    wanted = _rows().where(*named, *_of_role(role)).order_by(func.lower(User.name), User.id)
    rows = await _with_texts(session, wanted.limit(PER_SCREEN).offset((page - 1) * PER_SCREEN))
    return Slice(rows, counts, page, total)


async def facts_of(session: AsyncSession, actor: Actor, user_id: int) -> Row:
    policy.require(actor, Capability.USER_MANAGE)
    (row,) = await _with_texts(session, _rows().where(User.id == user_id))
    return row


async def is_read(session: AsyncSession, user_id: int) -> bool:
    """Whether readers see posts of this person."""
    by = (PostAuthor.user_id == user_id) & (PostAuthor.side == Side.LIVE)
    wanted = select(PostAuthor.post_id).join(Post, Post.id == PostAuthor.post_id).where(by, Post.kind == Kind.POST)
    return await session.scalar(wanted.limit(1)) is not None


async def list_heirs(session: AsyncSession, actor: Actor, user_id: int) -> Sequence[tuple[int, str]]:
    """Who may be given the texts of a person who leaves: id and name."""
    policy.require(actor, Capability.USER_MANAGE)
    wanted = select(User.id, User.name).where(User.id != user_id, User.disabled_at.is_(None)).order_by(func.lower(User.name), User.id)
    return [(heir_id, name) for heir_id, name in await session.execute(wanted)]


async def list_writers(session: AsyncSession, present: Collection[int]) -> Sequence[tuple[int, str]]:
    """Who may stand as author above a text: everybody who writes here, and those who stand there now. Id and name, by name."""
    writes = (User.role != Role.READER) & User.disabled_at.is_(None)
    wanted = select(User.id, User.name).where(writes | User.id.in_(present)).order_by(func.lower(User.name), User.id)
    return [(user_id, name) for user_id, name in await session.execute(wanted)]


def _rows() -> Select[User, datetime | None, int, int, int, Asset | None]:
    of_sessions = Session.user_id == User.id
    return (
        select(
            User,
            select(func.max(Session.seen_at)).where(of_sessions).scalar_subquery(),
            select(func.count(Session.id)).where(of_sessions).scalar_subquery(),
            select(func.count(Passkey.id)).where(Passkey.user_id == User.id).scalar_subquery(),
            select(func.count(Identity.id)).where(Identity.user_id == User.id).scalar_subquery(),
            Asset,
        )
        .select_from(User)
        .outerjoin(Portrait, Portrait.user_id == User.id)
        .outerjoin(Asset, Asset.id == Portrait.asset_id)
    )


async def _with_texts(session: AsyncSession, wanted: Select[User, datetime | None, int, int, int, Asset | None]) -> list[Row]:
    found = (await session.execute(wanted)).all()
    mine = (PostAuthor.side == Side.WORK) & PostAuthor.user_id.in_([user.id for user, *_ in found])
    counted = select(PostAuthor.user_id, func.count()).where(mine).group_by(PostAuthor.user_id)
    texts = dict((await session.execute(counted)).all())
    return [Row(*row, texts.get(row[0].id, 0)) for row in found]


def _has(word: str) -> ColumnElement[bool]:
    return or_(func.lower(User.name).contains(word, autoescape=True), User.email.contains(word, autoescape=True))


def _of_role(role: str) -> list[ColumnElement[bool]]:
    if role == "disabled":
        return [User.disabled_at.is_not(None)]
    return [User.role == Role(role)] if role else []


async def _counts(session: AsyncSession, named: Sequence[ColumnElement[bool]]) -> dict[str, int]:
    by_role = select(User.role, func.count(), func.count(User.disabled_at)).where(*named).group_by(User.role)
    rows = (await session.execute(by_role)).all()
    numbers = {role.value: 0 for role in Role if role is not Role.READER} | {role.value: number for role, number, _ in rows}
    return {**numbers, "": sum(numbers.values()), "disabled": sum(disabled for *_, disabled in rows)}
