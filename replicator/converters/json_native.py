"""Values that orjson writes as they are, and what it asks for the others. Pure, any thread."""

from __future__ import annotations

from typing import Any, Final

import orjson

from replicator.api.schema import Schema, SchemaType
from replicator.api.struct import Struct
from replicator.converters.json_logical import LOGICAL_NAMES
from replicator.converters.json_write import unwrap

JSON_OPTIONS: Final = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
_CONVERTED: Final = frozenset({SchemaType.BYTES, SchemaType.FLOAT32, SchemaType.FLOAT64, SchemaType.MAP})


def is_native(schema: Schema) -> bool:
    """Whether orjson writes values of the schema as they are (null stays null)."""
    if schema.type in _CONVERTED or schema.name in LOGICAL_NAMES:
        return False
    if schema.type is SchemaType.STRUCT:
        return all(is_native(f.schema) for f in schema.fields)
    return schema.type is not SchemaType.ARRAY or (
        schema.value_schema is not None and is_native(schema.value_schema)
    )


def has_defaults(schema: Schema) -> bool:
    """Whether a null in a value of the schema may stand for a default."""
    if schema.default is not None:
        return True
    if schema.type is SchemaType.STRUCT:
        return any(has_defaults(f.schema) for f in schema.fields)
    return schema.value_schema is not None and has_defaults(schema.value_schema)


def nullable_with_default(schema: Schema) -> list[str]:
    """Fields of rows in which a null would be replaced: of a change envelope's `after`, or of the struct itself."""
    after = schema.field("after")
    row = schema if after is None else after.schema
    return [f.name for f in row.fields if f.schema.optional and f.schema.default is not None]


def unwrap_struct(value: Any) -> Any:
    """What orjson calls for a value it does not know."""
    if isinstance(value, Struct):
        return unwrap(value)
    raise TypeError(f"value of type {type(value).__name__} has no JSON form in this schema")
