"""Categories (a tree), tags (flat) and series. Their addresses are rows of ``addresses``."""

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from cms.db.types import Id
from cms.models.base import Base, PrimaryKey

MAX_TERM = 80  # characters


class Category(Base):
    """``slug`` is one segment; the address has those of its parents before it."""

    __tablename__ = "categories"

    id: Mapped[PrimaryKey]
    parent_id: Mapped[int | None] = mapped_column(Id, ForeignKey("categories.id", ondelete="RESTRICT"), index=True)
    name: Mapped[str] = mapped_column(String(MAX_TERM))
    slug: Mapped[str] = mapped_column(String(MAX_TERM))
    description: Mapped[str] = mapped_column(Text, default="")


class Tag(Base):
    """``folded`` is the name without case and accents, so that "Café" and "cafe" are one tag."""

    __tablename__ = "tags"

    id: Mapped[PrimaryKey]
    name: Mapped[str] = mapped_column(String(MAX_TERM))
    folded: Mapped[str] = mapped_column(String(MAX_TERM), unique=True)
    slug: Mapped[str] = mapped_column(String(MAX_TERM), unique=True)
    description: Mapped[str] = mapped_column(Text, default="")


class Series(Base):
    __tablename__ = "series"

    id: Mapped[PrimaryKey]
    name: Mapped[str] = mapped_column(String(MAX_TERM))
    slug: Mapped[str] = mapped_column(String(MAX_TERM), unique=True)
    description: Mapped[str] = mapped_column(Text, default="")
