"""What people are told by mail: a job, written down in the transaction of the act and tried until the letter was taken.

What carries a right (a link) or an address that nobody has yet is sealed; the rest names a person, who is looked up when it is sent.
"""

import json
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, delete, or_
from sqlalchemy.ext.asyncio import AsyncSession

from cms.db.session import Work
from cms.mail import Letter
from cms.models import Job, User
from cms.sealing import Sealer
from cms.services import jobs
from cms.wording import parts, phrases, say, whole

JOB = "send_mail"
HOUR = timedelta(hours=1)  # in which no more letters are sent than the site allows


class Notice(StrEnum):
    INVITATION = "invitation"
    RESET = "reset"
    OLD_ADDRESS = "old_address"
    NEW_ADDRESS = "new_address"
    ADDRESS_CHANGED = "address_changed"
    PASSWORD = "password"  # noqa: S105 - was changed
    SECOND_FACTOR = "second_factor"
    ROLE = "role"
    NEW_DEVICE = "new_device"
    ACCEPTED = "accepted"
    MENTION = "mention"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    CHANGES_ASKED = "changes_asked"
    MISS = "miss"
    TEST = "test"


REFUSABLE = (
    Notice.NEW_DEVICE, Notice.ROLE, Notice.ACCEPTED, Notice.MENTION, Notice.SUBMITTED, Notice.APPROVED, Notice.CHANGES_ASKED,
    Notice.MISS,
)  # fmt: skip


async def tell(work: Work, user_id: int, notice: Notice, *, about: int | None = None, **facts: str) -> None:
    """A person, at the address that is theirs when it is sent, unless they do not want to know. ``about``: whoever the facts name, so
    that they can be forgotten."""
    await jobs.enqueue(work, JOB, notice=notice, user_id=user_id, about=about, facts=_kept(facts))


async def enqueue(
    work: Work, sealer: Sealer, notice: Notice, *, to: str, user_id: int | None = None, name: str = "", key: str | None = None, **facts: str
) -> None:
    """To an address, with what nobody else may read. ``user_id``: whose account it is about, if there is one yet. ``key``: to take it
    back by."""
    sealed = sealer.seal(json.dumps({"to": to, "name": name, "facts": _kept(facts)}))
    await jobs.enqueue(work, JOB, key=key, notice=notice, user_id=user_id, sealed=sealed)


async def take_back(work: Work, key: str) -> None:
    """A letter that was not sent yet is not sent any more, and nothing is left of it."""
    await work.session.execute(delete(Job).where(Job.key == key))


def told(user_id: int) -> ColumnElement[bool]:
    """Mail that waits for the person, or went out a short while ago."""
    is_told: ColumnElement[bool] = Job.payload["user_id"].as_integer() == user_id
    return is_told


async def forget(work: Work, user_id: int) -> None:
    """Mail to a person, letters to others that have the name, and whatever is sealed for an address and was given up: whose that is,
    nobody can say, and nobody waits for it."""
    is_about = Job.payload["about"].as_integer() == user_id
    is_sealed = Job.payload["sealed"].as_string().is_not(None) & Job.payload["user_id"].as_integer().is_(None)
    gone = delete(Job).where(or_(told(user_id), is_about, is_sealed & Job.finished_at.is_not(None)))
    await work.session.execute(gone.execution_options(synchronize_session=False))


async def new_device(work: Work, user_id: int, browser: str) -> None:
    """Somebody signed in with a browser that was not seen before. ``browser``: in words for people."""
    await tell(
        work,
        user_id,
        Notice.NEW_DEVICE,
        browser=browser,
        address=work.address or say("from an unknown address"),
        at=f"{work.now:%Y-%m-%d, %H:%M} UTC",
    )


async def second_factor(work: Work, user_id: int, what: str) -> None:
    """``what`` happened, as a sentence: "A passkey was added"."""
    await tell(work, user_id, Notice.SECOND_FACTOR, what=what)


def test_letter(user: User, public_url: str, site_name: str) -> Letter:
    """Sent while somebody looks on, not as a job."""
    return _written(Notice.TEST, user.email, user.name, public_url, {"site": site_name}, user.locale)


async def letter(session: AsyncSession, sealer: Sealer, public_url: str, payload: dict[str, Any]) -> Letter | None:
    """Of a job; None if the person has gone, or does not want it. Raises ``OperatorError`` if a secret key is missing."""
    notice = Notice(payload["notice"])
    user = await session.get(User, payload["user_id"]) if payload["user_id"] else None
    if "sealed" in payload:
        kept = json.loads(sealer.open(payload["sealed"]))
        return _written(notice, kept["to"], kept["name"], public_url, kept["facts"], user.locale if user else "")
    if user is None or notice in user.refuses:
        return None
    return _written(notice, user.email, user.name, public_url, payload["facts"], user.locale)


