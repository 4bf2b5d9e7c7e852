"""Work to be done later by whichever process claims it."""

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from cms.db.types import Id, Sentence
from cms.models.base import Base, JsonMap, Moment, PrimaryKey


class Job(Base):
    """``key`` makes enqueuing idempotent. A lease that has run out means its worker died: the job is claimed again."""

    __tablename__ = "jobs"
    __table_args__ = (
        Index(
            "ix_jobs_waiting",
            "due_at",
            postgresql_where=text("finished_at IS NULL"),
            sqlite_where=text("finished_at IS NULL"),
        ),
        Index("ix_jobs_failed", "finished_at", postgresql_where=text("error IS NOT NULL"), sqlite_where=text("error IS NOT NULL")),
    )

    id: Mapped[PrimaryKey]
    name: Mapped[str] = mapped_column(String(60))
    key: Mapped[str | None] = mapped_column(String(200), unique=True)
    payload: Mapped[JsonMap]
    created_at: Mapped[Moment]
    due_at: Mapped[Moment]
    attempts: Mapped[int] = mapped_column(default=0)
    lease: Mapped[str | None] = mapped_column(String(36))
    leased_until: Mapped[Moment | None]
    finished_at: Mapped[Moment | None]
    error: Mapped[str | None] = mapped_column(Sentence)
    progress: Mapped[JsonMap | None]  # of long work: {"done": 3, "of": 832, "words": "…"}
    created_by_id: Mapped[int | None] = mapped_column(Id, ForeignKey("users.id", ondelete="SET NULL"))
