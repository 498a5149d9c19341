"""How far a sink has come in each partition it owns, and what of that its group has committed (task thread).

`current` moves only when `put` has returned (or the task named its own position in `open`); `committed` follows it
through `safe`, where the task decides, and `commit`, which waits for dead letters to be durable (INV-6).
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence

from replicator.api.errors import ConnectError, FencedError
from replicator.api.failpoints import failpoint
from replicator.api.record import TopicPartition
from replicator.api.sink import OffsetAndMetadata, SinkTask
from replicator.broker.base import Consumer
from replicator.runtime.clock import Clock
from replicator.runtime.errant import RecordReporter
from replicator.runtime.stats import TaskStats

log = logging.getLogger(__name__)

Positions = dict[TopicPartition, OffsetAndMetadata]


class SinkPositions:
    """Positions of one run of a sink task.

    Attributes:
        assigned: the partitions it owns.
    """

    def __init__(
        self,
        connector: str,
        task: SinkTask,
        consumer: Consumer,
        reporter: RecordReporter | None,
        stats: TaskStats,
        clock: Clock,
    ) -> None:
        self._connector = connector
        self._task = task
        self._consumer = consumer
        self._reporter = reporter
        self._stats = stats
        self._clock = clock
        self.assigned: set[TopicPartition] = set()
        self._current: Positions = {}
        self._committed: Positions = {}

    # Partitions come and go.

    def add(self, partitions: Sequence[TopicPartition]) -> None:
        """These are ours from where the group left them."""
        for partition in partitions:
            start = OffsetAndMetadata(self._consumer.position(partition))
            self._current[partition] = start
            self._committed[partition] = self._consumer.committed(partition) or start
        self.assigned.update(partitions)
        self._stats.partitions = len(self.assigned)

    def forget(self, partitions: Collection[TopicPartition]) -> None:
        """These are ours no more."""
        for partition in partitions:
            self.assigned.discard(partition)
            self._current.pop(partition, None)
            self._committed.pop(partition, None)
        self._stats.partitions = len(self.assigned)

    # What was delivered.

    def reach(self, next_offsets: Mapping[TopicPartition, int]) -> None:
        """Everything before these offsets is with the task, or it asked to continue there."""
        for partition, offset in next_offsets.items():
            if partition in self.assigned:
                self._current[partition] = OffsetAndMetadata(offset)

    def rewind(self) -> None:
        """Read again whatever is not committed."""
        for partition in self.assigned:
            offset = self._committed[partition].offset
            self._consumer.seek(partition, offset)
            self._current[partition] = OffsetAndMetadata(offset)

    # What is committed.

    def safe(self, partitions: set[TopicPartition]) -> Positions:
        """What the task lets us commit, without what is not ours, not delivered, or not new.

        Raises:
            ConnectError: the task could not make its writes safe.
        """
        offered = self._task.pre_commit({p: self._current[p] for p in partitions if p in self._current})
        safe: Positions = {}
        for partition, position in offered.items():
            current = self._current.get(partition)
            if partition not in partitions or current is None or position.offset > current.offset:
                log.warning("%s: ignoring offset %s of %s", self._connector, position.offset, partition)
            elif self._committed.get(partition) != position:
                safe[partition] = OffsetAndMetadata(*position)
        return safe

    def commit(self, safe: Positions) -> None:
        """Commit for the group; what fails is committed with the next ones."""
        if not safe:
            return
        if self._reporter is not None and not self._reporter.settled():
            self._stats.skipped_commit()
            log.warning("%s: no offset commit before the dead letters are safe", self._connector)
            return
        failpoint("before_group_commit")
        began = self._clock.now()
        try:
            self._consumer.commit(safe)
        except FencedError:
            raise
        except ConnectError as error:
            self._stats.committed(self._clock.now() - began, done=False)
            log.warning("%s: offset commit failed: %s", self._connector, error)
            return
        self._committed.update(safe)
        self._stats.committed(self._clock.now() - began, left=self._uncommitted())

    def _uncommitted(self) -> int:
        committed = self._committed
        return sum(
            position.offset - committed[partition].offset
            for partition, position in self._current.items()
            if partition in committed
        )
