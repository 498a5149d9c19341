"""Records as JSON, the form in which both implementations are fed and compared.

Values are tagged with their Java type (see Transforms.java); here integers of all widths are one type, so a
comparison of schemaless values is made after `canonical`.
"""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

from replicator.api.logical import DATE, TIME
from replicator.api.record import ConnectRecord, Header, SinkRecord, SourceRecord
from replicator.api.schema import Schema, SchemaType
from replicator.api.struct import Struct
from replicator.transforms.java_numbers import millis, single, timestamp

INTEGERS = {SchemaType.INT8: "i1", SchemaType.INT16: "i2", SchemaType.INT32: "i4", SchemaType.INT64: "i8"}


def read_schema(node: dict[str, Any] | None) -> Schema | None:
    if node is None:
        return None
    type_ = SchemaType(node["type"])
    inner = read_schema(node.get("items") or node.get("values"))
    schema = Schema(
        type_,
        optional=node.get("optional", False),
        name=node.get("name"),
        version=node.get("version"),
        doc=node.get("doc"),
        parameters=node.get("parameters"),
        fields=[(f["field"], known(read_schema(f))) for f in node.get("fields", ())],
        key_schema=read_schema(node.get("keys")),
        value_schema=inner,
    )
    if node.get("default") is None:
        return schema
    return schema.evolve(default=read_value(schema, node["default"]))


def known(schema: Schema | None) -> Schema:
    assert schema is not None
    return schema


def read_value(schema: Schema | None, node: Any) -> Any:
    if node is None or isinstance(node, (bool, str)):
        return node
    if isinstance(node, list):
        return [read_value(schema.value_schema if schema else None, e) for e in node]
    ((tag, value),) = node.items()
    if tag in ("i1", "i2", "i4", "i8"):
        return int(value)
    if tag in ("f4", "f8"):
        number = float(value.replace("Infinity", "inf"))
        return single(number) if tag == "f4" else number
    if tag == "dec":
        return Decimal(value)
    if tag == "big":
        return int(value)
    if tag == "hex":
        return bytes.fromhex(value)
    if tag == "ms":
        return _instant(schema, value)
    if tag == "map":
        keys, values = (schema.key_schema, schema.value_schema) if schema else (None, None)
        return {read_value(keys, k): read_value(values, v) for k, v in value}
    schema = known(schema)
    fields = {f.name: read_value(f.schema, value.get(f.name)) for f in schema.fields}
    return Struct(schema, fields)


def _instant(schema: Schema | None, ms: int) -> dt.date | dt.time:
    if schema is not None and schema.name == DATE:
        return timestamp(ms).date()
    if schema is not None and schema.name == TIME:
        return timestamp(ms).time()
    return timestamp(ms)


def read_record(node: dict[str, Any]) -> ConnectRecord:
    key_schema, value_schema = read_schema(node.get("key_schema")), read_schema(node.get("value_schema"))
    key, value = read_value(key_schema, node.get("key")), read_value(value_schema, node.get("value"))
    headers = [
        Header(h["key"], schema := read_schema(h.get("schema")), read_value(schema, h.get("value")))
        for h in node.get("headers", ())
    ]
    topic, stamp = node.get("topic"), node.get("timestamp")
    if node.get("source"):
        return SourceRecord(
            None,
            None,
            topic or "",
            node.get("partition"),
            key_schema,
            key,
            value_schema,
            value,
            stamp,
            headers,
        )
    return SinkRecord(
        topic or "",
        node.get("partition") or 0,
        key_schema,
        key,
        value_schema,
        value,
        node.get("offset", 0),
        stamp,
        headers,
    )


def write_schema(schema: Schema | None) -> dict[str, Any] | None:
    if schema is None:
        return None
    node: dict[str, Any] = {"type": schema.type.value}
    if schema.type is SchemaType.ARRAY:
        node["items"] = write_schema(schema.value_schema)
    if schema.type is SchemaType.MAP:
        node["keys"], node["values"] = write_schema(schema.key_schema), write_schema(schema.value_schema)
    if schema.type is SchemaType.STRUCT:
        node["fields"] = [{**(write_schema(f.schema) or {}), "field": f.name} for f in schema.fields]
    node["optional"] = schema.optional
    for name in ("name", "version", "doc"):
        if getattr(schema, name) is not None:
            node[name] = getattr(schema, name)
    if schema.parameters:
        node["parameters"] = dict(sorted(schema.parameters.items()))
    if schema.default is not None:
        node["default"] = write_value(schema, schema.default)
    return node


def write_value(schema: Schema | None, value: Any) -> Any:
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return {INTEGERS.get(schema.type, "i8") if schema else "i8": value}
    if isinstance(value, float):
        return {"f4" if schema and schema.type is SchemaType.FLOAT32 else "f8": repr(value)}
    if isinstance(value, Decimal):
        return {"dec": str(value)}
    if isinstance(value, (dt.date, dt.time)):
        return {"ms": millis(value)}
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"hex": bytes(value).hex()}
    if isinstance(value, (list, tuple)):
        return [write_value(schema.value_schema if schema else None, e) for e in value]
    if isinstance(value, Struct):
        schema, value = value.schema, value.fields
    if schema is not None and schema.type is SchemaType.STRUCT:
        return {"struct": {f.name: write_value(f.schema, value.get(f.name)) for f in schema.fields}}
    keys, values = (schema.key_schema, schema.value_schema) if schema else (None, None)
    return {"map": [[write_value(keys, k), write_value(values, v)] for k, v in value.items()]}


def write_record(record: ConnectRecord | None) -> dict[str, Any] | None:
    if record is None:
        return None
    return {
        "topic": record.topic,
        "partition": record.partition,
        "timestamp": record.timestamp,
        "key_schema": write_schema(record.key_schema),
        "key": write_value(record.key_schema, record.key),
        "value_schema": write_schema(record.value_schema),
        "value": write_value(record.value_schema, record.value),
        "headers": [
            {"key": h.key, "schema": write_schema(h.schema), "value": write_value(h.schema, h.value)}
            for h in record.headers or ()
        ],
    }


def canonical(node: Any) -> Any:
    """The same node with what Python does not tell apart made one, and maps in the order of their keys."""
    if isinstance(node, list):
        return [canonical(e) for e in node]
    if not isinstance(node, dict):
        return node
    if len(node) == 1:
        ((tag, value),) = node.items()
        if tag == "struct":
            return {"struct": {k: canonical(v) for k, v in value.items()}}
        if tag in ("i1", "i2", "i4", "i8", "big"):
            return {"int": int(value)}
        if tag in ("f4", "f8"):
            number = float(value.replace("Infinity", "inf"))
            return {"float": repr(single(number) if tag == "f4" else number)}
        if tag == "map":
            entries = [[canonical(k), canonical(v)] for k, v in value]
            return {"map": sorted(entries, key=lambda e: json.dumps(e[0]))}
    return {k: canonical(v) for k, v in node.items()}
