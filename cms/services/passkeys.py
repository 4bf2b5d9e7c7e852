"""Passkeys (https://www.w3.org/TR/webauthn-3/): adding them, signing in with one, and proving with one that it is you.

The challenge that an authenticator signs carries a one-time right (``tokens.py``), so that any process can check the answer, once.
What reads authenticators' answers is imported with the first of them: it takes long, and much memory.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cms.db.session import Work
from cms.errors import Conflict, InvalidInput, NotFound
from cms.models import Passkey, User
from cms.models.user import Purpose
from cms.services import accounts, audit, notices, second_factor, tokens
from cms.wording import say

if TYPE_CHECKING:
    from webauthn.helpers.structs import AuthenticationCredential, PublicKeyCredentialDescriptor, RegistrationCredential

MOST = 20  # of one person
TIMEOUT = 300_000  # milliseconds in which people find their key

Options = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Party:
    """The site as authenticators know it: keys belong to its host, and browsers say from which address they were asked."""

    name: str
    origin: str

    @property
    def host(self) -> str:
        return urlsplit(self.origin).hostname or ""


async def list_of(session: AsyncSession, user_id: int) -> Sequence[Passkey]:
    return (await session.scalars(select(Passkey).where(Passkey.user_id == user_id).order_by(Passkey.id))).all()


async def get(session: AsyncSession, user: User, passkey_id: int) -> Passkey:
    """One of the person's own. Raises ``NotFound`` for another's."""
    wanted = select(Passkey).where(Passkey.id == passkey_id, Passkey.user_id == user.id)
    found = (await session.scalars(wanted)).one_or_none()
    if found is None:
        raise NotFound
    return found


async def rename(work: Work, user: User, passkey_id: int, name: str) -> None:
    passkey = await get(work.session, user, passkey_id)
    audit.note(work, user.actor, "passkey.rename", "user", user.id, passkey=passkey.id)
    passkey.name = name


async def remove(work: Work, user: User, passkey_id: int) -> None:
    """Raises ``Conflict`` for the last thing that somebody can sign in with."""
    passkey = await get(work.session, user, passkey_id)
    if await accounts.count_ways_in(work.session, user) == 1:
        raise Conflict("You could not sign in any more. Set a password first.")
    await work.session.delete(passkey)
    await work.session.flush()
    audit.note(work, user.actor, "passkey.remove", "user", user.id, passkey=passkey.id)
    await notices.second_factor(work, user.id, say("The passkey “{name}” was removed", name=passkey.name))
    await second_factor.forget_codes_without_factor(work, user)


# --- adding one ---


async def ask_to_register(work: Work, party: Party, user_id: int) -> Options:
    """What the browser needs to make one."""
    import webauthn
    from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, generate_user_handle, options_to_json_dict
    from webauthn.helpers.structs import AuthenticatorSelectionCriteria, ResidentKeyRequirement, UserVerificationRequirement

    user = await accounts.hold(work, user_id)
    user.handle = user.handle or bytes_to_base64url(generate_user_handle())
    challenge = await tokens.issue(work, Purpose.REGISTRATION, user.id)
    options = webauthn.generate_registration_options(
        rp_id=party.host,
        rp_name=party.name,
        user_id=base64url_to_bytes(user.handle),
        user_name=user.email,
        user_display_name=user.name,
        challenge=challenge.encode(),
        timeout=TIMEOUT,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,  # else nobody could sign in without a name
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=_descriptors(await list_of(work.session, user.id)),
    )
    return options_to_json_dict(options)


async def register(work: Work, party: Party, user: User, name: str, answer: str) -> list[str] | None:
    """Keep the new one. Returns recovery codes, if the person had none; None if the answer is refused, whose challenge is used up then,
    too. Raises ``InvalidInput`` when there are too many."""
    import webauthn
    from webauthn.helpers import bytes_to_base64url, parse_registration_credential_json

    credential = _parsed(parse_registration_credential_json, answer)
    challenge = await _use_challenge(work, Purpose.REGISTRATION, credential, user.id)
    if credential is None or challenge is None:
        return None
    try:
        verified = webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=party.host,
            expected_origin=party.origin,
            require_user_verification=True,
        )
    except Exception:  # besides its own, the library lets through what its parsers raise at odd bytes
        return None
    known = await list_of(work.session, user.id)
    if len(known) >= MOST:
        raise InvalidInput({"": say("You have {most} passkeys already; remove one that you do not use.", most=MOST)})
    key_id = bytes_to_base64url(verified.credential_id)
    if await _find(work.session, key_id):
        return None
    passkey = Passkey(
        user_id=user.id,
        name=name,
        credential_id=key_id,
        public_key=bytes_to_base64url(verified.credential_public_key),
        sign_count=verified.sign_count,
        transports=[transport.value for transport in credential.response.transports or []],
        is_synced=verified.credential_backed_up,
        created_at=work.now,
        used_at=None,
    )
    work.session.add(passkey)
    await work.session.flush()
    audit.note(work, user.actor, "passkey.add", "user", user.id, passkey=passkey.id)
    await notices.second_factor(work, user.id, say("A passkey was added: “{name}”", name=name))
    return await second_factor.codes_for_first(work, user)


# --- using one ---


async def ask(work: Work, party: Party, user_id: int | None = None) -> Options:
    """What the browser needs to have one used: one of this person's, or without a name whichever the browser knows."""
    import webauthn
    from webauthn.helpers import options_to_json_dict
    from webauthn.helpers.structs import UserVerificationRequirement

    challenge = await tokens.issue(work, Purpose.PASSKEY, user_id)
    options = webauthn.generate_authentication_options(
        rp_id=party.host,
        challenge=challenge.encode(),
        timeout=TIMEOUT,
        allow_credentials=_descriptors(await list_of(work.session, user_id)) if user_id is not None else None,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json_dict(options)


async def use(work: Work, party: Party, answer: str, user_id: int | None = None) -> User | None:
    """Who has used one, held until the session is there; None if the answer is refused, whose challenge is used up then, too.

    ``user_id``: whom the challenge was for. It is always asked that the authenticator knows its owner, by a finger or a PIN, so that a key
    alone is two factors.
    """
    import webauthn
    from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, parse_authentication_credential_json

    credential = _parsed(parse_authentication_credential_json, answer)
    challenge = await _use_challenge(work, Purpose.PASSKEY, credential, user_id)
    passkey = await _find(work.session, credential.id) if credential else None
    if credential is None or challenge is None or passkey is None or user_id not in (None, passkey.user_id):
        return None
    user = await accounts.hold(work, passkey.user_id)
    await work.session.refresh(passkey)  # another answer of the same key may just have been counted
    handle = credential.response.user_handle
    if user.is_disabled or (handle is not None and bytes_to_base64url(handle) != user.handle):
        return None
    try:
        verified = webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=party.host,
            expected_origin=party.origin,
            credential_public_key=base64url_to_bytes(passkey.public_key),
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=True,
        )
    except Exception:  # see above
        audit.note(work, user.actor, "passkey.refuse", "user", user.id, passkey=passkey.id)
        return None
    passkey.sign_count, passkey.is_synced, passkey.used_at = verified.new_sign_count, verified.credential_backed_up, work.now
    return user


