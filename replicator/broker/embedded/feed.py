"""Reading on in the log: whole appends in their order, from memory near its end and from the file before that.

Belongs to one consumer and its thread. No lock and no read transaction is held while messages are processed (C8); order
within a partition is the order of its offsets (INV-4).
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Sequence
from typing import Any, Final

from replicator.api.record import TopicPartition
from replicator.broker.embedded.batches import decode_batch, unpack_positions
from replicator.broker.embedded.following import Follower
from replicator.broker.embedded.log import Log
from replicator.broker.embedded.partitions import Partition
from replicator.broker.embedded.tail import TailGroup
from replicator.broker.message import Message

_log = logging.getLogger(__name__)

_POLL_BYTES: Final = 16 << 20
_ROWS_AT_ONCE: Final = 256

# (index of the first message in its append, indices of all or None, messages)
_Part = tuple[int, Sequence[int] | None, Sequence[Message]]


class Feed:
    """See the module.

    Attributes:
        active: partitions that are read, and the next offset to fetch of each.
        cursor: sequence number up to which everything was fetched.
        limit: sequence number up to which may be read.
    """

    def __init__(self, log: Log) -> None:
        self.active: dict[Partition, int] = {}
        self.cursor = 0
        self.limit = 0
        self._log_state = log
        self._reader = log.reader()
        self._columns = ""
        # Fetched, and from `_at` on not yet taken.
        self._ready: list[Message] = []
        self._at = 0
        self._ready_raw = 0
        self._messages_per_row = 1
        self._follower = Follower()
        with log.lock:
            log.tail.followers |= {self._follower}

    def expect(self) -> None:
        """Reading is about to begin."""
        self._follower.expect(self._log_state.tail.published)

    def close(self) -> None:
        """Hold nobody up any more."""
        self._follower.fell_behind()
        with self._log_state.lock:
            self._log_state.tail.followers -= {self._follower}
        self._reader.close()

    def begin(self, active: dict[Partition, int], cursor: int) -> None:
        """Read these partitions from now on; nothing before `cursor` is needed."""
        self.active, self.cursor = active, cursor
        ids = ",".join(str(partition.id) for partition in active)
        # Reading by the primary key keeps the order of appends without sorting.
        self._columns = (
            f"FROM batches NOT INDEXED WHERE seq > ? AND seq <= ? AND partition_id IN ({ids}) ORDER BY seq"
        )

    def end(self) -> dict[TopicPartition, int]:
        """Give back what was fetched but not taken; where to read on."""
        positions = {partition.tp: offset for partition, offset in self.active.items()}
        for message in reversed(self._ready[self._at :]):
            positions[TopicPartition(message.topic, message.partition)] = message.offset
        self.active = {}
        self._ready, self._at = [], 0
        return positions

    def position(self, partition: Partition) -> int | None:
        """Offset of the next message of a partition; None when it is not read."""
        tp = partition.tp
        for message in self._ready[self._at :]:
            if message.partition == tp.partition and message.topic == tp.topic:
                return message.offset
        return self.active.get(partition)

    def take(self, most: int, fill: Callable[[int], bool]) -> list[Message]:
        """The next messages; `fill` is asked to `fetch` when there are no more, and says whether there were any."""
        taken: list[Message] = []
        raw = 0
        while len(taken) < most and raw < _POLL_BYTES:
            if self._at >= len(self._ready) and not fill(most - len(taken)):
                break
            raw += self._ready_raw
            end = min(len(self._ready), self._at + most - len(taken))
            if not taken and self._at == 0 and end == len(self._ready):
                taken, self._ready, self._at = self._ready, [], 0
            else:
                taken += self._ready[self._at : end]
                self._at = end
        return taken

    def fetch(self, want: int) -> bool:
        """Fetch about so many messages up to the limit; False when there are none."""
        groups = self._log_state.tail.groups
        self._ready, self._at, self._ready_raw = [], 0, 0
        while not self._ready:
            group = groups.get(self.cursor + 1)
            if group is not None and group.last_seq <= self.limit:
                self._from_tail(group, want)
            elif self.cursor < self.limit:
                self._from_file(want)
            else:
                return False
        return True

    def _from_tail(self, group: TailGroup | None, want: int) -> None:
        groups, active = self._log_state.tail.groups, self.active
        seen = self._follower.seen
        while group is not None and len(self._ready) < want and self._ready_raw < _POLL_BYTES:
            parts: list[_Part] = []
            for batch in group.batches:
                expected = active.get(batch.partition)
                end = batch.base + len(batch.messages)
                if expected is None or end <= expected:
                    continue
                parts.append(_from(expected, (batch.first, batch.positions, batch.messages)))
                active[batch.partition] = end
            if parts:
                self._ready += _merge(parts)
                self._ready_raw += group.raw
            self.cursor = group.last_seq
            seen = group.upto
            group = groups.get(self.cursor + 1)
            if group is not None and group.last_seq > self.limit:
                break
        self._follower.moved(seen, self._log_state.tail.published)

    def _from_file(self, want: int) -> None:
        visible = self.limit
        # Rows lie scattered among their data, so looking at many more than needed costs as much as reading them.
        rows_wanted = 2 * want // self._messages_per_row + 2
        limit = max(min(rows_wanted, _ROWS_AT_ONCE), len(self.active) + 1)
        sizes = self._reader.fetch(
            f"SELECT last_seq, count, raw {self._columns} LIMIT {limit}", (self.cursor, visible)
        )
        upto = _until(sizes, want, limit, visible)
        rows = self._reader.fetch(
            f"SELECT last_seq, partition_id, base, next, raw, first, positions, data {self._columns}",
            (self.cursor, upto),
        )
        if rows:
            self._messages_per_row = max(1, sum(row[3] - row[2] for row in rows) // len(rows))
        by_id = {partition.id: partition for partition in self.active}
        for _, group in itertools.groupby(rows, lambda row: row[0]):
            parts = [part for row in group if (part := self._read_row(by_id[row[1]], row)) is not None]
            if parts:
                self._ready += _merge(parts)
        self.cursor = upto
        seen = self._log_state.tail.sums.get(upto)
        if seen is None:
            self._follower.fell_behind()
        else:
            self._follower.moved(seen, self._log_state.tail.published)

    def _read_row(self, partition: Partition, row: tuple[Any, ...]) -> _Part | None:
        _, _, base, end, raw, first, positions, data = row
        expected = self.active[partition]
        if end <= expected:
            return None
        if base > expected and not partition.topic.compacted:
            _log.warning(
                "Messages %d to %d of %s-%d were removed before they were read.",
                expected,
                base - 1,
                *partition.tp,
            )
        messages = decode_batch(data, *partition.tp, base)
        self.active[partition] = end
        self._ready_raw += raw
        return _from(expected, (first, None if positions is None else unpack_positions(positions), messages))


def _from(expected: int, part: _Part) -> _Part:
    """Leave out what lies before the expected offset."""
    first, positions, messages = part
    if messages[0].offset >= expected:
        return part
    skipped = sum(1 for m in messages if m.offset < expected)
    return first + skipped, None if positions is None else positions[skipped:], messages[skipped:]


def _merge(parts: list[_Part]) -> Sequence[Message]:
    """Messages of the batches of one append, in the append's order."""
    if len(parts) == 1:
        return parts[0][2]
    if all(positions is None for _, positions, _ in parts):
        parts.sort(key=lambda part: part[0])
        return [message for _, _, messages in parts for message in messages]
    placed: dict[int, Message] = {}
    for first, positions, messages in parts:
        placed.update(zip(itertools.count(first) if positions is None else positions, messages, strict=False))
    return [placed[index] for index in sorted(placed)]


def _until(sizes: Sequence[tuple[int, int, int]], want: int, limit: int, visible: int) -> int:
    """Sequence number up to which whole appends give about `want` messages within the byte limit."""
    if not sizes:
        return visible
    count = raw = 0
    complete = 0
    for last, group in itertools.groupby(sizes, lambda row: row[0]):
        held = list(group)
        if complete and len(sizes) == limit and last == sizes[-1][0]:
            return complete  # the limit may have cut this append
        if complete and (count >= want or raw >= _POLL_BYTES):
            return complete
        complete = last
        count += sum(row[1] for row in held)
        raw += sum(row[2] for row in held)
    return complete if len(sizes) == limit else max(complete, visible)
