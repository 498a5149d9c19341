"""Finds the bad records of a batch by halving, inside one target transaction (D7). Task thread only.

Each half is tried behind a savepoint, in source order; what fails alone is reported. So a batch
with one bad row costs about 2 log2(n) statements more, the good rows are applied once, and rows
that collide on a unique index are tried in the order the source wrote them (C17).
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future

from connectors.jdbc.change import Change
from connectors.jdbc.dialects import Connection, TableName
from connectors.jdbc.rows import RejectedChange, coordinates
from replicator.api import ConnectError, DataError, ErrantRecordReporter, SinkRecord

Apply = Callable[[list[Change]], None]

_SAVEPOINT = "replicator_part"
_REPORT_SECONDS = 60.0


class Refused(DataError):
    """A record cannot be applied and errors are not tolerated.

    Attributes:
        record: the record.
        table: its table, when that is known.
    """

    def __init__(self, message: str, record: SinkRecord, table: TableName | None) -> None:
        super().__init__(message)
        self.record = record
        self.table = table


class Rejections:
    """Hands bad records to the runtime's reporter, once each.

    Attributes:
        count: records rejected so far.
    """

    def __init__(self, reporter: ErrantRecordReporter | None, *, hide_values: bool) -> None:
        self._reporter = reporter
        self._hide = hide_values
        self._waiting: list[Future[None]] = []
        self._reported: set[tuple[str, int, int]] = set()
        self.count = 0

    def reject(self, record: SinkRecord, error: DataError, table: TableName | None = None) -> None:
        """Report a record.

        Raises:
            Refused: errors are not tolerated; the message says where the record stands and why.
        """
        failure = Refused(
            f"Record {coordinates(record)} cannot be applied: {self.shown(error)}", record, table
        )
        cause = None if self._hide else error
        if self._reporter is None:
            raise failure from cause
        place = (record.original_topic, record.original_kafka_partition, record.original_kafka_offset)
        if place in self._reported:
            return
        try:
            self._waiting.append(self._reporter.report(record, failure))
        except ConnectError as refused:
            raise failure from (None if self._hide else refused)
        self._reported.add(place)
        self.count += 1

    def shown(self, error: DataError) -> str:
        """The error's text, or its kind alone when values must not be shown."""
        return type(error).__name__ if self._hide else str(error)

    def wait(self) -> None:
        """Wait until every report is durable; only then may the ledger pass the records (INV-6)."""
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            future.result(_REPORT_SECONDS)

    def forget(self) -> None:
        """The records are behind the ledger now."""
        self._reported.clear()


class Isolation:
    """Applies what can be applied of a batch that failed as a whole."""

    def __init__(self, connection: Connection, apply: Apply, rejections: Rejections) -> None:
        self._connection = connection
        self._apply = apply
        self._rejections = rejections

    def run(self, changes: list[Change]) -> None:
        """Apply the changes, rejecting those that cannot be; the transaction is open.

        Raises:
            Refused: a record cannot be applied and errors are not tolerated.
        """
        pending = [changes]
        while pending:
            part = pending.pop()
            error = self._try(part)
            if error is None:
                continue
            culprit = self._known_culprit(part, error)
            if culprit is not None:
                self._rejections.reject(culprit.record, error, culprit.plan.table)
                pending.append([c for c in part if c.record is not culprit.record])
            elif len(part) == 1:
                self._rejections.reject(part[0].record, error, part[0].plan.table)
            else:
                middle = len(part) // 2
                pending += [part[middle:], part[:middle]]

    def _try(self, part: list[Change]) -> DataError | None:
        if not part:
            return None
        self._connection.execute(f"SAVEPOINT {_SAVEPOINT}")
        try:
            self._apply(part)
        except DataError as error:
            self._connection.execute(f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}")
            return error
        self._connection.execute(f"RELEASE SAVEPOINT {_SAVEPOINT}")
        return None

    @staticmethod
    def _known_culprit(part: list[Change], error: DataError) -> Change | None:
        """The change itself, when it was refused before anything was sent and stands alone with its key."""
        if not isinstance(error, RejectedChange):
            return None
        refused = error.change
        same = [c for c in part if c.plan.table == refused.plan.table and c.key == refused.key]
        return same[0] if len(same) == 1 and refused.plan.keys else None
