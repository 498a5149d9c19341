"""Compaction: of each key of a compacted topic only the newest message stays. Runs on the maintenance thread.

First all of a partition is read for the newest offset of each key, then its batches are rewritten window by window,
each in one transaction. A rewritten window takes the place of its last batch, so readers in the middle of it find
what they have not read yet. Offsets never change.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from replicator.broker.embedded.batches import decode_batch, encode_batch
from replicator.broker.embedded.log import Log
from replicator.broker.embedded.partitions import Partition, Topic
from replicator.broker.embedded.retention import option
from replicator.broker.message import Message

_WINDOW_ROWS: Final = 2000
_WINDOW_BYTES: Final = 4 << 20
_FEWEST: Final = 256
_BREATH: Final = 0.005
# Places a rewritten batch behind the other batches of its append: its messages come from many appends.
_BEHIND: Final = 24


class _Row(NamedTuple):
    seq: int
    last_seq: int
    base: int
    next: int
    added: int
    data: bytes


class Compaction:
    """Compacts partitions that have enough to drop."""

    def __init__(self, log: Log, stopping: Callable[[], bool]) -> None:
        self._log = log
        self._stopping = stopping
        self._reader = log.reader()
        # End offset and number of messages left when a partition was last compacted.
        self._done: dict[int, tuple[int, int]] = {}

    def close(self) -> None:
        """Release the reader."""
        self._reader.close()

    def run(self, now: float) -> None:
        """Compact what is due, as of `now` (seconds)."""
        for topic in list(self._log.topics.values()):
            if topic.compacted:
                for partition in topic.partitions:
                    end, kept = self._done.get(partition.id, (partition.begin, 0))
                    if partition.end - end >= max(_FEWEST, kept) and not self._stopping():
                        self.compact(topic, partition, int(now * 1000))

    def compact(self, topic: Topic, partition: Partition, now: int) -> None:
        """Compact one partition up to its present end."""
        end = partition.end
        newest: dict[bytes | None, int] = {}
        for window in self._windows(partition, end):
            for row in window:
                newest.update((m.key, m.offset) for m in decode_batch(row.data, *partition.tp, row.base))
        oldest_tombstone = now - int(option(self._log, topic, "delete.retention.ms"))

        def stays(message: Message) -> bool:
            if message.key is None:
                return True
            if newest[message.key] != message.offset:
                return False
            return message.value is not None or message.timestamp >= oldest_tombstone

        kept = 0
        for window in self._windows(partition, end):
            kept += self._rewrite(partition, window, stays)
            time.sleep(_BREATH)
        if not self._stopping():
            self._done[partition.id] = (end, kept)

    def _windows(self, partition: Partition, end: int) -> Iterator[list[_Row]]:
        """The partition's rows up to `end`, a bounded number at a time."""
        base = -1
        while not self._stopping() and not partition.deleted:
            sizes = self._reader.fetch(
                "SELECT base, raw FROM batches WHERE partition_id = ? AND base > ? AND next <= ? ORDER BY base LIMIT ?",
                (partition.id, base, end, _WINDOW_ROWS),
            )
            if not sizes:
                return
            upto = _bounded(sizes)
            rows = self._reader.fetch(
                "SELECT seq, last_seq, base, next, added, data FROM batches"
                " WHERE partition_id = ? AND base > ? AND base <= ? ORDER BY base",
                (partition.id, base, upto),
            )
            yield [_Row(*row) for row in rows]
            base = upto

    def _rewrite(self, partition: Partition, window: list[_Row], stays: Callable[[Message], bool]) -> int:
        messages = [m for row in window for m in decode_batch(row.data, *partition.tp, row.base)]
        kept = [m for m in messages if stays(m)]
        if len(window) == 1 and len(kept) == len(messages):
            return len(kept)
        first, last = window[0], window[-1]
        inserted: tuple[Any, ...] | None = None
        if kept:
            base = kept[0].offset
            encoded = encode_batch(kept, last.added, [m.offset - base for m in kept])
            inserted = (
                last.seq, last.last_seq, partition.id, base, last.next, len(kept), encoded.raw, last.added,
                (last.seq + 1) << _BEHIND, None, encoded.blob,
            )  # fmt: skip
        with self._log.transaction() as connection:
            connection.execute(
                "DELETE FROM batches WHERE partition_id = ? AND base BETWEEN ? AND ?",
                (partition.id, first.base, last.base),
            )
            connection.execute(
                "UPDATE partitions SET end_offset = ? WHERE id = ?", (partition.end, partition.id)
            )
            if inserted is not None:
                connection.execute("INSERT INTO batches VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", inserted)
        return len(kept)


def _bounded(sizes: list[tuple[int, int]]) -> int:
    """Base of the last row of a window within the limit on bytes; at least one row."""
    raw = 0
    upto = sizes[0][0]
    for base, size in sizes:
        raw += size
        if raw > _WINDOW_BYTES:
            break
        upto = base
    return upto
