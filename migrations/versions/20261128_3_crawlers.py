"""What the site says to programs: which crawlers may read it, and whom to tell of a weakness."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    with op.batch_alter_table("sites") as sites:
        sites.add_column(sa.Column("crawlers", JSON, nullable=False, server_default="{}"))
        sites.add_column(sa.Column("security_contact", sa.String(300), nullable=False, server_default=""))
    with op.batch_alter_table("sites") as sites:
        sites.alter_column("crawlers", existing_type=JSON, existing_nullable=False, server_default=None)
        sites.alter_column("security_contact", existing_type=sa.String(300), existing_nullable=False, server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("sites") as sites:
        sites.drop_column("security_contact")
        sites.drop_column("crawlers")
