"""Folded plain text of what readers can find; the full-text index of each database is built on it."""

from sqlalchemy import String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cms.db.types import Id
from cms.models.base import Base, PrimaryKey


class SearchDocument(Base):
    __tablename__ = "search_documents"
    __table_args__ = (UniqueConstraint("kind", "ref"),)

    id: Mapped[PrimaryKey]
    kind: Mapped[str] = mapped_column(String(20))
    ref: Mapped[int] = mapped_column(Id)
    language: Mapped[str] = mapped_column(String(12))
    title: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
