"""The library: what a file is and what is shown of it, words and folders, former addresses, renditions, uploads under way, and which texts
show what; cards of other sites' pages. What lies in the library already is looked at by a job."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from cms.content.folding import fold
from cms.db.types import UTCDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
ONE_ROW = (sa.CheckConstraint("id = 1", name="ck_sites_one_row"),)
IN_LIBRARY, NOT_READY, AT_THE_TOP = sa.text("in_library"), sa.text("state <> 'ready'"), sa.text("parent_id IS NULL")

NEEDED = {  # column of assets → type, and what it is of those that are there
    "shown_digest": (sa.String(64), "0"),
    "kind": (sa.String(20), "file"),
    "state": (sa.String(20), "ready"),
    "in_library": (sa.Boolean(), sa.true()),
    "shown_size": (ID, "0"),
    "frames": (sa.Integer(), "1"),
    "edits": (JSON, "{}"),
    "focus_x": (sa.Integer(), "50"),
    "focus_y": (sa.Integer(), "50"),
    "is_decorative": (sa.Boolean(), sa.false()),
    "caption": (sa.Text(), ""),
    "credit": (sa.String(200), ""),
    "licence": (sa.String(200), ""),
    "description": (sa.Text(), ""),
    "folded": (sa.Text(), ""),
    "updated_at": (UTCDateTime(), "1970-01-01 00:00:00+00"),
    "version": (sa.Integer(), "1"),
}


def upgrade() -> None:
    _make_folders()
    _widen_assets()
    _fill_assets(op.get_bind())
    _make_tables()
    _make_cards()
    with op.batch_alter_table("sites", table_args=ONE_ROW) as batch:
        batch.add_column(sa.Column("media", JSON, nullable=False, server_default="{}"))
    with op.batch_alter_table("sites", table_args=ONE_ROW) as batch:
        batch.alter_column("media", existing_type=JSON, existing_nullable=False, server_default=None)
    op.execute(
        "INSERT INTO jobs (name, key, payload, created_at, due_at, attempts) "
        "SELECT 'catch_up_media', 'catch_up_media:0012', '{}', updated_at, updated_at, 0 FROM posts ORDER BY id LIMIT 1"
    )


def downgrade() -> None:
    op.execute("DELETE FROM jobs WHERE name = 'catch_up_media'")
    with op.batch_alter_table("sites", table_args=ONE_ROW) as batch:
        batch.drop_column("media")
    for table in ("post_cards", "link_cards"):
        op.drop_table(table)
    for table in ("uploads", "revision_assets", "asset_uses", "renditions", "asset_tracks", "asset_addresses", "asset_tags"):
        op.drop_table(table)
    op.execute("DELETE FROM assets WHERE state <> 'ready'")
    for index in ("trashed_at", "created_by_id", "poster_id", "folder_id", "shown_digest", "storing", "library"):
        op.drop_index(f"ix_assets_{index}", "assets")
    with op.batch_alter_table("assets") as batch:
        batch.drop_constraint("fk_assets_poster_id_assets", type_="foreignkey")
        batch.drop_constraint("fk_assets_folder_id_folders", type_="foreignkey")
        for name in ("trashed_at", "poster_id", "folder_id", "duration", *NEEDED):
            batch.drop_column(name)
    op.drop_table("folders")


def _make_folders() -> None:
    op.create_table(
        "folders",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("parent_id", ID, nullable=True),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("folded", sa.String(120), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by_id", ID, nullable=True),
        sa.ForeignKeyConstraint(["parent_id"], ["folders.id"], name="fk_folders_parent_id_folders", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name="fk_folders_created_by_id_users", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_folders"),
        sa.UniqueConstraint("parent_id", "folded", name="uq_folders_parent_id_folded"),
    )
    op.create_index("uq_folders_top", "folders", ["folded"], unique=True, sqlite_where=AT_THE_TOP, postgresql_where=AT_THE_TOP)


def _widen_assets() -> None:
    """Numbers of what is gone are not used again from now on: addresses with them may stand anywhere."""
    with op.batch_alter_table("assets", table_kwargs={"sqlite_autoincrement": True}) as batch:
        for name, (kind, value) in NEEDED.items():
            batch.add_column(sa.Column(name, kind, nullable=False, server_default=value))
        batch.add_column(sa.Column("duration", sa.Float(), nullable=True))
        batch.add_column(sa.Column("folder_id", ID, nullable=True))
        batch.add_column(sa.Column("poster_id", ID, nullable=True))
        batch.add_column(sa.Column("trashed_at", UTCDateTime(), nullable=True))
        batch.create_foreign_key("fk_assets_folder_id_folders", "folders", ["folder_id"], ["id"], ondelete="SET NULL")
        batch.create_foreign_key("fk_assets_poster_id_assets", "assets", ["poster_id"], ["id"], ondelete="SET NULL")
    with op.batch_alter_table("assets", table_kwargs={"sqlite_autoincrement": True}) as batch:
        for name, (kind, _) in NEEDED.items():
            batch.alter_column(name, existing_type=kind, existing_nullable=False, server_default=None)
    for name in ("trashed_at", "created_by_id", "poster_id", "folder_id", "shown_digest"):
        op.create_index(f"ix_assets_{name}", "assets", [name])
    op.create_index("ix_assets_storing", "assets", ["created_at"], sqlite_where=NOT_READY, postgresql_where=NOT_READY)
    op.create_index("ix_assets_library", "assets", ["created_at", "id", "kind"], sqlite_where=IN_LIBRARY, postgresql_where=IN_LIBRARY)


def _fill_assets(connection: sa.Connection) -> None:
    connection.exec_driver_sql("UPDATE assets SET shown_digest = digest, shown_size = size, updated_at = created_at")
    connection.exec_driver_sql("UPDATE assets SET in_library = false WHERE id IN (SELECT asset_id FROM portraits)")
    for start, kind in (("image/", "picture"), ("audio/", "audio"), ("video/", "video")):
        connection.execute(sa.text("UPDATE assets SET kind = :kind WHERE content_type LIKE :like"), {"kind": kind, "like": f"{start}%"})
    for asset_id, name, alt in connection.execute(sa.text("SELECT id, name, alt FROM assets")).all():
        folded = {"id": asset_id, "folded": fold(f"{name} {alt}")}
        connection.execute(sa.text("UPDATE assets SET folded = :folded WHERE id = :id"), folded)


def _make_tables() -> None:
    op.create_table(
        "asset_tags",
        sa.Column("asset_id", ID, nullable=False),
        sa.Column("folded", sa.String(120), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.ForeignKeyConstraint(["asset_id"], ["assets.id"], name="fk_asset_tags_asset_id_assets", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("asset_id", "folded", name="pk_asset_tags"),
    )
    op.create_index("ix_asset_tags_folded", "asset_tags", ["folded"])
    op.create_table(
        "asset_addresses",
        sa.Column("asset_id", ID, nullable=False),
        sa.Column("mark", sa.String(12), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.ForeignKeyConstraint(["asset_id"], ["assets.id"], name="fk_asset_addresses_asset_id_assets", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("asset_id", "mark", "name", name="pk_asset_addresses"),
    )
    op.create_table(
        "asset_tracks",
        sa.Column("asset_id", ID, nullable=False),
        sa.Column("language", sa.String(12), nullable=False),
        sa.Column("track_id", ID, nullable=False),
        sa.Column("label", sa.String(80), nullable=False),
        sa.ForeignKeyConstraint(["asset_id"], ["assets.id"], name="fk_asset_tracks_asset_id_assets", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["track_id"], ["assets.id"], name="fk_asset_tracks_track_id_assets", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("asset_id", "language", name="pk_asset_tracks"),
    )
    op.create_index("ix_asset_tracks_track_id", "asset_tracks", ["track_id"])
    op.create_table(
        "renditions",
        sa.Column("shown_digest", sa.String(64), nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("size", ID, nullable=False),
        sa.Column("made_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("shown_digest", "name", name="pk_renditions"),
    )
    op.create_table(
        "asset_uses",
        sa.Column("post_id", ID, nullable=False),
        sa.Column("side", sa.String(20), nullable=False),
        sa.Column("asset_id", ID, nullable=False),
        sa.ForeignKeyConstraint(["post_id"], ["posts.id"], name="fk_asset_uses_post_id_posts", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["asset_id"], ["assets.id"], name="fk_asset_uses_asset_id_assets", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("post_id", "side", "asset_id", name="pk_asset_uses"),
    )
    op.create_index("ix_asset_uses_asset_id_side_post_id", "asset_uses", ["asset_id", "side", "post_id"])
    op.create_table(
        "revision_assets",
        sa.Column("revision_id", ID, nullable=False),
        sa.Column("asset_id", ID, nullable=False),
        sa.ForeignKeyConstraint(["revision_id"], ["revisions.id"], name="fk_revision_assets_revision_id_revisions", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["asset_id"], ["assets.id"], name="fk_revision_assets_asset_id_assets", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("revision_id", "asset_id", name="pk_revision_assets"),
    )
    op.create_index("ix_revision_assets_asset_id", "revision_assets", ["asset_id"])
    op.create_table(
        "uploads",
        sa.Column("id", sa.String(43), nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("size", ID, nullable=True),
        sa.Column("received", ID, nullable=False),
        sa.Column("pieces", sa.Integer(), nullable=False),
        sa.Column("folder_id", ID, nullable=True),
        sa.Column("replaces_id", ID, nullable=True),
        sa.Column("asset_id", ID, nullable=True),
        sa.Column("started_at", UTCDateTime(), nullable=False),
        sa.Column("active_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_uploads_user_id_users", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["folder_id"], ["folders.id"], name="fk_uploads_folder_id_folders", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["replaces_id"], ["assets.id"], name="fk_uploads_replaces_id_assets", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["asset_id"], ["assets.id"], name="fk_uploads_asset_id_assets", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_uploads"),
    )
    op.create_index("ix_uploads_user_id", "uploads", ["user_id"])
    op.create_index("ix_uploads_active_at", "uploads", ["active_at"])


def _make_cards() -> None:
    op.create_table(
        "link_cards",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("url", sa.String(600), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("site_name", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("picture_id", ID, nullable=True),
        sa.Column("picture_url", sa.Text(), nullable=False),
        sa.Column("fetched_at", UTCDateTime(), nullable=True),
        sa.Column("due_at", UTCDateTime(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["picture_id"], ["assets.id"], name="fk_link_cards_picture_id_assets", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_link_cards"),
        sa.UniqueConstraint("url", name="uq_link_cards_url"),
    )
    op.create_index("ix_link_cards_picture_id", "link_cards", ["picture_id"])
    op.create_index("ix_link_cards_due_at", "link_cards", ["due_at"])
    op.create_table(
        "post_cards",
        sa.Column("post_id", ID, nullable=False),
        sa.Column("card_id", ID, nullable=False),
        sa.ForeignKeyConstraint(["post_id"], ["published.post_id"], name="fk_post_cards_post_id_published", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["card_id"], ["link_cards.id"], name="fk_post_cards_card_id_link_cards", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("post_id", "card_id", name="pk_post_cards"),
    )
    op.create_index("ix_post_cards_card_id", "post_cards", ["card_id"])
