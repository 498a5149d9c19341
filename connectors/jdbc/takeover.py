"""Taking the ledger over from a writer that holds its rows (C10): short waits, then the writer's session ends.

A writer that was stopped (SIGSTOP, a suspended machine) keeps its row locks for hours otherwise.
Task thread only.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from connectors.jdbc.dialects import Connection
from connectors.jdbc.ledger_schema import is_mysql
from replicator.api import ConnectError, RetriableError

log = logging.getLogger(__name__)


@contextmanager
def short_waits(connection: Connection, kind: str) -> Iterator[None]:
    """Waits for row locks end after a second."""
    if is_mysql(kind):
        before = connection.query("SELECT @@SESSION.innodb_lock_wait_timeout")[0][0]
        connection.execute("SET SESSION innodb_lock_wait_timeout = 1")
        restore = f"SET SESSION innodb_lock_wait_timeout = {int(before)}"
    elif kind == "postgresql":
        connection.execute("SET lock_timeout = '1s'")
        connection.commit()
        restore = "SET lock_timeout = DEFAULT"
    else:
        yield
        return
    try:
        yield
    finally:
        connection.rollback()
        connection.execute(restore)
        connection.commit()


def end_writers(connection: Connection, kind: str, connector: str, writers: Iterable[int]) -> None:
    """End the sessions that the ledger names as its writers.

    Raises:
        RetriableError: the account may not end them.
    """
    if kind == "sqlite":
        return
    for writer in sorted(set(writers) - {connection.connection_id(), 0}):
        if _is_ours(connection, kind, writer):
            log.warning("Ending connection %d: it holds the ledger of connector %s", writer, connector)
            _end(connection, kind, connector, writer)


def _is_ours(connection: Connection, kind: str, writer: int) -> bool:
    """Connection numbers start again with the server: a stranger's session is never ended."""
    if is_mysql(kind):
        sql = (
            "SELECT 1 FROM information_schema.processlist WHERE id = %s AND db = DATABASE()"
            " AND user = SUBSTRING_INDEX(USER(), '@', 1)"
        )
    else:
        sql = (
            "SELECT 1 FROM pg_stat_activity WHERE pid = %s AND datname = current_database()"
            " AND usename = current_user"
        )
    found = bool(connection.query(sql, (writer,)))
    connection.commit()
    return found


def _end(connection: Connection, kind: str, connector: str, writer: int) -> None:
    sql = f"KILL {writer}" if is_mysql(kind) else f"SELECT pg_terminate_backend({writer})"
    try:
        connection.query(sql)
    except RetriableError:
        raise
    except ConnectError as error:
        raise RetriableError(
            f"Connection {writer} holds the ledger rows of connector {connector} and cannot be ended:"
            f" {error.message}",
            hint=f"End it with an account that may: KILL {writer}.",
        ) from error
    finally:
        connection.rollback()
