"""Posts and pages: identity, working copy, revisions, and the read document. docs/decisions/0001-posts.md says why there are four."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, ForeignKey, Index, Integer, String, Text, and_, text
from sqlalchemy.orm import InstrumentedAttribute, Mapped, mapped_column

from cms.db.types import Id, Sentence, enum_type
from cms.models.address import MAX_PATH
from cms.models.base import Base, JsonList, JsonMap, Moment, PrimaryKey
from cms.schemas.post import PostFields


class Kind(StrEnum):
    POST = "post"
    PAGE = "page"


class Live(StrEnum):
    """What readers have of it."""

    NEVER = "never"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"
    TRASHED = "trashed"


class WorkState(StrEnum):
    """Where the work on it stands."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    SCHEDULED = "scheduled"


class Side(StrEnum):
    WORK = "work"
    LIVE = "live"


class Reason(StrEnum):
    """Why a revision was made."""

    SAVED = "saved"
    PUBLISHED = "published"
    SUBMITTED = "submitted"
    RESTORED = "restored"
    TAKEOVER = "takeover"
    IDLE = "idle"
    IMPORTED = "imported"


class Visibility(StrEnum):
    """Whom a public text is for."""

    PUBLIC = "public"
    UNLISTED = "unlisted"  # whoever has its address; it stands in no list, and crawlers are asked to leave it alone
    PASSWORD = "password"  # noqa: S105 - whoever knows it


class ScheduledAct(StrEnum):
    PUBLISH = "publish"
    WITHDRAW = "withdraw"


_HAS_CHANGES = text("has_changes")
_UNDER_WAY = text("work <> 'draft'")


class Post(Base):
    """Identity and states. ``owner_ids``, set by the query that loaded it (services/posts.py): creator and authors of the working copy."""

    __tablename__ = "posts"
    __table_args__ = (
        # Each has all that the desk's lists ask for before they know which fifty are shown.
        Index("ix_posts_desk", "kind", "updated_at", "id", "live", "has_changes", "language", "visibility", "first_published_at"),
        Index("ix_posts_under_way", "kind", "work", "live", "created_by_id", "id", sqlite_where=_UNDER_WAY, postgresql_where=_UNDER_WAY),
        Index("ix_posts_states", "kind", "live", "has_changes", "updated_at", "id", "work", "visibility", "created_by_id"),
        Index("ix_posts_titles", "kind", "folded_title", "id", "live"),
        Index("ix_posts_authors", "kind", "folded_author", "id", "live"),
        Index("ix_posts_dates", "kind", "first_published_at", "id", "live"),
        Index("ix_posts_work", "work", "live", "updated_at", "id"),
        Index("ix_posts_changed", "updated_at", "id", sqlite_where=_HAS_CHANGES, postgresql_where=_HAS_CHANGES),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[PrimaryKey]
    kind: Mapped[Kind] = mapped_column(enum_type(Kind))
    live: Mapped[Live] = mapped_column(enum_type(Live), default=Live.NEVER)
    work: Mapped[WorkState] = mapped_column(enum_type(WorkState), default=WorkState.DRAFT)
    title: Mapped[str] = mapped_column(String(300), default="")  # plain, of the working copy, for lists at the desk
    folded_title: Mapped[str] = mapped_column(String(400), default="")  # without case and accents, to be searched
    folded_author: Mapped[str] = mapped_column(String(160), default="", server_default="")  # of whoever stands first above it
    language: Mapped[str | None] = mapped_column(String(12))  # None: the site's
    translation_of_id: Mapped[int | None] = mapped_column(Id, ForeignKey("posts.id", ondelete="SET NULL"), index=True)
    created_by_id: Mapped[int | None] = mapped_column(Id, ForeignKey("users.id", ondelete="SET NULL"), index=True)
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]
    first_published_at: Mapped[Moment | None]
    has_changes: Mapped[bool] = mapped_column(default=False)  # the working copy differs from what readers see
    visibility: Mapped[Visibility] = mapped_column(enum_type(Visibility), default=Visibility.PUBLIC)
    password_hash: Mapped[str | None] = mapped_column(String(200))  # of what readers are asked for
    position: Mapped[int] = mapped_column(default=0)  # of a page among those beside it in the tree
    trashed_at: Mapped[Moment | None]
    live_before_trash: Mapped[Live | None] = mapped_column(enum_type(Live))
    import_key: Mapped[str | None] = mapped_column(String(500), unique=True)
    import_digest: Mapped[str | None] = mapped_column(String(64))  # of what was brought in: an import that says the same does nothing
    version: Mapped[int] = mapped_column(Integer)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012

    owner_ids: frozenset[int] = frozenset()

    @classmethod
    def in_place(cls) -> tuple[ColumnElement[bool], InstrumentedAttribute[int]]:
        """The order in which pages stand beside each other: as somebody placed them, and those that nobody has placed last."""
        return cls.position == 0, cls.position

    @property
    def was_ever_public(self) -> bool:
        return self.live is not Live.NEVER and not (self.live is Live.TRASHED and self.live_before_trash is Live.NEVER)

    @property
    def is_published(self) -> bool:
        return self.live is Live.PUBLISHED

    @property
    def is_trashed(self) -> bool:
        return self.live is Live.TRASHED

    @property
    def status(self) -> str:
        """One word for a list: trashed, changed, published, withdrawn, or where the work stands."""
        if self.is_published:
            return "changed" if self.has_changes else "published"
        if self.live in (Live.TRASHED, Live.WITHDRAWN):
            return self.live.value
        return self.work.value


