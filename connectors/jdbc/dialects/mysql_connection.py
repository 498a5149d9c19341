"""A session on MySQL or MariaDB, pinned to what the sink's SQL text means (jdbc.md 7.1).

One task's thread owns it. While it is ahead, the server may be at work on a text whose answer nobody has read yet;
it is read before anything else is sent. Text goes to the server as it is: the driver neither escapes nor rewrites.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple

import pymysql
from pymysql.connections import Connection as DriverConnection
from pymysql.constants import CLIENT, COMMAND

from connectors.jdbc.dialects.connection import Connection
from connectors.jdbc.dialects.mysql_errors import translate
from connectors.jdbc.dialects.mysql_tls import tls_arguments
from connectors.jdbc.dialects.statement import Statement
from connectors.jdbc.url import OPTION, TargetUrl
from replicator.api import ConfigError, ConnectError

# NO_AUTO_VALUE_ON_ZERO: a 0 for an AUTO_INCREMENT column is a value like any other.
_SQL_MODE: Final = "STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO"
# Foreign keys were checked at the source; here rows of one transaction arrive table by table.
_SESSION: Final = (
    f"SET SESSION sql_mode='{_SQL_MODE}', time_zone='+00:00', lock_wait_timeout=10, foreign_key_checks=0, "
    "autocommit=0",
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
)
_CONNECT_TIMEOUT: Final = 10.0
# Long enough for DDL on a large table; without one a vanished server would block the task for ever.
_READ_TIMEOUT: Final = 900.0


JOINED_BYTES = 1 << 20
"""Statements of a transaction up to this size are one text: the server does not wait for us between them."""
_GUARD: Final = b";SET @replicator_mine = IF(ROW_COUNT() = %d, 0, (SELECT 1 UNION ALL SELECT 2))"
"""Fails unless the statement before it found so many rows, so that nothing behind it in the same text is run."""


class _Kept(NamedTuple):
    """A statement that waits for those behind it; `guard` is SQL that fails unless it found its rows."""

    text: bytes
    guard: bytes


class MySqlConnection(Connection):
    """See `Connection`."""

    works_ahead = True

    def __init__(self, url: TargetUrl, application_name: str) -> None:
        self._is_ahead = False
        self._in_flight = False
        self._kept: list[_Kept] = []
        self._kept_bytes = 0
        self.joined_bytes = JOINED_BYTES
        try:
            self._driver: DriverConnection[Any] = pymysql.connect(
                **connect_arguments(url),
                client_flag=CLIENT.MULTI_STATEMENTS | CLIENT.FOUND_ROWS,
                program_name=application_name,
                local_infile=True,
            )
            self._cursor = self._driver.cursor()
            # The two halves of its query() are not part of the driver's typed surface.
            self._halves: Any = self._driver
            for statement in _SESSION:
                self._cursor.execute(statement)
        except Exception as error:
            raise translate(error) from error

    def execute(self, sql: str, args: Sequence[Any] | None = None) -> int:
        self.come_back()
        try:
            return int(self._cursor.execute(sql, args))
        except Exception as error:
            raise translate(error) from error

    def query(self, sql: str, args: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        self.come_back()
        try:
            self._cursor.execute(sql, args)
            return list(self._cursor.fetchall())
        except Exception as error:
            raise translate(error) from error

    def execute_text(self, sql: str) -> int:
        self.come_back()
        return self._run_text(sql.encode())

    def execute_checked(self, sql: str, found: int, wrong: Callable[[int], ConnectError]) -> None:
        # One round trip: what a small transaction costs is mostly these.
        text = f"START TRANSACTION;{sql}"
        if self._is_ahead:
            self._go_on(_Kept(text.encode(), _GUARD % found))
            return
        number = self.execute_text(text)
        if number != found:
            raise wrong(number)

    def start(self, statement: Statement, rows: Sequence[str]) -> None:
        try:
            text = statement.render(rows).encode()
        except UnicodeEncodeError as error:
            raise translate(error) from error
        if self._is_ahead:
            self._go_on(_Kept(text, b""))
        else:
            self._send(text)

    def start_text(self, text: bytes) -> None:
        if self._is_ahead:
            self._go_on(_Kept(text, b""))
        else:
            self._send(text)

    def finish(self) -> int:
        return 0 if self._is_ahead else self._receive()

    # --- ahead: statements go to the server as few texts, and the answer to the last one is read later ---

    def go_ahead(self) -> None:
        self._is_ahead = True
        self._kept, self._kept_bytes = [], 0

    def _go_on(self, statement: _Kept) -> None:
        if self._kept and self._kept_bytes + len(statement.text) > self.joined_bytes:
            self._hand_over()
        self._kept.append(statement)
        self._kept_bytes += len(statement.text)

    def _hand_over(self, *more: bytes) -> None:
        """Send what is kept as one text. The server stops at the first statement that fails, and what was sent before
        must have succeeded: nothing is run behind a failure.
        """
        self._collect()
        kept, self._kept, self._kept_bytes = self._kept, [], 0
        self._send(b";".join([*(s.text + s.guard if s.guard else s.text for s in kept), *more]))
        self._in_flight = True

    def _collect(self) -> None:
        if self._in_flight:
            self._in_flight = False
            self._receive()

    def come_back(self) -> None:
        if self._is_ahead:
            self._is_ahead = False
            if self._kept:
                self._hand_over()
            self._collect()

    def _run_text(self, text: bytes) -> int:
        self._send(text)
        return self._receive()

    # What the driver's own query() does, in two halves: the server works while the next rows are prepared.

    def _send(self, text: bytes) -> None:
        try:
            self._halves._execute_command(COMMAND.COM_QUERY, text)
        except Exception as error:
            raise translate(error) from error

    def _receive(self) -> int:
        driver = self._halves
        try:
            found = int(driver._read_query_result())
            while driver._result.has_next:
                found += int(driver._read_query_result())
        except Exception as error:
            raise translate(error) from error
        return found

    def begin(self) -> None:
        self.execute("START TRANSACTION")

    def commit(self) -> None:
        if self._is_ahead:
            self._hand_over(b"COMMIT")
            return
        try:
            self._driver.commit()
        except Exception as error:
            raise translate(error) from error

    def rollback(self) -> None:
        if not self._driver.open:
            return
        try:
            self._kept = []  # what was not sent need not be
            with suppress(ConnectError):  # and what is rolled back need not have succeeded
                self.come_back()
            self._driver.rollback()
        except (pymysql.err.MySQLError, OSError):
            # The server rolls back what a lost session left open.
            self.close()

    def close(self) -> None:
        self._kept = []
        with suppress(ConnectError):
            self.come_back()
        if self._driver.open:
            try:
                self._driver.close()
            except (pymysql.err.MySQLError, OSError):
                return

    def connection_id(self) -> int:
        return int(self._driver.thread_id())  # type: ignore[no-untyped-call]

    def ping(self) -> None:
        self.come_back()
        try:
            self._driver.ping(reconnect=False)
        except Exception as error:
            raise translate(error) from error


def connect_arguments(url: TargetUrl) -> dict[str, Any]:
    """The driver's arguments for where, as whom and how safely to connect.

    Raises:
        ConfigError: an option of the URL is wrong.
    """
    return {
        "host": url.host,
        "port": url.port,
        "user": url.user,
        "password": url.password.reveal(),
        "database": url.database or None,
        "charset": "utf8mb4",
        "max_allowed_packet": 1 << 30,
        **_timeouts(url),
        **tls_arguments(url),
    }


def _timeouts(url: TargetUrl) -> dict[str, Any]:
    """Named as their clients do: connectTimeout, socketTimeout (JDBC, ms), connect_timeout, read_timeout (s)."""
    options = url.options
    try:
        connect = float(options.get("connect_timeout", 0)) or float(options.get("connectTimeout", 0)) / 1000
        read = float(options.get("read_timeout", 0)) or float(options.get("socketTimeout", 0)) / 1000
    except ValueError:
        raise ConfigError(f"A timeout in {OPTION} is not a number", option=OPTION) from None
    read = read or _READ_TIMEOUT
    return {"connect_timeout": connect or _CONNECT_TIMEOUT, "read_timeout": read, "write_timeout": read}
