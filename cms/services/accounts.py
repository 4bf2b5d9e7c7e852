"""People: the first owner, making and changing accounts, and who it is that signs in."""

from collections.abc import Sequence

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from cms import policy
from cms.content.slugs import slugify
from cms.db.session import Work
from cms.errors import Conflict, Forbidden, InvalidInput, NotFound
from cms.events import UserChanged
from cms.models import Session, User
from cms.models.address import TargetKind
from cms.models.user import Purpose
from cms.policy import Actor, Capability, Role
from cms.schemas.account import OwnerInput, UserInput
from cms.services import addresses, audit, bylines, outbox, sessions, site, tokens

MAX_SLUG = 75  # characters; leaves room for a number in the column


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
        raise NotFound(f"There is nobody with the address {email}.")
    return user


async def list_users(session: AsyncSession) -> Sequence[User]:
    return (await session.scalars(select(User).order_by(User.id))).all()


async def create_owner(work: Work, wanted: OwnerInput, password_hash: str) -> User:
    """The first account, and the site's name with it. Raises ``Conflict`` if there is an owner already."""
    if await has_owner(work.session):
        raise Conflict("This site has an owner already; sign in instead.")
    try:
        owner = await _insert(work, wanted.email, wanted.name, Role.OWNER, password_hash)
    except IntegrityError as error:
        raise Conflict("This site has an owner already; sign in instead.") from error
    await site.configure(work, name=wanted.site_name)
    audit.note(work, owner.actor, "user.create", "user", owner.id, role=owner.role.value)
    return owner


async def create(work: Work, actor: Actor, wanted: UserInput, password_hash: str | None) -> User:
    """A new person. Raises ``InvalidInput`` on ``email`` if somebody has it."""
    policy.require(actor, Capability.USER_MANAGE)
    user = await _insert(work, wanted.email, wanted.name, Role(wanted.role), password_hash)
    audit.note(work, actor, "user.create", "user", user.id, role=user.role.value)
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
    if await find_by_email(work.session, email):
        raise InvalidInput({"email": "Somebody has this address already."})
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
    if actor.user_id != user.id:
        policy.require(actor, Capability.USER_MANAGE)
    audit.note(work, actor, "user.rename", "user", user.id)
    user.name = name
    await work.session.flush()
    await bylines.renew(work, user)
    outbox.record(work, UserChanged(user.id, ("name",)))


async def change_role(work: Work, actor: Actor, user: User, role: Role) -> None:
    """Ends the person's sessions, as the privilege changes. The owner stays the owner: ownership is handed over, not taken."""
    policy.require(actor, Capability.USER_MANAGE)
    if user.role is Role.OWNER or role is Role.OWNER:
        raise Forbidden("The owner's role cannot be given or taken like another.")
    audit.note(work, actor, "user.role", "user", user.id, before=user.role.value, after=role.value)
    user.role = role
    await end_sessions(work, user, "role")


async def set_password(work: Work, actor: Actor, user: User, password_hash: str, *, kept_id: int | None = None) -> None:
    """Ends all sessions of the person but the one that is kept."""
    if actor.user_id != user.id:
        policy.require(actor, Capability.USER_MANAGE)
        if user.role is Role.OWNER and actor.role is not Role.OWNER:
            raise Forbidden("Only the owner can change the owner's password.")  # else it would be a way to become the owner
    user.password_hash = password_hash
    audit.note(work, actor, "user.password", "user", user.id)
    await end_sessions(work, user, "password", kept_id=kept_id)


async def change_password(work: Work, actor: Actor, session_id: int, password_hash: str) -> str:
    """The actor's own. Returns a new token for this session; his others end."""
    user = await hold(work, actor.user_id or 0)
    await set_password(work, actor, user, password_hash, kept_id=session_id)
    return await sessions.renew(work, session_id)


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
    policy.require(actor, Capability.USER_MANAGE)
    if user.role is Role.OWNER:
        raise Forbidden("The owner cannot be disabled.")
    user.disabled_at = work.now
    audit.note(work, actor, "user.disable", "user", user.id)
    await end_sessions(work, user, "disabled")


async def enable(work: Work, actor: Actor, user: User) -> None:
    """The person may sign in again, with the password there was; a session that was left behind does not come back."""
    policy.require(actor, Capability.USER_MANAGE)
    if user.is_erased:
        raise Forbidden("This person was erased, and cannot come back.")
    user.disabled_at = None
    audit.note(work, actor, "user.enable", "user", user.id)
    await end_sessions(work, user, "enabled")


async def end_sessions(work: Work, user: User, aspect: str, *, kept_id: int | None = None) -> None:
    """Whatever the person is signed in with, or about to be."""
    others = delete(Session).where(Session.user_id == user.id)
    await work.session.execute(others if kept_id is None else others.where(Session.id != kept_id))
    await tokens.revoke(work, Purpose.SECOND_FACTOR, user.id)
    outbox.record(work, UserChanged(user.id, (aspect,)))
