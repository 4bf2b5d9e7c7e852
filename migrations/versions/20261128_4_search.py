"""Search: the index of each database, words of titles, what was not found.

Whatever a database keeps for itself to search by has a name that begins with ``search_index``; env.py does not compare it with the models.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from cms.db.types import UTCDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# Titles have an index of their own: in one of everything, common words of a title would be looked for in all texts.
INDEXES = {"search_index": ("heading", "body", "marks"), "search_index_headings": ("heading", "marks")}
OPTIONS = "content='search_documents', content_rowid='id', columnsize=0, prefix='3 4', tokenize='unicode61 remove_diacritics 0'"


def _forget(index: str) -> str:
    names = ", ".join(INDEXES[index])
    values = ", ".join(f"old.{name}" for name in INDEXES[index])
    return f"INSERT INTO {index}({index}, rowid, {names}) VALUES ('delete', old.id, {values});"  # noqa: S608


def _learn(index: str) -> str:
    names = ", ".join(INDEXES[index])
    values = ", ".join(f"new.{name}" for name in INDEXES[index])
    return f"INSERT INTO {index}(rowid, {names}) VALUES (new.id, {values});"  # noqa: S608


OLD, NEW = " ".join(map(_forget, INDEXES)), " ".join(map(_learn, INDEXES))
SQLITE = (
    *(f"CREATE VIRTUAL TABLE {index} USING fts5({', '.join(columns)}, {OPTIONS})" for index, columns in INDEXES.items()),
    *(f"INSERT INTO {index}({index}) VALUES ('rebuild')" for index in INDEXES),  # noqa: S608
    f"CREATE TRIGGER search_index_insert AFTER INSERT ON search_documents BEGIN {NEW} END",
    f"CREATE TRIGGER search_index_delete AFTER DELETE ON search_documents BEGIN {OLD} END",
    f"CREATE TRIGGER search_index_update AFTER UPDATE ON search_documents BEGIN {OLD} {NEW} END",
)
SQLITE_GONE = (
    *(f"DROP TRIGGER search_index_{act}" for act in ("update", "delete", "insert")),
    *(f"DROP TABLE {index}" for index in INDEXES),
)

# Without fastupdate: publishing is rare, and a list of what was put off would be read by every search.
# An era is 1024 hours, about six weeks: what stands above the lowest 34 bits of an id (cms/models/search.py). The planner does not know
# what reading a vector costs, and without the setting of the function it would rather read all of them than ask the index.
MARKS = "array_to_tsvector(string_to_array(marks, ' ')) || array_to_tsvector(ARRAY['@' || (id >> 34)])"
POSTGRESQL = (
    f"""
ALTER TABLE search_documents
  ADD COLUMN search_index_heading tsvector GENERATED ALWAYS AS (to_tsvector('simple', heading) || {MARKS}) STORED,
  ADD COLUMN search_index_whole tsvector GENERATED ALWAYS AS
    (to_tsvector('simple', heading) || to_tsvector('simple', body) || {MARKS}) STORED
""",
    "CREATE INDEX search_index_heading_words ON search_documents USING gin (search_index_heading) WITH (fastupdate = off)",
    "CREATE INDEX search_index_whole_words ON search_documents USING gin (search_index_whole) WITH (fastupdate = off)",
    """
CREATE FUNCTION search_index_newest(heading_words text, whole_words text, marks text, most integer) RETURNS SETOF bigint
LANGUAGE plpgsql STABLE SET enable_seqscan = off AS $$
DECLARE
  newest bigint := (SELECT max(id) >> 34 FROM search_documents);
  condition text := CASE
    WHEN heading_words = '' THEN 'search_index_whole @@ $2'
    WHEN whole_words = '' THEN 'search_index_heading @@ $1'
    ELSE 'search_index_heading @@ $1 AND search_index_whole @@ $2' END;
  span integer;
  eras tsquery;
  found bigint[];
BEGIN
  FOREACH span IN ARRAY ARRAY[2, 16, 0] LOOP
    eras := marks::tsquery
      && coalesce((SELECT string_agg(format('%L', '@' || (newest - n)), ' | ') FROM generate_series(0, span - 1) n), '')::tsquery;
    EXECUTE 'WITH hits AS MATERIALIZED (SELECT id FROM search_documents WHERE ' || condition || ')'
      ' SELECT array(SELECT id FROM hits ORDER BY id DESC LIMIT $3)'
      INTO found USING to_tsquery('simple', heading_words) && eras, to_tsquery('simple', whole_words) && eras, most;
    EXIT WHEN cardinality(found) >= most;
  END LOOP;
  RETURN QUERY SELECT unnest(found);
END $$
""",
)
POSTGRESQL_GONE = (
    "DROP FUNCTION search_index_newest",
    "ALTER TABLE search_documents DROP COLUMN search_index_heading, DROP COLUMN search_index_whole",
)


def upgrade() -> None:
    for name in ("heading", "marks", "text"):
        op.add_column("search_documents", sa.Column(name, sa.Text(), server_default="", nullable=False))
    op.create_table(
        "search_words",
        sa.Column("word", sa.String(length=64), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("word", name="pk_search_words"),
    )
    op.create_table(
        "search_variants",
        sa.Column("variant", sa.String(length=64), nullable=False),
        sa.Column("word", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["word"], ["search_words.word"], name="fk_search_variants_word_search_words", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("variant", "word", name="pk_search_variants"),
    )
    op.create_index("ix_search_variants_word", "search_variants", ["word"])
    op.create_table(
        "search_misses",
        sa.Column("query", sa.String(length=100), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("last_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("query", name="pk_search_misses"),
    )
    _run(SQLITE, POSTGRESQL)
    # The documents that are there have neither marks nor the text as it was written: the worker makes them anew.
    op.execute(
        "INSERT INTO jobs (name, key, payload, created_at, due_at, attempts) "
        "SELECT 'reindex_search', 'reindex_search:0003', '{}', updated_at, updated_at, 0 FROM published ORDER BY post_id LIMIT 1"
    )


def downgrade() -> None:
    _run(SQLITE_GONE, POSTGRESQL_GONE)
    op.execute("DELETE FROM jobs WHERE name = 'reindex_search'")
    op.drop_table("search_misses")
    op.drop_table("search_variants")
    op.drop_table("search_words")
    with op.batch_alter_table("search_documents") as batch:
        for name in ("text", "marks", "heading"):
            batch.drop_column(name)


def _run(sqlite: Sequence[str], postgresql: Sequence[str]) -> None:
    connection = op.get_bind()
    for statement in sqlite if connection.dialect.name == "sqlite" else postgresql:
        connection.exec_driver_sql(statement)
