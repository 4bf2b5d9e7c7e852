"""What a text is written in: the Yjs document of a working copy, who wrote which part of it, what was said about it, and who outside
may look at it. docs/decisions/0010-writing-together.md says how they belong together."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from cms.db.types import Id, enum_type
from cms.models.base import Base, JsonMap, Moment, PrimaryKey


class Document(Base):
    """The document as it was when its updates were last folded into it. ``version`` counts those foldings.

    ``lineage`` is another for each beginning of a document: two that began apart must never be merged, or all would stand there twice.
    ``is_ahead``: the working copy does not yet say what the document says.
    """

    __tablename__ = "documents"

    post_id: Mapped[int] = mapped_column(Id, ForeignKey("posts.id", ondelete="CASCADE"), primary_key=True)
    lineage: Mapped[str] = mapped_column(String(32))
    data: Mapped[bytes] = mapped_column(LargeBinary)
    is_ahead: Mapped[bool] = mapped_column(default=False, index=True)
    version: Mapped[int]


class DocumentUpdate(Base):
    """What was written since, in the order of commits."""

    __tablename__ = "document_updates"
    __table_args__ = (Index(None, "post_id", "id"), {"sqlite_autoincrement": True})

    id: Mapped[PrimaryKey]
    post_id: Mapped[int] = mapped_column(Id, ForeignKey("documents.post_id", ondelete="CASCADE"))
    data: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[Moment]


class DocumentWriter(Base):
    """Whose is what a Yjs client wrote: every open window has a number of its own."""

    __tablename__ = "document_writers"

    post_id: Mapped[int] = mapped_column(Id, ForeignKey("documents.post_id", ondelete="CASCADE"), primary_key=True)
    client_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    user_id: Mapped[int | None] = mapped_column(Id, ForeignKey("users.id", ondelete="SET NULL"), index=True)
    created_at: Mapped[Moment]


class ThreadKind(StrEnum):
    COMMENT = "comment"
    SUGGESTION = "suggestion"


class Outcome(StrEnum):
    """How a thread ended."""

    RESOLVED = "resolved"
    ACCEPTED = "accepted"
    REFUSED = "refused"


class Thread(Base):
    """What is said about a passage, or proposed for it. ``anchor``: {start, end}, relative positions of Yjs as JSON, which move with the
    text; ``quote``: what stood there; ``replacement``: what a suggestion would put there."""

    __tablename__ = "threads"
    __table_args__ = (
        Index(None, "post_id", "id"),
        Index("ix_threads_open", "id", sqlite_where=text("outcome IS NULL"), postgresql_where=text("outcome IS NULL")),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[PrimaryKey]
    post_id: Mapped[int] = mapped_column(Id, ForeignKey("posts.id", ondelete="CASCADE"))
    kind: Mapped[ThreadKind] = mapped_column(enum_type(ThreadKind))
    anchor: Mapped[JsonMap]
    quote: Mapped[str] = mapped_column(Text)
    replacement: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[Moment]
    created_by_id: Mapped[int | None] = mapped_column(Id, ForeignKey("users.id", ondelete="SET NULL"), index=True)
    outcome: Mapped[Outcome | None] = mapped_column(enum_type(Outcome))
    ended_at: Mapped[Moment | None]
    ended_by_id: Mapped[int | None] = mapped_column(Id, ForeignKey("users.id", ondelete="SET NULL"), index=True)


class Remark(Base):
    """One contribution to a thread; plain text."""

    __tablename__ = "remarks"
    __table_args__ = (Index(None, "thread_id", "id"),)

    id: Mapped[PrimaryKey]
    thread_id: Mapped[int] = mapped_column(Id, ForeignKey("threads.id", ondelete="CASCADE"))
    text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[Moment]
    created_by_id: Mapped[int | None] = mapped_column(Id, ForeignKey("users.id", ondelete="SET NULL"), index=True)


class Notification(Base):
    """What somebody is told at the desk. ``kind`` says which sentence it is, ``data`` what stands in it."""

    __tablename__ = "notifications"
    __table_args__ = (Index(None, "user_id", "seen_at", "id"),)

    id: Mapped[PrimaryKey]
    user_id: Mapped[int] = mapped_column(Id, ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(30))
    data: Mapped[JsonMap]
    post_id: Mapped[int | None] = mapped_column(Id, ForeignKey("posts.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[Moment]
    seen_at: Mapped[Moment | None]


class PreviewLink(Base):
    """A right to look at a text without an account. Only the SHA-256 of what carries it is kept, and the carrier sealed, to be shown again.

    ``revision_id`` None: the text as it is being written.
    """

    __tablename__ = "preview_links"

    id: Mapped[PrimaryKey]
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    sealed: Mapped[str] = mapped_column(Text)
    post_id: Mapped[int] = mapped_column(Id, ForeignKey("posts.id", ondelete="CASCADE"), index=True)
    revision_id: Mapped[int | None] = mapped_column(Id, ForeignKey("revisions.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(80), default="")  # whom it is for
    created_at: Mapped[Moment]
    created_by_id: Mapped[int | None] = mapped_column(Id, ForeignKey("users.id", ondelete="SET NULL"), index=True)
    expires_at: Mapped[Moment] = mapped_column(index=True)
    revoked_at: Mapped[Moment | None]
    seen: Mapped[int] = mapped_column(default=0)  # how often
    seen_at: Mapped[Moment | None]

    def is_open_at(self, now: datetime) -> bool:
        return self.revoked_at is None and now < self.expires_at
