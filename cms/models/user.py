"""People who work at the desk, what they sign in with, and their sessions. Secrets are hashed, or sealed where they must be read again."""

from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import BigInteger, Float, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from cms.db.types import Id, enum_type
from cms.models.base import Base, JsonList, JsonMap, Moment, PrimaryKey
from cms.policy import Actor, Role

ERASED_DOMAIN = "erased.invalid"  # of those who were forgotten: leads nowhere (RFC 2606, 2)
IDLE = timedelta(days=14)  # a session that was not used for so long has ended

_ONE_OWNER = text("role = 'owner'")


class User(Base):
    """``email`` is stored lower-cased. ``slug`` is the address of the public author page below ``/author/``.

    ``handle`` names the person to authenticators, which show it to nobody (https://www.w3.org/TR/webauthn-3/#user-handle).
    ``totp_step``: the last period of 30 seconds whose code was used, so that no code is used twice (RFC 6238, 5.2).
    ``links``: maps of ``label`` and ``path``. ``refuses``: which notices the person does not want.
    """

    __tablename__ = "users"
    __table_args__ = (
        # The database itself refuses a second owner: of two people who open the one-time link at once, one wins.
        Index("ix_users_one_owner", "role", unique=True, postgresql_where=_ONE_OWNER, sqlite_where=_ONE_OWNER),
        {"sqlite_autoincrement": True},  # what is kept of somebody who was deleted, by number, must never be somebody else's
    )

    id: Mapped[PrimaryKey]
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    role: Mapped[Role] = mapped_column(enum_type(Role))
    password_hash: Mapped[str | None] = mapped_column(String(200))
    bio: Mapped[str] = mapped_column(Text, default="")
    links: Mapped[JsonList] = mapped_column(default=list)
    handle: Mapped[str | None] = mapped_column(String(86), unique=True)
    totp_secret: Mapped[str | None] = mapped_column(Text)  # sealed
    totp_step: Mapped[int] = mapped_column(BigInteger, default=0)
    refuses: Mapped[JsonList] = mapped_column(default=list)
    locale: Mapped[str] = mapped_column(String(12), default="")  # of the desk; "": what the browser asks for
    created_at: Mapped[Moment]
    disabled_at: Mapped[Moment | None]

    @property
    def is_disabled(self) -> bool:
        return self.disabled_at is not None

    @property
    def is_erased(self) -> bool:
        """Nobody any more: what is left holds texts together."""
        return self.email.endswith(f"@{ERASED_DOMAIN}")

    @property
    def actor(self) -> Actor:
        return Actor(self.id, self.role, self.name)


class Session(Base):
    """A signed-in browser. Only the SHA-256 of the token is kept; the token itself is in the signed cookie."""

    __tablename__ = "sessions"

    id: Mapped[PrimaryKey]
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(Id, ForeignKey("users.id", ondelete="CASCADE"), index=True)
    user_agent: Mapped[str] = mapped_column(String(200))
    address: Mapped[str] = mapped_column(String(45), default="")  # where it was last seen from
    created_at: Mapped[Moment]
    seen_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    confirmed_at: Mapped[Moment]  # when the person last proved to be who he is

    def is_usable(self, now: datetime) -> bool:
        """Neither older than its limit nor idle for too long."""
        return now < self.expires_at and now - self.seen_at < IDLE


class Portrait(Base):
    """The person's picture. A table of its own, as assets know who brought them, and two tables cannot each be made before the other."""

    __tablename__ = "portraits"

    user_id: Mapped[int] = mapped_column(Id, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)
    asset_id: Mapped[int] = mapped_column(Id, ForeignKey("assets.id", ondelete="CASCADE"), index=True)


class Device(Base):
    """A browser that a person signed in with before. It stays when the session ends: it gets in while strangers are kept waiting."""

    __tablename__ = "devices"
    __table_args__ = (UniqueConstraint("token_hash", "user_id"),)

    id: Mapped[PrimaryKey]
    token_hash: Mapped[str] = mapped_column(String(64))
    user_id: Mapped[int] = mapped_column(Id, ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[Moment]
    seen_at: Mapped[Moment]


class Passkey(Base):
    """What an authenticator told when it was registered. Ids and keys are base64url.

    https://www.w3.org/TR/webauthn-3/#credential-record
    """

    __tablename__ = "passkeys"

    id: Mapped[PrimaryKey]
    user_id: Mapped[int] = mapped_column(Id, ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    credential_id: Mapped[str] = mapped_column(String(1400), unique=True)
    public_key: Mapped[str] = mapped_column(Text)
    sign_count: Mapped[int] = mapped_column(BigInteger)
    transports: Mapped[JsonList]
    is_synced: Mapped[bool]  # kept by a service for several devices
    created_at: Mapped[Moment]
    used_at: Mapped[Moment | None]


class RecoveryCode(Base):
    """One of ten for whoever lost everything else. Gone when it was used."""

    __tablename__ = "recovery_codes"
    __table_args__ = (UniqueConstraint("user_id", "code_hash"),)

    id: Mapped[PrimaryKey]
    user_id: Mapped[int] = mapped_column(Id, ForeignKey("users.id", ondelete="CASCADE"))
    code_hash: Mapped[str] = mapped_column(String(64))


class Identity(Base):
    """Who a person is at an OpenID provider."""

    __tablename__ = "identities"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    id: Mapped[PrimaryKey]
    user_id: Mapped[int] = mapped_column(Id, ForeignKey("users.id", ondelete="CASCADE"), index=True)
    issuer: Mapped[str] = mapped_column(String(300))
    subject: Mapped[str] = mapped_column(String(255))  # as long as OpenID Connect Core, 2, allows
    created_at: Mapped[Moment]
    used_at: Mapped[Moment | None]


class Purpose(StrEnum):
    INVITATION = "invitation"
    PASSWORD = "password"  # noqa: S105 - to choose a new one
    EMAIL = "email"  # to confirm a new address; two of them belong together
    SECOND_FACTOR = "second_factor"  # the password was right; the rest is to come
    REGISTRATION = "registration"  # of a passkey: the challenge that it answers
    PASSKEY = "passkey"  # signing in with one: likewise
    OIDC = "oidc"  # gone to the provider


class Token(Base):
    """A right that is used once, and soon. Only the SHA-256 of what carries it is kept. ``data`` depends on the purpose."""

    __tablename__ = "tokens"

    id: Mapped[PrimaryKey]
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    purpose: Mapped[Purpose] = mapped_column(enum_type(Purpose))
    user_id: Mapped[int | None] = mapped_column(Id, ForeignKey("users.id", ondelete="CASCADE"), index=True)
    data: Mapped[JsonMap]
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment] = mapped_column(index=True)


class Throttle(Base):
    """How far into the future somebody has used up what is allowed (GCRA: the theoretical arrival time of the next act)."""

    __tablename__ = "throttles"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)  # a hash: neither addresses nor names are kept
    used_until: Mapped[float] = mapped_column(Float(53), index=True)  # seconds since 1970
