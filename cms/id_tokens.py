"""ID tokens: whether a provider really said that of somebody, to us and just now (OpenID Connect Core, 3.1.3.7).

The only module that needs the extra ``oidc``.
"""

import hmac
from collections.abc import Mapping
from typing import Any

from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

# Signatures that only the provider can make: neither "none", nor one with a key that both know.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA")
LEEWAY = 60  # seconds by which clocks may differ
MAX_SUBJECT = 255  # characters (OpenID Connect Core, 2)

# Providers put headers of their own beside those that matter; those marked as critical are still refused.
_REGISTRY = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)


class UnknownKey(Exception):
    """Signed with a key that is not among these: the provider may have new ones."""


class Forged(Exception):
    """It does not say what it has to, or not by whom."""


def subject(token: str, keys: Mapping[str, Any], *, issuer: str, client_id: str, nonce: str) -> str:
    """Who it is about, as the provider calls him. ``keys``: a set as the provider publishes it. Raises ``UnknownKey`` or ``Forged``."""
    try:
        claims = jwt.decode(token, KeySet.import_key_set({"keys": list(keys["keys"])}), algorithms=ALGORITHMS, registry=_REGISTRY).claims
        jwt.JWTClaimsRegistry(
            leeway=LEEWAY,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": client_id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
        ).validate(claims)
    except InvalidKeyIdError as error:
        raise UnknownKey from error
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise Forged(type(error).__name__) from error
    _check_presence(claims, client_id, nonce)
    found = claims["sub"]
    if not 0 < len(found) <= MAX_SUBJECT or not found.isprintable():
        raise Forged("sub")
    return str(found)


def _check_presence(claims: Mapping[str, Any], client_id: str, nonce: str) -> None:
    """For us alone, and in answer to the very question that we asked."""
    said, party = claims.get("nonce"), claims.get("azp")
    if not isinstance(said, str) or not hmac.compare_digest(said.encode(), nonce.encode()):
        raise Forged("nonce")
    is_for_several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if party != client_id and (is_for_several or party is not None):
        raise Forged("azp")
