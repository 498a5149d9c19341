"""Tables that are stopped while the others go on, and tried again later (C23, INV-11).

Task thread only, but for `retry_soon` and `skip_to_truncate`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from connectors.jdbc.dialects import TableName
from connectors.jdbc.facts import Facts
from connectors.jdbc.lanes import ANY, Lane
from connectors.jdbc.tables import TableBook
from replicator.api import SinkRecord, SinkTaskContext, TopicPartition

log = logging.getLogger(__name__)

RETRY_SECONDS: Final = 30.0
RETRY: Final = "retry"
"""Signal that asks for the next attempt at once."""
SKIP_TO_TRUNCATE: Final = "skip-to-truncate"
"""Signal that gives up, for some stopped tables, the changes before a truncate that follows in the log."""
_PATIENCE: Final = 60.0


class StoppedTables:
    """Pauses the partitions that feed a table; their ledger rows stay where they are.

    Attributes:
        retry_at: when the stopped tables are tried again, on the monotonic clock.
    """

    def __init__(
        self, context: SinkTaskContext, lanes: Mapping[TopicPartition, Lane], facts: Facts, book: TableBook
    ) -> None:
        self._context = context
        self._lanes = lanes
        self._facts = facts
        self._book = book
        self._tables: set[TableName] = set()
        self._behind: dict[TopicPartition, int] = {}
        self.retry_at = 0.0
        self._given_up: frozenset[str] = frozenset()
        self._skipping_until = 0.0

    def stop(self, table: TableName, reason: str, records: Sequence[SinkRecord]) -> None:
        """Stop the lanes these records came by."""
        for partition in {TopicPartition(r.original_topic, r.original_kafka_partition) for r in records}:
            self._lanes[partition].stopped = str(table)
            self._behind[partition] = self._context.log_end(partition)
            self._context.pause(partition)
        self._tables.add(table)
        self._facts.stopped[str(table)] = reason
        self._facts.hurry()
        self.retry_at = time.monotonic() + RETRY_SECONDS
        log.error("%s: table %s is stopped: %s", self._context.connector, table, reason)

    def retry_soon(self) -> None:
        """Let the next attempt be due (any thread)."""
        self.retry_at = 0.0

    def skip_to_truncate(self, tables: Iterable[str]) -> None:
        """Leave out what waits for these tables, once they turn out to be truncated later in the log (any thread)."""
        self._given_up = frozenset(tables)
        self.retry_at = 0.0

    def retry_when_due(self) -> None:
        """Let the stopped lanes go on from their ledger rows, when it is time."""
        self._end_skipping()
        if not self._tables or time.monotonic() < self.retry_at:
            return
        for lane in self._lanes.values():
            if lane.stopped:
                if lane.stopped in self._given_up:
                    lane.skip_below = ANY
                    self._skipping_until = time.monotonic() + _PATIENCE
                lane.stopped = ""
                self._behind[lane.partition] = self._context.log_end(lane.partition)
                self._context.offset(lane.partition, lane.next_offset)
                self._context.resume(lane.partition)
        for table in self._tables:
            self._book.forget(table)
        self._given_up = frozenset()
        self._tables.clear()
        self._facts.stopped.clear()
        self._facts.touch()

    def _end_skipping(self) -> None:
        """No truncate came: the changes are not given up after all."""
        if not self._skipping_until or time.monotonic() < self._skipping_until:
            return
        self._skipping_until = 0.0
        for lane in self._lanes.values():
            if lane.skip_below == ANY:
                lane.skip_below = -1
                self._context.offset(lane.partition, lane.next_offset)

    def all_caught_up(self) -> bool:
        """Whether no lane is stopped, and those that were have made up for it."""
        for partition, goal in list(self._behind.items()):
            lane = self._lanes.get(partition)
            if lane is None or (not lane.stopped and lane.next_offset >= goal):
                del self._behind[partition]
        return not self._behind
