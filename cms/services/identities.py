"""Who people are at the OpenID provider. Linked by themselves while signed in, or by an invitation; never by an e-mail address, which a
provider may give to anybody."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cms import policy
from cms.db.session import Work
from cms.errors import Conflict, Forbidden, NotFound
from cms.models import Identity, User
from cms.policy import Actor, Capability
from cms.services import accounts, audit, notices
from cms.wording import say

TAKEN = "This account is linked with somebody else here already."
ONLY_WAY = "This is the only way in which you can sign in; set a password or add a passkey first."


async def list_of(session: AsyncSession, actor: Actor) -> Sequence[Identity]:
    policy.require(actor, Capability.ACCOUNT_KEEP)
    return (await session.scalars(select(Identity).where(Identity.user_id == actor.user_id).order_by(Identity.id))).all()


async def person_of(work: Work, issuer: str, subject: str) -> User | None:
    """Who may sign in by this: held until the session is there. None if nobody is linked with it, or the person is disabled."""
    wanted = select(Identity, User).join(User, User.id == Identity.user_id).where(Identity.issuer == issuer, Identity.subject == subject)
    row = (await work.session.execute(wanted.where(User.disabled_at.is_(None)).with_for_update())).one_or_none()
    if row is None:
        return None
    identity, user = row
    identity.used_at = work.now
    return user


async def link(work: Work, user: User, issuer: str, subject: str) -> bool:
    """From now on the person may sign in by this; False if so before. Raises ``Conflict`` if somebody else does."""
    known = select(Identity.user_id).where(Identity.issuer == issuer, Identity.subject == subject)
    holder = (await work.session.execute(known)).scalar_one_or_none()
    if holder == user.id:
        return False
    if holder is not None:
        raise Conflict(TAKEN)
    work.session.add(Identity(user_id=user.id, issuer=issuer, subject=subject, created_at=work.now))
    await work.session.flush()
    audit.note(work, user.actor, "identity.link", "user", user.id)
    return True


async def link_own(work: Work, actor: Actor, issuer: str, subject: str) -> None:
    policy.require(actor, Capability.ACCOUNT_KEEP)
    if await link(work, await accounts.hold(work, actor.user_id or 0), issuer, subject):
        await notices.second_factor(work, actor.user_id or 0, say("An account elsewhere was linked, and can sign in as you"))


async def unlink(work: Work, actor: Actor, identity_id: int) -> None:
    """Raises ``NotFound`` for another's, ``Forbidden`` for the only way in."""
    policy.require(actor, Capability.ACCOUNT_KEEP)
    user = await work.session.get_one(User, actor.user_id, with_for_update=True, populate_existing=True)
    identity = await work.session.get(Identity, identity_id)
    if identity is None or identity.user_id != user.id:
        raise NotFound
    if await accounts.count_ways_in(work.session, user) == 1:
        raise Forbidden(ONLY_WAY)
    await work.session.delete(identity)
    audit.note(work, actor, "identity.unlink", "user", user.id)
