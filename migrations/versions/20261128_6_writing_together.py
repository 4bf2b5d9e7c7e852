"""Writing together: documents and their updates, who wrote what, threads, notifications, links for outsiders; pinned revisions;
what search engines and shared links are to say of a text."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from cms.db.types import UTCDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
ONE_ROW = (sa.CheckConstraint("id = 1", name="ck_sites_one_row"),)  # SQLite's table is made anew, and its checks are not read
NEW = ("preview_links", "notifications", "remarks", "threads", "document_writers", "document_updates", "documents")


def upgrade() -> None:
    with op.batch_alter_table("revisions", table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.add_column(sa.Column("is_pinned", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("revisions", table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.alter_column("is_pinned", existing_type=sa.Boolean(), existing_nullable=False, server_default=None)
    op.add_column("published", sa.Column("meta", JSON, nullable=True))
    with op.batch_alter_table("sites", table_args=ONE_ROW) as batch:
        batch.add_column(sa.Column("compulsory_checks", JSON, nullable=False, server_default="[]"))
    with op.batch_alter_table("sites", table_args=ONE_ROW) as batch:
        batch.alter_column("compulsory_checks", existing_type=JSON, existing_nullable=False, server_default=None)
    _make_documents()
    _make_threads()
    _make_links()


def _key(table: str, column: str, parent: str, *, key: str = "id", ondelete: str = "CASCADE") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{parent}.{key}"], name=f"fk_{table}_{column}_{parent}", ondelete=ondelete)


def _make_documents() -> None:
    op.create_table(
        "documents",
        sa.Column("post_id", ID, autoincrement=False, nullable=False),
        sa.Column("lineage", sa.String(32), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("is_ahead", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        _key("documents", "post_id", "posts"),
        sa.PrimaryKeyConstraint("post_id", name="pk_documents"),
    )
    op.create_index("ix_documents_is_ahead", "documents", ["is_ahead"])
    op.create_table(
        "document_updates",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("post_id", ID, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        _key("document_updates", "post_id", "documents", key="post_id"),
        sa.PrimaryKeyConstraint("id", name="pk_document_updates"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_document_updates_post_id_id", "document_updates", ["post_id", "id"])
    op.create_table(
        "document_writers",
        sa.Column("post_id", ID, autoincrement=False, nullable=False),
        sa.Column("client_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", ID, nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        _key("document_writers", "post_id", "documents", key="post_id"),
        _key("document_writers", "user_id", "users", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("post_id", "client_id", name="pk_document_writers"),
    )
    op.create_index("ix_document_writers_user_id", "document_writers", ["user_id"])


def _make_threads() -> None:
    op.create_table(
        "threads",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("post_id", ID, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("anchor", JSON, nullable=False),
        sa.Column("quote", sa.Text(), nullable=False),
        sa.Column("replacement", sa.Text(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", ID, nullable=True),
        sa.Column("outcome", sa.String(20), nullable=True),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.Column("ended_by_id", ID, nullable=True),
        _key("threads", "post_id", "posts"),
        _key("threads", "created_by_id", "users", ondelete="SET NULL"),
        _key("threads", "ended_by_id", "users", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_threads"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_threads_post_id_id", "threads", ["post_id", "id"])
    op.create_index("ix_threads_created_by_id", "threads", ["created_by_id"])
    op.create_index("ix_threads_ended_by_id", "threads", ["ended_by_id"])
    op.create_table(
        "remarks",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("thread_id", ID, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", ID, nullable=True),
        _key("remarks", "thread_id", "threads"),
        _key("remarks", "created_by_id", "users", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_remarks"),
    )
    op.create_index("ix_remarks_thread_id_id", "remarks", ["thread_id", "id"])
    op.create_index("ix_remarks_created_by_id", "remarks", ["created_by_id"])
    op.create_table(
        "notifications",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("kind", sa.String(30), nullable=False),
        sa.Column("data", JSON, nullable=False),
        sa.Column("post_id", ID, nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("seen_at", UTCDateTime(), nullable=True),
        _key("notifications", "user_id", "users"),
        _key("notifications", "post_id", "posts"),
        sa.PrimaryKeyConstraint("id", name="pk_notifications"),
    )
    op.create_index("ix_notifications_user_id_seen_at_id", "notifications", ["user_id", "seen_at", "id"])
    op.create_index("ix_notifications_post_id", "notifications", ["post_id"])


def _make_links() -> None:
    op.create_table(
        "preview_links",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("post_id", ID, nullable=False),
        sa.Column("revision_id", ID, nullable=True),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", ID, nullable=True),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.Column("revoked_at", UTCDateTime(), nullable=True),
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.Column("seen_at", UTCDateTime(), nullable=True),
        _key("preview_links", "post_id", "posts"),
        _key("preview_links", "revision_id", "revisions"),
        _key("preview_links", "created_by_id", "users", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_preview_links"),
        sa.UniqueConstraint("token_hash", name="uq_preview_links_token_hash"),
    )
    for column in ("post_id", "revision_id", "created_by_id", "expires_at"):
        op.create_index(f"ix_preview_links_{column}", "preview_links", [column])


def downgrade() -> None:
    for table in NEW:
        op.drop_table(table)
    with op.batch_alter_table("sites", table_args=ONE_ROW) as batch:
        batch.drop_column("compulsory_checks")
    op.drop_column("published", "meta")
    with op.batch_alter_table("revisions", table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.drop_column("is_pinned")
