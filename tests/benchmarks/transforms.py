"""Cost per record of each transform, predicate and built-in converter, in microseconds; needs no server.

A row of 10 columns and a change event around it are sent through every plugin, as one task would do it. Every
figure is the best of a few runs; plans are compiled before the clock starts.
"""

from __future__ import annotations

import logging
import struct
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from replicator.api.logical import SOURCE_NAME_PARAMETER, SOURCE_TYPE_PARAMETER
from replicator.api.record import ConnectRecord, Header, SinkRecord
from replicator.api.schema import (
    BOOLEAN,
    BYTES,
    FLOAT64,
    INT32,
    INT64,
    OPTIONAL_FLOAT64,
    OPTIONAL_INT32,
    OPTIONAL_STRING,
    STRING,
    Schema,
    SchemaType,
    array_schema,
    struct_schema,
)
from replicator.api.struct import Struct
from replicator.plugins.registry import Registry

ROW = struct_schema(
    [
        ("id", INT32),
        ("customer", INT32),
        ("status", STRING),
        ("note", OPTIONAL_STRING),
        ("amount", OPTIONAL_FLOAT64),
        ("quantity", OPTIONAL_INT32),
        ("paid", BOOLEAN),
        ("created", Schema(SchemaType.INT64, name="io.debezium.time.MicroTimestamp", version=1)),
        ("text", STRING),
        ("epoch", INT64),
    ],
    name="p.public.orders.Value",
    optional=True,
)
VALUES: dict[str, Any] = {
    "id": 1,
    "customer": 42,
    "status": "open",
    "note": None,
    "amount": 12.5,
    "quantity": 3,
    "paid": False,
    "created": 1_500_000_000_000_000,
    "text": "2017-07-14 02:40:00",
    "epoch": 1_500_000_000_000,
}
KEY = struct_schema([("id", INT32)], name="p.public.orders.Key")
SOURCE = struct_schema([("table", STRING), ("ts_ms", INT64), ("lsn", INT64)], name="source")
ENVELOPE = struct_schema(
    [("before", ROW), ("after", ROW), ("source", SOURCE), ("op", STRING), ("ts_ms", INT64)],
    name="p.public.orders.Envelope",
)
NESTED = struct_schema([("id", INT32), ("row", ROW)], name="nested")
OUTBOX = struct_schema(
    [
        ("id", STRING),
        ("aggregatetype", STRING),
        ("aggregateid", STRING),
        ("type", STRING),
        ("payload", STRING),
    ],
    name="p.public.outbox.Value",
    optional=True,
)
OUTBOX_ENVELOPE = struct_schema(
    [("before", OUTBOX), ("after", OUTBOX), ("op", STRING), ("ts_ms", INT64)], name="p.public.outbox.Envelope"
)
ENTRY = {
    "id": "1",
    "aggregatetype": "order",
    "aggregateid": "42",
    "type": "Created",
    "payload": '{"order":42,"lines":[{"sku":"a","count":2}]}',
}


def record(schema: Schema, fields: dict[str, Any]) -> ConnectRecord:
    headers = [Header("h", STRING, "x"), Header("drop", array_schema(STRING), ["note"])]
    key = Struct(KEY, {"id": 1})
    return SinkRecord(
        "p.public.orders", 0, KEY, key, schema, Struct(schema, fields), 1, 1_500_000_000_000, headers
    )


ROW_RECORD = record(ROW, VALUES)
EVENT = record(
    ENVELOPE,
    {"before": VALUES, "after": VALUES | {"status": "paid"}, "source": {"table": "orders", "ts_ms": 1, "lsn": 2},
     "op": "u", "ts_ms": 3},
)  # fmt: skip
NESTED_RECORD = record(NESTED, {"id": 1, "row": VALUES})
OUTBOX_RECORD = record(OUTBOX_ENVELOPE, {"before": None, "after": ENTRY, "op": "c", "ts_ms": 1})


