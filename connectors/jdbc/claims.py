"""Where each partition starts: ledger, group offset and log brought together (C9-C11). Task thread only."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from connectors.jdbc.dialects import Connection
from connectors.jdbc.lanes import STAMP, Lane, LedgerRow
from connectors.jdbc.ledger import Ledger
from replicator.api import OffsetAndMetadata, SinkTaskContext, TopicPartition

log = logging.getLogger(__name__)


class Claims:
    """Claims partitions for a task and seeks to where the target stands."""

    def __init__(self, ledger: Ledger, context: SinkTaskContext) -> None:
        self._ledger = ledger
        self._context = context

    def open(self, connection: Connection, partitions: Sequence[TopicPartition]) -> list[Lane]:
        """Lanes of these partitions, claimed, positioned and sought to.

        Raises:
            RetriableError: the ledger's rows are held by another writer.
        """
        lanes = [Lane(self._context.connector, p, self._context.log_identity(p)) for p in partitions]
        before = self._ledger.rows(connection)
        for lane in lanes:
            self._inherit(lane, before)
        self._ledger.claim(connection, lanes)
        rows = {row.id: row for row in self._ledger.rows(connection)}
        known = {row.id for row in before}
        for lane in lanes:
            row = rows[lane.id]
            lane.next_offset, lane.position, lane.copied_through = (
                row.next_offset,
                row.position,
                row.copied_through,
            )
            if lane.id in known:
                self._continue(connection, lane)
            else:
                lane.checking = lane.position is not None
                if lane.next_offset:
                    self._context.offset(lane.partition, lane.next_offset)
        return lanes

    def _inherit(self, lane: Lane, rows: Iterable[LedgerRow]) -> None:
        """A log the ledger does not know: start where the group stands, skip what the target has by position."""
        mine = [row for row in rows if row.partition == lane.partition]
        if any(row.id == lane.id for row in mine):
            return
        committed = self._context.committed(lane.partition)
        if mine:
            lane.position = mine[-1].position
            lane.copied_through = mine[-1].copied_through
            log.info(
                "%s: the log of %s is new; its records are matched by source position", *self._names(lane)
            )
        elif committed is not None and _is_ours(committed):
            # The group remembers a ledger that is gone: the target was made anew, so must be its rows.
            log.warning(
                "%s: the target has no ledger for %s though the group stands at %d; starting from the beginning",
                *self._names(lane),
                committed.offset,
            )
            self._context.offset(lane.partition, 0)
            return
        if committed is not None:
            lane.next_offset = committed.offset

    def _continue(self, connection: Connection, lane: Lane) -> None:
        committed = self._context.committed(lane.partition)
        if committed is not None and not _is_ours(committed) and committed.offset != lane.next_offset:
            log.warning(
                "%s: the offset of %s was set to %d from outside; the ledger (%d) follows",
                *self._names(lane),
                committed.offset,
                lane.next_offset,
            )
            self._ledger.reset(connection, lane, committed.offset)
        end = self._context.log_end(lane.partition)
        if end < lane.next_offset:
            log.warning(
                "%s: the log of %s ends at %d, before the ledger (%d); going on by source position",
                *self._names(lane),
                end,
                lane.next_offset,
            )
            position = lane.position
            self._ledger.reset(connection, lane, end)
            lane.position, lane.checking = position, position is not None
        self._context.offset(lane.partition, lane.next_offset)

    def _names(self, lane: Lane) -> tuple[str, str]:
        return self._context.connector, f"{lane.partition.topic}-{lane.partition.partition}"


def _is_ours(committed: OffsetAndMetadata) -> bool:
    return committed.metadata.startswith(f"{STAMP}:")
