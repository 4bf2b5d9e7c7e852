"""The desk: whom a text is for, redirects, reviews, custom fields, snippets, templates, saved views, transfers; more of what an
administrator says about the site."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from cms.db.types import UTCDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
ONE_ROW = (sa.CheckConstraint("id = 1", name="ck_sites_one_row"),)  # SQLite's table is made anew, and its checks are not read
NEEDED = {  # table: column: type, and its value in rows that are there
    "posts": {"visibility": (sa.String(20), "public"), "position": (sa.Integer(), "0")},
    "published": {"visibility": (sa.String(20), "public")},
    "schedules": {"redirect_to": (sa.String(500), "")},
    "users": {"locale": (sa.String(12), "")},
    "sites": {
        "access": (sa.String(20), "open"),
        "theme": (JSON, "{}"),
        "review": (JSON, "{}"),
        "backups": (JSON, "{}"),
        "limits": (JSON, "{}"),
        "is_set_up": (sa.Boolean(), sa.false()),
    },
}
PARTIAL = (
    ("ix_posts_under_way", "posts", ["kind", "work", "live"], "work <> 'draft'"),
    ("ix_posts_changed", "posts", ["updated_at", "id"], "has_changes"),
    ("ix_threads_open", "threads", ["id"], "outcome IS NULL"),
    ("ix_jobs_failed", "jobs", ["finished_at"], "error IS NOT NULL"),
)
COUNTED_UP = ("posts", "users")
LISTS = {  # of posts and pages
    "desk": ("kind", "updated_at", "id", "live", "has_changes", "language", "visibility", "first_published_at"),
    "states": ("kind", "live", "has_changes", "updated_at", "id", "work"),
    "titles": ("kind", "folded_title", "id", "live"),
    "dates": ("kind", "first_published_at", "id", "live"),
}
FILED = {"post_authors": "user_id", "post_tags": "tag_id", "post_categories": "category_id", "post_series": "series_id"}
# Each database's own index of words: a table on SQLite, a column on PostgreSQL.
SQLITE = (
    "CREATE VIRTUAL TABLE search_index_desk USING fts5(words, content='desk_documents', content_rowid='post_id', columnsize=0,"
    " detail=none, prefix='3 4', tokenize='unicode61 remove_diacritics 0')",
    "CREATE TRIGGER search_index_desk_insert AFTER INSERT ON desk_documents"
    " BEGIN INSERT INTO search_index_desk(rowid, words) VALUES (new.post_id, new.words); END",
    "CREATE TRIGGER search_index_desk_delete AFTER DELETE ON desk_documents"
    " BEGIN INSERT INTO search_index_desk(search_index_desk, rowid, words) VALUES ('delete', old.post_id, old.words); END",
    "CREATE TRIGGER search_index_desk_update AFTER UPDATE ON desk_documents BEGIN"
    " INSERT INTO search_index_desk(search_index_desk, rowid, words) VALUES ('delete', old.post_id, old.words);"
    " INSERT INTO search_index_desk(rowid, words) VALUES (new.post_id, new.words); END",
)
# The planner does not know what reading a vector costs: without the setting it would rather read all of them than ask the index.
POSTGRESQL = (
    "ALTER TABLE desk_documents ADD COLUMN search_index_desk tsvector"
    " GENERATED ALWAYS AS (array_to_tsvector(string_to_array(words, ' '))) STORED",
    "CREATE INDEX search_index_desk_words ON desk_documents USING gin (search_index_desk)",
    "CREATE FUNCTION search_index_desk_posts(wanted text, most integer) RETURNS SETOF bigint LANGUAGE sql STABLE"
    " SET enable_seqscan = off AS $$ SELECT post_id FROM desk_documents WHERE search_index_desk @@ wanted::tsquery LIMIT most $$",
)
NEVER_AGAIN = ("categories", "tags", "series")  # whose numbers stand in old revisions
NEW = ("passed_on", "transfers", "saved_views", "post_templates", "snippets", "custom_fields", "reviews", "redirects")


def _kept(table: str) -> dict[str, object]:
    """What SQLite does not tell of a table that is made anew."""
    rules = {"table_args": ONE_ROW} if table == "sites" else {}
    return {**rules, "table_kwargs": {"sqlite_autoincrement": True}} if table in COUNTED_UP else rules


def _place(table: str) -> dict[str, str]:
    """SQLite reads a row up to the last column asked for: what lists ask for stands before the text of a page."""
    return {"insert_after": "is_featured"} if table == "published" and op.get_context().dialect.name == "sqlite" else {}


def upgrade() -> None:
    for table, columns in NEEDED.items():
        with op.batch_alter_table(table, recreate="always" if _place(table) else "auto", **_kept(table)) as batch:
            for name, (kind, value) in columns.items():
                batch.add_column(sa.Column(name, kind, nullable=False, server_default=value), **_place(table))
        with op.batch_alter_table(table, **_kept(table)) as batch:
            for name, (kind, _) in columns.items():
                batch.alter_column(name, existing_type=kind, existing_nullable=False, server_default=None)
    op.execute("UPDATE sites SET is_set_up = true WHERE EXISTS (SELECT 1 FROM users)")  # by whoever has used it until now
    op.add_column("posts", sa.Column("password_hash", sa.String(200), nullable=True))
    op.add_column("published", sa.Column("custom", JSON, nullable=True))
    op.add_column("schedules", sa.Column("error", sa.Text(), nullable=True))
    with op.batch_alter_table("sites", table_args=ONE_ROW) as batch:
        batch.add_column(sa.Column("access_hash", sa.String(200), nullable=True))
        batch.add_column(sa.Column("icon_id", ID, nullable=True))
        batch.create_foreign_key("fk_sites_icon_id_assets", "assets", ["icon_id"], ["id"], ondelete="SET NULL")
    with op.batch_alter_table("jobs") as batch:
        batch.add_column(sa.Column("progress", JSON, nullable=True))
        batch.add_column(sa.Column("created_by_id", ID, nullable=True))
        batch.create_foreign_key("fk_jobs_created_by_id_users", "users", ["created_by_id"], ["id"], ondelete="SET NULL")
    op.drop_index("ix_posts_desk", "posts")
    for name, columns in LISTS.items():
        op.create_index(f"ix_posts_{name}", "posts", columns)
    for table, column in FILED.items():
        op.create_index(f"ix_{table}_{column}_side_post_id", table, [column, "side", "post_id"])
        op.drop_index(f"ix_{table}_{column}", table)
    _make_indexes()
    _count_up(is_wanted=True)
    _make_terms()
    _index_published("visibility")
    _make_roads()
    _make_forms()
    _make_work()
    _make_search()


def _make_indexes() -> None:
    """For what the dashboard asks."""
    op.create_index("ix_posts_work", "posts", ["work", "live", "updated_at", "id"])
    for name, table, columns, condition in PARTIAL:
        where = sa.text(condition)
        op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)


def _index_published(*places: str) -> None:
    """What readers' lists are read by. ``places``: what stands in the index behind the kind."""
    for name, rest in (("ix_published_newest", ("published_at", "post_id")), ("ix_published_month", ("month", "published_at", "post_id"))):
        op.drop_index(name, "published")
        op.create_index(name, "published", ["kind", *places, *rest])


