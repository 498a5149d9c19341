"""What the sink knows of each partition it owns: offsets, position, epoch. Task thread only."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final

from replicator.api import ChangeSinkRecord, SinkRecord, SourcePosition, TopicPartition, decode_position
from replicator.api.position import COPY, POSITION_HEADER

STAMP: Final = "replicator"
ANY: Final = 1 << 62
"""Later than every offset."""


def ledger_id(connector: str, partition: TopicPartition, log_identity: str) -> str:
    """Key of a ledger row: short, fixed in length, safe in SQL text."""
    text = "\0".join((connector, partition.topic, str(partition.partition), log_identity))
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


class Lane:
    """One partition.

    Attributes:
        partition: topic and partition.
        log_identity: the log its offsets count in (C9).
        id: key of its ledger row.
        epoch: fencing epoch of this task's claim (C10).
        next_offset: offset of the next record to apply, as the ledger has it.
        position: source position of the last applied record.
        copied_through: highest consistent point among copied rows (C1).
        checking: records may have been applied already: compare their positions.
        skip_below: records before this offset are void, because a truncate follows; ANY while it is looked for.
        stopped: why nothing is applied from here (C23), or "".
    """

    __slots__ = (
        "checking",
        "copied_through",
        "epoch",
        "id",
        "log_identity",
        "next_offset",
        "partition",
        "position",
        "skip_below",
        "stopped",
    )

    def __init__(self, connector: str, partition: TopicPartition, log_identity: str) -> None:
        self.partition = partition
        self.log_identity = log_identity
        self.id = ledger_id(connector, partition, log_identity)
        self.epoch = 0
        self.next_offset = 0
        self.position: SourcePosition | None = None
        self.copied_through = -1
        self.checking = False
        self.skip_below = -1
        self.stopped = ""

    @property
    def stamp(self) -> str:
        """Metadata of the group's offset that says: this is the ledger's (C11)."""
        return f"{STAMP}:{self.epoch}:{self.next_offset}"

    def is_repeat(self, position: SourcePosition) -> bool:
        """Whether a record at this position was applied already; the first later one ends the question."""
        known = self.position
        if known is None or not position.same_log(known):
            return False
        if position.is_after(known):
            self.checking = False
            return False
        return True


class LaneEnd:
    """Where a transaction leaves a lane.

    Attributes:
        lane: the partition.
        next_offset: offset after the last record.
        position: source position of the last record that has one.
        copied_through: see `Lane`.
    """

    __slots__ = ("copied_through", "lane", "next_offset", "position")

    def __init__(self, lane: Lane, next_offset: int, position: SourcePosition | None) -> None:
        self.lane = lane
        self.next_offset = next_offset
        self.position = position or lane.position
        self.copied_through = lane.copied_through
        if position is not None and position.phase == COPY:
            self.copied_through = max(position.commit, lane.copied_through)

    def settle(self) -> None:
        """The transaction is committed."""
        self.lane.next_offset = self.next_offset
        self.lane.position = self.position
        self.lane.copied_through = self.copied_through


class LedgerRow:
    """A stored row."""

    __slots__ = (
        "copied_through",
        "epoch",
        "id",
        "log_identity",
        "next_offset",
        "partition",
        "position",
        "writer",
    )

    def __init__(self, row: Sequence[Any]) -> None:
        self.id = str(row[0])
        self.partition = TopicPartition(str(row[1]), int(row[2]))
        self.log_identity = str(row[3])
        self.next_offset = int(row[4])
        self.position: SourcePosition | None = None
        if row[5] is not None:
            self.position = SourcePosition(str(row[5]), str(row[6]), int(row[7]), int(row[8]), False)
        self.copied_through = -1 if row[9] is None else int(row[9])
        self.epoch = int(row[10])
        self.writer = int(row[11])


def position_text(record: SinkRecord) -> str | None:
    """The record's position header as text, unparsed."""
    if type(record) is ChangeSinkRecord:
        return record.change.position_text
    for header in record.headers or ():
        if header.key == POSITION_HEADER:
            value = header.value
            return value if isinstance(value, str) else bytes(value).decode()
    return None


def position_of(record: SinkRecord) -> SourcePosition | None:
    """The record's source position, or None."""
    if type(record) is ChangeSinkRecord:
        return record.change.position
    text = position_text(record)
    return decode_position(text) if text else None


def lsn_text(commit: int) -> str:
    """A log position the way Postgres writes it."""
    return f"{commit >> 32:X}/{commit & 0xFFFFFFFF:X}"
