"""VerifiableSource and VerifiableSink: a sequence without gaps, reported as it is written and read.

Each task writes 0, 1, 2 ... and goes on behind its stored offset after a restart, so that a gap is a loss and a
repetition a duplicate. The task's thread prints.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from connectors.verifiable.report import Throttle, now_ms, report
from replicator.api import (
    ConfigDef,
    OffsetAndMetadata,
    SinkConnector,
    SinkRecord,
    SinkTask,
    SourceConnector,
    SourceRecord,
    SourceTask,
    Struct,
    TopicPartition,
    Type,
)
from replicator.api.config import key
from replicator.api.schema import INT32, INT64, STRING, struct_schema
from replicator.api.source import ConnectorConfig, Offset, Partition

_ID: Final = "id"
_SEQNO: Final = "seqno"
_BATCH: Final = 500
_TOOLS: Final = "org.apache.kafka.connect.tools."

COMPLETE: Final = struct_schema(
    [("name", STRING), ("task", INT32), ("topic", STRING), ("time_ms", INT64), (_SEQNO, INT64)]
)
SOURCE_OPTIONS: Final = ConfigDef(
    key("topic", Type.STRING, doc="Topic to write to."),
    key("throughput", Type.LONG, -1, doc="Records a second and task; -1: as many as possible."),
    key(
        "complete.record.data", Type.BOOLEAN, False, doc="Whether values are structs with all that is known."
    ),
)


class VerifiableSourceTask(SourceTask):
    """Writes one sequence."""

    def start(self, config: ConnectorConfig) -> None:
        options = SOURCE_OPTIONS.parse(config)
        self._name, self._topic = config.get("name", ""), options["topic"]
        self._id = int(config.get(_ID, "0"))
        self._complete: bool = options["complete.record.data"]
        self._partition = {_ID: self._id}
        stored = self.context.offsets.offset(self._partition)
        self._seqno = stored[_SEQNO] + 1 if stored else 0
        self._reported = self._seqno
        self._throttle = Throttle(options["throughput"], self.context.stopping)

    def poll(self) -> Sequence[SourceRecord] | None:
        count = self._throttle.allowed(_BATCH)
        first, self._seqno = self._seqno, self._seqno + count
        return [self._record(seqno) for seqno in range(first, self._seqno)]

    def commit(self, offsets: Sequence[tuple[Partition, Offset]]) -> None:
        for _, offset in offsets:
            for seqno in range(self._reported, offset[_SEQNO] + 1):
                report(
                    name=self._name,
                    task=self._id,
                    topic=self._topic,
                    time_ms=now_ms(),
                    seqno=seqno,
                    committed=True,
                )
            self._reported = max(self._reported, offset[_SEQNO] + 1)

    def _record(self, seqno: int) -> SourceRecord:
        schema, value = INT64, seqno
        if self._complete:
            fields = {
                "name": self._name, "task": self._id, "topic": self._topic, "time_ms": now_ms(), _SEQNO: seqno
            }  # fmt: skip
            return self._made(seqno, COMPLETE, Struct(COMPLETE, fields))
        return self._made(seqno, schema, value)

    def _made(self, seqno: int, schema: Any, value: Any) -> SourceRecord:
        return SourceRecord(
            self._partition, {_SEQNO: seqno}, self._topic, None, INT32, self._id, schema, value
        )


class VerifiableSourceConnector(SourceConnector):
    """As many sequences as tasks."""

    aliases: ClassVar[tuple[str, ...]] = (f"{_TOOLS}VerifiableSourceConnector",)

    @classmethod
    def config_def(cls) -> ConfigDef:
        return SOURCE_OPTIONS

    def task_class(self) -> type[SourceTask]:
        return VerifiableSourceTask

    def task_configs(self, max_tasks: int) -> list[dict[str, str]]:
        return [{**self.config, _ID: str(number)} for number in range(max_tasks)]

    def exactly_once_support(self, config: ConnectorConfig) -> bool:
        """Each record has its own offset."""
        return True


class VerifiableSinkTask(SinkTask):
    """Reports what it is given, and again once it is flushed."""

    def start(self, config: ConnectorConfig) -> None:
        self._name = config.get("name", "")
        self._id = int(config.get(_ID, "0"))
        self._waiting: list[dict[str, Any]] = []

    def put(self, records: Sequence[SinkRecord]) -> None:
        for record in records:
            facts = {
                "name": self._name, "task": record.key, "sinkTask": self._id, "topic": record.topic,
                "time_ms": now_ms(), "seqno": _plain(record.value), "offset": record.kafka_offset,
            }  # fmt: skip
            report(**facts)
            self._waiting.append(facts)

    def flush(self, offsets: Mapping[TopicPartition, OffsetAndMetadata]) -> None:
        for facts in self._waiting:
            report(**{**facts, "time_ms": now_ms(), "flushed": True})
        self._waiting.clear()


class VerifiableSinkConnector(SinkConnector):
    """Reports sequences."""

    aliases: ClassVar[tuple[str, ...]] = (f"{_TOOLS}VerifiableSinkConnector",)

    def task_class(self) -> type[SinkTask]:
        return VerifiableSinkTask

    def task_configs(self, max_tasks: int) -> list[dict[str, str]]:
        return [{**self.config, _ID: str(number)} for number in range(max_tasks)]


def _plain(value: Any) -> Any:
    return value.get(_SEQNO) if isinstance(value, Struct) else value
