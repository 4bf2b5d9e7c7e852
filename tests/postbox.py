"""A real mail server in this process, and the letters that it took."""

import re
import ssl
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tornado.testing import bind_unused_port

USER, PASSWORD = "desk@example.org", "p:/% word"
LOGIN = "desk%40example.org:p%3A%2F%25%20word"


class _Controller(Controller):
    def factory(self) -> SMTP:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that a password without TLS is unsafe: it is the test's
            return super().factory()


@dataclass
class Postbox:
    """``refuses``: an answer for every recipient instead of taking the letter."""

    port: int
    letters: list[EmailMessage] = field(default_factory=list)
    refuses: str = ""
    _arrived: threading.Condition = field(default_factory=threading.Condition)

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if self.refuses:
            return self.refuses
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        with self._arrived:
            self.letters.append(message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]
            self._arrived.notify_all()
        return "250 taken"

    def wait_for(self, number: int, seconds: float = 30) -> list[EmailMessage]:
        """For programs in another process."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.letters) >= number, seconds), f"{len(self.letters)} of {number} letters"
        return self.letters

    def url(self, scheme: str = "smtp+plain", login: str = "") -> str:
        return f"{scheme}://{login + '@' if login else ''}localhost:{self.port}"


def text_of(letter: EmailMessage, kind: str = "plain") -> str:
    part = letter.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def link_in(letter: EmailMessage) -> str:
    """The address that its button leads to, in both of its forms."""
    (link,) = [line for line in text_of(letter).splitlines() if re.fullmatch(r"https?://[^/]+/\S+", line)]
    assert f'href="{link}"' in text_of(letter, "html")
    return str(link)


@contextmanager
def postbox(port: int = 0, *, certificate: Path | None = None, security: str = "plain", needs_login: bool = False) -> Iterator[Postbox]:
    """``security``: "plain", "starttls" or "tls", with the certificate."""
    box, options = Postbox(port or free_port()), {}
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        options = {"ssl_context": context} if security == "tls" else {"tls_context": context, "require_starttls": True}
    if needs_login:
        options |= {"authenticator": _authenticate, "auth_required": True, "auth_require_tls": False}
    controller = _Controller(box, hostname="localhost", port=box.port, **options)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()


def free_port() -> int:
    socket, port = bind_unused_port()
    socket.close()
    return port


def _authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: LoginPassword) -> AuthResult:
    return AuthResult(success=(data.login.decode(), data.password.decode()) == (USER, PASSWORD), handled=False)


def make_certificate(path: Path) -> Path:
    """For localhost, signed by itself, with its key in the same file."""
    key, name, now = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]),
        datetime.now(UTC),
    )
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - timedelta(days=1), now + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(key.private_bytes(*form) + certificate.public_bytes(serialization.Encoding.PEM))
    return path
