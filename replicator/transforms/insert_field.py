"""InsertField: the record's topic, partition, offset, timestamp or a fixed text as fields. Task thread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final, NamedTuple

from replicator.api.config import ConfigDef, Importance, key
from replicator.api.errors import ConfigError, DataError
from replicator.api.logical import timestamp_schema
from replicator.api.option_types import Type, invalid
from replicator.api.plans import PlanCache
from replicator.api.record import ConnectRecord, SinkRecord
from replicator.api.schema import INT32, INT64, STRING, Schema
from replicator.api.struct import Struct
from replicator.transforms.copying import CopyPlan, basics, copier, same_names
from replicator.transforms.java_numbers import timestamp
from replicator.transforms.part import NULL_SWITCH, PACKAGE, OnKey, OnValue, PartTransform, null_switch
from replicator.transforms.required import require_map, require_struct

_PURPOSE: Final = "field insertion"
_SUFFIX: Final = "A trailing ! makes the field required, a trailing ? optional (as it is without)."
_KINDS: Final = {
    "topic": (STRING, "Field for the topic."),
    "partition": (INT32, "Field for the partition."),
    "offset": (INT64, "Field for the offset; for sinks only."),
    "timestamp": (timestamp_schema(), "Field for the record's timestamp."),
    "static": (STRING, "Field for the fixed text static.value."),
}


class _Inserted(NamedTuple):
    """One configured field."""

    kind: str
    name: str
    schema: Schema


class InsertField(PartTransform):
    """Adds fields with what is known of the record."""

    @classmethod
    def config_def(cls) -> ConfigDef:
        medium = Importance.MEDIUM
        return ConfigDef(
            *(
                key(f"{kind}.field", Type.STRING, None, importance=medium, doc=f"{doc} {_SUFFIX}")
                for kind, (_, doc) in _KINDS.items()
            ),
            key("static.value", Type.STRING, None, importance=medium, doc="Text for the static field."),
            null_switch(),
        )

    def configure(self, config: Mapping[str, Any]) -> None:
        options = self.config_def().parse(config)
        self._inserted = [
            _inserted(kind, options[f"{kind}.field"])
            for kind in _KINDS
            if options[f"{kind}.field"] is not None
        ]
        if not self._inserted:
            raise ConfigError("No field insertion configured")
        self._text: str | None = options["static.value"]
        for added in self._inserted:
            if added.kind == "static" and self._text is None:
                raise invalid("static.value", "null", f"No value specified for static field: {added.name}")
        self._defaults: bool = options[NULL_SWITCH]
        self._plans = PlanCache(self._plan)

    def apply(self, record: ConnectRecord) -> ConnectRecord | None:
        schema, value = self.read(record)
        if value is None:
            return record
        if schema is None:
            values = dict(require_map(value, _PURPOSE))
            for kind, name, _ in self._inserted:
                found = self._found(kind, record)
                if found is not None:
                    values[name] = found
            return self.write(record, None, values)
        struct = require_struct(value, _PURPOSE, schema)
        plan = self._plans(schema)
        values = plan.copy(struct.fields)
        for kind, name, _ in self._inserted:
            found = self._found(kind, record)
            if found is not None:
                values[name] = timestamp(found) if kind == "timestamp" else found
        return self.write(record, plan.schema, Struct(plan.schema, values))

    def _found(self, kind: str, record: ConnectRecord) -> Any:
        if kind == "topic":
            return record.topic
        if kind == "partition":
            return record.partition
        if kind == "timestamp":
            return record.timestamp
        if kind == "static":
            return self._text
        if not isinstance(record, SinkRecord):
            raise DataError(
                f"Only SinkRecord supported for [{_PURPOSE}], found: org.apache.kafka.connect.source.SourceRecord"
            )
        return record.kafka_offset

    def _plan(self, schema: Schema) -> CopyPlan:
        fields = [(f.name, f.schema) for f in schema.fields]
        fields += [(added.name, added.schema) for added in self._inserted]
        return CopyPlan(basics(schema, fields), copier(same_names(schema), schema, defaults=self._defaults))


class InsertFieldKey(OnKey, InsertField):
    """InsertField of the key."""

    aliases: ClassVar[tuple[str, ...]] = (f"{PACKAGE}InsertField$Key",)


class InsertFieldValue(OnValue, InsertField):
    """InsertField of the value."""

    aliases: ClassVar[tuple[str, ...]] = (f"{PACKAGE}InsertField$Value",)


def _inserted(kind: str, text: str) -> _Inserted:
    schema, _ = _KINDS[kind]
    if text.endswith("!"):
        return _Inserted(kind, text[:-1], schema)
    return _Inserted(kind, text.removesuffix("?"), schema.as_optional())
