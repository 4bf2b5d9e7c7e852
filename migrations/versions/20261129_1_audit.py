"""The audit keeps the number of who acted when the person is deleted, and no address that is not that person's."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

KEY = "fk_audit_user_id_users"
# Who was deleted is forgotten with where he acted from. That somebody accepted an invitation was noted as the inviter's act, with the
# address of the one who was invited.
FORGET = "UPDATE audit SET address = '' WHERE user_id IS NULL OR (action = 'user.create' AND user_id <> subject_id)"
NOBODYS = "UPDATE audit SET user_id = NULL WHERE user_id NOT IN (SELECT id FROM users)"


def upgrade() -> None:
    op.execute(FORGET)
    with op.batch_alter_table("audit") as batch:
        batch.drop_constraint(KEY, type_="foreignkey")


def downgrade() -> None:
    op.execute(NOBODYS)
    with op.batch_alter_table("audit") as batch:
        batch.create_foreign_key(KEY, "users", ["user_id"], ["id"], ondelete="SET NULL")
