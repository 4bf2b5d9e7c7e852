"""What is asked for after the password: codes of an authenticator app (RFC 6238), and recovery codes for whoever lost it.

Passkeys are a second factor, too (``passkeys.py``). Whoever has any is asked for one each time.
"""

import hashlib
import secrets
from datetime import datetime

import pyotp
from sqlalchemy import delete, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cms.db.session import Work
from cms.models import Passkey, RecoveryCode, User
from cms.policy import Actor
from cms.sealing import Sealer
from cms.services import accounts, audit, notices
from cms.wording import say

PERIOD = 30  # seconds
DIGITS = 6
WINDOW = 1  # periods before and after: clocks differ, and people type
CODES = 10
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is taken for another
_GROUPS, _LENGTH = 4, 4  # of a recovery code: 79 bits, too many to be guessed from their hash


async def is_asked_of(session: AsyncSession, user: User) -> bool:
    """Whether the person has one."""
    return user.totp_secret is not None or bool(await session.scalar(select(exists().where(Passkey.user_id == user.id))))


# --- codes of an app ---


def propose() -> str:
    """A new secret, in Base32 as apps take it (160 bits: RFC 4226, 4)."""
    return pyotp.random_base32()


def address(secret: str, user: User, site_name: str) -> str:
    """What the QR code says: https://github.com/google/google-authenticator/wiki/Key-Uri-Format."""
    return pyotp.TOTP(secret).provisioning_uri(name=user.email, issuer_name=site_name)


def step_of(secret: str, code: str, now: datetime, *, after: int = 0) -> int | None:
    """The period that the code belongs to, if it is one of those that are accepted, and later than ``after``."""
    totp, present, typed = pyotp.TOTP(secret), int(now.timestamp()) // PERIOD, "".join(code.split()).encode()
    periods = range(present - WINDOW, present + WINDOW + 1)
    return next((step for step in periods if step > after and secrets.compare_digest(totp.generate_otp(step).encode(), typed)), None)


async def turn_on(work: Work, user: User, sealed: str, step: int) -> list[str]:
    """The secret, whose code of this period was just shown. Returns recovery codes, if there were none."""
    held = await accounts.hold(work, user.id)
    held.totp_secret, held.totp_step = sealed, step
    audit.note(work, user.actor, "second_factor.on", "user", user.id)
    await notices.second_factor(work, user.id, say("An authenticator app was added"))
    return await codes_for_first(work, user)


async def turn_off(work: Work, user: User) -> None:
    held = await accounts.hold(work, user.id)
    held.totp_secret, held.totp_step = None, 0
    audit.note(work, user.actor, "second_factor.off", "user", user.id)
    await notices.second_factor(work, user.id, say("The authenticator app was taken away"))
    await forget_codes_without_factor(work, user)


async def check(work: Work, user: User, sealer: Sealer, code: str) -> bool:
    """Use a code of the app or a recovery code; neither is right a second time."""
    code = "".join(code.split()).lower()
    if len(code) == DIGITS and code.isascii() and code.isdigit():
        return await _use_totp(work, user, sealer, code)
    return await _use_recovery_code(work, user, code)


async def _use_totp(work: Work, user: User, sealer: Sealer, code: str) -> bool:
    held = await accounts.hold(work, user.id)
    step = step_of(sealer.open(held.totp_secret), code, work.now, after=held.totp_step) if held.totp_secret else None
    if step is None:
        return False
    held.totp_step = step
    return True


# --- recovery codes ---


async def make_codes(work: Work, user: User) -> list[str]:
    """Ten new ones, which are kept nowhere else; those before are worth nothing."""
    codes = ["-".join("".join(secrets.choice(_LETTERS) for _ in range(_LENGTH)) for _ in range(_GROUPS)) for _ in range(CODES)]
    await work.session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    work.session.add_all([RecoveryCode(user_id=user.id, code_hash=_hash(user.id, code)) for code in codes])
    audit.note(work, user.actor, "second_factor.codes", "user", user.id)
    await notices.second_factor(work, user.id, say("New recovery codes were made; older ones are void"))
    return codes


async def count_codes(session: AsyncSession, user_id: int) -> int:
    return await session.scalar(select(func.count()).select_from(RecoveryCode).where(RecoveryCode.user_id == user_id)) or 0


async def codes_for_first(work: Work, user: User) -> list[str]:
    """Recovery codes for somebody who has none yet."""
    return [] if await count_codes(work.session, user.id) else await make_codes(work, user)


async def forget_codes_without_factor(work: Work, user: User) -> None:
    """With the last factor they lose their sense."""
    if not await is_asked_of(work.session, await accounts.hold(work, user.id)):
        await work.session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))


async def _use_recovery_code(work: Work, user: User, code: str) -> bool:
    used = delete(RecoveryCode).where(RecoveryCode.user_id == user.id, RecoveryCode.code_hash == _hash(user.id, code))
    if (await work.session.execute(used.returning(RecoveryCode.id))).one_or_none() is None:
        return False
    audit.note(work, user.actor, "second_factor.recovery", "user", user.id)
    await notices.second_factor(work, user.id, say("A recovery code was used"))
    return True


# --- when all is lost ---


async def reset(work: Work, actor: Actor, user: User) -> None:
    """Take away all that is asked for after the password, passkeys among it. Password and role stay; all sessions end."""
    for kind in (Passkey, RecoveryCode):
        await work.session.execute(delete(kind).where(kind.user_id == user.id))
    user.totp_secret, user.totp_step = None, 0
    audit.note(work, actor, "second_factor.reset", "user", user.id)
    await notices.second_factor(work, user.id, say("Authenticator app, recovery codes and passkeys were taken away"))
    await accounts.end_sessions(work, user, "second_factor")


def _hash(user_id: int, code: str) -> str:
    """Of its letters and digits, however they were set apart."""
    plain = "".join(filter(str.isalnum, code))
    return hashlib.sha256(f"{user_id}:{plain}".encode()).hexdigest()
