"""What readers see of a person, and what a person wants to be told: everybody keeps his own."""

from collections.abc import Iterable

from sqlalchemy.ext.asyncio import AsyncSession

from cms import policy
from cms.db.session import Work
from cms.errors import Forbidden
from cms.events import UserChanged
from cms.models import Asset, User
from cms.policy import Actor, Capability
from cms.schemas.account import ProfileInput
from cms.services import accounts, audit, bylines, outbox, portraits, site
from cms.services.notices import REFUSABLE


async def get(session: AsyncSession, actor: Actor) -> User:
    return await accounts.get(session, actor.user_id or 0)


async def save(work: Work, actor: Actor, wanted: ProfileInput, picture: Asset | None = None) -> None:
    """What readers see of it and has changed is announced, so that just the pages are made again that show it."""
    policy.require(actor, Capability.ACCOUNT_KEEP)
    await site.hold(work)  # as whatever changes what readers see
    user = await accounts.hold(work, actor.user_id or 0)
    if user.is_disabled:
        raise Forbidden  # erased a moment ago, maybe: the name must not come back
    links = [link.model_dump() for link in wanted.links]
    if wanted.locale != user.locale:
        user.locale = wanted.locale  # nobody else's matter
    given = {"name": wanted.name, "bio": wanted.bio.strip(), "links": links}
    changed = [name for name, value in given.items() if getattr(user, name) != value]
    names = audit.difference({"name": user.name}, {"name": wanted.name})
    for name in changed:
        setattr(user, name, given[name])
    if (picture or wanted.remove_picture) and await portraits.replace(work, user.id, picture):
        changed.append("picture")
    if not changed:
        return
    audit.note(work, actor, "user.profile", "user", user.id, changed=changed, **names)
    await work.session.flush()
    if {"name", "bio"} & set(changed):
        await bylines.renew(work, user)
    outbox.record(work, UserChanged(user.id, tuple(changed)))


async def refuse(work: Work, actor: Actor, unwanted: Iterable[str]) -> None:
    """Which notices the person does not want, of those that can be refused."""
    policy.require(actor, Capability.ACCOUNT_KEEP)
    user = await get(work.session, actor)
    user.refuses = [notice.value for notice in REFUSABLE if notice in set(unwanted)]
    audit.note(work, actor, "user.notices", "user", user.id, refuses=user.refuses)
