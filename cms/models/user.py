"""People who work at the desk, and their sessions."""

from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from cms.db.types import Id, enum_type
from cms.models.base import Base, Moment, PrimaryKey
from cms.policy import Actor, Role

IDLE = timedelta(days=14)  # a session that was not used for so long has ended

_ONE_OWNER = text("role = 'owner'")


class User(Base):
    """``email`` is stored lower-cased. ``slug`` is the address of the public author page below ``/author/``."""

    __tablename__ = "users"
    __table_args__ = (
        # The database itself refuses a second owner: of two people who open the one-time link at once, one wins.
        Index("ix_users_one_owner", "role", unique=True, postgresql_where=_ONE_OWNER, sqlite_where=_ONE_OWNER),
    )

    id: Mapped[PrimaryKey]
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    role: Mapped[Role] = mapped_column(enum_type(Role))
    password_hash: Mapped[str | None] = mapped_column(String(200))
    bio: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[Moment]
    disabled_at: Mapped[Moment | None]

    @property
    def is_disabled(self) -> bool:
        return self.disabled_at is not None

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
    created_at: Mapped[Moment]
    seen_at: Mapped[Moment]
    expires_at: Mapped[Moment]

    def is_usable(self, now: datetime) -> bool:
        """Neither older than its limit nor idle for too long."""
        return now < self.expires_at and now - self.seen_at < IDLE