def _key(table: str, column: str, parent: str, ondelete: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{parent}.id"], name=f"fk_{table}_{column}_{parent}", ondelete=ondelete)


def _by(table: str, column: str = "created_by_id") -> tuple[sa.Column[int], sa.ForeignKeyConstraint]:
    return sa.Column(column, ID, nullable=True), _key(table, column, "users", "SET NULL")


def _count_up(*, is_wanted: bool) -> None:
    """PostgreSQL never gives a number twice; SQLite has to be told."""
    if op.get_context().dialect.name != "sqlite":
        return
    for table in NEVER_AGAIN:
        with op.batch_alter_table(table, recreate="always", table_kwargs={"sqlite_autoincrement": is_wanted}):
            pass


def _make_terms() -> None:
    op.create_table(
        "passed_on",
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("term_id", ID, autoincrement=False, nullable=False),
        sa.Column("target_id", ID, nullable=True),
        sa.Column("folded", sa.String(80), nullable=False),
        sa.PrimaryKeyConstraint("kind", "term_id", name="pk_passed_on"),
    )
    op.create_index("ix_passed_on_kind_folded", "passed_on", ["kind", "folded"])


def _make_roads() -> None:
    op.create_table(
        "redirects",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("match", sa.String(20), nullable=False),
        sa.Column("path", sa.String(400), nullable=False),
        sa.Column("target", sa.String(500), nullable=False),
        sa.Column("hits", sa.Integer(), nullable=False),
        sa.Column("hit_at", UTCDateTime(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        *_by("redirects"),
        sa.PrimaryKeyConstraint("id", name="pk_redirects"),
        sa.UniqueConstraint("match", "path", name="uq_redirects_match_path"),
    )
    op.create_table(
        "reviews",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("post_id", ID, nullable=False),
        sa.Column("revision_id", ID, nullable=True),
        sa.Column("act", sa.String(20), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        *_by("reviews"),
        _key("reviews", "post_id", "posts", "CASCADE"),
        _key("reviews", "revision_id", "revisions", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_reviews"),
    )
    op.create_index("ix_reviews_post_id_id", "reviews", ["post_id", "id"])
    op.create_index("ix_reviews_revision_id", "reviews", ["revision_id"])
    op.create_index("ix_reviews_created_by_id", "reviews", ["created_by_id"])


def _make_forms() -> None:
    op.create_table(
        "custom_fields",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("key", sa.String(40), nullable=False),
        sa.Column("label", sa.String(80), nullable=False),
        sa.Column("type", sa.String(20), nullable=False),
        sa.Column("help", sa.String(300), nullable=False),
        sa.Column("choices", JSON, nullable=False),
        sa.Column("is_required", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_custom_fields"),
        sa.UniqueConstraint("kind", "key", name="uq_custom_fields_kind_key"),
    )
    op.create_table(
        "snippets",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        *_by("snippets", "updated_by_id"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_snippets"),
        sa.UniqueConstraint("name", name="uq_snippets_name"),
    )
    op.create_table(
        "post_templates",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("fields", JSON, nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        *_by("post_templates", "updated_by_id"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_post_templates"),
        sa.UniqueConstraint("kind", "name", name="uq_post_templates_kind_name"),
    )


def _make_work() -> None:
    op.create_table(
        "saved_views",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("query", sa.String(1000), nullable=False),
        _key("saved_views", "user_id", "users", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_saved_views"),
        sa.UniqueConstraint("user_id", "kind", "name", name="uq_saved_views_user_id_kind_name"),
    )
    op.create_table(
        "transfers",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("format", sa.String(20), nullable=False),
        sa.Column("options", JSON, nullable=False),
        sa.Column("file", sa.String(200), nullable=False),
        sa.Column("size", ID, nullable=False),
        sa.Column("progress", JSON, nullable=True),
        sa.Column("report", JSON, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("finished_at", UTCDateTime(), nullable=True),
        *_by("transfers"),
        sa.PrimaryKeyConstraint("id", name="pk_transfers"),
    )


def _make_search() -> None:
    op.create_table(
        "desk_documents",
        sa.Column("post_id", ID, nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        _key("desk_documents", "post_id", "posts", "CASCADE"),
        sa.PrimaryKeyConstraint("post_id", name="pk_desk_documents"),
    )
    connection = op.get_bind()
    for statement in SQLITE if connection.dialect.name == "sqlite" else POSTGRESQL:
        connection.exec_driver_sql(statement)
    op.execute(  # for the worker, if there is something to be found
        "INSERT INTO jobs (name, key, payload, created_at, due_at, attempts) "
        "SELECT 'reindex_desk', 'reindex_desk:0009', '{}', updated_at, updated_at, 0 FROM posts ORDER BY id LIMIT 1"
    )


def _forget_search() -> None:
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("DROP TABLE search_index_desk")  # its triggers go with the table that they watch
    else:
        connection.exec_driver_sql("DROP FUNCTION search_index_desk_posts")
    op.drop_table("desk_documents")
    op.execute("DELETE FROM jobs WHERE name = 'reindex_desk'")


def downgrade() -> None:
    for index, of in (("ix_posts_work", "posts"), *((name, table) for name, table, *_ in PARTIAL)):
        op.drop_index(index, of)
    _forget_search()
    for table, column in FILED.items():
        op.create_index(f"ix_{table}_{column}", table, [column])
        op.drop_index(f"ix_{table}_{column}_side_post_id", table)
    for name in LISTS:
        op.drop_index(f"ix_posts_{name}", "posts")
    op.create_index("ix_posts_desk", "posts", ["kind", "updated_at", "id"])
    for table in NEW:
        op.drop_table(table)
    _count_up(is_wanted=False)
    _index_published()
    with op.batch_alter_table("jobs") as batch:
        batch.drop_constraint("fk_jobs_created_by_id_users", type_="foreignkey")
        batch.drop_column("created_by_id")
        batch.drop_column("progress")
    with op.batch_alter_table("sites", table_args=ONE_ROW) as batch:
        batch.drop_constraint("fk_sites_icon_id_assets", type_="foreignkey")
        batch.drop_column("icon_id")
        batch.drop_column("access_hash")
    for table, name in (("schedules", "error"), ("published", "custom"), ("posts", "password_hash")):
        op.drop_column(table, name)
    for table, columns in NEEDED.items():
        with op.batch_alter_table(table, **_kept(table)) as batch:
            for name in columns:
                batch.drop_column(name)
