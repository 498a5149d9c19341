"""Cost of each converter per record, for one change event: written, read, and how long it is.

Needs no server: the registry's converters use a registry in memory. The schema is known after the first record, as
in a running task.
"""

from __future__ import annotations

import timeit
from collections.abc import Callable
from typing import Any

from replicator.api import schema as s
from replicator.api.converter import Converter
from replicator.api.logical import timestamp_schema
from replicator.api.struct import Struct
from replicator.converters.avro import AvroConverter
from replicator.converters.json import JsonConverter
from replicator.converters.jsonschema import JsonSchemaConverter
from replicator.converters.protobuf import ProtobufConverter

ROW = s.struct_schema(
    [
        ("id", s.INT64),
        ("customer_id", s.INT32),
        ("status", s.STRING),
        ("amount", s.STRING),
        ("note", s.OPTIONAL_STRING),
        ("updated_at", timestamp_schema(optional=True)),
    ],
    name="bench.public.orders.Value",
    optional=True,
)
_TEXTS = ("version", "connector", "name", "snapshot", "db", "sequence", "schema", "table")
_NUMBERS = ("ts_ms", "ts_us", "ts_ns", "txId", "lsn", "xmin")
SOURCE = s.struct_schema(
    [*((n, s.OPTIONAL_STRING) for n in _TEXTS), *((n, s.OPTIONAL_INT64) for n in _NUMBERS)],
    name="bench.Source",
)
EVENT = s.struct_schema(
    [("before", ROW), ("after", ROW), ("source", SOURCE), ("op", s.STRING), ("ts_ms", s.OPTIONAL_INT64)],
    name="bench.public.orders.Envelope",
)
REGISTRY = {"schema.registry.url": "mock://bench"}
CASES: dict[str, tuple[type[Converter], dict[str, str]]] = {
    "JsonConverter": (JsonConverter, {"replace.null.with.default": "false"}),
    "JsonConverter, schemas.enable=false": (JsonConverter, {"schemas.enable": "false"}),
    "AvroConverter": (AvroConverter, REGISTRY),
    "JsonSchemaConverter": (JsonSchemaConverter, REGISTRY),
    "ProtobufConverter": (ProtobufConverter, REGISTRY),
}


def event() -> Struct:
    """An insert."""
    import datetime as dt

    row = {
        "id": 123456,
        "customer_id": 4711,
        "status": "shipped",
        "amount": "1234.56",
        "note": "3c59dc048e8850243be8079a5c74d079 b6d767d2f8ed5d21a44b0e5886680cb9",
        "updated_at": dt.datetime(2026, 1, 2, 3, 4, 5, 678000),
    }
    source = dict.fromkeys(_TEXTS, "postgresql") | dict.fromkeys(_NUMBERS, 1_767_323_045_678)
    return Struct(
        EVENT, {"before": None, "after": row, "source": source, "op": "c", "ts_ms": 1_767_323_045_678}
    )


def print_costs() -> None:
    """Measure and print a table."""
    print(f"{'converter':40} {'write us':>9} {'read us':>9} {'bytes':>7}")
    for name, (cls, options) in CASES.items():
        made: Any = cls()
        made.configure(options, is_key=False)
        value = event()
        topic = name.partition(",")[0]
        schema = None if options.get("schemas.enable") == "false" else EVENT
        given = value if schema is not None else _plain(value)
        data = made.from_connect_data(topic, schema, given)
        assert data is not None
        write = _cost(lambda m=made, t=topic, c=schema, g=given: m.from_connect_data(t, c, g))
        read = _cost(lambda m=made, t=topic, d=data: m.to_connect_data(t, d))
        print(f"{name:40} {write:9.2f} {read:9.2f} {len(data):7d}")


def _plain(value: Struct) -> dict[str, Any]:
    fields = value.plain()
    fields["after"] = {**fields["after"], "updated_at": 1_767_323_045_678}
    return fields


def _cost(call: Callable[[], Any], rounds: int = 5, calls: int = 20_000) -> float:
    """Microseconds of one call, the best of some rounds."""
    return min(timeit.repeat(call, number=calls, repeat=rounds)) / calls * 1e6
