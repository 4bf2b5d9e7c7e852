"""Cards of pages: what was found out about each of other sites, and which public texts show it."""

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from cms.content.context import LONGEST_ADDRESS
from cms.db.types import Id, Sentence
from cms.models.base import Base, Moment, PrimaryKey


class LinkCard(Base):
    """``url``: as it stands in texts; of this site the path, and nothing else. Nothing is known of it until it was fetched; ``failures``:
    tries in vain since the last that was not. What was known before those stays. ``due_at``: when to look again, if a public text shows it
    then."""

    __tablename__ = "link_cards"

    id: Mapped[PrimaryKey]
    url: Mapped[str] = mapped_column(String(LONGEST_ADDRESS), unique=True)
    kind: Mapped[str] = mapped_column(String(20), default="link")
    title: Mapped[str] = mapped_column(Text, default="")
    description: Mapped[str] = mapped_column(Text, default="")
    site_name: Mapped[str] = mapped_column(Text, default="")
    author: Mapped[str] = mapped_column(Text, default="")
    picture_id: Mapped[int | None] = mapped_column(Id, ForeignKey("assets.id", ondelete="SET NULL"), index=True)
    picture_url: Mapped[str] = mapped_column(Text, default="")  # of which it is a copy
    fetched_at: Mapped[Moment | None]
    due_at: Mapped[Moment] = mapped_column(index=True)
    failures: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(Sentence)

    @property
    def is_own(self) -> bool:
        return self.url.startswith("/")


class PostCard(Base):
    """A public text shows it."""

    __tablename__ = "post_cards"

    post_id: Mapped[int] = mapped_column(Id, ForeignKey("published.post_id", ondelete="CASCADE"), primary_key=True)
    card_id: Mapped[int] = mapped_column(Id, ForeignKey("link_cards.id", ondelete="CASCADE"), primary_key=True, index=True)