class WorkingCopy(Base):
    """What editors see: a text and a map, the shape of a Yjs document. ``version`` counts every write."""

    __tablename__ = "working_copies"

    post_id: Mapped[int] = mapped_column(Id, ForeignKey("posts.id", ondelete="CASCADE"), primary_key=True)
    content: Mapped[str] = mapped_column(Text)
    fields: Mapped[JsonMap]
    updated_at: Mapped[Moment]
    updated_by_id: Mapped[int | None] = mapped_column(Id, ForeignKey("users.id", ondelete="SET NULL"))
    version: Mapped[int] = mapped_column(Integer)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012


class Revision(Base):
    """An immutable snapshot in the shape of a working copy."""

    __tablename__ = "revisions"
    __table_args__ = (Index(None, "post_id", "id"), {"sqlite_autoincrement": True})

    id: Mapped[PrimaryKey]
    post_id: Mapped[int] = mapped_column(Id, ForeignKey("posts.id", ondelete="CASCADE"))
    reason: Mapped[Reason] = mapped_column(enum_type(Reason))
    name: Mapped[str] = mapped_column(String(100), default="")
    content: Mapped[str] = mapped_column(Text)
    fields: Mapped[JsonMap]
    created_at: Mapped[Moment]
    created_by_id: Mapped[int | None] = mapped_column(Id, ForeignKey("users.id", ondelete="SET NULL"))
    restored_from_id: Mapped[int | None] = mapped_column(Id, ForeignKey("revisions.id", ondelete="SET NULL"), index=True)
    is_pinned: Mapped[bool] = mapped_column(default=False)  # kept whatever the rule says by which others are forgotten

    @classmethod
    def of(cls, copy: WorkingCopy, reason: Reason, at: datetime, by_id: int | None) -> "Revision":
        """The working copy as it stands."""
        return cls(post_id=copy.post_id, reason=reason, content=copy.content, fields=copy.fields, created_at=at, created_by_id=by_id)

    def is_same_as(self, copy: WorkingCopy) -> bool:
        """A field that one of them does not know yet is as it would be if nobody had touched it."""
        return self.content == copy.content and PostFields.model_validate(self.fields) == PostFields.model_validate(copy.fields)


class Schedule(Base):
    """A revision that waits for its time; at most one act of a kind for a post. ``redirect_to``: where a text that ends then leads;
    ``error``: why it could not be done when its time had come."""

    __tablename__ = "schedules"

    post_id: Mapped[int] = mapped_column(Id, ForeignKey("posts.id", ondelete="CASCADE"), primary_key=True)
    act: Mapped[ScheduledAct] = mapped_column(enum_type(ScheduledAct), primary_key=True)
    revision_id: Mapped[int | None] = mapped_column(Id, ForeignKey("revisions.id", ondelete="CASCADE"))
    due_at: Mapped[Moment] = mapped_column(index=True)
    created_by_id: Mapped[int | None] = mapped_column(Id, ForeignKey("users.id", ondelete="SET NULL"))
    redirect_to: Mapped[str] = mapped_column(String(500), default="")
    error: Mapped[str | None] = mapped_column(Sentence)


_FEATURED = text("is_featured")


