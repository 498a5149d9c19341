"""Contexts handed to tasks and connectors, and the facts tasks publish.

Facts and gauges are copied on every change: a reader on another thread sees a snapshot that
nobody changes any more.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from replicator.api.record import TopicPartition
from replicator.api.sink import ErrantRecordReporter, OffsetAndMetadata
from replicator.api.source import OffsetReader, TransactionContext
from replicator.broker.admin import Admin
from replicator.broker.base import Consumer


class TaskFacts:
    """What a task published; readable from any thread.

    Attributes:
        facts: facts by name.
        gauges: numbers by name, with labels as `name{label="value"}`.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.facts: Mapping[str, Any] = MappingProxyType({})
        self.gauges: Mapping[str, float] = MappingProxyType({})

    def progress(self, **facts: Any) -> None:
        """Replace facts of the same name."""
        with self._lock:
            self.facts = MappingProxyType({**self.facts, **facts})

    def gauge(self, name: str, value: float, **labels: str) -> None:
        """Publish a number."""
        if labels:
            inside = ",".join(f'{label}="{text}"' for label, text in sorted(labels.items()))
            name = f"{name}{{{inside}}}"
        with self._lock:
            self.gauges = MappingProxyType({**self.gauges, name: float(value)})


class TaskContext(TaskFacts):
    """What both kinds of task contexts share."""

    def __init__(
        self, connector: str, task: int, stopping: threading.Event, configs: Callable[[], Mapping[str, str]]
    ) -> None:
        super().__init__()
        self.connector = connector
        self.task = task
        self.stopping = stopping
        self._configs = configs

    def configs(self) -> Mapping[str, str]:
        """The latest resolved configuration."""
        return self._configs()


class SourceContext(TaskContext):
    """Implements `SourceTaskContext`."""

    def __init__(
        self,
        connector: str,
        task: int,
        stopping: threading.Event,
        configs: Callable[[], Mapping[str, str]],
        offsets: OffsetReader,
        transactions: TransactionContext | None = None,
    ) -> None:
        super().__init__(connector, task, stopping, configs)
        self.offsets = offsets
        self.transactions = transactions


class SinkContext(TaskContext):
    """Implements `SinkTaskContext`; seeks and waits are taken by the loop.

    Attributes:
        seeks: positions asked for and not yet applied.
        paused: partitions the task itself paused.
        wait_ms: wait before the next redelivery, or None.
        commit_requested: whether the task asked for a commit.
    """

    def __init__(
        self,
        connector: str,
        task: int,
        stopping: threading.Event,
        configs: Callable[[], Mapping[str, str]],
        consumer: Consumer,
        admin: Admin,
        reporter: ErrantRecordReporter | None,
    ) -> None:
        super().__init__(connector, task, stopping, configs)
        self.reporter = reporter
        self.seeks: dict[TopicPartition, int] = {}
        self.paused: set[TopicPartition] = set()
        self.wait_ms: int | None = None
        self.commit_requested = False
        self._consumer = consumer
        self._admin = admin

    def assignment(self) -> set[TopicPartition]:
        """Partitions this task owns."""
        return self._consumer.assignment()

    def offset(self, partition: TopicPartition, offset: int) -> None:
        """Continue there with the next poll."""
        self.seeks[partition] = offset

    def committed(self, partition: TopicPartition) -> OffsetAndMetadata | None:
        """The group's position."""
        return self._consumer.committed(partition)

    def log_identity(self, partition: TopicPartition) -> str:
        """Identity of the log behind the partition (C9)."""
        return self._admin.log_identity(partition.topic)

    def log_end(self, partition: TopicPartition) -> int:
        """One past the last record."""
        return self._admin.end_offsets([partition])[partition]

    def pause(self, *partitions: TopicPartition) -> None:
        """Deliver nothing from these."""
        self.paused.update(partitions)
        self._consumer.pause(partitions)

    def resume(self, *partitions: TopicPartition) -> None:
        """Deliver again."""
        self.paused.difference_update(partitions)
        self._consumer.resume(partitions)

    def timeout(self, milliseconds: int) -> None:
        """Wait before redelivering."""
        self.wait_ms = milliseconds

    def request_commit(self) -> None:
        """Commit with the next turn of the loop."""
        self.commit_requested = True


class StoredOffsets:
    """OffsetReader of one connector over the worker's store."""

    def __init__(
        self, connector: str, read: Callable[[str, Mapping[str, Any]], dict[str, Any] | None]
    ) -> None:
        self._connector = connector
        self._read = read

    def offset(self, partition: Mapping[str, Any]) -> dict[str, Any] | None:
        """The stored offset of a source partition."""
        return self._read(self._connector, partition)
