"""What people at the desk keep for their work: custom fields, snippets, templates, views of lists, redirects, reviews, long transfers, and
things that were deleted."""

from enum import StrEnum

from sqlalchemy import ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cms.db.types import Id, Sentence, enum_type
from cms.models.base import Base, JsonList, JsonMap, Moment, PrimaryKey
from cms.models.post import Kind


class Match(StrEnum):
    EXACT = "exact"
    PREFIX = "prefix"  # the path and all below it; what is below goes along


class Redirect(Base):
    """Asked where nothing stands, or stands no more. ``path`` as in ``addresses``; ``target``: a path with a slash before it, or an
    address elsewhere."""

    __tablename__ = "redirects"
    __table_args__ = (UniqueConstraint("match", "path"),)

    id: Mapped[PrimaryKey]
    match: Mapped[Match] = mapped_column(enum_type(Match))
    path: Mapped[str] = mapped_column(String(400))
    target: Mapped[str] = mapped_column(String(500))
    hits: Mapped[int] = mapped_column(default=0)
    hit_at: Mapped[Moment | None]
    created_at: Mapped[Moment]
    created_by_id: Mapped[int | None] = mapped_column(Id, ForeignKey("users.id", ondelete="SET NULL"))


class ReviewAct(StrEnum):
    SUBMITTED = "submitted"
    TAKEN_BACK = "taken_back"
    CHANGES_ASKED = "changes_asked"
    APPROVED = "approved"


class Review(Base):
    """One act of a review; all of a post, in order, are its history. ``step``: the one that was approved or refused, from 0."""

    __tablename__ = "reviews"
    __table_args__ = (Index(None, "post_id", "id"), Index(None, "act", "id"))

    id: Mapped[PrimaryKey]
    post_id: Mapped[int] = mapped_column(Id, ForeignKey("posts.id", ondelete="CASCADE"))
    revision_id: Mapped[int | None] = mapped_column(Id, ForeignKey("revisions.id", ondelete="SET NULL"), index=True)
    act: Mapped[ReviewAct] = mapped_column(enum_type(ReviewAct))
    step: Mapped[int] = mapped_column(default=0)
    words: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[Moment]
    created_by_id: Mapped[int | None] = mapped_column(Id, ForeignKey("users.id", ondelete="SET NULL"), index=True)


