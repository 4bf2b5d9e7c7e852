"""A new password for whoever can read the mail of an account. Nobody learns from it who has one."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cms.db.session import Work
from cms.errors import Forbidden, NotFound
from cms.models import User
from cms.models.user import Purpose
from cms.policy import Actor
from cms.sealing import Sealer
from cms.services import accounts, audit, jobs, notices, tokens
from cms.services.notices import Notice
from cms.services.throttling import Limit

JOB = "offer_reset"
BY_ACCOUNT = Limit("reset of an account", 5, 3600)
BY_ADDRESS = Limit("reset from an address", 20, 3600)


async def ask(work: Work, sealer: Sealer, email: str) -> None:
    """The same for every address, known or not: a job, in which it is looked for."""
    await jobs.enqueue(work, JOB, sealed=sealer.seal(email))


async def offer(work: Work, sealer: Sealer, sealed: str) -> None:
    """Send a link to the person who has this address, if there is one who may come in. Links sent before are void."""
    user = await accounts.find_by_email(work.session, sealer.open(sealed))
    if user and not user.is_disabled:
        carrier = await _issue(work, user)
        await notices.enqueue(work, sealer, Notice.RESET, to=user.email, user_id=user.id, name=user.name, carrier=carrier)


async def give(work: Work, actor: Actor, user: User) -> str:
    """A link for an administrator to hand to a person; returns what it carries."""
    await accounts.hold_both(work, actor, user)
    require_givable(actor, user)
    audit.note(work, actor, "user.password_link", "user", user.id)
    return await _issue(work, user)


def require_givable(actor: Actor, user: User) -> None:
    """Raises ``Forbidden`` for whoever cannot sign in, and for the owner as ``accounts`` does."""
    accounts.require_changeable(actor, user)
    accounts.require_present(user)
    if user.is_disabled:
        raise Forbidden("Whoever is disabled cannot sign in; enable the account first.")


async def _issue(work: Work, user: User) -> str:
    await tokens.revoke(work, Purpose.PASSWORD, user.id)
    return await tokens.issue(work, Purpose.PASSWORD, user.id)


async def get(session: AsyncSession, carrier: str, now: datetime) -> User:
    """Whose password a link sets. Raises ``NotFound`` if it does not any more."""
    row = await tokens.find(session, Purpose.PASSWORD, carrier, now)
    user = await session.get(User, row.user_id) if row else None
    if user is None or user.is_disabled:
        raise NotFound
    return user


async def set_password(work: Work, carrier: str, password_hash: str) -> User:
    """Take the right. All sessions end; a second factor is asked for as before."""
    row = await tokens.use(work, Purpose.PASSWORD, carrier)
    user = (await work.session.scalars(select(User).where(User.id == row.user_id).with_for_update())).one()
    if user.is_disabled:
        raise NotFound
    await accounts.set_password(work, user.actor, user, password_hash)
    return user
