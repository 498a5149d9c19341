"""Values cast to other primitive types, as Connect's Cast does it. Pure."""

from __future__ import annotations

import datetime as dt
from base64 import b64encode
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from replicator.api.errors import DataError
from replicator.api.logical import DATE, TIME, TIMESTAMP
from replicator.api.schema import Schema, SchemaType
from replicator.api.struct import Struct
from replicator.transforms import java_numbers as numbers
from replicator.transforms.java_lists import java_list
from replicator.transforms.required import java_class

_BITS: Final = {SchemaType.INT8: 8, SchemaType.INT16: 16, SchemaType.INT32: 32, SchemaType.INT64: 64}
TARGETS: Final = (
    *_BITS,
    SchemaType.FLOAT32,
    SchemaType.FLOAT64,
    SchemaType.BOOLEAN,
    SchemaType.STRING,
)
_SOURCES: Final = (*TARGETS, SchemaType.BYTES)
_INSTANTS: Final = (DATE, TIME, TIMESTAMP)
_INFERRED: Final[dict[type, SchemaType]] = {
    bool: SchemaType.BOOLEAN,
    int: SchemaType.INT64,
    float: SchemaType.FLOAT64,
    str: SchemaType.STRING,
    bytes: SchemaType.BYTES,
    bytearray: SchemaType.BYTES,
    memoryview: SchemaType.BYTES,
    list: SchemaType.ARRAY,
    tuple: SchemaType.ARRAY,
    dict: SchemaType.MAP,
    Struct: SchemaType.STRUCT,
}

Caster = Callable[[Any], Any]


def names_of(types: tuple[SchemaType, ...]) -> str:
    """Types as Java lists them."""
    return java_list([t.name for t in types])


def cast(schema: Schema | None, value: Any, target: SchemaType) -> Any:
    """One value cast to a type.

    Raises:
        DataError: it cannot be.
    """
    return None if value is None else caster(schema, target)(value)


def caster(schema: Schema | None, target: SchemaType) -> Caster:
    """A function that casts values of a schema that are not null."""
    if schema is None:
        return lambda value: caster(Schema(_inferred(value)), target)(value)
    if schema.type not in _SOURCES:
        message = (
            f"Cast transformation does not support casting from {schema.type.name}; supported types are "
            f"{names_of(_SOURCES)}"
        )
        return lambda value: _fail(message)
    made = _plain_caster(schema, target)

    def checked(value: Any) -> Any:
        try:
            return made(value)
        except ValueError:
            raise DataError(f"Value ({value}) was out of range for requested data type") from None

    return checked


def _fail(message: str) -> Any:
    raise DataError(message)


def _inferred(value: Any) -> SchemaType:
    found = _INFERRED.get(type(value))
    if found is None:
        raise DataError(
            f"Cast transformation was passed a value of type class {java_class(value)} which is not supported by "
            "Connect's data API"
        )
    return found


def _plain_caster(schema: Schema, target: SchemaType) -> Caster:
    if target is SchemaType.STRING:
        return lambda value: _to_string(value, schema)
    encode = _epoch if schema.name in _INSTANTS else None
    number = _to_number(schema, target)
    return number if encode is None else lambda value: number(encode(value, schema))


def _to_number(schema: Schema, target: SchemaType) -> Caster:
    bits = _BITS.get(target, 0)

    def convert(value: Any) -> Any:
        if isinstance(value, str):
            if bits:
                return numbers.parse_integer(value, bits)
            if target is SchemaType.BOOLEAN:
                return value.lower() == "true"
            parsed = numbers.parse_double(value)
            return numbers.single(parsed) if target is SchemaType.FLOAT32 else parsed
        if not isinstance(value, (int, float, Decimal)):
            raise DataError(f"Unexpected type in Cast transformation: class {java_class(value, schema)}")
        if bits:
            return numbers.narrow(value, bits)
        if target is SchemaType.BOOLEAN:
            return value if isinstance(value, bool) else numbers.narrow(value, 64) != 0
        return numbers.single(float(value)) if target is SchemaType.FLOAT32 else float(value)

    return convert


def _epoch(value: Any, schema: Schema) -> Any:
    """What a date, time or timestamp is stored as."""
    if not isinstance(value, (dt.date, dt.time)):
        return value
    ms = numbers.millis(value)
    return ms // numbers.DAY_MS if schema.name == DATE else ms


def _to_string(value: Any, schema: Schema) -> str:
    if isinstance(value, (dt.date, dt.time)):
        return numbers.date_text(numbers.millis(value))
    if isinstance(value, (bytes, bytearray, memoryview)):
        return b64encode(value).decode("ascii")
    return numbers.text_of(value, is_single=schema.type is SchemaType.FLOAT32)
