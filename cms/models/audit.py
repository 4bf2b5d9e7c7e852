"""Who did what to what: written in the transaction of the act."""

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from cms.db.types import Id
from cms.models.base import Base, JsonMap, Moment, PrimaryKey


class AuditEntry(Base):
    __tablename__ = "audit"
    __table_args__ = (Index(None, "subject_kind", "subject_id"),)

    id: Mapped[PrimaryKey]
    at: Mapped[Moment] = mapped_column(index=True)
    user_id: Mapped[int | None] = mapped_column(Id, index=True)  # no foreign key: the number stays when the person goes
    action: Mapped[str] = mapped_column(String(60))  # "post.publish", "session.create"
    subject_kind: Mapped[str] = mapped_column(String(20))
    subject_id: Mapped[int | None] = mapped_column(Id)
    details: Mapped[JsonMap]
    address: Mapped[str] = mapped_column(String(45), default="")  # where the request came from
    request_id: Mapped[str] = mapped_column(String(36))
