"""What a consumer of the embedded log reads: its partitions, where each of them goes on, which are paused.

Belongs to the thread that polls. Positions of what is being read are the `Feed`'s; `settle` takes them back, and the
next `rewind` finds the place in the log from which all partitions can be read on in the order of appends.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence

from replicator.api.errors import IllegalStateError
from replicator.api.record import TopicPartition
from replicator.api.sink import OffsetAndMetadata
from replicator.broker.embedded.feed import Feed
from replicator.broker.embedded.log import Log
from replicator.broker.embedded.partitions import Partition

_log = logging.getLogger(__name__)


class Share:
    """See the module."""

    def __init__(
        self,
        log: Log,
        feed: Feed,
        start: str,
        committed: Callable[[TopicPartition], OffsetAndMetadata | None],
        event: threading.Event,
    ) -> None:
        self._log_state = log
        self._reader = log.reader()
        self._feed = feed
        self._start = start
        self._committed = committed
        self._event = event
        self._assigned: dict[TopicPartition, Partition | None] = {}
        self._paused: set[TopicPartition] = set()
        self._positions: dict[TopicPartition, int] = {}
        self._stale = True
        self._topics_seen = -1

    def __iter__(self) -> Iterator[TopicPartition]:
        return iter(self._assigned)

    def replace(self, partitions: Sequence[TopicPartition]) -> None:
        """Read exactly these; those that stay keep their positions."""
        self.settle()
        self._assigned = dict.fromkeys(partitions)
        self._positions = {tp: at for tp, at in self._positions.items() if tp in self._assigned}
        self._paused.intersection_update(self._assigned)

    def add(self, partitions: Sequence[TopicPartition]) -> None:
        """Read these, too."""
        self.settle()
        self._assigned.update(dict.fromkeys(partitions))

    def drop(self, partitions: Sequence[TopicPartition]) -> None:
        """Read these no more, and forget their positions."""
        self.settle()
        for tp in partitions:
            del self._assigned[tp]
            self._positions.pop(tp, None)
        self._paused.difference_update(partitions)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Continue there."""
        self._check_assigned(partition)
        self.settle()
        self._positions[partition] = offset

    def position(self, partition: TopicPartition) -> int:
        """Offset of the next message that would be read."""
        self._check_assigned(partition)
        if self._stale:
            self._rewind()
        state = self._assigned[partition]
        at = None if state is None else self._feed.position(state)
        return self._positions.get(partition, 0) if at is None else at

    def pause(self, partitions: Sequence[TopicPartition]) -> None:
        """Leave these out until resumed."""
        if not self._paused.issuperset(partitions):
            self.settle()
            self._paused.update(partitions)

    def resume(self, partitions: Sequence[TopicPartition]) -> None:
        """Read these again."""
        if not self._paused.isdisjoint(partitions):
            self.settle()
            self._paused.difference_update(partitions)

    def close(self) -> None:
        """Be woken no more."""
        self._watch(())
        self._reader.close()

    def _check_assigned(self, partition: TopicPartition) -> None:
        if partition not in self._assigned:
            raise IllegalStateError(f"Partition {partition.topic}-{partition.partition} is not assigned.")

    # -- the place in the log

    def settle(self) -> None:
        """Give back what was fetched but not returned, so that positions say where to read on."""
        self._positions.update(self._feed.end())
        self._stale = True

    def follow_topics(self) -> None:
        """Let the feed read what is to be read, also when topics came, went or were made anew."""
        if self._stale or self._topics_seen != self._log_state.topics_version:
            self._rewind()

    def _rewind(self) -> None:
        """Find the place in the log from which all partitions can be read on."""
        if not self._stale:
            self.settle()
        log = self._log_state
        with log.lock:
            self._topics_seen = log.topics_version
            active: dict[Partition, int] = {}
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
                        active[partition] = offset
                        cursor = min(cursor, self._sequence_before(partition, offset))
                self._assigned[tp] = partition
            self._watch(active)
        self._feed.begin(active, cursor)
        self._stale = False

    def _checked_position(self, partition: Partition) -> int:
        tp = partition.tp
        at = self._positions.get(tp)
        if at is None:
            committed = self._committed(tp)
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
