"""Connect schemas as Avro schemas, by the rules of Confluent's Avro converter. Pure, any thread.

What Avro cannot say is kept in properties: `connect.name`, `connect.version`, `connect.parameters`,
`connect.default`, `connect.doc` and `connect.type`.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any, Final

from replicator.api.errors import DataError
from replicator.api.logical import DATE, DECIMAL, TIME, TIMESTAMP
from replicator.api.logical_values import PRECISION_PARAMETER, precision_of, scale_of, unscaled_bytes
from replicator.api.schema import Schema, SchemaType
from replicator.api.struct import Struct
from replicator.converters.json_logical import LOGICAL_NAMES, decimal_parts, encoder
from replicator.converters.registry.avro_model import MISSING, AvroField, AvroNode
from replicator.converters.registry.avro_names import (
    ANYTHING_NODE,
    ENUM_DEFAULT,
    ENUM_DOC,
    FIELD_DEFAULT,
    FIELD_DOC,
    MAP_ENTRY,
    NAMESPACE,
    RECORD_DOC,
    AvroOptions,
    enum_name,
    object_keys,
    union_kind,
)
from replicator.converters.registry.sums import DEFAULT_NAME, SUM_ENUM, contained, scrubbed

_AVRO: Final[dict[SchemaType, str]] = {
    SchemaType.INT8: "int",
    SchemaType.INT16: "int",
    SchemaType.INT32: "int",
    SchemaType.INT64: "long",
    SchemaType.FLOAT32: "float",
    SchemaType.FLOAT64: "double",
    SchemaType.BOOLEAN: "boolean",
    SchemaType.STRING: "string",
    SchemaType.BYTES: "bytes",
    SchemaType.ARRAY: "array",
    SchemaType.MAP: "map",
}
_NARROW: Final = {SchemaType.INT8: "int8", SchemaType.INT16: "int16"}
_LOGICAL: Final = {TIME: "time-millis", TIMESTAMP: "timestamp-millis", DATE: "date"}


class ToAvro:
    """Turns one Connect schema into a node; use a new one for each top level schema."""

    def __init__(self, options: AvroOptions) -> None:
        self.options = options
        self._made: dict[Schema, AvroNode] = {}
        self._unnamed = 0
        self._entries = 0

    def node(self, schema: Schema | None, *, ignore_optional: bool = False) -> AvroNode:
        """The Avro type of a schema; schemaless data have a type of their own."""
        if schema is None:
            return ANYTHING_NODE
        if union_kind(schema):
            return self._union(schema)
        bare = schema.evolve(optional=False) if schema.optional else schema
        made = self._made.get(bare)
        if made is None:
            made = self._made[bare] = self._base(bare)
        if not schema.optional or ignore_optional:
            return made
        with_default = schema.default is not None and schema.type is not SchemaType.STRUCT
        branches = [made, AvroNode("null")] if with_default else [AvroNode("null"), made]
        return AvroNode("union", branches=branches)

    def _union(self, schema: Schema) -> AvroNode:
        members = [self.node(f.schema.evolve(optional=False), ignore_optional=True) for f in schema.fields]
        return AvroNode("union", branches=[*([AvroNode("null")] if schema.optional else []), *members])

    def _base(self, schema: Schema) -> AvroNode:
        node = self._bare(schema)
        if self.options.meta_data:
            node.props |= self._meta(schema)
        node.props |= _logical_props(schema)
        node.props |= {
            k: v for k, v in schema.parameters.items() if k.startswith("avro") and k not in node.props
        }
        return node

    def _bare(self, schema: Schema) -> AvroNode:
        if schema.type is SchemaType.STRUCT:
            return self._record(schema)
        if schema.type is SchemaType.ARRAY:
            return AvroNode("array", inner=self.node(contained(schema.value_schema)))
        if schema.type is SchemaType.MAP:
            return self._map(schema)
        marker = enum_name(schema)
        if marker is not None and (self.options.enhanced or self.options.generalized):
            return self._enum(schema, marker)
        return AvroNode(_AVRO[schema.type])

    def _record(self, schema: Schema) -> AvroNode:
        node = AvroNode("record", name=self._name(schema.name), doc=schema.parameters.get(RECORD_DOC))
        for field in schema.fields:
            node.fields.append(self._field(self.scrub(field.name), field.schema, schema, field.name))
        return node

    def _field(self, name: str, schema: Schema, owner: Schema | None = None, own_name: str = "") -> AvroField:
        default: Any = MISSING
        if schema.default is not None:
            default = default_to_json(schema, schema.default, self.options)
        elif schema.optional:
            default = None
        doc = owner.parameters.get(FIELD_DOC + own_name) if owner is not None else None
        if doc is None and self.options.discard_type_doc:
            doc = schema.doc
        return AvroField(name, self.node(schema), default, doc)

    def _map(self, schema: Schema) -> AvroNode:
        if object_keys(schema, self.options):
            return AvroNode("map", inner=self.node(contained(schema.value_schema)))
        if schema.name is not None:
            entry = AvroNode("record", name=self._name(schema.name))
            entry.props["connect.internal.type"] = MAP_ENTRY
        else:
            self._entries += 1
            number = str(self._entries) if self._entries > 1 else ""
            entry = AvroNode("record", name=f"{NAMESPACE}.{MAP_ENTRY}{number}")
            if number:
                entry.props["connect.internal.type"] = MAP_ENTRY
        entry.fields = [
            self._field("key", contained(schema.key_schema)),
            self._field("value", contained(schema.value_schema)),
        ]
        return AvroNode("array", inner=entry)

    def _enum(self, schema: Schema, marker: str) -> AvroNode:
        name = schema.parameters[marker] or schema.name or DEFAULT_NAME
        prefix = f"{marker}."
        symbols = [(k, v) for k, v in schema.parameters.items() if k.startswith(prefix)]
        if marker == SUM_ENUM:
            symbols.sort(key=lambda pair: int(pair[1]))
        short = name.rpartition(".")[2]
        return AvroNode(
            "enum",
            name=name,
            doc=schema.parameters.get(ENUM_DOC + short),
            symbols=tuple(k.removeprefix(prefix) for k, _ in symbols),
            default=schema.parameters.get(ENUM_DEFAULT + short),
        )

    def _name(self, name: str | None) -> str:
        if name:
            return ".".join(self.scrub(part) for part in name.split(".")) if self.options.scrub else name
        self._unnamed += 1
        return f"{NAMESPACE}.{DEFAULT_NAME}{self._unnamed if self._unnamed > 1 else ''}"

    def scrub(self, name: str) -> str:
        """A field name that Avro allows, if asked to make one."""
        return scrubbed(name) if self.options.scrub else name

    def _meta(self, schema: Schema) -> dict[str, Any]:
        props: dict[str, Any] = {}
        if schema.type is SchemaType.BYTES and schema.name == DECIMAL:
            props |= {"scale": scale_of(schema), "precision": precision_of(schema)}
        if schema.doc is not None and not self.options.discard_type_doc:
            props["connect.doc"] = schema.doc
        if schema.version is not None:
            props["connect.version"] = schema.version
        parameters = {k: v for k, v in schema.parameters.items() if k != FIELD_DEFAULT}
        if parameters:
            props["connect.parameters"] = parameters
        keep = not self.options.discard_type_doc and FIELD_DEFAULT not in schema.parameters
        if schema.default is not None and keep:
            props["connect.default"] = default_to_json(schema, schema.default, self.options)
        if schema.name is not None:
            props["connect.name"] = schema.name
        if schema.type in _NARROW:
            props["connect.type"] = _NARROW[schema.type]
        return props


def _logical_props(schema: Schema) -> dict[str, Any]:
    if schema.name == DECIMAL:
        scale, precision = scale_of(schema), precision_of(schema)
        props: dict[str, Any] = {"scale": scale, "precision": precision}
        if 0 <= scale <= precision or PRECISION_PARAMETER in schema.parameters:
            props["logicalType"] = "decimal"
        return props
    logical = _LOGICAL.get(schema.name or "")
    return {"logicalType": logical} if logical else {}


def default_to_json(schema: Schema, value: Any, options: AvroOptions) -> Any:
    """A default in Avro's JSON form: bytes as characters 0 to 255."""
    if value is None:
        return None
    if schema.name in LOGICAL_NAMES:
        value = _logical_base(schema, value)
    if schema.type is SchemaType.BYTES:
        return bytes(value).decode("latin-1")
    if schema.type is SchemaType.ARRAY:
        return [default_to_json(contained(schema.value_schema), v, options) for v in value]
    if schema.type is SchemaType.MAP:
        key, inner = contained(schema.key_schema), contained(schema.value_schema)
        pairs = [(k, default_to_json(inner, v, options)) for k, v in value.items()]
        if object_keys(schema, options):
            return dict(pairs)
        return [[default_to_json(key, k, options), v] for k, v in pairs]
    if schema.type is SchemaType.STRUCT:
        fields = value.fields if isinstance(value, Struct) else value
        return {f.name: default_to_json(f.schema, fields.get(f.name), options) for f in schema.fields}
    return value


def _logical_base(schema: Schema, value: Any) -> Any:
    if schema.name == DECIMAL:
        unscaled, scale = decimal_parts(value)
        if scale != scale_of(schema):
            raise DataError("Decimal value has mismatching scale for given Decimal schema")
        return unscaled_bytes(unscaled)
    if isinstance(value, (dt.date, dt.time, Decimal)):
        return encoder(schema, numeric=False)(value)
    return value