MESSAGE = struct_schema(
    [
        ("op", STRING),
        ("source", SOURCE),
        ("message", struct_schema([("prefix", STRING), ("content", BYTES)])),
    ],
    name="io.debezium.connector.postgresql.MessageValue",
)
MESSAGE_RECORD = record(
    MESSAGE,
    {
        "op": "m",
        "source": EVENT.value.fields["source"],
        "message": {"prefix": "p", "content": b'{"id":1,"text":"x"}'},
    },
)


TYPED_ROW = struct_schema(
    [
        (name, INT32.evolve(parameters={SOURCE_NAME_PARAMETER: name, SOURCE_TYPE_PARAMETER: "INT4"}))
        for name in ("id", "customer")
    ]
)
TYPED_ENVELOPE = struct_schema(
    [("before", TYPED_ROW.as_optional()), ("after", TYPED_ROW), ("source", SOURCE), ("op", STRING)],
    name="p.public.orders.Envelope",
)
TYPED_EVENT = record(
    TYPED_ENVELOPE,
    {"before": None, "after": {"id": 1, "customer": 2}, "source": EVENT.value.fields["source"], "op": "c"},
)
VECTOR_ROW = struct_schema(
    [("id", INT32), ("embedding", array_schema(FLOAT64, name="io.debezium.data.DoubleVector"))]
)
VECTOR_RECORD = record(VECTOR_ROW, {"id": 1, "embedding": [0.5, 1.25, -3.0]})
GEOMETRY = struct_schema(
    [("wkb", BYTES), ("srid", OPTIONAL_INT32)], name="io.debezium.data.geometry.Geometry", version=1
)
# A point in little endian, with its spatial reference in front.
PLACE = {"wkb": struct.pack("<BII2d", 1, 0x20000001, 4326, 13.4, 52.5), "srid": 4326}
PLACE_RECORD = record(struct_schema([("id", INT32), ("place", GEOMETRY)]), {"id": 1, "place": PLACE})


class Subject(NamedTuple):
    """One transform or predicate with its options and its record."""

    name: str
    options: dict[str, str]
    given: ConnectRecord = ROW_RECORD


SUBJECTS = (
    Subject("CastValue", {"spec": "amount:string,quantity:int64"}),
    Subject("DropHeaders", {"headers": "h"}),
    Subject("ExtractFieldValue", {"field": "status"}),
    Subject("Filter", {}),
    Subject("FlattenValue", {}, NESTED_RECORD),
    Subject("HeaderFromValue", {"fields": "status,note", "headers": "s,n", "operation": "move"}),
    Subject("HoistFieldValue", {"field": "row"}),
    Subject("InsertFieldValue", {"topic.field": "topic", "timestamp.field": "at"}),
    Subject("InsertHeader", {"header": "new", "value.literal": "1"}),
    Subject("MaskFieldValue", {"fields": "status,amount"}),
    Subject("RegexRouter", {"regex": "p\\.(.*)", "replacement": "$1"}),
    Subject("ReplaceFieldValue", {"exclude": "note", "renames": "id:order_id"}),
    Subject("SetSchemaMetadataValue", {"schema.name": "orders"}),
    Subject(
        "TimestampConverterValue",
        {"field": "text", "target.type": "Timestamp", "format": "yyyy-MM-dd HH:mm:ss"},
    ),
    Subject("TimestampConverterValue", {"field": "epoch", "target.type": "string", "format": "yyyy-MM-dd"}),
    Subject("TimestampRouter", {}),
    Subject("ValueToKey", {"fields": "id,customer"}),
    Subject("ByLogicalTableRouter", {"topic.regex": "p\\.(.*)", "topic.replacement": "all"}, EVENT),
    Subject(
        "ContentBasedRouter",
        {"language": "jsr223.groovy", "topic.expression": "value.op == 'd' ? 'deletes' : null"},
        EVENT,
    ),
    Subject(
        "DebeziumFilter",
        {"language": "jsr223.groovy", "condition": "value.op == 'u' && value.before.id == 1"},
        EVENT,
    ),
    Subject("DecodeLogicalDecodingMessageContent", {}, MESSAGE_RECORD),
    Subject("EventRouter", {}, OUTBOX_RECORD),
    Subject("EventRouter", {"table.expand.json.payload": "true"}, OUTBOX_RECORD),
    Subject("ExtractChangedRecordState", {"header.changed.name": "changed"}, EVENT),
    Subject("ExtractNewRecordState", {}, EVENT),
    Subject("ExtractNewRecordState", {"add.fields": "op,source.ts_ms"}, EVENT),
    Subject("HeaderToValue", {"headers": "h", "fields": "from_header", "operation": "copy"}, EVENT),
    Subject(
        "PartitionRouting", {"partition.payload.fields": "change.customer", "partition.topic.num": "8"}, EVENT
    ),
    Subject("ExtractSchemaToNewRecord", {}, TYPED_EVENT),
    Subject("VectorToJsonConverter", {}, VECTOR_RECORD),
    Subject("SwapGeometryCoordinates", {}, PLACE_RECORD),
    Subject("GeometryFormatTransformer", {"format": "wkb"}, PLACE_RECORD),
    Subject("CollectionNameTransformation", {"collection.naming.style": "snake_case"}, EVENT),
    Subject("FieldNameTransformation", {"column.naming.style": "snake_case"}),
    Subject("ActivateTracingSpan", {}, EVENT),
    Subject("SchemaChangeEventFilter", {"schema.change.event.exclude.list": "DROP"}, EVENT),
    Subject("TimezoneConverter", {"converted.timezone": "Europe/Berlin"}, EVENT),
)
PREDICATES = (
    Subject("HasHeaderKey", {"name": "h"}),
    Subject("RecordIsTombstone", {}),
    Subject("TopicNameMatches", {"pattern": "p\\..*"}),
)
CONVERTERS = (
    ("JsonConverter", {"schemas.enable": "true"}),
    ("JsonConverter", {"schemas.enable": "false"}),
    ("StringConverter", {}),
)


