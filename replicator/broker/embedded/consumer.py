"""Consumers of the embedded log: messages of all owned partitions in the order they were appended.

Reads by the global sequence: from the newest appends kept in memory when it is near the end, else from the file.
Belongs to the thread that polls; `wakeup` may come from any. No lock and no read transaction is held while messages
are processed (C8); order within a partition is the order of its offsets (INV-4).
"""

from __future__ import annotations

import itertools
import logging
import re
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from replicator.api.errors import IllegalStateError
from replicator.api.record import TopicPartition
from replicator.api.sink import OffsetAndMetadata
from replicator.broker.base import Message, RebalanceListener
from replicator.broker.embedded.batches import decode_batch, unpack_positions
from replicator.broker.embedded.following import Follower
from replicator.broker.embedded.groups import Groups, Member, Subscription
from replicator.broker.embedded.log import Log
from replicator.broker.embedded.partitions import Partition
from replicator.broker.embedded.tail import TailGroup
from replicator.broker.embedded.unplaced import make_durable

_log = logging.getLogger(__name__)

_POLL_BYTES: Final = 16 << 20
_ROWS_AT_ONCE: Final = 256
_READ_ONLY_WAIT: Final = 0.5

# (index of the first message in its append, indices of all or None, messages)
_Part = tuple[int, Sequence[int] | None, Sequence[Message]]


