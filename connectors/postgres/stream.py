"""The stream: pgoutput messages to records, in the order the server sends them.

Owned by the reader thread. One instance lives as long as one replication session. To follow one change: `streaming`
takes its message from the server and calls the handler for its first byte, which is here; `stream_transactions` has
entered its transaction at BEGIN; `stream_rows` makes the record and puts it into the `outbox`, which `streaming` sends
into the queue that `poll` takes from. Nothing is acknowledged here but what the task reports as durable.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from connectors.cdc.encoder import sequence_text
from connectors.cdc.tables import Table
from connectors.postgres import pgoutput
from connectors.postgres.encoders import Encoders
from connectors.postgres.outbox import Outbox, mark_end, position_header
from connectors.postgres.position import STEP, Position, StreamOffset
from connectors.postgres.side_records import MESSAGE_COLLECTION, Messages
from connectors.postgres.stream_rows import Rows
from replicator.api import Header, SourceRecord


class Stream(Rows):
    """Turns messages into records in an outbox.

    Attributes:
        handlers: by the first byte of a message: takes the message and the position the server gave it.
    """

    def __init__(
        self,
        options: Mapping[str, Any],
        encoders: Encoders,
        table_of: Callable[[pgoutput.Relation], Table],
        position: Position,
        outbox: Outbox,
        partition: Mapping[str, Any],
        extra_headers: list[Header],
    ) -> None:
        super().__init__(options, encoders, table_of, position, outbox, partition, extra_headers)
        self._messages = Messages(options, encoders.topics.message)
        self.handlers: dict[int, Callable[[bytes, int], None]] = {
            pgoutput.INSERT: self._insert,
            pgoutput.UPDATE: self._update,
            pgoutput.DELETE: self._delete,
            pgoutput.BEGIN: self._begin,
            pgoutput.COMMIT: self._end,
            pgoutput.RELATION: self._relation,
            pgoutput.TRUNCATE: self._truncate,
            pgoutput.MESSAGE: self._message,
            pgoutput.TYPE: self._ignore,
            pgoutput.ORIGIN: self._origin_message,
        }

    def _ignore(self, body: bytes, lsn: int) -> None:
        """Type messages tell nothing that the catalog does not."""

    def _message(self, body: bytes, lsn: int) -> None:
        message = pgoutput.decode(body)
        assert isinstance(message, pgoutput.LogicalMessage)
        if message.transactional:
            self._step += STEP
            self._emit_message(message)
            return
        # Decoded where it stands in the log, so it orders among transactions by its own position.
        now = int(time.time() * 1_000_000)
        self._enter(message.lsn, 0, now)
        self._emit_message(message)
        records = self._outbox.records
        last = records[-1] if self._emitted else None
        if last is not None:
            mark_end(last)
        self._leave(message.lsn + 1, last)

    def _emit_message(self, message: pgoutput.LogicalMessage) -> None:
        if not self._messages.wanted(message.prefix):
            return
        lsn = message.lsn
        block = self._counter.block(MESSAGE_COLLECTION, lsn) if self._counter is not None else None
        if self._step <= self._skip:
            return
        xid = self._xid if message.transactional else None
        source = self._message_source(lsn, xid)
        value = self._messages.value(message, source, time.time_ns() // 1000, block)
        key = self._messages.key(message)
        self._group()
        self._outbox.records.append(
            SourceRecord(
                self._partition,
                StreamOffset(self._part, self._step, lsn, "MESSAGE"),
                self._messages.topic,
                None,
                key.schema,
                key,
                value.schema,
                value,
                None,
                [position_header(self._prefix, self._step)],
            )
        )

    def _message_source(self, lsn: int, xid: int | None) -> dict[str, Any]:
        return self._encoders.message_source(
            "false", self.commit_us, xid, lsn, sequence_text(self._last, lsn)
        )
