"""Source connectors and tasks: what a plugin that reads a database implements.

Life of a connector: `initialize` -> `start(config)` -> `task_configs(max_tasks)` -> `stop()`.
Life of a task: `initialize` -> `start(config)` -> `poll()`* with `commit()` -> `stop()`, all on the
task's own thread. `poll` must return regularly (within about a second) so that pause, stop and
failures are noticed; the runtime raises `context.stopping` to wake it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol

from replicator.api.config import ConfigDef, ConfigValue
from replicator.api.errors import BadRequestError, ConfigError
from replicator.api.record import SourceRecord

ConnectorConfig = Mapping[str, str]
Partition = Mapping[str, Any]
Offset = Mapping[str, Any]


class OffsetReader(Protocol):
    """Stored source offsets of this connector."""

    def offset(self, partition: Partition) -> dict[str, Any] | None:
        """The stored offset of a source partition, or None."""
        ...


class ConnectorContext(Protocol):
    """What a connector may ask of the runtime."""

    def request_task_reconfiguration(self) -> None:
        """Ask for `task_configs` to be called again."""
        ...

    def raise_error(self, error: Exception) -> None:
        """Fail this connector from one of its own threads."""
        ...


class TransactionContext(Protocol):
    """How a task says where transactions end (KIP-618, `transaction.boundary=connector`). Any thread."""

    def commit_transaction(self, record: SourceRecord | None = None) -> None:
        """Commit after `record` of the batch returned next, or after that whole batch."""
        ...

    def abort_transaction(self, record: SourceRecord | None = None) -> None:
        """Abort after `record` of the batch returned next, or after that whole batch.

        What was aborted is skipped: its offsets are stored all the same.
        """
        ...


class SourceTaskContext(Protocol):
    """What a source task may ask of the runtime.

    Attributes:
        connector: name of the connector.
        task: index of the task.
        offsets: reader of stored offsets.
        stopping: set when the task is to stop; wait on it instead of sleeping.
        transactions: where the task's own transaction boundaries go, or None unless they are asked for.
    """

    connector: str
    task: int
    offsets: OffsetReader
    stopping: threading.Event
    transactions: TransactionContext | None

    def configs(self) -> ConnectorConfig:
        """The latest resolved configuration."""
        ...

    def gauge(self, name: str, value: float, **labels: str) -> None:
        """Publish a number (for example retained log bytes) under this task's metrics."""
        ...

    def progress(self, **facts: Any) -> None:
        """Publish facts about the task's work for status, REST and the page (JSON values only).

        Known facts: `phase` ("snapshot" | "streaming" | ...), `tables` ({table: {"state",
        "rows_done", "rows_total", "as_of"}}; `as_of`: position of the source as of which a copied
        table's rows were read, comparable with `SourceDatabase.position`), `lsn`, `lag_ms`,
        `warnings` (list of sentences), `retained_bytes`. Calls replace facts of the same name.
        """
        ...


class SourceTask:
    """Reads changes. Cheap to construct; every resource is acquired in `start`."""

    context: SourceTaskContext

    def initialize(self, context: SourceTaskContext) -> None:
        """Keep the context."""
        self.context = context

    def start(self, config: ConnectorConfig) -> None:
        """Begin; may connect.

        Raises:
            RetriableError: the runtime starts the task again with backoff.
        """
        raise NotImplementedError

    def poll(self) -> Sequence[SourceRecord] | None:
        """The next records in order, or None/empty after waiting a short while.

        Raises:
            RetriableError: counts as "no records this time".
        """
        raise NotImplementedError

    def commit(self, offsets: Sequence[tuple[Partition, Offset]]) -> None:
        """Offsets that are now durable (survive power loss); newest per source partition.

        Only now may a database be told to discard log (INV-2). Called on the task thread.
        """

    def signal(self, kind: str, data: Mapping[str, Any]) -> None:
        """Take a request made while the task runs; from any thread, must return soon.

        Args:
            kind: what is asked for, for example `execute-snapshot`.
            data: its parameters.

        Raises:
            BadRequestError: the task knows no such request, or its parameters are wrong.
            IllegalStateError: it cannot be taken just now.
        """
        raise BadRequestError(f"This connector does not support signal '{kind}'.")

    def stop(self) -> None:
        """Release everything; called once, after the last `poll`."""


class Connector:
    """What source and sink connectors share. Cheap to construct and usable unstarted for validation."""

    aliases: ClassVar[tuple[str, ...]] = ()
    context: ConnectorContext

    @classmethod
    def config_def(cls) -> ConfigDef:
        """The connector's own options."""
        return ConfigDef()

    @classmethod
    def version(cls) -> str:
        """Version shown in status and plugin lists."""
        from replicator import __version__

        return __version__

    def validate(self, config: ConnectorConfig) -> list[ConfigValue]:
        """Each option by itself and, when all are good, together by `check`."""
        values = self.config_def().validate(config)
        if values and not any(value.errors for value in values):
            try:
                self.check(config)
            except ConfigError as error:
                blamed = next((value for value in values if value.name == error.option), values[0])
                blamed.errors.append(str(error))
        return values

    def check(self, config: ConnectorConfig) -> None:
        """Check what the options, each good by itself, need of each other.

        Raises:
            ConfigError: they do not go together; the error is shown at its option.
        """

    def initialize(self, context: ConnectorContext) -> None:
        """Keep the context."""
        self.context = context

    def start(self, config: ConnectorConfig) -> None:
        """Begin."""
        self.config = config

    def task_configs(self, max_tasks: int) -> list[dict[str, str]]:
        """Configurations of the tasks, at most `max_tasks`."""
        return [dict(self.config)]

    def stop(self) -> None:
        """End."""


class SourceConnector(Connector):
    """A connector whose tasks read."""

    def task_class(self) -> type[SourceTask]:
        """Class of the tasks."""
        raise NotImplementedError

    def exactly_once_support(self, config: ConnectorConfig) -> bool | None:
        """Whether delivery can be exactly once with this configuration; None when the connector cannot tell."""
        return None

    def can_define_transaction_boundaries(self, config: ConnectorConfig) -> bool:
        """Whether the tasks use `context.transactions` with this configuration."""
        return False

    def alter_offsets(self, config: ConnectorConfig, offsets: Mapping[str, Any]) -> bool:
        """Take part in an offset change; False when the connector has nothing of its own to change."""
        return False
