"""Mappings from schemas, as Confluent's connector makes them. Pure."""

from __future__ import annotations

from typing import Any, Final

from replicator.api import Schema, SchemaType, Struct
from replicator.api.logical import DATE, DECIMAL, TIME, TIMESTAMP

_TYPES: Final = {
    SchemaType.INT8: "byte",
    SchemaType.INT16: "short",
    SchemaType.INT32: "integer",
    SchemaType.INT64: "long",
    SchemaType.FLOAT32: "float",
    SchemaType.FLOAT64: "double",
    SchemaType.BOOLEAN: "boolean",
    SchemaType.STRING: "text",
    SchemaType.BYTES: "binary",
}
_LOGICAL: Final = {DATE: "date", TIME: "date", TIMESTAMP: "date", DECIMAL: "double"}
_KEYWORD: Final = {"keyword": {"type": "keyword", "ignore_above": 256}}
_WITHOUT_NULL_VALUE: Final = frozenset({"text", "binary"})


def mapping_of(schema: Schema, compact_maps: bool) -> dict[str, Any]:
    """The mapping of a value's schema."""
    if schema.name in _LOGICAL:
        return _simple(_LOGICAL[schema.name], schema)
    if schema.type is SchemaType.STRUCT:
        return {"properties": {field.name: mapping_of(field.schema, compact_maps) for field in schema.fields}}
    if schema.type is SchemaType.ARRAY and schema.value_schema is not None:
        return mapping_of(schema.value_schema, compact_maps)
    if schema.type is SchemaType.MAP and schema.key_schema is not None and schema.value_schema is not None:
        if compact_maps and schema.key_schema.type is SchemaType.STRING:
            return {"type": "object"}
        members = {"key": schema.key_schema, "value": schema.value_schema}
        return {"properties": {name: mapping_of(member, compact_maps) for name, member in members.items()}}
    kind = _TYPES.get(schema.type)
    return {"type": "object"} if kind is None else _simple(kind, schema)


def _simple(kind: str, schema: Schema) -> dict[str, Any]:
    found: dict[str, Any] = {"type": kind}
    if kind == "text":
        found["fields"] = _KEYWORD
    default = schema.default
    plain = isinstance(default, (bool, int, float, str)) and not isinstance(default, Struct)
    if plain and kind not in _WITHOUT_NULL_VALUE and schema.name not in _LOGICAL:
        found["null_value"] = default
    return found
