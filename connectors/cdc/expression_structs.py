"""What expressions can ask of structs, schemas, fields and headers. Pure."""

from __future__ import annotations

from typing import Any, Final

from connectors.cdc.expression_methods import Method
from connectors.cdc.expression_values import EvaluationProblem
from replicator.api.errors import DataError
from replicator.api.schema import Schema, SchemaType
from replicator.api.struct import Struct


def struct_field(struct: Struct, name: str) -> Any:
    """A field of a struct, structs within lists as structs too."""
    try:
        value = struct.get(name)
    except DataError as error:
        raise EvaluationProblem(error.message) from None
    if type(value) is list:
        field = struct.schema.field(name)
        element = None if field is None else field.schema.value_schema
        if element is not None and element.type is SchemaType.STRUCT:
            return [Struct(element, v) if type(v) is dict else v for v in value]
    return value


def _typed(*types: SchemaType) -> Method:
    def get(struct: Struct, name: str) -> Any:
        field = struct.schema.field(name)
        if field is not None and field.schema.type not in types:
            raise EvaluationProblem(f"Field '{name}' is not of type {types[0].name}")
        return struct_field(struct, name)

    return get


STRUCT: Final[dict[str, Method]] = {
    "get": struct_field,
    "getWithoutDefault": lambda struct, name: struct.get_without_default(name),
    "schema": lambda struct: struct.schema,
    "getString": _typed(SchemaType.STRING),
    "getBoolean": _typed(SchemaType.BOOLEAN),
    "getInt8": _typed(SchemaType.INT8),
    "getInt16": _typed(SchemaType.INT16),
    "getInt32": _typed(SchemaType.INT32),
    "getInt64": _typed(SchemaType.INT64),
    "getFloat32": _typed(SchemaType.FLOAT32),
    "getFloat64": _typed(SchemaType.FLOAT64),
    "getStruct": _typed(SchemaType.STRUCT),
    "getArray": _typed(SchemaType.ARRAY),
    "getMap": _typed(SchemaType.MAP),
}


def _field(schema: Schema, name: str) -> Any:
    if schema.type is not SchemaType.STRUCT:
        raise EvaluationProblem("Cannot look up fields on non-struct type")
    return schema.field(name)


SCHEMA_PROPERTIES: Final[dict[str, Method]] = {
    "name": lambda schema: schema.name,
    "version": lambda schema: schema.version,
    "doc": lambda schema: schema.doc,
    "type": lambda schema: schema.type.name,
    "optional": lambda schema: schema.optional,
    "defaultValue": lambda schema: schema.default,
    "parameters": lambda schema: dict(schema.parameters),
    "fields": lambda schema: list(schema.fields),
    "keySchema": lambda schema: schema.key_schema,
    "valueSchema": lambda schema: schema.value_schema,
}

SCHEMA: Final[dict[str, Method]] = {
    **SCHEMA_PROPERTIES,
    "field": _field,
    "isOptional": lambda schema: schema.optional,
}

FIELD_PROPERTIES: Final[dict[str, Method]] = {
    "name": lambda field: field.name,
    "index": lambda field: field.index,
    "schema": lambda field: field.schema,
}

HEADER_PROPERTIES: Final[dict[str, Method]] = {
    "value": lambda header: header.value,
    "schema": lambda header: header.schema,
}
