"""People: the first owner, making and changing accounts, and who it is that signs in."""

from collections.abc import Collection, Sequence

from sqlalchemy import delete as delete_rows
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from cms import policy
from cms.content.slugs import slugify
from cms.db.session import Work
from cms.errors import Conflict, Forbidden, InvalidInput, NotFound
from cms.events import UserChanged
from cms.models import Identity, Passkey, Session, User
from cms.models.address import TargetKind
from cms.models.user import Purpose
from cms.policy import Actor, Capability, Role
from cms.schemas.account import OwnerInput, UserInput
from cms.sealing import Sealer
from cms.services import addresses, audit, bylines, notices, outbox, portraits, sessions, site, tokens
from cms.services.notices import Notice
from cms.wording import say

MAX_SLUG = 75  # characters; leaves room for a number in the column
_OWNERS_ROLE = "The owner's role cannot be given or taken like another."


async def has_owner(session: AsyncSession) -> bool:
    return (await session.scalar(select(User.id).where(User.role == Role.OWNER))) is not None


async def find_by_email(session: AsyncSession, email: str) -> User | None:
    return (await session.scalars(select(User).where(User.email == email.strip().lower()))).one_or_none()


async def find(session: AsyncSession, user_id: int) -> User | None:
    return (await session.scalars(select(User).where(User.id == user_id))).one_or_none()


async def hold(work: Work, user_id: int) -> User:
    """The person as he is now, kept from others until the end. Raises ``NotFound``."""
    held = select(User).where(User.id == user_id).with_for_update().execution_options(populate_existing=True)
    user = (await work.session.scalars(held)).one_or_none()
    if user is None:
        raise NotFound
    return user


async def get_by_email(session: AsyncSession, email: str) -> User:
    user = await find_by_email(session, email)
    if user is None:
        raise NotFound(say("There is nobody with the address {email}.", email=email))
    return user


async def get(session: AsyncSession, user_id: int) -> User:
    user = await session.get(User, user_id)
    if user is None:
        raise NotFound
    return user


async def require_free(session: AsyncSession, email: str) -> None:
    """Raises ``InvalidInput`` if somebody has this address."""
    if await find_by_email(session, email):
        raise InvalidInput({"email": "Somebody has this address already."})


async def list_users(session: AsyncSession) -> Sequence[User]:
    return (await session.scalars(select(User).order_by(User.id))).all()


async def create_owner(work: Work, wanted: OwnerInput, password_hash: str) -> User:
    """The first account, and the site's name if it is told. Raises ``Conflict`` if there is an owner already."""
    if await has_owner(work.session):
        raise Conflict("This site has an owner already; sign in instead.")
    try:
        owner = await _insert(work, wanted.email, wanted.name, Role.OWNER, password_hash)
    except IntegrityError as error:
        raise Conflict("This site has an owner already; sign in instead.") from error
    if wanted.site_name:
        await site.configure(work, name=wanted.site_name)
    audit.note(work, owner.actor, "user.create", "user", owner.id, role=owner.role.value)
    return owner


async def create(work: Work, actor: Actor, wanted: UserInput, password_hash: str | None, *, by_invitation: bool = False) -> User:
    """A new person, who does it by himself if he was invited. Raises ``InvalidInput`` on ``email`` if somebody has it."""
    policy.require(actor, Capability.USER_MANAGE)
    user = await _insert(work, wanted.email, wanted.name, Role(wanted.role), password_hash)
    audit.note(work, user.actor if by_invitation else actor, "user.create", "user", user.id, role=user.role.value)
    return user


async def ensure_author(work: Work, actor: Actor, name: str) -> User:
    """Somebody with this name to stand above a text. Who is not known yet gets an account that cannot sign in, and an address for mail
    that leads nowhere (RFC 2606, 2)."""
    known = (await work.session.scalars(select(User).where(User.name == name).order_by(User.id).limit(1))).one_or_none()
    if known:
        return known
    policy.require(actor, Capability.USER_MANAGE)
    number = (await work.session.scalar(select(func.max(User.id))) or 0) + 1
    user = await _insert(work, f"author-{number}@import.invalid", name, Role.AUTHOR, None)
    user.disabled_at = work.now
    audit.note(work, actor, "user.create", "user", user.id, role=user.role.value, disabled=True)
    return user


async def _insert(work: Work, email: str, name: str, role: Role, password_hash: str | None) -> User:
    await require_free(work.session, email)
    slug = slugify(name, max_length=MAX_SLUG) or "author"
    path = await addresses.free_path(work.session, f"author/{slug}", TargetKind.AUTHOR)
    user = User(
        email=email,
        name=name,
        slug=path.removeprefix("author/"),
        role=role,
        password_hash=password_hash,
        bio="",
        created_at=work.now,
    )
    work.session.add(user)
    await work.session.flush()
    await addresses.assign(work, path, TargetKind.AUTHOR, user.id)
    outbox.record(work, UserChanged(user.id, ("new",)))
    return user