class FieldType(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    CHOICE = "choice"
    LINK = "link"
    PICTURE = "picture"


class CustomField(Base):
    """Defined by an administrator for posts or pages. ``key``: its name in the map of a working copy, in templates and feeds."""

    __tablename__ = "custom_fields"
    __table_args__ = (UniqueConstraint("kind", "key"),)

    id: Mapped[PrimaryKey]
    kind: Mapped[Kind] = mapped_column(enum_type(Kind))
    key: Mapped[str] = mapped_column(String(40))
    label: Mapped[str] = mapped_column(String(80))
    type: Mapped[FieldType] = mapped_column(enum_type(FieldType))
    help: Mapped[str] = mapped_column(String(300), default="")
    choices: Mapped[JsonList] = mapped_column(default=list)
    is_required: Mapped[bool] = mapped_column(default=False)
    position: Mapped[int] = mapped_column(default=0)


class Snippet(Base):
    """A piece of Markdown that is put into texts."""

    __tablename__ = "snippets"

    id: Mapped[PrimaryKey]
    name: Mapped[str] = mapped_column(String(80), unique=True)
    text: Mapped[str] = mapped_column(Text)
    updated_at: Mapped[Moment]
    updated_by_id: Mapped[int | None] = mapped_column(Id, ForeignKey("users.id", ondelete="SET NULL"))
    version: Mapped[int] = mapped_column(Integer)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012


class PostTemplate(Base):
    """What a new text begins with, in the shape of a working copy."""

    __tablename__ = "post_templates"
    __table_args__ = (UniqueConstraint("kind", "name"),)

    id: Mapped[PrimaryKey]
    kind: Mapped[Kind] = mapped_column(enum_type(Kind))
    name: Mapped[str] = mapped_column(String(80))
    content: Mapped[str] = mapped_column(Text)
    fields: Mapped[JsonMap]
    updated_at: Mapped[Moment]
    updated_by_id: Mapped[int | None] = mapped_column(Id, ForeignKey("users.id", ondelete="SET NULL"))
    version: Mapped[int] = mapped_column(Integer)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012


class SavedView(Base):
    """A list with its filters, by the query of its address."""

    __tablename__ = "saved_views"
    __table_args__ = (UniqueConstraint("user_id", "kind", "name"),)

    id: Mapped[PrimaryKey]
    user_id: Mapped[int] = mapped_column(Id, ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[Kind] = mapped_column(enum_type(Kind))
    name: Mapped[str] = mapped_column(String(60))
    query: Mapped[str] = mapped_column(String(1000))


class UndoTicket(Base):
    """What somebody has just done, and may take back for some seconds. ``acts``: how each post stood before (services/undoing.py)."""

    __tablename__ = "undo_tickets"

    id: Mapped[PrimaryKey]
    user_id: Mapped[int] = mapped_column(Id, ForeignKey("users.id", ondelete="CASCADE"), index=True)
    at: Mapped[Moment] = mapped_column(index=True)
    acts: Mapped[JsonList]


class TrashKind(StrEnum):
    """Things other than texts and files, which have a trash of their own: their rows stay."""

    CATEGORY = "category"
    TAG = "tag"
    SERIES = "series"
    SNIPPET = "snippet"
    TEMPLATE = "template"
    FIELD = "field"
    REDIRECT = "redirect"
    FOLDER = "folder"


class TrashedThing(Base):
    """One that was deleted. ``number``: its own, while it was there; ``was``: what it takes to make it again, as its service wrote it."""

    __tablename__ = "trashed_things"

    id: Mapped[PrimaryKey]
    kind: Mapped[TrashKind] = mapped_column(enum_type(TrashKind))
    number: Mapped[int] = mapped_column(Id)
    name: Mapped[str] = mapped_column(Text)
    was: Mapped[JsonMap]
    at: Mapped[Moment] = mapped_column(index=True)
    by_id: Mapped[int | None] = mapped_column(Id, ForeignKey("users.id", ondelete="SET NULL"), index=True)


class TransferKind(StrEnum):
    IMPORT = "import"
    EXPORT = "export"
    BACKUP = "backup"
    CHECK = "check"  # of the installation: what ``squall doctor`` says


class TransferState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Transfer(Base):
    """An import, an export, a backup or a check that was asked for at the desk. ``file``: its archive, a name below the data folder; ""
    when it is gone. ``progress``: {"done", "of", "words"}; ``report``: what was done, in numbers and sentences."""

    __tablename__ = "transfers"

    id: Mapped[PrimaryKey]
    kind: Mapped[TransferKind] = mapped_column(enum_type(TransferKind))
    state: Mapped[TransferState] = mapped_column(enum_type(TransferState), default=TransferState.WAITING)
    format: Mapped[str] = mapped_column(String(20), default="")
    options: Mapped[JsonMap]
    file: Mapped[str] = mapped_column(String(200), default="")
    size: Mapped[int] = mapped_column(Id, default=0)  # bytes
    progress: Mapped[JsonMap | None]
    report: Mapped[JsonMap | None]
    error: Mapped[str | None] = mapped_column(Sentence)
    created_at: Mapped[Moment]
    finished_at: Mapped[Moment | None]
    created_by_id: Mapped[int | None] = mapped_column(Id, ForeignKey("users.id", ondelete="SET NULL"))

    @property
    def is_under_way(self) -> bool:
        return self.state in (TransferState.WAITING, TransferState.RUNNING)

    @property
    def is_rehearsed(self) -> bool:
        """Whether the archive is still here of an import that was only tried."""
        return self.kind == TransferKind.IMPORT and self.state == TransferState.DONE and bool(self.options.get("rehearsal") and self.file)
