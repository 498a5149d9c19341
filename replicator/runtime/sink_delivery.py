"""Delivery of a sink's batches to its task, again and again while it asks for that (task thread).

A RetriableError from `put` keeps the batch and holds the partitions back; the same records are put again after a
pause that grows, or the one the task asked for. Positions advance only after `put` returned, never past a record
whose report must fail the task.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from replicator.api.errors import RetriableError
from replicator.api.failpoints import failpoint
from replicator.api.record import SinkRecord, TopicPartition
from replicator.api.sink import SinkTask
from replicator.runtime.clock import Clock
from replicator.runtime.contexts import SinkContext
from replicator.runtime.errant import RecordReporter
from replicator.runtime.sink_batch import SinkBatch
from replicator.runtime.sink_partitions import SinkPartitions
from replicator.runtime.sink_positions import SinkPositions
from replicator.runtime.stats import TaskStats

log = logging.getLogger(__name__)

LONGEST_POLL: Final = 1.0
_FIRST_REDELIVERY: Final = 0.1
_LONGEST_REDELIVERY: Final = 10.0


class SinkDelivery:
    """Puts the batches of one run of a sink task."""

    def __init__(
        self,
        *,
        task: SinkTask,
        context: SinkContext,
        partitions: SinkPartitions,
        positions: SinkPositions,
        batch: SinkBatch,
        reporter: RecordReporter | None,
        stats: TaskStats,
        clock: Clock,
        used: Callable[[str], None],
    ) -> None:
        self._task = task
        self._context = context
        self._partitions = partitions
        self._positions = positions
        self._batch = batch
        self._reporter = reporter
        self._stats = stats
        self._clock = clock
        self._used = used
        self._known_topics: set[str] = set()
        self._redeliveries = 0
        self._ahead_commits: Sequence[int] = ()

    def deliver(
        self, records: list[SinkRecord], next_offsets: dict[TopicPartition, int], commit_times: Sequence[int]
    ) -> None:
        """Put a new batch, also an empty one: a task may finish then what it holds back."""
        if next_offsets:
            self._stats.received(len(records))
            self._track_topics(next_offsets)
        self._batch.begin(records, next_offsets, commit_times)
        began = self._clock.now()
        try:
            failpoint("before_put")
            self._task.put(records)
            failpoint("after_put")
        except RetriableError as error:
            self._retry_later(error)
            return
        self._delivered(len(records), self._clock.now() - began)

    def redeliver(self) -> None:
        """Put the batch again, once its pause is over; not when the task is to stop."""
        self._wait_for_redelivery()
        records = self._batch.records
        if records is None or self._context.stopping.is_set():
            return
        began = self._clock.now()
        try:
            self._task.put(records)
        except RetriableError as error:
            self._retry_later(error)
            return
        self._delivered(len(records), self._clock.now() - began)

    def abandon(self) -> None:
        """Let the batch go: its records are read again."""
        self._batch.end()
        self._end_redelivery()

    # The task asked for it again.

    def _retry_later(self, error: RetriableError) -> None:
        if self._redeliveries == 0:
            self._partitions.hold()
        self._redeliveries += 1
        self._stats.retries += 1
        records: Sequence[SinkRecord] = self._batch.records or ()
        if records and records[-1].timestamp is not None:
            self._stats.reached(records[-1].timestamp)
        log.warning("%s: put is tried again: %s", self._context.connector, error)
        self._context.progress(warnings=[f"Writing is tried again: {error}"])

    def _wait_for_redelivery(self) -> None:
        wait_ms, self._context.wait_ms = self._context.wait_ms, None
        backoff = min(_LONGEST_REDELIVERY, _FIRST_REDELIVERY * 2 ** min(self._redeliveries - 1, 10))
        wait = backoff if wait_ms is None else wait_ms / 1000.0
        deadline = self._clock.now() + wait
        stopping = self._context.stopping
        # Polling paused partitions keeps the membership alive.
        while (left := deadline - self._clock.now()) > 0 and not stopping.is_set():
            strays = self._partitions.poll(1, min(left, LONGEST_POLL))
            if strays:
                self._partitions.unread(strays)
                self._clock.wait(stopping, left)

    def _end_redelivery(self) -> bool:
        """Whether there was one."""
        if not self._redeliveries:
            return False
        self._redeliveries = 0
        self._partitions.release()
        return True

    # The task took it.

    def _delivered(self, count: int, seconds: float) -> None:
        if self._reporter is not None and self._reporter.failure is not None:
            raise self._reporter.failure
        next_offsets, commit_times = self._batch.next_offsets, self._batch.commit_times
        self._batch.end()
        if self._end_redelivery():
            self._context.progress(warnings=[])
        if next_offsets:
            self._positions.reach(next_offsets)
            self._stats.sent(count, seconds)
        self._note_visible(commit_times)

    def _note_visible(self, commit_times: Sequence[int]) -> None:
        """What was put is visible now; of a task that runs ahead, what was put before that."""
        before, self._ahead_commits = self._ahead_commits, ()
        if before:
            self._stats.visible(before)
        if self._task.is_ahead:
            self._ahead_commits = commit_times
        else:
            self._stats.visible(commit_times)

    def _track_topics(self, partitions: Iterable[TopicPartition]) -> None:
        for partition in partitions:
            if partition.topic not in self._known_topics:
                self._known_topics.add(partition.topic)
                self._used(partition.topic)
