"""Proving to be somebody: by password, and how often that may be tried."""

from dataclasses import dataclass

from cms.db.session import Database, Work
from cms.errors import TooManyRequests
from cms.models import User
from cms.policy import ANONYMOUS
from cms.schemas.account import LoginInput
from cms.services import accounts, audit, devices, throttling
from cms.services.passwords import Passwords
from cms.services.throttling import Limit

BY_ACCOUNT = Limit("wrong passwords", 5, 60)  # with those at once never more than ten in a minute
BY_ADDRESS = Limit("sign-ins from an address", 30, 60)
BY_PERSON = Limit("confirmations", 10, 60)
CODES = Limit("second factors", 5, 300)  # codes have six digits, and three of them are right at any moment
CHALLENGES = Limit("challenges for an address", 60, 60)
CLOSINGS = Limit("closed doors that are noted", 1, 60)

FLOOR = 0.3  # seconds after which a failed sign-in answers; several times as long as a hash takes, so that nobody learns what was wrong


@dataclass(frozen=True, slots=True)
class Proof:
    """A password that was right a moment ago. ``renewed``: its hash with today's parameters, if it has others."""

    user_id: int
    stored: str
    renewed: str | None


def counted_as(who: str, *, is_known: bool) -> str:
    """Browsers that the person has used before count for themselves, so that nobody can be locked out by strangers who guess."""
    return f"{who}\0known" if is_known else who


async def count_try(database: Database, limit: Limit, who: str, user_id: int | None, *, address: str, request_id: str) -> None:
    """Before it is found out whether it is right. Raises ``TooManyRequests``: the door is closed then, and that is noted once a minute,
    without the name if it is nobody's."""
    try:
        await throttling.take(database, limit, who)
    except TooManyRequests:
        async with database.transaction(request_id, address) as work:
            if await throttling.may(work, CLOSINGS, f"{limit.name}\0{user_id or who}"):
                audit.note(work, ANONYMOUS, "session.refuse", "user", user_id, limit=limit.name)
        raise


async def prove(
    database: Database, passwords: Passwords, wanted: LoginInput, *, device: str, address: str, request_id: str
) -> Proof | None:
    """None for unknown, disabled and wrong alike. Hashing is slow and stays outside the transaction.

    Raises ``TooManyRequests``.
    """
    async with database.read() as session:
        user = await accounts.find_by_email(session, wanted.email)
        is_known = await devices.knows(session, device, wanted.email)
    if not is_known:
        await throttling.take(database, BY_ADDRESS, address)
    who = counted_as(wanted.email, is_known=is_known)
    await count_try(database, BY_ACCOUNT, who, user.id if user else None, address=address, request_id=request_id)
    stored = user.password_hash if user else None
    is_right = await passwords.verify(stored, wanted.password)
    if user is None or stored is None or not is_right or user.is_disabled:
        return None
    await throttling.give_back(database, BY_ACCOUNT, who)
    return Proof(user.id, stored, await passwords.hash(wanted.password) if passwords.needs_rehash(stored) else None)


async def person_of(work: Work, proof: Proof) -> User | None:
    """Who has proved it, unless password or standing changed meanwhile; held until the session is there."""
    person = await accounts.still_may_enter(work, proof.user_id, proof.stored)
    if person and proof.renewed:
        await accounts.renew_hash(work, person.id, proof.stored, proof.renewed)
    return person


async def is_password(database: Database, passwords: Passwords, user: User, password: str, *, address: str, request_id: str) -> bool:
    """For somebody who is signed in already. Raises ``TooManyRequests``."""
    await count_try(database, BY_PERSON, str(user.id), user.id, address=address, request_id=request_id)
    is_right = await passwords.verify(user.password_hash, password)
    if is_right:
        await throttling.give_back(database, BY_PERSON, str(user.id))
    return is_right
