"""What stands around a post (its neighbours, its series, what to read on), and which process an event came from."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
FEATURED = sa.text("is_featured")


def upgrade() -> None:
    # Added as they are, not by making the table anew: a default is all that rows need.
    op.add_column("published", sa.Column("is_featured", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("published", sa.Column("previous", JSON, nullable=True))
    op.add_column("published", sa.Column("following", JSON, nullable=True))
    op.add_column("published", sa.Column("series", JSON, nullable=True))
    op.add_column("published", sa.Column("related", JSON, nullable=False, server_default="[]"))
    op.create_index("ix_published_featured", "published", ["published_at"], sqlite_where=FEATURED, postgresql_where=FEATURED)
    op.create_table(
        "related_posts",
        sa.Column("post_id", ID, nullable=False),
        sa.Column("related_id", ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["post_id"], ["posts.id"], name="fk_related_posts_post_id_posts", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["related_id"], ["posts.id"], name="fk_related_posts_related_id_posts", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("post_id", "related_id", name="pk_related_posts"),
    )
    op.create_index("ix_related_posts_related_id", "related_posts", ["related_id"])
    op.add_column("outbox", sa.Column("origin", sa.String(length=32), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("outbox", "origin")
    op.drop_index("ix_related_posts_related_id", "related_posts")
    op.drop_table("related_posts")
    op.drop_index("ix_published_featured", "published")
    for name in ("related", "series", "following", "previous", "is_featured"):
        op.drop_column("published", name)