class EmbeddedConsumer:
    """See the module."""

    def __init__(self, log: Log, groups: Groups, group: str | None, start: str) -> None:
        self._log_state = log
        self._groups = groups
        self._group = group
        self._start = start
        self._reader = log.reader()
        self._event = threading.Event()
        self._woken = False
        self._closed = False
        self._member: Member | None = None
        self._attached = False
        self._listener: RebalanceListener | None = None
        self._assigned: dict[TopicPartition, Partition | None] = {}
        self._paused: set[TopicPartition] = set()
        self._positions: dict[TopicPartition, int] = {}
        # Next offset to fetch of each partition being read; what was fetched but not yet returned is in _ready.
        self._active: dict[Partition, int] = {}
        self._columns = ""
        self._cursor = 0
        self._limit = 0
        self._ready: list[Message] = []
        self._at = 0
        self._ready_raw = 0
        self._messages_per_row = 1
        self._stale = True
        self._topics_seen = -1
        self._on_topics = self._event.set
        log.topics_changed.append(self._on_topics)
        self._follower = Follower()
        with log.lock:
            log.tail.followers |= {self._follower}

    @property
    def commit_wanted(self) -> bool:
        """Whether the disk waits for what this consumer lets go."""
        return self._log_state.budget.hungry

    # -- what to read

    def subscribe(
        self, topics: Sequence[str] | re.Pattern[str], listener: RebalanceListener | None = None
    ) -> None:
        """Join the group; the share is taken on the next `poll`."""
        if self._group is None:
            raise IllegalStateError("A consumer without a group cannot subscribe.")
        self._leave()
        self._listener = listener
        self._member = self._groups.join(self._group, Subscription(topics), self._event.set)

    def assign(self, partitions: Sequence[TopicPartition]) -> None:
        """Read exactly these."""
        self._leave()
        self._settle()
        self._assigned = dict.fromkeys(partitions)
        self._positions = {tp: at for tp, at in self._positions.items() if tp in self._assigned}
        self._paused.intersection_update(self._assigned)
        if self._group is not None and not self._attached:
            self._attached = True
            self._groups.attach(self._group, 1)

    def assignment(self) -> set[TopicPartition]:
        """Partitions read at present."""
        return set(self._assigned)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Continue there."""
        self._check_assigned(partition)
        self._settle()
        self._positions[partition] = offset

    def position(self, partition: TopicPartition) -> int:
        """Offset of the next message `poll` would return."""
        self._check_assigned(partition)
        if self._stale:
            self._rewind()
        for message in self._ready[self._at :]:
            if message.partition == partition.partition and message.topic == partition.topic:
                return message.offset
        state = self._assigned[partition]
        if state is not None and state in self._active:
            return self._active[state]
        return self._positions.get(partition, 0)

    def pause(self, partitions: Sequence[TopicPartition]) -> None:
        """Return nothing from these until resumed."""
        if not self._paused.issuperset(partitions):
            self._settle()
            self._paused.update(partitions)

    def resume(self, partitions: Sequence[TopicPartition]) -> None:
        """Return messages again."""
        if not self._paused.isdisjoint(partitions):
            self._settle()
            self._paused.difference_update(partitions)

    def _check_assigned(self, partition: TopicPartition) -> None:
        if partition not in self._assigned:
            raise IllegalStateError(f"Partition {partition.topic}-{partition.partition} is not assigned.")

    # -- group

    def committed(self, partition: TopicPartition) -> OffsetAndMetadata | None:
        """The group's committed position."""
        return None if self._group is None else self._groups.committed(self._group, partition)

    def commit(self, offsets: Mapping[TopicPartition, OffsetAndMetadata]) -> None:
        """Commit for the group."""
        if self._group is None:
            raise IllegalStateError("A consumer without a group cannot commit.")
        self._groups.commit(self._group, offsets)

    def _follow_group(self) -> None:
        member, group = self._member, self._group
        if member is None or group is None or member.owned == member.target:
            return
        gone = self._groups.to_revoke(member)
        if gone:
            self._revoke(member, group, gone)
        added = self._groups.claim(group, member)
        if added:
            self._settle()
            self._assigned.update(dict.fromkeys(added))
            if self._listener is not None:
                self._listener.assigned(added)

    def _revoke(self, member: Member, group: str, gone: Sequence[TopicPartition]) -> None:
        self._settle()
        try:
            if self._listener is not None:
                self._listener.revoked(gone)
        finally:
            self._settle()
            for tp in gone:
                del self._assigned[tp]
                self._positions.pop(tp, None)
            self._paused.difference_update(gone)
            self._groups.release(group, member, gone)

    def _leave(self) -> None:
        member, group = self._member, self._group
        if group is None:
            return
        if member is not None:
            self._member = None
            try:
                if member.owned:
                    self._revoke(member, group, sorted(member.owned))
            finally:
                self._groups.leave(group, member)
        if self._attached:
            self._attached = False
            self._groups.attach(group, -1)

    def close(self) -> None:
        """Leave the group."""
        if self._closed:
            return
        self._closed = True
        try:
            self._leave()
        finally:
            self._log_state.topics_changed.remove(self._on_topics)
            self._follower.fell_behind()
            with self._log_state.lock:
                self._log_state.tail.followers -= {self._follower}
            self._watch(())
            self._reader.close()

    # -- reading

    def wakeup(self) -> None:
        """Let a waiting `poll`, or the next one, return at once. Any thread."""
        self._woken = True
        self._event.set()

    def poll(self, max_messages: int, timeout: float) -> list[Message]:
        """Next messages, in the order of their appends."""
        deadline = time.monotonic() + timeout
        while True:
            self._event.clear()
            if self._woken:
                self._woken = False
                return []
            # Topics of an append were announced before it, so after this the group's share covers all up to here.
            self._limit = self._log_state.last_seq
            self._follow_group()
            messages = self._take(max_messages)
            if messages:
                if self._group is not None:
                    make_durable(self._log_state, messages, self._cursor)
                return messages
            left = deadline - time.monotonic()
            if left <= 0:
                return []
            if self._log_state.read_only:
                left = min(left, _READ_ONLY_WAIT)
            self._event.wait(left)

    def _take(self, most: int) -> list[Message]:
        taken: list[Message] = []
        raw = 0
        while len(taken) < most and raw < _POLL_BYTES:
            if self._at >= len(self._ready) and not self._fill(most - len(taken)):
                break
            raw += self._ready_raw
            end = min(len(self._ready), self._at + most - len(taken))
            if not taken and self._at == 0 and end == len(self._ready):
                taken, self._ready, self._at = self._ready, [], 0
            else:
                taken += self._ready[self._at : end]
                self._at = end
        return taken

    def _fill(self, want: int) -> bool:
        """Fetch whole appends into `_ready`; False when there is nothing to read."""
        log = self._log_state
        while True:
            if self._stale or self._topics_seen != log.topics_version:
                self._rewind()
            self._ready, self._at, self._ready_raw = [], 0, 0
            if not self._active:
                return False
            group = log.tail.groups.get(self._cursor + 1)
            if group is not None and group.last_seq <= self._limit:
                self._from_tail(group, want)
            elif self._cursor < self._limit:
                self._from_file(want)
            elif not self._refreshed():
                return False
            else:
                self._limit = log.last_seq
            if self._ready:
                return True

    def _from_tail(self, group: TailGroup | None, want: int) -> None:
        groups, active = self._log_state.tail.groups, self._active
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
            self._cursor = group.last_seq
            seen = group.upto
            group = groups.get(self._cursor + 1)
            if group is not None and group.last_seq > self._limit:
                break
        self._follower.moved(seen, self._log_state.tail.published)

    def _from_file(self, want: int) -> None:
        visible = self._limit
        # Rows lie scattered among their data, so looking at many more than needed costs as much as reading them.
        rows_wanted = 2 * want // self._messages_per_row + 2
        limit = max(min(rows_wanted, _ROWS_AT_ONCE), len(self._active) + 1)
        sizes = self._reader.fetch(
            f"SELECT last_seq, count, raw {self._columns} LIMIT {limit}", (self._cursor, visible)
        )
        upto = _until(sizes, want, limit, visible)
        rows = self._reader.fetch(
            f"SELECT last_seq, partition_id, base, next, raw, first, positions, data {self._columns}",
            (self._cursor, upto),
        )
        if rows:
            self._messages_per_row = max(1, sum(row[3] - row[2] for row in rows) // len(rows))
        by_id = {partition.id: partition for partition in self._active}
        for _, group in itertools.groupby(rows, lambda row: row[0]):
            parts = [part for row in group if (part := self._read_row(by_id[row[1]], row)) is not None]
            if parts:
                self._ready += _merge(parts)
        self._cursor = upto
        seen = self._log_state.tail.sums.get(upto)
        if seen is None:
            self._follower.fell_behind()
        else:
            self._follower.moved(seen, self._log_state.tail.published)

    def _read_row(self, partition: Partition, row: tuple[Any, ...]) -> _Part | None:
        _, _, base, end, raw, first, positions, data = row
        expected = self._active[partition]
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
        self._active[partition] = end
        self._ready_raw += raw
        return _from(expected, (first, None if positions is None else unpack_positions(positions), messages))

    # -- positions

    def _settle(self) -> None:
        """Give back what was fetched but not returned, so that positions say where to read on."""
        for partition, offset in self._active.items():
            self._positions[partition.tp] = offset
        for message in reversed(self._ready[self._at :]):
            self._positions[TopicPartition(message.topic, message.partition)] = message.offset
        self._active = {}
        self._ready, self._at = [], 0
        self._stale = True

    def _rewind(self) -> None:
        """Find the place in the log from which all partitions can be read on."""
        if not self._stale:
            self._settle()
        log = self._log_state
        with log.lock:
            self._topics_seen = log.topics_version
            cursor = log.last_seq
            for tp in self._assigned:
                topic = log.topics.get(tp.topic)
                known = topic is not None and 0 <= tp.partition < len(topic.partitions)
                partition = topic.partitions[tp.partition] if topic is not None and known else None
                if partition is not None:
                    before = self._assigned[tp]
                    if before is not None and before.id != partition.id:  # deleted and made anew
                        self._positions.pop(tp, None)
                    offset = self._positions[tp] = self._checked_position(partition)
                    if tp not in self._paused:
                        self._active[partition] = offset
                        cursor = min(cursor, self._sequence_before(partition, offset))
                self._assigned[tp] = partition
            self._cursor = cursor
            self._watch(self._active)
        ids = ",".join(str(partition.id) for partition in self._active)
        # Reading by the primary key keeps the order of appends without sorting.
        self._columns = (
            f"FROM batches NOT INDEXED WHERE seq > ? AND seq <= ? AND partition_id IN ({ids}) ORDER BY seq"
        )
        self._stale = False

    def _checked_position(self, partition: Partition) -> int:
        tp = partition.tp
        at = self._positions.get(tp)
        if at is None:
            committed = self.committed(tp)
            if committed is None:
                return self._start_of(partition)
            at = committed.offset
        if partition.begin <= at <= partition.end:
            return at
        start = self._start_of(partition)
        _log.warning(
            "Position %d of %s-%d is outside the log (%d to %d); reading on at %d (%s).",
            at, tp.topic, tp.partition, partition.begin, partition.end, start, self._start,
        )  # fmt: skip
        return start

    def _start_of(self, partition: Partition) -> int:
        return partition.end if self._start == "latest" else partition.begin

    def _sequence_before(self, partition: Partition, offset: int) -> int:
        if offset >= partition.end:
            return self._log_state.last_seq
        rows = self._reader.fetch(
            "SELECT seq FROM batches WHERE partition_id = ?1 AND base >= coalesce("
            "(SELECT max(base) FROM batches WHERE partition_id = ?1 AND base <= ?2), 0) AND next > ?2"
            " ORDER BY base LIMIT 1",
            (partition.id, offset),
        )
        return int(rows[0][0]) - 1 if rows else self._log_state.last_seq

    def _watch(self, partitions: Mapping[Partition, int] | tuple[()]) -> None:
        """Be woken by these partitions only."""
        with self._log_state.lock:
            for partition in self._log_state.partitions.values():
                if partition in partitions:
                    partition.waiters |= {self._event}
                elif self._event in partition.waiters:
                    partition.waiters -= {self._event}

    def _refreshed(self) -> bool:
        """Whether another process has appended to a log that is read only here."""
        log = self._log_state
        if not log.read_only:
            return False
        before = log.last_seq
        with log.lock:
            log.load()
        return log.last_seq > before


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
