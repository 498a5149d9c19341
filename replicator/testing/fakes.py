"""Source and sink connectors for tests: driven by a `Script` that the test holds."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from replicator.api.config import ConfigDef, key
from replicator.api.option_types import Type
from replicator.api.record import SinkRecord, SourceRecord, TopicPartition
from replicator.api.schema import STRING
from replicator.api.sink import OffsetAndMetadata, SinkConnector, SinkTask
from replicator.api.source import ConnectorConfig, Offset, Partition, SourceConnector, SourceTask


class Script:
    """What fake tasks do and saw; shared by the test and the tasks.

    Attributes:
        batches: what `poll` returns, one after another; an exception is raised instead.
        polled: batches handed out.
        commits: calls of `task.commit`.
        starts: starts of tasks.
        stops: stops of tasks.
        on_start: called with the task in `start`.
        puts: non-empty batches that `put` received.
        on_put: called with the task and the batch before it counts as put.
        opened: partitions passed to `open`.
        closed: partitions passed to `close`.
        pre_commit: replaces `pre_commit`'s answer.
        instances: tasks in the order of their starts.
    """

    def __init__(self) -> None:
        self.batches: list[Sequence[SourceRecord] | Exception] = []
        self.polled = 0
        self.commits: list[list[tuple[Partition, Offset]]] = []
        self.starts = 0
        self.stops = 0
        self.on_start: Callable[[Any], None] | None = None
        self.puts: list[list[SinkRecord]] = []
        self.on_put: Callable[[SinkTask, Sequence[SinkRecord]], None] | None = None
        self.opened: list[list[TopicPartition]] = []
        self.closed: list[list[TopicPartition]] = []
        self.on_open: Callable[[SinkTask, Sequence[TopicPartition]], None] | None = None
        self.pre_commit: Callable[..., Mapping[TopicPartition, OffsetAndMetadata]] | None = None
        self.instances: list[Any] = []
        self.changed = threading.Condition()

    def add(self, *batches: Sequence[SourceRecord] | Exception) -> None:
        """Let `poll` return these, too."""
        with self.changed:
            self.batches.extend(batches)
            self.changed.notify_all()

    def values(self) -> list[Any]:
        """Values of all records put so far."""
        with self.changed:
            return [record.value for batch in self.puts for record in batch]

    def wait(self, condition: Callable[[], object], timeout: float = 40.0) -> None:
        """Wait until the condition holds.

        Raises:
            AssertionError: it does not in time.
        """
        with self.changed:
            if not self.changed.wait_for(lambda: bool(condition()), timeout):
                raise AssertionError("The condition did not come true in time")

    def happened(self) -> None:
        """Wake waiters."""
        with self.changed:
            self.changed.notify_all()


SCRIPTS: dict[str, Script] = {}
"""Scripts by the value of the option `script`."""

_DEF = ConfigDef(
    key("script", Type.STRING, doc="Name of the script."),
    key("tasks", Type.INT, 1, doc="Number of tasks to generate."),
    key("secret", Type.PASSWORD, None, doc="An option that must not be shown."),
)


class FakeSourceTask(SourceTask):
    """Polls what the script says."""

    config: ConnectorConfig

    def start(self, config: ConnectorConfig) -> None:
        self.config = config
        self.script = SCRIPTS[config["script"]]
        self.script.starts += 1
        self.script.instances.append(self)
        self.script.happened()  # `on_start` may take its time
        if self.script.on_start is not None:
            self.script.on_start(self)
        self.script.happened()

    def poll(self) -> Sequence[SourceRecord] | None:
        script = self.script
        with script.changed:
            if not script.batches:
                script.changed.wait(0.02)
                return None
            batch = script.batches.pop(0)
            script.polled += 1
            script.changed.notify_all()
        if isinstance(batch, Exception):
            raise batch
        return batch

    def commit(self, offsets: Sequence[tuple[Partition, Offset]]) -> None:
        self.script.commits.append(list(offsets))
        self.script.happened()

    def stop(self) -> None:
        self.script.stops += 1
        self.script.happened()


class FakeSource(SourceConnector):
    """A source connector of `FakeSourceTask`s."""

    aliases: ClassVar[tuple[str, ...]] = ("org.example.FakeSourceConnector",)

    @classmethod
    def config_def(cls) -> ConfigDef:
        return _DEF

    def task_class(self) -> type[SourceTask]:
        return FakeSourceTask

    def task_configs(self, max_tasks: int) -> list[dict[str, str]]:
        return [dict(self.config) for _ in range(int(self.config.get("tasks", "1")))]


class FakeSinkTask(SinkTask):
    """Collects what is put."""

    config: ConnectorConfig

    def start(self, config: ConnectorConfig) -> None:
        self.config = config
        self.script = SCRIPTS[config["script"]]
        self.script.starts += 1
        self.script.instances.append(self)
        self.script.happened()  # `on_start` may take its time
        if self.script.on_start is not None:
            self.script.on_start(self)
        self.script.happened()

    def open(self, partitions: Sequence[TopicPartition]) -> None:
        self.script.opened.append(list(partitions))
        if self.script.on_open is not None:
            self.script.on_open(self, partitions)
        self.script.happened()

    def put(self, records: Sequence[SinkRecord]) -> None:
        if self.script.on_put is not None:
            self.script.on_put(self, records)
        if records:
            with self.script.changed:
                self.script.puts.append(list(records))
        self.script.happened()

    def pre_commit(
        self, offsets: Mapping[TopicPartition, OffsetAndMetadata]
    ) -> Mapping[TopicPartition, OffsetAndMetadata]:
        return offsets if self.script.pre_commit is None else self.script.pre_commit(self, offsets)

    def close(self, partitions: Sequence[TopicPartition]) -> None:
        self.script.closed.append(list(partitions))
        self.script.happened()

    def stop(self) -> None:
        self.script.stops += 1
        self.script.happened()


class FakeSink(SinkConnector):
    """A sink connector of `FakeSinkTask`s."""

    aliases: ClassVar[tuple[str, ...]] = ("org.example.FakeSinkConnector",)

    @classmethod
    def config_def(cls) -> ConfigDef:
        return _DEF

    def task_class(self) -> type[SinkTask]:
        return FakeSinkTask


def record(
    value: Any, offset: int, *, topic: str = "t", partition: Mapping[str, Any] | None = None
) -> SourceRecord:
    """A source record with a string value."""
    source = {"p": "1"} if partition is None else partition
    return SourceRecord(source, {"n": offset}, topic, None, STRING, str(value), STRING, value)
