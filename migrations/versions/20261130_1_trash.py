"""The trash of things other than texts and files: what was deleted, and which texts stood under it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from cms.db.types import UTCDateTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    op.create_table(
        "trashed_things",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("number", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("was", JSON, nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("by_id", ID, nullable=True),
        sa.ForeignKeyConstraint(["by_id"], ["users.id"], name="fk_trashed_things_by_id_users", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_trashed_things"),
    )
    op.create_index("ix_trashed_things_at", "trashed_things", ["at"])
    op.create_index("ix_trashed_things_by_id", "trashed_things", ["by_id"])
    op.create_table(
        "taken_out",
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("term_id", ID, autoincrement=False, nullable=False),
        sa.Column("post_id", ID, autoincrement=False, nullable=False),
        sa.Column("places", JSON, nullable=False),
        sa.ForeignKeyConstraint(["post_id"], ["posts.id"], name="fk_taken_out_post_id_posts", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("kind", "term_id", "post_id", name="pk_taken_out"),
    )
    op.create_index("ix_taken_out_post_id", "taken_out", ["post_id"])


def downgrade() -> None:
    """What is in it is gone, as if it had been emptied."""
    op.drop_table("taken_out")
    op.drop_table("trashed_things")
