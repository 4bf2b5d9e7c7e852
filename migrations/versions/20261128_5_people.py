"""People and safety: passkeys, codes, devices, one-time rights, throttles; what is known of a session and of an act."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from cms.db.types import UTCDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
ONE_ROW = (sa.CheckConstraint("id = 1", name="ck_sites_one_row"),)  # SQLite's tables are made anew, and their checks are not read
NEEDED = {  # table → column: type, and its value in rows that are there
    "users": {"links": (JSON, "[]"), "refuses": (JSON, "[]"), "totp_step": (sa.BigInteger(), "0")},
    "sessions": {"address": (sa.String(45), "")},
    "audit": {"address": (sa.String(45), "")},
    "sites": {"second_factor": (JSON, "[]"), "former_name": (sa.String(80), "")},
}
NEW = ("throttles", "tokens", "identities", "recovery_codes", "passkeys", "devices", "portraits")


def upgrade() -> None:
    for table, columns in NEEDED.items():
        with op.batch_alter_table(table, table_args=ONE_ROW if table == "sites" else ()) as batch:
            for name, (kind, value) in columns.items():
                batch.add_column(sa.Column(name, kind, nullable=False, server_default=value))
        with op.batch_alter_table(table, table_args=ONE_ROW if table == "sites" else ()) as batch:
            for name, (kind, _) in columns.items():
                batch.alter_column(name, existing_type=kind, existing_nullable=False, server_default=None)
    with op.batch_alter_table("users", table_kwargs={"sqlite_autoincrement": True}) as batch:  # the last that makes it anew
        batch.add_column(sa.Column("handle", sa.String(86), nullable=True))
        batch.add_column(sa.Column("totp_secret", sa.Text(), nullable=True))
        batch.create_unique_constraint("uq_users_handle", ["handle"])
    with op.batch_alter_table("sessions") as batch:
        batch.add_column(sa.Column("confirmed_at", UTCDateTime(), nullable=True))
    op.execute("UPDATE sessions SET confirmed_at = created_at")
    with op.batch_alter_table("sessions") as batch:
        batch.alter_column("confirmed_at", existing_type=UTCDateTime(), nullable=False)
    _make_tables()


def _make_tables() -> None:
    def of_user(*, nullable: bool = False) -> sa.Column[int]:
        return sa.Column("user_id", ID, nullable=nullable)

    def user_key(table: str) -> sa.ForeignKeyConstraint:
        return sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=f"fk_{table}_user_id_users", ondelete="CASCADE")

    op.create_table(
        "portraits",
        sa.Column("user_id", ID, autoincrement=False, nullable=False),
        sa.Column("asset_id", ID, nullable=False),
        user_key("portraits"),
        sa.ForeignKeyConstraint(["asset_id"], ["assets.id"], name="fk_portraits_asset_id_assets", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", name="pk_portraits"),
    )
    op.create_index("ix_portraits_asset_id", "portraits", ["asset_id"])
    op.create_table(
        "devices",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        of_user(),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("seen_at", UTCDateTime(), nullable=False),
        user_key("devices"),
        sa.PrimaryKeyConstraint("id", name="pk_devices"),
        sa.UniqueConstraint("token_hash", "user_id", name="uq_devices_token_hash_user_id"),
    )
    op.create_table(
        "passkeys",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        of_user(),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("credential_id", sa.String(1400), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("transports", JSON, nullable=False),
        sa.Column("is_synced", sa.Boolean(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("used_at", UTCDateTime(), nullable=True),
        user_key("passkeys"),
        sa.PrimaryKeyConstraint("id", name="pk_passkeys"),
        sa.UniqueConstraint("credential_id", name="uq_passkeys_credential_id"),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        of_user(),
        sa.Column("code_hash", sa.String(64), nullable=False),
        user_key("recovery_codes"),
        sa.PrimaryKeyConstraint("id", name="pk_recovery_codes"),
        sa.UniqueConstraint("user_id", "code_hash", name="uq_recovery_codes_user_id_code_hash"),
    )
    op.create_table(
        "identities",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        of_user(),
        sa.Column("issuer", sa.String(300), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("used_at", UTCDateTime(), nullable=True),
        user_key("identities"),
        sa.PrimaryKeyConstraint("id", name="pk_identities"),
        sa.UniqueConstraint("issuer", "subject", name="uq_identities_issuer_subject"),
    )
    op.create_table(
        "tokens",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("purpose", sa.String(20), nullable=False),
        of_user(nullable=True),
        sa.Column("data", JSON, nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        user_key("tokens"),
        sa.PrimaryKeyConstraint("id", name="pk_tokens"),
        sa.UniqueConstraint("token_hash", name="uq_tokens_token_hash"),
    )
    op.create_table(
        "throttles",
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("used_until", sa.Float(53), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_throttles"),
    )
    for table in ("devices", "passkeys", "identities", "tokens"):
        op.create_index(f"ix_{table}_user_id", table, ["user_id"])
    op.create_index("ix_tokens_expires_at", "tokens", ["expires_at"])
    op.create_index("ix_throttles_used_until", "throttles", ["used_until"])


def downgrade() -> None:
    for table in NEW:
        op.drop_table(table)
    with op.batch_alter_table("sessions") as batch:
        batch.drop_column("confirmed_at")
    with op.batch_alter_table("users") as batch:
        batch.drop_constraint("uq_users_handle", type_="unique")
        for name in ("totp_secret", "handle"):
            batch.drop_column(name)
    for table, columns in NEEDED.items():
        with op.batch_alter_table(table, table_args=ONE_ROW if table == "sites" else ()) as batch:
            for name in columns:
                batch.drop_column(name)
