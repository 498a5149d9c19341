"""Tables of the embedded topic log.

`UPGRADE` is plain SQL: the service runs it itself when it opens a log (no alembic import at start-up), and
`alembic upgrade head` runs the same statements.
"""

revision = "0001_topic_log"
down_revision = None

UPGRADE = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    # A deleted topic leaves its row (deleted = 1): the next topic of that name is another incarnation.
    """
    CREATE TABLE topics (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        partitions INTEGER NOT NULL,
        config TEXT NOT NULL,
        created INTEGER NOT NULL,
        deleted INTEGER NOT NULL DEFAULT 0
    )
    """,
    "CREATE UNIQUE INDEX topics_by_name ON topics (name) WHERE deleted = 0",
    # begin_offset and end_offset are raised when batches are removed; the end is at least the last batch's.
    """
    CREATE TABLE partitions (
        id INTEGER PRIMARY KEY,
        topic_id INTEGER NOT NULL REFERENCES topics (id),
        number INTEGER NOT NULL,
        begin_offset INTEGER NOT NULL DEFAULT 0,
        end_offset INTEGER NOT NULL DEFAULT 0,
        UNIQUE (topic_id, number)
    )
    """,
    # One row per append and partition. seq is the global order; last_seq names the append's group of rows.
    """
    CREATE TABLE batches (
        seq INTEGER PRIMARY KEY,
        last_seq INTEGER NOT NULL,
        partition_id INTEGER NOT NULL,
        base INTEGER NOT NULL,
        next INTEGER NOT NULL,
        count INTEGER NOT NULL,
        raw INTEGER NOT NULL,
        added INTEGER NOT NULL,
        first INTEGER NOT NULL,
        positions BLOB,
        data BLOB NOT NULL
    )
    """,
    "CREATE UNIQUE INDEX batches_by_offset ON batches (partition_id, base)",
    # Appends of open transactions: no offsets yet, moved to batches by the commit.
    """
    CREATE TABLE pending (
        id INTEGER PRIMARY KEY,
        transactional_id TEXT NOT NULL,
        append INTEGER NOT NULL,
        partition_id INTEGER NOT NULL,
        count INTEGER NOT NULL,
        raw INTEGER NOT NULL,
        first INTEGER NOT NULL,
        positions BLOB,
        data BLOB NOT NULL
    )
    """,
    "CREATE INDEX pending_by_transaction ON pending (transactional_id)",
    """
    CREATE TABLE consumer_groups (
        name TEXT PRIMARY KEY,
        subscription TEXT NOT NULL,
        active_at INTEGER NOT NULL
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE group_offsets (
        group_name TEXT NOT NULL,
        topic TEXT NOT NULL,
        partition INTEGER NOT NULL,
        next_offset INTEGER NOT NULL,
        metadata TEXT NOT NULL,
        PRIMARY KEY (group_name, topic, partition)
    ) WITHOUT ROWID
    """,
)

DOWNGRADE = (
    "DROP TABLE group_offsets",
    "DROP TABLE consumer_groups",
    "DROP TABLE pending",
    "DROP TABLE batches",
    "DROP TABLE partitions",
    "DROP TABLE topics",
    "DROP TABLE meta",
)


def upgrade() -> None:
    from alembic import op

    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    from alembic import op

    for statement in DOWNGRADE:
        op.execute(statement)