def _kept(facts: dict[str, str]) -> dict[str, Any]:
    """Sentences in them are said in the language of whoever gets the letter."""
    return {name: parts(each) for name, each in facts.items()}


def _written(notice: Notice, to: str, name: str, public_url: str, kept: dict[str, Any], locale: str) -> Letter:
    words, facts = WORDS[notice], {name: whole(each) for name, each in kept.items()}
    subject, *paragraphs = (say(each, **facts) for each in (words.subject, *words.paragraphs))
    link = public_url + words.path.format(**facts) if words.path else ""
    after, is_ticket = (words.after,) if words.after else (), "{carrier}" in words.path
    return Letter(to, name, subject, tuple(filter(None, paragraphs)), link, words.action, after, is_ticket, locale)


@dataclass(frozen=True, slots=True)
class Words:
    """Of a letter, with places for facts. ``action`` stands on the button that leads to ``path``, ``after`` below it."""

    subject: str
    paragraphs: list[str]
    path: str = ""
    action: str = ""
    after: str = ""


_NOT_YOU = "If this was not you, set a new password at once and tell an administrator."

WORDS: dict[Notice, Words] = phrases(
    {
        Notice.INVITATION: Words(
            "An invitation to {site}",
            ["{by} invites you to work on {site}. Your role there will be: {role}."],
            "/invitation/{carrier}",
            "Accept the invitation",
            "The link works once, for seven days. If you do not want this, there is nothing you need to do.",
        ),
        Notice.RESET: Words(
            "A new password",
            ["Somebody, hopefully you, asked for a new password for your account."],
            "/password/{carrier}",
            "Choose a new password",
            "The link works once, for one hour. If you did not ask, nothing happens: your password stays what it is.",
        ),
        Notice.OLD_ADDRESS: Words(
            "Another e-mail address for your account",
            ["Your account is to have another e-mail address: {new}. Please confirm it here; the new address is asked, too."],
            "/account/email/{carrier}",
            "Confirm the change",
            "The link works once, for 24 hours. If you did not ask for this, do not follow it, and set a new password.",
        ),
        Notice.NEW_ADDRESS: Words(
            "Confirm your e-mail address",
            ["Somebody wants to sign in with this address from now on. Please confirm it here; the address until now is asked, too."],
            "/account/email/{carrier}",
            "Confirm this address",
            "The link works once, for 24 hours. If you do not know what this is about, there is nothing you need to do.",
        ),
        Notice.ADDRESS_CHANGED: Words(
            "Your e-mail address was changed",
            ["Your account has another e-mail address from now on. This one does not sign in any more, and gets no more mail."],
            after="If this was not you, tell an administrator at once.",
        ),
        Notice.PASSWORD: Words(
            "Your password was changed",
            ["The password of your account was changed. All other sessions have ended."],
            "/password",
            "Set another password",
            _NOT_YOU,
        ),
        Notice.SECOND_FACTOR: Words("How you sign in was changed", ["{what}."], "/account/security", "Look at your account", _NOT_YOU),
        Notice.ROLE: Words(
            "Your role was changed",
            ["Your role from now on: {role}. You were signed out everywhere; sign in again to go on."],
            "/login",
            "Sign in",
        ),
        Notice.NEW_DEVICE: Words(
            "A new device signed in",
            ["Somebody signed in to your account with a browser that was not seen here before.", "{browser}, {address}, {at}"],
            "/account/security",
            "Look at your sessions",
            _NOT_YOU,
        ),
        Notice.ACCEPTED: Words(
            "{who} accepted your invitation",
            ["{who} accepted your invitation, and has an account now."],
            "/admin/people",
            "See everybody",
        ),
        Notice.MENTION: Words(
            "{did}",
            ["{did}:", "{words}"],
            "{path}",
            "Read it, and answer",
        ),
        Notice.MISS: Words(
            "“{title}” was not done on time",
            ["What was scheduled for “{title}” could not be done:", "{words}", "It is not tried again by itself."],
            "{path}",
            "Look at it",
        ),
        Notice.SUBMITTED: Words(
            "For review: “{title}”",
            ["{who} asks you to review “{title}”.", "{words}"],
            "{path}",
            "Review it",
        ),
        Notice.APPROVED: Words(
            "Approved: “{title}”",
            ["{who} approved “{title}”. It can go out now.", "{words}"],
            "{path}",
            "Look at it",
        ),
        Notice.CHANGES_ASKED: Words(
            "Please change “{title}”",
            ["{who} asks for changes to “{title}” before it goes out:", "{words}"],
            "{path}",
            "Read it, and go on writing",
        ),
        Notice.TEST: Words(
            "A test of the mail",
            ["This letter was sent from the settings of {site}. It arrived, so mail works."],
        ),
    }
)
