"""Signed-in browsers: a random token in a signed cookie, its hash in a row that can be taken away."""

import secrets
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, bindparam, delete, exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from cms.db.session import Work
from cms.errors import NotFound
from cms.events import SessionEnded
from cms.models import Passkey, Session, Site, User
from cms.models.user import IDLE
from cms.policy import Actor
from cms.services import audit, outbox, tokens

LIFETIME = timedelta(days=30)
SEEN_EVERY = timedelta(hours=1)
CONFIRMED_FOR = timedelta(minutes=10)  # how long dangerous acts are open after the person has proved to be who he is


class Found(NamedTuple):
    session: Session
    user: User
    lacks_factor: bool  # his role needs a second factor, and he has none yet


async def start(work: Work, user: User, user_agent: str) -> str:
    """A new session; returns its token, which is kept nowhere but in the browser."""
    token = secrets.token_urlsafe(32)
    row = Session(
        token_hash=tokens.digest(token),
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


async def find(session: AsyncSession, token: str, now: datetime) -> Found | None:
    """The session and its person; None if it has ended or the person is disabled."""
    return await _find(session, _BY_TOKEN, tokens.digest(token), now)


async def find_again(session: AsyncSession, session_id: int, now: datetime) -> Found | None:
    """One that was found before, as it stands now."""
    return await _find(session, _BY_ID, session_id, now)


_HAS_PASSKEY = exists().where(Passkey.user_id == User.id)
_ALL = select(Session, User, Site.second_factor, _HAS_PASSKEY).join(User, User.id == Session.user_id).join(Site, Site.id.is_not(None))
_BY_TOKEN, _BY_ID = (_ALL.where(key == bindparam("key")) for key in (Session.token_hash, Session.id))  # asked for each request


async def _find(session: AsyncSession, wanted: Select[Session, User, list[str], bool], key: str | int, now: datetime) -> Found | None:
    row = (await session.execute(wanted, {"key": key})).one_or_none()
    if row is None or not row[0].is_usable(now) or row[1].is_disabled:
        return None
    found, user, needed, has_one = row
    return Found(found, user, user.role in needed and not (has_one or user.totp_secret))


async def touch(work: Work, session_id: int) -> None:
    """Note that it was used; called at most once in ``SEEN_EVERY``."""
    await work.session.execute(update(Session).where(Session.id == session_id).values(seen_at=work.now, address=work.address))


async def confirm(work: Work, actor: Actor, session_id: int) -> str:
    """The person has proved again to be who he is; a new token, as dangerous acts are open now. Raises ``NotFound`` if it ended."""
    await work.session.execute(update(Session).where(Session.id == session_id).values(confirmed_at=work.now))
    audit.note(work, actor, "session.confirm", "user", actor.user_id)
    return await renew(work, session_id)


async def renew(work: Work, session_id: int) -> str:
    """A new token for the same session, as it may do more from now on; the old one is worth nothing. Raises ``NotFound`` if it ended."""
    token = secrets.token_urlsafe(32)
    renewed = (
        update(Session).where(Session.id == session_id).values(token_hash=tokens.digest(token), seen_at=work.now).returning(Session.id)
    )
    if (await work.session.execute(renewed)).one_or_none() is None:
        raise NotFound
    return token


async def list_of(session: AsyncSession, user_id: int, now: datetime) -> Sequence[Session]:
    """Those that somebody could still use, the last used first."""
    wanted = select(Session).where(Session.user_id == user_id).order_by(Session.seen_at.desc(), Session.id.desc())
    return [row for row in await session.scalars(wanted) if row.is_usable(now)]


async def end(work: Work, actor: Actor, token: str) -> None:
    ended = delete(Session).where(Session.token_hash == tokens.digest(token)).returning(Session.id, Session.user_id)
    row = (await work.session.execute(ended)).one_or_none()
    audit.note(work, actor, "session.end", "user", actor.user_id)
    if row:
        outbox.record(work, SessionEnded(row.user_id, (row.id,)))


async def revoke(work: Work, actor: Actor, session_id: int) -> None:
    """End one of the person's own. Raises ``NotFound`` for another's."""
    if not await _revoke(work, actor, Session.id == session_id):
        raise NotFound


async def revoke_others(work: Work, actor: Actor, kept_id: int) -> int:
    """End all of the person's own but this one; returns how many there were."""
    return await _revoke(work, actor, Session.id != kept_id)


async def _revoke(work: Work, actor: Actor, which: ColumnElement[bool]) -> int:
    ended = delete(Session).where(Session.user_id == actor.user_id, which).returning(Session.id)
    ids = tuple(await work.session.scalars(ended))
    if ids and actor.user_id is not None:
        audit.note(work, actor, "session.revoke", "user", actor.user_id, number=len(ids))
        outbox.record(work, SessionEnded(actor.user_id, ids))
    return len(ids)


async def end_all(work: Work, actor: Actor) -> int:
    """Everybody signs in anew; how many sessions that ended."""
    ended = (await work.session.execute(delete(Session).returning(Session.user_id, Session.id))).all()
    audit.note(work, actor, "session.end_all", "site", None, ended=len(ended))
    of = defaultdict[int, list[int]](list)
    for user_id, session_id in ended:
        of[user_id].append(session_id)
    for user_id, ids in of.items():
        outbox.record(work, SessionEnded(user_id, tuple(ids)))
    return len(ended)


async def prune(work: Work) -> None:
    """Forget sessions that nobody can use any more."""
    await work.session.execute(delete(Session).where((Session.expires_at < work.now) | (Session.seen_at < work.now - IDLE)))
