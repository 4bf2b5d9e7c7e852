"""Lists at the desk are counted for whoever may not see every draft, too, without a look at each post; what was sent back is found; what
somebody has just done to posts is kept for the seconds in which it can be taken back; pages do not name hidden ones above them."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from cms.db.types import UTCDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
PUBLISHED = sa.table(
    "published", sa.column("post_id"), sa.column("kind"), sa.column("path"), sa.column("visibility"), sa.column("trail", JSON)
)  # fmt: skip
STATES = ["kind", "live", "has_changes", "updated_at", "id", "work"]
UNDER_WAY = ["kind", "work", "live"]


def upgrade() -> None:
    op.create_index("ix_reviews_act_id", "reviews", ["act", "id"])
    _index([*STATES, "visibility", "created_by_id"], [*UNDER_WAY, "created_by_id", "id"])
    op.create_table(
        "undo_tickets",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("acts", JSON, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_undo_tickets_user_id_users", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_undo_tickets"),
    )
    op.create_index("ix_undo_tickets_user_id", "undo_tickets", ["user_id"])
    op.create_index("ix_undo_tickets_at", "undo_tickets", ["at"])
    _leave_out_hidden(op.get_bind())


def downgrade() -> None:
    op.drop_table("undo_tickets")
    _index(STATES, UNDER_WAY)
    op.drop_index("ix_reviews_act_id", "reviews")


def _leave_out_hidden(connection: sa.Connection) -> None:
    """Pages named those above them, even where no list does."""
    hidden = {f"/{path}" for path in connection.scalars(sa.select(PUBLISHED.c.path).where(PUBLISHED.c.visibility != "public"))}
    for post_id, trail in connection.execute(sa.select(PUBLISHED.c.post_id, PUBLISHED.c.trail).where(PUBLISHED.c.kind == "page")).all():
        named = [above for above in trail if above["path"] not in hidden]
        if named != trail:
            connection.execute(sa.update(PUBLISHED).where(PUBLISHED.c.post_id == post_id).values(trail=named))


def _index(states: Sequence[str], under_way: Sequence[str]) -> None:
    where = sa.text("work <> 'draft'")
    op.drop_index("ix_posts_states", "posts")
    op.drop_index("ix_posts_under_way", "posts")
    op.create_index("ix_posts_states", "posts", states)
    op.create_index("ix_posts_under_way", "posts", under_way, sqlite_where=where, postgresql_where=where)
