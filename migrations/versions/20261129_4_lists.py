"""Lists at the desk are counted for whoever may not see every draft, too, without a look at each post; what was sent back is found."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

STATES = ["kind", "live", "has_changes", "updated_at", "id", "work"]
UNDER_WAY = ["kind", "work", "live"]


def upgrade() -> None:
    op.create_index("ix_reviews_act_id", "reviews", ["act", "id"])
    _index([*STATES, "visibility", "created_by_id"], [*UNDER_WAY, "created_by_id", "id"])


def downgrade() -> None:
    _index(STATES, UNDER_WAY)
    op.drop_index("ix_reviews_act_id", "reviews")


def _index(states: Sequence[str], under_way: Sequence[str]) -> None:
    where = sa.text("work <> 'draft'")
    op.drop_index("ix_posts_states", "posts")
    op.drop_index("ix_posts_under_way", "posts")
    op.create_index("ix_posts_states", "posts", states)
    op.create_index("ix_posts_under_way", "posts", under_way, sqlite_where=where, postgresql_where=where)
