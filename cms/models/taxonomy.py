"""Categories (a tree), tags (flat) and series. Their addresses are rows of ``addresses``.

Texts name them by number, in revisions for ever; so a number is never given twice.
"""

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from cms.db.types import Id, enum_type
from cms.models.address import TargetKind
from cms.models.base import Base, JsonMap, PrimaryKey

MAX_TERM = 80  # characters


class Category(Base):
    """``slug`` is one segment; the address has those of its parents before it."""

    __tablename__ = "categories"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[PrimaryKey]
    parent_id: Mapped[int | None] = mapped_column(Id, ForeignKey("categories.id", ondelete="RESTRICT"), index=True)
    name: Mapped[str] = mapped_column(String(MAX_TERM))
    slug: Mapped[str] = mapped_column(String(MAX_TERM))
    description: Mapped[str] = mapped_column(Text, default="")


class Tag(Base):
    """``folded`` is the name without case and accents, so that "Café" and "cafe" are one tag."""

    __tablename__ = "tags"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[PrimaryKey]
    name: Mapped[str] = mapped_column(String(MAX_TERM))
    folded: Mapped[str] = mapped_column(String(MAX_TERM), unique=True)
    slug: Mapped[str] = mapped_column(String(MAX_TERM), unique=True)
    description: Mapped[str] = mapped_column(Text, default="")


class Series(Base):
    __tablename__ = "series"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[PrimaryKey]
    name: Mapped[str] = mapped_column(String(MAX_TERM))
    slug: Mapped[str] = mapped_column(String(MAX_TERM), unique=True)
    description: Mapped[str] = mapped_column(Text, default="")


class PassedOn(Base):
    """A tag or category whose texts are another's from now on; ``target_id`` is None while texts are taken out of one that is deleted.

    The row outlives the thing, so that old revisions, and those who type its name, find where it went. ``folded``: of a tag, its name.
    """

    __tablename__ = "passed_on"
    __table_args__ = (Index(None, "kind", "folded"),)

    kind: Mapped[TargetKind] = mapped_column(enum_type(TargetKind), primary_key=True)
    term_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    target_id: Mapped[int | None] = mapped_column(Id)
    folded: Mapped[str] = mapped_column(String(MAX_TERM), default="")


class TakenOut(Base):
    """A text that stood under a tag, category or series that is in the trash, until it stands there again. ``places``: where in its field
    that was, by the number of the revision; "0" is the working copy, and "last" the newest revision of that time: what is kept or published
    while the thing is away was made of a working copy that had it, or had not."""

    __tablename__ = "taken_out"

    kind: Mapped[TargetKind] = mapped_column(enum_type(TargetKind), primary_key=True)
    term_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    post_id: Mapped[int] = mapped_column(Id, ForeignKey("posts.id", ondelete="CASCADE"), primary_key=True, autoincrement=False, index=True)
    places: Mapped[JsonMap]