async def rename(work: Work, actor: Actor, user: User, name: str) -> None:
    """Wherever readers see the name, it is the new one at once; the address of the person's own list stays."""
    await site.hold(work)  # as whatever changes what readers see
    if actor.user_id != user.id:
        await hold_both(work, actor, user)
    audit.note(work, actor, "user.rename", "user", user.id, changed=["name"], **audit.difference({"name": user.name}, {"name": name}))
    user.name = name
    await work.session.flush()
    await bylines.renew(work, user)
    outbox.record(work, UserChanged(user.id, ("name",)))


async def change_role(work: Work, actor: Actor, user: User, role: Role) -> None:
    """Ends the person's sessions, as the privilege changes. Nobody changes his own, and ownership is handed over, not given."""
    await hold_both(work, actor, user)
    require_role_changeable(actor, user)
    if role is Role.OWNER:
        raise Forbidden(_OWNERS_ROLE)
    await _give_role(work, actor, user, role)


async def hand_over(work: Work, actor: Actor, heir: User) -> None:
    """Make somebody the owner, and the owner an administrator: both at one moment, as there is always one and only one."""
    policy.require(actor, Capability.OWNERSHIP_GIVE)
    people = await _held(work, {actor.user_id or 0, heir.id})
    owner = people.get(actor.user_id or 0)
    if owner is None or owner.role is not Role.OWNER or owner.id == heir.id:
        raise Forbidden("Only the owner can hand over ownership, and to somebody else.")
    if heir.is_disabled or not await count_ways_in(work.session, heir):
        raise Forbidden("Only somebody who can sign in can become the owner.")
    await _give_role(work, actor, owner, Role.ADMINISTRATOR)
    await work.session.flush()  # the database refuses two owners, even for a moment
    await _give_role(work, actor, heir, Role.OWNER)


async def count_ways_in(session: AsyncSession, user: User) -> int:
    """How many things the person has of which each is enough to sign in with: a password, passkeys, accounts elsewhere."""
    passkeys = select(func.count()).where(Passkey.user_id == user.id).scalar_subquery()
    linked = select(func.count()).where(Identity.user_id == user.id).scalar_subquery()
    return (user.password_hash is not None) + (await session.scalar(select(passkeys + linked)) or 0)


async def _give_role(work: Work, actor: Actor, user: User, role: Role) -> None:
    audit.note(work, actor, "user.role", "user", user.id, before=user.role.value, after=role.value)
    user.role = role
    await _void_links(work, user)  # an administrator may have one for the password of whoever is the owner now
    await notices.tell(work, user.id, Notice.ROLE, role=say(role.value))
    await end_sessions(work, user, "role")


async def set_password(work: Work, actor: Actor, user: User, password_hash: str, *, kept_id: int | None = None) -> None:
    """Ends all sessions of the person but the one that is kept, and links that would have set another password."""
    if actor.user_id != user.id:
        await hold_both(work, actor, user)
    user.password_hash = password_hash
    audit.note(work, actor, "user.password", "user", user.id)
    await tokens.revoke(work, Purpose.PASSWORD, user.id)
    await notices.tell(work, user.id, Notice.PASSWORD)
    await end_sessions(work, user, "password", kept_id=kept_id)


async def change_password(work: Work, actor: Actor, session_id: int, password_hash: str) -> str:
    """The actor's own. Returns a new token for this session; his others end."""
    user = await hold(work, actor.user_id or 0)
    await set_password(work, actor, user, password_hash, kept_id=session_id)
    return await sessions.renew(work, session_id)


async def change_email(work: Work, sealer: Sealer, actor: Actor, user: User, email: str) -> None:
    """The address that the person signs in with; the old one is told. Raises ``InvalidInput`` if somebody else has it.

    Links that were sent to the old address are void: whoever reads its mail would still get in.
    """
    if actor.user_id != user.id:
        await hold_both(work, actor, user)
    require_address_changeable(actor, user)
    await require_free(work.session, email)
    audit.note(work, actor, "user.email", "user", user.id)
    await _void_links(work, user)
    await notices.enqueue(work, sealer, Notice.ADDRESS_CHANGED, to=user.email, user_id=user.id, name=user.name)
    user.email = email
    outbox.record(work, UserChanged(user.id, ("email",)))


async def sign_out(work: Work, actor: Actor, user: User) -> None:
    """End all sessions of the person, who may sign in again."""
    if actor.user_id != user.id:
        await hold_both(work, actor, user)
    audit.note(work, actor, "user.sign_out", "user", user.id)
    await end_sessions(work, user, "signed out")


async def still_may_enter(work: Work, user_id: int, stored: str) -> User | None:
    """The person, if neither password nor standing changed while the password was being checked; held until the session is there."""
    same = (User.id == user_id) & (User.password_hash == stored) & User.disabled_at.is_(None)
    return (await work.session.scalars(select(User).where(same).with_for_update())).one_or_none()


async def renew_hash(work: Work, user_id: int, before: str, after: str) -> None:
    """The same password, hashed with today's parameters; not if it was changed meanwhile."""
    same = (User.id == user_id) & (User.password_hash == before)
    await work.session.execute(update(User).where(same).values(password_hash=after))


