"""The sink loop: poll -> converters -> transforms -> put -> commit (task thread).

Positions advance only after `put` returned. A RetriableError from `put` redelivers the same batch
with a pause; an error of `pre_commit` rewinds to what was last committed. A sink that keeps a
ledger names its own positions in `open` (INV-3): nothing read before that seek is delivered.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from replicator.api.errors import ConnectError, FencedError, RetriableError
from replicator.api.failpoints import failpoint
from replicator.api.record import SinkRecord, TopicPartition
from replicator.api.sink import OffsetAndMetadata, SinkTask
from replicator.broker.base import Consumer
from replicator.broker.message import Message
from replicator.runtime.clock import Clock
from replicator.runtime.contexts import SinkContext
from replicator.runtime.errant import RecordReporter
from replicator.runtime.sink_records import RecordReader
from replicator.runtime.stats import TaskStats

log = logging.getLogger(__name__)

LONGEST_POLL: Final = 1.0
_FIRST_REDELIVERY: Final = 0.1
_LONGEST_REDELIVERY: Final = 10.0
_HURRIED_COMMITS: Final = 0.2

Positions = dict[TopicPartition, OffsetAndMetadata]


class SinkWork:
    """One run of a sink task; also the consumer's rebalance listener."""

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
        self._reporter = reporter
        self._stats = stats
        self._clock = clock
        self._max = max_poll_records
        self._interval = commit_interval
        self._used = used
        self._release = release
        self._assigned: set[TopicPartition] = set()
        self._current: Positions = {}
        self._committed: Positions = {}
        self._pending: list[SinkRecord] | None = None
        self._pending_next: dict[TopicPartition, int] = {}
        self._pending_commits: Sequence[int] = ()
        self._ahead_commits: Sequence[int] = ()
        self._redeliveries = 0
        self._next_commit = clock.now() + commit_interval
        self._known_topics: set[str] = set()
        self._listener_error: Exception | None = None
        self._started = False
        self._paused = False

    def start(self) -> None:
        """Begin the task and join the group."""
        self._task.initialize(self._context)
        self._started = True
        self._task.start(self._config)
        if self._task.leaves_source_unread:
            self._reader.leave_source_unread()
        self._consumer.subscribe(self._topics, self)

    def step(self) -> None:
        """One batch, or one redelivery."""
        self._commit_when_due()
        if self._pending is not None:
            self._redeliver()
            return
        messages = self._poll(self._max, self._timeout())
        records = self._reader.convert(messages) if messages else []
        self._pending_commits = self._reader.commit_times(records) if records else ()
        self._put(records, _next_offsets(messages))
        if self._pending is None:
            self._stats.reached(messages[-1].timestamp if messages else None)

    def pause(self) -> None:
        """Deliver nothing, keep the partitions."""
        self._paused = True
        self._consumer.pause(list(self._assigned))
        self._context.commit_requested = True

    def resume(self) -> None:
        """Deliver again, except what the task itself paused."""
        self._paused = False
        self._resume_unpaused()

    def idle(self) -> None:
        """Stay in the group."""
        self._commit_when_due()
        self._poll(1, LONGEST_POLL)

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
                self._give_up(list(self._assigned))
        finally:
            try:
                if self._started:
                    self._task.stop()
            finally:
                try:
                    self._consumer.close()
                finally:
                    self._release()

    # Rebalancing: called by the consumer within poll.

    def assigned(self, partitions: Sequence[TopicPartition]) -> None:
        """Open new partitions; an error is kept for the loop, not raised through the client."""
        new = [p for p in partitions if p not in self._assigned]
        if not new or self._listener_error is not None:
            return
        try:
            for partition in new:
                start = OffsetAndMetadata(self._consumer.position(partition))
                self._current[partition] = start
                self._committed[partition] = self._consumer.committed(partition) or start
            self._assigned.update(new)
            self._stats.partitions = len(self._assigned)
            self._task.open(new)
            if self._paused:
                self._consumer.pause(new)
        except Exception as error:  # noqa: BLE001 - raised again by the loop
            self._listener_error = error

    def revoked(self, partitions: Sequence[TopicPartition]) -> None:
        """Commit and close partitions that go."""
        try:
            self._give_up([p for p in partitions if p in self._assigned])
        except Exception as error:  # noqa: BLE001 - raised again by the loop
            self._listener_error = self._listener_error or error

    # Reading.

    def _timeout(self) -> float:
        left = max(0.0, self._next_commit - self._clock.now())
        wait_ms, self._context.wait_ms = self._context.wait_ms, None
        if wait_ms is not None:
            left = min(left, wait_ms / 1000.0)
        return min(LONGEST_POLL, left)

    def _poll(self, limit: int, timeout: float) -> list[Message]:
        messages = self._consumer.poll(limit, timeout)
        if self._listener_error is not None:
            error, self._listener_error = self._listener_error, None
            raise error
        if self._context.seeks:
            return self._seek(messages)
        return messages

    def _seek(self, messages: list[Message]) -> list[Message]:
        """Apply the task's own positions; what was read before them is read again, in order."""
        seeks, self._context.seeks = self._context.seeks, {}
        first: dict[TopicPartition, int] = {}
        for message in messages:
            first.setdefault(TopicPartition(message.topic, message.partition), message.offset)
        for partition, offset in (first | seeks).items():
            if partition in self._assigned:
                self._consumer.seek(partition, offset)
                if partition in seeks:
                    self._current[partition] = OffsetAndMetadata(offset)
        return []

    # Delivering.

    def _put(self, records: list[SinkRecord], next_offsets: dict[TopicPartition, int]) -> None:
        if next_offsets:
            self._stats.received(len(records))
            self._track_topics(next_offsets)
        self._pending, self._pending_next = records, next_offsets
        began = self._clock.now()
        try:
            failpoint("before_put")
            self._task.put(records)
            failpoint("after_put")
        except RetriableError as error:
            self._retry_later(error)
            return
        self._delivered(len(records), self._clock.now() - began)

    def _delivered(self, count: int, seconds: float) -> None:
        if self._reporter is not None and self._reporter.failure is not None:
            raise self._reporter.failure
        next_offsets, self._pending_next, self._pending = self._pending_next, {}, None
        if self._redeliveries:
            self._redeliveries = 0
            self._resume_unpaused()
            self._context.progress(warnings=[])
        for partition, offset in next_offsets.items():
            if partition in self._assigned:
                self._current[partition] = OffsetAndMetadata(offset)
        if next_offsets:
            self._stats.sent(count, seconds)
        self._note_visible()

    def _note_visible(self) -> None:
        """What was put is visible now; of a task that runs ahead, what was put before that."""
        before, self._ahead_commits = self._ahead_commits, ()
        if before:
            self._stats.visible(before)
        commits, self._pending_commits = self._pending_commits, ()
        if self._task.is_ahead:
            self._ahead_commits = commits
        else:
            self._stats.visible(commits)

    def _retry_later(self, error: RetriableError) -> None:
        if self._redeliveries == 0:
            self._consumer.pause(list(self._assigned))
        self._redeliveries += 1
        self._stats.retries += 1
        if self._pending and self._pending[-1].timestamp is not None:
            self._stats.reached(self._pending[-1].timestamp)
        log.warning("%s: put is tried again: %s", self._context.connector, error)
        self._context.progress(warnings=[f"Writing is tried again: {error}"])

    def _redeliver(self) -> None:
        wait_ms, self._context.wait_ms = self._context.wait_ms, None
        backoff = min(_LONGEST_REDELIVERY, _FIRST_REDELIVERY * 2 ** min(self._redeliveries - 1, 10))
        wait = backoff if wait_ms is None else wait_ms / 1000.0
        deadline = self._clock.now() + wait
        # Polling paused partitions keeps the membership alive.
        while (left := deadline - self._clock.now()) > 0 and not self._context.stopping.is_set():
            strays = self._poll(1, min(left, LONGEST_POLL))
            if strays:
                for partition, offset in _first_offsets(strays).items():
                    self._consumer.seek(partition, offset)
                self._clock.wait(self._context.stopping, left)
        if self._pending is None or self._context.stopping.is_set():
            return
        pending, next_offsets = self._pending, self._pending_next
        began = self._clock.now()
        try:
            self._task.put(pending)
        except RetriableError as error:
            self._retry_later(error)
            return
        self._pending_next = next_offsets
        self._delivered(len(pending), self._clock.now() - began)

    def _resume_unpaused(self) -> None:
        if not self._paused:
            self._consumer.resume([p for p in self._assigned if p not in self._context.paused])

    def _track_topics(self, next_offsets: dict[TopicPartition, int]) -> None:
        for partition in next_offsets:
            if partition.topic not in self._known_topics:
                self._known_topics.add(partition.topic)
                self._used(partition.topic)

    # Committing.

    def _commit_when_due(self) -> None:
        left = self._next_commit - self._clock.now()
        hurried = self._consumer.commit_wanted and self._interval - left >= _HURRIED_COMMITS
        if left > 0 and not hurried and not self._context.commit_requested:
            return
        self._context.commit_requested = False
        self._next_commit = self._clock.now() + self._interval
        if not self._assigned:
            return
        try:
            safe = self._safe(self._assigned)
        except FencedError:
            raise
        except ConnectError as error:
            self._stats.committed(0.0, done=False)
            log.warning(
                "%s: offset commit failed, rewinding to the last commit: %s", self._context.connector, error
            )
            self._rewind()
            return
        self._commit(safe)

    def _safe(self, partitions: set[TopicPartition]) -> Positions:
        """What the task lets us commit, without what is not ours, not delivered, or not new."""
        offered = self._task.pre_commit({p: self._current[p] for p in partitions if p in self._current})
        safe: Positions = {}
        for partition, position in offered.items():
            current = self._current.get(partition)
            if partition not in partitions or current is None or position.offset > current.offset:
                log.warning(
                    "%s: ignoring offset %s of %s", self._context.connector, position.offset, partition
                )
            elif self._committed.get(partition) != position:
                safe[partition] = OffsetAndMetadata(*position)
        return safe

    def _commit(self, safe: Positions) -> None:
        if not safe:
            return
        if self._reporter is not None and not self._reporter.settled():
            self._stats.skipped_commit()
            log.warning("%s: no offset commit before the dead letters are safe", self._context.connector)
            return
        failpoint("before_group_commit")
        began = self._clock.now()
        try:
            self._consumer.commit(safe)
        except FencedError:
            raise
        except ConnectError as error:
            self._stats.committed(self._clock.now() - began, done=False)
            log.warning("%s: offset commit failed: %s", self._context.connector, error)
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

    def _rewind(self) -> None:
        self._pending, self._pending_next = None, {}
        if self._redeliveries:
            self._redeliveries = 0
            self._resume_unpaused()
        for partition in self._assigned:
            self._consumer.seek(partition, self._committed[partition].offset)
            self._current[partition] = OffsetAndMetadata(self._committed[partition].offset)

    def _give_up(self, partitions: list[TopicPartition]) -> None:
        """Final commit of partitions: prepared before the task's `close`, sent after it, as Connect does."""
        if not partitions:
            return
        safe: Positions = {}
        try:
            safe = self._safe(set(partitions))
        except ConnectError as error:
            log.warning("%s: no final commit: %s", self._context.connector, error)
        try:
            self._task.close(partitions)
        finally:
            self._commit(safe)
            self._forget(partitions)

    def _forget(self, partitions: list[TopicPartition]) -> None:
        for partition in partitions:
            self._assigned.discard(partition)
            self._current.pop(partition, None)
            self._committed.pop(partition, None)
            self._context.paused.discard(partition)
            self._context.seeks.pop(partition, None)
        self._stats.partitions = len(self._assigned)
        if self._pending is not None:
            gone = set(partitions)
            self._pending = [
                r for r in self._pending
                if TopicPartition(r.original_topic, r.original_kafka_partition) not in gone
            ]  # fmt: skip
            self._pending_next = {p: o for p, o in self._pending_next.items() if p not in gone}


def _next_offsets(messages: Sequence[Message]) -> dict[TopicPartition, int]:
    """Offset after the last message of each partition."""
    last: dict[tuple[str, int], int] = {}
    for message in messages:
        last[message.topic, message.partition] = message.offset
    return {TopicPartition(*partition): offset + 1 for partition, offset in last.items()}


def _first_offsets(messages: Sequence[Message]) -> dict[TopicPartition, int]:
    first: dict[TopicPartition, int] = {}
    for message in messages:
        first.setdefault(TopicPartition(message.topic, message.partition), message.offset)
    return first
