"""The library: what was uploaded, where it lies, what was made of it, and which texts show it (docs/decisions/0015-media.md)."""

from enum import StrEnum
from typing import Any

from sqlalchemy import Float, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from cms.content.context import rights
from cms.db.types import Id, enum_type
from cms.models.base import Base, JsonMap, Moment, PrimaryKey
from cms.models.post import Side

MARK_LENGTH = 12  # of the digest that stands in an address
MAX_FOLDED = 120  # characters of a folded name by which it is told from others


class MediaKind(StrEnum):
    """Told by the content of the file."""

    PICTURE = "picture"
    AUDIO = "audio"
    VIDEO = "video"
    CAPTIONS = "captions"  # WebVTT
    FILE = "file"


class AssetState(StrEnum):
    STORING = "storing"  # its bytes are on their way; nobody sees it
    READY = "ready"


_IN_LIBRARY = text("in_library")
_NOT_READY = text("state <> 'ready'")


class Folder(Base):
    """Of the library. Names are unique among those beside them, without case and accents."""

    __tablename__ = "folders"
    __table_args__ = (
        UniqueConstraint("parent_id", "folded"),
        Index("uq_folders_top", "folded", unique=True, sqlite_where=text("parent_id IS NULL"), postgresql_where=text("parent_id IS NULL")),
    )

    id: Mapped[PrimaryKey]
    parent_id: Mapped[int | None] = mapped_column(Id, ForeignKey("folders.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(80))
    folded: Mapped[str] = mapped_column(String(MAX_FOLDED))
    created_at: Mapped[Moment]
    created_by_id: Mapped[int | None] = mapped_column(Id, ForeignKey("users.id", ondelete="SET NULL"))

    @property
    def owner_ids(self) -> frozenset[int]:
        return frozenset({self.created_by_id} - {None})  # type: ignore[arg-type]

    @property
    def was_ever_public(self) -> bool:
        return False  # readers never see folders


class Asset(Base):
    """One thing in the library. ``digest`` is the SHA-256 in hex of the bytes as they were sent, ``shown_digest`` of what readers get; both
    lie in the storage under it. Width and height are those of what is shown."""

    __tablename__ = "assets"
    __table_args__ = (
        Index("ix_assets_library", "created_at", "id", "kind", sqlite_where=_IN_LIBRARY, postgresql_where=_IN_LIBRARY),
        Index("ix_assets_storing", "created_at", sqlite_where=_NOT_READY, postgresql_where=_NOT_READY),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[PrimaryKey]
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    shown_digest: Mapped[str] = mapped_column(String(64), index=True)
    name: Mapped[str] = mapped_column(String(200))  # as in its address
    kind: Mapped[MediaKind] = mapped_column(enum_type(MediaKind))
    content_type: Mapped[str] = mapped_column(String(100))
    state: Mapped[AssetState] = mapped_column(enum_type(AssetState), default=AssetState.READY)
    in_library: Mapped[bool] = mapped_column(default=True)  # not a portrait, nor the picture of a card
    size: Mapped[int] = mapped_column(Id)  # bytes, as sent
    shown_size: Mapped[int] = mapped_column(Id)
    width: Mapped[int | None]  # pixels
    height: Mapped[int | None]
    frames: Mapped[int] = mapped_column(default=1)  # more than one if it moves
    duration: Mapped[float | None] = mapped_column(Float)  # seconds
    edits: Mapped[JsonMap] = mapped_column(default=dict)
    focus_x: Mapped[int] = mapped_column(default=50)  # percent, of what every crop keeps in sight
    focus_y: Mapped[int] = mapped_column(default=50)
    alt: Mapped[str] = mapped_column(Text, default="")
    is_decorative: Mapped[bool] = mapped_column(default=False)  # it says nothing that a text should tell
    caption: Mapped[str] = mapped_column(Text, default="")
    credit: Mapped[str] = mapped_column(String(200), default="")
    licence: Mapped[str] = mapped_column(String(200), default="")
    description: Mapped[str] = mapped_column(Text, default="")
    folded: Mapped[str] = mapped_column(Text, default="")  # name and texts without case and accents, to be searched
    folder_id: Mapped[int | None] = mapped_column(Id, ForeignKey("folders.id", ondelete="SET NULL"), index=True)
    poster_id: Mapped[int | None] = mapped_column(Id, ForeignKey("assets.id", ondelete="SET NULL"), index=True)  # before a film plays
    created_at: Mapped[Moment]
    created_by_id: Mapped[int | None] = mapped_column(Id, ForeignKey("users.id", ondelete="SET NULL"), index=True)
    updated_at: Mapped[Moment]
    trashed_at: Mapped[Moment | None] = mapped_column(index=True)
    version: Mapped[int] = mapped_column(Integer)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012

    @property
    def path(self) -> str:
        """The address of what is shown now; what is there never changes."""
        return asset_path(self.id, self.shown_digest, self.name)

    @property
    def mark(self) -> str:
        """Of what is shown, in addresses."""
        return self.shown_digest[:MARK_LENGTH]

    @property
    def focus(self) -> tuple[int, int]:
        return self.focus_x, self.focus_y

    @property
    def is_ready(self) -> bool:
        return self.state is AssetState.READY and self.trashed_at is None

    @property
    def needs_alt(self) -> bool:
        return self.kind is MediaKind.PICTURE and not self.alt and not self.is_decorative

    @property
    def owner_ids(self) -> frozenset[int]:
        return frozenset({self.created_by_id} - {None})  # type: ignore[arg-type]

    @property
    def was_ever_public(self) -> bool:
        return False  # nobody's right to a file ends when readers see it

    @property
    def as_shown(self) -> dict[str, Any]:
        """What a read document has of a picture."""
        shown = {"type": self.content_type, "frames": self.frames, "focus": list(self.focus)}  # for renditions
        said = {"caption": self.caption.strip(), "rights": rights(self.credit, self.licence)}
        below = {name: words for name, words in said.items() if words}
        return {"id": self.id, "path": self.path, "width": self.width, "height": self.height, "alt": self.alt, **shown, **below}


class AssetTag(Base):
    __tablename__ = "asset_tags"

    asset_id: Mapped[int] = mapped_column(Id, ForeignKey("assets.id", ondelete="CASCADE"), primary_key=True)
    folded: Mapped[str] = mapped_column(String(MAX_FOLDED), primary_key=True, index=True)
    name: Mapped[str] = mapped_column(String(80))


class AssetAddress(Base):
    """The mark of a digest and a name under which it was known; its addresses lead to the present one."""

    __tablename__ = "asset_addresses"

    asset_id: Mapped[int] = mapped_column(Id, ForeignKey("assets.id", ondelete="CASCADE"), primary_key=True)
    mark: Mapped[str] = mapped_column(String(MARK_LENGTH), primary_key=True)
    name: Mapped[str] = mapped_column(String(200), primary_key=True)


class AssetTrack(Base):
    """Words for a film or sound: a WebVTT file of the library in one language."""

    __tablename__ = "asset_tracks"

    asset_id: Mapped[int] = mapped_column(Id, ForeignKey("assets.id", ondelete="CASCADE"), primary_key=True)
    language: Mapped[str] = mapped_column(String(12), primary_key=True)
    track_id: Mapped[int] = mapped_column(Id, ForeignKey("assets.id", ondelete="CASCADE"), index=True)
    label: Mapped[str] = mapped_column(String(80))


class Rendition(Base):
    """A smaller picture that lies in the storage; ``name`` as in its address, with the extension. It can be made again at any time."""

    __tablename__ = "renditions"

    shown_digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    size: Mapped[int] = mapped_column(Id)  # bytes
    made_at: Mapped[Moment]


class AssetUse(Base):
    """A working copy, or what readers see of a text, shows it."""

    __tablename__ = "asset_uses"
    __table_args__ = (Index(None, "asset_id", "side", "post_id"),)

    post_id: Mapped[int] = mapped_column(Id, ForeignKey("posts.id", ondelete="CASCADE"), primary_key=True)
    side: Mapped[Side] = mapped_column(enum_type(Side), primary_key=True)
    asset_id: Mapped[int] = mapped_column(Id, ForeignKey("assets.id", ondelete="CASCADE"), primary_key=True)


class RevisionAsset(Base):
    """A revision shows it."""

    __tablename__ = "revision_assets"

    revision_id: Mapped[int] = mapped_column(Id, ForeignKey("revisions.id", ondelete="CASCADE"), primary_key=True)
    asset_id: Mapped[int] = mapped_column(Id, ForeignKey("assets.id", ondelete="CASCADE"), primary_key=True, index=True)


class Upload(Base):
    """A file on its way. ``received``: bytes that lie in the storage in pieces; ``replaces_id``: the asset whose file it is to be;
    ``asset_id``: what it became, for whoever lost the network before he heard of it."""

    __tablename__ = "uploads"

    id: Mapped[str] = mapped_column(String(43), primary_key=True)  # random
    user_id: Mapped[int] = mapped_column(Id, ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    size: Mapped[int | None] = mapped_column(Id)  # bytes; None while nobody knows, as of a form
    received: Mapped[int] = mapped_column(Id, default=0)
    pieces: Mapped[int] = mapped_column(default=0)
    folder_id: Mapped[int | None] = mapped_column(Id, ForeignKey("folders.id", ondelete="SET NULL"))
    replaces_id: Mapped[int | None] = mapped_column(Id, ForeignKey("assets.id", ondelete="CASCADE"))
    asset_id: Mapped[int | None] = mapped_column(Id, ForeignKey("assets.id", ondelete="CASCADE"))
    started_at: Mapped[Moment]
    active_at: Mapped[Moment] = mapped_column(index=True)


def asset_path(asset_id: int, shown_digest: str, name: str) -> str:
    return f"/media/{asset_id}/{shown_digest[:MARK_LENGTH]}/{name}"
