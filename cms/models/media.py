"""Uploads: a row for each file in the media storage."""

from typing import Any

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from cms.db.types import Id
from cms.models.base import Base, Moment, PrimaryKey


class Asset(Base):
    """``digest`` is the SHA-256 of the bytes in hex; the file lies under it in the storage, so the same bytes are stored once."""

    __tablename__ = "assets"

    id: Mapped[PrimaryKey]
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    content_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int] = mapped_column(Id)  # bytes
    width: Mapped[int | None]  # pixels
    height: Mapped[int | None]
    alt: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[Moment]
    created_by_id: Mapped[int | None] = mapped_column(Id, ForeignKey("users.id", ondelete="SET NULL"))

    @property
    def path(self) -> str:
        """The address of these bytes; it never changes."""
        return asset_path(self.id, self.digest, self.name)

    @property
    def as_shown(self) -> dict[str, Any]:
        """What a read document has of a picture."""
        return {"id": self.id, "path": self.path, "width": self.width, "height": self.height, "alt": self.alt}


def asset_path(asset_id: int, digest: str, name: str) -> str:
    return f"/media/{asset_id}/{digest[:12]}/{name}"
