"""Secrets that must be read again: sealed under the newest secret key, opened by any of them. And marks that only we can make.

Fernet (https://github.com/fernet/spec), with keys derived from those that sign cookies, for this use alone (HKDF, RFC 5869).
"""

import base64
import hmac
from enum import Enum, auto

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from cms.errors import OperatorError
from cms.settings import SecretKeys

_USE = b"squall: secrets at rest"
_MARKING = b"squall: marks of addresses"


class Under(Enum):
    """Which key a secret was sealed with."""

    NEWEST = auto()
    OLDER = auto()
    LOST = auto()  # none that there is


class Sealer:
    def __init__(self, keys: SecretKeys) -> None:
        newest = keys.by_version[keys.newest]
        older = [key for key in keys.by_version.values() if key != newest]
        self._newest = _fernet(newest)
        self._any = MultiFernet([self._newest, *map(_fernet, older)])
        self._marking = _derived(newest, _MARKING)

    def seal(self, text: str) -> str:
        return self._newest.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """Raises ``OperatorError`` if none of the keys fits: one was taken away too early."""
        try:
            return self._any.decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise OperatorError(
                "A secret in the database was sealed with a key that SQUALL_SECRET_KEYS no longer has; add that key again, at the end."
            ) from None

    def mark(self, text: str) -> str:
        """Always the same of the same text, as long as the newest key is."""
        return hmac.digest(self._marking, text.encode(), "sha256")[:16].hex()

    def standing(self, sealed: str) -> Under:
        for fernet, under in ((self._newest, Under.NEWEST), (self._any, Under.OLDER)):
            try:
                fernet.decrypt(sealed.encode())
            except InvalidToken:
                continue
            return under
        return Under.LOST


def _fernet(key: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(_derived(key, _USE)))


def _derived(key: str, use: bytes) -> bytes:
    return HKDF(SHA256(), length=32, salt=None, info=use).derive(key.encode())
