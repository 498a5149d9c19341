"""Where the stream is in the log: transactions begin and end, positions move, what was handed out is left out.

Owned by the reader thread. The position a session starts from tells what of its first transactions was handed out
already (see `position`); the last record of a transaction carries its end (C8).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from connectors.cdc.encoder import Row, TableEncoder
from connectors.cdc.schemas import TRANSACTION_KEY, TRANSACTION_VALUE
from connectors.postgres import pgoutput
from connectors.postgres.encoders import Encoders
from connectors.postgres.origins import IncrementalOrigin
from connectors.postgres.outbox import Outbox, mark_end, position_header
from connectors.postgres.position import (
    INCREMENTAL,
    NONE_YET,
    STEP,
    Position,
    StreamOffset,
    TransactionPart,
    base_of,
)
from connectors.postgres.side_records import TransactionCounter
from replicator.api import ChangeRecord, Header, SourceRecord, Struct, offset_only
from replicator.api.position import STREAM

_ALL: Final = 1 << 62
"""Skip mark of a transaction that was handed out whole."""


class Transactions:
    """What the messages of one session have in common.

    Attributes:
        floor: everything before this position was handed out or is in the outbox.
        commit_us: commit time of the newest transaction.
        open: whether a transaction is being received.
        transactions: transactions read to their end so far.
        transaction_id: id of the newest transaction.
    """

    def __init__(
        self,
        options: Mapping[str, Any],
        encoders: Encoders,
        position: Position,
        outbox: Outbox,
        partition: Mapping[str, Any],
        extra_headers: list[Header],
    ) -> None:
        identity = position.identity
        assert identity is not None
        self._encoders = encoders
        self._start = position
        self._outbox = outbox
        self._partition = partition
        self._extra = extra_headers
        self._base = base_of(identity, position.copy, position.incremental)
        self._digest = identity.digest()
        self._metadata: bool = options["provide.transaction.metadata"]
        self.floor = position.floor
        self.commit_us = 0
        self.open = False
        self.transactions = 0
        self._xid = 0
        self._commit = 0
        self._step = 0
        self._skip = NONE_YET
        self._emitted = False
        self._prefix = ""
        # Where a session begins without a transaction before it, nothing was committed yet; as after a copy.
        goes_on = position.commit and options["snapshot.mode"] != "always"
        self._last = position.floor if goes_on else None
        self._part = TransactionPart(self._base, self.floor, 0, None, 0, self._last)
        self._counter: TransactionCounter | None = None
        self._origin: tuple[str, int] | None = None

    def idle(self, position: int) -> None:
        """The server says that nothing before `position` is left to send."""
        if not self.open and position > self.floor:
            self.floor = position

    @property
    def transaction_id(self) -> int:
        """Id of the newest transaction."""
        return self._xid

    @property
    def holding(self) -> bool:
        """Whether the outbox's last group may be the end of the transaction being received."""
        return self.open and self._emitted

    def floor_record(self) -> SourceRecord:
        """A record that carries only the floor (C5)."""
        return offset_only(self._partition, self.floor_offset())

    def floor_offset(self) -> StreamOffset:
        """The offset of the floor."""
        now_us = int(time.time() * 1_000_000)
        part = TransactionPart(self._base, self.floor, self._commit, None, now_us, self._last)
        # The next transaction may begin at this very place: Debezium reads it only if nothing but an end was here.
        return StreamOffset(part, self._step, self.floor, "COMMIT")

    def hand_out(
        self, encoder: TableEncoder, rows: Sequence[tuple[Row, Row | None]], lsn: int, progress: str
    ) -> None:
        """Rows of an incremental snapshot, read at this place of the log: one group, with its progress."""
        self.remember(progress)
        self._part.base = self._base
        if not rows:
            return
        self._group()
        origin = IncrementalOrigin(
            encoder, self._partition, self._digest, self._part, time.time_ns() // 1000, self._extra
        )
        for row, key in rows:
            self._step += STEP
            after = encoder.visible(row) if encoder.hides else row
            self._outbox.records.append(ChangeRecord(origin, "r", None, after, key, lsn, self._step))

    def remember(self, progress: str) -> None:
        """Progress of incremental snapshots that offsets carry from now on."""
        self._base = {k: v for k, v in self._base.items() if k != INCREMENTAL}
        if progress:
            self._base[INCREMENTAL] = progress

    def _begin(self, body: bytes, lsn: int) -> None:
        begin = pgoutput.decode(body)
        assert isinstance(begin, pgoutput.Begin)
        self._enter(begin.final_lsn, begin.xid, begin.commit_us)
        if self._metadata:
            self._counter = TransactionCounter(begin.xid)
            if self._skip < 0:
                self._transaction_record(*self._counter.begin(lsn, begin.commit_us), 0, lsn, "BEGIN")

    def _enter(self, commit: int, xid: int, commit_us: int) -> None:
        delivered = self._start.delivered(commit)
        self._skip = _ALL if delivered is None else delivered
        self.open = True
        self._commit = commit
        self._xid = xid
        self.commit_us = commit_us
        self._step = 0
        self._emitted = False
        self._counter = None
        self._origin = None
        self._prefix = f"{STREAM}:{self._digest}:{commit}:"
        self._part = TransactionPart(self._base, self.floor, commit, xid, commit_us, self._last)

    def _end(self, body: bytes, lsn: int) -> None:
        commit = pgoutput.decode(body)
        assert isinstance(commit, pgoutput.Commit)
        records = self._outbox.records
        last = records[-1] if self._emitted and records else None
        if last is not None:
            mark_end(last)
        if self._counter is not None and self._skip < self._step + STEP:
            self._transaction_record(
                *self._counter.end(lsn, self.commit_us), self._step + STEP, lsn, "COMMIT"
            )
            last = records[-1]
            mark_end(last)
        self._leave(commit.end_lsn, last)

    def _leave(self, end: int, last: SourceRecord | None) -> None:
        """The transaction is complete: its last record's offset says so."""
        self.open = False
        self.transactions += 1
        self.floor = max(self.floor, end)
        self._last = end
        if last is not None:
            offset = last.source_offset
            assert isinstance(offset, StreamOffset)
            offset.part = self._part.finished(self.floor)
            if isinstance(last, ChangeRecord):
                last.own_offset = offset

    def _transaction_record(self, key: Struct, value: Struct, ordinal: int, lsn: int, kind: str) -> None:
        self._group()
        self._outbox.records.append(
            SourceRecord(
                self._partition,
                StreamOffset(self._part, ordinal, lsn, kind),
                self._encoders.topics.transaction,
                None,
                TRANSACTION_KEY,
                key,
                TRANSACTION_VALUE,
                value,
                None,
                [position_header(self._prefix, ordinal)],
            )
        )

    def _group(self) -> None:
        outbox = self._outbox
        outbox.group = len(outbox.records)
        self._emitted = True

    def _origin_message(self, body: bytes, lsn: int) -> None:
        origin = pgoutput.decode(body)
        assert isinstance(origin, pgoutput.Origin)
        self._origin = (origin.name, origin.lsn)
