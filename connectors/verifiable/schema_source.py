"""SchemaSource: records of a fixed schema, or of two versions of it by turns, up to a number of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Final

from connectors.verifiable.report import Throttle, report
from replicator.api import (
    ConfigDef,
    Schema,
    SchemaType,
    SourceConnector,
    SourceRecord,
    SourceTask,
    Struct,
    Type,
)
from replicator.api.config import key
from replicator.api.schema import BOOLEAN, FLOAT32, FLOAT64, INT32, INT64, STRING, struct_schema
from replicator.api.source import ConnectorConfig
from replicator.api.validators import at_least

_ID: Final = "id"
_SEQNO: Final = "seqno"
_BATCH: Final = 500
_NUMBERS: Final = [
    ("boolean", BOOLEAN), ("int", INT32), ("long", INT64), ("float", FLOAT32), ("double", FLOAT64),
    ("partitioning", INT32), (_ID, INT32), (_SEQNO, INT64),
]  # fmt: skip
FIRST: Final = struct_schema(_NUMBERS, name="record", version=1)
SECOND: Final = struct_schema(
    [*_NUMBERS[:6], ("string", Schema(SchemaType.STRING, default="abc")), *_NUMBERS[6:]],
    name="record",
    version=2,
)
OPTIONS: Final = ConfigDef(
    key("topic", Type.STRING, doc="Topic to write to."),
    key("num.messages", Type.LONG, -1, doc="Records per task; -1: no end."),
    key("throughput", Type.LONG, -1, doc="Records a second and task; -1: as many as possible."),
    key("multiple.schema", Type.BOOLEAN, False, doc="Whether two versions of the schema take turns."),
    key("partition.count", Type.INT, 1, validator=at_least(1), doc="Range of the field `partitioning`."),
)


class SchemaSourceTask(SourceTask):
    """Writes one sequence."""

    def start(self, config: ConnectorConfig) -> None:
        options = OPTIONS.parse(config)
        self._topic: str = options["topic"]
        self._two: bool = options["multiple.schema"]
        self._spread: int = options["partition.count"]
        self._id = int(config.get(_ID, "0"))
        self._partition = {_ID: self._id}
        stored = self.context.offsets.offset(self._partition)
        self._seqno = stored[_SEQNO] + 1 if stored else 0
        limit: int = options["num.messages"]
        self._end = self._seqno + limit if limit >= 0 else None
        self._throttle = Throttle(options["throughput"], self.context.stopping)

    def poll(self) -> Sequence[SourceRecord] | None:
        left = _BATCH if self._end is None else min(_BATCH, self._end - self._seqno)
        if left <= 0:
            self.context.stopping.wait(0.5)
            return None
        first = self._seqno
        self._seqno += self._throttle.allowed(left)
        return [self._record(seqno) for seqno in range(first, self._seqno)]

    def _record(self, seqno: int) -> SourceRecord:
        fields: dict[str, Any] = {
            "boolean": True, "int": 12, "long": 12, "float": 12.2, "double": 12.2,
            "partitioning": seqno % self._spread, _ID: self._id, _SEQNO: seqno,
        }  # fmt: skip
        schema = FIRST
        if self._two and seqno % 2:
            schema, fields = SECOND, {**fields, "string": "def"}
        report(task=self._id, seqno=seqno)
        return SourceRecord(
            self._partition, {_SEQNO: seqno}, self._topic, None, STRING, "key", schema, Struct(schema, fields)
        )


class SchemaSourceConnector(SourceConnector):
    """As many sequences as tasks."""

    aliases: ClassVar[tuple[str, ...]] = ("org.apache.kafka.connect.tools.SchemaSourceConnector",)

    @classmethod
    def config_def(cls) -> ConfigDef:
        return OPTIONS

    def task_class(self) -> type[SourceTask]:
        return SchemaSourceTask

    def task_configs(self, max_tasks: int) -> list[dict[str, str]]:
        return [{**self.config, _ID: str(number)} for number in range(max_tasks)]
