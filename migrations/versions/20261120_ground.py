"""The ground: everything docs/decisions/0001-posts.md names, and the one row of the site."""

import secrets

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from cms.db.types import UTCDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Written out, so that this migration stays what it was when the program's own types change.
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
KIND = sa.String(20)


def upgrade() -> None:
    op.create_table(
        "addresses",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("path", sa.String(length=400), nullable=False),
        sa.Column("target_kind", KIND, nullable=False),
        sa.Column("target_id", ID, nullable=False),
        sa.Column("state", KIND, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_addresses"),
        sa.UniqueConstraint("path", name="uq_addresses_path"),
    )
    op.create_index("ix_addresses_target_kind_target_id", "addresses", ["target_kind", "target_id"])
    op.create_index(
        "ix_addresses_one_place",
        "addresses",
        ["target_kind", "target_id"],
        unique=True,
        postgresql_where=sa.text("state <> 'moved'"),
        sqlite_where=sa.text("state <> 'moved'"),
    )

    op.create_table(
        "categories",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("parent_id", ID, nullable=True),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["parent_id"], ["categories.id"], name="fk_categories_parent_id_categories", ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name="pk_categories"),
    )
    op.create_index("ix_categories_parent_id", "categories", ["parent_id"])

    op.create_table(
        "jobs",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=True),
        sa.Column("payload", JSON, nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("due_at", UTCDateTime(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease", sa.String(length=36), nullable=True),
        sa.Column("leased_until", UTCDateTime(), nullable=True),
        sa.Column("finished_at", UTCDateTime(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
        sa.UniqueConstraint("key", name="uq_jobs_key"),
    )
    op.create_index(
        "ix_jobs_waiting",
        "jobs",
        ["due_at"],
        postgresql_where=sa.text("finished_at IS NULL"),
        sqlite_where=sa.text("finished_at IS NULL"),
    )

    op.create_table(
        "menus",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_menus"),
        sa.UniqueConstraint("name", name="uq_menus_name"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("payload", JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_outbox_at", "outbox", ["at"])

    op.create_table(
        "search_documents",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("ref", ID, nullable=False),
        sa.Column("language", sa.String(length=12), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_search_documents"),
        sa.UniqueConstraint("kind", "ref", name="uq_search_documents_kind_ref"),
    )
    op.create_table(
        "series",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_series"),
        sa.UniqueConstraint("slug", name="uq_series_slug"),
    )
    op.create_table(
        "sites",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("identity", sa.String(length=43), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("description", sa.String(length=300), nullable=False),
        sa.Column("language", sa.String(length=12), nullable=False),
        sa.Column("time_zone", sa.String(length=60), nullable=False),
        sa.Column("permalink", sa.String(length=100), nullable=False),
        sa.Column("posts_per_page", sa.Integer(), nullable=False),
        sa.Column("footer", sa.Text(), nullable=False),
        sa.Column("frame", JSON, nullable=False),
        sa.CheckConstraint("id = 1", name="ck_sites_one_row"),
        sa.PrimaryKeyConstraint("id", name="pk_sites"),
    )
    op.create_table(
        "tags",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("folded", sa.String(length=80), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tags"),
        sa.UniqueConstraint("folded", name="uq_tags_folded"),
        sa.UniqueConstraint("slug", name="uq_tags_slug"),
    )
    op.create_table(
        "users",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("role", KIND, nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("bio", sa.Text(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("disabled_at", UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("email", name="uq_users_email"),
        sa.UniqueConstraint("slug", name="uq_users_slug"),
    )
    op.create_index(
        "ix_users_one_owner",
        "users",
        ["role"],
        unique=True,
        postgresql_where=sa.text("role = 'owner'"),
        sqlite_where=sa.text("role = 'owner'"),
    )

    op.create_table(
        "assets",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("content_type", sa.String(length=100), nullable=False),
        sa.Column("size", ID, nullable=False),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("alt", sa.Text(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", ID, nullable=True),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name="fk_assets_created_by_id_users", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_assets"),
        sa.UniqueConstraint("digest", name="uq_assets_digest"),
    )
    op.create_table(
        "audit",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("user_id", ID, nullable=True),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("subject_kind", sa.String(length=20), nullable=False),
        sa.Column("subject_id", ID, nullable=True),
        sa.Column("details", JSON, nullable=False),
        sa.Column("request_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_audit_user_id_users", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_at", "audit", ["at"])
    op.create_index("ix_audit_subject_kind_subject_id", "audit", ["subject_kind", "subject_id"])
    op.create_index("ix_audit_user_id", "audit", ["user_id"])

    op.create_table(
        "menu_items",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("menu_id", ID, nullable=False),
        sa.Column("parent_id", ID, nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(length=80), nullable=False),
        sa.Column("target_kind", KIND, nullable=True),
        sa.Column("target_id", ID, nullable=True),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(["menu_id"], ["menus.id"], name="fk_menu_items_menu_id_menus", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["parent_id"], ["menu_items.id"], name="fk_menu_items_parent_id_menu_items", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_menu_items"),
    )
    op.create_index("ix_menu_items_menu_id", "menu_items", ["menu_id"])

    op.create_table(
        "posts",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("kind", KIND, nullable=False),
        sa.Column("live", KIND, nullable=False),
        sa.Column("work", KIND, nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("folded_title", sa.String(length=400), nullable=False),
        sa.Column("language", sa.String(length=12), nullable=True),
        sa.Column("translation_of_id", ID, nullable=True),
        sa.Column("created_by_id", ID, nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("first_published_at", UTCDateTime(), nullable=True),
        sa.Column("has_changes", sa.Boolean(), nullable=False),
        sa.Column("trashed_at", UTCDateTime(), nullable=True),
        sa.Column("live_before_trash", KIND, nullable=True),
        sa.Column("import_key", sa.String(length=500), nullable=True),
        sa.Column("import_digest", sa.String(length=64), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name="fk_posts_created_by_id_users", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["translation_of_id"], ["posts.id"], name="fk_posts_translation_of_id_posts", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_posts"),
        sa.UniqueConstraint("import_key", name="uq_posts_import_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_posts_created_by_id", "posts", ["created_by_id"])
    op.create_index("ix_posts_desk", "posts", ["kind", "updated_at", "id"])
    op.create_index("ix_posts_translation_of_id", "posts", ["translation_of_id"])

    op.create_table(
        "sessions",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("user_agent", sa.String(length=200), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("seen_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_sessions_user_id_users", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
        sa.UniqueConstraint("token_hash", name="uq_sessions_token_hash"),
    )
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"])

    op.create_table(
        "post_authors",
        sa.Column("post_id", ID, nullable=False),
        sa.Column("side", KIND, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["post_id"], ["posts.id"], name="fk_post_authors_post_id_posts", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_post_authors_user_id_users", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("post_id", "side", "user_id", name="pk_post_authors"),
    )
    op.create_index("ix_post_authors_user_id", "post_authors", ["user_id"])

    op.create_table(
        "post_categories",
        sa.Column("post_id", ID, nullable=False),
        sa.Column("side", KIND, nullable=False),
        sa.Column("category_id", ID, nullable=False),
        sa.ForeignKeyConstraint(["category_id"], ["categories.id"], name="fk_post_categories_category_id_categories", ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["post_id"], ["posts.id"], name="fk_post_categories_post_id_posts", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("post_id", "side", name="pk_post_categories"),
    )
    op.create_index("ix_post_categories_category_id", "post_categories", ["category_id"])

    op.create_table(
        "post_series",
        sa.Column("post_id", ID, nullable=False),
        sa.Column("side", KIND, nullable=False),
        sa.Column("series_id", ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["post_id"], ["posts.id"], name="fk_post_series_post_id_posts", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["series_id"], ["series.id"], name="fk_post_series_series_id_series", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("post_id", "side", name="pk_post_series"),
    )
    op.create_index("ix_post_series_series_id", "post_series", ["series_id"])

    op.create_table(
        "post_tags",
        sa.Column("post_id", ID, nullable=False),
        sa.Column("side", KIND, nullable=False),
        sa.Column("tag_id", ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["post_id"], ["posts.id"], name="fk_post_tags_post_id_posts", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["tag_id"], ["tags.id"], name="fk_post_tags_tag_id_tags", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("post_id", "side", "tag_id", name="pk_post_tags"),
    )
    op.create_index("ix_post_tags_tag_id", "post_tags", ["tag_id"])

    op.create_table(
        "revisions",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("post_id", ID, nullable=False),
        sa.Column("reason", KIND, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("fields", JSON, nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", ID, nullable=True),
        sa.Column("restored_from_id", ID, nullable=True),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name="fk_revisions_created_by_id_users", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["post_id"], ["posts.id"], name="fk_revisions_post_id_posts", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["restored_from_id"], ["revisions.id"], name="fk_revisions_restored_from_id_revisions", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_revisions"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_revisions_post_id_id", "revisions", ["post_id", "id"])
    op.create_index("ix_revisions_restored_from_id", "revisions", ["restored_from_id"])

    op.create_table(
        "working_copies",
        sa.Column("post_id", ID, nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("fields", JSON, nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("updated_by_id", ID, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["post_id"], ["posts.id"], name="fk_working_copies_post_id_posts", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["updated_by_id"], ["users.id"], name="fk_working_copies_updated_by_id_users", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("post_id", name="pk_working_copies"),
    )
    op.create_table(
        "published",
        sa.Column("post_id", ID, nullable=False),
        sa.Column("kind", KIND, nullable=False),
        sa.Column("revision_id", ID, nullable=False),
        sa.Column("path", sa.String(length=400), nullable=False),
        sa.Column("parent_id", ID, nullable=True),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("title_html", sa.Text(), nullable=False),
        sa.Column("excerpt", sa.Text(), nullable=False),
        sa.Column("standfirst", sa.Text(), nullable=False),
        sa.Column("words", sa.Integer(), nullable=False),
        sa.Column("reading_minutes", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(length=12), nullable=False),
        sa.Column("published_at", UTCDateTime(), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("authors", JSON, nullable=False),
        sa.Column("tags", JSON, nullable=False),
        sa.Column("category", JSON, nullable=True),
        sa.Column("picture", JSON, nullable=True),
        sa.Column("trail", JSON, nullable=False),
        sa.Column("toc", JSON, nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["parent_id"], ["posts.id"], name="fk_published_parent_id_posts", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["post_id"], ["posts.id"], name="fk_published_post_id_posts", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["revision_id"], ["revisions.id"], name="fk_published_revision_id_revisions"),
        sa.PrimaryKeyConstraint("post_id", name="pk_published"),
        sa.UniqueConstraint("revision_id", name="uq_published_revision_id"),
    )
    op.create_index("ix_published_month", "published", ["kind", "month", "published_at", "post_id"])
    op.create_index("ix_published_newest", "published", ["kind", "published_at", "post_id"])
    op.create_index("ix_published_parent_id", "published", ["parent_id"])

    op.create_table(
        "schedules",
        sa.Column("post_id", ID, nullable=False),
        sa.Column("act", KIND, nullable=False),
        sa.Column("revision_id", ID, nullable=True),
        sa.Column("due_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", ID, nullable=True),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name="fk_schedules_created_by_id_users", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["post_id"], ["posts.id"], name="fk_schedules_post_id_posts", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["revision_id"], ["revisions.id"], name="fk_schedules_revision_id_revisions", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("post_id", "act", name="pk_schedules"),
    )
    op.create_index("ix_schedules_due_at", "schedules", ["due_at"])

    _insert_site()


def downgrade() -> None:
    op.drop_table("schedules")
    op.drop_table("published")
    op.drop_table("working_copies")
    op.drop_table("revisions")
    op.drop_table("post_tags")
    op.drop_table("post_series")
    op.drop_table("post_categories")
    op.drop_table("post_authors")
    op.drop_table("sessions")
    op.drop_table("posts")
    op.drop_table("menu_items")
    op.drop_table("audit")
    op.drop_table("assets")
    op.drop_table("users")
    op.drop_table("tags")
    op.drop_table("sites")
    op.drop_table("series")
    op.drop_table("search_documents")
    op.drop_table("outbox")
    op.drop_table("menus")
    op.drop_table("jobs")
    op.drop_table("categories")
    op.drop_table("addresses")


def _insert_site() -> None:
    """The frame is made by the program when it starts; ``identity`` is what the owner's one-time link is derived from."""
    sites = sa.table(
        "sites",
        *(
            sa.column(name)
            for name in (
                "id",
                "identity",
                "name",
                "description",
                "language",
                "time_zone",
                "permalink",
                "posts_per_page",
                "footer",
            )
        ),
        sa.column("frame", JSON),
    )
    row = {
        "id": 1,
        "identity": secrets.token_urlsafe(32),
        "name": "Squall",
        "description": "",
        "language": "en",
        "time_zone": "UTC",
        "permalink": "/{slug}",
        "posts_per_page": 10,
        "footer": "",
        "frame": {},
    }
    op.bulk_insert(sites, [row])
