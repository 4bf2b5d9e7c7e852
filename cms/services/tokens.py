"""Rights that are used once, and soon: what carries one is told to a single person or browser, and kept only as a hash."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from cms.db.session import Work
from cms.errors import NotFound
from cms.models import Token
from cms.models.user import Purpose

LIFETIME = {
    Purpose.INVITATION: timedelta(days=7),
    Purpose.PASSWORD: timedelta(hours=1),
    Purpose.EMAIL: timedelta(hours=24),
    Purpose.SECOND_FACTOR: timedelta(minutes=10),
    Purpose.REGISTRATION: timedelta(minutes=10),
    Purpose.PASSKEY: timedelta(minutes=10),
    Purpose.OIDC: timedelta(minutes=10),
}


async def issue(work: Work, purpose: Purpose, user_id: int | None = None, **data: Any) -> str:
    """A new right; returns what carries it (256 bits), which is kept nowhere."""
    carrier = secrets.token_urlsafe(32)
    row = Token(
        token_hash=digest(carrier),
        purpose=purpose,
        user_id=user_id,
        data=data,
        created_at=work.now,
        expires_at=work.now + LIFETIME[purpose],
    )
    work.session.add(row)
    await work.session.flush()
    return carrier


async def find(session: AsyncSession, purpose: Purpose, carrier: str, now: datetime) -> Token | None:
    """The right, if it is still one; it is not used by this."""
    wanted = select(Token).where(Token.token_hash == digest(carrier), Token.purpose == purpose, Token.expires_at > now)
    return (await session.scalars(wanted)).one_or_none()


async def use(work: Work, purpose: Purpose, carrier: str) -> Token:
    """Take the right: of two who try at once, one has it. Raises ``NotFound`` if it was used, has ended, or never was."""
    taken = delete(Token).where(Token.token_hash == digest(carrier), Token.purpose == purpose).returning(Token)
    row = (await work.session.scalars(taken)).one_or_none()
    if row is None or row.expires_at <= work.now:
        raise NotFound
    return row


async def revoke(work: Work, purpose: Purpose, user_id: int) -> None:
    """Those that a person has for this purpose."""
    await work.session.execute(delete(Token).where(Token.purpose == purpose, Token.user_id == user_id))


async def prune(work: Work) -> None:
    await work.session.execute(delete(Token).where(Token.expires_at <= work.now))


def digest(carrier: str) -> str:
    """What is kept of a secret of 256 bits, here and wherever one is given out: nobody can guess, so nobody has to be slowed down."""
    return hashlib.sha256(carrier.encode()).hexdigest()