def costs(calls: int = 20_000, runs: int = 3) -> list[tuple[str, str, float]]:
    """Kind or name, options and microseconds of each."""
    registry = Registry()
    found: list[tuple[str, str, float]] = []
    logging.disable(logging.WARNING)
    try:
        for subject in SUBJECTS:
            transform = registry.get("transformation", subject.name)()
            transform.configure(subject.options)
            found.append(
                (subject.name, _shown(subject.options), _cost(transform.apply, subject.given, calls, runs))
            )
        for subject in PREDICATES:
            predicate = registry.get("predicate", subject.name)()
            predicate.configure(subject.options)
            found.append(
                (subject.name, _shown(subject.options), _cost(predicate.test, subject.given, calls, runs))
            )
        for name, options in CONVERTERS:
            found += _converter_costs(registry, name, options, calls, runs)
    finally:
        logging.disable(logging.NOTSET)
    return found


def _converter_costs(
    registry: Registry, name: str, options: dict[str, str], calls: int, runs: int
) -> list[tuple[str, str, float]]:
    converter = registry.get("converter", name)()
    converter.configure(options, is_key=False)
    schema, value = (STRING, VALUES["text"]) if name == "StringConverter" else (ENVELOPE, EVENT.value)
    data = converter.from_connect_data("t", schema, value)
    shown = _shown(options)
    write = _cost(lambda v: converter.from_connect_data("t", schema, v), value, calls, runs)
    read = _cost(lambda d: converter.to_connect_data("t", d), data, calls, runs)
    return [(f"{name} write", shown, write), (f"{name} read", shown, read)]


def _cost(call: Callable[[Any], Any], given: Any, calls: int, runs: int) -> float:
    """Microseconds of one call, the best of some runs."""
    call(given)
    best = float("inf")
    for _ in range(runs):
        start = time.perf_counter()
        for _ in range(calls):
            call(given)
        best = min(best, time.perf_counter() - start)
    return best / calls * 1e6


def _shown(options: dict[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in options.items())


def print_costs(calls: int = 20_000) -> list[tuple[str, str, float]]:
    """The table on stdout."""
    found = costs(calls)
    width = max(len(name) for name, _, _ in found)
    print(f"{'per record'.ljust(width)}        us  options")
    for name, options, cost in found:
        print(f"{name.ljust(width)}  {cost:8.2f}  {options[:80]}")
    return found


if __name__ == "__main__":
    print_costs()
