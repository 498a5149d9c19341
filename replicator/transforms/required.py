"""What transforms require of values and schemas, and how Java names what they found instead. Pure."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any, Final

from replicator.api.errors import DataError, SchemaError
from replicator.api.schema import Field, Schema, SchemaType
from replicator.api.struct import Struct

_OF_TYPE: Final[dict[SchemaType, str]] = {
    SchemaType.INT8: "java.lang.Byte",
    SchemaType.INT16: "java.lang.Short",
    SchemaType.INT32: "java.lang.Integer",
    SchemaType.FLOAT32: "java.lang.Float",
}
_OF_CLASS: Final[tuple[tuple[type | tuple[type, ...], str], ...]] = (
    (bool, "java.lang.Boolean"),
    (int, "java.lang.Long"),
    (float, "java.lang.Double"),
    (str, "java.lang.String"),
    ((bytes, bytearray, memoryview), "[B"),
    (Decimal, "java.math.BigDecimal"),
    ((dt.date, dt.time), "java.util.Date"),
    ((list, tuple), "java.util.ArrayList"),
    (dict, "java.util.HashMap"),
    (Struct, "org.apache.kafka.connect.data.Struct"),
)


def java_class(value: Any, schema: Schema | None = None) -> str:
    """Name of the Java class that holds such a value, for messages."""
    if value is None:
        return "null"
    plain = isinstance(value, (int, float)) and not isinstance(value, bool)
    if schema is not None and plain and schema.type in _OF_TYPE:
        return _OF_TYPE[schema.type]
    for classes, name in _OF_CLASS:
        if isinstance(value, classes):
            return name
    return type(value).__name__


def require_map(value: Any, purpose: str, schema: Schema | None = None) -> dict[str, Any]:
    """The value, which must be a map.

    Raises:
        DataError: it is none.
    """
    if type(value) is not dict:
        found = java_class(value, schema)
        raise DataError(f"Only Map objects supported in absence of schema for [{purpose}], found: {found}")
    return value


def require_struct(value: Any, purpose: str, schema: Schema | None) -> Struct:
    """The value, which must be a struct.

    Raises:
        DataError: it is none.
    """
    if not isinstance(value, Struct):
        found = java_class(value, schema)
        raise DataError(f"Only Struct objects supported for [{purpose}], found: {found}")
    return value


def fields_of(schema: Schema) -> tuple[Field, ...]:
    """The fields of a struct.

    Raises:
        DataError: the schema is of another type.
    """
    if schema.type is not SchemaType.STRUCT:
        raise DataError("Cannot list fields on non-struct type")
    return schema.fields


def schema_text(schema: Schema) -> str:
    """A schema as Java prints it."""
    return (
        f"Schema{{{schema.type.name}}}"
        if schema.name is None
        else f"Schema{{{schema.name}:{schema.type.name}}}"
    )


def null_in_required(name: str, schema: Schema) -> SchemaError:
    """The error for a null that was not replaced by its default, in a field that may not be null."""
    return SchemaError(
        f'Invalid value: null used for required field: "{name}", schema type: {schema.type.name}'
    )