async def disable(work: Work, actor: Actor, user: User) -> None:
    """The person loses all sessions at this moment and cannot sign in; what he wrote stays."""
    await hold_both(work, actor, user)
    _refuse_oneself(actor, user, say("You cannot disable yourself."))
    if user.role is Role.OWNER:
        raise Forbidden("The owner cannot be disabled.")
    audit.note(work, actor, "user.disable", "user", user.id, before=_standing(user), after="disabled")
    user.disabled_at = work.now
    await _void_links(work, user)
    await end_sessions(work, user, "disabled")


async def enable(work: Work, actor: Actor, user: User) -> None:
    """The person may sign in again, with the password there was; a session that was left behind does not come back."""
    await hold_both(work, actor, user)
    require_present(user)
    audit.note(work, actor, "user.enable", "user", user.id, before=_standing(user), after="active")
    user.disabled_at = None
    await end_sessions(work, user, "enabled")


def _standing(user: User) -> str:
    return "disabled" if user.is_disabled else "active"


async def delete(work: Work, actor: Actor, user: User, heir: User) -> None:
    """Forget a person. What he wrote is the heir's from now on; the audit keeps a number."""
    await site.hold(work)  # before people, as whoever publishes comes to both in this order
    await hold_both(work, actor, user, heir)
    require_deletable(actor, user)
    if heir.id == user.id or heir.is_disabled:
        raise InvalidInput({"heir": "Choose somebody else, who can sign in."})
    await bylines.give(work, user, heir)
    await portraits.replace(work, user.id, None)
    await notices.forget(work, user.id)
    await audit.forget(work, user.id)
    audit.note(work, actor, "user.delete", "user", user.id, heir=heir.id)
    await end_sessions(work, user, "deleted")
    await work.session.flush()
    await work.session.delete(user)
    await work.session.flush()


# --- whom the actor may change: each raises ``Forbidden``; asked before a form is shown, and again when it is sent ---------------


def require_changeable(actor: Actor, user: User) -> None:
    if user.role is Role.OWNER and actor.role is not Role.OWNER:
        raise Forbidden("Only the owner changes the owner's account.")  # else it would be a way to become the owner


def require_present(user: User) -> None:
    if user.is_erased:
        raise Forbidden("This person was erased, and cannot come back.")


def require_role_changeable(actor: Actor, user: User) -> None:
    if user.role is Role.OWNER:
        raise Forbidden(_OWNERS_ROLE)
    _refuse_oneself(actor, user, say("Your own role is changed by another administrator."))
    require_present(user)


def require_address_changeable(actor: Actor, user: User) -> None:
    require_changeable(actor, user)
    require_present(user)


def require_deletable(actor: Actor, user: User) -> None:
    _refuse_oneself(actor, user, say("You cannot delete yourself."))
    if user.role is Role.OWNER:
        raise Forbidden("The owner cannot be deleted; ownership is handed over first.")


def _refuse_oneself(actor: Actor, user: User, words: str) -> None:
    if actor.user_id == user.id:
        raise Forbidden(words)


# --- rows that are held, and what ends with a change -------------------------------------------------------------------------


async def hold_both(work: Work, actor: Actor, user: User, *others: User) -> None:
    """Raise unless the actor may run people at this very moment, and this person: of two administrators who take each other's standing
    at once, the second finds it gone. Both rows are kept until the end, and those of others whom the act concerns."""
    policy.require(actor, Capability.USER_MANAGE)
    wanted = {user.id, *(other.id for other in others)}
    people = await _held(work, wanted | {actor.user_id or 0})
    if not wanted <= people.keys():
        raise NotFound
    present = people.get(actor.user_id or 0)
    if actor.user_id and (present is None or present.is_disabled or not policy.allows(present.actor, Capability.USER_MANAGE)):
        raise Forbidden
    require_changeable(present.actor if present else actor, user)


async def _held(work: Work, ids: Collection[int]) -> dict[int, User]:
    """People as they are now, in one order for everybody, or two would wait for each other for ever."""
    holding = select(User).where(User.id.in_(ids)).order_by(User.id).with_for_update()
    return {user.id: user for user in await work.session.scalars(holding.execution_options(populate_existing=True))}


async def _void_links(work: Work, user: User) -> None:
    """Those that were sent to the person, or made for him, and would change how he signs in."""
    for purpose in (Purpose.PASSWORD, Purpose.EMAIL):
        await tokens.revoke(work, purpose, user.id)


async def end_sessions(work: Work, user: User, aspect: str, *, kept_id: int | None = None) -> None:
    """Whatever the person is signed in with, or about to be."""
    others = delete_rows(Session).where(Session.user_id == user.id)
    await work.session.execute(others if kept_id is None else others.where(Session.id != kept_id))
    await tokens.revoke(work, Purpose.SECOND_FACTOR, user.id)
    outbox.record(work, UserChanged(user.id, (aspect,)))
