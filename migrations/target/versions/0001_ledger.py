"""The ledger: how far each topic partition is applied, and who applies it.

The statements are this revision's own, frozen; a test compares them with what the sink makes.
"""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

MYSQL = """CREATE TABLE IF NOT EXISTS replicator_ledger (
  id CHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  connector VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  topic VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  partition_id INT NOT NULL,
  log_identity VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  next_offset BIGINT NOT NULL,
  position_identity VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
  position_phase CHAR(1) CHARACTER SET ascii COLLATE ascii_bin NULL,
  position_commit BIGINT NULL,
  position_ordinal BIGINT NULL,
  position_text VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  copied_through BIGINT NULL,
  epoch BIGINT NOT NULL,
  writer BIGINT NOT NULL,
  updated_at DATETIME(6) NOT NULL,
  KEY replicator_ledger_connector (connector)
) ENGINE=InnoDB"""

STANDARD = """CREATE TABLE IF NOT EXISTS replicator_ledger (
  id CHAR(32) NOT NULL PRIMARY KEY,
  connector VARCHAR(255) NOT NULL,
  topic VARCHAR(255) NOT NULL,
  partition_id INTEGER NOT NULL,
  log_identity VARCHAR(255) NOT NULL,
  next_offset BIGINT NOT NULL,
  position_identity VARCHAR(255) NULL,
  position_phase CHAR(1) NULL,
  position_commit BIGINT NULL,
  position_ordinal BIGINT NULL,
  position_text VARCHAR(64) NULL,
  copied_through BIGINT NULL,
  epoch BIGINT NOT NULL,
  writer BIGINT NOT NULL,
  updated_at TIMESTAMP NOT NULL
)"""


def upgrade() -> None:
    kind = op.get_bind().dialect.name
    op.execute(MYSQL if kind in ("mysql", "mariadb") else STANDARD)


def downgrade() -> None:
    op.drop_table("replicator_ledger")
