"""What readers and the desk can find: words, on which each database builds its own index (cms/db), and what readers did not find."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cms.content.folding import MAX_WORD
from cms.db.types import Id
from cms.models.base import Base, Moment, PrimaryKey

MAX_MISS = 100  # characters

_HOUR, _YEAR_ONE = 3600, 62_135_596_800  # seconds; from the year 1 to 1970
_HOUR_SHIFT = 24  # bits below the hour, for the number of the thing


class SearchDocument(Base):
    """``id`` counts up with the date (``document_id``): an index that goes backwards through it finds the newest first.

    ``heading`` and ``body`` are folded words with spaces between, ``marks`` say what the thing belongs to: "#tag7 #year2026".
    """

    __tablename__ = "search_documents"
    __table_args__ = (UniqueConstraint("kind", "ref"),)

    id: Mapped[PrimaryKey]
    kind: Mapped[str] = mapped_column(String(20))
    ref: Mapped[int] = mapped_column(Id)
    language: Mapped[str] = mapped_column(String(12))
    title: Mapped[str] = mapped_column(Text)  # folded, with its signs
    heading: Mapped[str] = mapped_column(Text, server_default="")  # its words
    marks: Mapped[str] = mapped_column(Text, server_default="")
    body: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text, server_default="")  # as it was written, to be shown


class DeskDocument(Base):
    """What the desk finds a post by: each word of its working copy once, folded."""

    __tablename__ = "desk_documents"

    post_id: Mapped[int] = mapped_column(Id, ForeignKey("posts.id", ondelete="CASCADE"), primary_key=True)
    words: Mapped[str] = mapped_column(Text)


class SearchWord(Base):
    """A word of public titles, to correct misspelt ones by."""

    __tablename__ = "search_words"

    word: Mapped[str] = mapped_column(String(MAX_WORD), primary_key=True)
    uses: Mapped[int]  # in how many titles


class SearchVariant(Base):
    """A form under which a word is found (cms/content/spelling.py)."""

    __tablename__ = "search_variants"

    variant: Mapped[str] = mapped_column(String(MAX_WORD), primary_key=True)
    word: Mapped[str] = mapped_column(String(MAX_WORD), ForeignKey("search_words.word", ondelete="CASCADE"), primary_key=True, index=True)


class SearchMiss(Base):
    """What was looked for and not found. Nothing of who, and when only for the last time."""

    __tablename__ = "search_misses"

    query: Mapped[str] = mapped_column(String(MAX_MISS), primary_key=True)
    times: Mapped[int]
    last_at: Mapped[Moment]


def document_id(at: datetime, ref: int) -> int:
    hours = (int(at.timestamp()) + _YEAR_ONE) // _HOUR
    return (hours << _HOUR_SHIFT) | (ref & ((1 << _HOUR_SHIFT) - 1))


def years_between(one: int, other: int) -> float:
    """Of two ids of documents."""
    return ((one - other) >> _HOUR_SHIFT) / (365.25 * 24)