class Published(Base):
    """The read document: everything a page, a card, a feed entry or a sitemap line shows. A row exists exactly while the post is public.

    What may be long stands last: SQLite reads a row up to the last column asked for, and lists do not ask for these.
    """

    __tablename__ = "published"
    __table_args__ = (
        Index("ix_published_newest", "kind", "visibility", "published_at", "post_id"),
        Index("ix_published_month", "kind", "visibility", "month", "published_at", "post_id"),
        Index(None, "parent_id"),
        Index("ix_published_featured", "published_at", sqlite_where=_FEATURED, postgresql_where=_FEATURED),
    )

    post_id: Mapped[int] = mapped_column(Id, ForeignKey("posts.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[Kind] = mapped_column(enum_type(Kind))
    revision_id: Mapped[int] = mapped_column(Id, ForeignKey("revisions.id"), unique=True)
    path: Mapped[str] = mapped_column(String(MAX_PATH))
    parent_id: Mapped[int | None] = mapped_column(Id, ForeignKey("posts.id", ondelete="SET NULL"))
    title: Mapped[str] = mapped_column(String(300))  # plain
    title_html: Mapped[str] = mapped_column(Text)
    excerpt: Mapped[str] = mapped_column(Text)  # plain
    standfirst: Mapped[str] = mapped_column(Text)  # the excerpt if somebody wrote it: one taken from the text would be read twice
    words: Mapped[int]
    reading_minutes: Mapped[int]
    language: Mapped[str] = mapped_column(String(12))
    published_at: Mapped[Moment]
    month: Mapped[str] = mapped_column(String(7))  # "2026-11" in the site's zone, for the archive
    updated_at: Mapped[Moment]  # when readers last saw it change
    authors: Mapped[JsonList]  # [{id, name, path, bio}]
    tags: Mapped[JsonList]  # [{id, name, path}]
    category: Mapped[JsonMap | None]
    picture: Mapped[JsonMap | None]
    trail: Mapped[JsonList]  # a page's parents: [{title, path}]
    is_featured: Mapped[bool] = mapped_column(default=False)
    visibility: Mapped[Visibility] = mapped_column(enum_type(Visibility), default=Visibility.PUBLIC)
    custom: Mapped[JsonList | None]  # custom fields that are set, in order: [{key, label, type, value}]
    # What stands around it (services/surroundings.py): links are {id, title, title_html, path, published_at, reading_minutes, language}.
    previous: Mapped[JsonMap | None]  # the post before it by date
    following: Mapped[JsonMap | None]
    series: Mapped[JsonMap | None]  # {id, name, path, parts: [link]}
    related: Mapped[JsonList] = mapped_column(default=list)  # [link], chosen when it was published
    meta: Mapped[JsonMap | None]  # what others show in place of title and excerpt: {search_title, …}; None: nothing else than those
    toc: Mapped[JsonList]  # [{level, id, text}]
    html: Mapped[str] = mapped_column(Text)

    @property
    def is_listed(self) -> bool:
        return self.visibility is Visibility.PUBLIC

    @classmethod
    def in_lists(cls, kind: Kind) -> ColumnElement[bool]:
        """Posts, or pages, that readers find without having their address."""
        return and_(cls.kind == kind, cls.visibility == Visibility.PUBLIC)


class RelatedPost(Base):
    """Which posts another one names as related, so that those can follow a changed title."""

    __tablename__ = "related_posts"

    post_id: Mapped[int] = mapped_column(Id, ForeignKey("posts.id", ondelete="CASCADE"), primary_key=True)
    related_id: Mapped[int] = mapped_column(Id, ForeignKey("posts.id", ondelete="CASCADE"), primary_key=True, index=True)
    position: Mapped[int]


class PostLink(Base):
    """Which paths of the site a public text leads to."""

    __tablename__ = "post_links"

    post_id: Mapped[int] = mapped_column(Id, ForeignKey("published.post_id", ondelete="CASCADE"), primary_key=True)
    path: Mapped[str] = mapped_column(String(MAX_PATH), primary_key=True, index=True)


class PostAuthor(Base):
    """Who wrote it, in order."""

    __tablename__ = "post_authors"
    __table_args__ = (Index(None, "user_id", "side", "post_id"),)

    post_id: Mapped[int] = mapped_column(Id, ForeignKey("posts.id", ondelete="CASCADE"), primary_key=True)
    side: Mapped[Side] = mapped_column(enum_type(Side), primary_key=True)
    user_id: Mapped[int] = mapped_column(Id, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int]


class PostTag(Base):
    __tablename__ = "post_tags"
    __table_args__ = (Index(None, "tag_id", "side", "post_id"),)

    post_id: Mapped[int] = mapped_column(Id, ForeignKey("posts.id", ondelete="CASCADE"), primary_key=True)
    side: Mapped[Side] = mapped_column(enum_type(Side), primary_key=True)
    tag_id: Mapped[int] = mapped_column(Id, ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int]


class PostCategory(Base):
    __tablename__ = "post_categories"
    __table_args__ = (Index(None, "category_id", "side", "post_id"),)

    post_id: Mapped[int] = mapped_column(Id, ForeignKey("posts.id", ondelete="CASCADE"), primary_key=True)
    side: Mapped[Side] = mapped_column(enum_type(Side), primary_key=True)
    category_id: Mapped[int] = mapped_column(Id, ForeignKey("categories.id", ondelete="RESTRICT"))


class PostSeries(Base):
    __tablename__ = "post_series"
    __table_args__ = (Index(None, "series_id", "side", "post_id"),)

    post_id: Mapped[int] = mapped_column(Id, ForeignKey("posts.id", ondelete="CASCADE"), primary_key=True)
    side: Mapped[Side] = mapped_column(enum_type(Side), primary_key=True)
    series_id: Mapped[int] = mapped_column(Id, ForeignKey("series.id", ondelete="CASCADE"))
    position: Mapped[int]
