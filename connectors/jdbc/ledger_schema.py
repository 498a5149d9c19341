"""The ledger's table: made by plain SQL when it is missing, brought up to date by alembic when it is old.

alembic is imported only in that second case: importing it costs more than everything else at the
start of a task. `migrations/target` holds the same table as a revision.
"""

from __future__ import annotations

import logging
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from connectors.jdbc.dialects import Connection, Dialect, TableName
from connectors.jdbc.url import TargetUrl
from replicator.api import ConnectError, DataError, StructuralError

log = logging.getLogger(__name__)

LEDGER_TABLE: Final = "replicator_ledger"
VERSION_TABLE: Final = "replicator_version"
CURRENT_REVISION: Final = "0001"
_ATTEMPTS: Final = 5

_MYSQL: Final = f"""CREATE TABLE IF NOT EXISTS {LEDGER_TABLE} (
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

_STANDARD: Final = f"""CREATE TABLE IF NOT EXISTS {LEDGER_TABLE} (
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


def is_mysql(kind: str) -> bool:
    """Whether the dialect speaks MySQL's SQL."""
    return kind in ("mysql", "mariadb")


def create_ledger_sql(kind: str) -> str:
    """CREATE TABLE of the ledger."""
    return _MYSQL if is_mysql(kind) else _STANDARD


def now_sql(kind: str) -> str:
    """The current time in UTC as an expression."""
    if is_mysql(kind):
        return "UTC_TIMESTAMP(6)"
    return "CURRENT_TIMESTAMP" if kind == "sqlite" else "(now() AT TIME ZONE 'UTC')"


def ensure_ledger(connection: Connection, dialect: Dialect, url: TargetUrl) -> None:
    """Make sure the ledger exists in its current form; outside of transactions (DDL).

    Raises:
        ConnectError: a newer version made it, or it cannot be made.
    """
    stored = _stored_revision(connection, dialect)
    for _ in range(_ATTEMPTS):
        if stored is not None:
            break
        _create(connection, dialect.kind)
        stored = _stored_revision(connection, dialect)
    if stored is None:
        raise ConnectError(
            f"The table {LEDGER_TABLE} cannot be made in {url}.", hint="Check the account's rights."
        )
    if stored > CURRENT_REVISION:
        raise ConnectError(
            f"The ledger in {url} was made by a newer version (revision {stored}).",
            hint="Update this installation.",
        )
    if stored < CURRENT_REVISION:
        _upgrade(url)


def _stored_revision(connection: Connection, dialect: Dialect) -> str | None:
    """The revision of the ledger; "" when its tables are there without one, None when they are not."""
    if dialect.describe_table(connection, TableName(None, VERSION_TABLE)) is None:
        connection.commit()
        return None
    rows = connection.query(f"SELECT version_num FROM {VERSION_TABLE}")
    connection.commit()
    return str(rows[0][0]) if rows else ""


def _create(connection: Connection, kind: str) -> None:
    try:
        connection.execute(create_ledger_sql(kind))
        connection.execute(
            f"CREATE TABLE IF NOT EXISTS {VERSION_TABLE} (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"
        )
        connection.execute(f"INSERT INTO {VERSION_TABLE} (version_num) VALUES ('{CURRENT_REVISION}')")
        connection.commit()
    except (DataError, StructuralError) as error:
        # Another task is making the same tables; what came out is looked at again.
        connection.rollback()
        log.info("The ledger is being made by another task: %s", error)


def migrations_folder() -> Path:
    """Where the target's migrations lie: in the package when installed, else in the checkout."""
    package = Path(str(files("replicator")))
    installed = package / "_migrations" / "target"
    return installed if installed.is_dir() else package.parent / "migrations" / "target"


def _upgrade(url: TargetUrl) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(migrations_folder()))
    config.attributes["url"] = sqlalchemy_url(url)
    command.upgrade(config, "head")


def sqlalchemy_url(url: TargetUrl) -> Any:
    """The target as SQLAlchemy's URL."""
    from sqlalchemy.engine import URL

    drivers = {"mysql": "mysql+pymysql", "mariadb": "mysql+pymysql", "postgresql": "postgresql+psycopg"}
    if url.kind not in drivers:
        return URL.create(url.kind, database=url.database)
    return URL.create(drivers[url.kind], url.user, url.password.reveal(), url.host, url.port, url.database)