async def _find(session: AsyncSession, credential_id: str) -> Passkey | None:
    return (await session.scalars(select(Passkey).where(Passkey.credential_id == credential_id))).one_or_none()


async def _use_challenge(
    work: Work, purpose: Purpose, credential: "AuthenticationCredential | RegistrationCredential | None", user_id: int | None
) -> bytes | None:
    """The challenge that was signed, if it was one of ours and for this person."""
    from webauthn.helpers import parse_client_data_json

    if credential is None:
        return None
    try:
        challenge = parse_client_data_json(credential.response.client_data_json).challenge
        carrier = challenge.decode("ascii")
    except Exception:  # see above
        return None
    try:
        token = await tokens.use(work, purpose, carrier)
    except NotFound:
        return None
    return challenge if token.user_id == user_id else None


def _parsed(parse: Any, answer: str) -> Any:
    try:
        return parse(json.loads(answer))
    except Exception:  # see above
        return None


def _descriptors(passkeys: Sequence[Passkey]) -> "list[PublicKeyCredentialDescriptor]":
    from webauthn.helpers import base64url_to_bytes
    from webauthn.helpers.structs import AuthenticatorTransport, PublicKeyCredentialDescriptor

    return [
        PublicKeyCredentialDescriptor(
            id=base64url_to_bytes(passkey.credential_id),
            transports=[AuthenticatorTransport(each) for each in passkey.transports] or None,
        )
        for passkey in passkeys
    ]
