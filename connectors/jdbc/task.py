"""The sink task: delivered records into the target, whole source transactions at a time.

Each `put` is one target transaction that holds the rows and the ledger (D5, INV-3). Records of a
source transaction whose end has not come yet wait for the next `put` (D13). Everything runs on
the task's own thread.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from connectors.jdbc.apply import Applier
from connectors.jdbc.bisect import Refused, Rejections
from connectors.jdbc.change import Change, TablePlan
from connectors.jdbc.claims import Claims
from connectors.jdbc.config import SinkSettings
from connectors.jdbc.dialects import Connection, TableName, TargetTable
from connectors.jdbc.evolution import evolve
from connectors.jdbc.facts import Facts
from connectors.jdbc.flavours import confluent, debezium, own
from connectors.jdbc.intake import Intake, completed_commit, whole_transactions
from connectors.jdbc.lanes import Lane, position_of
from connectors.jdbc.ledger import Ledger
from connectors.jdbc.ledger_schema import ensure_ledger
from connectors.jdbc.naming import is_dynamic, table_by_topic
from connectors.jdbc.plan import Planner
from connectors.jdbc.session import Session
from connectors.jdbc.stopped import RETRY, SKIP_TO_TRUNCATE, StoppedTables
from connectors.jdbc.tables import TableBook
from connectors.jdbc.writer import Writer
from replicator.api import (
    ConfigError,
    ConnectError,
    DataError,
    OffsetAndMetadata,
    RetriableError,
    SinkRecord,
    SinkTask,
    StructuralError,
    TopicPartition,
)
from replicator.api.position import STREAM
from replicator.api.source import ConnectorConfig

log = logging.getLogger(__name__)

_TAIL_WAIT_MS: Final = 50
_TAIL_PATIENCE: Final = 0.5
_GROUP_COMMIT: Final = 1.0
_LONGEST_BACKOFF_MS: Final = 30_000
WORTH_GOING_AHEAD = 500
"""Changes from which it pays to prepare the next records before it is seen how these ended."""
_AHEAD_WAIT_MS: Final = 1


class JdbcSinkTask(SinkTask):
    """Applies records to a SQL database; see the module."""

    read_settings: ClassVar = staticmethod(own)

    def start(self, config: ConnectorConfig) -> None:
        self._settings: SinkSettings = self.read_settings(config)
        self._session = Session(self._settings, self.context.connector, self.context.stopping)
        dialect = self._session.dialect
        self._lanes: dict[TopicPartition, Lane] = {}
        self._tail: list[SinkRecord] = []
        self._tail_since = 0.0
        self._unconfirmed: Sequence[SinkRecord] = ()
        self._failures = 0
        self._next_commit = 0.0
        self._lost = False
        self._facts = Facts(self.context.progress)
        self._ledger = Ledger(dialect, self.context.connector)
        self._planner = Planner(self._settings)
        self._book = TableBook(dialect, self._evolve)
        self._stopped = StoppedTables(self.context, self._lanes, self._facts, self._book)
        self._writer = Writer(self._settings, dialect, self._ledger, self._book, self._missing_rows)
        self._rejections = Rejections(self.context.reporter, hide_values=self._settings.hide_values)
        self._intake = Intake(self._planner, self._lanes, self._reject)
        self._applier = Applier(
            self._writer,
            self._book,
            self._rejections,
            self._stopped.stop,
            refused_stops_table=self._settings.refused_stops_table,
        )
        connection = self._session.open_patiently()
        ensure_ledger(connection, dialect, self._session.url)
        self._claims = Claims(self._ledger, self.context)

    def open(self, partitions: Sequence[TopicPartition]) -> None:
        self._confirm_quietly()
        connection = self._live_connection()
        if self._settings.validate_only:
            self._validate_tables(connection, {p.topic for p in partitions})
        for lane in self._claims.open(connection, partitions):
            self._lanes[lane.partition] = lane

    def put(self, records: Sequence[SinkRecord]) -> None:
        try:
            self._put(records)
        except RetriableError as error:
            self._retriable(error)
        except (OSError, ConnectError):
            self._publish(now=True)
            raise
        self._failures = 0
        self._publish(now=not records)
        if records and time.monotonic() >= self._next_commit:
            # Lag and resets are read from the group's offsets: they follow the ledger closely (C11).
            self._next_commit = time.monotonic() + _GROUP_COMMIT
            self.context.request_commit()

    @property
    def is_ahead(self) -> bool:
        return bool(self._unconfirmed)

    @property
    def leaves_source_unread(self) -> bool:
        return not is_dynamic(self._settings)

    def pre_commit(
        self, offsets: Mapping[TopicPartition, OffsetAndMetadata]
    ) -> Mapping[TopicPartition, OffsetAndMetadata]:
        self._confirm_quietly()
        safe = {}
        for partition, delivered in offsets.items():
            lane = self._lanes.get(partition)
            if lane is not None and 0 < lane.next_offset <= delivered.offset:
                safe[partition] = OffsetAndMetadata(lane.next_offset, lane.stamp)
        return safe

    def close(self, partitions: Sequence[TopicPartition]) -> None:
        self._confirm_quietly()
        gone = set(partitions)
        for partition in partitions:
            self._lanes.pop(partition, None)
        self._tail = [r for r in self._tail if _partition_of(r) not in gone]

    def signal(self, kind: str, data: Mapping[str, Any]) -> None:
        if kind == RETRY:
            self._stopped.retry_soon()
        elif kind == SKIP_TO_TRUNCATE:
            self._stopped.skip_to_truncate(map(str, data.get("tables") or ()))
        else:
            super().signal(kind, data)

    def stop(self) -> None:
        if hasattr(self, "_session"):
            self._confirm_quietly()
            self._publish(now=True)
            self._session.discard()

    # --- delivering ---

    def _put(self, records: Sequence[SinkRecord]) -> None:
        self._stopped.retry_when_due()
        waiting = [*self._tail, *records] if self._tail else records
        if not waiting:
            self._confirm()
            return
        ready = self._ready(waiting, arrived=bool(records))
        if ready:
            self._apply(waiting if ready == len(waiting) else waiting[:ready])
        elif not records:
            self._confirm()
        if not self._tail or ready:
            self._tail_since = time.monotonic()
        self._tail = [r for r in waiting[ready:] if not self._is_stopped(r)] if ready < len(waiting) else []
        if self._unconfirmed:
            self.context.timeout(_AHEAD_WAIT_MS)
        elif self._tail:
            self.context.timeout(_TAIL_WAIT_MS)

    def _ready(self, waiting: Sequence[SinkRecord], *, arrived: bool) -> int:
        """How many records to apply now; the rest is the start of a source transaction."""
        if not self._settings.whole_transactions:
            return len(waiting)
        ready = whole_transactions(waiting)
        rest = len(waiting) - ready
        impatient = not arrived and time.monotonic() - self._tail_since > _TAIL_PATIENCE
        return len(waiting) if rest >= self._settings.transaction_max_rows or impatient else ready

    def _apply(self, records: Sequence[SinkRecord]) -> None:
        connection = self._live_connection()
        # Kept until the server has its next work: freeing a batch takes time, too.
        _before = self._unconfirmed, self._applier.pending
        runs = self._intake.runs(records)
        if self._unconfirmed and len(runs) == 1 and runs[0].truncate is None:
            self._applier.rehearse(runs[0])
        # Up to here the server was still at work on the records before these.
        self._confirm()
        for run in runs:
            self._rejections.wait()
            ahead = run is runs[-1] and connection.works_ahead and run.truncate is None
            self._applier.apply(connection, run, ahead=ahead)
        self._rejections.forget()
        self._unconfirmed = records
        if not self._applier.is_ahead or len(runs[-1].changes) < WORTH_GOING_AHEAD:
            self._confirm(delivered=False)

    def _confirm(self, *, delivered: bool = True) -> None:
        """See how the records applied last ended; if they failed, they come again before all others.

        Args:
            delivered: whether `put` returned with them: then nobody but us brings them again.
        """
        records, self._unconfirmed = self._unconfirmed, ()
        if not records:
            return
        try:
            self._applier.complete(self._session.connection())
        except BaseException:
            if delivered:
                self._tail = [*records, *self._tail]
            raise
        self._facts.touch()
        if self._settings.whole_transactions and self._stopped.all_caught_up():
            self._facts.completed(completed_commit(records))

    def _confirm_quietly(self) -> None:
        """The same where nobody can retry: what failed is applied again by the next `put`."""
        try:
            self._confirm()
        except ConnectError as error:
            log.warning("%s: the last records are applied again: %s", self.context.connector, error)
            self._lost = True

    def _is_stopped(self, record: SinkRecord) -> bool:
        lane = self._lanes.get(_partition_of(record))
        return lane is None or bool(lane.stopped)

    # --- failures ---

    def _retriable(self, error: RetriableError) -> None:
        """Wait and have the records delivered again, as long as the options allow.

        Raises:
            RetriableError: try again.
            ConnectError: the retries are used up.
        """
        self._failures += 1
        self._lost = True
        self._publish(now=True)
        limit = self._settings.max_retries
        if 0 <= limit < self._failures:
            raise ConnectError(
                f"The target still fails after {limit} retries: {error.message}", hint=error.hint
            ) from error
        base = self._settings.retry_backoff_ms
        unlimited = min(_LONGEST_BACKOFF_MS, 100 * 2 ** min(self._failures - 1, 10))
        self.context.timeout(base if limit >= 0 else min(max(base, 1), unlimited))
        raise error

    def _live_connection(self) -> Connection:
        """The connection; after a failure it is checked, replaced if need be, and the ledger read again."""
        if not self._lost and self._session.is_open:
            return self._session.connection()
        if self._session.is_open:
            try:
                self._session.connection().rollback()
                self._session.connection().ping()
            except ConnectError:
                self._session.discard()
        connection = self._session.connection()
        # A commit may have gone through though its answer was lost.
        self._ledger.resume(connection, list(self._lanes.values()))
        self._lost = False
        return connection

    def _reject(self, record: SinkRecord, error: DataError) -> None:
        """A record whose meaning is not clear."""
        try:
            self._rejections.reject(record, error)
        except Refused as refused:
            if not self._settings.refused_stops_table:
                raise
            self._stopped.stop(TableName(None, record.topic), str(refused), [record])

    def _missing_rows(self, changes: Sequence[Change], missing: int) -> None:
        """Partial rows found no row: expected before the copy's consistent point is passed (C1)."""
        if all(self._before_copy(c.record) for c in changes):
            return
        table = str(changes[0].plan.table)
        self._facts.warn(f"missing {table}", f"{missing} updates found no row in {table}")
        log.warning("%s: %d updates found no row in %s", self.context.connector, missing, table)

    def _before_copy(self, record: SinkRecord) -> bool:
        lane, position = self._lanes.get(_partition_of(record)), position_of(record)
        if lane is None or position is None:
            return False
        return position.phase == STREAM and position.commit <= lane.copied_through

    # --- parts ---

    def _validate_tables(self, connection: Connection, topics: set[str]) -> None:
        """schema.evolution=validate-only: a missing table stops the connector at start (E9)."""
        for topic in sorted(topics):
            table = table_by_topic(self._settings, topic)
            if table is None:
                raise ConfigError("validate-only needs a table name that depends on the topic alone")
            if self._session.dialect.describe_table(connection, table) is None:
                raise StructuralError(f"Table {table} for topic {topic} does not exist")
        connection.commit()

    def _evolve(
        self, connection: Connection, name: TableName, table: TargetTable | None, plan: TablePlan
    ) -> TargetTable:
        settings = self._settings
        try:
            return evolve(
                self._session.dialect,
                connection,
                name,
                table,
                plan.fields,
                plan.keys,
                create=settings.auto_create,
                change=settings.auto_evolve,
            )
        except StructuralError:
            connection.rollback()
            raise

    def _publish(self, *, now: bool = False) -> None:
        self._facts.publish(self._writer.applied, self._writer.rows.lost, self._planner.skipped, now=now)


class ConfluentSinkTask(JdbcSinkTask):
    """The task behind Confluent's class name."""

    read_settings: ClassVar = staticmethod(confluent)


class DebeziumSinkTask(JdbcSinkTask):
    """The task behind Debezium's class name."""

    read_settings: ClassVar = staticmethod(debezium)


def _partition_of(record: SinkRecord) -> TopicPartition:
    return TopicPartition(record.original_topic, record.original_kafka_partition)
