"""Events, in the order they were committed to; kept for seven days for processes that were away."""

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from cms.models.base import Base, JsonMap, Moment, PrimaryKey


class OutboxEntry(Base):
    __tablename__ = "outbox"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012 - ids must never be used again: they are cursors

    id: Mapped[PrimaryKey]
    at: Mapped[Moment] = mapped_column(index=True)
    origin: Mapped[str] = mapped_column(String(32), default="")  # the process that told its own listeners already
    name: Mapped[str] = mapped_column(String(40))
    payload: Mapped[JsonMap]
