"""The sink loop: poll -> converters -> transforms -> put -> commit (task thread).

A record's way, in the order of `SinkWork.step`: `sink_partitions` polls its message, `sink_records` converts and
transforms it, `sink_delivery` puts it (again after a RetriableError) and moves `sink_positions`, which the loop
commits when it is time. Positions advance only after `put` returned (INV-3); an error of `pre_commit` rewinds to
what was last committed.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from replicator.api.errors import ConnectError, FencedError
from replicator.api.sink import SinkTask
from replicator.broker.base import Consumer
from replicator.runtime.clock import Clock
from replicator.runtime.contexts import SinkContext
from replicator.runtime.errant import RecordReporter
from replicator.runtime.sink_batch import SinkBatch, next_offsets
from replicator.runtime.sink_delivery import LONGEST_POLL, SinkDelivery
from replicator.runtime.sink_partitions import SinkPartitions
from replicator.runtime.sink_positions import SinkPositions
from replicator.runtime.sink_records import RecordReader
from replicator.runtime.stats import TaskStats

log = logging.getLogger(__name__)

_HURRIED_COMMITS: Final = 0.2


class SinkWork:
    """One run of a sink task."""

    def __init__(
        self,
        *,
        task: SinkTask,
        config: Mapping[str, str],
        context: SinkContext,
        consumer: Consumer,
        topics: Sequence[str] | re.Pattern[str],
        reader: RecordReader,
        reporter: RecordReporter | None,
        stats: TaskStats,
        clock: Clock,
        max_poll_records: int,
        commit_interval: float,
        used: Callable[[str], None],
        release: Callable[[], None],
    ) -> None:
        self._task = task
        self._config = config
        self._context = context
        self._consumer = consumer
        self._topics = topics
        self._reader = reader
        self._stats = stats
        self._clock = clock
        self._max = max_poll_records
        self._interval = commit_interval
        self._release = release
        self._next_commit = clock.now() + commit_interval
        self._started = False
        self._batch = SinkBatch()
        self._positions = SinkPositions(context.connector, task, consumer, reporter, stats, clock)
        self._partitions = SinkPartitions(task, context, consumer, self._positions, self._batch)
        self._delivery = SinkDelivery(
            task=task,
            context=context,
            partitions=self._partitions,
            positions=self._positions,
            batch=self._batch,
            reporter=reporter,
            stats=stats,
            clock=clock,
            used=used,
        )

    def start(self) -> None:
        """Begin the task and join the group."""
        self._task.initialize(self._context)
        self._started = True
        self._task.start(self._config)
        if self._task.leaves_source_unread:
            self._reader.leave_source_unread()
        self._consumer.subscribe(self._topics, self._partitions)

    def step(self) -> None:
        """One batch, or one redelivery."""
        self._commit_when_due()
        if self._batch.records is not None:
            self._delivery.redeliver()
            return
        messages = self._partitions.poll(self._max, self._timeout())
        records = self._reader.convert(messages) if messages else []
        commit_times = self._reader.commit_times(records) if records else ()
        self._delivery.deliver(records, next_offsets(messages), commit_times)
        if self._batch.records is None:
            self._stats.reached(messages[-1].timestamp if messages else None)

    def pause(self) -> None:
        """Deliver nothing, keep the partitions."""
        self._partitions.pause()
        self._context.commit_requested = True

    def resume(self) -> None:
        """Deliver again, except what the task itself paused."""
        self._partitions.resume()

    def idle(self) -> None:
        """Stay in the group."""
        self._commit_when_due()
        self._partitions.poll(1, LONGEST_POLL)

    def wake(self) -> None:
        """End a waiting poll."""
        self._consumer.wakeup()

    def signal(self, kind: str, data: Mapping[str, Any]) -> None:
        """Pass a request on (any thread)."""
        self._task.signal(kind, data)

    def close(self) -> None:
        """Commit, give the partitions up, stop the task, leave the group."""
        try:
            if self._started:
                self._partitions.give_up_all()
        finally:
            try:
                if self._started:
                    self._task.stop()
            finally:
                try:
                    self._consumer.close()
                finally:
                    self._release()

    def _timeout(self) -> float:
        """How long to wait for messages: to the next commit, or as long as the task asked."""
        left = max(0.0, self._next_commit - self._clock.now())
        wait_ms, self._context.wait_ms = self._context.wait_ms, None
        if wait_ms is not None:
            left = min(left, wait_ms / 1000.0)
        return min(LONGEST_POLL, left)

    def _commit_when_due(self) -> None:
        left = self._next_commit - self._clock.now()
        hurried = self._consumer.commit_wanted and self._interval - left >= _HURRIED_COMMITS
        if left > 0 and not hurried and not self._context.commit_requested:
            return
        self._context.commit_requested = False
        self._next_commit = self._clock.now() + self._interval
        positions = self._positions
        if not positions.assigned:
            return
        try:
            safe = positions.safe(positions.assigned)
        except FencedError:
            raise
        except ConnectError as error:
            self._stats.committed(0.0, done=False)
            log.warning(
                "%s: offset commit failed, rewinding to the last commit: %s", self._context.connector, error
            )
            self._delivery.abandon()
            positions.rewind()
            return
        positions.commit(safe)
