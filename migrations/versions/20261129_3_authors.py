"""Lists at the desk are sorted by author; where public texts lead, to find what leads nowhere."""

import sqlalchemy as sa
from alembic import op

from cms.content.folding import fold

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
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
    op.create_table(
        "post_links",
        sa.Column("post_id", ID, nullable=False),
        sa.Column("path", sa.String(400), nullable=False),
        sa.ForeignKeyConstraint(["post_id"], ["published.post_id"], name="fk_post_links_post_id_published", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("post_id", "path", name="pk_post_links"),
    )
    op.create_index("ix_post_links_path", "post_links", ["path"])
    gone = sa.text("state = 'gone'")
    op.create_index("ix_addresses_gone", "addresses", ["target_kind", "target_id"], sqlite_where=gone, postgresql_where=gone)
    op.execute(  # for the worker, if something is public
        "INSERT INTO jobs (name, key, payload, created_at, due_at, attempts) "
        "SELECT 'note_links', 'note_links:0010', '{}', updated_at, updated_at, 0 FROM published ORDER BY post_id LIMIT 1"
    )


def downgrade() -> None:
    op.execute("DELETE FROM jobs WHERE name = 'note_links'")
    op.drop_index("ix_addresses_gone", "addresses")
    op.drop_table("post_links")
    op.drop_index("ix_posts_authors", "posts")
    op.drop_column("posts", "folded_author")
