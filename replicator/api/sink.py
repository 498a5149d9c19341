"""Sink connectors and tasks: what a plugin that writes to a target implements.

Life of a task, all on its own thread: `initialize` -> `start(config)` -> `open(partitions)` ->
(`put(records)` | `pre_commit(offsets)`)* -> `close(partitions)` -> `stop()`.

A task that keeps its own offsets (a ledger in the target, D5) calls `context.offset(tp, next)` in
`open` for each partition the target already knows; the runtime seeks there. `pre_commit` returns
what is safe to commit to the consumer group, with optional metadata (the ledger's stamp, C11).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Any, NamedTuple, Protocol

from replicator.api.errors import BadRequestError
from replicator.api.record import SinkRecord, TopicPartition
from replicator.api.source import Connector, ConnectorConfig


class OffsetAndMetadata(NamedTuple):
    """A consumer group's position: offset of the next record, and free text."""

    offset: int
    metadata: str = ""


class ErrantRecordReporter(Protocol):
    """Sends single bad records to the log and the dead letter queue (KIP-610)."""

    def report(self, record: SinkRecord, error: BaseException) -> Future[None]:
        """Report one record; the future completes when the report is durable.

        Raises:
            ConnectError: errors.tolerance is none, so the task must fail.
        """
        ...


class SinkTaskContext(Protocol):
    """What a sink task may ask of the runtime.

    Attributes:
        connector: name of the connector.
        task: index of the task.
        stopping: set when the task is to stop; wait on it instead of sleeping.
        reporter: reporter of bad records, or None when none is configured.
    """

    connector: str
    task: int
    stopping: threading.Event
    reporter: ErrantRecordReporter | None

    def configs(self) -> ConnectorConfig:
        """The latest resolved configuration."""
        ...

    def assignment(self) -> set[TopicPartition]:
        """Partitions this task owns."""
        ...

    def offset(self, partition: TopicPartition, offset: int) -> None:
        """Continue this partition at `offset` with the next poll."""
        ...

    def committed(self, partition: TopicPartition) -> OffsetAndMetadata | None:
        """The consumer group's committed position, or None."""
        ...

    def log_identity(self, partition: TopicPartition) -> str:
        """Identity of the log behind this partition (C9): offsets mean nothing in another log."""
        ...

    def log_end(self, partition: TopicPartition) -> int:
        """Offset one past the last record of the partition."""
        ...

    def pause(self, *partitions: TopicPartition) -> None:
        """Deliver nothing from these partitions until resumed."""
        ...

    def resume(self, *partitions: TopicPartition) -> None:
        """Deliver again."""
        ...

    def timeout(self, milliseconds: int) -> None:
        """Wait this long before the same batch is redelivered after a RetriableError."""
        ...

    def request_commit(self) -> None:
        """Commit the group's offsets soon."""
        ...

    def gauge(self, name: str, value: float, **labels: str) -> None:
        """Publish a number under this task's metrics."""
        ...

    def progress(self, **facts: Any) -> None:
        """Publish facts for status, REST and the page (JSON values only); see SourceTaskContext.

        Known facts: `tables` ({table: {"state", "rows"}}), `stopped_tables` ({table: reason}),
        `complete_through` (text of the source position up to which the target is complete),
        `values_lost` ({table.column: count}), `warnings`.
        """
        ...


class SinkTask:
    """Writes records. Cheap to construct; every resource is acquired in `start` or `open`."""

    context: SinkTaskContext

    def initialize(self, context: SinkTaskContext) -> None:
        """Keep the context."""
        self.context = context

    def start(self, config: ConnectorConfig) -> None:
        """Begin; may connect."""
        raise NotImplementedError

    def open(self, partitions: Sequence[TopicPartition]) -> None:
        """Partitions were assigned (also called when further partitions appear)."""

    def put(self, records: Sequence[SinkRecord]) -> None:
        """Write records, in order; called with an empty list when there are none.

        Raises:
            RetriableError: the same batch is delivered again after a wait.
            DataError: the task fails (single bad records go to `context.reporter` instead).
        """
        raise NotImplementedError

    @property
    def is_ahead(self) -> bool:
        """Whether what the last `put` took may not be visible in the target before the next one returns."""
        return False

    @property
    def leaves_source_unread(self) -> bool:
        """Whether change envelopes may come as `UnreadEnvelope`: for tasks that seldom look at source blocks, and treat
        a DataError from `fields` as they treat one of their own.
        """
        return False

    def pre_commit(
        self, offsets: Mapping[TopicPartition, OffsetAndMetadata]
    ) -> Mapping[TopicPartition, OffsetAndMetadata]:
        """Offsets safe to commit, given what was delivered; default: flush, then all of them."""
        self.flush(offsets)
        return offsets

    def flush(self, offsets: Mapping[TopicPartition, OffsetAndMetadata]) -> None:
        """Make everything delivered so far durable."""

    def close(self, partitions: Sequence[TopicPartition]) -> None:
        """Partitions are taken away."""

    def signal(self, kind: str, data: Mapping[str, Any]) -> None:
        """Take a request made while the task runs; see `SourceTask.signal`.

        Raises:
            BadRequestError: the task knows no such request, or its parameters are wrong.
        """
        raise BadRequestError(f"This connector does not support signal '{kind}'.")

    def stop(self) -> None:
        """Release everything; called once."""


class SinkConnector(Connector):
    """A connector whose tasks write."""

    def task_class(self) -> type[SinkTask]:
        """Class of the tasks."""
        raise NotImplementedError

    def task_configs(self, max_tasks: int) -> list[dict[str, str]]:
        """One equal configuration per task; tasks share the work as a consumer group."""
        return [dict(self.config) for _ in range(max_tasks)]

    def alter_offsets(self, config: ConnectorConfig, offsets: Mapping[TopicPartition, int | None]) -> bool:
        """Take part in an offset change (also of a ledger in the target)."""
        return False
