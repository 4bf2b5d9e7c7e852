"""Lists at the desk are sorted by author."""

import sqlalchemy as sa
from alembic import op

from cms.content.folding import fold

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

FIRST = (
    "UPDATE posts SET folded_author = :name WHERE id IN (SELECT post_id FROM post_authors AS first WHERE user_id = :id AND side = 'work'"
    " AND NOT EXISTS (SELECT 1 FROM post_authors AS other WHERE other.post_id = first.post_id AND other.side = first.side"
    " AND other.position < first.position))"
)


def upgrade() -> None:
    op.add_column("posts", sa.Column("folded_author", sa.String(160), nullable=False, server_default=""))
    connection = op.get_bind()
    for user_id, name in connection.execute(sa.text("SELECT id, name FROM users")).all():
        connection.execute(sa.text(FIRST), {"id": user_id, "name": fold(name)[:160]})
    op.create_index("ix_posts_authors", "posts", ["kind", "folded_author", "id", "live"])


def downgrade() -> None:
    op.drop_index("ix_posts_authors", "posts")
    op.drop_column("posts", "folded_author")
