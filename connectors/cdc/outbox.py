"""EventRouter: inserts into an outbox table become events of their own. Task thread.

Deletes are dropped, and so are updates but for `table.op.invalid.behavior=fatal`: an outbox is written once.
What depends on the schema only is compiled once per schema.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final, NamedTuple

from connectors.cdc import outbox_options as names
from connectors.cdc.outbox_json import JsonRules, expand, looks_like_json
from connectors.cdc.smt_options import refused
from connectors.cdc.unwrap import is_envelope
from replicator.api import logical
from replicator.api.config import ConfigDef
from replicator.api.errors import ConnectError, DataError
from replicator.api.java_regex import compile_java, replacement
from replicator.api.plans import PlanCache
from replicator.api.record import ConnectRecord, Header, SourceRecord
from replicator.api.schema import Schema, SchemaType, struct_schema
from replicator.api.struct import Struct
from replicator.api.transform import Transformation

_DIVISORS: Final = {
    logical.DBZ_TIMESTAMP: 1,
    logical.DBZ_MICRO_TIMESTAMP: 1000,
    logical.DBZ_NANO_TIMESTAMP: 1_000_000,
}
_MOST: Final = 64

log = logging.getLogger(__name__)


class _Plan(NamedTuple):
    """What one row schema of the outbox leads to."""

    row: Schema
    key: Schema
    identifier: Schema
    payload: Schema
    headers: list[tuple[str, str, Schema]]
    envelope: list[tuple[str, str, Schema]]
    partition: str | None
    divisor: int


class EventRouter(Transformation):
    """Makes events of the rows inserted into an outbox table."""

    aliases: ClassVar[tuple[str, ...]] = ("io.debezium.transforms.outbox.EventRouter",)

    @classmethod
    def config_def(cls) -> ConfigDef:
        return names.definition()

    def configure(self, config: Mapping[str, Any]) -> None:
        options = self.config_def().parse(config)
        names.check(options)
        self._additional = names.additional(options["table.fields.additional.placement"])
        self._ignore_missing = names.ignores_missing(options)
        self._id: str = options["table.field.event.id"]
        self._key: str = options["table.field.event.key"]
        self._payload: str = options["table.field.event.payload"]
        self._timestamp: str | None = options["table.field.event.timestamp"] or None
        self._version: str | None = options["table.field.event.schema.version"] or None
        self._route: str = options["route.by.field"]
        self._replacement: str = options["route.topic.replacement"]
        self._tombstones: bool = options["route.tombstone.on.empty.payload"]
        self._update = str(options["table.op.invalid.behavior"]).lower()
        self._expand: bool = options["table.expand.json.payload"]
        self._json = JsonRules(
            nulls=str(options["table.json.payload.null.behavior"]).lower() != "ignore",
            empty_arrays=str(options["table.json.payload.empty.array.behavior"]).lower() != "ignore",
        )
        try:
            self._pattern = compile_java(options["route.topic.regex"])
        except re.error as error:
            why = f"A valid regular expressions is expected, but {error}"
            raise refused("route.topic.regex", options["route.topic.regex"], why) from None
        self._plans = PlanCache(self._plan)
        self._payloads: dict[str, Schema] = {}
        self._values: dict[tuple[Schema, Any], Schema] = {}

    def apply(self, record: ConnectRecord) -> ConnectRecord | None:
        if record.value is None:
            return None
        if not is_envelope(record):
            return record
        operation = record.value.fields.get("op")
        if operation == "d":
            return None
        if operation == "u":
            self._unexpected(record)
            return None
        row = record.value.get("after")
        return None if row is None else self._event(record, row)

    def _unexpected(self, record: ConnectRecord) -> None:
        key = record.key
        shown = _struct_text(key) if isinstance(key, Struct) else str(key)
        if self._update == "fatal":
            raise ConnectError(f"Unexpected update message received {shown}, fail.")
        level = logging.WARNING if self._update == "warn" else logging.ERROR
        log.log(level, "Unexpected update message received %s and ignored", shown)

    def _event(self, record: ConnectRecord, row: Struct) -> ConnectRecord:
        plan = self._plans(row.schema)
        headers = [*(record.headers or ()), Header("id", plan.identifier, row.get(self._id))]
        headers += [Header(name, schema, row.get(field)) for field, name, schema in plan.headers]
        schema, value = self._value(row, plan)
        partition = row.get(plan.partition) if plan.partition is not None else None
        if partition is None and not isinstance(record, SourceRecord):
            partition = record.partition
        return record.evolve(
            topic=self._topic(row),
            partition=partition,
            key_schema=plan.key,
            key=row.get(self._key),
            value_schema=schema,
            value=value,
            timestamp=self._time(record, row, plan),
            headers=headers,
        )

    def _topic(self, row: Struct) -> str:
        topic = _text(row, self._route)
        if self._pattern.fullmatch(topic) is not None:
            topic = self._pattern.sub(replacement(self._replacement, self._pattern), topic, count=1)
        if not topic:
            raise DataError(f"Field '{self._route}' leads to an empty topic")
        return topic

    def _time(self, record: ConnectRecord, row: Struct, plan: _Plan) -> int | None:
        value = None if self._timestamp is None else row.get(self._timestamp)
        found: int | None = record.value.get("ts_ms") if value is None else value // plan.divisor
        return found

    def _value(self, row: Struct, plan: _Plan) -> tuple[Schema | None, Any]:
        schema, value = plan.payload, row.get(self._payload)
        if self._tombstones and value in (None, "", b""):
            return None, None
        if self._expand and isinstance(value, str) and looks_like_json(value):
            schema, value = self._expanded(schema, value)
        if not plan.envelope:
            return schema, value
        made = self._value_schema(row, plan, schema)
        fields = {self._payload_name: value}
        fields.update((name, row.get(field)) for field, name, _ in plan.envelope)
        return made, Struct(made, fields)

    _payload_name: ClassVar[str] = "payload"

    def _expanded(self, schema: Schema, text: str) -> tuple[Schema, Any]:
        try:
            found, value = expand(text, self._json)
        except DataError as error:
            log.warning("JSON expansion failed: %s", error)
            return schema, text
        # Equal documents share one schema, so that what comes behind finds its plans by identity.
        known = self._payloads.setdefault(_shape(found), found)
        if len(self._payloads) > _MOST:
            self._payloads.clear()
        return known, value if known is found else _rewrapped(known, value)

    def _value_schema(self, row: Struct, plan: _Plan, payload: Schema) -> Schema:
        version = row.get(self._version) if self._version is not None else None
        found = self._values.get((payload, version))
        if found is None:
            if len(self._values) >= _MOST:
                self._values.clear()
            fields = [(self._payload_name, payload), *((name, schema) for _, name, schema in plan.envelope)]
            name = f"{(row.schema.name or '').removesuffix('.Value')}.{_text(row, self._route)}.Value"
            found = self._values[payload, version] = struct_schema(fields, name=name, version=version)
        return found

    def _plan(self, row: Schema) -> _Plan:
        if row.field(self._payload) is None:
            raise ConnectError(f"Unable to find payload field {self._payload} in event")
        divisor = self._divisor(row)
        headers: list[tuple[str, str, Schema]] = []
        envelope: list[tuple[str, str, Schema]] = []
        partition = None
        for extra in self._additional:
            found = row.field(extra.field)
            if found is None:
                if self._ignore_missing:
                    continue
                raise DataError(f"{extra.field} is not a valid field name")
            if extra.placement == "partition":
                partition = extra.field
            else:
                into = headers if extra.placement == "header" else envelope
                into.append((extra.field, extra.name, found.schema))
        key, identifier = _schema_of(row, self._key), _schema_of(row, self._id)
        return _Plan(
            row, key, identifier, _schema_of(row, self._payload), headers, envelope, partition, divisor
        )

    def _divisor(self, row: Schema) -> int:
        if self._timestamp is None:
            return 1
        field = row.field(self._timestamp)
        if field is None:
            raise ConnectError(f"Unable to find timestamp field {self._timestamp} in event")
        if field.schema.type is not SchemaType.INT64:
            raise DataError(f"Field '{self._timestamp}' is not of type INT64")
        if field.schema.name is None:
            raise ConnectError(
                "Unsupported field type INT64 (without logical schema name) for event timestamp"
            )
        if field.schema.name not in _DIVISORS:
            raise ConnectError(f"Unsupported field type {field.schema.name} for event timestamp")
        return _DIVISORS[field.schema.name]


def _schema_of(row: Schema, name: str) -> Schema:
    field = row.field(name)
    if field is None:
        raise DataError(f"{name} is not a valid field name")
    return field.schema


def _text(row: Struct, name: str) -> str:
    schema = _schema_of(row.schema, name)
    if schema.type is not SchemaType.STRING:
        raise DataError(f"Field '{name}' is not of type STRING")
    value = row.get(name)
    if value is None:
        raise DataError(f"Field '{name}' is null, so the event has no topic")
    return str(value)


def _shape(schema: Schema) -> str:
    """A text that is the same for equal schemas of documents."""
    if schema.type is SchemaType.STRUCT:
        return f"{{{','.join(f'{f.name!r}:{_shape(f.schema)}' for f in schema.fields)}}}"
    if schema.type is SchemaType.ARRAY and schema.value_schema is not None:
        return f"[{_shape(schema.value_schema)}]"
    return str(schema.type.value)


def _rewrapped(schema: Schema, value: Any) -> Any:
    return Struct(schema, value.fields) if isinstance(value, Struct) else value


def _struct_text(struct: Struct) -> str:
    shown = (f"{name}={value}" for name, value in struct if value is not None)
    return f"Struct{{{','.join(shown)}}}"
