"""Connect schemas as Avro schemas, with the `connect.*` properties that Confluent's converter writes. Pure."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from decimal import Decimal
from typing import Any, Final

from connectors.s3.plain import unscaled
from replicator.api import DataError, Schema, SchemaType
from replicator.api.logical import DATE, DECIMAL, TIME, TIMESTAMP
from replicator.api.logical_values import days_of, precision_of, scale_of, time_ms, timestamp_ms

NAMESPACE: Final = "io.confluent.connect.avro"
_TYPES: Final = {
    SchemaType.INT8: "int",
    SchemaType.INT16: "int",
    SchemaType.INT32: "int",
    SchemaType.INT64: "long",
    SchemaType.FLOAT32: "float",
    SchemaType.FLOAT64: "double",
    SchemaType.BOOLEAN: "boolean",
    SchemaType.STRING: "string",
    SchemaType.BYTES: "bytes",
}
_LOGICAL: Final = {DATE: "date", TIME: "time-millis", TIMESTAMP: "timestamp-millis", DECIMAL: "decimal"}
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MAP_FIELDS: Final = ("key", "value")

LOGICAL_VALUES: Final[dict[str, Any]] = {
    DECIMAL: lambda schema, value: unscaled(value, scale_of(schema)),
    DATE: lambda schema, value: days_of(value),
    TIME: lambda schema, value: time_ms(value),
    TIMESTAMP: lambda schema, value: timestamp_ms(value),
}


class AvroSchemas:
    """Makes one Avro schema; a named record is written out once and referred to afterwards."""

    def __init__(self, metadata: bool) -> None:
        self._metadata = metadata
        self._known: dict[str, Schema] = {}
        self._unnamed = 0

    def of(self, schema: Schema) -> Any:
        """The Avro schema, a union with null when the schema is optional."""
        kind = self._type(schema)
        if not schema.optional:
            return kind
        return [kind, "null"] if schema.default is not None else ["null", kind]

    def _type(self, schema: Schema) -> Any:
        if schema.type is SchemaType.STRUCT:
            return self._record(schema)
        if schema.type is SchemaType.ARRAY:
            return self._with_properties({"type": "array", "items": self._inner(schema.value_schema)}, schema)
        if schema.type is SchemaType.MAP:
            return self._with_properties(self._map(schema), schema)
        made: dict[str, Any] = {"type": _TYPES[schema.type]}
        if schema.name == DECIMAL:
            precision = precision_of(schema)
            made |= {"scale": scale_of(schema), "precision": precision}
        if schema.type in (SchemaType.INT8, SchemaType.INT16) and self._metadata:
            made["connect.type"] = schema.type.value
        self._with_properties(made, schema)
        # Avro knows no decimals with more digits after the point than in all.
        if schema.name in _LOGICAL and 0 <= made.get("scale", 0) <= made.get("precision", 0):
            made["logicalType"] = _LOGICAL[schema.name]
        return made if len(made) > 1 else made["type"]

    def _with_properties(self, made: dict[str, Any], schema: Schema) -> dict[str, Any]:
        if not self._metadata:
            return made
        if schema.version is not None:
            made["connect.version"] = schema.version
        if schema.doc is not None:
            made["connect.doc"] = schema.doc
        if schema.parameters:
            made["connect.parameters"] = dict(schema.parameters)
        if schema.default is not None and (default := _default(schema)) is not None:
            made["connect.default"] = default
        if schema.name is not None:
            made["connect.name"] = schema.name
        return made

    def _map(self, schema: Schema) -> dict[str, Any]:
        keys = schema.key_schema
        if keys is not None and keys.type is SchemaType.STRING and not keys.optional:
            return {"type": "map", "values": self._inner(schema.value_schema)}
        self._unnamed += 1
        suffix = "" if self._unnamed == 1 else str(self._unnamed)
        entry = {
            "type": "record",
            "name": f"MapEntry{suffix}",
            "namespace": NAMESPACE,
            "fields": [
                {"name": _MAP_FIELDS[0], "type": self._inner(keys)},
                {"name": _MAP_FIELDS[1], "type": self._inner(schema.value_schema)},
            ],
        }
        return {"type": "array", "items": entry}

    def _inner(self, schema: Schema | None) -> Any:
        if schema is None:
            raise DataError("An array or map without the schema of its members cannot be written as Avro.")
        return self.of(schema)

    def _record(self, schema: Schema) -> Any:
        full = self._free_name(schema)
        known = self._known.get(full)
        if known is not None:
            return full
        self._known[full] = schema.evolve(optional=False)
        namespace, _, name = full.rpartition(".")
        made: dict[str, Any] = {"type": "record", "name": name, "namespace": namespace}
        made["fields"] = [self._field(field.name, field.schema) for field in schema.fields]
        return self._with_properties(made, schema)

    def _free_name(self, schema: Schema) -> str:
        """The record's full name; different records of one name get numbers."""
        wanted = schema.name or "ConnectDefault"
        namespace, _, name = wanted.rpartition(".")
        parts = [*namespace.split("."), name] if namespace else [name]
        wanted = ".".join(_legal(part) for part in parts)
        full = wanted if namespace else f"{NAMESPACE}.{wanted}"
        tried, number = full, 1
        while (known := self._known.get(tried)) is not None and known != schema.evolve(optional=False):
            number += 1
            tried = f"{full}{number}"
        return tried

    def _field(self, name: str, schema: Schema) -> dict[str, Any]:
        if not _NAME.fullmatch(name):
            raise DataError(f"Illegal character in: {name}: Avro has no such field names")
        made = {"name": name, "type": self.of(schema)}
        if schema.default is not None:
            default = _default(schema)
            if default is not None:
                made["default"] = default
        elif schema.optional:
            made["default"] = None
        return made


def _legal(part: str) -> str:
    part = re.sub(r"[^A-Za-z0-9_]", "_", part)
    return part if _NAME.fullmatch(part) else f"_{part}"


def _default(schema: Schema) -> Any:
    value = schema.default
    if schema.name == DECIMAL and isinstance(value, Decimal):
        return unscaled(value, scale_of(schema)).decode("latin-1")
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).decode("latin-1")
    if isinstance(value, (dt.date, dt.time)) and schema.name in LOGICAL_VALUES:
        return LOGICAL_VALUES[schema.name](schema, value)
    return value if isinstance(value, (str, int, float)) else None


def marker(name: str) -> bytes:
    """A sync marker that is the same for the same object, so that writing it again gives the same bytes."""
    return hashlib.md5(name.encode(), usedforsecurity=False).digest()
