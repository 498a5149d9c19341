"""A session on a target database, as the sink uses it. Only one task's thread may call it.

Drivers' errors leave it only as the service's own (INV-6).
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from connectors.jdbc.dialects.statement import Statement
from replicator.api import ConnectError


class Connection(abc.ABC):
    """One session, pinned to what the sink needs; autocommit is off (`begin` starts a transaction).

    Every method raises errors of the service's tree only.
    """

    works_ahead: ClassVar[bool] = False
    """Whether statements can be left to the server while the caller does something else."""

    _found = 0

    @abc.abstractmethod
    def execute(self, sql: str, args: Sequence[Any] | None = None) -> int:
        """Run a statement; `%s` stands for arguments. Returns the number of rows found or affected."""

    @abc.abstractmethod
    def query(self, sql: str, args: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        """Run a query and fetch all rows."""

    def run(self, statement: Statement, rows: Sequence[str]) -> int:
        """Execute a statement for these rows' texts; returns the number of rows found or affected."""
        self.start(statement, rows)
        return self.finish()

    def start(self, statement: Statement, rows: Sequence[str]) -> None:
        """Begin to execute; the caller may prepare the next rows, then must call `finish`."""
        self._found = self.execute_text(statement.render(rows))

    def start_text(self, text: bytes) -> None:
        """`start` of a finished statement."""
        self._found = self.execute_text(text.decode())

    def finish(self) -> int:
        """The number of rows the statement begun last found or affected; raises what it failed with."""
        return self._found

    def go_ahead(self) -> None:  # noqa: B027 - without it everything waits, which is right, too
        """From here to `come_back`, `start`, `execute_checked` and `commit` need not wait for the server.

        `finish` then says nothing, and what fails is raised by any later call, at the latest by `come_back`, which all
        other methods imply. Nothing is run behind a statement that failed.
        """

    def come_back(self) -> None:  # noqa: B027
        """Wait until the server is done with everything; raises what failed first."""

    def execute_checked(self, sql: str, found: int, wrong: Callable[[int], ConnectError]) -> None:
        """`execute_text` of one statement, after START TRANSACTION, that must find this many rows.

        Otherwise raises `wrong` of the number it found, or (only after `go_ahead`) some other error.
        """
        self.begin()
        number = self.execute_text(sql)
        if number != found:
            raise wrong(number)

    @abc.abstractmethod
    def execute_text(self, sql: str) -> int:
        """Run finished text: one statement, or several joined by ";"."""

    @abc.abstractmethod
    def begin(self) -> None:
        """Start a transaction."""

    @abc.abstractmethod
    def commit(self) -> None:
        """Commit the open transaction."""

    @abc.abstractmethod
    def rollback(self) -> None:
        """Roll the open transaction back; quiet when the connection is already lost."""

    @abc.abstractmethod
    def close(self) -> None:
        """Close; never raises."""

    @abc.abstractmethod
    def connection_id(self) -> int:
        """The server's number of this session."""

    @abc.abstractmethod
    def ping(self) -> None:
        """Check that the session lives."""
