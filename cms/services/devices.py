"""Browsers that a person signed in with before: they still get in while strangers are kept waiting, and a new one is told of."""

import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from cms.db.session import Work
from cms.models import Device, User
from cms.services import audit, tokens

KEPT = timedelta(days=400)  # as long as browsers keep a cookie


@dataclass(frozen=True, slots=True)
class Recognised:
    carrier: str  # what the browser is to keep
    is_new: bool  # the person signed in with others before, never with this one


async def knows(session: AsyncSession, carrier: str, email: str) -> bool:
    """Whether the person with this address signed in with this browser before. It takes the same time whether there is such a person."""
    wanted = select(Device.id).join(User, User.id == Device.user_id).where(Device.token_hash == tokens.digest(carrier), User.email == email)
    return (await session.scalar(wanted)) is not None


async def recognise(work: Work, user: User, carrier: str) -> Recognised:
    """The browser in which the person has just signed in. One browser may be several people's."""
    known = set(await work.session.scalars(select(Device.token_hash).where(Device.user_id == user.id)))
    carrier = carrier or secrets.token_urlsafe(32)
    is_new = bool(known) and tokens.digest(carrier) not in known
    if is_new:
        audit.note(work, user.actor, "device.new", "user", user.id)
    insert = work.dialect.insert(Device).values(token_hash=tokens.digest(carrier), user_id=user.id, created_at=work.now, seen_at=work.now)
    seen = insert.on_conflict_do_update(index_elements=["token_hash", "user_id"], set_={"seen_at": insert.excluded.seen_at})
    await work.session.execute(seen)
    return Recognised(carrier, is_new)


async def prune(work: Work) -> None:
    await work.session.execute(delete(Device).where(Device.seen_at < work.now - KEPT))
