"""Another e-mail address for an account: both the old and the new one have to say yes."""

import secrets
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cms.db.session import Work
from cms.errors import InvalidInput, NotFound
from cms.models import Token, User
from cms.models.user import Purpose
from cms.policy import Actor
from cms.sealing import Sealer
from cms.services import accounts, audit, notices, tokens
from cms.services.notices import Notice
from cms.services.throttling import Limit

BY_PERSON = Limit("changes of address of a person", 5, 3600)


class Wish(NamedTuple):
    """Whose account is to have which address. Not the present one: who opens the link may be a stranger, if it was mistyped."""

    name: str
    email: str


async def ask(work: Work, sealer: Sealer, actor: Actor, email: str) -> None:
    """A link to each address; those of an earlier wish are void. Whether somebody else has the address is found out when both were
    followed: the answer here would tell who has an account."""
    user = await accounts.get(work.session, actor.user_id or 0)
    if email == user.email:
        raise InvalidInput({"email": "This is your address already."})
    await tokens.revoke(work, Purpose.EMAIL, user.id)
    pair = secrets.token_urlsafe(8)
    for notice, to in ((Notice.OLD_ADDRESS, user.email), (Notice.NEW_ADDRESS, email)):
        carrier = await tokens.issue(work, Purpose.EMAIL, user.id, email=email, pair=pair)
        await notices.enqueue(work, sealer, notice, to=to, user_id=user.id, name=user.name, carrier=carrier, new=email)
    audit.note(work, actor, "user.email_asked", "user", user.id)


async def get(session: AsyncSession, carrier: str, now: datetime) -> Wish:
    """What a link would do. Raises ``NotFound`` if it does nothing any more."""
    row = await tokens.find(session, Purpose.EMAIL, carrier, now)
    user = await session.get(User, row.user_id) if row else None
    if row is None or user is None or user.is_disabled:
        raise NotFound
    return Wish(user.name, row.data["email"])


async def confirm(work: Work, sealer: Sealer, carrier: str) -> bool:
    """Follow one of the two links; whether the other had been followed, so that the address is the new one now."""
    found = await tokens.find(work.session, Purpose.EMAIL, carrier, work.now)
    if found is None:
        raise NotFound
    # Held, so that of two links that are followed at once one sees the other's.
    user = (await work.session.scalars(select(User).where(User.id == found.user_id).with_for_update())).one()
    row = await tokens.use(work, Purpose.EMAIL, carrier)
    if user.is_disabled:
        raise NotFound
    others = await work.session.scalars(select(Token).where(Token.purpose == Purpose.EMAIL, Token.user_id == user.id))
    if any(other.data["pair"] == row.data["pair"] for other in others):
        return False
    await accounts.change_email(work, sealer, user.actor, user, row.data["email"])
    return True
