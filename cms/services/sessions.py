"""Signed-in browsers: a random token in a signed cookie, its hash in a row that can be taken away."""

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from cms.db.session import Work
from cms.models import Session, User
from cms.models.user import IDLE
from cms.policy import Actor
from cms.services import audit

LIFETIME = timedelta(days=30)
SEEN_EVERY = timedelta(hours=1)


async def start(work: Work, user: User, user_agent: str) -> str:
    """A new session; returns its token, which is kept nowhere but in the browser."""
    token = secrets.token_urlsafe(32)
    row = Session(
        token_hash=_hash(token),
        user_id=user.id,
        user_agent=user_agent[:200],
        address=work.address,
        created_at=work.now,
        seen_at=work.now,
        expires_at=work.now + LIFETIME,
        confirmed_at=work.now,
    )
    work.session.add(row)
    await work.session.flush()
    audit.note(work, user.actor, "session.create", "user", user.id)
    return token


async def find(session: AsyncSession, token: str, now: datetime) -> tuple[Session, User] | None:
    """The session and its person; None if it has ended or the person is disabled."""
    wanted = select(Session, User).join(User, User.id == Session.user_id).where(Session.token_hash == _hash(token))
    row = (await session.execute(wanted)).one_or_none()
    if row is None or not row[0].is_usable(now) or row[1].is_disabled:
        return None
    return row[0], row[1]


async def touch(work: Work, session_id: int) -> None:
    """Note that it was used; called at most once in ``SEEN_EVERY``."""
    await work.session.execute(update(Session).where(Session.id == session_id).values(seen_at=work.now, address=work.address))


async def end(work: Work, actor: Actor, token: str) -> None:
    await work.session.execute(delete(Session).where(Session.token_hash == _hash(token)))
    audit.note(work, actor, "session.end", "user", actor.user_id)


async def end_all(work: Work, actor: Actor) -> int:
    """Everybody signs in anew; how many sessions that ended."""
    ended = (await work.session.execute(delete(Session).returning(Session.id))).all()
    audit.note(work, actor, "session.end_all", "site", None, ended=len(ended))
    return len(ended)


async def prune(work: Work) -> None:
    """Forget sessions that nobody can use any more."""
    await work.session.execute(delete(Session).where((Session.expires_at < work.now) | (Session.seen_at < work.now - IDLE)))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
