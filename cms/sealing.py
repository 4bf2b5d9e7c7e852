"""Secrets that must be read again: sealed under the newest secret key, opened by any of them.

Fernet (https://github.com/fernet/spec), with keys derived from those that sign cookies, for this use alone (HKDF, RFC 5869).
"""

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from cms.errors import OperatorError
from cms.settings import SecretKeys

_USE = b"squall: secrets at rest"


class Sealer:
    def __init__(self, keys: SecretKeys) -> None:
        newest = keys.by_version[keys.newest]
        older = [key for key in keys.by_version.values() if key != newest]
        self._fernets = MultiFernet([_fernet(key) for key in (newest, *older)])

    def seal(self, text: str) -> str:
        return self._fernets.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """Raises ``OperatorError`` if none of the keys fits: one was taken away too early."""
        try:
            return self._fernets.decrypt(sealed).decode()
        except InvalidToken:
            raise OperatorError(
                "A secret in the database was sealed with a key that SQUALL_SECRET_KEYS no longer has; add that key again, at the end."
            ) from None

    def renew(self, sealed: str) -> str:
        """The same secret under the newest key. Raises ``OperatorError`` like ``open``."""
        return self.seal(self.open(sealed))


def _fernet(key: str) -> Fernet:
    derived = HKDF(SHA256(), length=32, salt=None, info=_USE).derive(key.encode())
    return Fernet(base64.urlsafe_b64encode(derived))
