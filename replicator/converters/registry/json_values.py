"""Compilers of JsonConverter for what JSON Schema has in another form. Pure, any thread.

Maps without string keys are arrays of objects; alternatives stand for themselves.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from replicator.api.errors import DataError
from replicator.api.schema import Schema, SchemaType
from replicator.api.struct import Struct
from replicator.converters.json_logical import LOGICAL_NAMES, node_type
from replicator.converters.json_read import Decode, ReadCompiler
from replicator.converters.json_write import Encode, WriteCompiler, unwrap
from replicator.converters.registry.json_names import one_of, string_keys

_INTEGERS: Final = (SchemaType.INT8, SchemaType.INT16, SchemaType.INT32, SchemaType.INT64)


class JsonSchemaWriter(WriteCompiler):
    """Maps without string keys are arrays of objects; alternatives stand for themselves."""

    def value(self, schema: Schema) -> Encode | None:
        if schema.type is SchemaType.MAP and not string_keys(schema):
            return self._entries(schema)
        if one_of(schema):
            return self._alternatives(schema)
        return super().value(schema)

    def _entries(self, schema: Schema) -> Encode:
        if schema.key_schema is None or schema.value_schema is None:
            raise DataError("Map schema did not specify the key or value type")
        of_key, of_value = self.nullable(schema.key_schema), self.nullable(schema.value_schema)

        def encode(value: Any) -> Any:
            if not isinstance(value, dict):
                raise DataError(f"Invalid type for map: {type(value).__name__}")
            return [{"key": of_key(k), "value": of_value(v)} for k, v in value.items()]

        return encode

    def _alternatives(self, schema: Schema) -> Encode:
        members = {f.name: self.nullable(f.schema) for f in schema.fields}

        def encode(value: Any) -> Any:
            fields = unwrap(value) if isinstance(value, Struct) else value
            for name, convert in members.items():
                one = fields.get(name)
                if one is not None:
                    return convert(one)
            return None

        return encode


class JsonSchemaReader(ReadCompiler):
    """The same when reading; whole numbers may come as 1.0."""

    def value(self, schema: Schema) -> Decode | None:
        if schema.name in LOGICAL_NAMES:
            return super().value(schema)
        if schema.type is SchemaType.MAP and not string_keys(schema):
            return self._entries(schema)
        if one_of(schema):
            return self._alternatives(schema)
        if schema.type in _INTEGERS:
            return _whole
        return super().value(schema)

    def nullable(self, schema: Schema) -> Decode:
        decode = super().nullable(schema)
        if not one_of(schema):
            return decode
        convert = self._alternatives(schema)
        return lambda value: decode(None) if value is None else convert(value)

    def _entries(self, schema: Schema) -> Decode:
        if schema.key_schema is None or schema.value_schema is None:
            raise DataError("Map schema did not specify the key or value type")
        of_key, of_value = self.nullable(schema.key_schema), self.nullable(schema.value_schema)

        def decode(value: Any) -> Any:
            if type(value) is not list:
                raise DataError(
                    "Maps with non-string fields should be encoded as JSON array of objects, but found "
                    f"{node_type(value)}"
                )
            for entry in value:
                if type(entry) is not dict:
                    raise DataError(f"Found invalid map entry instead of object: {node_type(entry)}")
                if len(entry) != 2:
                    raise DataError(f"Found invalid map entry, expected length 2 but found :{len(entry)}")
            return {of_key(e.get("key")): of_value(e.get("value")) for e in value}

        return decode

    def _alternatives(self, schema: Schema) -> Decode:
        members = [(f.name, f.schema, self.nullable(f.schema)) for f in schema.fields]

        def decode(value: Any) -> Any:
            for name, member, convert in members:
                if _fits(member, value):
                    return Struct(schema, {name: convert(value)})
            raise DataError(f"Did not find matching oneof field for data: {value}")

        return decode


def _fits(schema: Schema, value: Any) -> bool:
    if schema.type is SchemaType.STRUCT:
        return type(value) is dict and all(schema.field(name) is not None for name in value)
    wanted: dict[SchemaType, tuple[type, ...]] = {
        SchemaType.BOOLEAN: (bool,),
        SchemaType.STRING: (str,),
        SchemaType.BYTES: (str, Decimal, float, int),
        SchemaType.ARRAY: (list,),
        SchemaType.MAP: (dict, list),
        SchemaType.FLOAT32: (float, int, Decimal),
        SchemaType.FLOAT64: (float, int, Decimal),
    }
    return type(value) in wanted.get(schema.type, (int,))


def _whole(value: Any) -> Any:
    if type(value) is int:
        return value
    if type(value) is float and value.is_integer():
        return int(value)
    raise DataError(f"Invalid type for integer: {node_type(value)}")
