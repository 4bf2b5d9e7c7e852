"""Invitations: whoever has the link makes an account of his own, once, with the role that was meant for him."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from cms import policy
from cms.db.session import Work
from cms.errors import NotFound
from cms.models import Token, User
from cms.models.user import Purpose
from cms.policy import Actor, Capability, Role
from cms.schemas.account import InvitationInput, UserInput
from cms.services import accounts, audit, notices, site, tokens
from cms.services.notices import Notice
from cms.services.throttling import Limit

BY_PERSON = Limit("invitations of a person", 30, 3600)


@dataclass(frozen=True, slots=True)
class Invitation:
    """One that is open. What carries it is kept nowhere. ``by``: who invited."""

    id: int
    email: str
    name: str
    role: Role
    by: User
    created_at: datetime
    expires_at: datetime

    @classmethod
    def of(cls, row: Token, by: User) -> "Invitation":
        return cls(row.id, row.data["email"], row.data["name"], Role(row.data["role"]), by, row.created_at, row.expires_at)


async def list_open(session: AsyncSession, actor: Actor, now: datetime) -> Sequence[Invitation]:
    policy.require(actor, Capability.USER_MANAGE)
    rows = await session.execute(_open(now).order_by(Token.created_at.desc(), Token.id.desc()))
    return [Invitation.of(row, by) for row, by in rows]


async def invite(work: Work, actor: Actor, wanted: InvitationInput) -> str:
    """Returns what the link carries. An invitation that the address has already is void from now on.

    Raises ``InvalidInput`` on ``email`` if somebody has it.
    """
    policy.require(actor, Capability.USER_MANAGE)
    await site.hold(work)  # of two invitations of one address at once, the second sees the first
    await accounts.require_free(work.session, wanted.email)
    for known in await list_open(work.session, actor, work.now):
        if known.email == wanted.email:
            await _end(work, known.id)
    carrier = await tokens.issue(work, Purpose.INVITATION, actor.user_id, email=wanted.email, name=wanted.name, role=wanted.role)
    audit.note(work, actor, "invitation.create", "user", None, role=wanted.role)
    return carrier


async def revoke(work: Work, actor: Actor, invitation_id: int) -> Invitation:
    """Take it back; its link leads nowhere. Raises ``NotFound`` if it is not open any more."""
    policy.require(actor, Capability.USER_MANAGE)
    found = (await work.session.execute(_open(work.now).where(Token.id == invitation_id))).one_or_none()
    if found is None:
        raise NotFound("This invitation is not open any more.")
    await _end(work, invitation_id)
    audit.note(work, actor, "invitation.revoke", "user", None, role=found[0].data["role"])
    return Invitation.of(*found)


async def get(session: AsyncSession, carrier: str, now: datetime) -> Invitation:
    """What a link is for. Raises ``NotFound`` if it is for nothing any more."""
    row = await tokens.find(session, Purpose.INVITATION, carrier, now)
    by = await session.get(User, row.user_id) if row and row.user_id else None
    if row is None or by is None or not _may_still_invite(by):
        raise NotFound
    return Invitation.of(row, by)


async def accept(work: Work, carrier: str, name: str, password_hash: str | None) -> User:
    """The new person. Raises ``NotFound`` for a link that was used or has ended, ``InvalidInput`` if the address was taken meanwhile."""
    invitation = await get(work.session, carrier, work.now)
    await tokens.use(work, Purpose.INVITATION, carrier)
    await notices.take_back(work, tokens.digest(carrier))
    wanted = UserInput.model_validate({"email": invitation.email, "name": name, "role": invitation.role.value})
    user = await accounts.create(work, invitation.by.actor, wanted, password_hash, by_invitation=True)
    audit.note(work, user.actor, "invitation.accept", "user", user.id, by=invitation.by.id)
    await notices.tell(work, invitation.by.id, Notice.ACCEPTED, about=user.id, who=user.name)
    return user


async def _end(work: Work, invitation_id: int) -> None:
    """The link leads nowhere, and a letter that carries it need not be sent."""
    key = await work.session.scalar(delete(Token).where(Token.id == invitation_id).returning(Token.token_hash))
    await notices.take_back(work, key or "")


def _open(now: datetime) -> Select[Token, User]:
    return select(Token, User).join(User, User.id == Token.user_id).where(Token.purpose == Purpose.INVITATION, Token.expires_at > now)


def _may_still_invite(user: User) -> bool:
    return not user.is_disabled and policy.allows(user.actor, Capability.USER_MANAGE)
