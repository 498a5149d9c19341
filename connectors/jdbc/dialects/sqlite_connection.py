"""A session on SQLite, and its errors as ours. One task's thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from connectors.jdbc.dialects.connection import Connection
from connectors.jdbc.dialects.failures import AlreadyThereError, DuplicateKeyError
from connectors.jdbc.dialects.statement import Statement
from connectors.jdbc.url import OPTION, TargetUrl
from replicator.api import (
    ConfigError,
    ConnectError,
    DataError,
    RetriableError,
    StructuralError,
)

_RETRIABLE: Final = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}


class SqliteConnection(Connection):
    """See `Connection`."""

    def __init__(self, url: TargetUrl) -> None:
        try:
            self._driver = sqlite3.connect(url.database, timeout=10, isolation_level=None)
            self._driver.execute("PRAGMA journal_mode=WAL")
        except Exception as error:
            raise translate(error) from error

    def execute(self, sql: str, args: Sequence[Any] | None = None) -> int:
        try:
            if args is not None:
                sql = sql.replace("%s", "?").replace("%%", "%")
            return max(0, self._driver.execute(sql, tuple(args or ())).rowcount)
        except Exception as error:
            raise translate(error) from error

    def query(self, sql: str, args: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        try:
            if args is not None:
                sql = sql.replace("%s", "?").replace("%%", "%")
            return self._driver.execute(sql, tuple(args or ())).fetchall()
        except Exception as error:
            raise translate(error) from error

    def run(self, statement: Statement, rows: Sequence[str]) -> int:
        if statement.separator != ";":
            return self.execute_text(statement.render(rows))
        return sum(self.execute_text(statement.render([row])) for row in rows)

    def execute_text(self, sql: str) -> int:
        return self.execute(sql)

    def begin(self) -> None:
        if not self._driver.in_transaction:
            self.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        if self._driver.in_transaction:
            self.execute("COMMIT")

    def rollback(self) -> None:
        if self._driver.in_transaction:
            self.execute("ROLLBACK")

    def close(self) -> None:
        self._driver.close()

    def connection_id(self) -> int:
        return id(self._driver)

    def ping(self) -> None:
        self.query("SELECT 1")


def translate(error: BaseException) -> ConnectError:
    """The service's error for one of sqlite3's: the one translation table (INV-6)."""
    if isinstance(error, ConnectError):
        return error
    message = str(error)
    if isinstance(error, sqlite3.IntegrityError):
        if "UNIQUE" in message or "PRIMARY KEY" in message:
            return DuplicateKeyError(message, index=message.rpartition(": ")[2])
        return DataError(message)
    if isinstance(error, (sqlite3.DataError, UnicodeError)):
        return DataError(message)
    if not isinstance(error, sqlite3.Error):
        return ConnectError(f"{type(error).__name__}: {message}")
    if (getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF in _RETRIABLE:
        return RetriableError(message)
    if "already exists" in message or "duplicate column" in message:
        return AlreadyThereError(message)
    if message.startswith(("no such", "table ")) or "has no column" in message:
        return StructuralError(message)
    if "unable to open" in message:
        return ConfigError(message, option=OPTION)
    return ConnectError(message)
