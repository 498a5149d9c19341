"""The source loop: poll -> transforms -> converters -> append -> commit (task thread).

The batch that `poll` returned is appended whole; the newest offset of each of its source
partitions goes with it (INV-1, C8). `task.commit` is called only with offsets that survive a power
loss (INV-2). Filtered and skipped records move the offset, too.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final

from replicator.api.errors import ConnectError, FencedError, RetriableError
from replicator.api.failpoints import failpoint
from replicator.api.record import SourceRecord
from replicator.api.source import SourceTask
from replicator.runtime.appending import Appender
from replicator.runtime.clock import Clock
from replicator.runtime.commits import Commits
from replicator.runtime.contexts import SourceContext
from replicator.runtime.crossings import check_crossings
from replicator.runtime.inflight import PartitionOffset
from replicator.runtime.source_records import RecordWriter, newest_offsets
from replicator.runtime.stats import TaskStats
from replicator.runtime.tolerance import ErrorHandler
from replicator.runtime.topics import TopicCreator

log = logging.getLogger(__name__)

_POLL_RETRY: Final = 1.0


class SourceWork:
    """One run of a source task."""

    aliases: ClassVar[tuple[str, ...]] = ("org.apache.kafka.connect.runtime.WorkerSourceTask",)

    def __init__(
        self,
        *,
        task: SourceTask,
        config: Mapping[str, str],
        context: SourceContext,
        writer: RecordWriter,
        errors: ErrorHandler,
        topics: TopicCreator,
        commits: Commits,
        stats: TaskStats,
        clock: Clock,
        release: Callable[[], None],
        flush_timeout: float,
    ) -> None:
        self._task = task
        self._config = config
        self._context = context
        self._stopping = context.stopping
        self._writer = writer
        self._appender = Appender(
            commits,
            context,
            stats,
            clock,
            lambda error, message: errors.refused(SourceWork, error, message),
            leave_out=errors.policy.tolerate_all,
        )
        self._topics = topics
        self._commits = commits
        self._stats = stats
        self._clock = clock
        self._release = release
        self._flush_timeout = flush_timeout
        self._woken = threading.Event()

    def start(self) -> None:
        """Begin the task and the durability thread."""
        self._task.initialize(self._context)
        self._task.start(self._config)
        self._commits.start()

    def step(self) -> None:
        """Tell the task what is durable, then move one batch."""
        self._tell_durable(self._commits.take_durable())
        began = self._clock.now()
        try:
            records = self._task.poll()
        except RetriableError as error:
            self._stats.retries += 1
            log.warning("%s: poll is tried again: %s", self._context.connector, error)
            self._clock.wait(self._stopping, _POLL_RETRY)
            return
        if records:
            self._stats.received(len(records), self._clock.now() - began)
            for part in self._commits.parts(records):
                self._deliver(part)

    def pause(self) -> None:
        """An unpolled task waits; what it began to deliver is finished."""
        self._commits.pause()

    def resume(self) -> None:
        """Nothing to do."""

    def idle(self) -> None:
        """Still tell the task what became durable."""
        self._tell_durable(self._commits.take_durable())
        self._woken.wait(1.0)
        self._woken.clear()

    def wake(self) -> None:
        """Tasks wait on `context.stopping`; only a paused turn waits here."""
        self._woken.set()

    def signal(self, kind: str, data: Mapping[str, Any]) -> None:
        """Pass a request on (any thread)."""
        self._task.signal(kind, data)

    def close(self) -> None:
        """Flush and commit a last time, then stop the task."""
        try:
            self._tell_durable(self._commits.close(self._flush_timeout))
        finally:
            try:
                self._task.stop()
            finally:
                self._release()

    def _deliver(self, records: Sequence[SourceRecord]) -> None:
        messages = self._writer.convert(records)
        topics = self._writer.topics
        if topics:
            self._topics.ensure(topics)
            topics.clear()
        if self._writer.delicate:
            self._writer.delicate = False
            check_crossings(messages, self._topics.partitions)
        failpoint("before_append")
        self._appender.append(messages, newest_offsets(records))
        failpoint("after_append")
        self._stats.sent(len(messages))

    def _tell_durable(self, offsets: list[PartitionOffset]) -> None:
        if not offsets:
            return
        began = self._clock.now()
        try:
            self._task.commit(offsets)
            self._stats.committed(self._clock.now() - began)
        except FencedError:
            raise
        except ConnectError as error:
            # As in Connect: the offsets are stored; telling the source is tried with the next ones.
            self._stats.committed(self._clock.now() - began, done=False)
            log.warning("%s: committing to the source failed: %s", self._context.connector, error)
