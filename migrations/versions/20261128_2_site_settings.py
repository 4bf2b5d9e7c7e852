"""Site settings: logo, accent, home, links; versions of what two administrators can edit."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
NEEDED = {  # column: type, and its value in the row that is there
    "accent_hue": (sa.Integer(), "255"),
    "home": (sa.String(length=20), "lead"),
    "links": (JSON, "[]"),
    "version": (sa.Integer(), "0"),
}
ONE_ROW = (sa.CheckConstraint("id = 1", name="ck_sites_one_row"),)  # SQLite's tables are made anew, and their checks are not read


def upgrade() -> None:
    with op.batch_alter_table("sites", table_args=ONE_ROW) as batch:
        for name, (kind, value) in NEEDED.items():
            batch.add_column(sa.Column(name, kind, nullable=False, server_default=value))
        batch.add_column(sa.Column("logo_id", ID, nullable=True))
        batch.add_column(sa.Column("home_page_id", ID, nullable=True))
        batch.create_foreign_key("fk_sites_logo_id_assets", "assets", ["logo_id"], ["id"], ondelete="SET NULL")
        batch.create_foreign_key("fk_sites_home_page_id_posts", "posts", ["home_page_id"], ["id"], ondelete="SET NULL")
    with op.batch_alter_table("sites", table_args=ONE_ROW) as batch:
        for name, (kind, _) in NEEDED.items():
            batch.alter_column(name, existing_type=kind, existing_nullable=False, server_default=None)
    with op.batch_alter_table("menus") as batch:
        batch.add_column(sa.Column("version", sa.Integer(), nullable=False, server_default="0"))
    with op.batch_alter_table("menus") as batch:
        batch.alter_column("version", existing_type=sa.Integer(), existing_nullable=False, server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("menus") as batch:
        batch.drop_column("version")
    with op.batch_alter_table("sites", table_args=ONE_ROW) as batch:
        batch.drop_constraint("fk_sites_home_page_id_posts", type_="foreignkey")
        batch.drop_constraint("fk_sites_logo_id_assets", type_="foreignkey")
        for name in ("home_page_id", "logo_id", *NEEDED):
            batch.drop_column(name)
