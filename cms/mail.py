"""Letters: written by templates (``templates/mail/``), handed to an SMTP server, or to whoever sits at the terminal where there is none."""

import asyncio
import sys
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, localtime, make_msgid, parseaddr
from functools import cached_property
from typing import Protocol

import aiosmtplib
import idna
from tornado.template import Loader

from cms.errors import CMSError
from cms.settings import Settings, SmtpServer, data_folder
from cms.wording import say

PATIENCE = 20.0  # seconds for each answer of the server
LONGEST = 60.0  # seconds for all of them


@dataclass(frozen=True, slots=True)
class Letter:
    """What somebody is told. ``link`` is a whole address, ``action`` the words on it; ``after`` stands below it. ``is_ticket``: whoever
    has the link may do what it is for, once. ``locale``: the language that somebody chose for himself."""

    to: str
    name: str
    subject: str
    paragraphs: tuple[str, ...]
    link: str = ""
    action: str = ""
    after: tuple[str, ...] = ()
    is_ticket: bool = False
    locale: str = ""


class MailFailed(CMSError):
    """The letter was not taken. The message may be kept and logged: what the server said is in ``reply``, as it may name people."""

    def __init__(self, message: str, reply: str = "") -> None:
        super().__init__(message)
        self.reply = reply


class Spoken(Protocol):
    """The language of a letter."""

    @property
    def tag(self) -> str: ...

    def translate(self, message: str) -> str: ...


class Mailer(Protocol):
    can_reach_people: bool

    async def send(self, letter: Letter, site_name: str, spoken: Spoken) -> None:
        """Raises ``MailFailed``."""
        ...


def mailer_for(settings: Settings) -> Mailer:
    server = settings.smtp
    return Smtp(server, settings.mail_from, settings.public_url) if server else Terminal()


class Terminal:
    """Without a server whoever runs the site passes on what lets somebody in. Standard output, as for the owner's link: not the log, which
    knows nobody."""

    can_reach_people = False

    async def send(self, letter: Letter, site_name: str, spoken: Spoken) -> None:
        if letter.is_ticket:
            sys.stdout.write(f"\n{letter.subject}, for {letter.to} (the link works once):\n  {letter.link}\n\n")
            sys.stdout.flush()


class Smtp:
    can_reach_people = True

    def __init__(self, server: SmtpServer, sender: str, public_url: str) -> None:
        self._server = server
        self._sender = parseaddr(sender)
        self._public_url = public_url

    async def send(self, letter: Letter, site_name: str, spoken: Spoken) -> None:
        try:
            message = self._message(letter, site_name, spoken)
        except ValueError:
            raise MailFailed(say("The letter's address or subject cannot be written in a mail.")) from None
        try:
            async with asyncio.timeout(LONGEST), self._connection() as server:
                await server.send_message(message)
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            raise _in_our_words(error, self._server) from None

    def _connection(self) -> aiosmtplib.SMTP:
        security = self._server.security
        return aiosmtplib.SMTP(
            hostname=self._server.host,
            port=self._server.port,
            username=self._server.user or None,
            password=self._server.password or None,
            use_tls=security == "tls",
            start_tls=security == "starttls",  # and no letter without it
            timeout=PATIENCE,
        )

    def _message(self, letter: Letter, site_name: str, spoken: Spoken) -> EmailMessage:
        """Headers refuse line breaks (``ValueError``), so nobody's name becomes a header."""
        name, address = self._sender
        message = EmailMessage()
        message["From"] = Address(name or site_name, addr_spec=address)
        message["To"] = Address(addr_spec=_with_ascii_domain(letter.to))
        message["Subject"] = spoken.translate(letter.subject)
        message["Date"] = format_datetime(localtime())
        message["Message-ID"] = make_msgid(domain=address.rpartition("@")[2])
        message["Auto-Submitted"] = "auto-generated"  # no "I am on holiday" back (RFC 3834)
        values = {"letter": letter, "site_name": site_name, "public_url": self._public_url, "one_line": _one_line}
        values |= {"_": spoken.translate, "language": spoken.tag}
        message.set_content(self._templates.load("letter.txt").generate(**values).decode())
        message.add_alternative(self._templates.load("letter.html").generate(**values).decode(), subtype="html")
        return message

    @cached_property
    def _templates(self) -> Loader:
        return Loader(str(data_folder("templates") / "mail"))


def _one_line(value: str | bytes) -> str:
    """How the text's template writes each value: in it nobody's name begins a paragraph."""
    return " ".join((value.decode() if isinstance(value, bytes) else value).split())


def _with_ascii_domain(address: str) -> str:
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain if domain.isascii() else idna.encode(domain, uts46=True).decode()}"


def _in_our_words(error: Exception, server: SmtpServer) -> MailFailed:
    """By kind and number only: a server's sentence often repeats the address, and errors are kept."""
    where = f"{server.host}:{server.port}"
    match error:
        case aiosmtplib.SMTPAuthenticationError():
            return MailFailed(
                say("The mail server {where} refused the user or the password ({code}).", where=where, code=error.code), error.message
            )
        case aiosmtplib.SMTPRecipientsRefused():
            first = error.recipients[0]
            return MailFailed(say("The mail server {where} refused the recipient ({code}).", where=where, code=first.code), first.message)
        case aiosmtplib.SMTPResponseException():
            return MailFailed(say("The mail server {where} refused the letter ({code}).", where=where, code=error.code), error.message)
        case aiosmtplib.SMTPException() if "STARTTLS" in str(error):
            return MailFailed(
                say("The mail server {where} does not offer STARTTLS; smtps:// or smtp+plain:// may be what it speaks.", where=where)
            )
        case aiosmtplib.SMTPTimeoutError() | TimeoutError():
            return MailFailed(say("The mail server {where} did not answer in time.", where=where))
        case _:
            return MailFailed(
                say("The mail server {where} cannot be reached ({reason}).", where=where, reason=type(error).__name__), str(error)
            )
